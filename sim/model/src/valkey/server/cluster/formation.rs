//! How a cluster begins, and what of it survives a crash (`nodes.conf`: `clusterSaveConfig` and
//! `clusterLoadConfig`, 8.0.1, cluster_legacy.c).

use std::sync::Arc;

use super::super::super::address::NodeId;
use super::super::super::hash_slot::HashSlot;
use super::super::super::note::ClusterHealth;
use super::super::Turn;
use super::super::boot::INITIAL_OFFSET;
use super::election::Election;
use super::manual::ManualFailover;
use super::node::{ClusterNode, Health};
use super::owners::Owners;
use super::{Cluster, Outside, Todo};
use rebound_engine::Time;

/// What the nodes of a cluster agree on at the start, as if `valkey-cli --cluster create` had
/// just formed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSpec {
    /// Each node's slots: first and last of each range.
    pub slots: Vec<Vec<(HashSlot, HashSlot)>>,
    /// Each node's primary; none for a primary.
    pub replica_of: Vec<Option<NodeId>>,
    /// How many neighbouring keys share a hash tag, and so a slot.
    pub keys_per_tag: u32,
}

/// A node's line of `nodes.conf`.
#[derive(Clone, Debug)]
struct Line {
    replicaof: Option<NodeId>,
    shard: NodeId,
    health: Health,
    config_epoch: u64,
    /// Whether a PING was unanswered.
    pinged: bool,
}

/// `nodes.conf`
#[derive(Clone, Debug, Default)]
pub(super) struct NodesConf {
    lines: Vec<Line>,
    owners: Owners,
    migrating: Vec<(HashSlot, NodeId)>,
    importing: Vec<(HashSlot, NodeId)>,
    current_epoch: u64,
    last_vote_epoch: u64,
}

impl Cluster {
    pub(in super::super) fn new(me: NodeId, spec: Arc<ClusterSpec>) -> Cluster {
        let mut cluster = Cluster {
            me,
            spec,
            nodes: Vec::new(),
            owners: Owners::default(),
            migrating: Vec::new(),
            importing: Vec::new(),
            current_epoch: 0,
            last_vote_epoch: 0,
            state: ClusterHealth::Ok,
            size: 0,
            election: Election::default(),
            manual: ManualFailover::default(),
            todo: Todo::default(),
            written: false,
            awake: false,
            wants: Vec::new(),
            outside: Outside::default(),
            iteration: 0,
            pfail_nodes: 0,
            in_minority_at: None,
            writable_from: None,
            disk: NodesConf::default(),
            scratch: Default::default(),
        };
        cluster.form();
        cluster
    }

    /// The cluster as `valkey-cli --cluster create` leaves it: every node knows all, and has had
    /// an epoch of its own, primaries first (`CLUSTER SET-CONFIG-EPOCH` while all were alone).
    pub(in super::super) fn form(&mut self) {
        let spec = self.spec.clone();
        self.forget_process();
        self.nodes.clear();
        self.owners.clear();
        for (index, replicaof) in spec.replica_of.iter().enumerate() {
            let root = self.root(NodeId(index as u16));
            let mut node = ClusterNode::new(root);
            node.replicaof = replicaof.map(|_| root);
            node.offset = INITIAL_OFFSET;
            self.nodes.push(node);
        }
        let mut epoch = 0;
        for primaries in [true, false] {
            for node in &mut self.nodes {
                if node.is_primary() == primaries {
                    epoch += 1;
                    node.config_epoch = epoch;
                }
            }
        }
        for (index, ranges) in spec.slots.iter().enumerate() {
            for (first, last) in ranges {
                for slot in first.0..=last.0 {
                    self.add_slot(NodeId(index as u16), HashSlot(slot));
                }
            }
        }
        self.current_epoch = epoch;
        self.last_vote_epoch = 0;
        self.migrating.clear();
        self.importing.clear();
        self.size = self.nodes.iter().filter(|node| node.votes()).count() as u32;
        self.save_config();
    }

    /// The primary that a node follows, at once or through others: cluster mode knows no chains.
    fn root(&self, mut node: NodeId) -> NodeId {
        while let Some(primary) = self.spec.replica_of[usize::from(node.0)] {
            node = primary;
        }
        node
    }

    /// Forgets what a process has in memory.
    pub(in super::super) fn forget_process(&mut self) {
        self.election = Election::default();
        self.manual = ManualFailover::default();
        self.todo = Todo::default();
        self.written = false;
        self.awake = false;
        self.wants.clear();
        self.iteration = 0;
        self.pfail_nodes = 0;
        self.in_minority_at = None;
        self.writable_from = None;
    }

    /// Starts the process: loads `nodes.conf`. Returns the node's primary.
    ///
    /// At the run's start the cluster is up; a node that is started again takes it for failed
    /// until it has looked (`clusterInit`).
    pub(in super::super) fn boot(&mut self, restarted: bool, turn: &Turn<'_>) -> Option<NodeId> {
        let now = turn.now;
        self.load_config(now);
        if restarted {
            self.state = ClusterHealth::Starting;
            for node in &mut self.nodes {
                node.offset = 0;
            }
        } else {
            self.state = ClusterHealth::Ok;
            self.writable_from = Some(now);
        }
        self.size = self.nodes.iter().filter(|node| node.votes()).count() as u32;
        let no_failover = turn.config.cluster_replica_no_failover;
        let me = self.me;
        self.node_mut(me).nofailover = no_failover;
        self.myself().replicaof
    }

    /// `clusterLoadConfig`: times are not in the file, only whether there were any.
    fn load_config(&mut self, now: Time) {
        self.owners.clone_from(&self.disk.owners);
        self.migrating.clone_from(&self.disk.migrating);
        self.importing.clone_from(&self.disk.importing);
        self.current_epoch = self.disk.current_epoch;
        self.last_vote_epoch = self.disk.last_vote_epoch;
        for (index, (node, line)) in self.nodes.iter_mut().zip(&self.disk.lines).enumerate() {
            let offset = node.offset;
            *node = ClusterNode::new(line.shard);
            node.offset = offset;
            node.replicaof = line.replicaof;
            node.health = line.health;
            node.failed_at = now;
            node.config_epoch = line.config_epoch;
            node.ping_sent = line.pinged.then_some(now);
            node.pong_received = now;
            node.slots = self.owners.count(NodeId(index as u16));
        }
    }

    /// `clusterSaveConfig`
    pub(super) fn save_config(&mut self) {
        self.todo.save_config = false;
        self.disk.lines.clear();
        self.disk.lines.extend(self.nodes.iter().map(|node| Line {
            replicaof: node.replicaof,
            shard: node.shard,
            health: node.health,
            config_epoch: node.config_epoch,
            pinged: node.ping_sent.is_some(),
        }));
        self.disk.owners.clone_from(&self.owners);
        self.disk.migrating.clone_from(&self.migrating);
        self.disk.importing.clone_from(&self.importing);
        self.disk.current_epoch = self.current_epoch;
        self.disk.last_vote_epoch = self.last_vote_epoch;
    }
}
