//! A run laid out to be drawn: lanes, what each of them is and does over time, every event in
//! words, and every message from where and when it was sent to where and when it arrived.
//!
//! Everything that a reader sees is decided here; what draws a picture only places ink. The
//! shape is columns of numbers with a table of texts, since a picture has hundreds of thousands
//! of events and goes into one file.

mod bands;
mod shape;
mod states;
#[cfg(test)]
mod tests;
mod texts;

pub use shape::{
    Band, BandKind, Class, Events, Lane, LaneKind, Picture, States, TextTable, Undelivered, Window,
};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::run::{Changed, Run};
use super::story::{self, StoryKind, is_handshake};
use bands::Bands;
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{HostRole, Names, Plan};
use rebound_sim::trace::{Event, Record, Sending, Sink};
use rebound_sim::valkey::{Behaviour, Message, NodeId, Reply};
use states::StateColumns;
use texts::Texts;

/// Lays a run out while it goes on: a sink for its records.
pub struct Painter {
    run: Run,
    lanes: Lanes,
    window: Window,
    left_out: u64,
    texts: Texts,
    events: Events,
    states: StateColumns,
    bands: Bands,
    /// The number of the record of the first row.
    first: u64,
}

/// Where hosts have their lanes.
#[derive(Copy, Clone)]
struct Lanes {
    nodes: u32,
    clients: u32,
    sentinel: Option<u32>,
    operator: u32,
}

impl Lanes {
    fn new(plan: &Plan) -> Lanes {
        let nodes = plan.nodes.len() as u32;
        let clients = plan.clients();
        let sentinel = plan.sentinel_host().map(|_| nodes + clients);
        Lanes {
            nodes,
            clients,
            sentinel,
            operator: nodes + clients + u32::from(sentinel.is_some()),
        }
    }

    fn of(self, role: HostRole) -> u32 {
        match role {
            HostRole::Node(node) => u32::from(node.0),
            HostRole::Client(client) => self.nodes + client.0,
            HostRole::Sentinel => self.sentinel.unwrap_or(self.operator),
            HostRole::Operator => self.operator,
        }
    }
}

impl Painter {
    /// The most events that a picture keeps: more than a browser draws with ease.
    pub const MOST_EVENTS: usize = 1_000_000;

    /// A picture of a run of `plan` under `behaviour`, of which the events in `window` are kept.
    pub fn new(plan: &Arc<Plan>, behaviour: &'static Behaviour, window: Window) -> Painter {
        let lanes = Lanes::new(plan);
        let mut painter = Painter {
            run: Run::new(plan, behaviour),
            lanes,
            window,
            left_out: 0,
            texts: Texts::default(),
            events: Events::default(),
            states: StateColumns::new(lanes.operator as usize + 1),
            bands: Bands::new(plan.nodes.len()),
            first: 0,
        };
        for node in 0..plan.nodes.len() as u16 {
            painter.note_node(NodeId(node), Time::ZERO, true);
        }
        for client in 0..plan.clients() {
            painter.note_client(ClientId(client));
        }
        painter
    }

    /// The picture, once the run has ended with this report.
    pub fn finish(mut self, report: &RunReport) -> Picture {
        let end = Time(report.virtual_ns).max(self.run.at());
        let window = self.window;
        let undelivered = self.run.undelivered().into_iter();
        let undelivered = undelivered
            .filter(|(sending, _)| window.admits(sending.at))
            .map(|(sending, lost)| {
                let class = self.class(sending.from, sending.to, sending.message);
                Undelivered {
                    at: sending.at.nanos(),
                    from: self.lane(sending.from),
                    to: self.lane(sending.to),
                    class,
                    lost,
                    text: self
                        .texts
                        .whole(&story::message(&self.run, sending.message)),
                }
            })
            .collect();
        let lanes = self.lanes(&flagged_clients(self.run.names(), report));
        let bands = self.bands.finish(end, &mut self.texts);
        Picture {
            end: end.nanos(),
            window: self.window,
            left_out: self.left_out,
            lanes,
            kinds: StoryKind::ALL.map(StoryKind::name).to_vec(),
            classes: Class::ALL.map(Class::name).to_vec(),
            texts: self.texts.finish(),
            events: self.events,
            states: self.states.finish(),
            bands,
            undelivered,
        }
    }

    fn lane(&self, host: HostId) -> u32 {
        self.lanes.of(self.run.names().role(host))
    }

    fn lanes(&self, flagged: &BTreeMap<ClientId, u32>) -> Vec<Lane> {
        let names = self.run.names();
        let node = |node: u32| Lane {
            name: names.node(NodeId(node as u16)).to_owned(),
            kind: LaneKind::Node,
            flagged: None,
        };
        let client = |client: u32| Lane {
            name: names.client(ClientId(client)),
            kind: LaneKind::Client,
            flagged: flagged.get(&ClientId(client)).copied(),
        };
        let other = |name: &str, kind| Lane {
            name: name.to_owned(),
            kind,
            flagged: None,
        };
        let sentinel = self.lanes.sentinel;
        (0..self.lanes.nodes)
            .map(node)
            .chain((0..self.lanes.clients).map(client))
            .chain(sentinel.map(|_| other("sentinel", LaneKind::Sentinel)))
            .chain([other("the operator", LaneKind::Operator)])
            .collect()
    }

