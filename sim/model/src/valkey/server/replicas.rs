//! The primary's side of replication: the backlog, who follows, and how far each has got.

use std::collections::VecDeque;

use super::super::address::Addr;
use super::super::behaviour::Demotion;
use super::super::message::{FailoverState, Message, Reply, Tag};
use super::super::replication::{ReplOp, SnapshotId, StreamEntry};
use super::{ConnSlot, Effect, Server, Turn};
use rebound_engine::{Duration, Time};

/// A replica's state at its primary.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum ReplicaState {
    /// Waits for a snapshot to be begun (`REPLICA_STATE_WAIT_BGSAVE_START`).
    WaitSave { since: Time },
    /// A snapshot is being written and sent (`REPLICA_STATE_WAIT_BGSAVE_END`).
    Saving { until: Time, snapshot: SnapshotId },
    /// The snapshot was sent; the stream starts at the first acknowledgement
    /// (`repl_start_cmd_stream_on_ack`).
    WaitAck,
    /// `REPLICA_STATE_ONLINE`
    Online,
}

/// A replica, as its primary sees it.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) slot: ConnSlot,
    pub(super) state: ReplicaState,
    /// The address that it announced; a client that sends PSYNC on its own announces none.
    pub(super) address: Option<Addr>,
    /// `repl_ack_off`
    pub(super) acked: u64,
    /// `repl_ack_time`
    pub(super) acked_at: Time,
    /// The stream has been written to it up to here.
    pub(super) sent: u64,
}

impl Replica {
    pub(super) fn is_online(&self) -> bool {
        self.state == ReplicaState::Online
    }

    /// When something happens to it without input.
    pub(super) fn next_step(&self) -> Time {
        match self.state {
            ReplicaState::Saving { until, .. } => until,
            ReplicaState::WaitSave { .. } | ReplicaState::WaitAck | ReplicaState::Online => {
                Time::NEVER
            }
        }
    }
}

/// `repl_backlog`: the latest part of the stream.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    entries: VecDeque<StreamEntry>,
    /// The offset before the first entry.
    start: u64,
}

impl Backlog {
    /// Empty, at this offset.
    pub(super) fn start_at(&mut self, offset: u64) {
        self.entries.clear();
        self.start = offset;
    }

