//! Reads that return a value which was overwritten before they were issued: what `stale-read`
//! reports and `compare` counts.
//!
//! Writes have an order only as far as one had ended when the other was issued; a read is stale
//! if a write to its key was acknowledged before it was issued, and had been issued after the write
//! of the returned value had ended. So nothing is called stale that two overlapping writes could
//! explain.

use super::history::{CommandRef, Scope, Step};
use crate::client::{WriteRange, WrittenKeys};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{Addr, Value, WriteId, Writes};
use rebound_engine::Time;

/// A write, by its place among all of the run.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Written {
    /// When its command was issued.
    pub(crate) issued: Time,
    /// When that ended, served; never if it has not, or not like this: then it may take effect
    /// at any time, or not at all.
    pub(crate) ended: Time,
    /// The command.
    pub(crate) command: CommandRef,
    key: u32,
}

/// A write that was acknowledged.
#[derive(Copy, Clone, Debug)]
struct Acknowledged {
    at: Time,
    write: WriteId,
    /// Of this one and those of its key before it, the one that was issued last.
    newest: WriteId,
    /// The one of its key before it, by place; [`NO_PLACE`] for the first.
    before: u32,
}

const NO_PLACE: u32 = u32::MAX;

/// What is known of a key.
#[derive(Copy, Clone, Debug)]
struct Key {
    /// The latest acknowledged write, by place.
    latest: u32,
    /// Removals without an end: any of them may be why there is no value.
    removals_open: u32,
    /// When the latest removal ended, if there was one.
    removed: Option<Time>,
}

const UNTOUCHED: Key = Key {
    latest: NO_PLACE,
    removals_open: 0,
    removed: None,
};

/// A read that returned an old value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The command.
    pub command: CommandRef,
    /// Who replied.
    pub from: Addr,
    /// What was read.
    pub key: u32,
    /// What it received.
    pub value: Value,
    /// When the read was issued.
    pub issued: Time,
    /// The first acknowledged write that overwrote the value.
    pub overwritten_by: WriteId,
}

/// The history, as far as it is needed to tell fresh from stale.
#[derive(Debug)]
pub struct Freshness {
    scope: Scope,
    writes: Vec<Written>,
    keys: Vec<Key>,
    acknowledged: Vec<Acknowledged>,
}

impl Freshness {
    /// Of a plan's runs. Clients that said `READONLY` read what may be old on purpose, and count
    /// only if the plan says so.
    pub fn new(plan: &Plan) -> Freshness {
        Freshness {
            scope: Scope::new(plan, plan.checks.stale_read.readonly_clients),
            writes: Vec::new(),
            keys: Vec::new(),
            acknowledged: Vec::new(),
        }
    }

    /// Prepares for a new run; memory is kept.
    pub(crate) fn reset(&mut self) {
        self.writes.clear();
        self.keys.clear();
        self.acknowledged.clear();
    }

    /// A write of the run.
    pub(crate) fn written(&self, write: WriteId) -> Option<&Written> {
        self.writes.get(write.0 as usize)
    }

    /// Takes note of an event; the stale read that it is, if it is one.
    #[inline]
    pub fn observe(&mut self, now: Time, event: &Event) -> Option<Stale> {
        match Step::of(now, event)? {
            Step::Issued {
                command,
                writes,
                keys,
            } => {
                self.issued(now, command, writes, keys);
                None
            }
            Step::Read {
                command,
                from,
                key,
                value,
                issued,
            } => self.read(command, from, key, value, issued),
            Step::Served { writes, .. } => {
                self.ended(now, writes);
                None
            }
        }
    }

    fn key(&mut self, key: u32) -> &mut Key {
        let index = key as usize;
        if index >= self.keys.len() {
            self.keys.resize(index + 1, UNTOUCHED);
        }
        &mut self.keys[index]
    }

    fn issued(&mut self, now: Time, command: CommandRef, writes: WriteRange, keys: WrittenKeys) {
        for index in 0..writes.count {
            let key = keys.key(index);
            self.writes.push(Written {
                issued: now,
                ended: Time::NEVER,
                command,
                key,
            });
            if command.2.writes() == Writes::Removes {
                self.key(key).removals_open += 1;
            }
        }
    }

