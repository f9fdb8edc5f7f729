//! A client's map of the cluster: which node serves a slot. It is the answer to `CLUSTER SLOTS`
//! that the client has had last, which all clients with the same answer share, and the few slots
//! that `MOVED` has corrected since.

use crate::valkey::{Addr, HashSlot, Topologies, TopologyId, TopologyRange};

/// What a client knows of the cluster.
#[derive(Debug, Default)]
pub(super) struct SlotCache {
    table: Option<TopologyId>,
    /// Slots that `MOVED` has corrected since, in order.
    corrected: Vec<(HashSlot, Addr)>,
    /// Nodes that it knows, one bit for each address.
    known: u64,
}

impl SlotCache {
    /// Forgets everything but the node to begin with.
    pub(super) fn clear(&mut self, seed: Addr) {
        self.table = None;
        self.corrected.clear();
        self.known = bit(seed);
    }

    /// Whether it has had an answer.
    pub(super) fn is_filled(&self) -> bool {
        self.table.is_some()
    }

    /// Takes an answer in.
    pub(super) fn fill(&mut self, table: TopologyId, topologies: &Topologies) {
        if self.table != Some(table) {
            for range in topologies.get(table) {
                let nodes = range.replicas.iter().chain([&range.primary]);
                self.known |= nodes.fold(0, |known, addr| known | bit(*addr));
            }
        }
        self.table = Some(table);
        self.corrected.clear();
    }

    /// Takes a `MOVED` in.
    pub(super) fn correct(&mut self, slot: HashSlot, to: Addr) {
        match self
            .corrected
            .binary_search_by_key(&slot, |(slot, _)| *slot)
        {
            Ok(index) => self.corrected[index].1 = to,
            Err(index) => self.corrected.insert(index, (slot, to)),
        }
        self.known |= bit(to);
    }

    /// The node to which `MOVED` or the last answer ascribes a slot.
    #[inline]
    pub(super) fn owner(&self, slot: HashSlot, topologies: &Topologies) -> Option<Addr> {
        let corrected = self
            .corrected
            .binary_search_by_key(&slot, |(slot, _)| *slot);
        match corrected {
            Ok(index) => Some(self.corrected[index].1),
            Err(_) => self.range(slot, topologies).map(|range| range.primary),
        }
    }

    /// A replica of a slot's owner, each in turn as `turn` grows; its owner if there is none, or
    /// if `MOVED` has corrected the slot.
    pub(super) fn reader(
        &self,
        slot: HashSlot,
        turn: u32,
        topologies: &Topologies,
    ) -> Option<Addr> {
        let owner = self.owner(slot, topologies)?;
        let range = self.range(slot, topologies);
        let replicas = range
            .filter(|range| range.primary == owner && !range.replicas.is_empty())
            .map(|range| range.replicas[turn as usize % range.replicas.len()]);
        Some(replicas.unwrap_or(owner))
    }

    fn range<'t>(&self, slot: HashSlot, topologies: &'t Topologies) -> Option<&'t TopologyRange> {
        let ranges = topologies.get(self.table?);
        let index = ranges.partition_point(|range| range.last < slot);
        ranges.get(index).filter(|range| range.first <= slot)
    }

    /// How many nodes it knows.
    pub(super) fn count(&self) -> u32 {
        self.known.count_ones()
    }

    /// The known node at place `n`, counted from the lowest address.
    pub(super) fn nth(&self, n: u32) -> Addr {
        let rest = (0..n).fold(self.known, |rest, _| rest & rest.wrapping_sub(1));
        Addr(rest.trailing_zeros() as u16)
    }

    /// The known node after this one; the first again after the last.
    pub(super) fn after(&self, addr: Addr) -> Addr {
        let above = self.known & (u64::MAX << addr.0) & !bit(addr);
        let from = if above == 0 { self.known } else { above };
        Addr(from.trailing_zeros() as u16)
    }
}

/// Addresses of nodes come first in the book, and there are at most 64. Others are none to ask.
fn bit(addr: Addr) -> u64 {
    1_u64.checked_shl(u32::from(addr.0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16, primary: u16, replicas: &[u16]) -> TopologyRange {
        TopologyRange {
            first: HashSlot(first),
            last: HashSlot(last),
            primary: Addr(primary),
            replicas: replicas.iter().copied().map(Addr).collect(),
        }
    }

    fn three() -> (Topologies, SlotCache) {
        let mut topologies = Topologies::default();
        let id = topologies.keep(vec![
            range(0, 99, 0, &[3, 5]),
            range(100, 100, 1, &[]),
            range(200, 16_383, 2, &[4]),
        ]);
        let mut cache = SlotCache::default();
        cache.clear(Addr(4));
        assert!(!cache.is_filled());
        assert_eq!(cache.owner(HashSlot(7), &topologies), None);
        cache.fill(id, &topologies);
        (topologies, cache)
    }

    #[test]
    fn every_slot_has_the_owner_of_its_range() {
        let (topologies, cache) = three();
        for (slot, owner) in [
            (0, Some(0)),
            (99, Some(0)),
            (100, Some(1)),
            (101, None),
            (199, None),
            (200, Some(2)),
            (16_383, Some(2)),
        ] {
            let found = cache.owner(HashSlot(slot), &topologies);
            assert_eq!(found, owner.map(Addr), "{slot}");
        }
    }

    #[test]
    fn moved_corrects_one_slot_until_the_next_answer() {
        let (mut topologies, mut cache) = three();
        cache.correct(HashSlot(50), Addr(2));
        cache.correct(HashSlot(20), Addr(1));
        cache.correct(HashSlot(50), Addr(3));
        let owners = |cache: &SlotCache, topologies: &Topologies| {
            [19, 20, 21, 50].map(|slot| cache.owner(HashSlot(slot), topologies).map(|addr| addr.0))
        };
        assert_eq!(
            owners(&cache, &topologies),
            [Some(0), Some(1), Some(0), Some(3)]
        );
        // A slot that a MOVED corrected is read at its owner: its replicas are not known.
        assert_eq!(cache.reader(HashSlot(50), 1, &topologies), Some(Addr(3)));
        let id = topologies.keep(vec![range(0, 16_383, 5, &[])]);
        cache.fill(id, &topologies);
        assert_eq!(owners(&cache, &topologies), [Some(5); 4]);
    }

    #[test]
    fn replicas_take_turns_at_reads() {
        let (topologies, cache) = three();
        let readers: Vec<_> = (0..4)
            .filter_map(|turn| cache.reader(HashSlot(5), turn, &topologies))
            .collect();
        assert_eq!(readers, [3, 5, 3, 5].map(Addr));
        assert_eq!(cache.reader(HashSlot(100), 9, &topologies), Some(Addr(1)));
        assert_eq!(cache.reader(HashSlot(150), 9, &topologies), None);
    }

    #[test]
    fn known_nodes_are_gone_through_in_a_circle() {
        let (_, cache) = three();
        assert_eq!(cache.count(), 6);
        assert_eq!(cache.nth(0), Addr(0));
        assert_eq!(cache.nth(5), Addr(5));
        assert_eq!(cache.after(Addr(0)), Addr(1));
        assert_eq!(cache.after(Addr(5)), Addr(0));
        let mut alone = SlotCache::default();
        alone.clear(Addr(4));
        assert_eq!((alone.nth(0), alone.after(Addr(4))), (Addr(4), Addr(4)));
    }
}
