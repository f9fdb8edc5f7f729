//! What nodes have answered to `CLUSTER SLOTS`: tables that are too large for a message, kept by
//! the driver and named by number.

use super::address::Addr;
use super::hash_slot::HashSlot;
use super::message::TopologyId;

/// A range of slots and who serves it, as a node of the cluster says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopologyRange {
    /// Its first slot.
    pub first: HashSlot,
    /// Its last slot.
    pub last: HashSlot,
    /// The slots' owner.
    pub primary: Addr,
    /// Its replicas that are not failed, in the order of the answer.
    pub replicas: Vec<Addr>,
}

/// The tables of a run, by [`TopologyId`]. Equal answers have one number, so that there are only
/// as many as there have been different views.
#[derive(Debug, Default)]
pub struct Topologies {
    kept: Vec<Vec<TopologyRange>>,
}

impl Topologies {
    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.kept.clear();
    }

    /// Keeps an answer, ranges in the order of their slots.
    pub fn keep(&mut self, ranges: Vec<TopologyRange>) -> TopologyId {
        // Whoever asks again asks after a change, so what is newest is the likeliest.
        let known = self.kept.iter().rposition(|kept| *kept == ranges);
        let index = known.unwrap_or_else(|| {
            self.kept.push(ranges);
            self.kept.len() - 1
        });
        TopologyId(index as u32)
    }

    /// The ranges of an answer, in the order of their slots; slots that nobody serves are in
    /// none.
    ///
    /// # Panics
    /// If the answer is not of this run.
    pub fn get(&self, id: TopologyId) -> &[TopologyRange] {
        &self.kept[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(primary: u16) -> TopologyRange {
        TopologyRange {
            first: HashSlot(0),
            last: HashSlot(99),
            primary: Addr(primary),
            replicas: vec![Addr(7)],
        }
    }

    #[test]
    fn equal_answers_have_one_number() {
        let mut topologies = Topologies::default();
        let first = topologies.keep(vec![range(1)]);
        let second = topologies.keep(vec![range(2)]);
        assert_ne!(first, second);
        assert_eq!(topologies.keep(vec![range(1)]), first);
        assert_eq!(topologies.get(second), [range(2)]);
    }
}
