//! `clusterUpdateState` (8.0.1, cluster_legacy.c): whether the node takes the cluster for
//! healthy.

use super::super::super::note::{ClusterEvent, ClusterHealth};
use super::super::Turn;
use super::Cluster;
use super::node::Health;
use rebound_engine::Duration;

/// `CLUSTER_WRITABLE_DELAY`: how long a primary that was started waits, so that others can tell it
/// that it is no longer one.
const WRITABLE_DELAY: Duration = Duration::millis(2_000);
/// `CLUSTER_MIN_REJOIN_DELAY`
const MIN_REJOIN_DELAY: Duration = Duration::millis(500);
/// `CLUSTER_MAX_REJOIN_DELAY`
const MAX_REJOIN_DELAY: Duration = Duration::millis(5_000);

impl Cluster {
    /// Checks whether every slot is served and a majority of the primaries can be reached.
    pub(super) fn update_state(&mut self, turn: &mut Turn<'_>) {
        self.todo.update_state = false;
        let now = turn.now;
        let primary = self.myself().is_primary();
        let writable_from = *self.writable_from.get_or_insert(now + WRITABLE_DELAY);
        if primary && self.state != ClusterHealth::Ok && now < writable_from {
            return;
        }
        let mut state = ClusterHealth::Ok;
        let unserved = self
            .nodes
            .iter()
            .any(|node| node.is_failed() && node.slots > 0);
        if turn.config.cluster_require_full_coverage && (!self.owners.cover_all() || unserved) {
            state = ClusterHealth::NotCovered;
        }
        let voters = self.nodes.iter().filter(|node| node.votes());
        self.size = voters.clone().count() as u32;
        let reachable = voters
            .filter(|node| node.health == Health::Reachable)
            .count() as u32;
        if reachable < self.quorum() {
            state = ClusterHealth::InMinority;
            self.in_minority_at = Some(now);
        }
        if (state == ClusterHealth::Ok) == (self.state == ClusterHealth::Ok) {
            return;
        }
        let delay = turn
            .config
            .cluster_node_timeout
            .clamp(MIN_REJOIN_DELAY, MAX_REJOIN_DELAY);
        let was_in_minority = self.in_minority_at.is_some_and(|at| now.since(at) < delay);
        if state == ClusterHealth::Ok && primary && was_in_minority {
            return;
        }
        self.state = state;
        self.note(ClusterEvent::State { state }, turn);
    }
}
