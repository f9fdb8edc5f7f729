//! Takes down what a diagram may show while the run goes on.

mod listen;

use std::collections::BTreeMap;

use super::flight::Flights;
use super::lives::Lives;
use super::{ArrowLook, Diagram, Fate, NoteLook, labels, rows};
use crate::{Filter, Story, StoryKind};
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::client::{ClientId, CommandOutcome};
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{HostRole, Names, Plan};
use rebound_sim::valkey::{Behaviour, CommandKind, Message, NodeId};

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
}

/// A sink that records a run for a [`Diagram`].
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
        let open = self
            .commands
            .iter()
            .filter(|(_, told)| told.outcome.is_none());
        let open: Vec<_> = open.map(|(of, told)| (*of, *told)).collect();
        for ((client, number), told) in open {
            let label = format!("{}: no end", labels::command(told.kind, Some(number)));
            let detail = format!("{label} by the end of the run");
            let of = Some((client, Some(number)));
            let look = NoteLook::Bad;
            self.order += 1;
            self.push_note(
                StoryKind::Command,
                of,
                (HostRole::Client(client), look),
                (label, detail),
            );
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
            Drawn::Note {
                at,
                who: w,
                label: l,
                ..
            } => (*at, *w, l) == (self.now, who, &label),
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

    /// An operator's command is traced with its reply, after what it does: it is shown before.
    fn put_first(&mut self, place: usize, node: NodeId) {
        if place >= self.entries.len() {
            return;
        }
        let its_doing = |entry: &&Entry| match &entry.what {
            Drawn::Note { at, who, .. } => *at == self.now && *who == HostRole::Node(node),
            Drawn::Arrow(_) => false,
        };
        let doings = self.entries[..place].iter().rev().take_while(its_doing);
        if let Some(first) = doings.last() {
            self.entries[place].order = first.order - 1;
        }
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

    /// The number of a client's command of which a message is part, and how many redirects it has
    /// met.
    fn asked(&self, client: ClientId, message: Message) -> Option<(u32, u32)> {
        let number = message.number()?;
        let told = self.commands.get(&(client, number))?;
        Some((number, told.hops))
    }
}
