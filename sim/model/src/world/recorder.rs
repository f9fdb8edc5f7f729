//! What is noted down of a run: the trace's hash, the counts and the checks, which all see the
//! same records.

use super::tally::Tally;
use crate::check::Checks;
use crate::client::{ClientId, CommandOutcome, Note as ClientNote, Saw};
use crate::engine::Time;
use crate::net::Note as NetNote;
use crate::trace::{Event, Record, Sink, TraceHash};
use crate::valkey::{ElementLog, Note as NodeNote};

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
            for (place, value) in log.values(elements).iter().enumerate() {
                let event = Event::Client(
                    client,
                    ClientNote::Element {
                        command,
                        from,
                        key: key.wrapping_add(place as u32),
                        value: *value,
                        took,
                    },
                );
                sink.record(&Record { at: now, event });
                self.checks.history(now, &event);
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
            // These two are by far the most. A check hears of them only if it is turned on, and
            // nothing else does.
            Event::Net(NetNote::Delivered {
                from,
                to,
                sent_at,
                message,
                ..
            }) => {
                self.checks.delivered(now, (*from, *to), *sent_at, message);
                return;
            }
            Event::Node(node, NodeNote::Gate { .. }) => {
                self.checks.request(now, *node, event);
                return;
            }
            Event::Client(_, note) => match note {
                ClientNote::Issued { .. } => {
                    self.open_commands += 1;
                    self.tally.commands.issued += 1;
                    self.checks.history(now, event);
                    return;
                }
                ClientNote::Ended { .. } => {
                    self.open_commands -= 1;
                    self.checks.history(now, event);
                }
                // Recorded separately.
                ClientNote::Element { .. } => return,
                ClientNote::Hop { .. } | ClientNote::Ignored { .. } => {}
            },
            Event::Net(_) | Event::Node(..) | Event::Sentinel { .. } | Event::Fault { .. } => {}
        }
        let record = Record {
            at: now,
            event: *event,
        };
        self.tally.observe(&record);
        self.checks.observe(&record);
    }
}
