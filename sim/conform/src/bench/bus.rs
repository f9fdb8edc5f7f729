//! The bench's cluster bus: messages at once or after a delay, and partitions.

use std::collections::VecDeque;
use std::sync::Arc;

use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{
    BusInput, BusMessage, ClusterEvent, ClusterSpec, Command, Config, HASH_SLOTS, HashSlot, Input,
    NodeId, Note, Server, Way, WriteId,
};

use super::Bench;

/// A connection that one node has opened to another.
struct BusLink {
    from: NodeId,
    to: NodeId,
    connected: bool,
    /// When each arrives: towards `to`, and back.
    forward: VecDeque<(Time, BusMessage)>,
    backward: VecDeque<(Time, BusMessage)>,
}

#[derive(Default)]
pub(super) struct Bus {
    links: Vec<BusLink>,
    delay: Duration,
    /// Pairs between which nothing passes.
    parted: Vec<(NodeId, NodeId)>,
}

impl Bench {
    /// A cluster whose slots are dealt out evenly to the primaries, in order.
    pub fn cluster(
        version: &str,
        replica_of: &[Option<NodeId>],
        tune: impl Fn(&mut Config),
    ) -> Bench {
        let primaries = replica_of.iter().filter(|of| of.is_none()).count() as u16;
        let mut next = 0;
        let mut deal = |of: &Option<NodeId>| {
            if of.is_some() {
                return Vec::new();
            }
            let at = |n: u16| (u32::from(n) * u32::from(HASH_SLOTS) / u32::from(primaries)) as u16;
            next += 1;
            vec![(HashSlot(at(next - 1)), HashSlot(at(next) - 1))]
        };
        let spec = Arc::new(ClusterSpec {
            slots: replica_of.iter().map(&mut deal).collect(),
            replica_of: replica_of.to_vec(),
            keys_per_tag: 1,
        });
        let mut bench = Bench::unstarted(version, replica_of.len() as u16, tune);
        for (index, of) in replica_of.iter().enumerate() {
            let id = NodeId(index as u16);
            let mut server = Server::in_cluster(id, spec.clone());
            server.reset(of.unwrap_or(id));
            bench.nodes[index].server = server;
        }
        bench.begin();
        bench
    }

    /// How long messages on the bus take from now on.
    pub fn delay_bus(&mut self, delay: Duration) {
        self.bus.delay = delay;
    }

    /// Nothing passes between these any more on the bus: what is sent is lost.
    pub fn part(&mut self, one: NodeId, other: NodeId) {
        self.bus.parted.push((one, other));
    }

    /// Everything passes again.
    pub fn join(&mut self) {
        self.bus.parted.clear();
        for index in 0..self.bus.links.len() {
            self.connect_bus(index);
        }
        self.settle();
    }

    fn are_parted(&self, one: NodeId, other: NodeId) -> bool {
        let parted = &self.bus.parted;
        parted.contains(&(one, other)) || parted.contains(&(other, one))
    }

    pub(super) fn bus_dials(&mut self, from: NodeId, to: NodeId) {
        if !self.nodes[usize::from(to.0)].running {
            self.server_mut(from)
                .deliver(Input::Bus(to, BusInput::Failed));
            return;
        }
        self.bus.links.push(BusLink {
            from,
            to,
            connected: false,
            forward: VecDeque::new(),
            backward: VecDeque::new(),
        });
        self.connect_bus(self.bus.links.len() - 1);
    }

    fn connect_bus(&mut self, index: usize) {
        let link = &self.bus.links[index];
        let (from, to) = (link.from, link.to);
        if !link.connected && !self.are_parted(from, to) {
            self.bus.links[index].connected = true;
            self.server_mut(from)
                .deliver(Input::Bus(to, BusInput::Connected));
        }
    }

    pub(super) fn bus_sends(&mut self, node: NodeId, peer: NodeId, way: Way, message: BusMessage) {
        if self.are_parted(node, peer) {
            return;
        }
        let at = self.now + self.bus.delay;
        let links = &mut self.bus.links;
        match way {
            Way::Out => {
                let link = links.iter_mut().find(|l| l.from == node && l.to == peer);
                link.expect("a link").forward.push_back((at, message));
            }
            Way::In => {
                // The other may have closed it since.
                if let Some(link) = links.iter_mut().find(|l| l.from == peer && l.to == node) {
                    link.backward.push_back((at, message));
                }
            }
        }
    }

    pub(super) fn bus_closes(&mut self, node: NodeId, peer: NodeId, way: Way) {
        assert_eq!(way, Way::Out, "a node closes only what it has opened");
        let links = &mut self.bus.links;
        links.retain(|link| link.from != node || link.to != peer);
        self.server_mut(peer)
            .deliver(Input::Bus(node, BusInput::Closed(Way::In)));
    }

    /// A process dies, and its connections with it.
    pub(super) fn bus_dies(&mut self, node: NodeId) {
        let (gone, kept) = std::mem::take(&mut self.bus.links)
            .into_iter()
            .partition(|link| link.from == node || link.to == node);
        self.bus.links = kept;
        let gone: Vec<BusLink> = gone;
        for link in gone {
            if link.to == node {
                let input = match link.connected {
                    true => BusInput::Closed(Way::Out),
                    false => BusInput::Failed,
                };
                self.server_mut(link.from).deliver(Input::Bus(node, input));
            } else {
                let closed = BusInput::Closed(Way::In);
                self.server_mut(link.to).deliver(Input::Bus(node, closed));
            }
        }
    }

    /// Delivers what is due. Whether there was anything.
    pub(super) fn bus_arrives(&mut self) -> bool {
        let now = self.now;
        let due = |queue: &mut VecDeque<(Time, BusMessage)>| {
            if queue.front()?.0 > now {
                return None;
            }
            queue.pop_front().map(|(_, message)| message)
        };
        let mut arrivals = Vec::new();
        for link in &mut self.bus.links {
            while let Some(message) = due(&mut link.forward) {
                arrivals.push((link.to, link.from, Way::In, message));
            }
            while let Some(message) = due(&mut link.backward) {
                arrivals.push((link.from, link.to, Way::Out, message));
            }
        }
        for (node, peer, way, message) in &arrivals {
            let input = BusInput::Message(*way, *message);
            self.server_mut(*node).deliver(Input::Bus(*peer, input));
        }
        !arrivals.is_empty()
    }

    pub(super) fn next_on_bus(&self) -> Time {
        let heads = self.bus.links.iter().flat_map(|link| {
            let heads = [link.forward.front(), link.backward.front()];
            heads.into_iter().flatten().map(|(at, _)| *at)
        });
        heads.min().unwrap_or(Time::NEVER)
    }

    /// A key whose slot is this node's, by its own account.
    pub fn key_of(&self, node: NodeId) -> u32 {
        let owner = |key: &u32| self.server(node).slot_owner(HashSlot::of_key(*key, 1));
        let found = (0..).find(|key| owner(key) == Some(node));
        found.expect("a node with slots has keys")
    }

    /// A SET of a key with a new value.
    pub fn set_key(&mut self, key: u32) -> Command {
        self.writes += 1;
        Command::Set(key, WriteId(self.writes))
    }

    /// What has happened in the cluster, with the node that saw it.
    pub fn cluster_events(&self) -> impl Iterator<Item = (NodeId, ClusterEvent)> + '_ {
        self.events.iter().filter_map(|(node, note)| {
            let Note::Cluster(what) = *note else {
                return None;
            };
            Some((*node, what))
        })
    }
}
