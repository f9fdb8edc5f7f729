//! Cluster mode: what a node knows of the others, and what it makes of it
//! (8.0.1, cluster_legacy.c). Each part lives in the module named after what Valkey calls it.
//!
//! The state decides on its own and leaves requests to the server, such as another primary, in
//! `wants`, which the server fulfils before it does anything else.

mod commands;
mod cron;
mod election;
mod epochs;
mod failing;
mod formation;
mod links;
mod manual;
mod node;
mod owners;
mod packet;
mod ping;
mod process;
mod query;
mod state;
mod update;
mod vote;

use std::sync::Arc;

pub use self::formation::ClusterSpec;
pub use self::packet::Packets;

use self::election::Election;
use self::formation::NodesConf;
use self::manual::ManualFailover;
use self::node::ClusterNode;
use self::owners::Owners;
use super::super::address::{AddressBook, NodeId};
use super::super::hash_slot::HashSlot;
use super::super::message::{BusMessage, LinkState};
use super::super::note::{ClusterEvent, ClusterHealth, Note};
use super::super::pause::{Actions, Purpose};
use super::super::slot_set::SlotSet;
use super::blocked::RoleChange;
use super::handshake::ReplState;
use super::{Effect, Server, Turn};
use rebound_engine::{Duration, Time};

/// Which of the two connections between a node and another: each opens one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The one that the node has opened.
    Out,
    /// The one that the other has opened.
    In,
}

/// What a node hears of its connections on the cluster bus.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BusInput {
    /// The connection that the node opens is made.
    Connected,
    /// It could not be made.
    Failed,
    /// The connection is over.
    Closed(Way),
    /// Something came.
    Message(Way, BusMessage),
}

/// What `clusterBeforeSleep` has to do (`CLUSTER_TODO_…`).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Todo {
    handle_failover: bool,
    handle_manual_failover: bool,
    update_state: bool,
    save_config: bool,
}

/// What the cluster's state wants of the server.
#[derive(Debug)]
enum Want {
    /// `replicationSetPrimary`
    SetPrimary {
        primary: NodeId,
        /// The histories have nothing in common (`full_sync_required`).
        full_sync: bool,
    },
    /// `replicationUnsetPrimary`
    UnsetPrimary,
    /// `pauseActions(PAUSE_DURING_FAILOVER, …)`
    PauseWrites { until: Time },
    /// `unpauseActions(PAUSE_DURING_FAILOVER)`
    Unpause,
    /// `delKeysInSlot` of slots that were lost.
    DeleteKeys(Box<SlotSet>),
}

/// What the cluster's state has to know of the server.
#[derive(Copy, Clone, Debug, Default)]
struct Outside {
    /// `primary_repl_offset`
    offset: u64,
    /// `replicationGetReplicaOffset`
    replica_offset: u64,
    /// For how long nothing has come from the primary; none if nothing ever has.
    data_age: Option<Duration>,
}

/// A node's view of the cluster (`clusterState`).
#[derive(Debug)]
pub(super) struct Cluster {
    me: NodeId,
    spec: Arc<ClusterSpec>,
    nodes: Vec<ClusterNode>,
    owners: Owners,
    /// `migrating_slots_to`
    migrating: Vec<(HashSlot, NodeId)>,
    /// `importing_slots_from`
    importing: Vec<(HashSlot, NodeId)>,
    /// `currentEpoch`
    current_epoch: u64,
    /// `lastVoteEpoch`
    last_vote_epoch: u64,
    state: ClusterHealth,
    /// `size`: how many primaries have slots.
    size: u32,
    election: Election,
    manual: ManualFailover,
    todo: Todo,
    /// Something was sent in this turn.
    written: bool,
    /// The event loop does not sleep: what was sent has left work to do.
    awake: bool,
    wants: Vec<Want>,
    outside: Outside,
    /// Runs of `clusterCron`.
    iteration: u64,
    /// `stats_pfail_nodes`
    pfail_nodes: u32,
    /// `among_minority_time`
    in_minority_at: Option<Time>,
    /// From when on a primary that was started may take the cluster for healthy.
    writable_from: Option<Time>,
    disk: NodesConf,
    /// Slots lost in one update, kept for the memory.
    scratch: SlotSet,
}

impl Cluster {
    fn myself(&self) -> &ClusterNode {
        &self.nodes[usize::from(self.me.0)]
    }

    fn node(&self, node: NodeId) -> &ClusterNode {
        &self.nodes[usize::from(node.0)]
    }

    fn node_mut(&mut self, node: NodeId) -> &mut ClusterNode {
        &mut self.nodes[usize::from(node.0)]
    }

