//! The search for an order: just-in-time linearization with memory of what was seen (Wing and
//! Gong, "Testing and Verifying Concurrent Objects", 1993; Lowe, "Testing for Linearizability",
//! 2017).
//!
//! The history is gone through in the order of time, with the set of all states that the key can
//! be in. An operation that ends must have taken effect in each of them, possibly after others in
//! progress; states in which it cannot have are dropped. If none is left, there is no order. Where
//! no operation is in progress, a state is a value and nothing more, so what the search needs does
//! not grow with the history.
//!
//! That each write has a value of its own keeps states few. A value that is still to be read
//! cannot be overwritten yet. Once nobody reads it any more it does not matter which one it was,
//! and every write under way whose value nobody is still to read may as well take effect at once,
//! with the reads of it. And of operations that do the same, the one that ends first goes first.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Action, Operation};
use crate::valkey::{Value, WriteId};
use rebound_engine::Time;

/// How many operations on a key may be in progress at the same time.
pub(super) const MOST_OPEN: usize = 128;

/// Steps that are taken to end one operation: others that take effect before it in some state.
pub(super) const MOST_STEPS: u32 = 10_000;

/// What became of a search.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none.
    Impossible,
    /// More operations were in progress than the search can hold.
    TooManyOpen(usize),
    /// It was given up, with this many operations open.
    TooLong(usize),
}

/// A key's value, as far as it matters from here on.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    /// Something that nobody reads any more.
    Unread,
    Nothing,
    Text(u32),
    Number(u32),
}

impl Holds {
    fn of(value: Value) -> Option<Holds> {
        match value {
            Value::Absent => Some(Holds::Nothing),
            Value::Text(write) => Some(Holds::Text(write.0)),
            Value::Number(number) => Some(Holds::Number(number)),
            Value::List(_) | Value::Stream(_) => None,
        }
    }
}

/// A state that the key can be in: its value, and which of the operations in progress have taken
/// effect, one bit each.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Configuration {
    holds: Holds,
    done: u128,
}

/// Whether there is an order of these operations on a key, which has no value at first.
pub(super) fn judge(history: &[Operation]) -> Verdict {
    judge_within(history, MOST_STEPS)
}

/// Like [`judge`], with a given number of steps for each operation.
pub(super) fn judge_within(history: &[Operation], most_steps: u32) -> Verdict {
    // At one time, what begins is looked at before what ends: then they may overlap.
    let mut moments: Vec<(Time, bool, usize)> = Vec::with_capacity(history.len() * 2);
    for (index, operation) in history.iter().enumerate() {
        moments.push((operation.invoked, false, index));
        if operation.returned < Time::NEVER {
            moments.push((operation.returned, true, index));
        }
    }
    moments.sort_unstable();
    let mut search = Search::new(history);
    for (_, ends, index) in moments {
        let result = if ends {
            search.end(index, most_steps)
        } else {
            search.begin(index)
        };
        if let Err(verdict) = result {
            return verdict;
        }
    }
    Verdict::Linearizable
}

struct Search<'a> {
    history: &'a [Operation],
    /// Operations in progress, by bit.
    open: Vec<Option<usize>>,
    states: BTreeSet<Configuration>,
    /// Reads of each value that have not begun.
    to_come: BTreeMap<Holds, u32>,
    /// Reads of no value that have not ended: until then a removal may be what they saw.
    unseen: u32,
    /// Whether the key is a counter: then every value matters to the next increment.
    counter: bool,
}

