//! How a story is kept short: what is routine is left out, and long runs become a line.
//!
//! Three things are routine. A command that is served at once is not interesting on its own: its
//! lines are held back until something is shown, and if it ends before, it is only counted. After
//! the first redirects of a command, those that lead back are only counted. And some records never
//! say anything new: acknowledgements between nodes, a gate that lets a node's message pass, a
//! client's greeting on its second connection.

use std::collections::{BTreeMap, BTreeSet};

use super::{StoryKind, StoryLine};
use crate::run::{Ask, Run};
use crate::words;
use rebound_engine::Time;
use rebound_net::{Closing, Note as NetNote};
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote};
use rebound_sim::scenario::Names;
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{Addr, CommandKind, GateVerdict, NodeId, Note as NodeNote};

/// Redirects of a command that are shown one by one.
pub(super) const REDIRECTS_TOLD: u32 = 4;

/// What a condensed story does with a record.
pub(super) enum Treatment {
    /// Tells it.
    Tell,
    /// Leaves it out.
    Leave,
    /// Holds it back until the command ends or something is shown.
    Hold(ClientId, u32),
    /// Counts a command that was served without being shown.
    CountServed(ClientId, u32),
    /// Counts a redirect.
    CountRedirect(ClientId, u32, NodeId, Addr),
}

/// Redirects of one command that were left out.
#[derive(Clone, Default)]
struct Skipped {
    count: u64,
    last: Time,
    between: BTreeSet<String>,
    /// The line of the first of them.
    line: Option<StoryLine>,
}

/// Commands of one client that were left out.
#[derive(Clone)]
struct Quiet {
    count: u64,
    first: Time,
    last: Time,
}

/// What was left out or held back so far.
#[derive(Clone, Default)]
pub(super) struct Condenser {
    /// Commands that were redirected so often that their redirects are counted.
    chains: BTreeMap<(ClientId, u32), Skipped>,
    quiet: BTreeMap<ClientId, Quiet>,
    held: BTreeMap<(ClientId, u32), Vec<StoryLine>>,
    greeted: BTreeSet<(ClientId, CommandKind)>,
}

