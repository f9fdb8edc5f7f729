//! Who serves a command (`getNodeByQuery`, `clusterRedirectClient`,
//! `clusterRedirectBlockedClientIfNeeded`, 8.0.1, cluster.c:978–1290).

use super::super::super::address::{AddressBook, NodeId};
use super::super::super::behaviour::Gate;
use super::super::super::command::Command;
use super::super::super::command_table::Flags;
use super::super::super::data::Value;
use super::super::super::error::ErrorKind;
use super::super::super::hash_slot::HashSlot;
use super::super::super::message::{Reply, Request, Tag};
use super::super::super::note::{ClusterHealth, GateVerdict};
use super::super::super::redirect::{Redirect, RedirectKind};
use super::super::client::Blocked;
use super::super::{ConnSlot, Server, Turn};
use super::Cluster;

/// Who serves a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Serves {
    /// This node.
    Myself,
    /// Another: `-MOVED`.
    Moved(HashSlot, NodeId),
    /// Another, for this command: `-ASK`.
    Ask(HashSlot, NodeId),
    /// Nobody.
    Nobody(ErrorKind),
}

/// The keys of a query so far.
#[derive(Copy, Clone, Debug, Default)]
struct Keys {
    missing: bool,
    existing: bool,
    different: bool,
}

impl Server {
    /// [`Gate::ClusterRedirect`]: whether a command is answered by where to go instead. A
    /// transaction is spoilt by that in every version.
    #[cold]
    #[inline(never)]
    pub(in super::super) fn sent_elsewhere(
        &mut self,
        slot: ConnSlot,
        request: Request,
        flags: Flags,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(cluster) = &self.cluster else {
            return false;
        };
        let serves = self.get_node_by_query(cluster, slot, request.command, flags, turn);
        let gate = Gate::ClusterRedirect;
        let verdict = match serves {
            Serves::Myself => return false,
            Serves::Moved(_, node) | Serves::Ask(_, node) => {
                GateVerdict::Redirected(gate, AddressBook::of(node))
            }
            Serves::Nobody(error) => GateVerdict::Rejected(gate, error),
        };
        let kind = request.command.kind();
        self.trace_gate(slot, request, verdict, turn);
        self.forget_asking(slot, kind, verdict);
        self.spoil(slot, kind);
        if let Some(reply) = self.redirection(serves) {
            self.reply(slot, request.tag, reply, turn);
        }
        true
    }

    /// `getNodeByQuery` (8.0.1, cluster.c:978): the slot's owner, unless the slot is on the move,
    /// the keys are of several slots, or the cluster is down. `EXEC` is asked for all that is
    /// queued, and has its flags.
    fn get_node_by_query(
        &self,
        cluster: &Cluster,
        slot: ConnSlot,
        command: Command,
        flags: Flags,
        turn: &Turn<'_>,
    ) -> Serves {
        let client = &self.clients[slot.0 as usize];
        let alone = [(Tag::own(0), command)];
        let commands = if command != Command::Exec {
            alone.as_slice()
        } else if client.in_multi {
            client.queue.as_slice()
        } else {
            return Serves::Myself;
        };
        let mut found: Option<(HashSlot, NodeId, u32)> = None;
        let (mut migrating, mut importing) = (None, false);
        let mut keys = Keys::default();
        for (_, command) in commands {
            let Some(all) = command.keys() else { continue };
            for key in all {
                let of = HashSlot::of_key(key, cluster.spec.keys_per_tag);
                if let Some((slot, _, first)) = found {
                    if of != slot {
                        return Serves::Nobody(ErrorKind::CrossSlot);
                    }
                    keys.different |= key != first;
                } else {
                    let Some(owner) = cluster.owners.of(of) else {
                        return Serves::Nobody(ErrorKind::ClusterDownUnbound);
                    };
                    found = Some((of, owner, key));
                    if cluster.myself().is_primary() || client.readonly {
                        migrating = cluster
                            .migrating_to(of)
                            .filter(|_| owner == cluster.my_primary());
                        importing = migrating.is_none() && cluster.importing_from(of).is_some();
                    }
                }
                if migrating.is_some() || importing {
                    match self.data.get(key) {
                        Value::Absent => keys.missing = true,
                        Value::Text(_) | Value::Number(_) | Value::List(_) | Value::Stream(_) => {
                            keys.existing = true;
                        }
                    }
                }
            }
        }
        let Some((hash_slot, owner, _)) = found else {
            return Serves::Myself;
        };
        if cluster.state != ClusterHealth::Ok {
            if !turn.config.cluster_allow_reads_when_down {
                return Serves::Nobody(ErrorKind::ClusterDown);
            }
            if flags.any(Flags::WRITE) {
                return Serves::Nobody(ErrorKind::ClusterDownReadOnly);
            }
        }
        if let Some(target) = migrating
            && keys.missing
        {
            return if keys.existing {
                Serves::Nobody(ErrorKind::TryAgain)
            } else {
                Serves::Ask(hash_slot, target)
            };
        }
        if importing && client.asking {
            return if keys.different && keys.missing {
                Serves::Nobody(ErrorKind::TryAgain)
            } else {
                Serves::Myself
            };
        }
        let replica = !cluster.myself().is_primary();
        let reads_here =
            client.readonly && !flags.any(Flags::WRITE) && replica && cluster.my_primary() == owner;
        if owner == cluster.me || reads_here {
            Serves::Myself
        } else {
            Serves::Moved(hash_slot, owner)
        }
    }

