//! Operations on one key, and what is known of them before the search.

use std::collections::BTreeMap;

use crate::valkey::{CommandKind, Value, WriteId, Writes};
use rebound_engine::Time;

/// What an operation does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Returns this value.
    Read(Value),
    /// Sets the value that is known by this write.
    Write(WriteId),
    /// Leaves the key without a value.
    Remove,
    /// Adds one, and returns this number; nothing if it is not known to have happened.
    Increment(Option<u32>),
}

impl Action {
    /// What a write of a command of this kind does; none for those that are not looked at.
    pub(super) fn of_write(kind: CommandKind, write: WriteId) -> Option<Action> {
        match kind.writes() {
            Writes::Sets => Some(Action::Write(write)),
            Writes::Removes => Some(Action::Remove),
            Writes::Increments => Some(Action::Increment(None)),
            Writes::Nothing | Writes::Otherwise => None,
        }
    }
}

/// An operation, from the issue of its command to its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) key: u32,
    pub(super) invoked: Time,
    /// Never, if its outcome is unknown: it takes effect at any time from its issue on, or not.
    pub(super) returned: Time,
    pub(super) action: Action,
}

/// The operations of a key that matter, each with its place among `all`.
///
/// A write of unknown outcome that nobody read is left out: an order with it is one without it as
/// well, since each write has a value of its own. One that was read took effect before that read
/// ended, so this is its end.
pub(super) fn prepare(all: &[Operation]) -> Vec<(usize, Operation)> {
    let mut read: BTreeMap<WriteId, Time> = BTreeMap::new();
    for operation in all {
        if let Action::Read(Value::Text(write)) = operation.action {
            let earliest = read.entry(write).or_insert(operation.returned);
            *earliest = operation.returned.min(*earliest);
        }
    }
    let known = all.iter().enumerate().filter_map(|(index, operation)| {
        let Action::Write(write) = operation.action else {
            return Some((index, *operation));
        };
        let returned = match (operation.returned, read.get(&write)) {
            (Time::NEVER, None) => return None,
            (Time::NEVER, Some(read)) => *read,
            (returned, _) => returned,
        };
        Some((
            index,
            Operation {
                returned,
                ..*operation
            },
        ))
    });
    known.collect()
}
