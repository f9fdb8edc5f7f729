//! Takes down what a diagram may show while the run goes on.

use std::collections::BTreeMap;

use super::flight::Flights;
use super::lives::Lives;
use super::{ArrowLook, Diagram, Fate, NoteLook, labels, rows};
use crate::client::ClientId;
use crate::engine::{Span, Time};
use crate::net::{Closing, HostId};
use crate::report::names::{HostRole, Names};
use crate::report::{Filter, RunReport, Story, StoryKind};
use crate::scenario::Plan;
use crate::trace::{
    ClusterEvent, CommandOutcome, Event, GateVerdict, Record, Sending, Sink,
};
use crate::valkey::{
    Behaviour, BusKind, Command, CommandKind, LinkState, Message, NodeId, ReplOp, Reply,
};

/// What may become a row.
pub(super) struct Entry {
    /// Its place among all entries and changes: that of its arrival, for an arrow.
    pub order: u64,
    /// Whose command it is part of, and the command's number where that can be told.
    pub of: Option<(ClientId, Option<u32>)>,
    /// How many redirects the command had met before.
    pub leg: u32,
    /// Whether it says nothing new unless something is wrong with it.
    pub routine: bool,
    /// What it is.
    pub what: Drawn,
}

/// What an entry shows.
pub(super) enum Drawn {
    Arrow(Flight),
    Note {
        at: Time,
        who: HostRole,
        label: String,
        detail: String,
        look: NoteLook,
    },
}

/// An arrow to be.
pub(super) struct Flight {
    pub from: HostRole,
    pub to: HostRole,
    pub sent: Time,
    /// Its departure's place among all entries.
    pub sent_order: u64,
    pub fate: Fate,
    pub label: String,
    pub detail: String,
    pub look: ArrowLook,
}

/// A command of a client that is shown.
#[derive(Copy, Clone)]
pub(super) struct Told {
    kind: CommandKind,
    /// Redirects that it has met.
    pub hops: u32,
    /// Whether a node has held it.
    pub held: bool,
    /// How it ended, if it did.
    pub outcome: Option<CommandOutcome>,
    /// Whether it is about to be sent.
    awaited: bool,
}

/// A sink that takes down a run for a [`Diagram`].
pub struct Recorder<'a> {
    pub(super) names: Names<'a>,
    pub(super) filter: Filter,
    /// What the story would tell, for the details.
    telling: Filter,
    story: Story<'a>,
    pub(super) entries: Vec<Entry>,
    pub(super) lives: Lives,
    pub(super) commands: BTreeMap<(ClientId, u32), Told>,
    flights: Flights,
    /// Which command a reply with this mark will be about.
    marks: BTreeMap<((u32, u32), u32), (u32, u32)>,
    /// The latest redirect that reached each client.
    redirects: BTreeMap<ClientId, usize>,
    /// Nodes whose link was up at some time.
    linked: Vec<bool>,
    order: u64,
    now: Time,
}

