//! What stops a continued run: a client, a gate, a change of role, a finding and so on.

use rebound_engine::{Duration, Time};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::results::CheckId;
use rebound_sim::scenario::{Names, no_such};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{Gate, GateVerdict, NodeId, Note as NodeNote};

use super::cursor::{Place, Way};
use super::recording::Recording;

/// What can be broken on, as it is typed.
pub const FORMS: &str = "client G/N, gate NAME, role [NODE], failover [NODE], \
                         finding [CHECK], bounce, fault, time T";

/// The words with which a breakpoint begins.
const KINDS: [&str; 8] = [
    "client", "gate", "role", "failover", "finding", "bounce", "fault", "time",
];

/// A breakpoint.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Breakpoint {
    /// Anything about a client but the messages as they arrive.
    Client(ClientId),
    /// A gate stops a command.
    Gate(Gate),
    /// A node, or this one, becomes a primary or ceases to be one.
    Role(Option<NodeId>),
    /// The failover state of a node, or of this one, changes.
    Failover(Option<NodeId>),
    /// A check, or this one, finds something.
    Finding(Option<CheckId>),
    /// A redirect leads back.
    Bounce,
    /// A fault begins or ends.
    Fault,
    /// The first record at that time or later.
    Time(Time),
}

impl Breakpoint {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence that says what was found and what was expected, with the nearest name.
    pub fn parse(text: &str, names: Names<'_>) -> Result<Breakpoint, String> {
        let mut words = text.split_whitespace();
        let kind = words.next().unwrap_or_default();
        let of = words.next();
        if kind.is_empty() {
            return Err(format!("expected {FORMS}"));
        }
        if let Some(more) = words.next() {
            return Err(format!("\"{more}\" is one word too many: expected {FORMS}"));
        }
        let needed = |example: &str| {
            of.ok_or_else(|| {
                format!("break on which {kind}? Expected such as \"{kind} {example}\"")
            })
        };
        let node = || of.map(|name| node_named(name, names)).transpose();
        let alone = |breakpoint| match of {
            None => Ok(breakpoint),
            Some(more) => Err(format!("\"{more}\" is one word too many after \"{kind}\"")),
        };
        match kind {
            "client" => {
                let name = needed("app/3")?;
                Ok(Breakpoint::Client(names.client_named(name)?))
            }
            "gate" => Ok(Breakpoint::Gate(gate_named(needed("StandaloneRedirect")?)?)),
            "role" => Ok(Breakpoint::Role(node()?)),
            "failover" => Ok(Breakpoint::Failover(node()?)),
            "finding" => Ok(Breakpoint::Finding(of.map(check_named).transpose()?)),
            "bounce" => alone(Breakpoint::Bounce),
            "fault" => alone(Breakpoint::Fault),
            "time" => {
                let span = Duration::parse(needed("1.2s")?)?;
                Ok(Breakpoint::Time(Time(span.as_nanos())))
            }
            unknown => Err(no_such("breakpoint", "they", unknown, &KINDS)),
        }
    }

    /// The breakpoint as it is typed.
    pub fn words(self, names: Names<'_>) -> String {
        let with = |kind: &str, of: Option<&str>| match of {
            Some(of) => format!("{kind} {of}"),
            None => kind.to_owned(),
        };
        match self {
            Breakpoint::Client(client) => with("client", Some(&names.client(client))),
            Breakpoint::Gate(gate) => with("gate", Some(gate.name())),
            Breakpoint::Role(node) => with("role", node.map(|node| names.node(node))),
            Breakpoint::Failover(node) => with("failover", node.map(|node| names.node(node))),
            Breakpoint::Finding(check) => with("finding", check.map(CheckId::name)),
            Breakpoint::Bounce => "bounce".to_owned(),
            Breakpoint::Fault => "fault".to_owned(),
            Breakpoint::Time(time) => format!("time {time}"),
        }
    }

