//! Which nodes are primaries: what the checks of two, of none and of redirects look at. In a
//! cluster each shard has its own.

use crate::scenario::Plan;
use crate::trace::{Event, FaultKind};
use crate::valkey::{ClusterEvent, ClusterHealth, NodeId, Note as NodeNote, Role};

/// What a node is, to those who would use it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A primary that is up.
    Primary,
    /// A replica that is up.
    Replica,
    /// Its process is dead, or its machine has fallen silent.
    Gone,
}

/// What is known of a node.
#[derive(Copy, Clone, Debug)]
struct Known {
    standing: Standing,
    /// In a cluster: it takes the cluster for failed, so it serves nobody.
    down: bool,
    /// In a cluster: it has paused writes for a manual failover.
    paused: bool,
}

impl Known {
    const NOTHING: Known = Known {
        standing: Standing::Gone,
        down: false,
        paused: false,
    };

    fn serves(self) -> bool {
        self.standing == Standing::Primary && !self.down
    }

    fn accepts_writes(self) -> bool {
        self.serves() && !self.paused
    }
}

/// What the nodes are.
pub(super) struct Primaries {
    nodes: Vec<Known>,
    /// Each node's shard.
    shards: Vec<usize>,
    standing: Vec<NodeId>,
    /// Those of the shard that changed last that accept writes now.
    accepting: Vec<NodeId>,
    /// The shard whose primaries the last record has changed, if it did.
    changed: Option<usize>,
}

impl Primaries {
    pub(super) fn new(plan: &Plan) -> Primaries {
        let nodes = (0..plan.nodes.len() as u16).map(NodeId);
        Primaries {
            nodes: vec![Known::NOTHING; plan.nodes.len()],
            shards: nodes.map(|node| plan.shard_of(node)).collect(),
            standing: Vec::new(),
            accepting: Vec::new(),
            changed: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.nodes.fill(Known::NOTHING);
        self.standing.clear();
        self.changed = None;
    }

    /// The shards, in order.
    pub(super) fn shards(&self) -> Vec<usize> {
        let mut shards = self.shards.clone();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    /// Takes note of a record that is about nodes.
    pub(super) fn observe(&mut self, event: &Event) {
        self.changed = self.change(event);
        if let Some(shard) = self.changed {
            let (nodes, shards) = (&self.nodes, &self.shards);
            let accepts = |node: &NodeId| {
                let index = usize::from(node.0);
                shards[index] == shard && nodes[index].accepts_writes()
            };
            self.accepting.clear();
            self.accepting
                .extend(self.standing.iter().copied().filter(accepts));
        }
    }

    /// The shard whose primaries a record changes, if it changes one's.
    fn change(&mut self, event: &Event) -> Option<usize> {
        let (node, now) = match *event {
            Event::Node(node, NodeNote::Role { role, .. }) => {
                let standing = match role {
                    Role::Primary => Standing::Primary,
                    Role::Replica => Standing::Replica,
                };
                let before = self.nodes[usize::from(node.0)];
                (node, Known { standing, ..before })
            }
            Event::Fault {
                kind: FaultKind::Crash | FaultKind::HostDown,
                from,
                ..
            } => (NodeId(from.0 as u16), Known::NOTHING),
            Event::Node(node, NodeNote::Cluster(what)) => (node, self.in_cluster(node, what)?),
            Event::Fault { .. }
            | Event::Net(_)
            | Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Released { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. }
            | Event::Client(..) => return None,
        };
        let before = std::mem::replace(&mut self.nodes[usize::from(node.0)], now);
        if before.serves() == now.serves() && before.accepts_writes() == now.accepts_writes() {
            return None;
        }
        let nodes = (0..self.nodes.len() as u16).map(NodeId);
        self.standing.clear();
        self.standing
            .extend(nodes.filter(|node| self.nodes[usize::from(node.0)].serves()));
        Some(self.shards[usize::from(node.0)])
    }

    /// What a node is after something that happened in its cluster, if that matters here.
    #[cold]
    fn in_cluster(&self, node: NodeId, what: ClusterEvent) -> Option<Known> {
        let before = self.nodes[usize::from(node.0)];
        match what {
            ClusterEvent::State { state } => Some(Known {
                down: state != ClusterHealth::Ok,
                ..before
            }),
            ClusterEvent::ManualFailoverStarted { replica } if replica != node => Some(Known {
                paused: true,
                ..before
            }),
            ClusterEvent::ManualFailoverEnded { .. } => Some(Known {
                paused: false,
                ..before
            }),
            ClusterEvent::ManualFailoverStarted { .. }
            | ClusterEvent::PossiblyFailing { .. }
            | ClusterEvent::Failed { .. }
            | ClusterEvent::Reachable { .. }
            | ClusterEvent::ElectionPlanned { .. }
            | ClusterEvent::ElectionStarted { .. }
            | ClusterEvent::ElectionWon { .. }
            | ClusterEvent::Voted { .. }
            | ClusterEvent::VoteRefused { .. }
            | ClusterEvent::EpochTaken { .. }
            | ClusterEvent::SlotsMoved { .. } => None,
        }
    }

    /// The shard whose primaries the last record about nodes has changed, if it did, and those of
    /// its nodes that accept writes now, in the nodes' order.
    pub(super) fn changed(&self) -> Option<(usize, &[NodeId])> {
        Some((self.changed?, &self.accepting))
    }

    /// How many primaries of a shard are up and serve.
    pub(super) fn count(&self, shard: usize) -> usize {
        let its = |node: &&NodeId| self.shards[usize::from(node.0)] == shard;
        self.standing.iter().filter(its).count()
    }

    /// The primaries of a node's shard that are up, in the nodes' order.
    pub(super) fn beside(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let shard = self.shards[usize::from(node.0)];
        let its = move |node: &NodeId| self.shards[usize::from(node.0)] == shard;
        self.standing.iter().copied().filter(its)
    }

    /// The primaries that are up, in the nodes' order.
    pub(super) fn standing(&self) -> &[NodeId] {
        &self.standing
    }

    /// What a node is.
    pub(super) fn of(&self, node: NodeId) -> Standing {
        self.nodes[usize::from(node.0)].standing
    }
}
