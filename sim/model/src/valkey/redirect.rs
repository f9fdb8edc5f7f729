//! Replies that send a client to another node.

use std::fmt;

use super::address::Addr;
use super::epoch::Epoch;
use super::hash_slot::HashSlot;
use super::message::Belief;
use rebound_engine::hashed;

/// The error reply that sends a client to another node.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `-REDIRECT`: a standalone replica names its primary.
    Redirect,
    /// `-MOVED`: the slot is another node's.
    Moved(HashSlot),
    /// `-ASK`: the slot is on its way to another node.
    Ask(HashSlot),
}

hashed!(
    enum RedirectKind {
        Redirect,
        Moved(slot),
        Ask(slot),
    }
);

impl RedirectKind {
    /// The slot that the reply names; `REDIRECT` names none.
    pub const fn slot(self) -> Option<HashSlot> {
        match self {
            RedirectKind::Redirect => None,
            RedirectKind::Moved(slot) | RedirectKind::Ask(slot) => Some(slot),
        }
    }
}

/// As the reply begins, without its minus: `REDIRECT`, `MOVED 7000`, `ASK 7000`.
impl fmt::Display for RedirectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectKind::Redirect => f.write_str("REDIRECT"),
            RedirectKind::Moved(slot) => write!(f, "MOVED {}", slot.0),
            RedirectKind::Ask(slot) => write!(f, "ASK {}", slot.0),
        }
    }
}

/// A redirect, as a node gives it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Which error reply it is.
    pub kind: RedirectKind,
    /// The node to ask instead, as far as the sender knows.
    pub to: Addr,
    /// What orders it among redirects (the remedy `epoch-redirect`).
    pub epoch: Option<Epoch>,
    /// What the sender believed of itself.
    pub belief: Belief,
}

hashed!(struct Redirect { to, belief, kind, epoch });

impl Redirect {
    /// A redirect without an epoch.
    pub const fn new(kind: RedirectKind, to: Addr, belief: Belief) -> Redirect {
        Redirect {
            kind,
            to,
            epoch: None,
            belief,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_as_the_reply_begins() {
        let slot = HashSlot(7000);
        for (kind, text, names) in [
            (RedirectKind::Redirect, "REDIRECT", None),
            (RedirectKind::Moved(slot), "MOVED 7000", Some(slot)),
            (RedirectKind::Ask(slot), "ASK 7000", Some(slot)),
        ] {
            assert_eq!((kind.to_string().as_str(), kind.slot()), (text, names));
        }
    }
}
