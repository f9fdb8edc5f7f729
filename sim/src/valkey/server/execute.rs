//! What commands do once every gate has let them pass.

use super::super::command::{Command, CommandKind, PauseKind};
use super::super::data::{Value, WrongType};
use super::super::defect::Defect;
use super::super::error::ErrorKind;
use super::super::message::{Message, ReplOp, Reply};
use super::super::pause::{Actions, Purpose};
use super::client::Blocked;
use super::{Effect, Server, Slot, Turn};
use crate::engine::Span;

impl Server {
    /// Executes a command and replies.
    pub(super) fn execute(&mut self, slot: Slot, tag: u32, command: Command, turn: &mut Turn<'_>) {
        let reply = match command {
            Command::Exec => self.exec(slot, turn),
            Command::BlPop {
                key,
                timeout_ms,
                write,
            } if self.data.list_len(key) == 0 => {
                let until = deadline(turn, timeout_ms);
                self.clients[slot.0 as usize].blocked = Blocked::List {
                    tag,
                    key,
                    write,
                    until,
                };
                self.blocked.push(slot);
                return;
            }
            Command::Wait {
                replicas,
                timeout_ms,
            } => match self.wait(slot, tag, replicas, timeout_ms, turn) {
                Some(reply) => reply,
                None => return,
            },
            Command::ReplConfAck(offset) => {
                self.replconf_ack(slot, offset.bytes(), turn);
                return;
            }
            Command::Psync {
                replid,
                offset,
                failover,
                epoch,
            } => match self.sync_command(
                (slot, tag),
                (replid, offset.bytes()),
                failover,
                epoch,
                turn,
            ) {
                Some(reply) => reply,
                None => return,
            },
            Command::Get(_)
            | Command::MGet(..)
            | Command::Set(..)
            | Command::Incr(..)
            | Command::Del(..)
            | Command::LPush(..)
            | Command::BlPop { .. }
            | Command::Multi
            | Command::Discard
            | Command::Subscribe(_)
            | Command::Publish(_)
            | Command::Ping
            | Command::Info
            | Command::Role
            | Command::ClientCapa
            | Command::ClientPause(..)
            | Command::ClientUnpause
            | Command::ClientKill(_)
            | Command::ConfigRewrite
            | Command::ReadOnly
            | Command::ReadWrite
            | Command::Failover { .. }
            | Command::FailoverAbort
            | Command::FailoverMalformed(_)
            | Command::ReplicaOf(_)
            | Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfVersion
            | Command::Asking
            | Command::ClusterSlots
            | Command::ClusterFailover(_)
            | Command::ClusterSetSlot(..) => self.call(slot, command, turn),
        };
        self.reply(slot, tag, reply, turn);
        if !self.ready_keys.is_empty() {
            self.handle_clients_blocked_on_keys(turn);
        }
    }

