//! The connections of the bus that a node opens, one to each other node (`clusterLink`).
//!
//! Those that others open to it are the driver's business: the node only answers on them.

use super::super::super::address::NodeId;
use super::super::super::message::{BusKind, BusMessage};
use super::super::{Effect, Turn};
use super::node::LinkState;
use super::{Cluster, Way};

impl Cluster {
    /// `clusterNodeCronHandleReconnect`: opens missing connections.
    pub(super) fn handle_reconnect(&mut self, peer: NodeId, turn: &mut Turn<'_>) {
        let link = &mut self.node_mut(peer).link;
        if link.state == LinkState::None {
            link.state = LinkState::Connecting;
            link.opened_at = turn.now;
            link.queue.clear();
            turn.effects.push(Effect::BusDial(peer));
        }
    }

    /// `clusterLinkConnectHandler`: PING at once, behind what has been waiting. A PING that was
    /// unanswered on an earlier connection counts from when that was sent.
    pub(super) fn link_connected(&mut self, peer: NodeId, turn: &mut Turn<'_>) {
        let link = &mut self.node_mut(peer).link;
        if link.state != LinkState::Connecting {
            return;
        }
        link.state = LinkState::Connected;
        let waiting = !link.queue.is_empty();
        for message in link.queue.drain(..) {
            turn.effects.push(Effect::BusSend(peer, Way::Out, message));
        }
        self.written |= waiting;
        let unanswered = self.node(peer).ping_sent;
        self.send_ping(peer, Way::Out, BusKind::Ping, turn);
        if unanswered.is_some() {
            self.node_mut(peer).ping_sent = unanswered;
        }
    }

    /// A connection that this node has opened is over or could not be made (`freeClusterLink`).
    pub(super) fn link_lost(&mut self, peer: NodeId) {
        let link = &mut self.node_mut(peer).link;
        link.state = LinkState::None;
        link.queue.clear();
    }

    /// `freeClusterLink` of a connection that this node has opened.
    pub(super) fn free_link(&mut self, peer: NodeId, turn: &mut Turn<'_>) {
        turn.effects.push(Effect::BusClose(peer, Way::Out));
        self.link_lost(peer);
    }

    pub(super) fn has_link(&self, peer: NodeId) -> bool {
        self.node(peer).link.state != LinkState::None
    }

    /// `clusterSendMessage`: nothing if there is no connection; on one that is being made it
    /// waits.
    pub(super) fn send_message(
        &mut self,
        peer: NodeId,
        way: Way,
        message: BusMessage,
        turn: &mut Turn<'_>,
    ) {
        match way {
            Way::In => {
                self.written = true;
                turn.effects.push(Effect::BusSend(peer, Way::In, message));
            }
            Way::Out => {
                let link = &mut self.node_mut(peer).link;
                match link.state {
                    LinkState::None => {}
                    LinkState::Connecting => link.queue.push(message),
                    LinkState::Connected => {
                        self.written = true;
                        turn.effects.push(Effect::BusSend(peer, Way::Out, message));
                    }
                }
            }
        }
    }

    /// `clusterBroadcastMessage`
    pub(super) fn broadcast(&mut self, message: BusMessage, turn: &mut Turn<'_>) {
        for peer in self.others() {
            self.send_message(peer, Way::Out, message, turn);
        }
    }
}
