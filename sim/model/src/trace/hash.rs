//! The trace's hash: XXH3-128 over the records' words, streamed.

use crate::valkey::{
    Addr, Belief, BusMessage, ClusterEvent, Command, Elements, Epoch, GateVerdict, Message,
    Note as NodeNote, Redirect, RedirectKind, ReplId, ReplOp, Reply, Request, SetSlot, SnapshotId,
    StreamEntry, TopologyId,
};
use xxhash_rust::xxh3::Xxh3;

use super::event::Event;
use crate::client::{CommandOutcome, Note as ClientNote};
use crate::engine::Time;
use crate::net::{Closing, ConnectFailure, Note as NetNote};

/// Words of a record; those that it does not need are zero.
const WORDS: usize = 6;

/// Records gathered before they are hashed: longer input hashes faster per byte, and six blocks of
/// the hash (256 bytes each) leave nothing over.
const GATHERED: usize = 32;

/// Hashes records as they come. A record's second word holds its kind, so no two different
/// traces give the same words.
pub struct TraceHash {
    state: Xxh3,
    gathered: [[u8; WORDS * 8]; GATHERED],
    used: usize,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash {
            state: Xxh3::new(),
            gathered: [[0; WORDS * 8]; GATHERED],
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
    pub fn absorb(&mut self, at: Time, event: &Event) {
        if self.used == GATHERED {
            self.flush();
        }
        let bytes = &mut self.gathered[self.used];
        self.used += 1;
        let words = event.words();
        bytes[..8].copy_from_slice(&at.0.to_le_bytes());
        for (bytes, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// The hash of all that was absorbed.
    pub fn finish(&mut self) -> u128 {
        self.flush();
        self.state.digest128()
    }

    fn flush(&mut self) {
        self.state.update(self.gathered[..self.used].as_flattened());
        self.used = 0;
    }
}

/// The word that says what the record is: its kind, and three small fields.
#[inline(always)]
fn head(kind: u8, a: u8, b: u16, c: u32) -> u64 {
    u64::from(kind) | u64::from(a) << 8 | u64::from(b) << 16 | u64::from(c) << 32
}

#[inline(always)]
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

fn addr(addr: Option<Addr>) -> u32 {
    addr.map_or(u32::MAX, |addr| u32::from(addr.0))
}

/// Zero for none, so that it leaves no trace.
fn epoch(epoch: Option<Epoch>) -> u64 {
    epoch.map_or(0, |epoch| u64::from(epoch.number()))
}

fn belief(belief: Belief) -> u16 {
    belief.role as u16 | (belief.failover as u16) << 4 | (belief.link as u16) << 8
}

impl Event {
    #[inline(always)]
    fn words(&self) -> [u64; WORDS - 1] {
        match *self {
            Event::Net(NetNote::Dialled { conn, from, to }) => {
                [head(1, 0, 0, conn.index), pair(from.0, to.0), 0, 0, 0]
            }
            Event::Net(NetNote::Connected { conn, from, to }) => {
                [head(2, 0, 0, conn.index), pair(from.0, to.0), 0, 0, 0]
            }
            Event::Net(NetNote::ConnectFailed { from, to, why }) => {
                let why = match why {
                    ConnectFailure::Refused => 0,
                    ConnectFailure::TimedOut => 1,
                };
                [head(3, why, 0, 0), pair(from.0, to.0), 0, 0, 0]
            }
            Event::Net(NetNote::Delivered {
                conn,
                from,
                to,
                sent_at,
                ref message,
            }) => {
                let (kind, a, b) = message_words(message);
                [
                    head(4, kind, 0, conn.index),
                    pair(from.0, to.0),
                    sent_at.0,
                    a,
                    b,
                ]
            }
            Event::Net(NetNote::Closed {
                conn,
                from,
                to,
                how,
            }) => {
                let how = match how {
                    Closing::Fin => 0,
                    Closing::Reset => 1,
                    Closing::TimedOut => 2,
                };
                [head(5, how, 0, conn.index), pair(from.0, to.0), 0, 0, 0]
            }
            Event::Node(
                node,
                NodeNote::Gate {
                    peer,
                    number,
                    command,
                    verdict,
                    belief: said,
                },
            ) => {
                let (kind, detail) = match verdict {
                    GateVerdict::Passed => (0, 0),
                    GateVerdict::Redirected(gate, to) => (1 | (gate as u8) << 2, u32::from(to.0)),
                    GateVerdict::Postponed(gate) => (2 | (gate as u8) << 2, 0),
                    GateVerdict::Rejected(gate, error) => (3 | (gate as u8) << 2, error as u32),
                };
                [
                    head(6, kind, node.0, peer.0),
                    pair(command as u32 | u32::from(belief(said)) << 16, detail),
                    number.map_or(0, |number| u64::from(number) + 1),
                    0,
                    0,
                ]
            }
            Event::Node(node, NodeNote::Released { commands }) => {
                [head(7, 0, node.0, commands), 0, 0, 0, 0]
            }
            Event::Node(
                node,
                NodeNote::Role {
                    role,
                    primary,
                    link,
                    replid,
                    offset,
                },
            ) => [
                head(8, role as u8 | (link as u8) << 4, node.0, addr(primary)),
                offset,
                u64::from(replid.word()),
                0,
                0,
            ],
            Event::Node(node, NodeNote::Failover { state, target, how }) => [
                head(9, state as u8 | (how as u8) << 4, node.0, addr(target)),
                0,
                0,
                0,
                0,
            ],
            Event::Node(node, NodeNote::Operator { command, reply }) => {
                let (kind, a, b) = reply_words(reply);
                [head(10, kind, node.0, command as u32), a, b, 0, 0]
            }
            Event::Client(client, ClientNote::Issued { command, kind, .. }) => [
                head(11, kind as u8, 0, client.0),
                u64::from(command),
                0,
                0,
                0,
            ],
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    kind,
                    from,
                    to,
                    via,
                    hops,
                    bounce,
                    belief: said,
                },
            ) => [
                head(
                    12,
                    kind as u8 | u8::from(bounce) << 7,
                    belief(said),
                    client.0,
                ),
                pair(command, hops),
                pair(u32::from(from.0), u32::from(to.0)),
                match via {
                    RedirectKind::Redirect => 0,
                    RedirectKind::Moved(slot) => pair(1, u32::from(slot.0)),
                    RedirectKind::Ask(slot) => pair(2, u32::from(slot.0)),
                },
                0,
            ],
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    kind,
                    outcome,
                    hops,
                    bounces,
                    took,
                    writes,
                    ..
                },
            ) => {
                let (how, error) = match outcome {
                    CommandOutcome::Served => (0, 0),
                    CommandOutcome::Error(error) => (1, error as u16),
                    CommandOutcome::Redirect => (2, 0),
                    CommandOutcome::TimedOut => (3, 0),
                    CommandOutcome::Disconnected => (4, 0),
                    CommandOutcome::Unreachable => (5, 0),
                };
                [
                    head(13, kind as u8, how | error << 8, client.0),
                    pair(command, writes.first.0),
                    pair(hops, bounces),
                    took.0 ^ u64::from(writes.count) << 48,
                    0,
                ]
            }
            Event::Client(
                client,
                ClientNote::Ignored {
                    command,
                    kind,
                    from,
                    to,
                    said,
                    known,
                },
            ) => [
                head(15, kind as u8, 0, client.0),
                u64::from(command),
                pair(u32::from(from.0), u32::from(to.0)),
                pair(u32::from(said.number()), u32::from(known.number())),
                0,
            ],
            Event::Sentinel { what, node } => [head(16, what as u8, node.0, 0), 0, 0, 0, 0],
            Event::Client(client, ClientNote::Element { command, key, .. }) => {
                [head(17, 0, 0, client.0), pair(command, key), 0, 0, 0]
            }
            Event::Fault {
                kind,
                of: _,
                from,
                to,
            } => [head(14, kind as u8, 0, 0), pair(from.0, to.0), 0, 0, 0],
            Event::Node(node, NodeNote::Cluster(what)) => {
                let (kind, small, a, b) = cluster_words(what);
                [head(18, kind, node.0, small), a, b, 0, 0]
            }
        }
    }
}

