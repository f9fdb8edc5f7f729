//! The trace: what happened in a run, as a stream of small records that is hashed as it flows.

mod event;
mod hash;

use crate::engine::Time;
use crate::net::{ConnId, HostId};
use crate::valkey::Message;

pub use event::{
    ClusterEvent, ClusterHealth, CommandOutcome, Event, FailoverEnd, FaultKind, GateVerdict,
    ManualEnd, Record, Saw, VoteRefusal, WriteRange, WrittenKeys,
};
pub use hash::TraceHash;

/// A message that begins its way. What is never [`Event::Delivered`] afterwards is lost, or was
/// still on its way at the end of the run; messages of one connection and sender arrive in the
/// order in which they are sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// When it is sent: never earlier than the latest record, a little later if its sender is
    /// still busy.
    pub at: Time,
    /// The connection.
    pub conn: ConnId,
    /// Its sender.
    pub from: HostId,
    /// Its receiver.
    pub to: HostId,
    /// What it is.
    pub message: Message,
}

/// Receives the records of a run. A type parameter, so that no trace costs nothing.
pub trait Sink {
    /// Whether it wants to know of messages when they are sent. They are no records, and not in
    /// the trace's hash: all that arrives is.
    const SENDINGS: bool = false;

    /// Takes note of `record`.
    fn record(&mut self, record: &Record);

    /// Takes note of a message that is sent, if it wants to.
    #[inline]
    fn sent(&mut self, _: &Sending) {}
}

/// Keeps nothing.
#[derive(Debug, Default)]
pub struct NoTrace;

impl Sink for NoTrace {
    #[inline]
    fn record(&mut self, _: &Record) {}
}

/// Keeps everything.
impl Sink for Vec<Record> {
    fn record(&mut self, record: &Record) {
        self.push(*record);
    }
}
