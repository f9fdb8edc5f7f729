//! Commands of cluster mode: `CLUSTER SLOTS`, `CLUSTER FAILOVER`, `CLUSTER SETSLOT`, `ASKING`
//! (8.0.1, cluster.c and cluster_legacy.c).

use super::super::super::address::{AddressBook, NodeId};
use super::super::super::command::{ClusterFailover, SetSlot};
use super::super::super::error::ErrorKind;
use super::super::super::hash_slot::{HASH_SLOTS, HashSlot};
use super::super::super::message::{Reply, TopologyId, WriteId};
use super::super::super::replication::ReplOp;
use super::super::super::slot_set::SlotSet;
use super::super::super::topology::TopologyRange;
use super::super::{ConnSlot, Server, Turn};
use super::Cluster;
use super::owners::set_partner;
use super::ping::Audience;

impl Server {
    /// `ASKING`: for the next command.
    pub(in super::super) fn asking_command(&mut self, slot: ConnSlot) -> Reply {
        if self.cluster.is_none() {
            return Reply::Error(ErrorKind::ClusterDisabled);
        }
        self.clients[slot.0 as usize].asking = true;
        Reply::Ok
    }

    /// `CLUSTER SLOTS`
    pub(in super::super) fn cluster_slots_command(&mut self, turn: &mut Turn<'_>) -> Reply {
        self.cluster_command(turn, |cluster, turn| {
            Ok(Reply::Topology(cluster.topology(turn)))
        })
    }

    /// `CLUSTER FAILOVER`
    pub(in super::super) fn cluster_failover_command(
        &mut self,
        how: ClusterFailover,
        turn: &mut Turn<'_>,
    ) -> Reply {
        self.cluster_command(turn, |cluster, turn| cluster.failover_command(how, turn))
    }

    /// `CLUSTER SETSLOT`
    pub(in super::super) fn cluster_setslot_command(
        &mut self,
        slot: HashSlot,
        what: SetSlot,
        turn: &mut Turn<'_>,
    ) -> Reply {
        let occupied = self.cluster.as_ref().is_some_and(|cluster| {
            let of = |key| HashSlot::of_key(key, cluster.spec.keys_per_tag);
            self.data.keys().any(|key| of(key) == slot)
        });
        self.cluster_command(turn, |cluster, turn| {
            cluster.setslot_command(slot, what, occupied, turn)
        })
    }

    fn cluster_command(
        &mut self,
        turn: &mut Turn<'_>,
        command: impl FnOnce(&mut Cluster, &mut Turn<'_>) -> Result<Reply, ErrorKind>,
    ) -> Reply {
        let work = |cluster: &mut Cluster, turn: &mut Turn<'_>| Some(command(cluster, turn));
        match self.with_cluster(turn, work) {
            None => Reply::Error(ErrorKind::ClusterDisabled),
            Some(Ok(reply)) => reply,
            Some(Err(error)) => Reply::Error(error),
        }
    }

    /// `delKeysInSlot`: the keys of slots that were lost go, on the replicas too.
    pub(super) fn delete_keys_in(&mut self, slots: &SlotSet) {
        let Some(cluster) = &self.cluster else { return };
        let lost = |key: &u32| slots.contains(HashSlot::of_key(*key, cluster.spec.keys_per_tag));
        let keys: Vec<u32> = self.data.keys().filter(lost).collect();
        for key in keys {
            let op = ReplOp::Del(key, WriteId::NONE);
            let deleted = self.data.apply(op);
            debug_assert!(deleted.is_ok(), "any kind of value can be deleted");
            self.propagate(op);
        }
    }
}

impl Cluster {
    /// `clusterCommandSlots` (8.0.1, cluster.c): each range with its owner and the owner's
    /// replicas that are not failed and have reported an offset (`isNodeAvailable`).
    fn topology(&self, turn: &mut Turn<'_>) -> TopologyId {
        let mut ranges: Vec<TopologyRange> = Vec::new();
        let mut last_owner = None;
        for slot in (0..HASH_SLOTS).map(HashSlot) {
            let owner = self.owners.of(slot);
            match (owner, ranges.last_mut()) {
                (Some(_), Some(range)) if owner == last_owner => range.last = slot,
                (Some(owner), _) => ranges.push(TopologyRange {
                    first: slot,
                    last: slot,
                    primary: AddressBook::of(owner),
                    replicas: self.available_replicas(owner),
                }),
                (None, _) => {}
            }
            last_owner = owner;
        }
        turn.topologies.keep(ranges)
    }

    fn available_replicas(&self, primary: NodeId) -> Vec<super::super::super::address::Addr> {
        let available = |place: &NodeId| {
            let node = self.node(*place);
            let offset = if *place == self.me {
                self.outside.replica_offset
            } else {
                node.offset
            };
            node.replicaof == Some(primary) && !node.is_failed() && offset != 0
        };
        let all = (0..self.nodes.len() as u16).map(NodeId);
        all.filter(available).map(AddressBook::of).collect()
    }

    /// `clusterParseSetSlotCommand` and `clusterCommandSetSlot` (8.0.1, cluster_legacy.c). That
    /// 8.0 has replicas acknowledge the command first is left out.
    fn setslot_command(
        &mut self,
        slot: HashSlot,
        what: SetSlot,
        occupied: bool,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, ErrorKind> {
        if !self.myself().is_primary() {
            return Err(ErrorKind::SetSlotOnReplica);
        }
        let mine = self.owners.of(slot) == Some(self.me);
        match what {
            SetSlot::Migrating(_) if !mine => return Err(ErrorKind::SetSlotNotOwner),
            SetSlot::Importing(_) if mine => return Err(ErrorKind::SetSlotOwner),
            SetSlot::Migrating(node) | SetSlot::Importing(node) | SetSlot::Node(node)
                if !self.node(node).is_primary() =>
            {
                return Err(ErrorKind::SetSlotTargetNotPrimary);
            }
            SetSlot::Node(node) if mine && node != self.me && occupied => {
                return Err(ErrorKind::SetSlotHoldsKeys);
            }
            SetSlot::Migrating(node) => set_partner(&mut self.migrating, slot, Some(node)),
            SetSlot::Importing(node) => set_partner(&mut self.importing, slot, Some(node)),
            SetSlot::Stable => {
                set_partner(&mut self.migrating, slot, None);
                set_partner(&mut self.importing, slot, None);
            }
            SetSlot::Node(node) => self.assign_slot(slot, node, occupied, turn),
        }
        self.todo.save_config = true;
        self.todo.update_state = true;
        Ok(Reply::Ok)
    }

    /// `CLUSTER SETSLOT … NODE`: only the node that was importing the slot takes a new epoch, by
    /// which others will believe it.
    fn assign_slot(&mut self, slot: HashSlot, node: NodeId, occupied: bool, turn: &mut Turn<'_>) {
        if !occupied {
            set_partner(&mut self.migrating, slot, None);
        }
        let was_mine = self.owners.of(slot) == Some(self.me);
        self.del_slot(slot);
        self.add_slot(node, slot);
        if was_mine && self.myself().slots == 0 {
            self.set_primary(node, true, true, turn);
        }
        if node == self.me && self.importing_from(slot).is_some() {
            set_partner(&mut self.importing, slot, None);
            self.bump_config_epoch(turn);
            self.broadcast_pong(Audience::All, turn);
        }
    }
}
