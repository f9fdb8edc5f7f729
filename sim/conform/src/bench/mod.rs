//! A bench for servers: turns at will, messages at once unless a link is held or delayed, no queue
//! and no network. What it shows is the servers' own rules.

mod bus;
mod driver;
mod names;
mod wire;

use std::collections::{BTreeMap, VecDeque};

use wire::Link;
pub use wire::{Passed, WireEvent};

use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{
    Addr, AddressBook, Behaviour, Chance, Command, Config, ConnSlot, Effect, ElementLog,
    FailoverState, Input, Message, NodeId, Note, Packets, Reply, Request, Server, Snapshots, Tag,
    Topologies, Turn, WriteId,
};

/// The primary, to begin with.
pub const A: NodeId = NodeId(0);
/// Its replica, and the target of failovers.
pub const B: NodeId = NodeId(1);
/// A second replica.
pub const C: NodeId = NodeId(2);

/// A client of a server.
struct Connection {
    node: NodeId,
    slot: ConnSlot,
    replies: VecDeque<Reply>,
    open: bool,
}

/// A client's connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(usize);

struct Node {
    server: Server,
    behaviour: &'static Behaviour,
    config: Config,
    primary: Option<Addr>,
    running: bool,
    stopped: bool,
}

/// The bench.
pub struct Bench {
    /// The present.
    pub now: Time,
    nodes: Vec<Node>,
    links: Vec<Link>,
    connections: Vec<Connection>,
    /// Clients' open connections, by node and slot.
    by_slot: BTreeMap<(u16, u32), Client>,
    /// Clients' connections on which something has come, or that were closed, since the last
    /// [`Bench::news`].
    news: Vec<Client>,
    addresses: AddressBook,
    snapshots: Snapshots,
    elements: ElementLog,
    packets: Packets,
    /// What nodes have answered to `CLUSTER SLOTS`.
    pub topologies: Topologies,
    chance: Dice,
    bus: bus::Bus,
    /// Which directed pairs (opener, accepter) are held, and in which direction.
    held: Vec<(NodeId, NodeId, bool)>,
    /// How long what such a pair carries in that direction takes, where it takes time.
    delays: BTreeMap<(NodeId, NodeId, bool), Duration>,
    refused: Vec<NodeId>,
    /// Which of them acknowledge early (see [`Bench::acknowledge_early`]).
    early: Vec<(NodeId, NodeId)>,
    writes: u32,
    /// What nodes have said on connections to other nodes, but for acknowledgements.
    pub handshake: Vec<(NodeId, String)>,
    /// What has happened on connections between nodes, the stream and snapshots aside.
    pub wire: Vec<Passed>,
    /// What the servers have noted.
    pub events: Vec<(NodeId, Note)>,
}

/// Chance, the same in every test.
struct Dice(u64);

impl Chance for Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// The behaviour of that name; panics if there is none.
pub fn behaviour(name: &str) -> &'static Behaviour {
    Behaviour::named(name).unwrap_or_else(|| panic!("no behaviour {name}"))
}

impl Bench {
    /// A primary A and its replicas, synchronized and acknowledged.
    pub fn new(version: &str, nodes: u16) -> Bench {
        Bench::with(version, nodes, |_| {})
    }

    /// The same, with another configuration.
    pub fn with(version: &str, nodes: u16, tune: impl Fn(&mut Config)) -> Bench {
        let mut bench = Bench::unstarted(version, nodes, tune);
        for n in 0..nodes {
            bench.nodes[usize::from(n)].server.reset(A);
        }
        bench.begin();
        bench
    }

    /// Starts every node and lets replicas connect.
    fn begin(&mut self) {
        for n in 0..self.nodes.len() as u16 {
            self.boot(NodeId(n), false);
        }
        self.settle();
        self.advance(Duration::millis(2_500));
    }

    fn unstarted(version: &str, nodes: u16, tune: impl Fn(&mut Config)) -> Bench {
        let mut config = Config::default();
        tune(&mut config);
        let addresses = AddressBook::new((0..nodes).map(|n| (format!("n{n}"), 6379)));
        let mut bench = Bench::of(behaviour(version), config, addresses);
        for (n, node) in bench.nodes.iter_mut().enumerate() {
            node.running = true;
            node.primary = (n > 0).then_some(AddressBook::of(A));
        }
        bench
    }

