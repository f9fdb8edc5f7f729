//! `linearizability`: no order of the operations on a key explains what was read.
//!
//! Each key is judged separately, which is enough: a history is linearizable if each object's is
//! (Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", 1990).

mod explain;
mod operation;
mod search;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::operation::{Action, Operation, prepare};
use self::search::{MOST_OPEN, MOST_STEPS, Verdict, judge};
use super::history::{CommandRef, Scope, Step};
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::client::{Saw, WriteRange, WrittenKeys};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{Addr, Value};
use rebound_engine::Time;

/// Whose operation it is, and who answered.
#[derive(Copy, Clone, Debug)]
struct Whose {
    command: CommandRef,
    /// The node that acknowledged it or returned the value.
    from: Option<Addr>,
}

/// The check, with the history of a run.
pub(super) struct Linearizability {
    plan: Arc<Plan>,
    scope: Scope,
    operations: Vec<Operation>,
    /// Of each operation.
    whose: Vec<Whose>,
    /// The operation of each write of the run, if it is looked at.
    writes: Vec<Option<u32>>,
}

impl Check for Linearizability {
    const LISTENS: Topics = Topics::of(&[Topic::Issued, Topic::Element, Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> Linearizability {
        let config = &plan.checks.linearizability;
        Linearizability {
            plan: plan.clone(),
            scope: Scope::new(plan, config.readonly_clients),
            operations: Vec::new(),
            whose: Vec::new(),
            writes: Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.operations.clear();
        self.whose.clear();
        self.writes.clear();
    }

    /// A command was issued or has ended, or one of the values of an `MGET` is there.
    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, _findings: &mut Findings) {
        match Step::of(now, event) {
            Some(Step::Issued {
                command,
                writes,
                keys,
            }) => self.issued(now, command, writes, keys),
            Some(Step::Read {
                command,
                from,
                key,
                value,
                issued,
            }) => self.read(issued, now, command, from, key, value),
            Some(Step::Served { writes, from, saw }) => self.acknowledged(now, writes, from, saw),
            None => {}
        }
    }

    /// Judges each key.
    fn end(&mut self, ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
        let mut places: Vec<u32> = (0..self.operations.len() as u32).collect();
        places.sort_by_key(|place| self.operations[*place as usize].key);
        for places in places.chunk_by(|one, other| {
            self.operations[*one as usize].key == self.operations[*other as usize].key
        }) {
            self.judge_key(places, ending.at, findings);
        }
    }
}

impl Linearizability {
    fn issued(&mut self, now: Time, command: CommandRef, writes: WriteRange, keys: WrittenKeys) {
        for place in 0..writes.count {
            let write = crate::valkey::WriteId(writes.first.0 + u32::from(place));
            let key = keys.key(place);
            let action = Action::of_write(command.2, write).filter(|_| self.scope.key(key));
            self.writes
                .push(action.map(|_| self.operations.len() as u32));
            if let Some(action) = action {
                self.operations.push(Operation {
                    key,
                    invoked: now,
                    returned: Time::NEVER,
                    action,
                });
                self.whose.push(Whose {
                    command,
                    from: None,
                });
            }
        }
    }

    fn acknowledged(&mut self, now: Time, writes: WriteRange, from: Addr, saw: Saw) {
        for write in writes.first.0..writes.first.0.saturating_add(u32::from(writes.count)) {
            let Some(Some(place)) = self.writes.get(write as usize) else {
                continue;
            };
            let place = *place as usize;
            let operation = &mut self.operations[place];
            operation.returned = now;
            if let (Action::Increment(told), Saw::Value(Value::Number(number))) =
                (&mut operation.action, saw)
            {
                *told = Some(number);
            }
            self.whose[place].from = Some(from);
        }
    }

    fn read(
        &mut self,
        invoked: Time,
        returned: Time,
        command: CommandRef,
        from: Addr,
        key: u32,
        value: Value,
    ) {
        if !self.scope.reader(command.0) || !self.scope.key(key) {
            return;
        }
        self.operations.push(Operation {
            key,
            invoked,
            returned,
            action: Action::Read(value),
        });
        self.whose.push(Whose {
            command,
            from: Some(from),
        });
    }

    fn judge_key(&self, places: &[u32], end: Time, findings: &mut Findings) {
        let all: Vec<Operation> = places
            .iter()
            .map(|place| self.operations[*place as usize])
            .collect();
        let history: Vec<Operation> = prepare(&all).into_iter().map(|(_, one)| one).collect();
        let key = all[0].key;
        match judge(&history) {
            Verdict::Linearizable => {}
            Verdict::Impossible => findings.add(CheckId::Linearizability, || {
                let whose = |place: usize| &self.whose[places[place] as usize];
                let (last, why) = explain::in_words(&self.plan, &all, whose);
                let (at, command) = (all[last].returned, whose(last).command);
                Found::of_command(CheckId::Linearizability, at, command, why)
            }),
            Verdict::TooManyOpen(open) => undecided(key, end, findings, || {
                format!("{open} operations on it were open at once, and the limit is {MOST_OPEN}")
            }),
            Verdict::TooLong(open) => undecided(key, end, findings, || {
                format!(
                    "{MOST_STEPS} steps were not enough to place one operation on it, with {open} \
                     open at once"
                )
            }),
        }
    }
}

/// Says that a key was not judged: the run is inconclusive, unless something else was found.
fn undecided(key: u32, at: Time, findings: &mut Findings, why: impl Fn() -> String) {
    findings.add(CheckId::BudgetExceeded, || {
        let why = format!("linearizability is not decided for key {key}: {}.", why());
        Found::of_nodes(CheckId::BudgetExceeded, at, why)
    });
}