    /// The reply by which `clusterRedirectClient` sends a client elsewhere; none if the node
    /// serves it.
    fn redirection(&self, serves: Serves) -> Option<Reply> {
        let redirect = |kind, node| {
            let redirect = Redirect::new(kind, AddressBook::of(node), self.belief());
            Some(Reply::Redirect(redirect))
        };
        match serves {
            Serves::Myself => None,
            Serves::Moved(slot, node) => redirect(RedirectKind::Moved(slot), node),
            Serves::Ask(slot, node) => redirect(RedirectKind::Ask(slot), node),
            Serves::Nobody(error) => Some(Reply::Error(error)),
        }
    }

    /// `clusterRedirectBlockedClientIfNeeded` (8.0.1, cluster.c:1228): the reply to a client that
    /// waits for a key which this node no longer serves.
    fn blocked_elsewhere(&self, cluster: &Cluster, key: u32) -> Serves {
        if cluster.state != ClusterHealth::Ok {
            return Serves::Nobody(ErrorKind::ClusterDown);
        }
        let slot = HashSlot::of_key(key, cluster.spec.keys_per_tag);
        let owner = cluster.owners.of(slot);
        if owner == Some(cluster.me) || cluster.importing_from(slot).is_some() {
            return Serves::Myself;
        }
        match owner {
            Some(owner) => Serves::Moved(slot, owner),
            None => Serves::Nobody(ErrorKind::ClusterDownUnbound),
        }
    }

    /// Sends a client that waits for a key on, if this node no longer serves the key. Its
    /// connection stays. After `READONLY` a replica of the slot's owner serves a command that
    /// only reads.
    pub(in super::super) fn redirect_blocked_client_if_needed(
        &mut self,
        slot: ConnSlot,
        turn: &mut Turn<'_>,
    ) {
        let client = &self.clients[slot.0 as usize];
        let (tag, key, reads) = match client.blocked {
            Blocked::List { tag, key, .. } => (tag, key, false),
            Blocked::Stream { tag, key, .. } => (tag, key, true),
            Blocked::No | Blocked::Postponed(_) | Blocked::Released(_) | Blocked::Wait { .. } => {
                return;
            }
        };
        let Some(cluster) = &self.cluster else { return };
        let here = reads && client.readonly && !cluster.myself().is_primary();
        let serves = match self.blocked_elsewhere(cluster, key) {
            Serves::Moved(_, owner) if here && owner == cluster.my_primary() => Serves::Myself,
            serves @ (Serves::Myself | Serves::Moved(..) | Serves::Ask(..) | Serves::Nobody(_)) => {
                serves
            }
        };
        if let Some(reply) = self.redirection(serves) {
            self.unblock(slot, tag, reply, turn);
        }
    }
}