    /// A bench with a node for each of the addresses that a node listens at, none of them started.
    fn of(behaviour: &'static Behaviour, config: Config, addresses: AddressBook) -> Bench {
        let nodes = addresses.nodes().map(|(id, _)| Node {
            server: Server::new(id),
            behaviour,
            config: config.clone(),
            primary: None,
            running: false,
            stopped: false,
        });
        Bench {
            now: Time::ZERO,
            nodes: nodes.collect(),
            links: Vec::new(),
            connections: Vec::new(),
            by_slot: BTreeMap::new(),
            news: Vec::new(),
            addresses,
            snapshots: Snapshots::default(),
            elements: ElementLog::default(),
            packets: Packets::default(),
            topologies: Topologies::default(),
            chance: Dice(1),
            bus: bus::Bus::default(),
            held: Vec::new(),
            delays: BTreeMap::new(),
            refused: Vec::new(),
            early: Vec::new(),
            writes: 0,
            handshake: Vec::new(),
            wire: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A server.
    pub fn server(&self, node: NodeId) -> &Server {
        &self.nodes[usize::from(node.0)].server
    }

    /// Its part in a failover.
    pub fn state(&self, node: NodeId) -> FailoverState {
        self.server(node).failover_state()
    }

    /// Whether it is a primary.
    pub fn is_primary(&self, node: NodeId) -> bool {
        self.server(node).primary().is_none()
    }

    fn boot(&mut self, node: NodeId, restarted: bool) {
        self.with_turn(node, |server, turn, primary| {
            server.boot(
                primary,
                Duration::millis(100 + 137 * u64::from(node.0)),
                restarted,
                turn,
            );
        });
    }

    /// The process dies: its connections close.
    pub fn kill(&mut self, node: NodeId) {
        let place = usize::from(node.0);
        let config = self.nodes[place].config.clone();
        self.nodes[place].server.crash(&config);
        self.nodes[place].running = false;
        self.bus_dies(node);
        for link in 0..self.links.len() {
            if self.links[link].from == node || self.links[link].to == node {
                self.cut_link(link);
            }
        }
        self.links
            .retain(|link| link.from != node && link.to != node);
        self.by_slot.retain(|(of, _), _| *of != node.0);
        for (place, connection) in self.connections.iter_mut().enumerate() {
            if connection.node == node && connection.open {
                connection.open = false;
                self.news.push(Client(place));
            }
        }
    }

    /// A dead process is started again.
    pub fn start(&mut self, node: NodeId) {
        self.nodes[usize::from(node.0)].running = true;
        self.boot(node, true);
        self.settle();
    }

    /// What the node's configuration file says from here on.
    pub fn configure(&mut self, node: NodeId, primary: Option<NodeId>) {
        self.nodes[usize::from(node.0)].primary = primary.map(AddressBook::of);
    }

    fn with_turn(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Server, &mut Turn<'_>, Option<Addr>),
    ) {
        let mut effects = Vec::new();
        let place = &mut self.nodes[usize::from(node.0)];
        let mut turn = Turn {
            now: self.now,
            config: &place.config,
            behaviour: place.behaviour,
            addresses: &self.addresses,
            snapshots: &mut self.snapshots,
            elements: &mut self.elements,
            packets: &mut self.packets,
            topologies: &mut self.topologies,
            chance: &mut self.chance,
            effects: &mut effects,
        };
        act(&mut place.server, &mut turn, place.primary);
        for effect in effects {
            self.apply(node, effect);
        }
    }

    fn apply(&mut self, node: NodeId, effect: Effect) {
        match effect {
            Effect::Send(slot, message) => match self.by_slot.get(&(node.0, slot.0)) {
                Some(client) => {
                    if let Message::Reply { reply, .. } = message {
                        self.connections[client.0].replies.push_back(reply);
                        self.news.push(*client);
                    }
                }
                None => self.link_answers(node, slot, message),
            },
            Effect::Close(slot) => match self.by_slot.remove(&(node.0, slot.0)) {
                Some(client) => {
                    self.connections[client.0].open = false;
                    self.news.push(client);
                }
                None => self.link_closed_by_accepter(node, slot),
            },
            Effect::Dial(number, to) => self.dial(node, number, to),
            Effect::LinkSend(number, message) => self.link_sends(node, number, message),
            Effect::LinkClose(number) => self.link_closed_by_opener(node, number),
            Effect::BusDial(peer) => self.bus_dials(node, peer),
            Effect::BusSend(peer, way, message) => self.bus_sends(node, peer, way, message),
            Effect::BusClose(peer, way) => self.bus_closes(node, peer, way),
            Effect::Note(note) => self.events.push((node, note)),
            Effect::Panic => self.kill(node),
        }
    }

    fn server_mut(&mut self, node: NodeId) -> &mut Server {
        &mut self.nodes[usize::from(node.0)].server
    }

    /// Lets everything happen that happens at this instant.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut busy = self.bus_arrives();
            for place in 0..self.links.len() {
                let (from, to) = (self.links[place].from, self.links[place].to);
                for forward in [true, false] {
                    if !self.is_held(from, to, forward) {
                        busy |= self.deliver(place, forward);
                    }
                }
            }
            self.links.retain(|link| !link.is_over());
            for n in 0..self.nodes.len() {
                let node = &self.nodes[n];
                if !node.running || node.stopped {
                    continue;
                }
                if node.server.has_input() || node.server.next_wake() <= self.now {
                    busy = true;
                    self.with_turn(NodeId(n as u16), |server, turn, _| {
                        server.turn(turn);
                    });
                }
            }
            if !busy {
                return;
            }
        }
        panic!("the servers never come to rest");
    }

