//! A run at any of its records: what every node and client is and does, which commands are open and
//! what became of them, and what is on its way between hosts, as far as the trace tells.
//!
//! Whoever reads a run reads it here: the story, the diagram, the picture, a debugger of runs, and
//! what is seen of real servers.

mod client;
mod command;
mod node;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use client::Client;
pub use command::{Command, Hop};
pub use node::{Node, Said};
pub use state::{ClientState, CommandState, FaultState, NodeState, StateReport};

pub(crate) use command::{Arrival, Ask};
pub(crate) use wire::{DialId, Flight, FlightId};

use std::sync::Arc;

use rebound_engine::{Duration, Time};
use rebound_net::{ConnId, HostId, Note as NetNote};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::scenario::{HostRole, Names, Plan};
use rebound_sim::trace::{Event, FaultKind, Record, Sending};
use rebound_sim::valkey::{
    Behaviour, CommandKind, GateVerdict, Message, NodeId, Note as NodeNote, Reply,
};
use wire::Wire;

/// How long a command goes without anything happening to it before that is worth mentioning.
const STALLED: Duration = Duration::millis(100);

/// A run, folded up to a record. It is handed every record in order; messages that are on their
/// way are known if it is handed every sending as well.
#[derive(Clone, Debug)]
pub struct Run {
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    at: Time,
    records: u64,
    nodes: Vec<Node>,
    clients: Vec<Client>,
    paths: Vec<PathFault>,
    wire: Wire,
    changed: Vec<Changed>,
    step: Step,
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

/// An application's command that a server looks at.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Asked {
    pub number: u32,
    pub hops: u32,
    pub ask: Ask,
}

/// What the latest record is to what was before it.
#[derive(Copy, Clone, Debug, Default)]
struct Step {
    /// For a gate: the command that it looks at.
    asked: Option<Asked>,
    /// For a delivery: the message.
    arrived: Option<FlightId>,
    /// For the beginning or the end of an attempt to connect: the attempt.
    dial: Option<DialId>,
    /// For the end of a connection or of a process: how many messages are lost by it.
    lost: usize,
    /// For a reply: the record of the decision that it tells.
    decided_by: Option<u64>,
    /// For a redirect that is followed: its arrival.
    redirect: Option<Arrival>,
    /// For the end of a command: whose it is, and its number.
    ended: Option<(ClientId, u32)>,
}

impl Run {
    /// A run of `plan` under `behaviour` before anything has happened.
    pub fn new(plan: &Arc<Plan>, behaviour: &'static Behaviour) -> Run {
        let names = plan.names();
        let nodes = plan.nodes.iter().zip(0..).map(|(node, id)| {
            let primary = names.first_primary(NodeId(id));
            Node::at_start(primary, node.behaviour.unwrap_or(behaviour))
        });
        Run {
            plan: plan.clone(),
            behaviour,
            at: Time::ZERO,
            records: 0,
            nodes: nodes.collect(),
            clients: (0..plan.clients()).map(|_| Client::default()).collect(),
            paths: Vec::new(),
            wire: Wire::default(),
            changed: Vec::new(),
            step: Step::default(),
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

    /// What its hosts are called.
    pub fn names(&self) -> Names<'_> {
        self.plan.names()
    }

    /// What is run.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// A node.
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[usize::from(node.0)]
    }