    /// Whether the record that has happened last at `place` is one to stop at.
    fn hit(self, recording: &Recording<'_>, index: Place, record: &Record) -> bool {
        let of = |wanted: Option<NodeId>, node| wanted.is_none_or(|wanted| wanted == node);
        match (self, record.event) {
            (Breakpoint::Client(client), _) => recording.concerns(record, client),
            (Breakpoint::Gate(wanted), Event::Node(_, NodeNote::Gate { verdict, .. })) => {
                match verdict {
                    GateVerdict::Passed => false,
                    GateVerdict::Redirected(gate, _)
                    | GateVerdict::Postponed(gate)
                    | GateVerdict::Rejected(gate, _) => gate == wanted,
                }
            }
            (Breakpoint::Role(wanted), Event::Node(node, NodeNote::Role { .. })) => {
                of(wanted, node) && recording.turns_at(index)
            }
            (Breakpoint::Failover(wanted), Event::Node(node, NodeNote::Failover { .. })) => {
                of(wanted, node)
            }
            (Breakpoint::Finding(wanted), _) => recording.findings_at(index).any(|finding| {
                let check = finding.check;
                wanted.is_none_or(|wanted| wanted == check)
            }),
            (Breakpoint::Bounce, Event::Client(_, ClientNote::Hop { bounce, .. })) => bounce,
            (Breakpoint::Fault, Event::Fault { .. }) => true,
            (Breakpoint::Time(time), _) => index == recording.at_time(time),
            (
                Breakpoint::Gate(_)
                | Breakpoint::Role(_)
                | Breakpoint::Failover(_)
                | Breakpoint::Bounce
                | Breakpoint::Fault,
                _,
            ) => false,
        }
    }
}

fn node_named(name: &str, names: Names<'_>) -> Result<NodeId, String> {
    names.node_named(name).map_err(|_| {
        let all: Vec<_> = (0..names.nodes() as u16)
            .map(|node| names.node(NodeId(node)))
            .collect();
        no_such("node", "nodes", name, &all)
    })
}

fn gate_named(name: &str) -> Result<Gate, String> {
    let same = |gate: &Gate| gate.name().eq_ignore_ascii_case(name);
    Gate::ALL.into_iter().find(same).ok_or_else(|| {
        let all = Gate::ALL.map(Gate::name);
        no_such("gate", "gates", name, &all)
    })
}

fn check_named(name: &str) -> Result<CheckId, String> {
    let same = |check: &CheckId| check.name().eq_ignore_ascii_case(name);
    CheckId::ALL.into_iter().find(same).ok_or_else(|| {
        let all = CheckId::ALL.map(CheckId::name);
        no_such("check", "checks", name, &all)
    })
}

/// The breakpoints that are set, in the order in which they were.
#[derive(Clone, Debug, Default)]
pub struct Breakpoints(Vec<Breakpoint>);

impl Breakpoints {
    /// All of them.
    pub fn all(&self) -> &[Breakpoint] {
        &self.0
    }

    /// Sets one more; false if there is such a one.
    pub fn add(&mut self, breakpoint: Breakpoint) -> bool {
        let new = !self.0.contains(&breakpoint);
        if new {
            self.0.push(breakpoint);
        }
        new
    }

    /// Takes away the one of that number, counted from one, or `all`.
    ///
    /// # Errors
    /// A sentence that says which there are.
    pub fn delete(&mut self, which: &str) -> Result<(), String> {
        if which == "all" {
            self.0.clear();
            return Ok(());
        }
        match which.parse::<usize>() {
            Ok(number) if (1..=self.0.len()).contains(&number) => {
                self.0.remove(number - 1);
                Ok(())
            }
            Ok(_) | Err(_) => Err(format!(
                "no breakpoint \"{which}\": expected 1 to {}, or all",
                self.0.len()
            )),
        }
    }

    /// The nearest place beyond `start` where one is hit, and which.
    pub fn next(
        &self,
        recording: &Recording<'_>,
        start: Place,
        way: Way,
    ) -> Option<(Place, Breakpoint)> {
        let hit = |index: Place| {
            let record = recording.record_at(index)?;
            let hit = |breakpoint: &&Breakpoint| breakpoint.hit(recording, index, record);
            self.0.iter().find(hit).map(|found| (index, *found))
        };
        let end = recording.records().len();
        match way {
            Way::Forward => (start.0 + 1..=end).map(Place).find_map(hit),
            Way::Back => (1..start.0).rev().map(Place).find_map(hit),
        }
    }
}
