//! Which node serves each slot (`slots` of `clusterState`, and each node's bitmap of them, which
//! says the same).

use super::super::super::address::NodeId;
use super::super::super::hash_slot::{HASH_SLOTS, HashSlot};
use super::super::super::slot_set::SlotSet;
use super::Cluster;
use super::packet::{Packets, SlotsId};

const NOBODY: u16 = u16::MAX;

/// The table of owners.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    table: Vec<u16>,
    /// Slots whose owner no longer claims them (`owner_not_claiming_slot`).
    unclaimed: SlotSet,
    /// How many have no owner.
    unassigned: u32,
}

impl Default for Owners {
    fn default() -> Self {
        Owners {
            table: vec![NOBODY; usize::from(HASH_SLOTS)],
            unclaimed: SlotSet::default(),
            unassigned: u32::from(HASH_SLOTS),
        }
    }
}

impl Owners {
    pub(super) fn clear(&mut self) {
        self.table.fill(NOBODY);
        self.unclaimed.clear();
        self.unassigned = u32::from(HASH_SLOTS);
    }

    #[inline]
    pub(super) fn of(&self, slot: HashSlot) -> Option<NodeId> {
        match self.table[usize::from(slot.0)] {
            NOBODY => None,
            node => Some(NodeId(node)),
        }
    }

    pub(super) fn count(&self, node: NodeId) -> u32 {
        self.table.iter().filter(|owner| **owner == node.0).count() as u32
    }

    /// Whether every slot has an owner.
    pub(super) fn cover_all(&self) -> bool {
        self.unassigned == 0
    }

    /// The slots of a node.
    pub(super) fn slots_of(&self, node: NodeId) -> SlotSet {
        let mut set = SlotSet::default();
        for (slot, owner) in self.table.iter().enumerate() {
            if *owner == node.0 {
                set.insert(HashSlot(slot as u16));
            }
        }
        set
    }

    /// `isSlotUnclaimed`: it has no owner, or one that no longer claims it.
    pub(super) fn is_unclaimed(&self, slot: HashSlot) -> bool {
        self.of(slot).is_none() || self.unclaimed.contains(slot)
    }

    pub(super) fn unclaimed(&self) -> &SlotSet {
        &self.unclaimed
    }

    /// Notes whether a slot's owner claims it.
    pub(super) fn set_claimed(&mut self, slot: HashSlot, claimed: bool) {
        if claimed {
            self.unclaimed.remove(slot);
        } else {
            self.unclaimed.insert(slot);
        }
    }
}

impl Cluster {
    /// `clusterAddSlot`, of a slot without an owner.
    pub(super) fn add_slot(&mut self, node: NodeId, slot: HashSlot) {
        debug_assert!(self.owners.of(slot).is_none());
        self.owners.table[usize::from(slot.0)] = node.0;
        self.owners.unassigned -= 1;
        self.owners.unclaimed.remove(slot);
        let node = self.node_mut(node);
        node.slots += 1;
        node.slots_id = None;
    }

    /// `clusterDelSlot`
    pub(super) fn del_slot(&mut self, slot: HashSlot) {
        let Some(owner) = self.owners.of(slot) else {
            return;
        };
        self.owners.table[usize::from(slot.0)] = NOBODY;
        self.owners.unassigned += 1;
        self.owners.unclaimed.remove(slot);
        let node = self.node_mut(owner);
        node.slots -= 1;
        node.slots_id = None;
    }

    /// `clusterDelNodeSlots`
    pub(super) fn del_node_slots(&mut self, node: NodeId) {
        if self.node(node).slots > 0 {
            for slot in self.owners.slots_of(node).iter() {
                self.del_slot(slot);
            }
        }
    }

    /// A node's slots, as packets carry them.
    pub(super) fn slots_id(&mut self, node: NodeId, packets: &mut Packets) -> SlotsId {
        if let Some(id) = self.node(node).slots_id {
            return id;
        }
        let id = packets.keep_slots(&self.owners.slots_of(node));
        self.node_mut(node).slots_id = Some(id);
        id
    }

    /// Whom a slot is being moved to (`migrating_slots_to`).
    pub(super) fn migrating_to(&self, slot: HashSlot) -> Option<NodeId> {
        partner(&self.migrating, slot)
    }

    /// Whom a slot is being taken from (`importing_slots_from`).
    pub(super) fn importing_from(&self, slot: HashSlot) -> Option<NodeId> {
        partner(&self.importing, slot)
    }
}

fn partner(slots: &[(HashSlot, NodeId)], slot: HashSlot) -> Option<NodeId> {
    slots
        .iter()
        .find(|(moved, _)| *moved == slot)
        .map(|(_, node)| *node)
}

/// Notes whom a slot is moved to or taken from.
pub(super) fn set_partner(
    slots: &mut Vec<(HashSlot, NodeId)>,
    slot: HashSlot,
    node: Option<NodeId>,
) {
    slots.retain(|(moved, _)| *moved != slot);
    if let Some(node) = node {
        slots.push((slot, node));
    }
}
