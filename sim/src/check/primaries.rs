//! Which nodes are primaries: what the checks of two, of none and of redirects look at. In a
//! cluster each shard has its own.

use crate::scenario::Plan;
use crate::trace::{Event, FaultKind, Record};
use crate::valkey::{NodeId, Role};

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

/// What the nodes are.
pub(super) struct Primaries {
    nodes: Vec<Standing>,
    /// Each node's shard.
    shards: Vec<usize>,
    standing: Vec<NodeId>,
    /// Those of one shard.
    of_shard: Vec<NodeId>,
}

impl Primaries {
    pub(super) fn new(plan: &Plan) -> Primaries {
        let nodes = (0..plan.nodes.len() as u16).map(NodeId);
        Primaries {
            nodes: vec![Standing::Gone; plan.nodes.len()],
            shards: nodes.map(|node| plan.shard_of(node)).collect(),
            standing: Vec::new(),
            of_shard: Vec::new(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.nodes.fill(Standing::Gone);
        self.standing.clear();
    }

    /// The shards, in order.
    pub(super) fn shards(&self) -> Vec<usize> {
        let mut shards = self.shards.clone();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    /// Takes note of a record. The shard whose primaries have changed, if one's have.
    #[inline]
    pub(super) fn observe(&mut self, record: &Record) -> Option<usize> {
        let (node, now) = match record.event {
            Event::Role { node, role, .. } => match role {
                Role::Primary => (node, Standing::Primary),
                Role::Replica => (node, Standing::Replica),
            },
            Event::Fault {
                kind: FaultKind::Crash | FaultKind::HostDown,
                from,
                ..
            } => (NodeId(from.0 as u16), Standing::Gone),
            Event::Fault { .. }
            | Event::Dialled { .. }
            | Event::Connected { .. }
            | Event::ConnectFailed { .. }
            | Event::Delivered { .. }
            | Event::Closed { .. }
            | Event::Gate { .. }
            | Event::Released { .. }
            | Event::Failover { .. }
            | Event::Operator { .. }
            | Event::Issued { .. }
            | Event::Hop { .. }
            | Event::Ended { .. } => return None,
        };
        let before = std::mem::replace(&mut self.nodes[usize::from(node.0)], now);
        if (before == Standing::Primary) == (now == Standing::Primary) {
            return None;
        }
        let nodes = (0..self.nodes.len() as u16).map(NodeId);
        self.standing.clear();
        self.standing
            .extend(nodes.filter(|node| self.nodes[usize::from(node.0)] == Standing::Primary));
        Some(self.shards[usize::from(node.0)])
    }

    /// The primaries of a shard that are up, in the nodes' order.
    pub(super) fn of_shard(&mut self, shard: usize) -> &[NodeId] {
        let its = |node: &NodeId| self.shards[usize::from(node.0)] == shard;
        self.of_shard.clear();
        self.of_shard
            .extend(self.standing.iter().copied().filter(its));
        &self.of_shard
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
        self.nodes[usize::from(node.0)]
    }
}
