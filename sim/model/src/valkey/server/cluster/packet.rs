//! What travels on the cluster bus, kept by the driver (`clusterMsg`, 8.0.1, cluster_legacy.h).
//!
//! A message in the network is small and names its packet here. Sets of slots, 2 KB each, are
//! kept once: there are only as many as there have been different claims.

use std::ops::Range;

use super::super::super::address::NodeId;
use super::super::super::message::{BusKind, BusMessage, PacketId};
use super::super::super::slot_set::SlotSet;
use super::node::Health;

/// A set of slots, by its place in [`Packets`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotsId(u32);

/// What a node says of another in the gossip section (`clusterMsgDataGossip`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Gossip {
    pub(super) node: NodeId,
    /// Its flags, as far as gossip is believed.
    pub(super) health: Health,
    /// When it was last heard of, in whole seconds.
    pub(super) pong_received: u32,
}

/// What a packet carries in addition to its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing.
    Nothing,
    /// The gossip of a PING or PONG, by its place in [`Packets`].
    Gossip(Range<u32>),
    /// That this node is failed.
    Fail(NodeId),
    /// That this node claims those slots under that epoch.
    Update(NodeId, u64, SlotsId),
}

/// A packet: the header that every one has (`clusterBuildMessageHdr`), and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) sender: NodeId,
    /// The sender's primary; none if it claims to be one.
    pub(super) replicaof: Option<NodeId>,
    /// `CLUSTER_NODE_NOFAILOVER`
    pub(super) nofailover: bool,
    /// `CLUSTERMSG_FLAG0_PAUSED`
    pub(super) paused: bool,
    /// `CLUSTERMSG_FLAG0_FORCEACK`
    pub(super) force_ack: bool,
    /// Whether the cluster is up, as the sender sees it.
    pub(super) up: bool,
    pub(super) current_epoch: u64,
    /// Of the sender, or of its primary if it is a replica.
    pub(super) config_epoch: u64,
    /// The replication offset.
    pub(super) offset: u64,
    /// Slots of the sender, or of its primary if it is a replica.
    pub(super) slots: SlotsId,
    pub(super) body: Body,
}

/// The packets of a run, by [`PacketId`].
#[derive(Debug, Default)]
pub struct Packets {
    packets: Vec<Packet>,
    gossip: Vec<Gossip>,
    slots: Vec<(SlotSet, u64)>,
}

impl Packets {
    /// Forgets all of them but the memory.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.gossip.clear();
        self.slots.clear();
    }

    /// Keeps a set of slots.
    pub(super) fn keep_slots(&mut self, set: &SlotSet) -> SlotsId {
        let sum = set.sum();
        let known = |kept: &(SlotSet, u64)| kept.1 == sum && kept.0 == *set;
        let index = self.slots.iter().rposition(known).unwrap_or_else(|| {
            self.slots.push((set.clone(), sum));
            self.slots.len() - 1
        });
        SlotsId(index as u32)
    }

    pub(super) fn slots(&self, id: SlotsId) -> &SlotSet {
        &self.slots[id.0 as usize].0
    }

    /// Where the next packet's gossip begins.
    pub(super) fn gossip_begins(&self) -> u32 {
        self.gossip.len() as u32
    }

    pub(super) fn push_gossip(&mut self, gossip: Gossip) {
        self.gossip.push(gossip);
    }

    /// The gossip since `begin`.
    pub(super) fn gossip_since(&self, begin: u32) -> Range<u32> {
        begin..self.gossip_begins()
    }

    pub(super) fn gossip(&self, index: u32) -> Gossip {
        self.gossip[index as usize]
    }

    /// Keeps a packet; what travels is the message that is returned.
    pub(super) fn keep(&mut self, kind: BusKind, packet: Packet) -> BusMessage {
        let sum = self.sum(kind, &packet);
        self.packets.push(packet);
        BusMessage {
            kind,
            packet: PacketId((self.packets.len() - 1) as u32),
            sum,
        }
    }

    pub(super) fn get(&self, id: PacketId) -> &Packet {
        &self.packets[id.0 as usize]
    }

    /// A checksum of everything that a packet says.
    fn sum(&self, kind: BusKind, packet: &Packet) -> u32 {
        let node = |node: NodeId| u64::from(node.0) + 1;
        let flags = u64::from(packet.nofailover)
            | u64::from(packet.paused) << 1
            | u64::from(packet.force_ack) << 2
            | u64::from(packet.up) << 3;
        let mut sum = Sum(kind as u64);
        sum.add(node(packet.sender) | packet.replicaof.map_or(0, node) << 20 | flags << 40);
        sum.add(packet.current_epoch);
        sum.add(packet.config_epoch);
        sum.add(packet.offset);
        sum.add(self.slots[packet.slots.0 as usize].1);
        match &packet.body {
            Body::Nothing => {}
            Body::Gossip(range) => {
                for index in range.clone() {
                    let said = self.gossip(index);
                    sum.add(
                        node(said.node)
                            | (said.health as u64) << 20
                            | u64::from(said.pong_received) << 32,
                    );
                }
            }
            Body::Fail(about) => sum.add(node(*about)),
            Body::Update(about, epoch, slots) => {
                sum.add(node(*about));
                sum.add(*epoch);
                sum.add(self.slots[slots.0 as usize].1);
            }
        }
        (sum.0 ^ sum.0 >> 32) as u32
    }
}

/// A running checksum.
struct Sum(u64);

impl Sum {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::hash_slot::HashSlot;
    use super::*;

    fn packet(slots: SlotsId) -> Packet {
        Packet {
            sender: NodeId(1),
            replicaof: None,
            nofailover: false,
            paused: false,
            force_ack: false,
            up: true,
            current_epoch: 4,
            config_epoch: 1,
            offset: 1_000,
            slots,
            body: Body::Nothing,
        }
    }

    /// Two packets that differ in anything must not look alike in a trace's hash.
    #[test]
    fn the_checksum_tells_packets_apart() {
        let mut packets = Packets::default();
        let none = packets.keep_slots(&SlotSet::default());
        let mut one = SlotSet::default();
        one.insert(HashSlot(7));
        let some = packets.keep_slots(&one);
        assert_ne!(none, some);
        assert_eq!(packets.keep_slots(&one), some, "a set is kept once");
        let plain = packet(none);
        let mut others = vec![packet(some)];
        for change in [
            |packet: &mut Packet| packet.sender = NodeId(2),
            |packet: &mut Packet| packet.replicaof = Some(NodeId(0)),
            |packet: &mut Packet| packet.paused = true,
            |packet: &mut Packet| packet.force_ack = true,
            |packet: &mut Packet| packet.up = false,
            |packet: &mut Packet| packet.current_epoch = 5,
            |packet: &mut Packet| packet.config_epoch = 5,
            |packet: &mut Packet| packet.offset = 5,
            |packet: &mut Packet| packet.body = Body::Fail(NodeId(3)),
        ] {
            let mut other = plain.clone();
            change(&mut other);
            others.push(other);
        }
        let sum = packets.keep(BusKind::Ping, plain.clone()).sum;
        assert_eq!(packets.keep(BusKind::Ping, plain.clone()).sum, sum);
        assert_ne!(packets.keep(BusKind::Pong, plain).sum, sum);
        for other in others {
            assert_ne!(
                packets.keep(BusKind::Ping, other.clone()).sum,
                sum,
                "{other:?}"
            );
        }
    }
}
