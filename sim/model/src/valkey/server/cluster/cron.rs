//! `clusterCron`, ten times a second, and `clusterBeforeSleep`, in every turn (8.0.1,
//! cluster_legacy.c:4917 and 5107).

use super::super::super::address::NodeId;
use super::super::super::message::BusKind;
use super::super::super::note::{ClusterEvent, ClusterHealth};
use super::super::Turn;
use super::node::Health;
use super::{Cluster, Todo, Way};

/// Nodes among which the one is looked for that is to be pinged by chance.
const RANDOM_NODES: usize = 5;

/// What the look at a node has come to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Look {
    Fine,
    PossiblyFailing,
}

impl Cluster {
    pub(super) fn cron(&mut self, turn: &mut Turn<'_>) {
        self.iteration += 1;
        self.pfail_nodes = 0;
        for peer in self.others() {
            if self.node(peer).health == Health::PossiblyFailing {
                self.pfail_nodes += 1;
            }
            self.handle_reconnect(peer, turn);
        }
        if self.iteration.is_multiple_of(10) {
            self.ping_some_node(turn);
        }
        let mut update_state = false;
        for peer in self.others() {
            update_state |= self.look_at(peer, turn) == Look::PossiblyFailing;
        }
        self.manual_failover_check_timeout(turn);
        if !self.myself().is_primary() {
            self.handle_manual_failover();
            self.handle_replica_failover(turn);
        }
        if update_state || self.state != ClusterHealth::Ok {
            self.update_state(turn);
        }
    }

    /// Once a second: of a few nodes chosen by chance, the one that was silent for longest.
    fn ping_some_node(&mut self, turn: &mut Turn<'_>) {
        let mut oldest: Option<NodeId> = None;
        for _ in 0..RANDOM_NODES {
            let peer = NodeId(turn.chance.below(self.nodes.len() as u64) as u16);
            if peer == self.me || !self.has_link(peer) || self.node(peer).ping_sent.is_some() {
                continue;
            }
            let silent = self.node(peer).pong_received;
            if oldest.is_none_or(|oldest| self.node(oldest).pong_received > silent) {
                oldest = Some(peer);
            }
        }
        if let Some(peer) = oldest {
            self.send_ping(peer, Way::Out, BusKind::Ping, turn);
        }
    }

    /// Renews a connection on which nothing comes, pings who was silent for half the node
    /// time-out, and notes who was for all of it.
    fn look_at(&mut self, peer: NodeId, turn: &mut Turn<'_>) -> Look {
        let now = turn.now;
        let timeout = turn.config.cluster_node_timeout;
        let half = rebound_engine::Duration(timeout.0 / 2);
        let node = self.node(peer);
        let silence = now.since(node.data_received);
        if let Some(sent) = node.ping_sent
            && self.has_link(peer)
            && now.since(node.link.opened_at) > timeout
            && now.since(sent) > half
            && silence > half
        {
            self.free_link(peer, turn);
        }
        let node = self.node(peer);
        let waited = node.ping_sent.map(|sent| now.since(sent));
        if self.has_link(peer) {
            let overdue = waited.is_none() && now.since(node.pong_received) > half;
            let fails_over = self.manual.end.is_some()
                && self.myself().is_primary()
                && self.manual.replica == Some(peer);
            if overdue || fails_over {
                self.send_ping(peer, Way::Out, BusKind::Ping, turn);
                return Look::Fine;
            }
        }
        let Some(waited) = waited else {
            return Look::Fine;
        };
        if waited.min(silence) <= timeout || self.node(peer).health != Health::Reachable {
            return Look::Fine;
        }
        self.node_mut(peer).health = Health::PossiblyFailing;
        self.note(ClusterEvent::PossiblyFailing { peer }, turn);
        if self.size == 1 && self.myself().votes() {
            self.mark_node_as_failing_if_needed(peer, turn);
        }
        Look::PossiblyFailing
    }

    pub(super) fn before_sleep(&mut self, turn: &mut Turn<'_>) {
        let todo = std::mem::take(&mut self.todo);
        if todo.handle_manual_failover {
            if !self.myself().is_primary() {
                self.handle_manual_failover();
                self.handle_replica_failover(turn);
            }
        } else if todo.handle_failover {
            self.handle_replica_failover(turn);
        }
        if todo.update_state {
            self.update_state(turn);
        }
        if todo.save_config {
            self.save_config();
        }
        self.awake = std::mem::take(&mut self.written) && self.todo != Todo::default();
    }
}