    /// `call`: a command that answers at once.
    fn call(&mut self, slot: Slot, command: Command, turn: &mut Turn<'_>) -> Reply {
        match command {
            Command::Get(key) => match self.data.get(key) {
                Value::Absent => Reply::Nil,
                Value::Text(write) => Reply::Value(write),
                Value::Number(number) => Reply::Int(number),
                Value::List(_) => Reply::Error(ErrorKind::WrongType),
            },
            Command::MGet(key, more) => {
                let values =
                    (0..=u32::from(more)).map(|place| self.data.get(key.wrapping_add(place)));
                Reply::Elements(turn.elements.keep(values))
            }
            Command::Set(key, write) => self.write(slot, ReplOp::Set(key, write)),
            Command::Incr(key, write) => self.write(slot, ReplOp::Incr(key, write)),
            Command::Del(key, write) => self.write(slot, ReplOp::Del(key, write)),
            Command::LPush(key, write) => self.write(slot, ReplOp::LPush(key, write)),
            Command::BlPop { key, write, .. } => {
                // Inside a transaction, or with something to pop, it does not block.
                if self.data.list_len(key) == 0 {
                    return Reply::Nil;
                }
                self.write(slot, ReplOp::LPop(key, write));
                Reply::Array(2)
            }
            Command::Multi => {
                let client = &mut self.clients[slot.0 as usize];
                if client.in_multi {
                    return Reply::Error(ErrorKind::NestedMulti);
                }
                client.in_multi = true;
                Reply::Ok
            }
            Command::Discard => {
                let client = &mut self.clients[slot.0 as usize];
                if !client.in_multi {
                    return Reply::Error(ErrorKind::DiscardWithoutMulti);
                }
                client.discard();
                Reply::Ok
            }
            Command::Subscribe(channel) => {
                self.clients[slot.0 as usize].subscriptions += 1;
                self.subscribers.push((channel, slot));
                Reply::Subscribed
            }
            Command::Publish(channel) => {
                let receivers = self.publish(channel, turn);
                self.propagate(ReplOp::Publish(channel));
                Reply::Int(receivers)
            }
            Command::Ping => Reply::Pong,
            Command::Info | Command::Role => Reply::Info {
                belief: self.belief(),
                primary: self.primary,
                offset: self.offset.into(),
            },
            Command::ClientCapa => {
                if !turn.behaviour.capa {
                    return Reply::Error(ErrorKind::UnknownCapa);
                }
                self.clients[slot.0 as usize].capa = true;
                Reply::Ok
            }
            Command::ClientPause(kind, ms) => {
                let actions = match kind {
                    PauseKind::Write => Actions::WRITE_SET,
                    PauseKind::All => Actions::ALL_SET,
                };
                let lasts = Span::millis(u64::from(ms));
                let release = self.pause.pause_by_client(turn.now, lasts, actions);
                self.release(release, turn);
                Reply::Ok
            }
            Command::ClientUnpause => {
                let release = self.pause.unpause(turn.now, Purpose::ByClientCommand);
                self.release(release, turn);
                Reply::Ok
            }
            Command::ClientKill(kind) => Reply::Int(self.client_kill(slot, kind)),
            Command::ConfigRewrite => {
                self.config_rewrite();
                Reply::Ok
            }
            Command::ReadOnly | Command::ReadWrite => {
                if !turn.behaviour.capa && self.cluster.is_none() {
                    return Reply::Error(ErrorKind::ClusterDisabled);
                }
                self.clients[slot.0 as usize].readonly = command.kind() == CommandKind::ReadOnly;
                Reply::Ok
            }
            Command::Failover { .. } | Command::FailoverAbort | Command::FailoverMalformed(_)
                if self.cluster.is_some() =>
            {
                Reply::Error(ErrorKind::FailoverInCluster)
            }
            Command::ReplicaOf(_) if self.cluster.is_some() => {
                Reply::Error(ErrorKind::ReplicaOfInCluster)
            }
            Command::Failover {
                to,
                force,
                timeout_ms,
            } => self.failover_command(to, force, timeout_ms, turn),
            Command::FailoverAbort => self.failover_abort_command(turn),
            Command::FailoverMalformed(error) => Reply::Error(error),
            Command::ReplicaOf(primary) => self.replicaof_command(primary, turn),
            Command::ReplConfAddress(address) => {
                self.clients[slot.0 as usize].announced = Some(address);
                Reply::Ok
            }
            Command::ReplConfCapa => {
                if self.primary.is_some()
                    && turn.behaviour.defect == Some(Defect::PromotedBeforeAsked)
                {
                    self.replication_unset_primary(turn);
                }
                Reply::Ok
            }
            Command::ReplConfVersion => Reply::Ok,
            Command::Asking => self.asking_command(slot),
            Command::ClusterSlots => self.cluster_slots_command(turn),
            Command::ClusterFailover(how) => self.cluster_failover_command(how, turn),
            Command::ClusterSetSlot(hash_slot, what) => {
                self.cluster_setslot_command(hash_slot, what, turn)
            }
            // Inside a transaction WAIT does not block, and the others are answered above.
            Command::Wait { .. } => Reply::Int(self.acknowledged(self.offset)),
            Command::Exec | Command::ReplConfAck(_) | Command::Psync { .. } => {
                unreachable!("answered by execute")
            }
        }
    }

