//! The trace's hash: XXH3-128 over the records' bytes, streamed.

use rebound_engine::{Hashed, MOST_BYTES, Time};
use xxhash_rust::xxh3::Xxh3;

use super::event::Event;

/// Bytes gathered before they are hashed: longer input hashes faster per byte, and eight blocks of
/// the hash (256 bytes each) leave nothing over.
const GATHERED: usize = 2_048;

/// Hashes records as they come. What of a record is hashed is said beside its types; different
/// records, and different sequences of them, have different bytes.
pub(crate) struct TraceHash {
    state: Xxh3,
    gathered: [u8; GATHERED + MOST_BYTES],
    used: usize,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash {
            state: Xxh3::new(),
            gathered: [0; GATHERED + MOST_BYTES],
            used: 0,
        }
    }
}

impl TraceHash {
    /// Starts again.
    pub fn reset(&mut self) {
        self.state.reset();
        self.used = 0;
    }

    /// Takes in one record. Always inlined, since most callers know which kind of record it is.
    #[inline(always)]
    pub(crate) fn absorb(&mut self, at: Time, event: &Event) {
        if self.used >= GATHERED {
            self.flush();
        }
        // There is always room for a record.
        if let Some(bytes) = self.gathered[self.used..].first_chunk_mut() {
            let after_time = at.put(bytes, 0);
            self.used += event.put(bytes, after_time);
        }
    }

    /// The hash of all that was absorbed.
    pub fn finish(&mut self) -> u128 {
        self.state.update(&self.gathered[..self.used]);
        self.used = 0;
        self.state.digest128()
    }

    fn flush(&mut self) {
        self.state.update(&self.gathered[..GATHERED]);
        self.gathered.copy_within(GATHERED..self.used, 0);
        self.used -= GATHERED;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::client::{ClientId, Note as ClientNote, WriteRange, WrittenKeys};
    use crate::trace::Record;
    use crate::valkey::CommandKind;
    use rebound_engine::Chooser;

    fn issued(at: u64, command: u32) -> Record {
        let event = Event::Client(
            ClientId(3),
            ClientNote::Issued {
                command,
                kind: CommandKind::Get,
                writes: WriteRange::NONE,
                keys: WrittenKeys::one(0),
            },
        );
        Record {
            at: Time(at),
            event,
        }
    }

    fn hash(records: &[Record]) -> u128 {
        let mut hash = TraceHash::default();
        for record in records {
            hash.absorb(record.at, &record.event);
        }
        hash.finish()
    }

    /// Pinned: a change here changes every trace hash.
    #[test]
    fn a_trace_has_a_known_hash() {
        let records: Vec<_> = (0..100).map(|n| issued(n * 7, n as u32)).collect();
        assert_eq!(
            format!("{:032x}", hash(&records)),
            "914d8b2d05cfe26d62fa4e7be0d98663"
        );
    }

    #[test]
    fn time_order_and_content_count() {
        let base = hash(&[issued(1, 1), issued(2, 2)]);
        assert_ne!(base, hash(&[issued(2, 2), issued(1, 1)]));
        assert_ne!(base, hash(&[issued(1, 1), issued(2, 3)]));
        assert_ne!(base, hash(&[issued(1, 1)]));
        assert_eq!(base, hash(&[issued(1, 1), issued(2, 2)]));
    }

    fn bytes(record: &Record) -> Vec<u8> {
        let mut bytes = [0xaa; MOST_BYTES];
        let at = record.at.put(&mut bytes, 0);
        let end = record.event.put(&mut bytes, at);
        bytes[..end].to_vec()
    }

    /// Every kind of record, with small values and those at the borders of their widths: if two have
    /// the same bytes, or one's begin another's, they are the same.
    #[test]
    fn different_records_have_different_bytes() {
        let mut chooser = Chooser::default();
        let stream = chooser.stream("records");
        chooser.reset(1);
        let mut draw = |bound: u64| chooser.below(stream, bound);
        let mut kinds = BTreeSet::new();
        let mut all: BTreeMap<Vec<u8>, Record> = BTreeMap::new();
        for _ in 0..400_000 {
            let record = Record {
                at: Time(draw(2)),
                event: Event::any(&mut draw),
            };
            // The kind of event, and what is in it: the names of variants, without numbers.
            let told = format!("{:?}", record.event);
            kinds.insert(told.replace(|c: char| c.is_ascii_digit(), ""));
            if let Some(other) = all.insert(bytes(&record), record) {
                assert_eq!(record, other);
            }
        }
        for message in [
            "Psync",
            "FullResync",
            "SlotsMoved",
            "Moved",
            "HandOver",
            "Ended",
            "Bus",
        ] {
            assert!(kinds.iter().any(|kind| kind.contains(message)), "{message}");
        }
        let neighbours = all.keys().zip(all.keys().skip(1));
        for (one, other) in neighbours {
            assert!(
                !other.starts_with(one),
                "{:?} begins {:?}",
                all[one],
                all[other]
            );
        }
    }
}
