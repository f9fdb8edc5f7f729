//! What replication is made of: histories by id, places in them, the stream's pieces, snapshots.

use std::fmt;
use std::num::NonZeroU32;

use super::address::{Addr, NodeId};
use super::message::WriteId;
use rebound_engine::{Hashed, HashedBytes, HashedDraw, hashed};

/// A replication id. Real ones are 40 random hexadecimal digits; these are numbered per node,
/// which is unique just as well and needs no chance.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplId(NonZeroU32);

impl Hashed for ReplId {
    #[inline(always)]
    fn put(&self, bytes: &mut HashedBytes, at: usize) -> usize {
        self.word().put(bytes, at)
    }

    fn any(draw: HashedDraw<'_>) -> ReplId {
        ReplId::made(NodeId(draw(3) as u16), draw(3) as u32)
    }
}

impl Default for ReplId {
    fn default() -> Self {
        ReplId(NonZeroU32::MIN)
    }
}

impl ReplId {
    /// The `number`th id that `node` has made; number zero is the one with which it starts.
    pub fn made(node: NodeId, number: u32) -> ReplId {
        assert!(
            number < 1 << 20 && node.0 < 0xfff,
            "replication ids run out"
        );
        ReplId(NonZeroU32::MIN.saturating_add(u32::from(node.0) << 20 | number))
    }

    /// The node that made it.
    pub fn node(self) -> NodeId {
        NodeId(((self.0.get() - 1) >> 20) as u16)
    }

    /// Its number with that node.
    pub fn number(self) -> u32 {
        (self.0.get() - 1) & 0xf_ffff
    }

    /// The whole of it, never zero.
    pub fn word(self) -> u32 {
        self.0.get()
    }
}

/// A replication offset in a message: aligned so that messages, which are moved for every event,
/// stay small.
#[derive(Copy, Clone, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub struct Offset(u64);

impl Hashed for Offset {
    #[inline(always)]
    fn put(&self, bytes: &mut HashedBytes, at: usize) -> usize {
        self.bytes().put(bytes, at)
    }

    fn any(draw: HashedDraw<'_>) -> Offset {
        Offset(u64::any(draw))
    }
}

impl From<u64> for Offset {
    #[inline]
    fn from(offset: u64) -> Offset {
        Offset(offset)
    }
}

impl Offset {
    /// The offset, in bytes.
    #[inline]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

/// A piece of the replication stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// The offset after it.
    pub end: Offset,
    /// What it does.
    pub op: ReplOp,
}

hashed!(struct StreamEntry { end, op });

/// What a piece of the replication stream does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ReplOp {
    /// Keeps the link alive.
    Ping,
    /// Asks for an acknowledgement.
    GetAck,
    /// `SET key value`.
    Set(u32, WriteId),
    /// `INCR key`.
    Incr(u32, WriteId),
    /// `DEL key`.
    Del(u32, WriteId),
    /// `LPUSH key element`.
    LPush(u32, WriteId),
    /// `LPOP key`, which is how `BLPOP` is replicated when it is served.
    LPop(u32, WriteId),
    /// `PUBLISH channel message`.
    Publish(u32),
    /// `REPLCONF HANDOVER host port`: a failover to this address is in progress (the remedy
    /// `target-holds`).
    HandOver(Addr),
    /// `REPLCONF HANDOVER NO ONE`: it is off.
    HandOverOff,
    /// `RPUSH key element`.
    RPush(u32, WriteId),
    /// `XADD key id field value`.
    XAdd(u32, WriteId),
    /// `FLUSHALL`.
    FlushAll(WriteId),
    /// `PEXPIREAT key time`, in milliseconds since the run's start.
    ExpireAt(u32, u32),
    /// `DEL key` of a key whose time is up.
    Expired(u32),
}

hashed!(
    enum ReplOp {
        Ping,
        GetAck,
        Set(key, write),
        Incr(key, write),
        Del(key, write),
        LPush(key, write),
        LPop(key, write),
        Publish(channel),
        HandOver(target),
        HandOverOff,
        RPush(key, write),
        XAdd(key, write),
        FlushAll(write),
        ExpireAt(key, at),
        Expired(key),
    }
);

impl ReplOp {
    /// The key that it changes.
    #[inline]
    pub const fn key(self) -> Option<u32> {
        match self {
            ReplOp::Set(key, _)
            | ReplOp::Incr(key, _)
            | ReplOp::Del(key, _)
            | ReplOp::LPush(key, _)
            | ReplOp::LPop(key, _)
            | ReplOp::RPush(key, _)
            | ReplOp::XAdd(key, _)
            | ReplOp::ExpireAt(key, _)
            | ReplOp::Expired(key) => Some(key),
            ReplOp::Ping
            | ReplOp::GetAck
            | ReplOp::Publish(_)
            | ReplOp::HandOver(_)
            | ReplOp::HandOverOff
            | ReplOp::FlushAll(_) => None,
        }
    }
}

/// A snapshot of the data, in transit in a full resynchronization; the driver keeps the data.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SnapshotId(pub u32);

hashed!(struct SnapshotId(number));
