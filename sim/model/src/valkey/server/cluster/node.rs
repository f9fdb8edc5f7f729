//! A node as another node knows it (`clusterNode`, 8.0.1, cluster_legacy.h).

use super::super::super::address::NodeId;
use super::super::super::message::BusMessage;
use super::packet::SlotsId;
use rebound_engine::{Duration, Time};

/// Whether a node is taken for reachable (`CLUSTER_NODE_PFAIL` and `CLUSTER_NODE_FAIL`, of which
/// at most one is set).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// It is.
    #[default]
    Reachable,
    /// `PFAIL`: this node has not heard of it for too long.
    PossiblyFailing,
    /// `FAIL`: a majority has not.
    Failing,
}

/// How far the connection that a node opens to another is (`link`).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum LinkState {
    /// There is none.
    #[default]
    None,
    /// It is being made; what is sent waits.
    Connecting,
    /// It is there.
    Connected,
}

/// The connection that a node opens to another.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// When it was opened (`ctime`).
    pub(super) opened_at: Time,
    /// What waits for it to be made.
    pub(super) queue: Vec<BusMessage>,
}

/// A node as another node knows it, or as it knows itself.
#[derive(Clone, Debug)]
pub(super) struct ClusterNode {
    /// Its primary (`replicaof`); none for a primary.
    pub(super) replicaof: Option<NodeId>,
    /// Which shard it belongs to (`shard_id`), by the primary with which that was formed.
    pub(super) shard: NodeId,
    pub(super) health: Health,
    /// `fail_time`
    pub(super) failed_at: Time,
    /// `CLUSTER_NODE_NOFAILOVER`
    pub(super) nofailover: bool,
    /// `configEpoch`
    pub(super) config_epoch: u64,
    /// `numslots`; which they are is in the table of owners.
    pub(super) slots: u32,
    /// These slots as packets carry them; none once they have changed.
    pub(super) slots_id: Option<SlotsId>,
    /// When the PING was sent that is not answered yet.
    pub(super) ping_sent: Option<Time>,
    pub(super) pong_received: Time,
    pub(super) data_received: Time,
    /// `repl_offset`
    pub(super) offset: u64,
    /// When this node last voted for one of its replicas (`voted_time`).
    pub(super) voted_at: Option<Time>,
    /// Who reports it as failing, and when last (`fail_reports`).
    reports: Vec<(NodeId, Time)>,
    pub(super) link: Link,
}

impl ClusterNode {
    pub(super) fn new(shard: NodeId) -> ClusterNode {
        ClusterNode {
            replicaof: None,
            shard,
            health: Health::Reachable,
            failed_at: Time::ZERO,
            nofailover: false,
            config_epoch: 0,
            slots: 0,
            slots_id: None,
            ping_sent: None,
            pong_received: Time::ZERO,
            data_received: Time::ZERO,
            offset: 0,
            voted_at: None,
            reports: Vec::new(),
            link: Link::default(),
        }
    }

    pub(super) fn is_primary(&self) -> bool {
        self.replicaof.is_none()
    }

    pub(super) fn is_failed(&self) -> bool {
        self.health == Health::Failing
    }

    /// `clusterNodeIsVotingPrimary`: a primary with slots.
    pub(super) fn votes(&self) -> bool {
        self.is_primary() && self.slots > 0
    }

    /// `clusterNodeAddFailureReport`: a primary reports it as failing.
    pub(super) fn add_report(&mut self, from: NodeId, now: Time) {
        match self.reports.iter_mut().find(|report| report.0 == from) {
            Some(report) => report.1 = now,
            None => self.reports.push((from, now)),
        }
    }

    /// `clusterNodeDelFailureReport`
    pub(super) fn remove_report(&mut self, from: NodeId) {
        self.reports.retain(|report| report.0 != from);
    }

    /// `clusterNodeFailureReportsCount`: reports count for twice the node time-out
    /// (`CLUSTER_FAIL_REPORT_VALIDITY_MULT`).
    pub(super) fn count_reports(&mut self, node_timeout: Duration, now: Time) -> u32 {
        let valid = node_timeout.times(2);
        self.reports.retain(|report| now.since(report.1) <= valid);
        self.reports.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_counted_once_for_each_reporter_and_grow_old() {
        let mut node = ClusterNode::new(NodeId(0));
        let timeout = Duration::secs(15);
        node.add_report(NodeId(1), Time(0));
        node.add_report(NodeId(2), Time(0) + Duration::secs(10));
        node.add_report(NodeId(2), Time(0) + Duration::secs(20));
        assert_eq!(node.count_reports(timeout, Time(0) + Duration::secs(30)), 2);
        assert_eq!(node.count_reports(timeout, Time(0) + Duration::secs(31)), 1);
        node.remove_report(NodeId(2));
        assert_eq!(node.count_reports(timeout, Time(0) + Duration::secs(31)), 0);
    }
}
