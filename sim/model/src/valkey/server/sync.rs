//! Synchronization: `PSYNC` at the node that is asked, and full resynchronizations.

use super::super::behaviour::{Promotion, PromotionCheck};
use super::super::defect::Defect;
use super::super::epoch::Epoch;
use super::super::error::ErrorKind;
use super::super::message::{FailoverState, LinkState, Message, Reply, Tag};
use super::super::replication::{ReplId, SnapshotId};
use super::handshake::ReplState;
use super::replicas::{Replica, ReplicaState};
use super::{ConnSlot, Effect, Server, Turn};

impl Server {
    /// `syncCommand` (8.0.1, replication.c:1034). `None` where the reply comes later or has been
    /// sent.
    ///
    /// Under [`Promotion::Idempotent`] a node that was promoted by this request goes on as it did
    /// then if it is asked again under the same replication id, which only the old primary has
    /// and asks for.
    pub(super) fn sync_command(
        &mut self,
        (slot, tag): (ConnSlot, Tag),
        (replid, offset): (Option<ReplId>, u64),
        failover: bool,
        epoch: Option<Epoch>,
        turn: &mut Turn<'_>,
    ) -> Option<Reply> {
        if self.clients[slot.0 as usize].replica {
            return None;
        }
        if failover {
            // In every version neither the offset is looked at, nor the link, nor who asks, nor
            // whether there is a failover at all.
            if self.primary.is_none() {
                let again =
                    replid.is_some() && replid == self.promoted_from && replid == self.replid2;
                match turn.behaviour.promotion {
                    Promotion::Idempotent if again => {}
                    Promotion::Idempotent | Promotion::Once => {
                        return Some(Reply::Error(ErrorKind::PsyncFailoverPrimary));
                    }
                }
            } else {
                if replid != Some(self.replid) {
                    return Some(Reply::Error(ErrorKind::PsyncFailoverReplid));
                }
                match turn.behaviour.promotion_check {
                    PromotionCheck::Link if self.link.state() != LinkState::Up => {
                        return Some(Reply::Error(ErrorKind::PsyncFailoverLinkDown));
                    }
                    PromotionCheck::Link | PromotionCheck::Nothing => {}
                }
                if turn.behaviour.defect != Some(Defect::NeverPromoted) {
                    self.replication_unset_primary(turn);
                    self.promoted_from = replid;
                }
            }
        }
        if self.primary.is_none() {
            self.learn_epoch(epoch);
        }
        if self.failover.state != FailoverState::NoFailover {
            return Some(Reply::Error(ErrorKind::NoMasterLinkFailingOver));
        }
        if self.primary.is_some() && self.link.state() != LinkState::Up {
            return Some(Reply::Error(ErrorKind::NoMasterLink));
        }
        let client = &mut self.clients[slot.0 as usize];
        client.replica = true;
        let address = client.announced;
        let mut replica = Replica {
            slot,
            state: ReplicaState::Online,
            address,
            acked: 0,
            acked_at: turn.now,
            sent: 0,
        };
        if self.can_continue(replid, offset) {
            replica.sent = offset - 1;
            self.replicas.push(replica);
            let replid = self.replid;
            let epoch = self.told_epoch(turn);
            self.reply(slot, tag, Reply::Continue { replid, epoch }, turn);
            return None;
        }
        if self.clients[slot.0 as usize].dual_channel
            && turn.config.dual_channel_replication_enabled
        {
            self.reply(slot, tag, Reply::DualChannelSync, turn);
        }
        replica.state = ReplicaState::WaitSave { since: turn.now };
        replica.sent = self.offset;
        self.replicas.push(replica);
        if turn.config.repl_diskless_sync_delay.0 == 0 {
            self.start_save(turn);
        }
        None
    }

    /// `primaryTryPartialResynchronization` (8.0.1, replication.c:830)
    fn can_continue(&self, replid: Option<ReplId>, offset: u64) -> bool {
        let Some(replid) = replid else { return false };
        let known = replid == self.replid
            || (Some(replid) == self.replid2 && offset <= self.second_replid_offset);
        known && offset > 0 && self.backlog.covers(offset - 1)
    }

    /// `startBgsaveForReplication`: one snapshot of the current data for every replica that waits.
    pub(super) fn start_save(&mut self, turn: &mut Turn<'_>) {
        let snapshot = turn.snapshots.keep(&self.data);
        let (replid, offset) = (self.replid, self.offset);
        let epoch = self.told_epoch(turn);
        let until = turn.now + turn.config.snapshot_save;
        for replica in &mut self.replicas {
            if matches!(replica.state, ReplicaState::WaitSave { .. }) {
                replica.state = ReplicaState::Saving { until, snapshot };
                replica.sent = offset;
                let reply = Message::Reply {
                    tag: Tag::own(0),
                    reply: Reply::FullResync {
                        replid,
                        offset: offset.into(),
                        epoch,
                    },
                };
                turn.effects.push(Effect::Send(replica.slot, reply));
            }
        }
    }

    /// Sends snapshots that have been written.
    pub(super) fn advance_snapshots(&mut self, turn: &mut Turn<'_>) {
        for replica in &mut self.replicas {
            if let ReplicaState::Saving { until, snapshot } = replica.state
                && until <= turn.now
            {
                replica.state = ReplicaState::WaitAck;
                replica.acked_at = turn.now;
                turn.effects
                    .push(Effect::Send(replica.slot, Message::Snapshot(snapshot)));
            }
        }
    }

    /// The snapshot is here: the old data goes, the new is loaded, which takes a while
    /// (`readSyncBulkPayload`, 8.0.1, replication.c).
    pub(super) fn load_snapshot(&mut self, id: SnapshotId, turn: &mut Turn<'_>) {
        let ReplState::Transfer(replid, offset) = self.link.repl_state else {
            return;
        };
        self.data.copy_from(turn.snapshots.get(id));
        self.touch_all_watched();
        self.replid = replid;
        self.replid2 = None;
        self.offset = offset;
        self.backlog.start_at(offset);
        self.loading_until = Some(turn.now + turn.config.snapshot_load);
        self.disk.data.copy_from(&self.data);
        self.disk.replid = replid;
        self.disk.offset = offset;
        self.disk.redirect_epoch = self.redirect_epoch;
    }

    /// Loaded: the link is up, and the first acknowledgement starts the stream.
    pub(super) fn finish_loading(&mut self, turn: &mut Turn<'_>) {
        self.loading_until = None;
        if matches!(self.link.repl_state, ReplState::Transfer(..)) {
            self.link.repl_state = ReplState::Connected;
            self.link.last_io = turn.now;
            self.send_ack(turn);
        }
        self.trace_role(turn);
    }
}
