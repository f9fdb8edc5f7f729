//! The world: servers, clients, network, timeline and checks, put together from a plan.
//!
//! It is the only place that knows them all. Servers and clients know neither the queue nor each
//! other: they are handed inputs, and what they want done is done here.

mod clients;
mod faults;
mod nodes;
mod runner;
mod setup;
mod tally;
mod timeline;

pub use runner::Runner;

use std::sync::Arc;

use self::clients::ClientPort;
use self::faults::Active;
use self::nodes::Node;
use self::tally::Tally;
use self::timeline::Waiting;
use crate::check::Checks;
use crate::client::{self, ClientId, ClientSpec};
use crate::engine::{self, Agenda, Phase, Span, StreamId, Time};
use crate::net::{HostId, NetEvent, Network};
use crate::scenario::Plan;
use crate::trace::{Event as TraceEvent, Record, Sink, TraceHash};
use crate::valkey::{self, Behaviour, Message, NodeId, Snapshots, WriteId};

/// What is pending in a run. Aligned so that it is moved as two whole words: moved in pieces, it
/// costs a stall of the processor each time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(align(8))]
pub(crate) enum Event {
    /// The network's.
    Net(NetEvent),
    /// A server's timer, or the end of its turn with more to do.
    NodeWake(NodeId),
    /// A client's timer.
    ClientWake(ClientId),
    /// A client begins.
    ClientStart(ClientId),
    /// An item of the timeline.
    Timeline(u16),
    /// A fault that this seed has drawn begins.
    Fault(u16),
    /// A fault that lasts has lasted.
    FaultOver(u16),
    /// A dead process is started.
    Boot(NodeId),
}

impl From<NetEvent> for Event {
    fn from(event: NetEvent) -> Event {
        Event::Net(event)
    }
}

/// The agenda of a run.
pub(crate) type Pending = Agenda<Event>;

/// Everything in a run but its agenda; reset and used again for the next seed.
pub(crate) struct State {
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    net: Network<Message>,
    nodes: Vec<Node>,
    clients: Vec<ClientPort>,
    specs: Vec<ClientSpec>,
    snapshots: Snapshots,
    next_write: WriteId,
    waiting: Vec<Waiting>,
    active: Vec<Active>,
    /// Length that this seed has drawn for each of the plan's faults.
    drawn: Vec<Span>,
    fault_streams: Vec<StreamId>,
    healed: bool,
    open_commands: u64,
    hash: TraceHash,
    tally: Tally,
    checks: Checks,
    node_effects: Vec<valkey::Effect>,
    client_effects: Vec<client::Effect>,
}

/// A run under way: the state, and where its records go.
pub(crate) struct Session<'a, S: Sink> {
    state: &'a mut State,
    sink: &'a mut S,
}

impl<S: Sink> Session<'_, S> {
    /// Notes that something happened: the hash, the trace, the counts and the checks all see the
    /// same record.
    #[inline(always)]
    fn emit(&mut self, now: Time, event: TraceEvent) {
        let record = Record { at: now, event };
        let state = &mut *self.state;
        state.hash.absorb(&record);
        self.sink.record(&record);
        match event {
            // By far the most, and nothing that is counted or checked.
            TraceEvent::Delivered { .. } | TraceEvent::Gate { .. } => return,
            TraceEvent::Issued { .. } => state.open_commands += 1,
            TraceEvent::Ended { .. } => state.open_commands -= 1,
            TraceEvent::Dialled { .. }
            | TraceEvent::Connected { .. }
            | TraceEvent::ConnectFailed { .. }
            | TraceEvent::Closed { .. }
            | TraceEvent::Released { .. }
            | TraceEvent::Role { .. }
            | TraceEvent::Failover { .. }
            | TraceEvent::Operator { .. }
            | TraceEvent::Hop { .. }
            | TraceEvent::Fault { .. } => {}
        }
        state.tally.observe(&record);
        state.checks.observe(&record);
    }

    /// How many hosts are servers.
    fn servers(&self) -> u32 {
        self.state.nodes.len() as u32
    }

    /// What is at a host.
    fn party(&self, host: HostId) -> Party {
        match host.0.checked_sub(self.servers()) {
            None => Party::Node(NodeId(host.0 as u16)),
            Some(client) => Party::Client(ClientId(client)),
        }
    }
}

/// What is at a host.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Party {
    Node(NodeId),
    Client(ClientId),
}

impl<S: Sink> engine::World for Session<'_, S> {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, agenda: &mut Pending) {
        match event {
            Event::Net(event) => self.net_event(event, agenda),
            Event::NodeWake(node) => self.node_wake(node, agenda),
            Event::ClientWake(client) => self.client_wake(client, agenda),
            Event::ClientStart(client) => {
                self.client_input(client, client::Input::Start, agenda);
            }
            Event::Timeline(item) => self.timeline_item(item, agenda),
            Event::Fault(fault) => self.drawn_fault(fault, agenda),
            Event::FaultOver(place) => self.end_fault(place, agenda),
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
        self.state.open_commands == 0
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
