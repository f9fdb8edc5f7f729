//! `FAILOVER`: from `waiting-for-sync` over `failover-in-progress` to its end
//! (8.0.1, replication.c:4739–4990; the same in 7.2.7 and 8.0.0-rc1).

use super::super::address::Addr;
use super::super::behaviour::{Demotion, FailoverTarget};
use super::super::defect::Defect;
use super::super::error::ErrorKind;
use super::super::message::{FailoverState, Reply};
use super::super::note::FailoverEnd;
use super::super::pause::{Actions, Purpose};
use super::blocked::RoleChange;
use super::handshake::ReplState;
use super::{Server, Turn};
use rebound_engine::{Duration, Time};

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
    /// Without `TO`: the replica that was the first to catch up, while a remedy still has
    /// something to do with it before the failover proceeds.
    pub(super) chosen: Option<Addr>,
    /// The replicas have been notified which of them is the target (target-holds).
    pub(super) told: bool,
    /// `PSYNC … FAILOVER` has been sent, so that there may be another primary by now.
    pub(super) asked: bool,
}

impl Failover {
    /// The replica that the failover is to, as far as it is known while the node waits.
    pub(super) fn candidate(&self) -> Option<Addr> {
        self.target.or(self.chosen)
    }
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
            end: timeout_ms.map(|ms| turn.now + Duration::millis(u64::from(ms))),
            force,
            target: to,
            chosen: None,
            told: false,
            asked: false,
        };
        // Neither a time nor CLIENT UNPAUSE ends this pause, only `clearFailoverState`.
        let release = self.pause.pause(
            turn.now,
            Purpose::DuringFailover,
            Time::NEVER,
            Actions::WRITE_SET,
        );
        self.release(release, turn);
        if let Some(target) = to {
            self.tell_target(target, turn);
        }
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
        if self.failover.state == FailoverState::InProgress
            && turn.behaviour.defect == Some(Defect::TimeoutInProgress)
            && self.failover.end.is_some_and(|end| end <= turn.now)
        {
            self.abort_failover(FailoverEnd::TimedOut, turn);
        }
        if self.failover.state != FailoverState::WaitForSync {
            return;
        }
        // The time-out is looked at before the replica is: a replica that catches up in the same
        // turn still loses.
        if self.failover.end.is_some_and(|end| end <= turn.now) {
            if self.failover.force {
                self.proceed(turn);
            } else {
                self.abort_failover(FailoverEnd::TimedOut, turn);
            }
            return;
        }
        let Some(candidate) = self.failover.candidate() else {
            self.choose(turn);
            return;
        };
        match self.find_replica(candidate) {
            Some(replica) if replica.acked == self.offset => self.proceed(turn),
            Some(_) => {}
            // One that was named may come back; one that was only chosen is not waited for.
            None if self.failover.target.is_none() => {
                self.failover.chosen = None;
                self.close_link(turn);
            }
            None => {}
        }
    }

    /// Without `TO` the first replica that has caught up is the target. A replica that has to be
    /// notified must acknowledge that first.
    fn choose(&mut self, turn: &mut Turn<'_>) {
        let first = self
            .replicas
            .iter()
            .find(|replica| replica.acked == self.offset);
        let Some(chosen) = first.and_then(|replica| replica.address) else {
            return;
        };
        self.failover.chosen = Some(chosen);
        match turn.behaviour.failover_target {
            FailoverTarget::Redirects => self.proceed(turn),
            FailoverTarget::Holds => self.tell_target(chosen, turn),
        }
    }

    /// The target has everything, or is forced: the node demotes itself, at once or when the
    /// hand-over connection is ready ([`Demotion`]). In between it is a primary that waits, and
    /// all that ends its waiting still can: TIMEOUT, ABORT, a target that falls behind or is lost.
    fn proceed(&mut self, turn: &mut Turn<'_>) {
        match turn.behaviour.demotion {
            Demotion::BeforeDialling => self.fail_over(turn),
            Demotion::WhenConnected => match self.link.repl_state {
                ReplState::None => self.connect_with_primary(turn),
                ReplState::Ready => self.fail_over(turn),
                // A broken attempt is repeated by `replicationCron`.
                ReplState::Connect
                | ReplState::Connecting
                | ReplState::ReceivePing
                | ReplState::ReceiveAuth
                | ReplState::ReceiveAddress
                | ReplState::ReceiveCapa(_)
                | ReplState::ReceivePsync
                | ReplState::Transfer(..)
                | ReplState::Connected => {}
            },
        }
    }

    /// Entry to `failover-in-progress`: the state is set, then the node demotes itself and dials
    /// the target at once (`replicationSetPrimary`), or asks over the connection that it has.
    fn fail_over(&mut self, turn: &mut Turn<'_>) {
        let target = self
            .failover
            .candidate()
            .expect("a failover that proceeds has a target");
        self.failover.target = Some(target);
        self.failover.state = FailoverState::InProgress;
        self.trace_failover(FailoverEnd::Underway, turn);
        if turn.behaviour.defect == Some(Defect::PauseLiftedEarly) {
            let release = self.pause.unpause(turn.now, Purpose::DuringFailover);
            self.release(release, turn);
        }
        match turn.behaviour.demotion {
            Demotion::BeforeDialling => {
                self.replication_set_primary(target, RoleChange::FailoverInProgress, turn);
            }
            Demotion::WhenConnected => {
                self.become_replica(target, RoleChange::FailoverInProgress, turn);
                self.send_psync(turn);
            }
        }
    }

    /// `abortFailover` (8.0.1, replication.c:4783): from `failover-in-progress` the node is a
    /// primary again, with a new replication id.
    pub(super) fn abort_failover(&mut self, how: FailoverEnd, turn: &mut Turn<'_>) {
        match self.failover.state {
            FailoverState::NoFailover => {}
            FailoverState::WaitForSync => {
                self.call_off();
                self.close_link(turn);
            }
            FailoverState::InProgress if turn.behaviour.defect == Some(Defect::DemotedForGood) => {}
            FailoverState::InProgress => self.replication_unset_primary(turn),
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
        if turn.behaviour.defect != Some(Defect::PostponedForgotten) {
            self.release(release, turn);
        }
    }
}
