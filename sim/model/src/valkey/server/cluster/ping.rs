//! Packets: the header that all have, and PING and PONG with their gossip
//! (`clusterBuildMessageHdr`, `clusterSendPing`, `clusterBroadcastPong`, 8.0.1,
//! cluster_legacy.c).

use super::super::super::address::NodeId;
use super::super::super::message::BusKind;
use super::super::super::note::ClusterHealth;
use super::super::Turn;
use super::node::Health;
use super::packet::{Body, Gossip, Packet};
use super::{Cluster, Way};
use rebound_engine::Time;

/// Whom `clusterBroadcastPong` means.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// `CLUSTER_BROADCAST_ALL`
    All,
    /// `CLUSTER_BROADCAST_LOCAL_REPLICAS`: the replicas of this node's primary, or its own.
    LocalReplicas,
}

/// A time in whole seconds, as gossip has it.
fn seconds(time: Time) -> u32 {
    (time.0 / 1_000_000_000) as u32
}

impl Cluster {
    /// `clusterBuildMessageHdr`: a replica sends its primary's slots and epoch.
    pub(super) fn packet(&mut self, body: Body, turn: &mut Turn<'_>) -> Packet {
        let primary = self.my_primary();
        let slots = self.slots_id(primary, turn.packets);
        let myself = self.myself();
        Packet {
            sender: self.me,
            replicaof: myself.replicaof,
            nofailover: myself.nofailover,
            paused: myself.is_primary() && self.manual.end.is_some(),
            force_ack: false,
            up: self.state == ClusterHealth::Ok,
            current_epoch: self.current_epoch,
            config_epoch: self.node(primary).config_epoch,
            offset: if myself.is_primary() {
                self.outside.offset
            } else {
                self.outside.replica_offset
            },
            slots,
            body,
        }
    }

    /// `clusterSendPing`: gossip about a tenth of the nodes, at least three, chosen by chance,
    /// and about all that are possibly failing.
    pub(super) fn send_ping(&mut self, peer: NodeId, way: Way, kind: BusKind, turn: &mut Turn<'_>) {
        if way == Way::Out && kind == BusKind::Ping {
            self.node_mut(peer).ping_sent = Some(turn.now);
        }
        let body = Body::Gossip(self.gossip_section(peer, turn));
        let packet = self.packet(body, turn);
        let message = turn.packets.keep(kind, packet);
        self.send_message(peer, way, message, turn);
    }

    fn gossip_section(&self, peer: NodeId, turn: &mut Turn<'_>) -> std::ops::Range<u32> {
        let begin = turn.packets.gossip_begins();
        let count = self.nodes.len() as u64;
        let mut fresh = self.nodes.len().saturating_sub(2);
        let wanted = (self.nodes.len() / 10).max(3).min(fresh) as u32;
        let mut left = wanted * 3;
        let mut chosen = 0;
        while fresh > 0 && chosen < wanted && left > 0 {
            left -= 1;
            let place = NodeId(turn.chance.below(count) as u16);
            let node = self.node(place);
            if place == self.me || place == peer || node.health == Health::PossiblyFailing {
                continue;
            }
            if !self.has_link(place) && node.slots == 0 {
                fresh -= 1;
                continue;
            }
            let range = turn.packets.gossip_since(begin);
            if range
                .into_iter()
                .any(|at| turn.packets.gossip(at).node == place)
            {
                continue;
            }
            self.push_gossip(place, turn);
            fresh -= 1;
            chosen += 1;
        }
        let mut left = self.pfail_nodes;
        for place in self.others() {
            if left > 0 && self.node(place).health == Health::PossiblyFailing {
                self.push_gossip(place, turn);
                left -= 1;
            }
        }
        turn.packets.gossip_since(begin)
    }

    /// `clusterSetGossipEntry`
    fn push_gossip(&self, node: NodeId, turn: &mut Turn<'_>) {
        let about = self.node(node);
        turn.packets.push_gossip(Gossip {
            node,
            health: about.health,
            pong_received: seconds(about.pong_received),
        });
    }

    /// `clusterBroadcastPong`
    pub(super) fn broadcast_pong(&mut self, audience: Audience, turn: &mut Turn<'_>) {
        for peer in self.others() {
            let replicaof = self.node(peer).replicaof;
            let meant = match audience {
                Audience::All => true,
                Audience::LocalReplicas => {
                    replicaof.is_some()
                        && (replicaof == Some(self.me) || replicaof == self.myself().replicaof)
                }
            };
            if meant && self.has_link(peer) {
                self.send_ping(peer, Way::Out, BusKind::Pong, turn);
            }
        }
    }

    /// Sends a packet that says nothing but its header.
    pub(super) fn send_bare(&mut self, peer: NodeId, kind: BusKind, turn: &mut Turn<'_>) {
        if self.has_link(peer) {
            let packet = self.packet(Body::Nothing, turn);
            let message = turn.packets.keep(kind, packet);
            self.send_message(peer, Way::Out, message, turn);
        }
    }

    /// `clusterSendFail`
    pub(super) fn send_fail(&mut self, about: NodeId, turn: &mut Turn<'_>) {
        let packet = self.packet(Body::Fail(about), turn);
        let message = turn.packets.keep(BusKind::Fail, packet);
        self.broadcast(message, turn);
    }

    /// `clusterSendUpdate`: without slots that their owner has stopped claiming.
    pub(super) fn send_update(&mut self, peer: NodeId, about: NodeId, turn: &mut Turn<'_>) {
        if !self.has_link(peer) {
            return;
        }
        let mut claimed = self.owners.slots_of(about);
        claimed.subtract(self.owners.unclaimed());
        let slots = turn.packets.keep_slots(&claimed);
        let epoch = self.node(about).config_epoch;
        let packet = self.packet(Body::Update(about, epoch, slots), turn);
        let message = turn.packets.keep(BusKind::Update, packet);
        self.send_message(peer, Way::Out, message, turn);
    }
}
