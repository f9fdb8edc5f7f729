//! What the checks over the history of reads and writes have in common: which events are steps of
//! it, whose reads count, and which keys.

use crate::client::{ClientId, CommandOutcome, Note as ClientNote, Saw, WriteRange, WrittenKeys};
use crate::scenario::{Action, Plan};
use crate::trace::Event;
use crate::valkey::{Addr, Command, CommandKind, Value};
use rebound_engine::Time;

/// A command: whose it is, its number with its client, and what it is.
pub(crate) type CommandRef = (ClientId, u32, CommandKind);

/// A step of the history of reads and writes.
#[derive(Copy, Clone, Debug)]
pub(super) enum Step {
    /// A command was issued, which may write.
    Issued {
        command: CommandRef,
        writes: WriteRange,
        keys: WrittenKeys,
    },
    /// A value was read.
    Read {
        command: CommandRef,
        from: Addr,
        key: u32,
        value: Value,
        issued: Time,
    },
    /// A command that read nothing was served, and may have written.
    Served {
        writes: WriteRange,
        from: Addr,
        saw: Saw,
    },
}

impl Step {
    /// The step that an event is, if it is one.
    #[inline]
    pub(super) fn of(now: Time, event: &Event) -> Option<Step> {
        match *event {
            Event::Client(
                client,
                ClientNote::Issued {
                    command,
                    kind,
                    writes,
                    keys,
                },
            ) => Some(Step::Issued {
                command: (client, command, kind),
                writes,
                keys,
            }),
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    kind,
                    outcome: CommandOutcome::Served,
                    took,
                    writes,
                    from,
                    key,
                    saw,
                    ..
                },
            ) => Some(match saw {
                Saw::Value(value) if kind == CommandKind::Get => Step::Read {
                    command: (client, command, kind),
                    from,
                    key,
                    value,
                    issued: Time(now.0 - took.0),
                },
                Saw::Value(_) | Saw::Nothing | Saw::Elements(_) => {
                    Step::Served { writes, from, saw }
                }
            }),
            Event::Client(
                client,
                ClientNote::Element {
                    command,
                    from,
                    key,
                    value,
                    took,
                },
            ) => Some(Step::Read {
                command: (client, command, CommandKind::MGet),
                from,
                key,
                value,
                issued: Time(now.0 - took.0),
            }),
            Event::Client(
                _,
                ClientNote::Ended { .. } | ClientNote::Hop { .. } | ClientNote::Ignored { .. },
            )
            | Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Fault { .. } => None,
        }
    }
}

/// Whose reads, and which keys, a check over the history looks at.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// By client.
    readers: Vec<bool>,
    /// Keys that the operator writes, in order: their history is not the applications' alone.
    foreign: Vec<u32>,
}

impl Scope {
    /// All clients but, unless `readonly_clients` count, those that said `READONLY`.
    pub(super) fn new(plan: &Plan, readonly_clients: bool) -> Scope {
        let readers = plan.groups.iter().flat_map(|group| {
            let counts = readonly_clients || !group.policy.readonly;
            std::iter::repeat_n(counts, group.count as usize)
        });
        let actions = plan.timeline.iter().map(|item| &item.action);
        let actions = actions.chain(plan.faults.specs.iter().map(|fault| &fault.action));
        let mut foreign: Vec<u32> = actions.flat_map(operators_keys).collect();
        foreign.sort_unstable();
        foreign.dedup();
        Scope {
            readers: readers.collect(),
            foreign,
        }
    }

    /// Whether a client's reads count.
    #[inline]
    pub(super) fn reader(&self, client: ClientId) -> bool {
        self.readers[client.0 as usize]
    }

    /// Whether a key is looked at.
    #[inline]
    pub(super) fn key(&self, key: u32) -> bool {
        self.foreign.is_empty() || self.foreign.binary_search(&key).is_err()
    }
}

/// Keys that an action writes by the operator's hand.
fn operators_keys(action: &Action) -> Vec<u32> {
    match action {
        Action::Operator(_, commands) => commands
            .iter()
            .filter(|command| command.write().is_some())
            .filter_map(|command: &Command| command.key())
            .collect(),
        Action::Paths(..)
        | Action::Reset(_)
        | Action::Pause(..)
        | Action::Refuse(..)
        | Action::Slow(..)
        | Action::Crash(..)
        | Action::HostDown(..)
        | Action::Restart(_)
        | Action::Sentinel(_) => Vec::new(),
    }
}