    fn ended(&mut self, now: Time, WriteRange { first, count }: WriteRange) {
        for write in first.0..first.0 + u32::from(count) {
            let Some(written) = self.writes.get_mut(write as usize) else {
                return;
            };
            written.ended = now;
            let Written {
                issued,
                command: (_, _, kind),
                key,
                ..
            } = *written;
            let index = self.acknowledged.len() as u32;
            let state = self.key(key);
            let before = std::mem::replace(&mut state.latest, index);
            if kind.writes() == Writes::Removes {
                state.removals_open -= 1;
                state.removed = Some(now);
            }
            let write = WriteId(write);
            let newest = self
                .acknowledged
                .get(before as usize)
                .map(|before| before.newest)
                .filter(|newest| self.writes[newest.0 as usize].issued > issued)
                .unwrap_or(write);
            self.acknowledged.push(Acknowledged {
                at: now,
                write,
                newest,
                before,
            });
        }
    }

    #[inline]
    fn read(
        &self,
        command: CommandRef,
        from: Addr,
        key: u32,
        value: Value,
        issued: Time,
    ) -> Option<Stale> {
        let state = self.keys.get(key as usize)?;
        let mut latest = self.acknowledged.get(state.latest as usize)?;
        if value == Value::Text(latest.newest) {
            return None;
        }
        while latest.at >= issued {
            latest = self.acknowledged.get(latest.before as usize)?;
        }
        let written = match value {
            Value::Absent if state.removals_open > 0 => return None,
            Value::Absent => state.removed,
            Value::Text(write) => Some(self.written(write)?.ended),
            Value::Number(_) | Value::List(_) | Value::Stream(_) => return None,
        };
        // There was no value at first.
        let overwrites = |write: WriteId| {
            let issued = self.writes[write.0 as usize].issued;
            written.is_none_or(|written| issued > written)
        };
        if !overwrites(latest.newest) || !self.scope.reader(command.0) || !self.scope.key(key) {
            return None;
        }
        // The first that overwrote it says for how long it had been old.
        let mut first = latest.newest;
        let mut older = Some(latest);
        while let Some(acknowledged) = older {
            if !overwrites(acknowledged.newest) {
                break;
            }
            if overwrites(acknowledged.write) {
                first = acknowledged.write;
            }
            older = self.acknowledged.get(acknowledged.before as usize);
        }
        Some(Stale {
            command,
            from,
            key,
            value,
            issued,
            overwritten_by: first,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{plan, read, write};
    use crate::valkey::CommandKind;
    use rebound_engine::Duration;

    fn freshness() -> Freshness {
        Freshness::new(&plan("{}"))
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::millis(millis)
    }

    /// SET of key 5, by its number, from then till then.
    fn set(freshness: &mut Freshness, number: u32, from: u64, until: Option<u64>) {
        for (at, event) in write(CommandKind::Set, number, 5, at(from), until.map(at)) {
            assert_eq!(freshness.observe(at, &event), None);
        }
    }

    /// The write that is said to have overwritten what a GET of key 5 was told.
    fn told(freshness: &mut Freshness, value: Value, from: u64, until: u64) -> Option<u32> {
        let event = read(5, value, at(from), at(until));
        let stale = freshness.observe(at(until), &event)?;
        assert_eq!((stale.key, stale.issued), (5, at(from)));
        Some(stale.overwritten_by.0)
    }

    fn text(write: u32) -> Value {
        Value::Text(WriteId(write))
    }

    #[test]
    fn what_was_overwritten_before_the_read_is_stale() {
        let mut freshness = freshness();
        set(&mut freshness, 0, 0, Some(10));
        set(&mut freshness, 1, 20, Some(30));
        set(&mut freshness, 2, 40, Some(50));
        assert_eq!(told(&mut freshness, text(2), 60, 61), None);
        // Write 1 was the first to overwrite it.
        assert_eq!(told(&mut freshness, text(0), 60, 61), Some(1));
        assert_eq!(told(&mut freshness, text(1), 60, 61), Some(2));
        assert_eq!(told(&mut freshness, Value::Absent, 60, 61), Some(0));
    }

    #[test]
    fn a_read_under_way_when_the_write_was_acknowledged_may_be_told_either() {
        let mut freshness = freshness();
        set(&mut freshness, 0, 0, Some(10));
        set(&mut freshness, 1, 20, Some(30));
        assert_eq!(told(&mut freshness, text(0), 30, 60), None);
        assert_eq!(told(&mut freshness, text(0), 31, 60), Some(1));
    }

    #[test]
    fn writes_under_way_at_one_time_have_no_order() {
        let mut freshness = freshness();
        for number in [0, 1] {
            let begin = &write(CommandKind::Set, number, 5, at(10), Some(at(20)))[0];
            freshness.observe(at(10), &begin.1);
        }
        for number in [0, 1] {
            let end = &write(CommandKind::Set, number, 5, at(10), Some(at(20)))[1];
            freshness.observe(at(20), &end.1);
        }
        assert_eq!(told(&mut freshness, text(0), 30, 31), None);
        assert_eq!(told(&mut freshness, text(1), 30, 31), None);
    }

    #[test]
    fn a_write_without_an_end_may_come_at_any_time() {
        let mut freshness = freshness();
        set(&mut freshness, 0, 0, None);
        set(&mut freshness, 1, 20, Some(30));
        assert_eq!(told(&mut freshness, text(0), 60, 61), None);
    }

    #[test]
    fn a_removal_explains_that_there_is_no_value() {
        let mut freshness = freshness();
        set(&mut freshness, 0, 0, Some(10));
        assert_eq!(told(&mut freshness, Value::Absent, 11, 12), Some(0));
        let removal = write(CommandKind::Del, 1, 5, at(20), Some(at(30)));
        let [begin, end] = &removal[..] else {
            panic!("a begin and an end");
        };
        freshness.observe(begin.0, &begin.1);
        // It is under way.
        assert_eq!(told(&mut freshness, Value::Absent, 21, 22), None);
        freshness.observe(end.0, &end.1);
        assert_eq!(told(&mut freshness, Value::Absent, 31, 32), None);
        assert_eq!(told(&mut freshness, text(0), 31, 32), Some(1));
        set(&mut freshness, 2, 40, Some(50));
        assert_eq!(told(&mut freshness, Value::Absent, 51, 52), Some(2));
    }

    #[test]
    fn a_new_run_knows_nothing_of_the_last() {
        let mut freshness = freshness();
        set(&mut freshness, 0, 0, Some(10));
        freshness.reset();
        assert_eq!(told(&mut freshness, Value::Absent, 60, 61), None);
    }

    #[test]
    fn what_the_operator_writes_and_readers_of_replicas_are_left_out() {
        let plan = |readonly: bool, checks: &str| {
            let text = format!(
                r#"{{
                    "name": "test",
                    "nodes": [{{"name": "old"}}, {{"name": "new", "replica_of": "old"}}],
                    "clients": [{{"name": "app", "readonly": {readonly}}}],
                    "timeline": [
                        {{"at": "1s", "do": {{"command": {{"node": "old", "run": ["DEL 6"]}}}}}}
                    ],
                    "checks": {checks}
                }}"#
            );
            crate::scenario::parse(&text, "test.json").expect("right")
        };
        let stale = |plan: Plan, key| {
            let mut freshness = Freshness::new(&plan);
            for (at, event) in write(CommandKind::Set, 0, key, at(0), Some(at(10))) {
                freshness.observe(at, &event);
            }
            let event = read(key, Value::Absent, at(20), at(21));
            freshness.observe(at(21), &event).is_some()
        };
        assert!(stale(plan(false, "{}"), 5));
        assert!(!stale(plan(false, "{}"), 6));
        assert!(!stale(plan(true, "{}"), 5));
        let counted = r#"{"stale-read": {"readonly_clients": true}}"#;
        assert!(stale(plan(true, counted), 5));
    }
}
