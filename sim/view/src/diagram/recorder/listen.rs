//! What the recorder makes of each message and each record.

use super::{Drawn, Recorder, Told};
use crate::diagram::{ArrowLook, Fate, NoteLook, kinds, labels};
use crate::{StoryKind, words};
use rebound_engine::{Duration, Time};
use rebound_net::{Closing, ConnectFailure, Note as NetNote};
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote};
use rebound_sim::scenario::HostRole;
use rebound_sim::trace::{Event, Record, Sending, Sink};
use rebound_sim::valkey::{
    ClusterEvent, GateVerdict, LinkState, Message, NodeId, Note as NodeNote, Reply,
};

impl Sink for Recorder {
    const SENDINGS: bool = true;

    fn sent(&mut self, sending: &Sending) {
        let (from, to) = (sending.from, sending.to);
        let (flight, can_arrive) = self.run.sent(sending);
        let (kind, routine) = kinds::of(&self.run, (from, to), sending.message);
        let client = self.run.client_at(from).or(self.run.client_at(to));
        let asked = client.and_then(|client| self.asked(client, sending.message));
        let hosts = [from, to].into_iter();
        if !self.filter.concerns(kind, hosts, self.run.names()) {
            return;
        }
        self.order += 1;
        let between_nodes = client.is_none() && kind == StoryKind::Handshake;
        let number = asked.map(|(number, _)| number);
        let (label, look) =
            labels::message(self.run.names(), sending.message, number, between_nodes);
        let detail = labels::detail(self.run.names(), sending.message);
        let of = client.map(|client| (client, number));
        let leg = asked.map_or(u32::MAX, |(_, leg)| leg);
        let index = self.push_arrow((from, to), sending.at, of, leg, (label, detail, look));
        self.entries[index].routine = routine || (client.is_some() && number.is_none());
        if can_arrive {
            self.sent.insert(flight, index);
        } else if let Some(arrow) = self.arrow(index) {
            arrow.fate = Fate::Lost;
        }
    }

    fn record(&mut self, record: &Record) {
        self.order += 1;
        let linked = self.is_linked(&record.event);
        self.run.observe(record);
        self.note_lives();
        self.lose();
        let line = self.story.tell(&self.run, record, &self.telling).pop();
        let told = line.map(|line| Line {
            number: line.command,
            words: format!("{} {}", line.who, line.words),
        });
        match record.event {
            Event::Net(ref note) => self.net(note, told),
            Event::Node(node, note) => self.at_node(node, note, linked, told),
            Event::Client(client, note) => self.at_client(client, note, told),
            Event::Sentinel { what, node } => {
                if let Some(line) = told {
                    let label = format!("{} {}", what.name(), self.run.names().node(node));
                    let who = (HostRole::Sentinel, NoteLook::Operator);
                    self.push_note(StoryKind::Operator, None, who, (label, line.words));
                }
            }
            Event::Fault { kind, of, from, to } => {
                if let Some(line) = told {
                    let names = self.run.names();
                    let other = (from != to).then(|| names.host(to));
                    let (label, look) = labels::fault(kind, of, other.as_deref());
                    let of = self.run.client_at(from).map(|client| (client, None));
                    let who = (names.role(from), look);
                    self.push_note(StoryKind::Fault, of, who, (label, line.words));
                }
            }
        }
    }
}

/// What the story tells of a record that the diagram may show.
struct Line {
    /// The number of the command that it is about.
    number: Option<u32>,
    words: String,
}

impl Recorder {
    fn net(&mut self, note: &NetNote<Message>, told: Option<Line>) {
        match *note {
            NetNote::Dialled { from, to, .. } => {
                let shown = self.filter.kinds.contains(&StoryKind::Connection);
                if let Some(line) = told.filter(|_| shown)
                    && let Some(dial) = self.run.dial()
                {
                    let of = self.run.client_at(from).map(|client| (client, None));
                    let words = ("connect".to_owned(), line.words, ArrowLook::Connect);
                    let index = self.push_arrow((from, to), self.run.at(), of, u32::MAX, words);
                    self.entries[index].routine = true;
                    self.dialled.insert(dial, index);
                }
            }
            NetNote::Connected { .. } => {
                if let Some(index) = self.dialled() {
                    self.arrives(index);
                }
            }
            NetNote::ConnectFailed { why, .. } => {
                if let Some(index) = self.dialled() {
                    self.cannot_connect(index, why, told);
                }
            }
            NetNote::Delivered { .. } => {
                let flight = self.run.arrived();
                if let Some(index) = flight.and_then(|flight| self.sent.get(&flight).copied()) {
                    self.arrives(index);
                }
            }
            NetNote::Closed { from, to, how, .. } => {
                let shown = how != Closing::Fin || !self.filter.condensed;
                if let Some(line) = told.filter(|_| shown) {
                    let names = self.run.names();
                    let of = self.run.client_at(to).map(|client| (client, None));
                    let label = labels::closed(&names.host(from), how);
                    let who = (names.role(to), NoteLook::Bad);
                    self.push_note(StoryKind::Connection, of, who, (label, line.words));
                }
            }
        }
    }

    fn cannot_connect(&mut self, index: usize, why: ConnectFailure, told: Option<Line>) {
        let refused = why == ConnectFailure::Refused;
        if refused {
            self.arrives(index);
        }
        self.entries[index].routine = false;
        if let Some(arrow) = self.arrow(index) {
            labels::cannot_connect(why).clone_into(&mut arrow.label);
            arrow.detail = told.map(|line| line.words).unwrap_or_default();
            arrow.look = ArrowLook::Error;
            if !refused {
                arrow.fate = Fate::Lost;
            }
        }
    }

