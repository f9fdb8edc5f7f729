//! What the checks over the history of reads and writes have in common: whose reads count, and
//! which keys.

use crate::client::ClientId;
use crate::scenario::{Action, Plan};
use crate::valkey::Command;

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
        | Action::Restart(_) => Vec::new(),
    }
}
