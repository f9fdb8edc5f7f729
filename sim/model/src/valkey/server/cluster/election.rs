//! A replica gets itself elected (`clusterHandleReplicaFailover`,
//! `clusterFailoverReplaceYourPrimary`, 8.0.1, cluster_legacy.c).

use super::super::super::address::NodeId;
use super::super::super::message::BusKind;
use super::super::super::note::ClusterEvent;
use super::super::Turn;
use super::packet::{Body, Packet};
use super::ping::Audience;
use super::{Cluster, Want};
use rebound_engine::{Duration, Time};

/// A replica's election (`failover_auth_…`).
#[derive(Clone, Debug, Default)]
pub(super) struct Election {
    /// When it begins (`failover_auth_time`); none if none was ever planned.
    pub(super) at: Option<Time>,
    /// Votes so far.
    count: u32,
    /// Whether votes have been asked for.
    sent: bool,
    /// The delay that the replica's rank has added, in seconds.
    rank: u64,
    /// Under which epoch.
    epoch: u64,
}

/// `CLUSTER_OPERATION_TIMEOUT`
const OPERATION_TIMEOUT: Duration = Duration::millis(2_000);

impl Cluster {
    /// `clusterHandleReplicaFailover` (8.0.1, cluster_legacy.c:4511): plans an election, begins
    /// it, and takes over when it is won; called from `clusterCron` and whenever something has
    /// changed that matters to it.
    pub(super) fn handle_replica_failover(&mut self, turn: &mut Turn<'_>) {
        self.todo.handle_failover = false;
        let now = turn.now;
        let timeout = turn
            .config
            .cluster_node_timeout
            .times(2)
            .max(OPERATION_TIMEOUT);
        let manual = self.manual.end.is_some() && self.manual.can_start;
        let Some(primary) = self.myself().replicaof else {
            return;
        };
        if !manual
            && (!self.node(primary).is_failed()
                || turn.config.cluster_replica_no_failover
                || !self.data_is_recent(turn))
        {
            return;
        }
        let age = self.election.at.map(|at| now.0.saturating_sub(at.0));
        if age.is_none_or(|age| age > timeout.times(2).0) {
            self.plan_election(turn);
            return;
        }
        if !self.election.sent && self.manual.end.is_none() {
            self.follow_rank();
        }
        let Some(at) = self.election.at.filter(|at| *at <= now) else {
            return;
        };
        if now.since(at) > timeout {
            return;
        }
        if !self.election.sent {
            self.request_failover_auth(turn);
        } else if self.election.count >= self.quorum() {
            self.election_won(turn);
        }
    }

    /// Whether the replica's data is recent enough for an automatic failover
    /// (`cluster-replica-validity-factor`).
    fn data_is_recent(&self, turn: &Turn<'_>) -> bool {
        let config = turn.config;
        let factor = u64::from(config.cluster_replica_validity_factor);
        if factor == 0 {
            return true;
        }
        let allowed = Duration::secs(u64::from(config.repl_ping_replica_period))
            + config.cluster_node_timeout.times(factor);
        self.outside.data_age.is_some_and(|age| {
            let age = if age > config.cluster_node_timeout {
                age - config.cluster_node_timeout
            } else {
                age
            };
            age <= allowed
        })
    }

    /// Plans an election: half a second for the FAIL to spread, up to another half by chance, and
    /// a second for each replica that has more data; at once if it is a manual failover's.
    fn plan_election(&mut self, turn: &mut Turn<'_>) {
        let rank = self.replica_rank();
        let chance = turn.chance.below(500);
        let (delay, rank) = if self.manual.end.is_some() {
            (Duration::ZERO, 0)
        } else {
            (Duration::millis(500 + chance) + Duration::secs(rank), rank)
        };
        self.election = Election {
            at: Some(turn.now + delay),
            rank,
            epoch: self.election.epoch,
            ..Election::default()
        };
        // A manual failover's election begins in the next turn (at once since PR 1081, 8.1).
        self.todo.handle_failover |= self.manual.end.is_some();
        self.note(ClusterEvent::ElectionPlanned { delay, rank }, turn);
        self.broadcast_pong(Audience::LocalReplicas, turn);
    }

    /// `clusterGetReplicaRank`: how many replicas of the same primary have more data.
    fn replica_rank(&self) -> u64 {
        let primary = self.myself().replicaof;
        let better = |node: &NodeId| {
            let node = self.node(*node);
            node.replicaof == primary
                && !node.nofailover
                && node.offset > self.outside.replica_offset
        };
        self.others().filter(better).count() as u64
    }

    /// Others may have reported more data since.
    fn follow_rank(&mut self) {
        let rank = self.replica_rank();
        let (old, Some(at)) = (self.election.rank, self.election.at) else {
            return;
        };
        let base = at.0 - Duration::secs(old).0;
        self.election.at = Some(Time(base) + Duration::secs(rank));
        self.election.rank = rank;
    }

    /// `clusterRequestFailoverAuth`: asks everybody for a vote, under a new epoch.
    fn request_failover_auth(&mut self, turn: &mut Turn<'_>) {
        self.current_epoch += 1;
        self.election.epoch = self.current_epoch;
        self.election.sent = true;
        let mut packet = self.packet(Body::Nothing, turn);
        packet.force_ack = self.manual.end.is_some();
        let message = turn.packets.keep(BusKind::FailoverAuthRequest, packet);
        self.broadcast(message, turn);
        self.todo.save_config = true;
        self.todo.update_state = true;
        let epoch = self.election.epoch;
        self.note(ClusterEvent::ElectionStarted { epoch }, turn);
    }

    /// A vote; it counts if it is a voter's, and for this election or a later one.
    pub(super) fn failover_auth_arrives(&mut self, sender: NodeId, packet: &Packet) {
        if self.node(sender).votes() && packet.current_epoch >= self.election.epoch {
            self.election.count += 1;
            self.todo.handle_failover = true;
        }
    }

    fn election_won(&mut self, turn: &mut Turn<'_>) {
        let epoch = self.election.epoch;
        let me = self.me;
        let myself = self.node_mut(me);
        myself.config_epoch = myself.config_epoch.max(epoch);
        self.note(ClusterEvent::ElectionWon { epoch }, turn);
        self.replace_your_primary(turn);
    }

    /// `clusterFailoverReplaceYourPrimary` (8.0.1, cluster_legacy.c:4473): the node becomes a
    /// primary, takes its primary's slots in its own table, and tells everybody.
    pub(super) fn replace_your_primary(&mut self, turn: &mut Turn<'_>) {
        let Some(old) = self.myself().replicaof else {
            return;
        };
        let me = self.me;
        self.set_node_as_primary(me);
        self.wants.push(Want::UnsetPrimary);
        let slots = self.owners.slots_of(old);
        let mut count = 0;
        for slot in slots.iter() {
            self.del_slot(slot);
            self.add_slot(me, slot);
            count += 1;
        }
        let epoch = self.myself().config_epoch;
        let what = ClusterEvent::SlotsMoved {
            to: me,
            epoch,
            count,
        };
        self.note(what, turn);
        self.update_state(turn);
        self.save_config();
        self.broadcast_pong(Audience::All, turn);
        self.reset_manual_failover(turn);
    }
}
