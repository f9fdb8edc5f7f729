//! What the recorder makes of each message and each record.

use super::{Drawn, Recorder, Told};
use crate::diagram::{ArrowLook, Fate, NoteLook, kinds, labels};
use crate::{StoryKind, words};
use rebound_engine::{Duration, Time};
use rebound_net::{Closing, ConnectFailure, Note as NetNote};
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote};
use rebound_sim::scenario::HostRole;
use rebound_sim::trace::{Event, FaultKind, Record, Sending, Sink};
use rebound_sim::valkey::{
    ClusterEvent, GateVerdict, LinkState, Message, NodeId, Note as NodeNote, Reply, Role,
};

impl Sink for Recorder<'_> {
    const SENDINGS: bool = true;

    fn sent(&mut self, sending: &Sending) {
        let (conn, from, to) = (sending.conn, sending.from, sending.to);
        let (kind, routine) = kinds::of(self.names, &self.linked, (from, to), sending.message);
        let client = self.client(from).or(self.client(to));
        let asked = client.and_then(|client| self.asked(client, sending.message));
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
            Event::Net(NetNote::Dialled { conn, from, to }) => {
                let entry =
                    (admitted && self.filter.kinds.contains(&StoryKind::Connection)).then(|| {
                        let of = self.client(from).map(|client| (client, None));
                        let words = ("connect".to_owned(), detail(""), ArrowLook::Connect);
                        self.push_arrow((from, to), record.at, of, u32::MAX, words)
                    });
                if let Some(place) = entry {
                    self.entries[place].routine = true;
                }
                self.flights.dial(conn, from, to, entry);
            }
            Event::Net(NetNote::Connected { conn, .. }) => {
                if let Some(place) = self.flights.connect(conn) {
                    self.arrives(place);
                }
            }
            Event::Net(NetNote::ConnectFailed { from, to, why }) => {
                if let Some(place) = self.flights.refuse(from, to) {
                    let refused = why == ConnectFailure::Refused;
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
            Event::Net(NetNote::Delivered {
                conn,
                from,
                to,
                message,
                ..
            }) => {
                if let Some(place) = self.flights.arrive(conn, from) {
                    self.arrives(place);
                    if let (Some(client), Message::Reply { reply, .. }) = (self.client(to), message)
                        && reply.is_redirect()
                    {
                        self.redirects.insert(client, place);
                    }
                }
            }
            Event::Net(NetNote::Closed {
                conn,
                from,
                to,
                how,
            }) => {
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
            Event::Node(
                node,
                NodeNote::Gate {
                    peer,
                    command,
                    verdict: GateVerdict::Postponed(_),
                    ..
                },
            ) if admitted => {
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
            Event::Node(node, NodeNote::Released { commands }) if admitted && commands > 0 => {
                let label = format!("runs {} held", words::count(u64::from(commands), "command"));
                let who = (HostRole::Node(node), NoteLook::Held);
                self.push_note(StoryKind::Node, None, who, (label, detail("")));
            }
            Event::Node(
                node,
                NodeNote::Role {
                    role,
                    primary,
                    link,
                    ..
                },
            ) => {
                let first = self.order == 1 || record.at == Time::ZERO;
                let linked = &mut self.linked[usize::from(node.0)];
                let at_start = !*linked && link == LinkState::Up;
                *linked |= link == LinkState::Up || role == Role::Primary;
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
            Event::Node(node, NodeNote::Failover { state, how, .. }) if admitted => {
                let (label, look) = labels::failover(state, how);
                let words = (label.to_owned(), detail(""));
                self.push_note(StoryKind::Node, None, (HostRole::Node(node), look), words);
            }
            Event::Node(node, NodeNote::Cluster(what)) if admitted => {
                self.note_cluster(node, what, detail(""))
            }
            Event::Node(node, NodeNote::Operator { command, reply }) if admitted => {
                let mut label = format!("operator: {}", command.name());
                if let Reply::Error(kind) = reply {
                    label.push_str(&format!(", -{}", kind.code()));
                }
                let who = (HostRole::Node(node), NoteLook::Operator);
                let before = self.entries.len();
                self.push_note(StoryKind::Operator, None, who, (label, detail("")));
                self.put_first(before, node);
            }
            Event::Sentinel { what, node } if admitted => {
                let label = format!("{} {}", what.name(), names.node(node));
                let who = (HostRole::Sentinel, NoteLook::Operator);
                self.push_note(StoryKind::Operator, None, who, (label, detail("")));
            }
            Event::Client(client, ClientNote::Issued { command, kind, .. })
                if self.follows(client) =>
            {
                let told = Told {
                    kind,
                    hops: 0,
                    held: false,
                    outcome: None,
                };
                self.commands.insert((client, command), told);
            }
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    to,
                    hops,
                    bounce,
                    ..
                },
            ) => {
                if let Some(told) = self.commands.get_mut(&(client, command)) {
                    told.hops = hops;
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
            Event::Client(client, ClientNote::Ignored { command, to, .. }) if admitted => {
                let label = format!("ignores redirect to {}", names.listener(to));
                let who = (HostRole::Client(client), NoteLook::State);
                let of = Some((client, Some(command)));
                self.push_note(StoryKind::Command, of, who, (label, detail("")));
            }
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    outcome,
                    hops,
                    took,
                    ..
                },
            ) if self.follows(client) => {
                self.note_end((client, command), outcome, (hops, took), detail(""))
            }
            Event::Fault { kind, of, from, to } => {
                if from == to && matches!(kind, FaultKind::Crash | FaultKind::HostDown) {
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
            Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Released { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. }
            | Event::Client(
                _,
                ClientNote::Issued { .. }
                | ClientNote::Element { .. }
                | ClientNote::Ignored { .. }
                | ClientNote::Ended { .. },
            ) => {}
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
        (hops, took): (u32, Duration),
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
        self.push_note(
            StoryKind::Command,
            Some((of.0, Some(of.1))),
            who,
            (label, detail),
        );
    }
}
