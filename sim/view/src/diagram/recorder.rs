//! Takes down what a diagram may show while the run goes on.

mod listen;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ArrowLook, Diagram, Fate, Life, NoteLook, labels, rows};
use crate::run::{Changed, Command, DialId, FlightId, Node, Run};
use crate::{Filter, Story, StoryKind};
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::client::{ClientId, CommandOutcome};
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{HostRole, Plan};
use rebound_sim::trace::FaultKind;
use rebound_sim::valkey::{Behaviour, Message, NodeId, Role};

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

/// What became of a command of a client that is shown.
#[derive(Copy, Clone)]
pub(super) struct Told {
    /// Redirects that it has met.
    pub hops: u32,
    /// Whether a node has held it.
    pub held: bool,
    /// How it ended, if it did.
    pub outcome: Option<CommandOutcome>,
}

/// A sink that records a run for a [`Diagram`].
pub struct Recorder {
    pub(super) run: Run,
    pub(super) filter: Filter,
    /// What the story would tell, for the details.
    telling: Filter,
    story: Story,
    pub(super) entries: Vec<Entry>,
    /// What a node became, and when: the time, and its place among all entries.
    pub(super) lives: Vec<(NodeId, (Time, u64), Life)>,
    /// What each node is now.
    life: Vec<Life>,
    /// Commands that have ended; when the run is over, the others too.
    pub(super) commands: BTreeMap<(ClientId, u32), Told>,
    /// The entry of each message, if it has one.
    sent: BTreeMap<FlightId, usize>,
    /// The entry of each attempt to connect that has no end.
    dialled: BTreeMap<DialId, usize>,
    order: u64,
}

impl Recorder {
    /// A recorder of a run of `plan` under `behaviour`, for a diagram of what `filter` wants.
    pub fn new(plan: &Arc<Plan>, behaviour: &'static Behaviour, filter: Filter) -> Recorder {
        let run = Run::new(plan, behaviour);
        let life: Vec<_> = run.nodes().map(|(_, node)| life_of(node)).collect();
        let told = |kind: &StoryKind| *kind != StoryKind::Message;
        Recorder {
            telling: Filter {
                from: Time::ZERO,
                until: Time::NEVER,
                kinds: StoryKind::ALL.into_iter().filter(told).collect(),
                condensed: false,
                ..filter.clone()
            },
            filter,
            story: Story::default(),
            entries: Vec::new(),
            lives: run
                .nodes()
                .map(|(id, node)| (id, (Time::ZERO, 0), life_of(node)))
                .collect(),
            life,
            commands: BTreeMap::new(),
            sent: BTreeMap::new(),
            dialled: BTreeMap::new(),
            order: 0,
            run,
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
        let clients = self.run.clients();
        let followed = clients.filter(|(client, _)| self.follows(*client));
        let open = followed.flat_map(|(client, state)| {
            let told = |command: &Command| Told {
                hops: command.hops,
                held: command.postponed,
                outcome: None,
            };
            let open = state.open();
            open.map(move |command| ((client, command.number), command.kind, told(command)))
        });
        for ((client, number), kind, told) in open.collect::<Vec<_>>() {
            self.commands.insert((client, number), told);
            let label = format!("{}: no end", labels::command(kind, Some(number)));
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
            let client = client.and_then(|client| self.run.names().client_named(client).ok());
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

    /// Adds a note, and says where it is, if it is shown.
    fn push_note(
        &mut self,
        kind: StoryKind,
        of: Option<(ClientId, Option<u32>)>,
        (who, look): (HostRole, NoteLook),
        (label, detail): (String, String),
    ) -> Option<usize> {
        if !self.filter.kinds.contains(&kind) {
            return None;
        }
        // The same fault strikes a node and its end of the cluster bus.
        let again = self.entries.last().is_some_and(|last| match &last.what {
            Drawn::Note {
                at,
                who: w,
                label: l,
                ..
            } => (*at, *w, l) == (self.run.at(), who, &label),
            Drawn::Arrow(_) => false,
        });
        if again {
            return None;
        }
        self.entries.push(Entry {
            order: self.order,
            of,
            leg: u32::MAX,
            routine: false,
            what: Drawn::Note {
                at: self.run.at(),
                who,
                label,
                detail,
                look,
            },
        });
        Some(self.entries.len() - 1)
    }

    /// An operator's command is traced with its reply, after what it does: it is shown before.
    fn put_first(&mut self, place: usize, node: NodeId) {
        let its_doing = |entry: &&Entry| match &entry.what {
            Drawn::Note { at, who, .. } => *at == self.run.at() && *who == HostRole::Node(node),
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
                from: self.run.names().role(from),
                to: self.run.names().role(to),
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

    /// What will never arrive because of the record in hand.
    fn lose(&mut self) {
        let lost = self.run.lost().iter();
        let lost: Vec<usize> = lost
            .filter_map(|flight| self.sent.remove(&flight.id))
            .collect();
        for place in lost {
            if let Some(arrow) = self.arrow(place) {
                arrow.fate = Fate::Lost;
            }
        }
    }

    fn arrives(&mut self, place: usize) {
        let (at, order) = (self.run.at(), self.order);
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

    /// The number of a client's command of which a message is part, and how many redirects it has
    /// met.
    fn asked(&self, client: ClientId, message: Message) -> Option<(u32, u32)> {
        let number = message.number()?;
        if let Some(command) = self.run.client(client).command(number) {
            return self.follows(client).then_some((number, command.hops));
        }
        let told = self.commands.get(&(client, number))?;
        Some((number, told.hops))
    }

    /// What the nodes that the record in hand is about are now.
    fn note_lives(&mut self) {
        for changed in self.run.changed() {
            let Changed::Node(node) = *changed else {
                continue;
            };
            let now = life_of(self.run.node(node));
            let before = std::mem::replace(&mut self.life[usize::from(node.0)], now);
            if before != now {
                self.lives.push((node, (self.run.at(), self.order), now));
            }
        }
    }
}

/// What a node is.
fn life_of(node: &Node) -> Life {
    if !node.up {
        Life::Down
    } else if node.suffers_from(FaultKind::Pause) {
        Life::Stopped
    } else {
        match node.is.role {
            Role::Primary => Life::Primary,
            Role::Replica => Life::Replica,
        }
    }
}
