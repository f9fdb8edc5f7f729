//! Sets of hash slots, as the cluster bus carries them: one bit for each.

use super::hash_slot::{HASH_SLOTS, HashSlot};

const WORDS: usize = HASH_SLOTS as usize / 64;

/// A set of hash slots (`myslots` of a `clusterMsg`).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SlotSet([u64; WORDS]);

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet([0; WORDS])
    }
}

impl std::fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} slots", self.iter().count())
    }
}

impl SlotSet {
    /// Whether a slot is in it.
    #[inline]
    pub fn contains(&self, slot: HashSlot) -> bool {
        self.0[usize::from(slot.0 / 64)] & (1 << (slot.0 % 64)) != 0
    }

    /// Puts a slot in.
    #[inline]
    pub fn insert(&mut self, slot: HashSlot) {
        self.0[usize::from(slot.0 / 64)] |= 1 << (slot.0 % 64);
    }

    /// Takes a slot out.
    #[inline]
    pub fn remove(&mut self, slot: HashSlot) {
        self.0[usize::from(slot.0 / 64)] &= !(1 << (slot.0 % 64));
    }

    /// Takes out what is in `other`.
    pub(crate) fn subtract(&mut self, other: &SlotSet) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// What is in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = HashSlot> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.checked_sub(1)?;
                Some(HashSlot(index as u16 * 64 + bit as u16))
            })
        })
    }

    /// A checksum of what is in it.
    pub(super) fn sum(&self) -> u64 {
        self.0.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| {
            (sum ^ word)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_listed_in_order() {
        let mut set = SlotSet::default();
        assert!(set.is_empty());
        for slot in [16_383, 0, 63, 64, 5_000] {
            set.insert(HashSlot(slot));
        }
        let listed: Vec<_> = set.iter().map(|slot| slot.0).collect();
        assert_eq!(listed, [0, 63, 64, 5_000, 16_383]);
        set.remove(HashSlot(64));
        assert!(!set.contains(HashSlot(64)) && set.contains(HashSlot(63)));
        let whole = set.clone();
        set.subtract(&whole);
        assert!(set.is_empty());
    }
}
