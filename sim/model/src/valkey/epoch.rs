//! Epochs: how often the primary has changed, as far as a node knows.

use rebound_engine::{Hashed, HashedBytes, HashedDraw};
use std::fmt;
use std::num::NonZeroU16;

/// The number that a redirect carries under
/// [`Remedy::EpochRedirect`](super::Remedy::EpochRedirect): of two redirects, the one with the
/// higher number was said with later knowledge.
///
/// It has 16 bits, so that messages stay small. A node that has seen 65,535 changes of role stays
/// there; all its redirects are then alike, and clients back off before they believe one that
/// differs.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(NonZeroU16);

impl Hashed for Epoch {
    #[inline(always)]
    fn put(&self, bytes: &mut HashedBytes, at: usize) -> usize {
        self.number().put(bytes, at)
    }

    fn any(draw: HashedDraw<'_>) -> Epoch {
        Epoch(NonZeroU16::MIN.saturating_add(u16::any(draw)))
    }
}

impl Epoch {
    /// That of a process which has found none on its disk.
    pub(crate) const FIRST: Epoch = Epoch(NonZeroU16::MIN);

    /// The one after it.
    pub const fn next(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }

    /// As a number, never zero.
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

impl Default for Epoch {
    fn default() -> Epoch {
        Epoch::FIRST
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_grow_and_stay_at_the_top() {
        assert!(Epoch::FIRST.next() > Epoch::FIRST);
        let mut epoch = Epoch::FIRST;
        for _ in 0..70_000 {
            epoch = epoch.next();
        }
        assert_eq!(epoch.number(), u16::MAX);
        assert_eq!(size_of::<Option<Epoch>>(), 2, "it rides in messages");
    }
}
