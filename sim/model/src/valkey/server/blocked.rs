//! Blocked clients: `BLPOP`, `XREAD` and `WAIT`, postponed commands, and what a change of role does to
//! them (`blocked.c`).

use super::super::address::Addr;
use super::super::behaviour::BlockedClients;
use super::super::command_table::{CommandKind, Flags};
use super::super::data::Value;
use super::super::error::ErrorKind;
use super::super::message::{Reply, Tag};
use super::super::replication::ReplOp;
use super::client::Blocked;
use super::execute::deadline;
use super::{ConnSlot, Server, Turn};

/// A moment at which blocked clients may be dealt with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum RoleChange {
    /// A failover demotes the node; its outcome is open.
    FailoverInProgress,
    /// The failover has succeeded.
    FailoverSucceeded,
    /// REPLICAOF gives the node a primary, or another one.
    ReplicaOf,
    /// In cluster mode the node learns that it is a replica, or of whom.
    ClusterSetPrimary,
}

/// What becomes of a blocked client.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// It waits on.
    Stay,
    /// `-REDIRECT` to the node's primary.
    Redirect(Addr),
    /// `-UNBLOCKED`, and its connection is closed.
    ThrowOut,
}

impl Server {
    /// `blockedBeforeSleep` (8.0.1, blocked.c:718): time-outs, `WAIT`, then every unblocked
    /// client's command and input, first in first out.
    pub(super) fn blocked_before_sleep(&mut self, turn: &mut Turn<'_>) {
        for index in (0..self.blocked.len()).rev() {
            let slot = self.blocked[index];
            let client = &self.clients[slot.0 as usize];
            let (tag, reply) = match client.blocked {
                Blocked::List { tag, until, .. } | Blocked::Stream { tag, until, .. }
                    if until <= turn.now =>
                {
                    (tag, Reply::Nil)
                }
                Blocked::Wait {
                    tag,
                    replicas,
                    offset,
                    until,
                } => {
                    let acknowledged = self.acknowledged(offset);
                    if acknowledged < u32::from(replicas) && until > turn.now {
                        continue;
                    }
                    (tag, Reply::Int(acknowledged))
                }
                Blocked::List { .. }
                | Blocked::Stream { .. }
                | Blocked::No
                | Blocked::Postponed(_)
                | Blocked::Released(_) => continue,
            };
            self.unblock(slot, tag, reply, turn);
        }
        while let Some(slot) = self.unblocked.pop_front() {
            let client = &mut self.clients[slot.0 as usize];
            if let Blocked::Released(request) = client.blocked {
                client.blocked = Blocked::No;
                self.process_command(slot, request, turn);
            }
            self.read_on(slot, turn);
        }
    }

    /// Ends a blocking command with `reply`; input behind it is read in `beforeSleep`.
    pub(super) fn unblock(&mut self, slot: ConnSlot, tag: Tag, reply: Reply, turn: &mut Turn<'_>) {
        self.blocked.retain(|other| *other != slot);
        self.clients[slot.0 as usize].blocked = Blocked::No;
        self.reply(slot, tag, reply, turn);
        self.unblocked.push_back(slot);
    }

    /// `handleClientsBlockedOnKeys`: lists that have grown serve who waits for them, the longest
    /// waiting first; streams serve everybody.
    pub(super) fn handle_clients_blocked_on_keys(&mut self, turn: &mut Turn<'_>) {
        while let Some(ready) = self.ready_keys.pop() {
            while self.data.list_len(ready) > 0 {
                let waiting = self.blocked.iter().copied().find(|slot| {
                    matches!(self.clients[slot.0 as usize].blocked,
                        Blocked::List { key, .. } if key == ready)
                });
                let Some(slot) = waiting else { break };
                let Blocked::List {
                    tag, key, write, ..
                } = self.clients[slot.0 as usize].blocked
                else {
                    break;
                };
                let popped = self.data.apply(ReplOp::LPop(key, write));
                debug_assert!(popped.is_ok(), "a list that grew is a list");
                self.propagate(ReplOp::LPop(key, write));
                self.unblock(slot, tag, Reply::Array(2), turn);
            }
            if matches!(self.data.get(ready), Value::Stream(_)) {
                self.serve_stream(ready, turn);
            }
        }
    }

    /// Everybody who waits for a stream gets what was added.
    pub(super) fn serve_stream(&mut self, stream: u32, turn: &mut Turn<'_>) {
        loop {
            let waiting = self.blocked.iter().copied().find_map(|slot| {
                match self.clients[slot.0 as usize].blocked {
                    Blocked::Stream { tag, key, .. } if key == stream => Some((slot, tag)),
                    Blocked::Stream { .. }
                    | Blocked::No
                    | Blocked::Postponed(_)
                    | Blocked::Released(_)
                    | Blocked::List { .. }
                    | Blocked::Wait { .. } => None,
                }
            });
            let Some((slot, tag)) = waiting else { return };
            self.unblock(slot, tag, Reply::Array(1), turn);
        }
    }

    /// `WAIT` (8.0.1, replication.c:4314). `None` if it blocks.
    pub(super) fn wait(
        &mut self,
        slot: ConnSlot,
        tag: Tag,
        replicas: u8,
        timeout_ms: u32,
        turn: &mut Turn<'_>,
    ) -> Option<Reply> {
        if self.primary.is_some() {
            return Some(Reply::Error(ErrorKind::WaitOnReplica));
        }
        let client = &self.clients[slot.0 as usize];
        let offset = client.write_offset;
        let acknowledged = self.acknowledged(offset);
        if acknowledged >= u32::from(replicas) || client.in_multi {
            return Some(Reply::Int(acknowledged));
        }
        let until = deadline(turn, timeout_ms);
        self.clients[slot.0 as usize].blocked = Blocked::Wait {
            tag,
            replicas,
            offset,
            until,
        };
        self.blocked.push(slot);
        self.getack_wanted = true;
        None
    }

