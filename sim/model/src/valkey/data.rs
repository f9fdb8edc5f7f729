//! What a server holds: the keys, and which of the run's writes have reached it.

use super::message::{Elements, WriteId};
use super::replication::ReplOp;

/// The value of a key.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// No such key.
    #[default]
    Absent,
    /// A string, known by the write that set it.
    Text(WriteId),
    /// A counter.
    Number(u32),
    /// A list, by its place in the data's lists.
    List(u32),
    /// A stream with this many entries.
    Stream(u32),
}

/// The values in a run's replies to `MGET`, by [`Elements`]. Messages are too small to carry them.
#[derive(Clone, Debug, Default)]
pub struct ElementLog(Vec<Value>);

impl ElementLog {
    /// Forgets everything but the memory it holds.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the values of a reply.
    pub(super) fn keep(&mut self, values: impl Iterator<Item = Value>) -> Elements {
        let first = self.0.len();
        self.0.extend(values);
        Elements {
            first: first as u32,
            count: (self.0.len() - first) as u16,
        }
    }

    /// The values of a reply.
    pub fn values(&self, elements: Elements) -> &[Value] {
        &self.0[elements.first as usize..][..usize::from(elements.count)]
    }
}

/// The keys and values of a server, with the set of writes that made them.
#[derive(Clone, Debug, Default)]
pub struct Data {
    values: Vec<Value>,
    lists: Vec<Vec<WriteId>>,
    free_lists: Vec<u32>,
    /// One bit per write of the run.
    applied: Vec<u64>,
    /// Keys that expire, and when, in milliseconds since the run's start.
    expires: Vec<(u32, u32)>,
}

/// The key holds another kind of value (`-WRONGTYPE`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WrongType;

impl Data {
    /// Forgets everything but the memory it holds.
    pub fn clear(&mut self) {
        self.values.clear();
        self.applied.clear();
        self.expires.clear();
        self.free_lists.clear();
        for (index, list) in self.lists.iter_mut().enumerate() {
            list.clear();
            self.free_lists.push(index as u32);
        }
    }

    /// Makes this a copy of `other`, reusing the memory it holds.
    pub(crate) fn copy_from(&mut self, other: &Data) {
        self.values.clone_from(&other.values);
        self.lists.clone_from(&other.lists);
        self.free_lists.clone_from(&other.free_lists);
        self.applied.clone_from(&other.applied);
        self.expires.clone_from(&other.expires);
    }

    /// The value of `key`, whether its time is up or not.
    #[inline]
    pub fn get(&self, key: u32) -> Value {
        self.values.get(key as usize).copied().unwrap_or_default()
    }

