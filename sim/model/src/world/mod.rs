//! The world: servers, clients, network, timeline and checks, put together from a plan.
//!
//! It is the only place that knows them all. Servers and clients know neither the queue nor each
//! other: they are handed inputs, and what they want done is done here.

mod bus;
mod clients;
mod dispatch;
mod event;
mod faults;
mod nodes;
mod recorder;
mod runner;
mod sentinel;
mod setup;
mod tally;
mod timeline;

pub use faults::{DrawnFault, drawn_faults};
pub use runner::Runner;
pub use setup::client_specs;

use std::sync::Arc;

use self::clients::ClientPort;
use self::event::{Event, Packed};
use self::faults::Active;
use self::nodes::Node;
use self::recorder::Recorder;
use self::sentinel::SentinelPort;
use self::timeline::Waiting;
use crate::client::{self, ClientId, ClientSpec};
use crate::scenario::Plan;
use crate::sentinel as sentinel_model;
use crate::trace::{Event as TraceEvent, Sending, Sink};
use crate::valkey::{
    self, Behaviour, ElementLog, Message, NodeId, Packets, Snapshots, Topologies, WriteId,
};
use rebound_engine::{self, Agenda, Phase, StreamId, Time};
use rebound_net::{ConnId, HostId, Network, Side};

/// The agenda of a run.
pub(crate) type Pending = Agenda<Packed>;

/// Everything in a run but its agenda; reset and used again for the next seed.
pub(crate) struct State {
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    net: Network<Message>,
    /// How many hosts accept connections; clients come behind them.
    servers: u32,
    nodes: Vec<Node>,
    clients: Vec<ClientPort>,
    specs: Vec<ClientSpec>,
    sentinel: Option<SentinelPort>,
    snapshots: Snapshots,
    elements: ElementLog,
    packets: Packets,
    topologies: Topologies,
    next_write: WriteId,
    waiting: Vec<Waiting>,
    active: Vec<Active>,
    /// What this seed has drawn for each of the plan's faults.
    drawn: Vec<DrawnFault>,
    fault_streams: Vec<StreamId>,
    healed: bool,
    recorder: Recorder,
    node_effects: Vec<valkey::Effect>,
    client_effects: Vec<client::Effect>,
    sentinel_effects: Vec<sentinel_model::Effect>,
    /// Slots for which the present client has dialled an address that does not resolve.
    unresolved: Vec<client::ConnSlot>,
}

/// A run in progress: the state, and where its records go.
pub(crate) struct Session<'a, S: Sink> {
    state: &'a mut State,
    sink: &'a mut S,
}

impl<S: Sink> Session<'_, S> {
    /// Notes that something happened.
    fn emit(&mut self, now: Time, event: &TraceEvent) {
        self.state.recorder.note(self.sink, now, event);
    }

    /// Sends a message from an end of a connection. Everyone who waits for it is notified.
    #[inline(always)]
    fn transmit(
        &mut self,
        at: Time,
        (conn, side): (ConnId, Side),
        message: Message,
        agenda: &mut Pending,
    ) {
        let net = &mut self.state.net;
        if S::SENDINGS && net.can_send(conn, side) {
            let (from, to, _) = net.receiver(conn, side.other());
            self.sink.sent(&Sending {
                at: at.max(agenda.now()),
                conn,
                from,
                to,
                message,
            });
        }
        net.send(agenda, at, conn, side, message);
    }

    /// How many hosts are servers.
    fn servers(&self) -> u32 {
        self.state.servers
    }

    /// What is at a host.
    fn party(&self, host: HostId) -> Party {
        let nodes = self.state.nodes.len() as u32;
        if host.0 < nodes {
            return Party::Node(NodeId(host.0 as u16));
        }
        match host.0.checked_sub(self.servers()) {
            None => Party::Bus(NodeId((host.0 - nodes) as u16)),
            Some(client) if (client as usize) < self.state.clients.len() => {
                Party::Client(ClientId(client))
            }
            Some(_) => Party::Sentinel,
        }
    }
}

/// What is at a host.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Party {
    Node(NodeId),
    /// A node's end of the cluster bus.
    Bus(NodeId),
    Client(ClientId),
    Sentinel,
}

impl<S: Sink> rebound_engine::World for Session<'_, S> {
    type Event = Packed;

    #[inline]
    fn handle(&mut self, event: Packed, agenda: &mut Pending) {
        match event.unpack() {
            Event::Net(event) => self.net_event(event, agenda),
            Event::NodeWake(node) => self.node_wake(node, agenda),
            Event::ClientWake(client) => self.client_wake(client, agenda),
            Event::ClientStart(client) => {
                self.client_input(client, client::Input::Start, agenda);
            }
            Event::SentinelWake => self.sentinel_input(sentinel_model::Input::Wake, agenda),
            Event::Timeline(item) => self.timeline_item(item, agenda),
            Event::Fault(fault) => self.drawn_fault(fault, agenda),
            Event::FaultOver(index) => self.end_fault(index, agenda),
            Event::Boot(node) => self.boot(node, true, agenda),
        }
    }

    fn enter(&mut self, phase: Phase, agenda: &mut Pending) {
        match phase {
            Phase::Healing => self.heal(agenda),
            Phase::Draining => {
                for client in 0..self.state.clients.len() as u32 {
                    self.client_input(ClientId(client), client::Input::Drain, agenda);
                }
            }
        }
    }

    fn settled(&self) -> bool {
        self.state.recorder.open_commands == 0
    }

    fn backlog(&self) -> u64 {
        let waiting: usize = self
            .state
            .nodes
            .iter()
            .map(|node| node.server.waiting())
            .sum();
        self.state.net.in_flight() + self.state.net.open_connections() + waiting as u64
    }
}
