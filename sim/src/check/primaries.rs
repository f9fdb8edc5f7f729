//! Which nodes are primaries: what `two-primaries` and `no-primary` look at.

use crate::trace::{Event, FaultKind, Record};
use crate::valkey::{NodeId, Role};

/// The primaries that are up.
pub(super) struct Primaries {
    primary: Vec<bool>,
    standing: Vec<NodeId>,
}

impl Primaries {
    pub(super) fn new(nodes: usize) -> Primaries {
        Primaries {
            primary: vec![false; nodes],
            standing: Vec::new(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.primary.fill(false);
        self.standing.clear();
    }

    /// Takes note of a record. Whether the primaries have changed.
    #[inline]
    pub(super) fn observe(&mut self, record: &Record) -> bool {
        let (node, is_primary) = match record.event {
            Event::Role { node, role, .. } => (node, role == Role::Primary),
            Event::Fault {
                kind: FaultKind::Crash | FaultKind::HostDown,
                from,
                ..
            } => (NodeId(from.0 as u16), false),
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
            | Event::Ended { .. } => return false,
        };
        let before = std::mem::replace(&mut self.primary[usize::from(node.0)], is_primary);
        if before == is_primary {
            return false;
        }
        let nodes = (0..self.primary.len() as u16).map(NodeId);
        self.standing.clear();
        self.standing
            .extend(nodes.filter(|node| self.primary[usize::from(node.0)]));
        true
    }

    /// The primaries that are up, in the nodes' order.
    pub(super) fn standing(&self) -> &[NodeId] {
        &self.standing
    }
}