/// What happened in a cluster.
#[cold]
fn cluster_words(what: ClusterEvent) -> (u8, u32, u64, u64) {
    match what {
        ClusterEvent::PossiblyFailing { peer } => (0, u32::from(peer.0), 0, 0),
        ClusterEvent::Failed { peer } => (1, u32::from(peer.0), 0, 0),
        ClusterEvent::Reachable { peer } => (2, u32::from(peer.0), 0, 0),
        ClusterEvent::State { state } => (3, state as u32, 0, 0),
        ClusterEvent::ElectionPlanned { delay, rank } => (4, 0, delay.0, rank),
        ClusterEvent::ElectionStarted { epoch } => (5, 0, epoch, 0),
        ClusterEvent::ElectionWon { epoch } => (6, 0, epoch, 0),
        ClusterEvent::Voted { to, epoch } => (7, u32::from(to.0), epoch, 0),
        ClusterEvent::VoteRefused { to, epoch, why } => {
            (8, u32::from(to.0), epoch, u64::from(why as u8))
        }
        ClusterEvent::ManualFailoverStarted { replica } => (9, u32::from(replica.0), 0, 0),
        ClusterEvent::ManualFailoverEnded { how } => (10, how as u32, 0, 0),
        ClusterEvent::EpochTaken { epoch } => (11, 0, epoch, 0),
        ClusterEvent::SlotsMoved { to, epoch, count } => {
            (12, u32::from(to.0), epoch, u64::from(count))
        }
    }
}