impl<'a> Recorder<'a> {
    /// A recorder of a run of `plan` under `behaviour`, for a diagram of what `filter` wants.
    pub fn new(plan: &'a Plan, behaviour: &'static Behaviour, filter: Filter) -> Recorder<'a> {
        let names = Names::new(plan);
        let told = |kind: &StoryKind| *kind != StoryKind::Message;
        Recorder {
            names,
            telling: Filter {
                from: Time::ZERO,
                until: Time::NEVER,
                kinds: StoryKind::ALL.into_iter().filter(told).collect(),
                condensed: false,
                ..filter.clone()
            },
            filter,
            story: Story::new(plan, behaviour),
            entries: Vec::new(),
            lives: Lives::new(names),
            commands: BTreeMap::new(),
            flights: Flights::default(),
            marks: BTreeMap::new(),
            redirects: BTreeMap::new(),
            linked: vec![false; names.nodes()],
            order: 0,
            now: Time::ZERO,
        }
    }

    /// The diagram of the run that was recorded, of at most `limit` rows. `report` is what the
    /// run returned.
    pub fn finish(mut self, report: &RunReport, limit: Option<usize>) -> Diagram {
        self.note_unfinished();
        self.note_findings(report);
        rows::build(&self, report, limit)
    }

    fn note_unfinished(&mut self) {
        let open = self.commands.iter().filter(|(_, told)| told.outcome.is_none());
        let open: Vec<_> = open.map(|(of, told)| (*of, *told)).collect();
        for ((client, number), told) in open {
            let label = format!("{}: no end", labels::command(told.kind, Some(number)));
            let detail = format!("{label} by the end of the run");
            let of = Some((client, Some(number)));
            let look = NoteLook::Bad;
            self.order += 1;
            self.push_note(StoryKind::Command, of, (HostRole::Client(client), look), (label, detail));
        }
    }

    /// Findings about those who are shown, and about nobody in particular.
    fn note_findings(&mut self, report: &RunReport) {
        for finding in &report.findings {
            let client = finding.client.as_deref();
            let client = client.and_then(|client| self.names.client_named(client).ok());
            if client.is_some_and(|client| !self.follows(client)) {
                continue;
            }
            let at = Time(finding.at_ns);
            let of = client.map(|client| (client, None));
            // The operator has no column: the note is everybody's.
            let who = client.map_or(HostRole::Operator, HostRole::Client);
            let mut label = format!("FINDING: {}", finding.check.name());
            if let Some(command) = &finding.command {
                label.push_str(&format!(", {command}"));
            }
            self.entries.push(Entry {
                order: u64::MAX,
                of,
                leg: u32::MAX,
                routine: false,
                what: Drawn::Note {
                    at,
                    who,
                    label,
                    detail: finding.why.clone(),
                    look: NoteLook::Finding,
                },
            });
        }
    }

    fn push_note(
        &mut self,
        kind: StoryKind,
        of: Option<(ClientId, Option<u32>)>,
        (who, look): (HostRole, NoteLook),
        (label, detail): (String, String),
    ) {
        if !self.filter.kinds.contains(&kind) {
            return;
        }
        // The same fault strikes a node and its end of the cluster bus.
        let again = self.entries.last().is_some_and(|last| match &last.what {
            Drawn::Note { at, who: w, label: l, .. } => (*at, *w, l) == (self.now, who, &label),
            Drawn::Arrow(_) => false,
        });
        if again {
            return;
        }
        self.entries.push(Entry {
            order: self.order,
            of,
            leg: u32::MAX,
            routine: false,
            what: Drawn::Note {
                at: self.now,
                who,
                label,
                detail,
                look,
            },
        });
    }

    fn push_arrow(
        &mut self,
        (from, to): (HostId, HostId),
        sent: Time,
        of: Option<(ClientId, Option<u32>)>,
        leg: u32,
        (label, detail, look): (String, String, ArrowLook),
    ) -> usize {
        self.entries.push(Entry {
            order: self.order,
            of,
            leg,
            routine: false,
            what: Drawn::Arrow(Flight {
                from: self.names.role(from),
                to: self.names.role(to),
                sent,
                sent_order: self.order,
                fate: Fate::UnderWay,
                label,
                detail,
                look,
            }),
        });
        self.entries.len() - 1
    }

    fn arrow(&mut self, place: usize) -> Option<&mut Flight> {
        match &mut self.entries.get_mut(place)?.what {
            Drawn::Arrow(arrow) => Some(arrow),
            Drawn::Note { .. } => None,
        }
    }

    fn lose(&mut self, places: Vec<usize>) {
        for place in places {
            if let Some(arrow) = self.arrow(place) {
                arrow.fate = Fate::Lost;
            }
        }
    }

    fn arrives(&mut self, place: usize) {
        let (at, order) = (self.now, self.order);
        if let Some(arrow) = self.arrow(place) {
            arrow.fate = Fate::Arrived(at);
            self.entries[place].order = order;
        }
    }

    /// Whether this client's commands are shown.
    fn follows(&self, client: ClientId) -> bool {
        let clients = self.filter.clients.as_ref();
        clients.is_none_or(|clients| clients.contains(&client))
    }

    fn client(&self, host: HostId) -> Option<ClientId> {
        match self.names.role(host) {
            HostRole::Client(client) => Some(client),
            HostRole::Node(_) | HostRole::Operator | HostRole::Sentinel => None,
        }
    }

    /// What kind of message it is to a diagram; routine is left out of a condensed one.
    fn kind_of(&self, from: HostId, to: HostId, message: Message) -> (StoryKind, bool) {
        let is_node = |host| matches!(self.names.role(host), HostRole::Node(_));
        if self.client(from).or(self.client(to)).is_some() {
            return (StoryKind::Command, false);
        }
        let unlinked = |host| match self.names.role(host) {
            HostRole::Node(node) => !self.linked[usize::from(node.0)],
            HostRole::Client(_) | HostRole::Operator | HostRole::Sentinel => false,
        };
        if !(is_node(from) && is_node(to)) {
            return match message {
                Message::Request(request) => match request.command {
                    Command::ReplicaOf(_) | Command::Failover { .. } | Command::FailoverAbort => {
                        (StoryKind::Operator, false)
                    }
                    _ => (StoryKind::Message, false),
                },
                Message::Reply { .. }
                | Message::Stream(_)
                | Message::Snapshot(_)
                | Message::Bus(_) => (StoryKind::Message, false),
            };
        }
        match message {
            Message::Request(request) => match request.command {
                Command::Psync { failover, .. } => {
                    (StoryKind::Handshake, !failover && unlinked(from))
                }
                Command::ReplConfAck(_) => (StoryKind::Message, false),
                _ => (StoryKind::Handshake, true),
            },
            Message::Reply { reply, .. } => match reply {
                Reply::Continue { .. }
                | Reply::FullResync { .. }
                | Reply::DualChannelSync
                | Reply::Error(_) => (StoryKind::Handshake, unlinked(to)),
                Reply::NewLine => (StoryKind::Message, false),
                Reply::Ok
                | Reply::Pong
                | Reply::Queued
                | Reply::Nil
                | Reply::Int(_)
                | Reply::Value(_)
                | Reply::Array(_)
                | Reply::Elements(_)
                | Reply::Subscribed
                | Reply::Published
                | Reply::Redirect { .. }
                | Reply::Info { .. }
                | Reply::Moved { .. }
                | Reply::Ask { .. }
                | Reply::Topology(_)
                | Reply::Reset
                | Reply::Encoding(_) => (StoryKind::Handshake, true),
            },
            Message::Snapshot(_) => (StoryKind::Handshake, unlinked(to)),
            Message::Stream(entry) => match entry.op {
                ReplOp::HandOver(_) | ReplOp::HandOverOff => (StoryKind::Handshake, false),
                ReplOp::Ping
                | ReplOp::GetAck
                | ReplOp::Set(..)
                | ReplOp::Incr(..)
                | ReplOp::Del(..)
                | ReplOp::LPush(..)
                | ReplOp::LPop(..)
                | ReplOp::Publish(_)
                | ReplOp::RPush(..)
                | ReplOp::XAdd(..)
                | ReplOp::FlushAll(_)
                | ReplOp::ExpireAt(..)
                | ReplOp::Expired(_) => (StoryKind::Message, false),
            },
            Message::Bus(bus) => match bus.kind {
                BusKind::FailoverAuthAck | BusKind::MfStart => (StoryKind::Handshake, false),
                BusKind::FailoverAuthRequest
                | BusKind::Fail
                | BusKind::Update
                | BusKind::Ping
                | BusKind::Pong => (StoryKind::Message, false),
            },
        }
    }

    /// The command that a client's request is part of. Requests carry no number: it is the
    /// oldest command of that kind that waits to be sent, or the only one of that kind, or what
    /// the client does alone.
    fn asked(&mut self, client: ClientId, kind: CommandKind) -> Option<(u32, u32)> {
        let own = matches!(
            kind,
            CommandKind::ClientCapa
                | CommandKind::Role
                | CommandKind::ClusterSlots
                | CommandKind::ReadOnly
                | CommandKind::Auth
                | CommandKind::Ping
        );
        let range = (client, 0)..=(client, u32::MAX);
        let open = self.commands.range_mut(range);
        let mut open: Vec<_> = open.filter(|(_, told)| told.outcome.is_none()).collect();
        let alike = |told: &Told| told.kind == kind;
        let waiting = open.iter().position(|(_, told)| told.awaited && alike(told));
        let count = open.iter().filter(|(_, told)| alike(told)).count();
        let place = match (waiting, count, open.len()) {
            (Some(place), _, _) => place,
            (None, 1, _) => open.iter().position(|(_, told)| alike(told))?,
            (None, 0, 1) if !own => 0,
            _ => return None,
        };
        let ((_, number), told) = &mut open[place];
        if told.kind == kind {
            told.awaited = false;
        }
        Some((*number, told.hops))
    }
}

