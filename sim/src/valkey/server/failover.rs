//! `FAILOVER`: from `waiting-for-sync` over `failover-in-progress` to its end
//! (8.0.1, replication.c:4739–4990; the same in 7.2.7 and 8.0.0-rc1).

use super::super::address::Addr;
use super::super::error::ErrorKind;
use super::super::message::{FailoverState, Reply};
use super::super::pause::{Actions, Purpose};
use super::blocked::RoleChange;
use super::{Server, Turn};
use crate::engine::{Span, Time};
use crate::trace::FailoverEnd;

/// `failover_state` and what belongs to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failover {
    pub(super) state: FailoverState,
    /// `failover_end_time`; none without TIMEOUT.
    pub(super) end: Option<Time>,
    /// `force_failover`
    pub(super) force: bool,
    /// `target_replica_host` and `target_replica_port`
    pub(super) target: Option<Addr>,
}

impl Server {
    /// `failoverCommand` (8.0.1, replication.c:4825): the checks in their order, then the pause
    /// and `waiting-for-sync`. The arguments have been parsed before (a malformed command is
    /// answered first, whatever the state).
    pub(super) fn failover_command(
        &mut self,
        to: Option<Addr>,
        force: bool,
        timeout_ms: Option<u32>,
        turn: &mut Turn<'_>,
    ) -> Reply {
        if self.failover.state != FailoverState::NoFailover {
            return Reply::Error(ErrorKind::FailoverInProgress);
        }
        if self.primary.is_some() {
            return Reply::Error(ErrorKind::FailoverOnReplica);
        }
        if self.replicas.is_empty() {
            return Reply::Error(ErrorKind::FailoverNoReplicas);
        }
        if force && (timeout_ms.is_none() || to.is_none()) {
            return Reply::Error(ErrorKind::FailoverForce);
        }
        if let Some(target) = to {
            match self.find_replica(target) {
                None => return Reply::Error(ErrorKind::FailoverNotAReplica),
                Some(replica) if !replica.is_online() => {
                    return Reply::Error(ErrorKind::FailoverNotOnline);
                }
                Some(_) => {}
            }
        }
        self.failover = Failover {
            state: FailoverState::WaitForSync,
            end: timeout_ms.map(|ms| turn.now + Span::millis(u64::from(ms))),
            force,
            target: to,
        };
        // Neither a time nor CLIENT UNPAUSE ends this pause, only `clearFailoverState`.
        let release = self.pause.pause(
            turn.now,
            Purpose::DuringFailover,
            Time::NEVER,
            Actions::WRITE_SET,
        );
        self.release(release, turn);
        self.trace_failover(FailoverEnd::Underway, turn);
        Reply::Ok
    }

    /// `FAILOVER ABORT`
    pub(super) fn failover_abort_command(&mut self, turn: &mut Turn<'_>) -> Reply {
        if self.failover.state == FailoverState::NoFailover {
            return Reply::Error(ErrorKind::NoFailoverInProgress);
        }
        self.abort_failover(FailoverEnd::Aborted, turn);
        Reply::Ok
    }

    /// `updateFailoverStatus` (8.0.1, replication.c:4931), in every `beforeSleep` and at the head
    /// of `replicationCron`. It does nothing in `failover-in-progress`, which has no time-out.
    pub(super) fn update_failover_status(&mut self, turn: &mut Turn<'_>) {
        if self.failover.state != FailoverState::WaitForSync {
            return;
        }
        // The time-out is looked at before the replica is: a replica that catches up in the same
        // turn still loses.
        if self.failover.end.is_some_and(|end| end <= turn.now) {
            if self.failover.force {
                self.fail_over(turn);
            } else {
                self.abort_failover(FailoverEnd::TimedOut, turn);
            }
            return;
        }
        let caught_up = match self.failover.target {
            Some(target) => self
                .find_replica(target)
                .is_some_and(|replica| replica.acked == self.offset),
            None => {
                let first = self
                    .replicas
                    .iter()
                    .find(|replica| replica.acked == self.offset);
                self.failover.target = first.and_then(|replica| replica.address);
                self.failover.target.is_some()
            }
        };
        if caught_up {
            self.fail_over(turn);
        }
    }

    /// Entry to `failover-in-progress`: the state is set, then the node demotes itself and dials
    /// the target at once (`replicationSetPrimary`).
    fn fail_over(&mut self, turn: &mut Turn<'_>) {
        let target = self
            .failover
            .target
            .expect("a failover that proceeds has a target");
        self.failover.state = FailoverState::InProgress;
        self.trace_failover(FailoverEnd::Underway, turn);
        self.replication_set_primary(target, RoleChange::FailoverInProgress, turn);
    }

    /// `abortFailover` (8.0.1, replication.c:4783): from `failover-in-progress` the node is a
    /// primary again, with a new replication id.
    pub(super) fn abort_failover(&mut self, how: FailoverEnd, turn: &mut Turn<'_>) {
        if self.failover.state == FailoverState::InProgress {
            self.replication_unset_primary(turn);
        }
        self.clear_failover_state(how, turn);
    }

    /// `clearFailoverState` (8.0.1, replication.c:4772): the state is reset, and the failover's
    /// pause lifted, which releases postponed clients only if the pause table says so. Between
    /// the two it deals with blocked clients, if the failover has succeeded (PR 848, PR 2329).
    pub(super) fn clear_failover_state(&mut self, how: FailoverEnd, turn: &mut Turn<'_>) {
        let target = self.failover.target;
        self.failover = Failover {
            target,
            ..Failover::default()
        };
        self.trace_failover(how, turn);
        self.failover.target = None;
        match how {
            FailoverEnd::Success => {
                self.role_changed_for_blocked_clients(RoleChange::FailoverSucceeded, turn);
            }
            // The node is the primary that it was: blocked clients wait on.
            FailoverEnd::Underway
            | FailoverEnd::Aborted
            | FailoverEnd::TimedOut
            | FailoverEnd::Rejected => {}
        }
        let release = self.pause.unpause(turn.now, Purpose::DuringFailover);
        self.release(release, turn);
    }
}
