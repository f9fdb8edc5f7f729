//! What is noted down of a run: the trace's hash, the counts and the checks, which all see the
//! same records.

use super::tally::Tally;
use crate::check::Checks;
use crate::client::{ClientId, CommandOutcome, Note as ClientNote, Saw};
use crate::trace::{Event, Record, Sink, TraceHash};
use crate::valkey::ElementLog;
use rebound_engine::Time;

/// A run's recorder.
pub(super) struct Recorder {
    pub(super) hash: TraceHash,
    pub(super) tally: Tally,
    pub(super) checks: Checks,
    /// Commands that have been issued and have no end.
    pub(super) open_commands: u64,
}

impl Recorder {
    pub(super) fn new(checks: Checks) -> Recorder {
        Recorder {
            hash: TraceHash::default(),
            tally: Tally::default(),
            checks,
            open_commands: 0,
        }
    }

    /// Prepares for a new run.
    pub(super) fn reset(&mut self) {
        self.hash.reset();
        self.tally = Tally::default();
        self.checks.reset();
        self.open_commands = 0;
    }

    /// Notes what an `MGET` that ends with this note has read, if it is one and was served. The
    /// trace's hash has the reply already.
    #[inline(always)]
    pub(super) fn note_elements<S: Sink>(
        &mut self,
        sink: &mut S,
        now: Time,
        (client, note): (ClientId, &ClientNote),
        log: &ElementLog,
    ) {
        if let &ClientNote::Ended {
            command,
            outcome: CommandOutcome::Served,
            took,
            from,
            key,
            saw: Saw::Elements(elements),
            ..
        } = note
        {
            for (index, value) in log.values(elements).iter().enumerate() {
                let event = Event::Client(
                    client,
                    ClientNote::Element {
                        command,
                        from,
                        key: key.wrapping_add(index as u32),
                        value: *value,
                        took,
                    },
                );
                sink.record(&Record { at: now, event });
                self.checks.observe(now, &event);
            }
        }
    }

    /// Notes that something happened. Takes the event where it lies: it is large, and most events
    /// are only hashed.
    #[inline(always)]
    pub(super) fn note<S: Sink>(&mut self, sink: &mut S, now: Time, event: &Event) {
        self.hash.absorb(now, event);
        sink.record(&Record {
            at: now,
            event: *event,
        });
        match event {
            Event::Client(_, ClientNote::Issued { .. }) => self.open_commands += 1,
            Event::Client(_, ClientNote::Ended { .. }) => self.open_commands -= 1,
            Event::Client(
                _,
                ClientNote::Hop { .. } | ClientNote::Ignored { .. } | ClientNote::Element { .. },
            )
            | Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Fault { .. } => {}
        }
        self.tally.observe(event);
        self.checks.observe(now, event);
    }
}
