//! The trace's hash: XXH3-128 over the records' words, streamed.

use xxhash_rust::xxh3::Xxh3;

use super::event::{CommandOutcome, Event, GateVerdict, MessageKind, Record};
use crate::net::{Closing, ConnectFailure};
use crate::valkey::{Addr, Belief, ReplId, Reply};

/// Most words of a record.
const WORDS: usize = 6;

/// Bytes gathered before they are hashed: longer input hashes faster per byte.
const GATHERED: usize = 1024;

/// Hashes records as they come. A record's second word holds its kind, which says how many words
/// it has, so no two different traces give the same words.
pub struct TraceHash {
    state: Xxh3,
    gathered: [u8; GATHERED],
    used: usize,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash {
            state: Xxh3::new(),
            gathered: [0; GATHERED],
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
    pub fn absorb(&mut self, record: &Record) {
        let mut words = Words {
            words: [record.at.0, 0, 0, 0, 0, 0],
            used: 1,
        };
        record.event.write_words(&mut words);
        if self.used + WORDS * 8 > GATHERED {
            self.flush();
        }
        // All words are copied, which costs less than to look how many there are.
        let place = &mut self.gathered[self.used..self.used + WORDS * 8];
        for (bytes, word) in place.chunks_exact_mut(8).zip(words.words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        self.used += words.used * 8;
    }

    /// The hash of all that was absorbed.
    pub fn finish(&mut self) -> u128 {
        self.flush();
        self.state.digest128()
    }

    fn flush(&mut self) {
        self.state.update(&self.gathered[..self.used]);
        self.used = 0;
    }
}

/// A record's words.
struct Words {
    words: [u64; WORDS],
    used: usize,
}

impl Words {
    #[inline(always)]
    fn push(&mut self, word: u64) {
        self.words[self.used] = word;
        self.used += 1;
    }

    /// The word that says what the record is: its kind, and three small fields.
    #[inline(always)]
    fn head(&mut self, kind: u8, a: u8, b: u16, c: u32) {
        self.push(u64::from(kind) | u64::from(a) << 8 | u64::from(b) << 16 | u64::from(c) << 32);
    }

    #[inline(always)]
    fn pair(&mut self, low: u32, high: u32) {
        self.push(u64::from(low) | u64::from(high) << 32);
    }
}

fn addr(addr: Option<Addr>) -> u32 {
    addr.map_or(u32::MAX, |addr| u32::from(addr.0))
}

fn belief(belief: Belief) -> u16 {
    belief.role as u16 | (belief.failover as u16) << 4 | (belief.link as u16) << 8
}

impl Event {
    #[inline(always)]
    fn write_words(&self, words: &mut Words) {
        match *self {
            Event::Dialled { conn, from, to } => {
                words.head(1, 0, 0, conn.index);
                words.pair(from.0, to.0);
            }
            Event::Connected { conn, from, to } => {
                words.head(2, 0, 0, conn.index);
                words.pair(from.0, to.0);
            }
            Event::ConnectFailed { from, to, why } => {
                let why = match why {
                    ConnectFailure::Refused => 0,
                    ConnectFailure::TimedOut => 1,
                };
                words.head(3, why, 0, 0);
                words.pair(from.0, to.0);
            }
            Event::Delivered {
                conn,
                from,
                to,
                sent_at,
                message,
            } => {
                let (kind, a, b) = message_words(message);
                words.head(4, kind, 0, conn.index);
                words.pair(from.0, to.0);
                words.push(sent_at.0);
                words.push(a);
                words.push(b);
            }
            Event::Closed {
                conn,
                from,
                to,
                how,
            } => {
                let how = match how {
                    Closing::Fin => 0,
                    Closing::Reset => 1,
                    Closing::TimedOut => 2,
                };
                words.head(5, how, 0, conn.index);
                words.pair(from.0, to.0);
            }
            Event::Gate {
                node,
                peer,
                command,
                verdict,
                belief: said,
            } => {
                let (kind, detail) = match verdict {
                    GateVerdict::Passed => (0, 0),
                    GateVerdict::Redirected(gate, to) => (1 | (gate as u8) << 2, u32::from(to.0)),
                    GateVerdict::Postponed(gate) => (2 | (gate as u8) << 2, 0),
                    GateVerdict::Rejected(gate, error) => (3 | (gate as u8) << 2, error as u32),
                };
                words.head(6, kind, node.0, peer.0);
                words.pair(command as u32 | u32::from(belief(said)) << 16, detail);
            }
            Event::Released { node, commands } => words.head(7, 0, node.0, commands),
            Event::Role {
                node,
                role,
                primary,
                link,
                replid: ReplId(replid),
                offset,
            } => {
                words.head(8, role as u8 | (link as u8) << 4, node.0, addr(primary));
                words.push(offset);
                words.push(u64::from(replid));
            }
            Event::Failover {
                node,
                state,
                target,
                how,
            } => {
                words.head(9, state as u8 | (how as u8) << 4, node.0, addr(target));
            }
            Event::Operator {
                node,
                command,
                reply,
            } => {
                let (kind, a, b) = reply_words(reply);
                words.head(10, kind, node.0, command as u32);
                words.push(a);
                words.push(b);
            }
            Event::Issued {
                client,
                command,
                kind,
            } => {
                words.head(11, kind as u8, 0, client.0);
                words.push(u64::from(command));
            }
            Event::Hop {
                client,
                command,
                kind,
                from,
                to,
                hops,
                bounce,
                belief: said,
            } => {
                words.head(
                    12,
                    kind as u8 | u8::from(bounce) << 7,
                    belief(said),
                    client.0,
                );
                words.pair(command, hops);
                words.pair(u32::from(from.0), u32::from(to.0));
            }
            Event::Ended {
                client,
                command,
                kind,
                outcome,
                hops,
                bounces,
                took,
                writes,
            } => {
                let (how, error) = match outcome {
                    CommandOutcome::Served => (0, 0),
                    CommandOutcome::Error(error) => (1, error as u16),
                    CommandOutcome::Redirect => (2, 0),
                    CommandOutcome::TimedOut => (3, 0),
                    CommandOutcome::Disconnected => (4, 0),
                    CommandOutcome::Unreachable => (5, 0),
                };
                words.head(13, kind as u8, how | error << 8, client.0);
                words.pair(command, writes.first.0);
                words.pair(hops, bounces);
                words.push(took.0 ^ u64::from(writes.count) << 48);
            }
            Event::Fault { kind, from, to } => {
                words.head(14, kind as u8, 0, 0);
                words.pair(from.0, to.0);
            }
        }
    }
}

fn message_words(message: MessageKind) -> (u8, u64, u64) {
    match message {
        MessageKind::Request(request) => {
            let command = request.command;
            let write = command.write().map_or(0, |write| u64::from(write.0));
            (command.kind() as u8, u64::from(request.tag), write)
        }
        MessageKind::Reply(tag, reply) => {
            let (kind, a, b) = reply_words(reply);
            (64 | kind, u64::from(tag) << 32 ^ a, b)
        }
        MessageKind::Stream(offset) => (128, offset, 0),
        MessageKind::Snapshot => (129, 0, 0),
    }
}

fn reply_words(reply: Reply) -> (u8, u64, u64) {
    match reply {
        Reply::Ok => (0, 0, 0),
        Reply::Pong => (1, 0, 0),
        Reply::Queued => (2, 0, 0),
        Reply::Nil => (3, 0, 0),
        Reply::Int(number) => (4, number as u64, 0),
        Reply::Value(write) => (5, u64::from(write.0), 0),
        Reply::Array(count) => (6, u64::from(count), 0),
        Reply::Subscribed => (7, 0, 0),
        Reply::Published => (8, 0, 0),
        Reply::Error(error) => (9, error as u64, 0),
        Reply::Redirect { to, belief: said } => (10, u64::from(to.0), u64::from(belief(said))),
        Reply::Info {
            belief: said,
            primary,
            offset,
        } => (
            11,
            u64::from(addr(primary)) | u64::from(belief(said)) << 32,
            offset,
        ),
        Reply::Continue { replid } => (12, u64::from(replid.0), 0),
        Reply::FullResync { replid, offset } => (13, u64::from(replid.0), offset),
        Reply::NewLine => (14, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientId;
    use crate::engine::Time;
    use crate::valkey::CommandKind;

    fn issued(at: u64, command: u32) -> Record {
        let event = Event::Issued {
            client: ClientId(3),
            command,
            kind: CommandKind::Get,
        };
        Record {
            at: Time(at),
            event,
        }
    }

    fn hash(records: &[Record]) -> u128 {
        let mut hash = TraceHash::default();
        records.iter().for_each(|record| hash.absorb(record));
        hash.finish()
    }

    /// Pinned: a change here changes every trace hash.
    #[test]
    fn a_trace_has_a_known_hash() {
        let records: Vec<_> = (0..100).map(|n| issued(n * 7, n as u32)).collect();
        assert_eq!(
            format!("{:032x}", hash(&records)),
            "fe318e0515f91200d87537556c269b50"
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
}