fn message_words(message: &Message) -> (u8, u64, u64) {
    match *message {
        Message::Request(Request { tag, command }) => {
            let (a, b) = command_words(command);
            (
                command.kind() as u8,
                u64::from(tag.word()) | u64::from(a) << 32,
                b,
            )
        }
        Message::Reply { tag, reply } => {
            let (kind, a, b) = reply_words(reply);
            (64 | kind, u64::from(tag.word()) << 32 ^ a, b)
        }
        Message::Stream(StreamEntry { end, op }) => {
            let (kind, a, b) = match op {
                ReplOp::Ping => (0, 0, 0),
                ReplOp::GetAck => (1, 0, 0),
                ReplOp::Set(key, write) => (2, key, write.0),
                ReplOp::Incr(key, write) => (3, key, write.0),
                ReplOp::Del(key, write) => (4, key, write.0),
                ReplOp::LPush(key, write) => (5, key, write.0),
                ReplOp::LPop(key, write) => (6, key, write.0),
                ReplOp::Publish(channel) => (7, channel, 0),
                ReplOp::HandOver(target) => (8, addr(Some(target)), 0),
                ReplOp::HandOverOff => (9, 0, 0),
                ReplOp::RPush(key, write) => (10, key, write.0),
                ReplOp::XAdd(key, write) => (11, key, write.0),
                ReplOp::FlushAll(write) => (12, 0, write.0),
                ReplOp::ExpireAt(key, at) => (13, key, at),
                ReplOp::Expired(key) => (14, key, 0),
            };
            (128 | kind, end.bytes(), u64::from(a) | u64::from(b) << 32)
        }
        Message::Snapshot(SnapshotId(id)) => (192, u64::from(id), 0),
        Message::Bus(BusMessage { kind, packet, sum }) => {
            (208 | kind as u8, pair(packet.0, sum), 0)
        }
    }
}

