//! A primary votes, or does not (`clusterSendFailoverAuthIfNeeded`, 8.0.1,
//! cluster_legacy.c:4286).

use super::super::super::address::NodeId;
use super::super::super::message::BusKind;
use super::super::super::note::{ClusterEvent, VoteRefusal};
use super::super::Turn;
use super::Cluster;
use super::packet::Packet;

impl Cluster {
    /// A replica asks for a vote.
    pub(super) fn send_failover_auth_if_needed(
        &mut self,
        sender: NodeId,
        request: &Packet,
        turn: &mut Turn<'_>,
    ) {
        if !self.myself().votes() {
            return;
        }
        let epoch = request.current_epoch;
        if let Some(why) = self.refusal(sender, request, turn) {
            let what = ClusterEvent::VoteRefused {
                to: sender,
                epoch,
                why,
            };
            self.note(what, turn);
            return;
        }
        self.last_vote_epoch = self.current_epoch;
        if let Some(primary) = self.node(sender).replicaof {
            self.node_mut(primary).voted_at = Some(turn.now);
        }
        self.todo.save_config = true;
        self.send_bare(sender, BusKind::FailoverAuthAck, turn);
        self.note(ClusterEvent::Voted { to: sender, epoch }, turn);
    }

    /// Why a vote is refused, in the order in which Valkey asks. That the time since the last vote
    /// counts in a manual failover as well is 8.0.1's rule (PR 1305 lifts it).
    fn refusal(&self, sender: NodeId, request: &Packet, turn: &Turn<'_>) -> Option<VoteRefusal> {
        if request.current_epoch < self.current_epoch {
            return Some(VoteRefusal::OldEpoch);
        }
        if self.last_vote_epoch == self.current_epoch {
            return Some(VoteRefusal::AlreadyVoted);
        }
        let Some(primary) = self.node(sender).replicaof else {
            return Some(VoteRefusal::NotAReplica);
        };
        let primary = self.node(primary);
        if !primary.is_failed() && !request.force_ack {
            return Some(VoteRefusal::PrimaryIsUp);
        }
        let pause = turn.config.cluster_node_timeout.times(2);
        if primary
            .voted_at
            .is_some_and(|at| turn.now.since(at) < pause)
        {
            return Some(VoteRefusal::VotedLately);
        }
        let outdated = turn.packets.slots(request.slots).iter().any(|slot| {
            !self.owners.is_unclaimed(slot)
                && self
                    .owners
                    .of(slot)
                    .is_some_and(|owner| self.node(owner).config_epoch > request.config_epoch)
        });
        outdated.then_some(VoteRefusal::OldSlots)
    }
}