impl Sink for Recorder<'_> {
    const SENDINGS: bool = true;

    fn sent(&mut self, sending: &Sending) {
        let (conn, from, to) = (sending.conn, sending.from, sending.to);
        let (kind, routine) = self.kind_of(from, to, sending.message);
        let key = (conn.index, conn.generation);
        let client = self.client(from).or(self.client(to));
        let followed = client.is_none_or(|client| self.follows(client));
        let asked = match (client, sending.message) {
            _ if !followed => None,
            (Some(client), Message::Request(request)) => {
                let asked = self.asked(client, request.command.kind());
                if let Some(asked) = asked {
                    self.marks.insert((key, request.tag), asked);
                }
                asked
            }
            (Some(_), Message::Reply { tag, .. }) => self.marks.get(&(key, tag)).copied(),
            _ => None,
        };
        let hosts = [from, to].into_iter();
        if !self.filter.concerns(kind, hosts, self.names) {
            self.flights.send(conn, from, to, None);
            return;
        }
        self.order += 1;
        let between_nodes = client.is_none() && kind == StoryKind::Handshake;
        let number = asked.map(|(number, _)| number);
        let (label, look) = labels::message(self.names, sending.message, number, between_nodes);
        let detail = labels::detail(self.names, sending.message);
        let of = client.map(|client| (client, number));
        let leg = asked.map_or(u32::MAX, |(_, leg)| leg);
        let place = self.push_arrow((from, to), sending.at, of, leg, (label, detail, look));
        self.entries[place].routine = routine || (client.is_some() && number.is_none());
        self.flights.send(conn, from, to, Some(place));
    }

    fn record(&mut self, record: &Record) {
        self.now = record.at;
        self.order += 1;
        self.lives.observe(self.names, record, self.order);
        let line = self.story.tell(record, &self.telling).pop();
        let detail = |told: &str| match &line {
            Some(line) => format!("{} {}", line.who, line.words),
            None => told.to_owned(),
        };
        let names = self.names;
        let admitted = line.is_some();
        match record.event {
            Event::Dialled { conn, from, to } => {
                let entry = (admitted && self.filter.kinds.contains(&StoryKind::Connection))
                    .then(|| {
                        let of = self.client(from).map(|client| (client, None));
                        let words = ("connect".to_owned(), detail(""), ArrowLook::Connect);
                        self.push_arrow((from, to), record.at, of, u32::MAX, words)
                    });
                if let Some(place) = entry {
                    self.entries[place].routine = true;
                }
                self.flights.dial(conn, from, to, entry);
            }
            Event::Connected { conn, .. } => {
                if let Some(place) = self.flights.connect(conn) {
                    self.arrives(place);
                }
            }
            Event::ConnectFailed { from, to, why } => {
                if let Some(place) = self.flights.refuse(from, to) {
                    let refused = why == crate::net::ConnectFailure::Refused;
                    if refused {
                        self.arrives(place);
                    }
                    self.entries[place].routine = false;
                    let words = detail("");
                    if let Some(arrow) = self.arrow(place) {
                        labels::cannot_connect(why).clone_into(&mut arrow.label);
                        arrow.detail = words;
                        arrow.look = ArrowLook::Error;
                        if !refused {
                            arrow.fate = Fate::Lost;
                        }
                    }
                }
            }
            Event::Delivered {
                conn,
                from,
                to,
                message,
                ..
            } => {
                if let Some(place) = self.flights.arrive(conn, from) {
                    self.arrives(place);
                    if let (Some(client), Message::Reply { reply, .. }) = (self.client(to), message)
                        && matches!(
                            reply,
                            Reply::Redirect { .. } | Reply::Moved { .. } | Reply::Ask { .. }
                        )
                    {
                        self.redirects.insert(client, place);
                    }
                }
            }
            Event::Closed { conn, from, to, how } => {
                let lost = self.flights.close(conn, from);
                self.lose(lost);
                let told = how != Closing::Fin || !self.filter.condensed;
                if admitted && told {
                    let of = self.client(to).map(|client| (client, None));
                    let label = labels::closed(&names.host(from), how);
                    let words = (label, detail(""));
                    let who = (names.role(to), NoteLook::Bad);
                    self.push_note(StoryKind::Connection, of, who, words);
                }
            }
            Event::Gate {
                node,
                peer,
                command,
                verdict: GateVerdict::Postponed(_),
                ..
            } if admitted => {
                let client = self.client(peer);
                let number = line.as_ref().and_then(|line| line.command);
                if let (Some(client), Some(number)) = (client, number)
                    && let Some(told) = self.commands.get_mut(&(client, number))
                {
                    told.held = true;
                }
                let label = format!("holds {}", labels::command(command, number));
                let of = client.map(|client| (client, number));
                let who = (HostRole::Node(node), NoteLook::Held);
                self.push_note(StoryKind::Gate, of, who, (label, detail("")));
            }
            Event::Released { node, commands } if admitted && commands > 0 => {
                let label = format!("lets {commands} held go");
                let who = (HostRole::Node(node), NoteLook::Held);
                self.push_note(StoryKind::Node, None, who, (label, detail("")));
            }
            Event::Role {
                node,
                role,
                primary,
                link,
                ..
            } => {
                let first = self.order == 1 || record.at == Time::ZERO;
                let linked = &mut self.linked[usize::from(node.0)];
                let at_start = !*linked && link == LinkState::Up;
                *linked |= link == LinkState::Up || role == crate::valkey::Role::Primary;
                if admitted {
                    let label = labels::role(names, role, primary, link);
                    let who = (HostRole::Node(node), NoteLook::State);
                    let before = self.entries.len();
                    self.push_note(StoryKind::Node, None, who, (label, detail("")));
                    if let Some(entry) = self.entries.get_mut(before) {
                        entry.routine = first || at_start;
                    }
                }
            }
            Event::Failover {
                node, state, how, ..
            } if admitted => {
                let (label, look) = labels::failover(state, how);
                let words = (label.to_owned(), detail(""));
                self.push_note(StoryKind::Node, None, (HostRole::Node(node), look), words);
            }
            Event::Cluster { node, what } if admitted => self.note_cluster(node, what, detail("")),
            Event::Operator {
                node,
                command,
                reply,
            } if admitted => {
                let mut label = format!("operator: {}", command.name());
                if let Reply::Error(kind) = reply {
                    label.push_str(&format!(", -{}", kind.code()));
                }
                let who = (HostRole::Node(node), NoteLook::Operator);
                self.push_note(StoryKind::Operator, None, who, (label, detail("")));
            }
            Event::Sentinel { what, node } if admitted => {
                let label = format!("{} {}", what.name(), names.node(node));
                let who = (HostRole::Sentinel, NoteLook::Operator);
                self.push_note(StoryKind::Operator, None, who, (label, detail("")));
            }
            Event::Issued {
                client,
                command,
                kind,
                ..
            } if self.follows(client) => {
                let told = Told {
                    kind,
                    hops: 0,
                    held: false,
                    outcome: None,
                    awaited: true,
                };
                self.commands.insert((client, command), told);
            }
            Event::Hop {
                client,
                command,
                to,
                hops,
                bounce,
                ..
            } => {
                if let Some(told) = self.commands.get_mut(&(client, command)) {
                    told.hops = hops;
                    told.awaited = true;
                }
                if let Some(place) = self.redirects.remove(&client) {
                    let entry = &mut self.entries[place];
                    entry.of = Some((client, Some(command)));
                    entry.leg = hops - 1;
                    entry.routine = false;
                    if let Drawn::Arrow(arrow) = &mut entry.what {
                        arrow.label = labels::hop(names, hops, to, bounce);
                        if bounce {
                            arrow.look = ArrowLook::Bounce;
                        }
                    }
                }
            }
            Event::Ignored {
                client,
                command,
                to,
                ..
            } if admitted => {
                if let Some(told) = self.commands.get_mut(&(client, command)) {
                    told.awaited = true;
                }
                let label = format!("ignores redirect to {}", names.listener(to));
                let who = (HostRole::Client(client), NoteLook::State);
                let of = Some((client, Some(command)));
                self.push_note(StoryKind::Command, of, who, (label, detail("")));
            }
            Event::Ended {
                client,
                command,
                outcome,
                hops,
                took,
                ..
            } if self.follows(client) => self.note_end((client, command), outcome, (hops, took), detail("")),
            Event::Fault { kind, of, from, to } => {
                if from == to
                    && matches!(
                        kind,
                        crate::trace::FaultKind::Crash | crate::trace::FaultKind::HostDown
                    )
                {
                    let lost = self.flights.lose_all_to(from);
                    self.lose(lost);
                }
                if admitted {
                    let other = (from != to).then(|| names.host(to));
                    let (label, look) = labels::fault(kind, of, other.as_deref());
                    let of = self.client(from).map(|client| (client, None));
                    let who = (names.role(from), look);
                    self.push_note(StoryKind::Fault, of, who, (label, detail("")));
                }
            }
            Event::Gate { .. }
            | Event::Released { .. }
            | Event::Failover { .. }
            | Event::Cluster { .. }
            | Event::Operator { .. }
            | Event::Sentinel { .. }
            | Event::Issued { .. }
            | Event::Element { .. }
            | Event::Ignored { .. }
            | Event::Ended { .. } => {}
        }
    }
}

