//! Slots change their owner (`clusterUpdateSlotsConfigWith`, `clusterSetPrimary`, 8.0.1,
//! cluster_legacy.c).

use super::super::super::address::NodeId;
use super::super::super::hash_slot::{HASH_SLOTS, HashSlot};
use super::super::super::note::ClusterEvent;
use super::super::Turn;
use super::owners::set_partner;
use super::packet::SlotsId;
use super::{Cluster, Want};

impl Cluster {
    /// An UPDATE: somebody tells what a third claims.
    pub(super) fn update_arrives(
        &mut self,
        about: NodeId,
        epoch: u64,
        slots: SlotsId,
        turn: &mut Turn<'_>,
    ) {
        if self.node(about).config_epoch >= epoch {
            return;
        }
        self.set_node_as_primary_by_update(about);
        self.node_mut(about).config_epoch = epoch;
        self.todo.save_config = true;
        self.update_slots_config_with(about, epoch, slots, turn);
    }

    /// The node itself knows better whether it is a primary.
    fn set_node_as_primary_by_update(&mut self, about: NodeId) {
        if about != self.me {
            self.set_node_as_primary(about);
        }
    }

    /// `clusterUpdateSlotsConfigWith` (8.0.1, cluster_legacy.c:2443): a primary claims slots under
    /// an epoch. A slot changes its owner if it has none or one of a lower epoch; whoever loses
    /// the last of its slots so, or whose primary does, becomes the claimer's replica.
    /// (`cluster-allow-replica-migration` is taken to be `yes`, as by default.)
    pub(super) fn update_slots_config_with(
        &mut self,
        sender: NodeId,
        epoch: u64,
        slots: SlotsId,
        turn: &mut Turn<'_>,
    ) {
        if sender == self.me {
            return;
        }
        let my_primary = self.my_primary();
        let same_shard = self.in_my_shard(sender);
        let (mut claimed, mut moved, mut moved_of_ours) = (0, 0, 0);
        self.scratch.clear();
        for slot in (0..HASH_SLOTS).map(HashSlot) {
            if !turn.packets.slots(slots).contains(slot) {
                self.slot_not_claimed(slot, sender, epoch, turn);
                continue;
            }
            claimed += 1;
            let owner = self.owners.of(slot);
            if owner == Some(sender) {
                self.owners.set_claimed(slot, true);
                continue;
            }
            if let Some(owner) = owner
                && !self.owners.is_unclaimed(slot)
                && self.node(owner).config_epoch >= epoch
            {
                continue;
            }
            if owner == Some(self.me) {
                self.scratch.insert(slot);
            }
            if owner == Some(my_primary) {
                moved_of_ours += 1;
            }
            if !same_shard {
                set_partner(&mut self.migrating, slot, None);
            }
            self.follow_import_source(slot, sender);
            self.del_slot(slot);
            self.add_slot(sender, slot);
            moved += 1;
        }
        if moved > 0 {
            self.todo.save_config = true;
            self.todo.update_state = true;
            let what = ClusterEvent::SlotsMoved {
                to: sender,
                epoch,
                count: moved,
            };
            self.note(what, turn);
        }
        let empty_sibling = moved_of_ours == 0
            && self.myself().replicaof != Some(sender)
            && claimed == 0
            && self.myself().slots == 0
            && self.node(my_primary).config_epoch < epoch
            && same_shard;
        if (moved_of_ours > 0 || empty_sibling) && self.node(my_primary).slots == 0 {
            self.set_primary(sender, !same_shard, !same_shard, turn);
            self.todo.save_config = true;
            self.todo.update_state = true;
        } else if !self.scratch.is_empty() {
            // The node stays a primary: keys of slots that it has lost go.
            let lost = Box::new(self.scratch.clone());
            self.wants.push(Want::DeleteKeys(lost));
        }
    }

    /// A slot that the sender does not claim.
    fn slot_not_claimed(
        &mut self,
        slot: HashSlot,
        sender: NodeId,
        epoch: u64,
        turn: &mut Turn<'_>,
    ) {
        if self.owners.of(slot) == Some(sender) {
            // It stays bound to it until somebody else claims it.
            self.owners.set_claimed(slot, false);
        }
        if self.migrating.is_empty() && self.importing.is_empty() {
            return;
        }
        if let Some(target) = self.migrating_to(slot)
            && target != sender
            && (self.node(target).config_epoch < epoch || !self.node(target).is_primary())
            && self.node(target).shard == self.node(sender).shard
        {
            // The target of the move has failed over.
            set_partner(&mut self.migrating, slot, Some(sender));
            self.todo.save_config = true;
        }
        if self.myself().is_primary() && self.importing_from(slot) == Some(sender) {
            // The source has given the slot away, so it is this node's.
            set_partner(&mut self.importing, slot, None);
            if self.owners.of(slot) != Some(self.me) {
                self.del_slot(slot);
                let me = self.me;
                self.add_slot(me, slot);
                self.bump_config_epoch(turn);
                self.todo.save_config = true;
                self.todo.update_state = true;
            }
        }
    }

    /// The source of a slot that this node is importing has failed over, or somebody else has
    /// taken the slot.
    fn follow_import_source(&mut self, slot: HashSlot, sender: NodeId) {
        if self.importing.is_empty() {
            return;
        }
        if let Some(source) = self.importing_from(slot)
            && source != sender
        {
            let follows = self.node(sender).shard == self.node(source).shard;
            set_partner(&mut self.importing, slot, follows.then_some(sender));
        }
    }

    /// `clusterSetPrimary` (8.0.1, cluster_legacy.c:5473). That an election for the old primary is
    /// void is PR 782 (8.0).
    pub(super) fn set_primary(
        &mut self,
        primary: NodeId,
        close_slots: bool,
        full_sync: bool,
        turn: &mut Turn<'_>,
    ) {
        debug_assert!(primary != self.me && self.myself().slots == 0);
        if close_slots {
            self.migrating.clear();
            self.importing.clear();
        }
        let shard = self.node(primary).shard;
        let me = self.me;
        let myself = self.node_mut(me);
        myself.replicaof = Some(primary);
        myself.shard = shard;
        self.wants.push(Want::SetPrimary { primary, full_sync });
        self.reset_manual_failover(turn);
        self.election.at = None;
    }
}