    /// The keys that there are.
    pub fn keys(&self) -> impl Iterator<Item = u32> + '_ {
        let there = |(_, value): &(usize, &Value)| **value != Value::Absent;
        let all = self.values.iter().enumerate().filter(there);
        all.map(|(key, _)| key as u32)
    }

    /// A key whose time is up at `now`, in milliseconds since the run's start; the first that was
    /// given one.
    pub(crate) fn first_expired(&self, now: u32) -> Option<u32> {
        let due = self.expires.iter().find(|(_, at)| *at <= now);
        due.map(|(key, _)| *key)
    }

    /// Whether the time of `key` is up (`keyIsExpired`).
    #[inline]
    pub(crate) fn is_expired(&self, key: u32, now: u32) -> bool {
        let due = |(of, at): &(u32, u32)| *of == key && *at <= now;
        !self.expires.is_empty() && self.expires.iter().any(due)
    }

    /// Elements of the list at `key`; zero if there is none.
    pub fn list_len(&self, key: u32) -> usize {
        match self.get(key) {
            Value::List(list) => self.lists[list as usize].len(),
            Value::Absent | Value::Text(_) | Value::Number(_) | Value::Stream(_) => 0,
        }
    }

    /// Whether `write` has reached this server.
    #[inline]
    pub fn has(&self, write: WriteId) -> bool {
        let word = self.applied.get((write.0 / 64) as usize);
        word.is_some_and(|word| word & (1 << (write.0 % 64)) != 0)
    }

    /// Notes that `write` has reached this server. Returns whether it had before, which means
    /// that a client's repetition was carried out twice.
    #[inline]
    fn mark(&mut self, write: WriteId) -> bool {
        if write == WriteId::NONE {
            return false;
        }
        let (word, bit) = ((write.0 / 64) as usize, 1 << (write.0 % 64));
        if word >= self.applied.len() {
            self.applied.resize(word + 1, 0);
        }
        let before = self.applied[word] & bit != 0;
        self.applied[word] |= bit;
        before
    }

    fn slot(&mut self, key: u32) -> &mut Value {
        let index = key as usize;
        if index >= self.values.len() {
            self.values.resize(index + 1, Value::Absent);
        }
        &mut self.values[index]
    }

    fn forget_expiry(&mut self, key: u32) {
        if !self.expires.is_empty() {
            self.expires.retain(|(of, _)| *of != key);
        }
    }

    /// The list at `key`, which is created if it does not exist.
    fn list(&mut self, key: u32) -> Result<&mut Vec<WriteId>, WrongType> {
        let list = match *self.slot(key) {
            Value::List(list) => list,
            Value::Absent => {
                let list = self.free_lists.pop().unwrap_or_else(|| {
                    self.lists.push(Vec::new());
                    (self.lists.len() - 1) as u32
                });
                *self.slot(key) = Value::List(list);
                list
            }
            Value::Text(_) | Value::Number(_) | Value::Stream(_) => return Err(WrongType),
        };
        Ok(&mut self.lists[list as usize])
    }

    fn drop_list(&mut self, value: Value) {
        if let Value::List(list) = value {
            self.lists[list as usize].clear();
            self.free_lists.push(list);
        }
    }

    /// Carries out one operation of the replication stream. On a primary this is how a command
    /// is executed, on a replica how it follows. Returns whether the write had been carried out
    /// before.
    ///
    /// # Errors
    /// If the key holds another kind of value; nothing is changed then.
    #[inline]
    pub fn apply(&mut self, op: ReplOp) -> Result<bool, WrongType> {
        match op {
            ReplOp::Set(key, write) => {
                let old = std::mem::replace(self.slot(key), Value::Text(write));
                self.drop_list(old);
                self.forget_expiry(key);
                Ok(self.mark(write))
            }
            ReplOp::Incr(key, write) => {
                let value = self.slot(key);
                *value = match *value {
                    Value::Absent => Value::Number(1),
                    Value::Number(n) => Value::Number(n.wrapping_add(1)),
                    // A string that is no number: the mix of a scenario decides keys' kinds, so
                    // this is an application's error.
                    Value::Text(_) | Value::List(_) | Value::Stream(_) => return Err(WrongType),
                };
                Ok(self.mark(write))
            }
            ReplOp::Del(key, write) => {
                self.remove(key);
                Ok(self.mark(write))
            }
            ReplOp::LPush(key, write) => {
                self.list(key)?.push(write);
                Ok(self.mark(write))
            }
            ReplOp::LPop(key, write) => {
                if let Value::List(list) = self.get(key) {
                    self.lists[list as usize].pop();
                    if self.lists[list as usize].is_empty() {
                        *self.slot(key) = Value::Absent;
                        self.free_lists.push(list);
                        self.forget_expiry(key);
                    }
                }
                Ok(self.mark(write))
            }
            ReplOp::RPush(key, write) => {
                self.list(key)?.insert(0, write);
                Ok(self.mark(write))
            }
            ReplOp::XAdd(key, write) => {
                let value = self.slot(key);
                *value = match *value {
                    Value::Absent => Value::Stream(1),
                    Value::Stream(entries) => Value::Stream(entries.saturating_add(1)),
                    Value::Text(_) | Value::Number(_) | Value::List(_) => return Err(WrongType),
                };
                Ok(self.mark(write))
            }
            ReplOp::FlushAll(write) => {
                for key in 0..self.values.len() as u32 {
                    self.remove(key);
                }
                Ok(self.mark(write))
            }
            ReplOp::ExpireAt(key, at) => {
                self.forget_expiry(key);
                if self.get(key) != Value::Absent {
                    self.expires.push((key, at));
                }
                Ok(false)
            }
            ReplOp::Expired(key) => {
                self.remove(key);
                Ok(false)
            }
            ReplOp::Ping
            | ReplOp::GetAck
            | ReplOp::Publish(_)
            | ReplOp::HandOver(_)
            | ReplOp::HandOverOff => Ok(false),
        }
    }

    fn remove(&mut self, key: u32) {
        let old = std::mem::take(self.slot(key));
        self.drop_list(old);
        self.forget_expiry(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_found_again_and_repetitions_seen() {
        let mut data = Data::default();
        assert_eq!(data.apply(ReplOp::Set(3, WriteId(70))), Ok(false));
        assert!(data.has(WriteId(70)) && !data.has(WriteId(71)) && !data.has(WriteId(6)));
        assert_eq!(data.apply(ReplOp::Set(3, WriteId(70))), Ok(true));
        assert_eq!(data.get(3), Value::Text(WriteId(70)));
        assert_eq!(data.apply(ReplOp::Set(3, WriteId::NONE)), Ok(false));
    }

    #[test]
    fn lists_come_and_go() {
        let mut data = Data::default();
        for write in 0..3 {
            assert_eq!(data.apply(ReplOp::LPush(1, WriteId(write))), Ok(false));
        }
        assert_eq!(data.list_len(1), 3);
        for write in 3..6 {
            assert_eq!(data.apply(ReplOp::LPop(1, WriteId(write))), Ok(false));
        }
        assert_eq!(data.get(1), Value::Absent);
        assert_eq!(data.apply(ReplOp::Set(1, WriteId(9))), Ok(false));
        assert_eq!(data.apply(ReplOp::LPush(1, WriteId(10))), Err(WrongType));
        assert_eq!(data.apply(ReplOp::Incr(1, WriteId(11))), Err(WrongType));
        assert!(!data.has(WriteId(10)));
    }

    #[test]
    fn both_ends_of_a_list_are_kept_apart() {
        let mut data = Data::default();
        for (end, write) in [(ReplOp::LPush as fn(_, _) -> _, 1), (ReplOp::RPush, 2)] {
            data.apply(end(1, WriteId(write))).expect("a list");
        }
        // What came in on the left goes first, as for BLPOP.
        assert_eq!(data.list(1), Ok(&mut vec![WriteId(2), WriteId(1)]));
        data.apply(ReplOp::FlushAll(WriteId(3))).expect("no key");
        assert_eq!((data.list_len(1), data.keys().count()), (0, 0));
        assert!(data.has(WriteId(2)) && data.has(WriteId(3)));
    }

    #[test]
    fn a_key_expires_at_its_time_and_a_new_value_does_not() {
        let mut data = Data::default();
        data.apply(ReplOp::ExpireAt(4, 10)).expect("no key");
        assert_eq!(data.first_expired(10), None, "there is no such key");
        data.apply(ReplOp::Set(4, WriteId(1))).expect("a key");
        data.apply(ReplOp::ExpireAt(4, 10)).expect("a key");
        assert!(!data.is_expired(4, 9) && data.is_expired(4, 10) && !data.is_expired(5, 10));
        assert_eq!(
            data.get(4),
            Value::Text(WriteId(1)),
            "nobody has removed it"
        );
        data.apply(ReplOp::Set(4, WriteId(2))).expect("a key");
        assert!(!data.is_expired(4, 10));
        data.apply(ReplOp::ExpireAt(4, 10)).expect("a key");
        data.apply(ReplOp::Expired(4)).expect("a key");
        assert_eq!((data.get(4), data.first_expired(10)), (Value::Absent, None));
    }

    #[test]
    fn a_copy_is_a_copy() {
        let mut data = Data::default();
        data.apply(ReplOp::Incr(2, WriteId(1))).expect("a counter");
        let mut copy = Data::default();
        copy.apply(ReplOp::LPush(9, WriteId(5))).expect("a list");
        copy.copy_from(&data);
        assert_eq!(
            (copy.get(2), copy.get(9)),
            (Value::Number(1), Value::Absent)
        );
        assert!(copy.has(WriteId(1)) && !copy.has(WriteId(5)));
    }
}