    /// The other nodes, in order. (Valkey keeps nodes in a hash table, whose order is chance.)
    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        let me = self.me;
        (0..self.nodes.len() as u16)
            .map(NodeId)
            .filter(move |node| *node != me)
    }

    /// `clusterNodeGetPrimary(myself)`
    fn my_primary(&self) -> NodeId {
        self.myself().replicaof.unwrap_or(self.me)
    }

    fn in_my_shard(&self, node: NodeId) -> bool {
        self.node(node).shard == self.myself().shard
    }

    fn quorum(&self) -> u32 {
        self.size / 2 + 1
    }

    fn note(&self, what: ClusterEvent, turn: &mut Turn<'_>) {
        turn.effects.push(Effect::Note(Note::Cluster(what)));
    }

    /// Whether the next turn follows at once. `clusterSendMessage` (8.0.1, cluster_legacy.c) asks
    /// to be called when the connection can be written to, which ends the event loop's next sleep
    /// before it begins; a turn that has nothing left to do is not worth an event.
    pub(super) fn is_awake(&self) -> bool {
        self.awake
    }

    /// Whether a manual failover suppresses PINGs in the replication stream
    /// (8.0.1, replication.c:4550, `clusterManualFailoverTimeLimit`).
    pub(super) fn manual_failover_runs(&self) -> bool {
        self.manual.end.is_some()
    }
}

impl Server {
    /// Whose a slot is, as the node knows; none if nobody's, or outside cluster mode.
    pub fn slot_owner(&self, slot: HashSlot) -> Option<NodeId> {
        self.cluster.as_ref()?.owners.of(slot)
    }

    /// The configuration epoch of a node, as this one knows; none outside cluster mode.
    pub fn config_epoch(&self, node: NodeId) -> Option<u64> {
        Some(self.cluster.as_ref()?.node(node).config_epoch)
    }

    /// Whether the node takes the cluster for healthy; none outside cluster mode.
    pub fn cluster_health(&self) -> Option<ClusterHealth> {
        Some(self.cluster.as_ref()?.state)
    }

    /// Lets the cluster's state work, and does what it wants done.
    fn with_cluster<R: Default>(
        &mut self,
        turn: &mut Turn<'_>,
        work: impl FnOnce(&mut Cluster, &mut Turn<'_>) -> R,
    ) -> R {
        let outside = self.outside(turn);
        let Some(cluster) = &mut self.cluster else {
            return R::default();
        };
        cluster.outside = outside;
        let result = work(cluster, turn);
        if !cluster.wants.is_empty() {
            let mut wants = std::mem::take(&mut cluster.wants);
            for want in wants.drain(..) {
                self.fulfil(want, turn);
            }
            if let Some(cluster) = &mut self.cluster {
                cluster.wants = wants;
            }
        }
        result
    }

    fn fulfil(&mut self, want: Want, turn: &mut Turn<'_>) {
        match want {
            Want::SetPrimary { primary, full_sync } => {
                let primary = AddressBook::of(primary);
                self.replication_set_primary(primary, RoleChange::ClusterSetPrimary, turn);
                if full_sync {
                    self.cached = None;
                }
            }
            Want::UnsetPrimary => self.replication_unset_primary(turn),
            Want::PauseWrites { until } => {
                let release =
                    self.pause
                        .pause(turn.now, Purpose::DuringFailover, until, Actions::WRITE_SET);
                self.release(release, turn);
            }
            Want::Unpause => {
                let release = self.pause.unpause(turn.now, Purpose::DuringFailover);
                self.release(release, turn);
            }
            Want::DeleteKeys(slots) => self.delete_keys_in(&slots),
        }
    }

    /// What the cluster's state has to know. The age of the data is in whole seconds of the
    /// process's clock, as `clusterHandleReplicaFailover` takes it.
    fn outside(&self, turn: &Turn<'_>) -> Outside {
        const SECOND: u64 = 1_000_000_000;
        let connected = self.link.repl_state == ReplState::Connected;
        let since = if connected {
            Some(self.link.last_io)
        } else {
            self.link.down_since
        };
        Outside {
            offset: self.offset,
            replica_offset: match (self.link.state(), self.cached) {
                (LinkState::Up, _) => self.offset,
                (_, Some((_, offset))) => offset,
                (_, None) => 0,
            },
            data_age: since.map(|since| Duration::secs(turn.now.0 / SECOND - since.0 / SECOND)),
        }
    }

    /// Something happened on the cluster bus.
    pub(super) fn bus_input(&mut self, peer: NodeId, input: BusInput, turn: &mut Turn<'_>) {
        self.with_cluster(turn, |cluster, turn| match input {
            BusInput::Connected => cluster.link_connected(peer, turn),
            BusInput::Failed | BusInput::Closed(Way::Out) => cluster.link_lost(peer),
            BusInput::Closed(Way::In) => {}
            BusInput::Message(way, message) => {
                cluster.process_packet(peer, way, message, turn);
            }
        });
    }

    /// `clusterCron`, ten times a second.
    pub(super) fn cluster_cron(&mut self, turn: &mut Turn<'_>) {
        self.with_cluster(turn, Cluster::cron);
    }

    /// `clusterBeforeSleep`
    pub(super) fn cluster_before_sleep(&mut self, turn: &mut Turn<'_>) {
        self.with_cluster(turn, Cluster::before_sleep);
    }
}