impl<'a> Search<'a> {
    fn new(history: &'a [Operation]) -> Search<'a> {
        let mut to_come = BTreeMap::new();
        let mut unseen = 0;
        for operation in history {
            if let Action::Read(value) = operation.action
                && let Some(holds) = Holds::of(value)
            {
                *to_come.entry(holds).or_insert(0) += 1;
                unseen += u32::from(holds == Holds::Nothing);
            }
        }
        let counter = |operation: &Operation| matches!(operation.action, Action::Increment(_));
        let mut search = Search {
            history,
            open: Vec::new(),
            states: BTreeSet::new(),
            to_come,
            unseen,
            counter: history.iter().any(counter),
        };
        let first = search.settled(Configuration {
            holds: Holds::Nothing,
            done: 0,
        });
        search.states.insert(first);
        search
    }

    fn under_way(&self) -> usize {
        self.open.iter().flatten().count()
    }

    /// The operations in progress that have not taken effect in a state, with their bits.
    fn pending(&self, done: u128) -> impl Iterator<Item = (u128, usize)> {
        let open = self.open.iter().enumerate();
        open.filter_map(move |(bit, index)| Some((1 << bit, (*index)?)))
            .filter(move |(bit, _)| done & bit == 0)
    }

    fn begin(&mut self, index: usize) -> Result<(), Verdict> {
        let slot = match self.open.iter().position(Option::is_none) {
            Some(slot) => slot,
            None if self.open.len() < MOST_OPEN => {
                self.open.push(None);
                self.open.len() - 1
            }
            None => return Err(Verdict::TooManyOpen(self.under_way() + 1)),
        };
        self.open[slot] = Some(index);
        if let Action::Read(value) = self.history[index].action
            && let Some(left) = Holds::of(value).and_then(|holds| self.to_come.get_mut(&holds))
        {
            *left -= 1;
        }
        self.settle_all();
        Ok(())
    }

    fn end(&mut self, index: usize, most_steps: u32) -> Result<(), Verdict> {
        let Some(slot) = self.open.iter().position(|open| *open == Some(index)) else {
            return Ok(());
        };
        let bit = 1 << slot;
        let mut kept = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut ahead = Vec::new();
        let mut steps = 0;
        for state in &self.states {
            if state.done & bit != 0 {
                kept.insert(*state);
            } else {
                ahead.push(*state);
            }
        }
        while let Some(state) = ahead.pop() {
            for (other, next) in self.pending(state.done) {
                let Some(holds) = self.effect(state, next) else {
                    continue;
                };
                steps += 1;
                if steps > most_steps {
                    return Err(Verdict::TooLong(self.under_way()));
                }
                let after = self.settled(Configuration {
                    holds,
                    done: state.done | other,
                });
                if after.done & bit != 0 {
                    kept.insert(after);
                } else if seen.insert(after) {
                    ahead.push(after);
                }
            }
        }
        if kept.is_empty() {
            return Err(Verdict::Impossible);
        }
        self.open[slot] = None;
        if self.history[index].action == Action::Read(Value::Absent) {
            self.unseen -= 1;
        }
        self.states = kept
            .into_iter()
            .map(|state| Configuration {
                done: state.done & !bit,
                ..state
            })
            .collect();
        self.settle_all();
        Ok(())
    }

    fn settle_all(&mut self) {
        let states = std::mem::take(&mut self.states);
        self.states = states
            .into_iter()
            .map(|state| self.settled(state))
            .collect();
    }

    /// Whether nobody reads a value any more, now that all reads of it in progress have taken
    /// effect.
    fn is_unread(&self, holds: Holds) -> bool {
        !self.counter && self.to_come.get(&holds).is_none_or(|left| *left == 0)
    }

    /// A state with everything that may as well take effect at once: reads of its value, and, if
    /// nobody reads that any more, writes that nobody reads.
    fn settled(&self, mut state: Configuration) -> Configuration {
        for (bit, index) in self.pending(state.done) {
            if let Action::Read(value) = self.history[index].action
                && Holds::of(value) == Some(state.holds)
            {
                state.done |= bit;
            }
        }
        if !self.is_unread(state.holds) {
            return state;
        }
        state.holds = Holds::Unread;
        let before = state.done;
        for (bit, index) in self.pending(before) {
            let Operation {
                action, returned, ..
            } = self.history[index];
            let unread = match action {
                Action::Write(write) => self.is_unread(Holds::Text(write.0)),
                // All operations that read it are in progress: they see it before anything
                // overwrites it.
                Action::Read(Value::Text(write)) => {
                    self.is_unread(Holds::Text(write.0)) && self.is_pending(before, write)
                }
                Action::Remove => self.unseen == 0 && returned < Time::NEVER,
                Action::Read(_) | Action::Increment(_) => false,
            };
            if unread {
                state.done |= bit;
            }
        }
        state
    }

    /// The value after an operation has taken effect in a state, if it can.
    fn effect(&self, state: Configuration, index: usize) -> Option<Holds> {
        let Operation {
            action, returned, ..
        } = self.history[index];
        // Who reads the present value later would never see it again.
        let replaceable = self.counter || matches!(state.holds, Holds::Unread | Holds::Nothing);
        match action {
            Action::Read(_) => None,
            Action::Write(write) => replaceable.then_some(Holds::Text(write.0)),
            Action::Remove => {
                let useless = returned == Time::NEVER && self.unseen == 0;
                let first = !self.has_elder(state.done, index);
                (replaceable && first && !useless).then_some(Holds::Nothing)
            }
            Action::Increment(told) => {
                let number = match state.holds {
                    Holds::Nothing => 1,
                    Holds::Number(number) => number.wrapping_add(1),
                    Holds::Text(_) | Holds::Unread => return None,
                };
                let fits = match told {
                    Some(told) => told == number,
                    None => !self.has_elder(state.done, index),
                };
                fits.then_some(Holds::Number(number))
            }
        }
    }

    /// Whether an equal operation is in progress and ends before this one: wherever
    /// the two take effect, they may as well do so in that order.
    fn has_elder(&self, done: u128, index: usize) -> bool {
        let one = &self.history[index];
        self.pending(done).any(|(_, other)| {
            let elder = &self.history[other];
            elder.action == one.action && (elder.returned, other) < (one.returned, index)
        })
    }

    /// Whether a write is in progress and has not taken effect.
    fn is_pending(&self, done: u128, write: WriteId) -> bool {
        self.pending(done)
            .any(|(_, index)| self.history[index].action == Action::Write(write))
    }
}