    /// Deals with blocked clients if this is the moment for it; [`BlockedClients`] says why it
    /// is.
    pub(super) fn role_changed_for_blocked_clients(
        &mut self,
        change: RoleChange,
        turn: &mut Turn<'_>,
    ) {
        let due = match (turn.behaviour.blocked_clients, change) {
            (
                BlockedClients::UnblockAtDemotion,
                RoleChange::FailoverInProgress
                | RoleChange::ReplicaOf
                | RoleChange::ClusterSetPrimary,
            )
            | (
                BlockedClients::UnblockAtCompletion | BlockedClients::RedirectAtCompletion,
                RoleChange::FailoverSucceeded
                | RoleChange::ReplicaOf
                | RoleChange::ClusterSetPrimary,
            ) => true,
            (BlockedClients::UnblockAtDemotion, RoleChange::FailoverSucceeded)
            | (
                BlockedClients::UnblockAtCompletion | BlockedClients::RedirectAtCompletion,
                RoleChange::FailoverInProgress,
            ) => false,
        };
        if due {
            self.disconnect_or_redirect_all_blocked_clients(turn);
        }
    }

    /// `disconnectAllBlockedClients` (8.0.1, blocked.c:279), in 9.x
    /// `disconnectOrRedirectAllBlockedClients`. Postponed clients are not among `blocked`. What
    /// is pipelined behind a command is dropped with the connection, and read on if that stays.
    fn disconnect_or_redirect_all_blocked_clients(&mut self, turn: &mut Turn<'_>) {
        for index in (0..self.blocked.len()).rev() {
            let slot = self.blocked[index];
            let client = &self.clients[slot.0 as usize];
            let (tag, kind) = match client.blocked {
                Blocked::List { tag, .. } => (tag, CommandKind::BlPop),
                Blocked::Stream { tag, .. } => (tag, CommandKind::XRead),
                Blocked::Wait { tag, .. } => (tag, CommandKind::Wait),
                Blocked::No | Blocked::Postponed(_) | Blocked::Released(_) => continue,
            };
            if self.cluster.is_some()
                && turn.behaviour.blocked_clients == BlockedClients::RedirectAtCompletion
            {
                // In cluster mode 9.x asks who serves the key, and lets others wait on.
                self.redirect_blocked_client_if_needed(slot, turn);
                continue;
            }
            match self.fate(slot, kind, turn) {
                Fate::Stay => {}
                Fate::Redirect(to) => {
                    let redirect = self.redirect_to(to, turn);
                    self.unblock(slot, tag, redirect, turn);
                }
                Fate::ThrowOut => {
                    self.blocked.remove(index);
                    let client = &mut self.clients[slot.0 as usize];
                    client.blocked = Blocked::No;
                    client.input.clear();
                    self.reply(slot, tag, Reply::Error(ErrorKind::Unblocked), turn);
                    self.close_asap(slot);
                }
            }
        }
    }

    /// What becomes of a client that is blocked in `kind`, in the order in which
    /// `disconnectOrRedirectAllBlockedClients` (9.x, blocked.c) asks. `WAIT` does not write, so
    /// it too waits on after `READONLY`; it waits for no key, so it is never redirected.
    fn fate(&self, slot: ConnSlot, kind: CommandKind, turn: &Turn<'_>) -> Fate {
        match turn.behaviour.blocked_clients {
            BlockedClients::UnblockAtDemotion | BlockedClients::UnblockAtCompletion => {
                Fate::ThrowOut
            }
            BlockedClients::RedirectAtCompletion => {
                let client = &self.clients[slot.0 as usize];
                if client.readonly && !kind.flags().any(Flags::WRITE) {
                    return Fate::Stay;
                }
                match (client.blocked, self.primary) {
                    (Blocked::List { .. } | Blocked::Stream { .. }, Some(primary))
                        if client.capa =>
                    {
                        Fate::Redirect(primary)
                    }
                    (
                        Blocked::No
                        | Blocked::Postponed(_)
                        | Blocked::Released(_)
                        | Blocked::List { .. }
                        | Blocked::Stream { .. }
                        | Blocked::Wait { .. },
                        _,
                    ) => Fate::ThrowOut,
                }
            }
        }
    }

    /// Whether the stream from the primary must wait: a pause of this node holds its primary
    /// link too, since the pause's gate knows only replicas as exempt (8.0.1, server.c:4134).
    pub(super) fn stream_is_paused(&self, op: ReplOp) -> bool {
        if self.pause.is_empty() {
            return false;
        }
        let flags = match op {
            ReplOp::Ping | ReplOp::GetAck | ReplOp::HandOver(_) | ReplOp::HandOverOff => {
                Flags::NONE
            }
            ReplOp::Publish(_) => Flags::MAY_REPLICATE,
            ReplOp::Set(..)
            | ReplOp::Incr(..)
            | ReplOp::Del(..)
            | ReplOp::LPush(..)
            | ReplOp::LPop(..)
            | ReplOp::RPush(..)
            | ReplOp::XAdd(..)
            | ReplOp::FlushAll(_)
            | ReplOp::ExpireAt(..)
            | ReplOp::Expired(_) => Flags::WRITE,
        };
        self.pause.all()
            || (self.pause.writes() && flags.any(Flags::WRITE.with(Flags::MAY_REPLICATE)))
    }
}