impl Condenser {
    /// What to do with a record.
    pub(super) fn treatment(&mut self, record: &Record, run: &Run) -> Treatment {
        match record.event {
            Event::Client(client, ClientNote::Issued { command, .. }) => {
                Treatment::Hold(client, command)
            }
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    outcome: CommandOutcome::Served,
                    hops: 0,
                    ..
                },
            ) if self.held.contains_key(&(client, command)) => {
                Treatment::CountServed(client, command)
            }
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    from,
                    to,
                    hops,
                    bounce: true,
                    ..
                },
            ) if hops > REDIRECTS_TOLD => Treatment::CountRedirect(client, command, from, to),
            Event::Node(
                _,
                NodeNote::Gate {
                    peer,
                    command,
                    verdict,
                    ..
                },
            ) => match run.client_at(peer) {
                Some(client) => self.client_gate(client, command, verdict, run),
                None if verdict == GateVerdict::Passed => Treatment::Leave,
                None => Treatment::Tell,
            },
            Event::Net(NetNote::Dialled { from, .. } | NetNote::Connected { from, .. }) => {
                if self.in_chain(run.client_at(from)) {
                    Treatment::Leave
                } else {
                    Treatment::Tell
                }
            }
            Event::Net(NetNote::Closed {
                from,
                how: Closing::Fin,
                ..
            }) => match run.client_at(from) {
                Some(client) if run.stalled(client).is_none() => Treatment::Leave,
                Some(_) | None => Treatment::Tell,
            },
            Event::Client(_, ClientNote::Element { .. }) => Treatment::Leave,
            Event::Client(
                _,
                ClientNote::Ended { .. } | ClientNote::Hop { .. } | ClientNote::Ignored { .. },
            )
            | Event::Net(
                NetNote::ConnectFailed { .. } | NetNote::Delivered { .. } | NetNote::Closed { .. },
            )
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. }
            | Event::Fault { .. } => Treatment::Tell,
        }
    }

    fn client_gate(
        &mut self,
        client: ClientId,
        kind: CommandKind,
        verdict: GateVerdict,
        run: &Run,
    ) -> Treatment {
        match (verdict, run.asked()) {
            (GateVerdict::Passed, Some(asked)) => {
                let held = self.held.contains_key(&(client, asked.number));
                match asked.ask {
                    Ask::First | Ask::Part if asked.hops == 0 && held => {
                        Treatment::Hold(client, asked.number)
                    }
                    Ask::Part => Treatment::Leave,
                    Ask::First | Ask::Again | Ask::Resumed => Treatment::Tell,
                }
            }
            // A greeting.
            (GateVerdict::Passed, None) => {
                if self.greeted.insert((client, kind)) {
                    Treatment::Tell
                } else {
                    Treatment::Leave
                }
            }
            (GateVerdict::Redirected(..), _) if self.in_chain(Some(client)) => Treatment::Leave,
            (
                GateVerdict::Redirected(..) | GateVerdict::Postponed(_) | GateVerdict::Rejected(..),
                _,
            ) => Treatment::Tell,
        }
    }

    fn in_chain(&self, client: Option<ClientId>) -> bool {
        client.is_some_and(|client| {
            let range = (client, 0)..=(client, u32::MAX);
            self.chains.range(range).next().is_some()
        })
    }

    /// Keeps a line back.
    pub(super) fn hold(&mut self, client: ClientId, command: u32, line: StoryLine) {
        self.held.entry((client, command)).or_default().push(line);
    }

    /// A command was served while nothing was shown.
    pub(super) fn count_served(&mut self, client: ClientId, command: u32, at: Time) {
        let held = self.held.remove(&(client, command));
        let first = held
            .iter()
            .flatten()
            .next()
            .map_or(at, |line| Time(line.at_ns));
        let quiet = self.quiet.entry(client).or_insert(Quiet {
            count: 0,
            first,
            last: at,
        });
        quiet.count += 1;
        quiet.first = quiet.first.min(first);
        quiet.last = at;
    }

    /// A redirect that is not shown.
    pub(super) fn count_redirect(
        &mut self,
        (client, command): (ClientId, u32),
        (from, to): (NodeId, Addr),
        at: Time,
        names: Names<'_>,
        line: impl FnOnce() -> StoryLine,
    ) {
        let skipped = self.chains.entry((client, command)).or_default();
        if skipped.count == 0 {
            skipped.between.clear();
            skipped.line = Some(line());
        }
        skipped.count += 1;
        skipped.last = at;
        let node = names.node(from);
        if !skipped.between.contains(node) {
            skipped.between.insert(node.to_owned());
        }
        let to = names.listener(to);
        if !skipped.between.contains(&to) {
            skipped.between.insert(to);
        }
    }

    /// Whether a command's next redirects are counted instead of shown; `hops` have been met.
    pub(super) fn begin_chain(&mut self, client: ClientId, command: u32, hops: u32) {
        if hops >= REDIRECTS_TOLD {
            self.chains.entry((client, command)).or_default();
        }
    }

    /// Whether there are counted redirects of this command that have not been shown yet.
    pub(super) fn owes(&self, client: ClientId, command: u32) -> bool {
        let skipped = self.chains.get(&(client, command));
        skipped.is_some_and(|skipped| skipped.count > 0)
    }

    /// A command has ended, shown or not.
    pub(super) fn forget(&mut self, client: ClientId, command: u32) {
        self.chains.remove(&(client, command));
        self.held.remove(&(client, command));
    }

    /// Everything that has to be shown before the next line, in order of time.
    pub(super) fn flush(&mut self, run: &Run) -> Vec<StoryLine> {
        let names = run.names();
        let mut lines: Vec<StoryLine> = Vec::new();
        for ((client, command), skipped) in &mut self.chains {
            let Some(line) = skipped.line.take() else {
                continue;
            };
            let count = std::mem::replace(&mut skipped.count, 0);
            if count == 1 {
                lines.push(line);
                continue;
            }
            let name = run.client(*client).command(*command);
            let name = name.map_or("command", |command| command.kind.name());
            let between: Vec<_> = skipped.between.iter().map(String::as_str).collect();
            let words = format!(
                "… {} of {name} #{command} between {} until {}, each a BOUNCE",
                words::count(count, "more redirect"),
                between.join(" and "),
                skipped.last
            );
            lines.push(StoryLine {
                other: None,
                words,
                ..line
            });
        }
        for (client, quiet) in std::mem::take(&mut self.quiet) {
            lines.push(StoryLine {
                at_ns: quiet.first.nanos(),
                kind: StoryKind::Command,
                who: names.client(client),
                other: None,
                command: None,
                bounce: false,
                words: format!(
                    "… {} served at once until {}",
                    words::count(quiet.count, "command"),
                    quiet.last
                ),
            });
        }
        lines.extend(std::mem::take(&mut self.held).into_values().flatten());
        lines.sort_by_key(|line| line.at_ns);
        lines
    }
}
