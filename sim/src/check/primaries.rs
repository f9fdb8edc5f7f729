//! Which nodes are primaries: what the checks of two, of none and of redirects look at.

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
    standing: Vec<NodeId>,
}

impl Primaries {
    pub(super) fn new(nodes: usize) -> Primaries {
        Primaries {
            nodes: vec![Standing::Gone; nodes],
            standing: Vec::new(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.nodes.fill(Standing::Gone);
        self.standing.clear();
    }

    /// Takes note of a record. Whether the primaries have changed.
    #[inline]
    pub(super) fn observe(&mut self, record: &Record) -> bool {
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
            | Event::Element { .. }
            | Event::Hop { .. }
            | Event::Ended { .. } => return false,
        };
        let before = std::mem::replace(&mut self.nodes[usize::from(node.0)], now);
        if (before == Standing::Primary) == (now == Standing::Primary) {
            return false;
        }
        let nodes = (0..self.nodes.len() as u16).map(NodeId);
        self.standing.clear();
        self.standing
            .extend(nodes.filter(|node| self.nodes[usize::from(node.0)] == Standing::Primary));
        true
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
