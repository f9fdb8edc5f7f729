//! The trace: what happened in a run, as a stream of small records that is hashed as it flows.

mod event;
mod hash;

pub use event::{
    CommandOutcome, Event, FailoverEnd, FaultKind, GateVerdict, Record, Saw, WriteRange,
    WrittenKeys,
};
pub use hash::TraceHash;

/// Receives the records of a run. A type parameter, so that no trace costs nothing.
pub trait Sink {
    /// Takes note of `record`.
    fn record(&mut self, record: &Record);
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
