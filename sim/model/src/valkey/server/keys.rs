//! What the data looks like to commands: expiry, `WATCH`, and commands about what there is.

use super::super::data::Value;
use super::super::error::ErrorKind;
use super::super::message::{Encoding, Reply};
use super::super::replication::ReplOp;
use super::{ConnSlot, Server, Turn};
use rebound_engine::Time;

/// The present in milliseconds, as deadlines of keys are kept; past 49 days nothing expires.
pub(super) fn milliseconds(now: Time) -> u32 {
    u32::try_from(now.0 / 1_000_000).unwrap_or(u32::MAX)
}

impl Server {
    /// `expireIfNeeded` (8.0.1, db.c): a primary removes a key whose time is up when it meets it,
    /// and tells its replicas; not while a pause lasts (`PAUSE_ACTION_EXPIRE`, which every pause
    /// has). A replica waits for its primary to delete it.
    #[inline]
    pub(super) fn expire_if_needed(&mut self, key: u32, turn: &mut Turn<'_>) {
        if self.data.is_expired(key, milliseconds(turn.now)) {
            self.expire(key);
        }
    }

    #[cold]
    fn expire(&mut self, key: u32) {
        if self.primary.is_some() || !self.pause.is_empty() {
            return;
        }
        let op = ReplOp::Expired(key);
        let removed = self.data.apply(op);
        debug_assert!(removed.is_ok(), "any key can be removed");
        self.touch_watched(op);
        self.propagate(op);
    }

    /// `activeExpireCycle` (8.0.1, expire.c), in each `serverCron`: all that are due, where
    /// Valkey takes samples.
    pub(super) fn active_expire(&mut self, turn: &mut Turn<'_>) {
        if self.primary.is_some() || !self.pause.is_empty() {
            return;
        }
        while let Some(key) = self.data.first_expired(milliseconds(turn.now)) {
            self.expire(key);
        }
    }

    /// The value of a key to a command (`lookupKey`): one whose time is up reads as absent,
    /// whether it has been removed or not.
    #[inline]
    pub(super) fn read(&mut self, key: u32, turn: &mut Turn<'_>) -> Value {
        if self.data.is_expired(key, milliseconds(turn.now)) {
            self.expire(key);
            return Value::Absent;
        }
        self.data.get(key)
    }

    /// `GET`
    #[inline]
    pub(super) fn get(&mut self, key: u32, turn: &mut Turn<'_>) -> Reply {
        match self.read(key, turn) {
            Value::Absent => Reply::Nil,
            Value::Text(write) => Reply::Value(write),
            Value::Number(number) => Reply::Int(number),
            Value::List(_) | Value::Stream(_) => Reply::Error(ErrorKind::WrongType),
        }
    }

    /// `XREAD STREAMS key 0`: the stream with its entries, or nothing.
    pub(super) fn xread(&mut self, key: u32, turn: &mut Turn<'_>) -> Reply {
        match self.read(key, turn) {
            Value::Absent => Reply::Nil,
            Value::Stream(_) => Reply::Array(1),
            Value::Text(_) | Value::Number(_) | Value::List(_) => {
                Reply::Error(ErrorKind::WrongType)
            }
        }
    }

    /// `PFCOUNT`: nothing makes a key of its kind. (For a string that is not one, Valkey has a
    /// different message, `-WRONGTYPE Key is not a valid HyperLogLog string value.`)
    pub(super) fn pfcount(&mut self, key: u32, turn: &mut Turn<'_>) -> Reply {
        match self.read(key, turn) {
            Value::Absent => Reply::Int(0),
            Value::Text(_) | Value::Number(_) | Value::List(_) | Value::Stream(_) => {
                Reply::Error(ErrorKind::WrongType)
            }
        }
    }

    /// `OBJECT ENCODING`
    pub(super) fn object_encoding(&mut self, key: u32, turn: &mut Turn<'_>) -> Reply {
        match self.read(key, turn) {
            Value::Absent => Reply::Nil,
            Value::Text(_) | Value::Number(_) => Reply::Encoding(Encoding::Int),
            Value::List(_) => Reply::Encoding(Encoding::ListPack),
            Value::Stream(_) => Reply::Encoding(Encoding::Stream),
        }
    }

    /// `KEYS *`: keys whose time is up are passed over, which `DBSIZE` does not do.
    pub(super) fn keys_there(&self, turn: &Turn<'_>) -> u16 {
        let now = milliseconds(turn.now);
        let there = |key: &u32| !self.data.is_expired(*key, now);
        self.data.keys().filter(there).count() as u16
    }

    /// `WATCH`
    pub(super) fn watch(&mut self, slot: ConnSlot, key: u32) -> Reply {
        self.clients[slot.0 as usize].watches = true;
        if !self.watched.contains(&(key, slot)) {
            self.watched.push((key, slot));
        }
        Reply::Ok
    }

    /// `unwatchAllKeys`
    pub(super) fn unwatch(&mut self, slot: ConnSlot) {
        let client = &mut self.clients[slot.0 as usize];
        client.dirty_cas = false;
        if std::mem::take(&mut client.watches) {
            self.watched.retain(|(_, by)| *by != slot);
        }
    }

    /// Drops a transaction (`discardTransaction`, 8.0.1, multi.c).
    pub(super) fn discard_transaction(&mut self, slot: ConnSlot) {
        self.clients[slot.0 as usize].discard();
        self.unwatch(slot);
    }

    /// `touchWatchedKey`: a transaction of a client that watches what has changed will not run.
    #[inline]
    pub(super) fn touch_watched(&mut self, op: ReplOp) {
        if !self.watched.is_empty() {
            self.touch(op);
        }
    }

    #[cold]
    fn touch(&mut self, op: ReplOp) {
        let all = matches!(op, ReplOp::FlushAll(_));
        for (key, by) in &self.watched {
            if all || op.key() == Some(*key) {
                self.clients[by.0 as usize].dirty_cas = true;
            }
        }
    }

    /// The data is replaced by a snapshot (`touchAllWatchedKeysInDb`).
    pub(super) fn touch_all_watched(&mut self) {
        for (_, by) in &self.watched {
            self.clients[by.0 as usize].dirty_cas = true;
        }
    }

    /// `RESET` (8.0.1, networking.c:1583 `clearClientConnectionState`): what was said on the
    /// connection is forgotten, but not `CLIENT CAPA`.
    pub(super) fn reset_connection(&mut self, slot: ConnSlot) -> Reply {
        self.discard_transaction(slot);
        let client = &mut self.clients[slot.0 as usize];
        client.readonly = false;
        client.asking = false;
        if std::mem::take(&mut client.subscriptions) > 0 {
            self.subscribers.retain(|(_, other)| *other != slot);
        }
        Reply::Reset
    }
}
