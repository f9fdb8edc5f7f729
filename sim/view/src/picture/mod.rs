//! A run laid out to be drawn: lanes, what each of them is and does over time, every event in
//! words, and every message from where and when it was sent to where and when it arrived.
//!
//! Everything that a reader sees is decided here; what draws a picture only places ink. The
//! shape is columns of numbers with a table of texts, since a picture has hundreds of thousands
//! of events and goes into one file.

mod bands;
mod pending;
mod shape;
mod states;
#[cfg(test)]
mod tests;
mod texts;

pub use shape::{
    Band, BandKind, Class, Events, Lane, LaneKind, Picture, States, TextTable, Undelivered, Window,
};

use std::collections::BTreeMap;

use super::situation::{Changed, Situation};
use super::story::{Story, StoryKind, is_handshake};
use bands::Bands;
use pending::Pending;
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{HostRole, Names, Plan};
use rebound_sim::trace::{Event, Record, Sending, Sink};
use rebound_sim::valkey::{Behaviour, Message, NodeId, Note as NodeNote, Reply};
use states::StateColumns;
use texts::Texts;

/// Lays a run out while it goes on: a sink for its records.
pub struct Painter<'a> {
    names: Names<'a>,
    story: Story<'a>,
    situation: Situation<'a>,
    lanes: Lanes,
    window: Window,
    left_out: u64,
    number: u64,
    texts: Texts,
    events: Events,
    states: StateColumns,
    bands: Bands,
    pending: Pending,
    /// The row of the latest decision of each node about each peer.
    decisions: BTreeMap<(NodeId, HostId), u32>,
    /// The row of the latest redirect that has reached each client.
    redirects: BTreeMap<ClientId, u32>,
    last: Time,
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

impl<'a> Painter<'a> {
    /// The most events that a picture keeps: more than a browser draws with ease.
    pub const MOST_EVENTS: usize = 1_000_000;

    /// A picture of a run of `plan` under `behaviour`, of which the events in `window` are kept.
    pub fn new(plan: &'a Plan, behaviour: &'static Behaviour, window: Window) -> Painter<'a> {
        let lanes = Lanes::new(plan);
        let situation = Situation::new(plan, behaviour);
        let mut painter = Painter {
            names: Names::new(plan),
            story: Story::new(plan, behaviour),
            lanes,
            window,
            left_out: 0,
            number: 0,
            texts: Texts::default(),
            events: Events::default(),
            states: StateColumns::new(lanes.operator as usize + 1),
            bands: Bands::new(plan.nodes.len()),
            pending: Pending::default(),
            decisions: BTreeMap::new(),
            redirects: BTreeMap::new(),
            situation,
            last: Time::ZERO,
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
        let end = Time(report.virtual_ns).max(self.last);
        let kept = |sending: &Sending| self.window.admits(sending.at);
        let undelivered = self.pending.finish();
        let undelivered: Vec<_> = undelivered.into_iter().filter(|(s, _)| kept(s)).collect();
        let undelivered = undelivered
            .into_iter()
            .map(|(sending, over)| {
                let class = self.class(sending.from, sending.to, sending.message);
                Undelivered {
                    at: sending.at.nanos(),
                    from: self.lane(sending.from),
                    to: self.lane(sending.to),
                    class,
                    lost: over,
                    text: self.texts.whole(&self.story.message(sending.message)),
                }
            })
            .collect();
        let lanes = self.lanes(&flagged_clients(self.names, report));
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
        self.lanes.of(self.names.role(host))
    }

    fn lanes(&self, flagged: &BTreeMap<ClientId, u32>) -> Vec<Lane> {
        let node = |node: u32| Lane {
            name: self.names.node(NodeId(node as u16)).to_owned(),
            kind: LaneKind::Node,
            flagged: None,
        };
        let client = |client: u32| Lane {
            name: self.names.client(ClientId(client)),
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
        let is_node = |host| matches!(self.names.role(host), HostRole::Node(_));
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
        let state = self.situation.node(node);
        self.bands.note(node, &state, at);
        if !kept {
            return;
        }
        let lane = u32::from(node.0);
        let text = self.texts.numbered(&state.to_string());
        self.states.note(lane, self.events.len(), text);
    }

    fn note_client(&mut self, client: ClientId) {
        let state = self.situation.client_state(client);
        let text = self.texts.numbered(&state.to_string());
        let lane = self.lanes.nodes + client.0;
        self.states.note(lane, self.events.len(), text);
    }

    /// Adds a row for a record in the window.
    fn add(&mut self, record: &Record) {
        let line = self.story.every(record);
        let row = self.events.len();
        let mut class = Class::Point;
        let mut travelled = 0;
        let mut decided_by = None;
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
                if let (HostRole::Node(node), HostRole::Client(client)) =
                    (self.names.role(from), self.names.role(to))
                {
                    decided_by = self.decisions.get(&(node, to)).copied();
                    if class == Class::Redirect {
                        self.redirects.insert(client, row);
                    }
                }
            }
            Event::Node(node, NodeNote::Gate { peer, .. }) => {
                self.decisions.insert((node, peer), row);
            }
            Event::Client(client, ClientNote::Hop { hops, bounce, .. }) => {
                // The redirect that has just arrived is the one that is followed.
                if let Some(arrow) = self.redirects.remove(&client) {
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
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Operator { .. }
                | NodeNote::Cluster(_),
            )
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
        let (who, other) = self.story.hosts(&record.event);
        let who = self.lane(who);
        let other = other.map(|host| self.lane(host));
        self.events.push(shape::Row {
            at: record.at.nanos(),
            number: self.number,
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

impl Sink for Painter<'_> {
    const SENDINGS: bool = true;

    fn record(&mut self, record: &Record) {
        self.last = record.at;
        self.number += 1;
        self.situation.observe(record);
        self.pending.observe(&record.event);
        let full = self.events.len() as usize >= Painter::MOST_EVENTS;
        if !self.window.admits(record.at) || full {
            self.story.skip(record);
            self.left_out += u64::from(self.window.admits(record.at));
        } else {
            self.add(record);
        }
        // States of later hold after none of the events that are kept.
        let kept = !self.window.is_over(record.at) && !full;
        for place in 0..self.situation.changed().len() {
            match self.situation.changed()[place] {
                Changed::Node(node) => self.note_node(node, record.at, kept),
                Changed::Client(client) if kept => self.note_client(client),
                Changed::Client(_) => {}
            }
        }
    }

    fn sent(&mut self, sending: &Sending) {
        self.pending.sent(sending);
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
