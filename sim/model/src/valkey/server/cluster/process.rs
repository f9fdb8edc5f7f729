//! `clusterProcessPacket` (8.0.1, cluster_legacy.c:3069): what a node makes of a packet.

use super::super::super::address::NodeId;
use super::super::super::message::{BusKind, BusMessage};
use super::super::super::note::ClusterEvent;
use super::super::Turn;
use super::node::{Health, LinkState};
use super::packet::{Body, Packet};
use super::{Cluster, Way};

impl Cluster {
    /// Something came from another node, on the connection that this node has opened or on the
    /// other's.
    pub(super) fn process_packet(
        &mut self,
        sender: NodeId,
        way: Way,
        message: BusMessage,
        turn: &mut Turn<'_>,
    ) {
        if way == Way::Out && self.node(sender).link.state != LinkState::Connected {
            return;
        }
        let packet = turn.packets.get(message.packet).clone();
        debug_assert_eq!(packet.sender, sender);
        self.read_header(sender, &packet, turn);
        match (message.kind, &packet.body) {
            (BusKind::Ping, _) => {
                self.send_ping(sender, way, BusKind::Pong, turn);
                self.read_heartbeat(sender, &packet, turn);
            }
            (BusKind::Pong, _) => {
                if way == Way::Out {
                    self.pong_arrives(sender, turn);
                }
                self.read_heartbeat(sender, &packet, turn);
            }
            (BusKind::Fail, Body::Fail(about)) => self.fail_arrives(*about, turn),
            (BusKind::FailoverAuthRequest, _) => {
                self.send_failover_auth_if_needed(sender, &packet, turn);
            }
            (BusKind::FailoverAuthAck, _) => self.failover_auth_arrives(sender, &packet),
            (BusKind::MfStart, _) => self.manual_failover_requested(sender, way, turn),
            (BusKind::Update, Body::Update(about, epoch, slots)) => {
                self.update_arrives(*about, *epoch, *slots, turn);
            }
            (
                BusKind::Fail | BusKind::Update,
                Body::Nothing | Body::Gossip(_) | Body::Fail(_) | Body::Update(..),
            ) => unreachable!("a packet is of the kind with which it was kept"),
        }
    }

    /// What every header tells.
    fn read_header(&mut self, sender: NodeId, packet: &Packet, turn: &mut Turn<'_>) {
        self.current_epoch = self.current_epoch.max(packet.current_epoch);
        let node = self.node_mut(sender);
        node.data_received = turn.now;
        node.offset = packet.offset;
        if packet.replicaof.is_none() && packet.config_epoch > node.config_epoch {
            node.config_epoch = packet.config_epoch;
            self.todo.save_config = true;
        }
        self.paused_offset_arrives(sender, packet);
    }

    /// The answer to this node's own PING: a node that was possibly failing is not, and one that
    /// is failed perhaps no longer.
    fn pong_arrives(&mut self, sender: NodeId, turn: &mut Turn<'_>) {
        let node = self.node_mut(sender);
        node.pong_received = turn.now;
        node.ping_sent = None;
        match node.health {
            Health::Reachable => {}
            Health::PossiblyFailing => {
                node.health = Health::Reachable;
                self.todo.save_config = true;
                self.todo.update_state = true;
                self.note(ClusterEvent::Reachable { peer: sender }, turn);
            }
            Health::Failing => self.clear_node_failure_if_needed(sender, turn),
        }
    }

    /// PING and PONG alike: role, slots, epoch, gossip.
    fn read_heartbeat(&mut self, sender: NodeId, packet: &Packet, turn: &mut Turn<'_>) {
        let was_replica = !self.node(sender).is_primary();
        self.node_mut(sender).nofailover = packet.nofailover;
        match packet.replicaof {
            None => self.set_node_as_primary(sender),
            Some(primary) => self.sender_is_replica(sender, primary, packet, turn),
        }
        let known = self.slots_id(sender, turn.packets);
        if packet.replicaof.is_none() && (was_replica || known != packet.slots) {
            self.update_slots_config_with(sender, packet.config_epoch, packet.slots, turn);
            self.send_update_if_stale(sender, packet, turn);
        }
        self.handle_config_epoch_collision(sender, packet, turn);
        self.process_gossip_section(sender, packet, turn);
    }

    /// The sender says that it is a replica.
    ///
    /// Since 8.0 (3315–3334) whoever hears a primary say so takes its word that the replica it
    /// names, of the same shard, is the primary now, under the epoch that it claims; slots move
    /// only on the new primary's own claim.
    fn sender_is_replica(
        &mut self,
        sender: NodeId,
        primary: NodeId,
        packet: &Packet,
        turn: &mut Turn<'_>,
    ) {
        if self.node(sender).is_primary() {
            if self.node(primary).shard == self.node(sender).shard {
                if self.node(sender).config_epoch <= packet.config_epoch && primary != self.me {
                    self.set_node_as_primary(primary);
                    self.node_mut(primary).config_epoch = packet.config_epoch;
                }
            } else {
                self.del_node_slots(sender);
            }
            self.todo.save_config = true;
            self.todo.update_state = true;
        }
        if self.node(sender).replicaof != Some(primary) {
            self.node_mut(sender).replicaof = Some(primary);
            self.leave_sub_replica(turn);
            self.node_mut(sender).shard = self.node(primary).shard;
            self.todo.save_config = true;
        }
    }

    /// A node must not replicate from a replica.
    fn leave_sub_replica(&mut self, turn: &mut Turn<'_>) {
        let Some(above) = self
            .myself()
            .replicaof
            .and_then(|primary| self.node(primary).replicaof)
        else {
            return;
        };
        if above != self.me {
            let full_sync = !self.in_my_shard(above);
            self.set_primary(above, true, full_sync, turn);
            self.todo.save_config = true;
            self.todo.update_state = true;
        }
    }

    /// `clusterSetNodeAsPrimary`
    pub(super) fn set_node_as_primary(&mut self, node: NodeId) {
        if !self.node(node).is_primary() {
            self.node_mut(node).replicaof = None;
            self.todo.save_config = true;
            self.todo.update_state = true;
        }
    }

    /// If the sender claims slots that another has under a higher epoch, it gets an UPDATE about
    /// that one.
    fn send_update_if_stale(&mut self, sender: NodeId, packet: &Packet, turn: &mut Turn<'_>) {
        let better = turn.packets.slots(packet.slots).iter().find_map(|slot| {
            let owner = self.owners.of(slot)?;
            let stale = owner != sender
                && !self.owners.is_unclaimed(slot)
                && self.node(owner).config_epoch > packet.config_epoch;
            stale.then_some(owner)
        });
        if let Some(owner) = better {
            self.send_update(sender, owner, turn);
        }
    }
}
