//! The trace: what happened in a run, as a stream of small records that is hashed as it flows.

mod event;
mod hash;

use crate::valkey::Message;

pub use event::{Event, FaultKind, Record};
pub(crate) use hash::TraceHash;

/// A message of a run that begins its way.
pub type Sending = rebound_net::Sending<Message>;

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