    /// What a message is.
    fn class(&self, from: HostId, to: HostId, message: Message) -> Class {
        let is_node = |host| self.run.plan().node_at(host).is_some();
        match message {
            Message::Request(_) if !is_node(from) => Class::Request,
            Message::Reply { reply, .. } if !is_node(to) => {
                if reply.is_redirect() {
                    Class::Redirect
                } else if matches!(reply, Reply::Error(_)) {
                    Class::Error
                } else {
                    Class::Reply
                }
            }
            Message::Request(_)
            | Message::Reply { .. }
            | Message::Stream(_)
            | Message::Snapshot(_)
            | Message::Bus(_) => between(message),
        }
    }

    /// What a node is now, along its lane to the end of the run, and at the cursor if that is
    /// `kept`.
    fn note_node(&mut self, node: NodeId, at: Time, kept: bool) {
        let state = self.run.node_state(node);
        self.bands.note(node, self.run.node(node), &state, at);
        if !kept {
            return;
        }
        let lane = u32::from(node.0);
        let text = self.texts.numbered(&state.to_string());
        self.states.note(lane, self.events.len(), text);
    }

    fn note_client(&mut self, client: ClientId) {
        let state = self.run.client_state(client);
        let text = self.texts.numbered(&state.to_string());
        let lane = self.lanes.nodes + client.0;
        self.states.note(lane, self.events.len(), text);
    }

    /// The row of a record, by number, if it has one: rows are records in a row.
    fn row(&self, record: u64) -> Option<u32> {
        let row = u32::try_from(record.checked_sub(self.first)?).ok()?;
        (row < self.events.len()).then_some(row)
    }

    /// Adds a row for a record in the window.
    fn add(&mut self, record: &Record) {
        let line = story::line(&self.run, record);
        if self.events.len() == 0 {
            self.first = self.run.records();
        }
        let row = self.events.len();
        let mut class = Class::Point;
        let mut travelled = 0;
        let mut decided_by = self.run.decided_by().and_then(|record| self.row(record));
        match record.event {
            Event::Net(NetNote::Delivered {
                from,
                to,
                sent_at,
                message,
                ..
            }) => {
                class = self.class(from, to, message);
                travelled = record.at.since(sent_at).as_nanos();
            }
            Event::Client(_, ClientNote::Hop { hops, bounce, .. }) => {
                let redirect = self.run.redirect();
                if let Some(arrow) = redirect.and_then(|redirect| self.row(redirect.record)) {
                    self.events.mark_hop(arrow, hops, bounce);
                    decided_by = Some(arrow);
                }
            }
            Event::Net(
                NetNote::Dialled { .. }
                | NetNote::Connected { .. }
                | NetNote::ConnectFailed { .. }
                | NetNote::Closed { .. },
            )
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Client(
                _,
                ClientNote::Issued { .. }
                | ClientNote::Element { .. }
                | ClientNote::Ignored { .. }
                | ClientNote::Ended { .. },
            )
            | Event::Fault { .. } => {}
        }
        let (who, other) = story::hosts(&self.run, &record.event);
        let who = self.lane(who);
        let other = other.map(|host| self.lane(host));
        self.events.push(shape::Row {
            at: record.at.nanos(),
            number: self.run.records(),
            kind: line.kind,
            class,
            lane: who,
            other,
            travelled,
            command: line.command,
            decided_by,
            text: self.texts.numbered(&line.words),
        });
        if let Event::Client(_, ClientNote::Hop { hops, bounce, .. }) = record.event {
            self.events.mark_hop(row, hops, bounce);
        }
    }
}

impl Sink for Painter {
    const SENDINGS: bool = true;

    fn record(&mut self, record: &Record) {
        self.run.observe(record);
        let full = self.events.len() as usize >= Painter::MOST_EVENTS;
        if !self.window.admits(record.at) || full {
            self.left_out += u64::from(self.window.admits(record.at));
        } else {
            self.add(record);
        }
        // States of later hold after none of the events that are kept.
        let kept = !self.window.is_over(record.at) && !full;
        for index in 0..self.run.changed().len() {
            match self.run.changed()[index] {
                Changed::Node(node) => self.note_node(node, record.at, kept),
                Changed::Client(client) if kept => self.note_client(client),
                Changed::Client(_) => {}
            }
        }
    }

    fn sent(&mut self, sending: &Sending) {
        self.run.sent(sending);
    }
}

/// What a message between nodes is.
fn between(message: Message) -> Class {
    if is_handshake(message) {
        Class::Handshake
    } else {
        Class::Replication
    }
}

/// The clients that a finding names, with the place of the first finding that does.
fn flagged_clients(names: Names<'_>, report: &RunReport) -> BTreeMap<ClientId, u32> {
    let mut flagged = BTreeMap::new();
    for (place, finding) in report.findings.iter().enumerate() {
        let client = finding.client.as_deref();
        if let Some(client) = client.and_then(|client| names.client_named(client).ok()) {
            flagged.entry(client).or_insert(place as u32);
        }
    }
    flagged
}