    /// All nodes, in order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(&self.nodes)
    }

    /// A client.
    pub fn client(&self, client: ClientId) -> &Client {
        &self.clients[client.0 as usize]
    }

    /// All clients, in order.
    pub fn clients(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        (0..).map(ClientId).zip(&self.clients)
    }

    /// The client of a host, if it is one's.
    pub(crate) fn client_at(&self, host: HostId) -> Option<ClientId> {
        match self.names().role(host) {
            HostRole::Client(client) => Some(client),
            HostRole::Node(_) | HostRole::Operator | HostRole::Sentinel => None,
        }
    }

    /// The client's oldest command to which nothing has happened for a while.
    pub(crate) fn stalled(&self, client: ClientId) -> Option<&Command> {
        let since = self.at.0.checked_sub(STALLED.0)?;
        self.client(client).stalled(Time(since))
    }

    /// The application's command that the latest record is about, if it is a gate's.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.step.asked
    }

    /// The message that the latest record says has arrived, if its sending was seen.
    pub(crate) fn arrived(&self) -> Option<FlightId> {
        self.step.arrived
    }

    /// The attempt to connect that the latest record says has begun or ended.
    pub(crate) fn dial(&self) -> Option<DialId> {
        self.step.dial
    }

    /// The messages that will never arrive because of the latest record.
    pub(crate) fn lost(&self) -> &[Flight] {
        self.wire.lost(self.step.lost)
    }

    /// If the latest record is a reply's arrival: the record of the decision that it tells.
    pub(crate) fn decided_by(&self) -> Option<u64> {
        self.step.decided_by
    }

    /// If with the latest record a client follows a redirect: that redirect's arrival.
    pub(crate) fn redirect(&self) -> Option<Arrival> {
        self.step.redirect
    }

    /// Messages that have not arrived so far, in the order of sending, and whether they are lost;
    /// otherwise they are on their way.
    pub(crate) fn undelivered(&self) -> Vec<(Sending, bool)> {
        self.wire.undelivered()
    }

    /// Takes note that a message is sent. Its number, and whether it can still arrive.
    pub(crate) fn sent(&mut self, sending: &Sending) -> (FlightId, bool) {
        self.wire.send(sending)
    }

    /// Takes note of the run's next record.
    pub fn observe(&mut self, record: &Record) {
        self.at = record.at;
        self.records += 1;
        self.changed.clear();
        let before = std::mem::take(&mut self.step);
        if let Some((client, number)) = before.ended {
            self.clients[client.0 as usize].forget(number);
        }
        match record.event {
            Event::Net(ref note) => self.net(note),
            Event::Node(node, note) => self.at_node(node, note),
            Event::Client(client, note) => self.at_client(client, note),
            Event::Fault { kind, of, from, to } => self.fault(kind, of, (from, to)),
            Event::Sentinel { .. } => {}
        }
    }

    fn net(&mut self, note: &NetNote<Message>) {
        match *note {
            NetNote::Dialled { conn, from, to } => {
                self.step.dial = Some(self.wire.dial(conn, from, to));
                if let Some(client) = self.client_mut_at(from) {
                    client.dials(to);
                    self.change_client_at(from);
                }
            }
            NetNote::Connected { conn, from, .. } => {
                if let Some(connection) = self.wire.connect(conn, from) {
                    self.step.dial = Some(connection.dial);
                    if let Some(client) = self.client_mut_at(from) {
                        client.is_connected(connection.to);
                    }
                }
                self.change_client_at(from);
            }
            NetNote::ConnectFailed { from, to, .. } => {
                if let Some(connection) = self.wire.fail(from, to) {
                    self.step.dial = Some(connection.dial);
                    if let Some(client) = self.client_mut_at(from) {
                        client.is_disconnected(connection);
                    }
                }
                self.change_client_at(from);
            }
            NetNote::Closed { conn, from, to, .. } => self.closed(conn, from, to),
            NetNote::Delivered {
                conn,
                from,
                to,
                message,
                ..
            } => self.delivered(conn, (from, to), message),
        }
    }

    fn closed(&mut self, conn: ConnId, from: HostId, to: HostId) {
        let (connection, lost) = self.wire.close(conn, (from, to));
        self.step.lost = lost;
        // Whichever end learns of it first: nothing travels any more.
        for (end, other) in [(from, to), (to, from)] {
            let other_node = self.plan.node_at(other);
            if let Some(client) = self.client_mut_at(end) {
                if let Some(connection) = connection {
                    client.is_disconnected(connection);
                }
                if let Some(node) = other_node {
                    client.cut_off(node);
                }
                self.change_client_at(end);
            }
            if let HostRole::Node(node) = self.names().role(end)
                && self.nodes[usize::from(node.0)].drops(other)
            {
                self.change(Changed::Node(node));
            }
        }
    }

    fn delivered(&mut self, conn: ConnId, (from, to): (HostId, HostId), message: Message) {
        let flight = self.wire.arrive(conn, from);
        debug_assert!(
            flight.is_none_or(|flight| flight.sending.message == message),
            "messages of one sender arrive in the order of sending"
        );
        self.step.arrived = flight.map(|flight| flight.id);
        let Message::Reply { reply, .. } = message else {
            return;
        };
        let arrival = Arrival {
            record: self.records,
            flight: self.step.arrived,
        };
        let (node, number) = (self.plan.node_at(from), message.number());
        if let (Some(node), Some(number)) = (node, number)
            && let Some(client) = self.client_mut_at(to)
            && let Some(command) = client.command_mut(number)
        {
            let decided_by = command.answered(node);
            if let Reply::Redirect(_) = reply {
                command.redirect = Some(arrival);
            }
            self.step.decided_by = decided_by;
        }
    }

    fn at_node(&mut self, node: NodeId, note: NodeNote) {
        let own = &mut self.nodes[usize::from(node.0)];
        let changed = match note {
            NodeNote::Gate {
                peer,
                number,
                command,
                verdict,
                ..
            } => {
                let changed = own.judges(peer, verdict);
                self.judged(peer, number, node, command, verdict);
                changed
            }
            NodeNote::Released { .. } => {
                own.releases();
                true
            }
            NodeNote::Role {
                role,
                primary,
                link,
                replid,
                offset,
            } => {
                let said = Said {
                    role,
                    primary,
                    link,
                };
                own.says(said, (replid, offset));
                true
            }
            NodeNote::Failover { state, target, .. } => {
                own.fails_over(state, target);
                true
            }
            NodeNote::Cluster(what) => own.in_cluster(node, what),
            NodeNote::Operator { .. } => false,
        };
        if changed {
            self.change(Changed::Node(node));
        }
    }

    fn judged(
        &mut self,
        peer: HostId,
        number: Option<u32>,
        node: NodeId,
        kind: CommandKind,
        verdict: GateVerdict,
    ) {
        let now = (self.at, self.records);
        if let Some(client) = self.client_mut_at(peer)
            && let Some(number) = number
            && let Some(command) = client.command_mut(number)
        {
            let ask = command.judged(now, node, kind, verdict);
            self.step.asked = Some(Asked {
                number,
                hops: command.hops,
                ask,
            });
        }
        self.change_client_at(peer);
    }

    fn at_client(&mut self, client: ClientId, note: ClientNote) {
        let at = self.at;
        let own = &mut self.clients[client.0 as usize];
        match note {
            ClientNote::Issued { command, kind, .. } => own.issues(command, kind, at),
            ClientNote::Hop {
                command,
                from,
                to,
                hops,
                bounce,
                ..
            } => {
                own.follows(bounce);
                let command = own.command_mut(command);
                self.step.redirect =
                    command.and_then(|command| command.followed(at, (from, to), hops, bounce));
            }
            ClientNote::Ignored { command, from, .. } => {
                if let Some(command) = own.command_mut(command) {
                    command.ignored(at, from);
                }
            }
            ClientNote::Ended {
                command, outcome, ..
            } => {
                own.ends(command, outcome);
                self.step.ended = Some((client, command));
            }
            ClientNote::Element { .. } => return,
        }
        self.change(Changed::Client(client));
    }

    fn fault(&mut self, kind: FaultKind, of: FaultKind, (from, to): (HostId, HostId)) {
        if from == to {
            if matches!(kind, FaultKind::Crash | FaultKind::HostDown) {
                self.step.lost = self.wire.lose_all_to(from);
            }
            if let HostRole::Node(node) = self.names().role(from) {
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
                if let Some(index) = self.paths.iter().position(ended) {
                    self.paths.remove(index);
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
            match self.names().role(host) {
                HostRole::Client(client) => self.change(Changed::Client(client)),
                HostRole::Node(node) => self.change(Changed::Node(node)),
                HostRole::Operator | HostRole::Sentinel => {}
            }
        }
    }

    fn client_mut_at(&mut self, host: HostId) -> Option<&mut Client> {
        let client = self.client_at(host)?;
        self.clients.get_mut(client.0 as usize)
    }

    fn change_client_at(&mut self, host: HostId) {
        if let Some(client) = self.client_at(host) {
            self.change(Changed::Client(client));
        }
    }

    fn change(&mut self, changed: Changed) {
        if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }
}