    /// Lets time pass.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.settle();
            let up = self
                .nodes
                .iter()
                .filter(|node| node.running && !node.stopped);
            let next = up
                .map(|node| node.server.next_wake())
                .min()
                .unwrap_or(Time::NEVER)
                .min(self.next_on_bus())
                .min(self.next_on_wire());
            if next > end {
                break;
            }
            self.now = next;
        }
        self.now = end;
        self.settle();
    }

    /// Nobody can connect to a node any more (or again).
    pub fn refuse(&mut self, node: NodeId, yes: bool) {
        self.refused.retain(|refused| *refused != node);
        if yes {
            self.refused.push(node);
        }
    }

    /// Stops (SIGSTOP) or continues a process.
    pub fn stop(&mut self, node: NodeId, yes: bool) {
        self.nodes[usize::from(node.0)].stopped = yes;
        self.settle();
    }

    /// A client connects.
    pub fn connect(&mut self, node: NodeId) -> Client {
        self.try_connect(node).expect("room for a client")
    }

    /// A client that said `CLIENT CAPA redirect`.
    pub fn capa(&mut self, node: NodeId) -> Client {
        let client = self.connect(node);
        assert_eq!(self.ask(client, Command::ClientCapa), Some(Reply::Ok));
        client
    }

    /// Sends a command and lets everything happen.
    pub fn send(&mut self, client: Client, command: Command) {
        let (node, slot) = (
            self.connections[client.0].node,
            self.connections[client.0].slot,
        );
        let request = Request {
            tag: Tag::own(0),
            command,
        };
        self.server_mut(node).deliver(Input::Request(slot, request));
        self.settle();
    }

    /// The next reply that has come, if any.
    pub fn reply(&mut self, client: Client) -> Option<Reply> {
        self.connections[client.0].replies.pop_front()
    }

    /// Sends a command; the next reply, if one has come.
    pub fn ask(&mut self, client: Client, command: Command) -> Option<Reply> {
        self.send(client, command);
        self.reply(client)
    }

    /// Whether the server has left the connection open.
    pub fn is_open(&self, client: Client) -> bool {
        self.connections[client.0].open
    }

    /// A SET of key 1 with a new value.
    pub fn set(&mut self) -> Command {
        self.writes += 1;
        Command::Set(1, WriteId(self.writes))
    }

    /// `FAILOVER TO node …` at A, by an operator.
    pub fn failover(&mut self, force: bool, timeout_ms: Option<u32>) -> Option<Reply> {
        let admin = self.connect(A);
        let to = Some(AddressBook::of(B));
        self.ask(
            admin,
            Command::Failover {
                to,
                force,
                timeout_ms,
            },
        )
    }

    /// A is in `failover-in-progress`, its hand-over connection held.
    pub fn in_progress(version: &str) -> Bench {
        Bench::in_progress_with(version, 2, |_| {})
    }

    /// The same, with a given number of nodes and another configuration.
    pub fn in_progress_with(version: &str, nodes: u16, tune: impl Fn(&mut Config)) -> Bench {
        let mut bench = Bench::with(version, nodes, tune);
        bench.hold(A, B, true);
        assert_eq!(bench.failover(false, None), Some(Reply::Ok));
        assert_eq!(bench.state(A), FailoverState::InProgress);
        bench
    }

    /// Lets the held hand-over go on to its end.
    pub fn complete(&mut self) {
        self.release(A, B, true);
        assert_eq!(self.state(A), FailoverState::NoFailover);
        assert!(self.is_primary(B) && !self.is_primary(A));
    }

    /// A is in `waiting-for-sync`: B has not acknowledged a write.
    pub fn waiting(version: &str, timeout_ms: Option<u32>) -> Bench {
        let mut bench = Bench::new(version, 2);
        bench.hold(B, A, false);
        let client = bench.connect(A);
        let set = bench.set();
        assert_eq!(bench.ask(client, set), Some(Reply::Ok));
        assert_eq!(bench.failover(false, timeout_ms), Some(Reply::Ok));
        assert_eq!(bench.state(A), FailoverState::WaitForSync);
        bench
    }
}