impl Recorder<'_> {
    fn note_cluster(&mut self, node: NodeId, what: ClusterEvent, detail: String) {
        // What others learn of it, and votes that an arrow shows.
        let routine = match what {
            ClusterEvent::SlotsMoved { to, .. } => to != node,
            ClusterEvent::Voted { .. } => true,
            ClusterEvent::PossiblyFailing { .. }
            | ClusterEvent::Failed { .. }
            | ClusterEvent::Reachable { .. }
            | ClusterEvent::State { .. }
            | ClusterEvent::ElectionPlanned { .. }
            | ClusterEvent::ElectionStarted { .. }
            | ClusterEvent::ElectionWon { .. }
            | ClusterEvent::VoteRefused { .. }
            | ClusterEvent::ManualFailoverStarted { .. }
            | ClusterEvent::ManualFailoverEnded { .. }
            | ClusterEvent::EpochTaken { .. } => false,
        };
        let label = labels::cluster(self.names, node, what);
        let before = self.entries.len();
        let who = (HostRole::Node(node), NoteLook::State);
        self.push_note(StoryKind::Node, None, who, (label, detail));
        if let Some(entry) = self.entries.get_mut(before) {
            entry.routine = routine;
        }
    }

    fn note_end(
        &mut self,
        of: (ClientId, u32),
        outcome: CommandOutcome,
        (hops, took): (u32, Span),
        detail: String,
    ) {
        let Some(told) = self.commands.get_mut(&of) else {
            return;
        };
        told.outcome = Some(outcome);
        told.hops = hops;
        if outcome == CommandOutcome::Served && hops == 0 && !told.held {
            return;
        }
        let (end, look) = labels::ended(outcome, took);
        let label = format!("{} {end}", labels::command(told.kind, Some(of.1)));
        let who = (HostRole::Client(of.0), look);
        self.push_note(StoryKind::Command, Some((of.0, Some(of.1))), who, (label, detail));
    }
}