    /// `linked`: whether the node's link was up before, or it was a primary.
    fn at_node(&mut self, node: NodeId, note: NodeNote, linked: bool, told: Option<Line>) {
        let Some(line) = told else {
            return;
        };
        let names = self.run.names();
        let who = HostRole::Node(node);
        match note {
            NodeNote::Gate {
                peer,
                command,
                verdict,
                ..
            } => match verdict {
                GateVerdict::Postponed(_) => {
                    let label = format!("holds {}", labels::command(command, line.number));
                    let client = self.run.client_at(peer);
                    let of = client.map(|client| (client, line.number));
                    let who = (who, NoteLook::Held);
                    self.push_note(StoryKind::Gate, of, who, (label, line.words));
                }
                GateVerdict::Passed | GateVerdict::Redirected(..) | GateVerdict::Rejected(..) => {}
            },
            NodeNote::Released { commands: 0 } => {}
            NodeNote::Released { commands } => {
                let label = format!("runs {} held", words::count(u64::from(commands), "command"));
                let who = (who, NoteLook::Held);
                self.push_note(StoryKind::Node, None, who, (label, line.words));
            }
            NodeNote::Role {
                role,
                primary,
                link,
                ..
            } => {
                let first = self.order == 1 || self.run.at() == Time::ZERO;
                let at_start = !linked && link == LinkState::Up;
                let label = labels::role(names, role, primary, link);
                let who = (who, NoteLook::State);
                let index = self.push_note(StoryKind::Node, None, who, (label, line.words));
                if let Some(index) = index {
                    self.entries[index].routine = first || at_start;
                }
            }
            NodeNote::Failover { state, how, .. } => {
                let (label, look) = labels::failover(state, how);
                let words = (label.to_owned(), line.words);
                self.push_note(StoryKind::Node, None, (who, look), words);
            }
            NodeNote::Cluster(what) => {
                let label = labels::cluster(names, node, what);
                let who = (who, NoteLook::State);
                let index = self.push_note(StoryKind::Node, None, who, (label, line.words));
                if let Some(index) = index {
                    self.entries[index].routine = is_routine(node, what);
                }
            }
            NodeNote::Operator { command, reply } => {
                let mut label = format!("operator: {}", command.name());
                if let Reply::Error(kind) = reply {
                    label.push_str(&format!(", -{}", kind.code()));
                }
                let who = (who, NoteLook::Operator);
                let index = self.push_note(StoryKind::Operator, None, who, (label, line.words));
                if let Some(index) = index {
                    self.put_first(index, node);
                }
            }
        }
    }

    fn at_client(&mut self, client: ClientId, note: ClientNote, told: Option<Line>) {
        match note {
            ClientNote::Hop {
                command,
                to,
                hops,
                bounce,
                ..
            } => {
                let flight = self.run.redirect().and_then(|redirect| redirect.flight);
                if let Some(index) = flight.and_then(|flight| self.sent.remove(&flight)) {
                    let label = labels::hop(self.run.names(), hops, to, bounce);
                    let entry = &mut self.entries[index];
                    entry.of = Some((client, Some(command)));
                    entry.leg = hops - 1;
                    entry.routine = false;
                    if let Drawn::Arrow(arrow) = &mut entry.what {
                        arrow.label = label;
                        if bounce {
                            arrow.look = ArrowLook::Bounce;
                        }
                    }
                }
            }
            ClientNote::Ignored { command, to, .. } => {
                if let Some(line) = told {
                    let label = format!("ignores redirect to {}", self.run.names().listener(to));
                    let who = (HostRole::Client(client), NoteLook::State);
                    let of = Some((client, Some(command)));
                    self.push_note(StoryKind::Command, of, who, (label, line.words));
                }
            }
            ClientNote::Ended {
                command,
                outcome,
                hops,
                took,
                ..
            } => {
                if self.follows(client) {
                    let words = told.map(|line| line.words).unwrap_or_default();
                    self.note_end((client, command), outcome, (hops, took), words);
                }
            }
            ClientNote::Issued { .. } | ClientNote::Element { .. } => {}
        }
    }

    /// Whether the link of the node that an event is about was up before, or it was a primary.
    fn is_linked(&self, event: &Event) -> bool {
        matches!(event, Event::Node(node, _) if self.run.node(*node).linked)
    }

    /// The entry of the attempt to connect that the record in hand ends.
    fn dialled(&mut self) -> Option<usize> {
        self.run.dial().and_then(|dial| self.dialled.remove(&dial))
    }

    fn note_end(
        &mut self,
        of: (ClientId, u32),
        outcome: CommandOutcome,
        (hops, took): (u32, Duration),
        detail: String,
    ) {
        let Some(command) = self.run.client(of.0).command(of.1) else {
            return;
        };
        let told = Told {
            hops,
            held: command.postponed,
            outcome: Some(outcome),
        };
        let name = labels::command(command.kind, Some(of.1));
        self.commands.insert(of, told);
        if outcome == CommandOutcome::Served && hops == 0 && !told.held {
            return;
        }
        let (end, look) = labels::ended(outcome, took);
        let label = format!("{name} {end}");
        let who = (HostRole::Client(of.0), look);
        self.push_note(
            StoryKind::Command,
            Some((of.0, Some(of.1))),
            who,
            (label, detail),
        );
    }
}

/// Whether something in a cluster says nothing new: what others learn of it, and votes, which an
/// arrow shows.
fn is_routine(node: NodeId, what: ClusterEvent) -> bool {
    match what {
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
    }
}
