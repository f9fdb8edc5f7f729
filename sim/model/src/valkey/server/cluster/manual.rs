//! Manual failovers: `CLUSTER FAILOVER` at a replica, and what its primary does
//! (`clusterHandleManualFailover`, `manualFailoverCheckTimeout`, `resetManualFailover`, 8.0.1,
//! cluster_legacy.c:4776–4855).

use super::super::super::address::NodeId;
use super::super::super::command::ClusterFailover;
use super::super::super::error::ErrorKind;
use super::super::super::message::{BusKind, Reply};
use super::super::super::note::{ClusterEvent, ManualEnd};
use super::super::Turn;
use super::packet::Packet;
use super::{Cluster, Want, Way};
use rebound_engine::{Duration, Time};

/// A manual failover (`mf_…`).
#[derive(Clone, Debug, Default)]
pub(super) struct ManualFailover {
    /// When it is given up (`mf_end`); `None` if there is none.
    pub(super) end: Option<Time>,
    /// On the replica: its election may begin (`mf_can_start`).
    pub(super) can_start: bool,
    /// On the primary: who takes over (`mf_replica`).
    pub(super) replica: Option<NodeId>,
    /// On the replica: the offset at which the primary has paused (`mf_primary_offset`).
    primary_offset: Option<u64>,
}

/// `CLUSTER_MF_TIMEOUT`
const TIMEOUT: Duration = Duration::millis(5_000);
/// `CLUSTER_MF_PAUSE_MULT`: how many times as long the primary pauses, in case it never hears.
const PAUSE_MULT: u64 = 2;

impl Cluster {
    /// `CLUSTER FAILOVER` (8.0.1, cluster_legacy.c:6690).
    pub(super) fn failover_command(
        &mut self,
        how: ClusterFailover,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, ErrorKind> {
        let Some(primary) = self.myself().replicaof else {
            return Err(ErrorKind::ClusterFailoverOnPrimary);
        };
        if how == ClusterFailover::Agreed
            && (self.node(primary).is_failed() || !self.has_link(primary))
        {
            return Err(ErrorKind::ClusterFailoverPrimaryDown);
        }
        self.reset_manual_failover(turn);
        self.manual.end = Some(turn.now + TIMEOUT);
        self.note(
            ClusterEvent::ManualFailoverStarted { replica: self.me },
            turn,
        );
        match how {
            ClusterFailover::Agreed => self.send_bare(primary, BusKind::MfStart, turn),
            // The election begins with the next `clusterCron` (at once since PR 1067, 8.1).
            ClusterFailover::Force => self.manual.can_start = true,
            ClusterFailover::Takeover => {
                self.bump_config_epoch(turn);
                self.replace_your_primary(turn);
            }
        }
        Ok(Reply::Ok)
    }

    /// An MFSTART: the primary pauses writes and tells the replica at which offset.
    pub(super) fn manual_failover_requested(
        &mut self,
        sender: NodeId,
        way: Way,
        turn: &mut Turn<'_>,
    ) {
        if self.node(sender).replicaof != Some(self.me) {
            return;
        }
        self.reset_manual_failover(turn);
        self.manual.end = Some(turn.now + TIMEOUT);
        self.manual.replica = Some(sender);
        self.wants.push(Want::PauseWrites {
            until: turn.now + TIMEOUT.times(PAUSE_MULT),
        });
        self.note(
            ClusterEvent::ManualFailoverStarted { replica: sender },
            turn,
        );
        self.send_ping(sender, way, BusKind::Ping, turn);
    }

    /// On the replica: the first offset that its primary tells while it pauses.
    pub(super) fn paused_offset_arrives(&mut self, sender: NodeId, packet: &Packet) {
        if self.manual.end.is_some()
            && self.myself().replicaof == Some(sender)
            && packet.paused
            && self.manual.primary_offset.is_none()
        {
            self.manual.primary_offset = Some(packet.offset);
            self.todo.handle_manual_failover = true;
        }
    }

    /// `clusterHandleManualFailover`, on the replica: the election may begin once all that the
    /// primary had written is here.
    pub(super) fn handle_manual_failover(&mut self) {
        let (Some(_), false, Some(offset)) = (
            self.manual.end,
            self.manual.can_start,
            self.manual.primary_offset,
        ) else {
            return;
        };
        if offset == self.outside.replica_offset {
            self.manual.can_start = true;
            self.todo.handle_failover = true;
        } else {
            self.todo.handle_manual_failover = true;
        }
    }

    /// `manualFailoverCheckTimeout`
    pub(super) fn manual_failover_check_timeout(&mut self, turn: &mut Turn<'_>) {
        if self.manual.end.is_some_and(|end| end < turn.now) {
            self.end_manual_failover(ManualEnd::TimedOut, turn);
        }
    }

    /// `resetManualFailover`: the primary's pause ends with it.
    pub(super) fn reset_manual_failover(&mut self, turn: &mut Turn<'_>) {
        self.end_manual_failover(ManualEnd::Over, turn);
    }

    fn end_manual_failover(&mut self, how: ManualEnd, turn: &mut Turn<'_>) {
        if self.manual.end.is_none() {
            return;
        }
        if self.manual.replica.is_some() {
            self.wants.push(Want::Unpause);
        }
        self.manual = ManualFailover::default();
        self.note(ClusterEvent::ManualFailoverEnded { how }, turn);
    }
}
