//! How nodes agree that one of them is failed (`clusterProcessGossipSection`,
//! `markNodeAsFailingIfNeeded`, `clearNodeFailureIfNeeded`, 8.0.1, cluster_legacy.c).

use super::super::super::address::NodeId;
use super::super::super::note::ClusterEvent;
use super::super::Turn;
use super::Cluster;
use super::node::Health;
use super::packet::{Body, Gossip, Packet};
use rebound_engine::{Duration, Time};

impl Cluster {
    /// `clusterProcessGossipSection`: only primaries with slots can report a failure.
    pub(super) fn process_gossip_section(
        &mut self,
        sender: NodeId,
        packet: &Packet,
        turn: &mut Turn<'_>,
    ) {
        let Body::Gossip(range) = packet.body.clone() else {
            return;
        };
        for index in range {
            let said = turn.packets.gossip(index);
            if said.node != self.me {
                self.process_gossip(sender, said, turn);
            }
        }
    }

    fn process_gossip(&mut self, sender: NodeId, said: Gossip, turn: &mut Turn<'_>) {
        let (now, timeout) = (turn.now, turn.config.cluster_node_timeout);
        let voter = self.node(sender).votes();
        let node = self.node_mut(said.node);
        match said.health {
            Health::Reachable => {
                if voter {
                    node.remove_report(sender);
                }
                // A node of which nothing is known to the contrary was heard of when others heard
                // of it; clocks may differ by half a second.
                let heard = Time::ZERO + Duration::secs(u64::from(said.pong_received));
                if node.ping_sent.is_none()
                    && node.count_reports(timeout, now) == 0
                    && heard <= now + Duration::millis(500)
                    && heard > node.pong_received
                {
                    node.pong_received = heard;
                }
            }
            Health::PossiblyFailing | Health::Failing => {
                if voter {
                    node.add_report(sender, now);
                    self.mark_node_as_failing_if_needed(said.node, turn);
                }
            }
        }
    }

    /// `markNodeAsFailingIfNeeded`: a node that this one cannot reach is failed if a majority of
    /// the primaries cannot either; everybody is told.
    pub(super) fn mark_node_as_failing_if_needed(&mut self, peer: NodeId, turn: &mut Turn<'_>) {
        let (now, timeout) = (turn.now, turn.config.cluster_node_timeout);
        let own = u32::from(self.myself().votes());
        let quorum = self.quorum();
        let node = self.node_mut(peer);
        if node.health != Health::PossiblyFailing {
            return;
        }
        if node.count_reports(timeout, now) + own < quorum {
            return;
        }
        node.health = Health::Failing;
        node.failed_at = now;
        self.note(ClusterEvent::Failed { peer }, turn);
        self.send_fail(peer, turn);
        self.todo.update_state = true;
        self.todo.save_config = true;
    }

    /// A FAIL: somebody has seen the majority.
    pub(super) fn fail_arrives(&mut self, about: NodeId, turn: &mut Turn<'_>) {
        if about == self.me || self.node(about).is_failed() {
            return;
        }
        let node = self.node_mut(about);
        node.health = Health::Failing;
        node.failed_at = turn.now;
        self.note(ClusterEvent::Failed { peer: about }, turn);
        self.todo.update_state = true;
        self.todo.save_config = true;
    }

    /// `clearNodeFailureIfNeeded`: a failed node answers again. A replica, or a primary without
    /// slots, is taken back at once; a primary whose slots nobody has taken after twice the node
    /// time-out (`CLUSTER_FAIL_UNDO_TIME_MULT`).
    pub(super) fn clear_node_failure_if_needed(&mut self, peer: NodeId, turn: &mut Turn<'_>) {
        let patience = turn.config.cluster_node_timeout.times(2);
        let node = self.node_mut(peer);
        if !node.votes() || turn.now.since(node.failed_at) > patience {
            node.health = Health::Reachable;
            self.note(ClusterEvent::Reachable { peer }, turn);
            self.todo.update_state = true;
            self.todo.save_config = true;
        }
    }
}
