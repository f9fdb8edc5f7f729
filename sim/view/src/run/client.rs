//! What is known of a client.

use std::collections::BTreeMap;

use super::command::{Command, Whereabouts};
use super::state::{ClientState, CommandState};
use super::wire::Connection;
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::client::{ClientId, CommandOutcome};
use rebound_sim::scenario::Names;
use rebound_sim::valkey::CommandKind;

/// A client.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// How many connections there are to each host: open, and being dialled.
    hosts: BTreeMap<HostId, [u64; 2]>,
    /// In the order of their numbers.
    commands: Vec<Command>,
    served: u64,
    failed: u64,
    hops: u64,
    bounces: u64,
}

/// Places in the counts of connections.
const OPEN: usize = 0;
const DIALLING: usize = 1;

impl Client {
    /// A command that has no end, or whose end is the record in hand.
    pub fn command(&self, number: u32) -> Option<&Command> {
        let index = self.index(number)?;
        self.commands.get(index)
    }

    /// The commands that have no end, oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Command> {
        let has_no_end = |command: &&Command| command.outcome.is_none();
        self.commands.iter().filter(has_no_end)
    }

    /// The client's oldest command to which nothing has happened for a while, and since when.
    pub(crate) fn stalled(&self, since: Time) -> Option<&Command> {
        self.commands.iter().find(|command| command.last <= since)
    }

    fn index(&self, number: u32) -> Option<usize> {
        let by_number = |command: &Command| command.number;
        self.commands.binary_search_by_key(&number, by_number).ok()
    }

    pub(super) fn command_mut(&mut self, number: u32) -> Option<&mut Command> {
        let index = self.index(number)?;
        self.commands.get_mut(index)
    }

    pub(super) fn dials(&mut self, to: HostId) {
        self.hosts.entry(to).or_default()[DIALLING] += 1;
    }

    pub(super) fn is_connected(&mut self, to: HostId) {
        let counts = self.hosts.entry(to).or_default();
        counts[DIALLING] -= 1;
        counts[OPEN] += 1;
    }

    pub(super) fn is_disconnected(&mut self, connection: Connection) {
        let which = if connection.established {
            OPEN
        } else {
            DIALLING
        };
        self.hosts.entry(connection.to).or_default()[which] -= 1;
    }

    pub(super) fn issues(&mut self, number: u32, kind: CommandKind, at: Time) {
        let command = Command::issued(number, kind, at);
        // They come in order; whoever makes records by hand may not keep to that.
        let index = self.commands.partition_point(|each| each.number < number);
        self.commands.insert(index, command);
    }

    pub(super) fn follows(&mut self, bounce: bool) {
        self.hops += 1;
        self.bounces += u64::from(bounce);
    }

    pub(super) fn ends(&mut self, number: u32, outcome: CommandOutcome) {
        match outcome {
            CommandOutcome::Served => self.served += 1,
            CommandOutcome::Error(_)
            | CommandOutcome::Redirect
            | CommandOutcome::TimedOut
            | CommandOutcome::Disconnected
            | CommandOutcome::Unreachable => self.failed += 1,
        }
        if let Some(command) = self.command_mut(number) {
            command.outcome = Some(outcome);
        }
    }

    pub(super) fn forget(&mut self, number: u32) {
        if let Some(index) = self.index(number) {
            self.commands.remove(index);
        }
    }

    pub(super) fn cut_off(&mut self, node: rebound_sim::valkey::NodeId) {
        for command in &mut self.commands {
            command.cut_off(node);
        }
    }

    pub(super) fn state(&self, names: Names<'_>, client: ClientId) -> ClientState {
        let to = |which: usize| {
            let there = self.hosts.iter();
            let there = there.filter(move |(_, counts)| counts[which] > 0);
            let mut to: Vec<_> = there.map(|(host, _)| names.host(*host)).collect();
            to.sort_unstable();
            to
        };
        ClientState {
            client: names.client(client),
            connected_to: to(OPEN),
            connections: self.hosts.values().map(|counts| counts[OPEN]).sum(),
            dialling: to(DIALLING),
            open: self.open().map(|command| command.state(names)).collect(),
            served: self.served,
            failed: self.failed,
            hops: self.hops,
            bounces: self.bounces,
        }
    }
}

impl Command {
    fn state(&self, names: Names<'_>) -> CommandState {
        let now = match self.now {
            Whereabouts::Issued => "issued".to_owned(),
            Whereabouts::Passed(node) => format!("passed all gates of {}", names.node(node)),
            Whereabouts::Postponed(node, gate) => {
                format!("postponed by {} ({})", names.node(node), gate.name())
            }
            Whereabouts::Redirected(node, gate, to) => format!(
                "redirected by {} to {} ({})",
                names.node(node),
                names.listener(to),
                gate.name()
            ),
            Whereabouts::Rejected(node, gate) => {
                format!("rejected by {} ({})", names.node(node), gate.name())
            }
            Whereabouts::Follows(from, to) => format!(
                "follows a redirect of {} to {}",
                names.node(from),
                names.listener(to)
            ),
            Whereabouts::Ignores(from) => {
                format!("ignores a redirect of {} as out of date", names.node(from))
            }
        };
        CommandState {
            command: format!("{} #{}", self.kind.name(), self.number),
            issued_at_ns: self.issued_at.nanos(),
            hops: self.hops,
            bounces: self.bounces,
            now,
        }
    }
}
