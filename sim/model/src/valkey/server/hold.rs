//! The target of a failover holds clients ([`Remedy::TargetHolds`](super::super::Remedy)): how it
//! learns of the failover, and when it releases them.
//!
//! The old primary tells it by an entry of the replication stream. `PAUSE_ACTION_REPLICA`, which
//! the failover's pause sets, does not stop that: Valkey asks for it before GETACK
//! (`beforeSleep`, 8.0.1, server.c:1660) and PING (`replicationCron`, replication.c:4550), and
//! `propagateNow` asserts that no *command* is propagated meanwhile; what the server itself writes
//! by `replicationFeedReplicas` passes. It does no harm there either. What the pause is for is an
//! offset that stands still until the target has reached it, and the entry moves it once, before
//! the wait or at its end.
//!
//! Like GETACK the entry is acknowledged at once, so that the wait for the replica ends within a
//! round trip and not at its next acknowledgement, which is due once a second. That is a side
//! effect that shortens every healthy failover.

use super::super::address::{Addr, AddressBook};
use super::super::behaviour::FailoverTarget;
use super::super::message::FailoverState;
use super::super::pause::Release;
use super::super::replication::ReplOp;
use super::{Server, Turn};

/// Whether a replica holds clients whom it would redirect.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It redirects them.
    Nothing,
    /// Its primary has announced a failover to it: it postpones them.
    Redirects,
}

impl Server {
    /// Tells the replicas to which of them a failover is in progress.
    pub(super) fn tell_target(&mut self, target: Addr, turn: &Turn<'_>) {
        match turn.behaviour.failover_target {
            FailoverTarget::Redirects => {}
            FailoverTarget::Holds => {
                self.failover.told = true;
                self.propagate(ReplOp::HandOver(target));
            }
        }
    }

    /// Tells them that it is off, if it ends before the node has demoted itself. Afterwards
    /// nothing can be said: a demoted node's stream is over, and an abort breaks the connections.
    pub(super) fn call_off(&mut self) {
        if self.failover.state == FailoverState::WaitForSync && self.failover.told {
            self.propagate(ReplOp::HandOverOff);
        }
    }

    /// The primary announces a failover. Only the one that it names holds; all others go on as
    /// before, and so does a node that does not know the entry.
    pub(super) fn told_of_failover(&mut self, target: Addr, turn: &mut Turn<'_>) {
        if target == AddressBook::of(self.node) {
            match turn.behaviour.failover_target {
                FailoverTarget::Redirects => {}
                FailoverTarget::Holds => {
                    self.hold = Hold::Redirects;
                    self.send_ack(turn);
                }
            }
        } else {
            self.stop_holding(turn);
        }
    }

    /// Lets go of whom the node holds: their commands run again from the top, and meet what the
    /// node is now.
    pub(super) fn stop_holding(&mut self, turn: &mut Turn<'_>) {
        match std::mem::replace(&mut self.hold, Hold::Nothing) {
            Hold::Nothing => {}
            Hold::Redirects => self.release(Release::Postponed, turn),
        }
    }
}
