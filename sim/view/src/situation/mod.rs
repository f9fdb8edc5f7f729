//! What every node and every client is and does at one instant of a run, as far as its trace
//! tells: what a debugger of runs shows.

mod client;
mod node;
mod shape;
#[cfg(test)]
mod tests;

pub use shape::{ClientState, CommandState, FaultState, NodeState, StateReport};

use client::ClientNow;
use node::NodeNow;
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::scenario::{HostRole, Names, Plan};
use rebound_sim::trace::{Event, FaultKind, Record};
use rebound_sim::valkey::{Behaviour, NodeId, Note as NodeNote};

/// A run at an instant. It is handed every record in order.
#[derive(Clone)]
pub struct Situation<'a> {
    names: Names<'a>,
    behaviour: &'static Behaviour,
    at: Time,
    records: u64,
    nodes: Vec<NodeNow>,
    clients: Vec<ClientNow>,
    paths: Vec<PathFault>,
    changed: Vec<Changed>,
}

/// A fault of the path between two hosts that has not ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct PathFault {
    kind: FaultKind,
    from: HostId,
    to: HostId,
    since: Time,
}

/// Of whom the latest record says something new.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A node.
    Node(NodeId),
    /// A client.
    Client(ClientId),
}

impl<'a> Situation<'a> {
    /// The situation of a run of `plan` under `behaviour` before anything has happened.
    pub fn new(plan: &'a Plan, behaviour: &'static Behaviour) -> Situation<'a> {
        let names = Names::new(plan);
        let nodes = (0..plan.nodes.len() as u16).map(|node| {
            let node = NodeId(node);
            NodeNow::at_start(names.first_primary(node))
        });
        Situation {
            names,
            behaviour,
            at: Time::ZERO,
            records: 0,
            nodes: nodes.collect(),
            clients: (0..plan.clients()).map(|_| ClientNow::default()).collect(),
            paths: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// The time of the latest record.
    pub fn at(&self) -> Time {
        self.at
    }

    /// How many records there have been.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Of whom the latest record says something new; each at most once.
    pub fn changed(&self) -> &[Changed] {
        &self.changed
    }

    /// Takes note of the run's next record.
    pub fn observe(&mut self, record: &Record) {
        self.at = record.at;
        self.records += 1;
        self.changed.clear();
        match record.event {
            Event::Net(NetNote::Dialled { conn, from, to }) => {
                if let Some(client) = self.client_at(from) {
                    client.dials(conn, to);
                    self.change_host(from);
                }
            }
            Event::Net(NetNote::Connected { conn, from, .. }) => {
                if let Some(client) = self.client_at(from) {
                    client.is_connected(conn);
                    self.change_host(from);
                }
            }
            Event::Net(NetNote::ConnectFailed { from, to, .. }) => {
                if let Some(client) = self.client_at(from) {
                    client.cannot_connect(to);
                    self.change_host(from);
                }
            }
            Event::Net(NetNote::Closed { conn, from, to, .. }) => {
                // Whichever end learns of it first: nothing travels any more.
                for (end, other) in [(from, to), (to, from)] {
                    if let Some(client) = self.client_at(end) {
                        client.is_disconnected(conn);
                        self.change_host(end);
                    }
                    if let HostRole::Node(node) = self.names.role(end)
                        && self.nodes[usize::from(node.0)].drops(other)
                    {
                        self.change(Changed::Node(node));
                    }
                }
            }
            Event::Node(
                node,
                NodeNote::Gate {
                    peer,
                    number,
                    verdict,
                    ..
                },
            ) => {
                if self.nodes[usize::from(node.0)].judges(peer, verdict) {
                    self.change(Changed::Node(node));
                }
                if let Some(client) = self.client_at(peer) {
                    if let Some(number) = number {
                        client.is_judged(number, node, verdict);
                    }
                    self.change_host(peer);
                }
            }
            Event::Node(node, NodeNote::Released { .. }) => {
                self.nodes[usize::from(node.0)].releases();
                self.change(Changed::Node(node));
            }
            Event::Node(
                node,
                NodeNote::Role {
                    role,
                    primary,
                    link,
                    replid,
                    offset,
                },
            ) => {
                self.nodes[usize::from(node.0)].says(role, primary, link, (replid, offset));
                self.change(Changed::Node(node));
            }
            Event::Node(node, NodeNote::Failover { state, target, .. }) => {
                self.nodes[usize::from(node.0)].fails_over(state, target);
                self.change(Changed::Node(node));
            }
            Event::Node(node, NodeNote::Cluster(what)) => {
                if self.nodes[usize::from(node.0)].in_cluster(node, what) {
                    self.change(Changed::Node(node));
                }
            }
            Event::Client(client, ClientNote::Issued { command, kind, .. }) => {
                self.client(client).issues(command, kind, record.at);
                self.change(Changed::Client(client));
            }
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    from,
                    to,
                    hops,
                    bounce,
                    ..
                },
            ) => {
                self.client(client)
                    .follows(command, (from, to), hops, bounce);
                self.change(Changed::Client(client));
            }
            Event::Client(client, ClientNote::Ignored { command, from, .. }) => {
                self.client(client).ignores(command, from);
                self.change(Changed::Client(client));
            }
            Event::Client(
                client,
                ClientNote::Ended {
                    command, outcome, ..
                },
            ) => {
                self.client(client).ends(command, outcome);
                self.change(Changed::Client(client));
            }
            Event::Fault { kind, of, from, to } => self.fault(kind, of, (from, to)),
            Event::Net(NetNote::Delivered { .. })
            | Event::Node(_, NodeNote::Operator { .. })
            | Event::Sentinel { .. }
            | Event::Client(_, ClientNote::Element { .. }) => {}
        }
    }

    /// What a node is and does.
    pub fn node(&self, node: NodeId) -> NodeState {
        let host = HostId(u32::from(node.0));
        let mut state = self.nodes[usize::from(node.0)].state(self.names, node);
        let paths = self.paths.iter().filter(|fault| fault.from == host);
        state.faults.extend(paths.map(|fault| FaultState {
            since_ns: fault.since.nanos(),
            words: super::words::fault(fault.kind, Some(&self.names.host(fault.to))),
        }));
        state
    }

    /// What a client does.
    pub fn client_state(&self, client: ClientId) -> ClientState {
        self.clients[client.0 as usize].state(self.names, client)
    }

    /// All nodes, and the clients chosen.
    pub fn report(&self, seed: u64, clients: impl Iterator<Item = ClientId>) -> StateReport {
        StateReport {
            schema: StateReport::SCHEMA.to_owned(),
            scenario: self.names.scenario().to_owned(),
            behaviour: self.behaviour.name.to_owned(),
            seed: seed.to_string(),
            at_ns: self.at.nanos(),
            records: self.records,
            nodes: (0..self.nodes.len() as u16)
                .map(|node| self.node(NodeId(node)))
                .collect(),
            clients: clients.map(|client| self.client_state(client)).collect(),
        }
    }

    fn client(&mut self, client: ClientId) -> &mut ClientNow {
        &mut self.clients[client.0 as usize]
    }

    fn client_at(&mut self, host: HostId) -> Option<&mut ClientNow> {
        match self.names.role(host) {
            HostRole::Client(client) => Some(self.client(client)),
            HostRole::Node(_) | HostRole::Operator | HostRole::Sentinel => None,
        }
    }

    fn change_host(&mut self, host: HostId) {
        match self.names.role(host) {
            HostRole::Client(client) => self.change(Changed::Client(client)),
            HostRole::Node(node) => self.change(Changed::Node(node)),
            HostRole::Operator | HostRole::Sentinel => {}
        }
    }

    fn change(&mut self, changed: Changed) {
        if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }

    fn fault(&mut self, kind: FaultKind, of: FaultKind, (from, to): (HostId, HostId)) {
        if from == to {
            if let HostRole::Node(node) = self.names.role(from) {
                self.nodes[usize::from(node.0)].suffers(kind, of, self.at);
                self.change(Changed::Node(node));
            }
            return;
        }
        match kind {
            FaultKind::Cut | FaultKind::Clog | FaultKind::Spike | FaultKind::Loss => {
                self.paths.push(PathFault {
                    kind,
                    from,
                    to,
                    since: self.at,
                });
            }
            FaultKind::Healed => {
                let ended =
                    |fault: &PathFault| (fault.kind, fault.from, fault.to) == (of, from, to);
                if let Some(place) = self.paths.iter().position(ended) {
                    self.paths.remove(place);
                }
            }
            // Over in an instant, or never of a path.
            FaultKind::Reset
            | FaultKind::Refuse
            | FaultKind::Pause
            | FaultKind::Slow
            | FaultKind::Crash
            | FaultKind::Restart
            | FaultKind::HostDown
            | FaultKind::HostUp => {}
        }
        for host in [from, to] {
            self.change_host(host);
        }
    }
}
