//! The epoch that redirects carry ([`Remedy::EpochRedirect`](super::super::Remedy)): a count of
//! changes of primary that nodes hand on to each other.
//!
//! A node counts on when it demotes itself and when it promotes itself, which an abort does too.
//! Replication hands the count on in both directions: a replica takes the higher of its own and
//! the one that comes with `+CONTINUE` or `+FULLRESYNC`, and a primary that of who asks it by
//! `PSYNC`. So whoever is redirected by a demoted node to the new primary is told a number that
//! the new primary knows of once they have met; a target that is not promoted yet has the one
//! before, and what it says is recognized as old.

use super::super::address::Addr;
use super::super::behaviour::RedirectEpoch;
use super::super::epoch::Epoch;
use super::super::message::Reply;
use super::{Server, Turn};

impl Server {
    /// The redirect to `to`.
    #[inline]
    pub(super) fn redirect_to(&self, to: Addr, turn: &Turn<'_>) -> Reply {
        Reply::Redirect {
            to,
            epoch: self.told_epoch(turn),
            belief: self.belief(),
        }
    }

    /// What this node tells others.
    #[inline]
    pub(super) fn told_epoch(&self, turn: &Turn<'_>) -> Option<Epoch> {
        match turn.behaviour.redirect_epoch {
            RedirectEpoch::Absent => None,
            RedirectEpoch::Carried => Some(self.redirect_epoch),
        }
    }

    /// The node has changed its own role.
    pub(super) fn count_epoch(&mut self, turn: &Turn<'_>) {
        match turn.behaviour.redirect_epoch {
            RedirectEpoch::Absent => {}
            RedirectEpoch::Carried => self.redirect_epoch = self.redirect_epoch.next(),
        }
    }

    /// Another node has reported its own.
    pub(super) fn learn_epoch(&mut self, told: Option<Epoch>) {
        if let Some(told) = told {
            self.redirect_epoch = self.redirect_epoch.max(told);
        }
    }
}
