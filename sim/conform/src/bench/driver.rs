//! What a driver with a clock of its own needs of the bench: nodes started one by one, time in
//! steps, clients whose replies come when they come.

use rebound_engine::{Duration, Time};
use rebound_net::{Closing, HostId};
use rebound_sim::valkey::{
    AddressBook, Behaviour, Command, Config, Input, NodeId, Reply, Request, Tag,
};

use super::{Bench, Client, Connection};

impl Bench {
    /// A bench with a node for each of the addresses that a node listens at, none of them started,
    /// each with a history of its own.
    pub fn empty(behaviour: &'static Behaviour, config: Config, addresses: AddressBook) -> Bench {
        let mut bench = Bench::of(behaviour, config, addresses);
        for n in 0..bench.nodes.len() {
            bench.nodes[n].server.reset(NodeId(n as u16));
        }
        bench
    }

    /// Starts a node as a primary. `phase` is where in its second `serverCron` begins.
    pub(crate) fn launch(&mut self, node: NodeId, phase: Duration) {
        self.nodes[usize::from(node.0)].running = true;
        self.with_turn(node, |server, turn, primary| {
            server.boot(primary, phase, false, turn);
        });
    }

    /// Whether a node's process is there.
    pub fn is_running(&self, node: NodeId) -> bool {
        self.nodes[usize::from(node.0)].running
    }

    /// Changes a node's configuration.
    pub fn tune(&mut self, node: NodeId, tune: impl FnOnce(&mut Config)) {
        tune(&mut self.nodes[usize::from(node.0)].config);
    }

    /// How many nodes there are, started or not.
    pub fn len(&self) -> u16 {
        self.nodes.len() as u16
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// When something happens next without input.
    pub(crate) fn next_instant(&self) -> Time {
        let up = self
            .nodes
            .iter()
            .filter(|node| node.running && !node.stopped);
        let timers = up.map(|node| node.server.next_wake()).min();
        let timers = timers.unwrap_or(Time::NEVER);
        timers.min(self.next_on_bus()).min(self.next_on_wire())
    }

    /// Makes this the present and lets everything happen that happens now. Everything that happens
    /// without input before then must have happened ([`Bench::next_instant`]).
    pub(crate) fn go_to(&mut self, at: Time) {
        self.now = self.now.max(at);
        self.settle();
    }

    /// Every process takes a turn, as on a request that changes nothing.
    pub(crate) fn nudge(&mut self) {
        for n in 0..self.nodes.len() {
            if self.nodes[n].running && !self.nodes[n].stopped {
                self.with_turn(NodeId(n as u16), |server, turn, _| {
                    server.turn(turn);
                });
            }
        }
        self.settle();
    }

    /// A client connects; none if there is no process or no room. A stopped process accepts, as
    /// its kernel does.
    pub(crate) fn try_connect(&mut self, node: NodeId) -> Option<Client> {
        let place = &mut self.nodes[usize::from(node.0)];
        if !place.running {
            return None;
        }
        let slot = place.server.accept(HostId(100), &place.config)?;
        let client = Client(self.connections.len());
        self.connections.push(Connection {
            node,
            slot,
            replies: std::collections::VecDeque::new(),
            open: true,
        });
        self.by_slot.insert((node.0, slot.0), client);
        Some(client)
    }

    /// Puts a command in the server's way. Nothing happens before the next [`Bench::settle`].
    pub(crate) fn submit(&mut self, client: Client, command: Command) {
        let Connection {
            node, slot, open, ..
        } = self.connections[client.0];
        if open {
            let request = Request {
                tag: Tag::own(0),
                command,
            };
            self.server_mut(node).deliver(Input::Request(slot, request));
        }
    }

    /// A client closes its connection.
    pub fn hang_up(&mut self, client: Client) {
        let Connection {
            node, slot, open, ..
        } = self.connections[client.0];
        if open {
            self.connections[client.0].open = false;
            self.by_slot.remove(&(node.0, slot.0));
            self.server_mut(node)
                .deliver(Input::Closed(slot, Closing::Fin));
        }
    }

    /// The connections on which something has come, or that the server has closed, since this was
    /// asked last.
    pub fn news(&mut self) -> Vec<Client> {
        let mut news = std::mem::take(&mut self.news);
        news.sort_unstable();
        news.dedup();
        news
    }

    /// All replies that have come on a connection.
    pub fn replies(&mut self, client: Client) -> Vec<Reply> {
        self.connections[client.0].replies.drain(..).collect()
    }
}