    #[inline]
    pub(super) fn push(&mut self, end: u64, op: ReplOp) {
        self.entries.push_back(StreamEntry {
            end: end.into(),
            op,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Drops what exceeds `size` bytes and every replica has been sent.
    fn trim(&mut self, size: u64, sent: u64) {
        while let Some(first) = self.entries.front() {
            let end = self
                .entries
                .back()
                .map_or(self.start, |last| last.end.bytes());
            if end - self.start <= size || first.end.bytes() > sent {
                return;
            }
            self.start = first.end.bytes();
            self.entries.pop_front();
        }
    }

    /// Whether the stream can go on from the byte after `offset`.
    pub(super) fn covers(&self, offset: u64) -> bool {
        let end = self
            .entries
            .back()
            .map_or(self.start, |last| last.end.bytes());
        offset >= self.start && offset <= end
    }

    /// The entries after `offset`, which is usually near the end.
    fn after(&self, offset: u64) -> impl Iterator<Item = &StreamEntry> {
        let unsent = self
            .entries
            .iter()
            .rev()
            .take_while(|entry| entry.end.bytes() > offset)
            .count();
        self.entries.range(self.entries.len() - unsent..)
    }
}

impl Server {
    /// `findReplica` (8.0.1, replication.c:4739): by the address that it announces.
    pub(super) fn find_replica(&self, address: Addr) -> Option<&Replica> {
        self.replicas
            .iter()
            .find(|replica| replica.address == Some(address))
    }

    /// Replicas that have acknowledged `offset`.
    pub(super) fn acknowledged(&self, offset: u64) -> u32 {
        let reached = |replica: &&Replica| replica.is_online() && replica.acked >= offset;
        self.replicas.iter().filter(reached).count() as u32
    }

    /// Replicas that count for `min-replicas-to-write`.
    pub(super) fn good_replicas(&self, turn: &Turn<'_>) -> u32 {
        let good = |replica: &&Replica| {
            replica.is_online()
                && turn.now.since(replica.acked_at) <= turn.config.min_replicas_max_lag
        };
        self.replicas.iter().filter(good).count() as u32
    }

    /// `REPLCONF ACK`: never answered.
    pub(super) fn replconf_ack(&mut self, slot: ConnSlot, offset: u64, turn: &mut Turn<'_>) {
        if let Some(replica) = self
            .replicas
            .iter_mut()
            .find(|replica| replica.slot == slot)
        {
            replica.acked = replica.acked.max(offset);
            replica.acked_at = turn.now;
            if replica.state == ReplicaState::WaitAck {
                replica.state = ReplicaState::Online;
            }
        }
    }

    /// The connection of a replica is gone.
    pub(super) fn replica_lost(&mut self, slot: ConnSlot) {
        self.replicas.retain(|replica| replica.slot != slot);
    }

    /// `disconnectReplicas` (8.0.1, networking.c:1480)
    pub(super) fn disconnect_replicas(&mut self) {
        let replicas = std::mem::take(&mut self.replicas);
        for replica in replicas {
            self.close_asap(replica.slot);
        }
    }

    /// `sendGetackToReplicas` (8.0.1, server.c:1571)
    pub(super) fn send_getack(&mut self) {
        self.getack_wanted = false;
        if !self.replicas.is_empty() {
            self.propagate(ReplOp::GetAck);
        }
    }

    /// Writes to each replica what it has not been sent. Bytes that were queued when the node
    /// was demoted still drain; nothing is added then.
    pub(super) fn flush_replicas(&mut self, turn: &mut Turn<'_>) {
        let mut least = u64::MAX;
        for replica in &mut self.replicas {
            if replica.state == ReplicaState::Online && replica.sent < self.offset {
                for entry in self.backlog.after(replica.sent) {
                    turn.effects
                        .push(Effect::Send(replica.slot, Message::Stream(*entry)));
                }
                replica.sent = self.offset;
            }
            least = least.min(replica.sent);
        }
        self.backlog.trim(turn.config.repl_backlog_size, least);
    }

    /// The replicas' part of `replicationCron`: PING in the stream every
    /// `repl-ping-replica-period` runs (8.0.1, replication.c:4543; not in a failover with
    /// TIMEOUT, or in a manual failover of cluster mode, which alone suppress it), a newline to who waits for a
    /// snapshot, and an end to who has been silent for `repl-timeout`.
    pub(super) fn replicas_cron(&mut self, turn: &mut Turn<'_>) {
        let period = u64::from(turn.config.repl_ping_replica_period.max(1));
        if self.replication_cron_loops.is_multiple_of(period) && !self.replicas.is_empty() {
            // A PING that goes out as often as acknowledgements come back can keep a replica from
            // ever having everything; cluster mode sends none, nor does demote-when-connected.
            let waits_connected = match turn.behaviour.demotion {
                Demotion::BeforeDialling => false,
                Demotion::WhenConnected => self.failover.state == FailoverState::WaitForSync,
            };
            let limited = self.failover.end.is_some()
                || waits_connected
                || self
                    .cluster
                    .as_ref()
                    .is_some_and(|cluster| cluster.manual_failover_runs());
            let suppressed = limited && self.pause.replicas();
            if !suppressed {
                self.propagate(ReplOp::Ping);
            }
        }
        let timeout = turn.config.repl_timeout;
        let mut silent = Vec::new();
        for replica in &self.replicas {
            match replica.state {
                ReplicaState::WaitSave { .. } => {
                    let newline = Message::Reply {
                        tag: Tag::own(0),
                        reply: Reply::NewLine,
                    };
                    turn.effects.push(Effect::Send(replica.slot, newline));
                }
                ReplicaState::Online => {
                    if longer_than(turn.now, replica.acked_at, timeout) {
                        silent.push(replica.slot);
                    }
                }
                ReplicaState::Saving { .. } | ReplicaState::WaitAck => {}
            }
        }
        for slot in silent {
            self.replicas.retain(|replica| replica.slot != slot);
            self.close_asap(slot);
        }
        let delay = turn.config.repl_diskless_sync_delay;
        let due = |replica: &Replica| matches!(replica.state, ReplicaState::WaitSave { since } if turn.now.since(since) >= delay);
        if self.replicas.iter().any(due) {
            self.start_save(turn);
        }
    }
}

/// Whether more than `timeout` has passed: whole seconds compared with `>`, as `time()` gives
/// them (8.0.1, replication.c:4505–4598).
pub(super) fn longer_than(now: Time, since: Time, timeout: Duration) -> bool {
    const SECOND: u64 = 1_000_000_000;
    now.0 / SECOND - since.0 / SECOND > timeout.0 / SECOND
}

#[cfg(test)]
mod tests {
    use super::super::execute::stream_bytes;
    use super::*;

    /// Bytes that a PING adds to the stream, as recorded.
    const PING_BYTES: u64 = 14;

    #[test]
    fn the_backlog_covers_what_it_holds() {
        let mut backlog = Backlog::default();
        backlog.start_at(100);
        for n in 1..=10 {
            backlog.push(100 + n * PING_BYTES, ReplOp::Ping);
        }
        assert_eq!(stream_bytes(ReplOp::Ping), PING_BYTES);
        assert!(backlog.covers(100) && backlog.covers(240) && !backlog.covers(99));
        assert!(!backlog.covers(241));
        assert_eq!(backlog.after(212).count(), 2);
        backlog.trim(50, u64::MAX);
        assert!(!backlog.covers(100) && backlog.covers(240));
        assert!(backlog.len() <= 4);
    }
}