    /// Executes a write and hands it on to the replicas.
    #[inline]
    fn write(&mut self, slot: Slot, op: ReplOp) -> Reply {
        match self.data.apply(op) {
            Err(WrongType) => return Reply::Error(ErrorKind::WrongType),
            Ok(repeated) => self.duplicated_writes += u64::from(repeated),
        }
        self.propagate(op);
        self.clients[slot.0 as usize].write_offset = self.offset;
        match op {
            ReplOp::Set(..) => Reply::Ok,
            ReplOp::Incr(key, _) => match self.data.get(key) {
                Value::Number(number) => Reply::Int(number),
                Value::Absent | Value::Text(_) | Value::List(_) => Reply::Nil,
            },
            ReplOp::LPush(key, _) => {
                if !self.blocked.is_empty() {
                    self.ready_keys.push(key);
                }
                Reply::Int(self.data.list_len(key) as u32)
            }
            ReplOp::Del(..)
            | ReplOp::LPop(..)
            | ReplOp::Ping
            | ReplOp::GetAck
            | ReplOp::Publish(_)
            | ReplOp::HandOver(_)
            | ReplOp::HandOverOff => Reply::Int(1),
        }
    }

    /// `replicationFeedReplicas` (8.0.1, replication.c:525): a node that has a primary hands
    /// nothing on but what comes from it. So a write that a writable replica accepts stays there.
    #[inline]
    pub(super) fn propagate(&mut self, op: ReplOp) {
        if self.primary.is_none() {
            self.offset += stream_bytes(op);
            self.backlog.push(self.offset, op);
        }
    }

    /// Delivers to the subscribers of this node. Returns how many there are.
    pub(super) fn publish(&mut self, channel: u32, turn: &mut Turn<'_>) -> u32 {
        let mut receivers = 0;
        for (subscribed, slot) in &self.subscribers {
            if *subscribed == channel {
                let message = Message::Reply {
                    tag: u32::MAX,
                    reply: Reply::Published,
                };
                turn.effects.push(Effect::Send(*slot, message));
                receivers += 1;
            }
        }
        receivers
    }

    /// `execCommand`: runs what is queued. A pause that one of the commands sets does not hold
    /// the ones behind it.
    fn exec(&mut self, slot: Slot, turn: &mut Turn<'_>) -> Reply {
        let client = &mut self.clients[slot.0 as usize];
        if !client.in_multi {
            return Reply::Error(ErrorKind::ExecWithoutMulti);
        }
        if client.dirty_exec {
            client.discard();
            return Reply::Error(ErrorKind::ExecAbort);
        }
        let mut queue = std::mem::take(&mut client.queue);
        client.in_multi = false;
        let count = queue.len();
        for (_, command) in queue.drain(..) {
            self.call(slot, command, turn);
        }
        self.clients[slot.0 as usize].queue = queue;
        Reply::Array(count as u16)
    }

    /// Runs the pause table's verdict after a tick.
    pub(super) fn update_paused_actions(&mut self, turn: &mut Turn<'_>) {
        if self.pause.is_empty() {
            return;
        }
        let release = self.pause.update(turn.now);
        self.release(release, turn);
    }
}

/// When a command with a time-out in milliseconds gives up; zero is never.
pub(super) fn deadline(turn: &Turn<'_>, timeout_ms: u32) -> crate::engine::Time {
    match timeout_ms {
        0 => crate::engine::Time::NEVER,
        ms => turn.now + Span::millis(u64::from(ms)),
    }
}

/// Bytes of an operation in the replication stream, as RESP with short keys and values: the
/// recorded streams have 30 for `SET seed 3`, 37 for GETACK and 14 for PING. The hand-over's
/// entries, which no server has, are counted as `REPLCONF HANDOVER` with a host of three letters
/// and a port of four digits, and with `NO ONE`.
pub(super) fn stream_bytes(op: ReplOp) -> u64 {
    match op {
        ReplOp::Ping => 14,
        ReplOp::GetAck => 37,
        ReplOp::Set(..) | ReplOp::LPush(..) => 30,
        ReplOp::Publish(_) => 34,
        ReplOp::HandOver(_) => 51,
        ReplOp::HandOverOff => 49,
        ReplOp::Incr(..) | ReplOp::Del(..) | ReplOp::LPop(..) => 22,
    }
}