/// A command's arguments.
fn command_words(command: Command) -> (u32, u64) {
    match command {
        Command::Get(key) | Command::Subscribe(key) | Command::Publish(key) => (key, 0),
        Command::MGet(key, more) => (key, u64::from(more)),
        Command::Set(key, write)
        | Command::Incr(key, write)
        | Command::Del(key, write)
        | Command::LPush(key, write) => (key, u64::from(write.0)),
        Command::BlPop {
            key,
            timeout_ms,
            write,
        } => (key, u64::from(write.0) | u64::from(timeout_ms) << 32),
        Command::Wait {
            replicas,
            timeout_ms,
        } => (u32::from(replicas), u64::from(timeout_ms)),
        Command::ClientPause(kind, ms) => (kind as u32, u64::from(ms)),
        Command::Failover {
            to,
            force,
            timeout_ms,
        } => {
            let timeout = timeout_ms.map_or(u64::from(u32::MAX) + 1, u64::from);
            (addr(to), timeout << 1 | u64::from(force))
        }
        Command::ClientKill(kind) => (kind as u32, 0),
        Command::FailoverMalformed(error) => (error as u32, 0),
        Command::ReplicaOf(primary) => (addr(primary), 0),
        Command::ReplConfAddress(own) => (addr(Some(own)), 0),
        Command::ReplConfAck(offset) => (0, offset.bytes()),
        Command::Psync {
            replid,
            offset,
            failover,
            epoch: said,
        } => {
            let replid = replid.map_or(0, ReplId::word);
            let offset = offset.bytes() << 1 | u64::from(failover);
            (replid, offset ^ epoch(said) << 48)
        }
        Command::Multi
        | Command::Exec
        | Command::Discard
        | Command::Ping
        | Command::Info
        | Command::Role
        | Command::ClientCapa
        | Command::ClientUnpause
        | Command::ConfigRewrite
        | Command::ReadOnly
        | Command::ReadWrite
        | Command::FailoverAbort
        | Command::ReplConfCapa
        | Command::ReplConfVersion
        | Command::Asking
        | Command::ClusterSlots => (0, 0),
        Command::ClusterFailover(how) => (how as u32, 0),
        Command::Script(script, key) => {
            let write = script.write();
            (key, write.map_or(1 << 32, |write| u64::from(write.0)))
        }
        Command::RPush(key, write) | Command::XAdd(key, write) => (key, u64::from(write.0)),
        Command::XRead(key) => (key, 1 << 32),
        Command::XReadBlock { key, timeout_ms } => (key, u64::from(timeout_ms)),
        Command::PfCount(key) | Command::ObjectEncoding(key) | Command::Watch(key) => (key, 0),
        Command::PExpire(key, ms) => (key, u64::from(ms)),
        Command::FlushAll(write) => (0, u64::from(write.0)),
        Command::ClientUnblock(id, reason) => (id, reason as u64),
        Command::ClientCapaUnknown => (1, 0),
        Command::ClientCapaBare => (2, 0),
        Command::ReplConfCapaDualChannel => (3, 0),
        Command::DbSize
        | Command::Scan
        | Command::Keys
        | Command::Unwatch
        | Command::Auth
        | Command::Reset => (0, 0),
        Command::ClusterSetSlot(slot, what) => {
            let (kind, node) = match what {
                SetSlot::Migrating(node) => (0, node.0),
                SetSlot::Importing(node) => (1, node.0),
                SetSlot::Node(node) => (2, node.0),
                SetSlot::Stable => (3, 0),
            };
            (u32::from(slot.0) | kind << 16, u64::from(node))
        }
    }
}

fn reply_words(reply: Reply) -> (u8, u64, u64) {
    match reply {
        Reply::Ok => (0, 0, 0),
        Reply::Pong => (1, 0, 0),
        Reply::Queued => (2, 0, 0),
        Reply::Nil => (3, 0, 0),
        Reply::Int(number) => (4, u64::from(number), 0),
        Reply::Value(write) => (5, u64::from(write.0), 0),
        Reply::Array(count) | Reply::Elements(Elements { count, .. }) => (6, u64::from(count), 0),
        Reply::Subscribed => (7, 0, 0),
        Reply::Published => (8, 0, 0),
        Reply::Error(error) => (9, error as u64, 0),
        Reply::Redirect(Redirect {
            kind,
            to,
            epoch: said,
            belief: believed,
        }) => {
            let (kind, high) = match kind {
                RedirectKind::Redirect => (10, epoch(said) << 32),
                RedirectKind::Moved(slot) => (15, pair(0, u32::from(slot.0))),
                RedirectKind::Ask(slot) => (16, pair(0, u32::from(slot.0))),
            };
            (kind, u64::from(to.0) | high, u64::from(belief(believed)))
        }
        Reply::Info {
            belief: said,
            primary,
            offset,
        } => (
            11,
            u64::from(addr(primary)) | u64::from(belief(said)) << 32,
            offset.bytes(),
        ),
        Reply::Continue {
            replid,
            epoch: said,
        } => (12, u64::from(replid.word()) | epoch(said) << 32, 0),
        Reply::FullResync {
            replid,
            offset,
            epoch: said,
        } => (
            13,
            u64::from(replid.word()) | epoch(said) << 32,
            offset.bytes(),
        ),
        Reply::NewLine => (14, 0, 0),
        Reply::Topology(TopologyId(id)) => (17, u64::from(id), 0),
        Reply::Reset => (18, 0, 0),
        Reply::Encoding(encoding) => (19, encoding as u64, 0),
        Reply::DualChannelSync => (20, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientId, WriteRange, WrittenKeys};
    use crate::engine::Time;
    use crate::trace::Record;
    use crate::valkey::{CommandKind, WriteId};

    fn issued(at: u64, command: u32) -> Record {
        let event = Event::Client(
            ClientId(3),
            ClientNote::Issued {
                command,
                kind: CommandKind::Get,
                writes: WriteRange {
                    first: WriteId::NONE,
                    count: 0,
                },
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
            "d814b37d4e88aee1d78e2f699f6d1678"
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
