//! What each node is in the course of a run: primary, replica, stopped, down.

use super::Life;
use rebound_engine::Time;
use rebound_sim::scenario::{HostRole, Names};
use rebound_sim::trace::{Event, FaultKind, Record};
use rebound_sim::valkey::{NodeId, Note as NodeNote, Role};

/// A node's present.
#[derive(Copy, Clone)]
struct Now {
    role: Role,
    stopped: bool,
    down: bool,
}

impl Now {
    fn life(self) -> Life {
        match self.role {
            _ if self.down => Life::Down,
            _ if self.stopped => Life::Stopped,
            Role::Primary => Life::Primary,
            Role::Replica => Life::Replica,
        }
    }
}

/// The lives of all nodes.
pub(super) struct Lives {
    now: Vec<Now>,
    /// What a node became, and when: the time, and its place among all entries.
    pub(super) changes: Vec<(NodeId, (Time, u64), Life)>,
}

impl Lives {
    pub(super) fn new(names: Names<'_>) -> Lives {
        let node = |place: usize| {
            let primary = names.first_primary(NodeId(place as u16));
            Now {
                role: primary.map_or(Role::Primary, |_| Role::Replica),
                stopped: false,
                down: false,
            }
        };
        let now: Vec<_> = (0..names.nodes()).map(node).collect();
        let firsts = now.iter().enumerate();
        let changes =
            firsts.map(|(place, now)| (NodeId(place as u16), (Time::ZERO, 0), now.life()));
        Lives {
            changes: changes.collect(),
            now,
        }
    }

    /// Takes note of a record, `order` being the number that its entry gets.
    pub(super) fn observe(&mut self, names: Names<'_>, record: &Record, order: u64) {
        let (node, change): (NodeId, &dyn Fn(&mut Now)) = match record.event {
            Event::Node(node, NodeNote::Role { role, .. }) => (node, &move |now: &mut Now| {
                now.role = role;
                now.down = false;
            }),
            Event::Fault { kind, of, from, to } if from == to => {
                let HostRole::Node(node) = names.role(from) else {
                    return;
                };
                (node, &move |now: &mut Now| suffer(now, kind, of))
            }
            Event::Fault { .. }
            | Event::Net(_)
            | Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Released { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. }
            | Event::Client(..) => return,
        };
        let now = &mut self.now[usize::from(node.0)];
        let before = now.life();
        change(now);
        if now.life() != before {
            self.changes.push((node, (record.at, order), now.life()));
        }
    }
}

fn suffer(now: &mut Now, kind: FaultKind, of: FaultKind) {
    match kind {
        FaultKind::Crash | FaultKind::HostDown => {
            now.down = true;
            now.stopped = false;
        }
        FaultKind::Restart | FaultKind::HostUp => now.down = false,
        FaultKind::Pause => now.stopped = true,
        FaultKind::Healed if of == FaultKind::Pause => now.stopped = false,
        FaultKind::Healed
        | FaultKind::Cut
        | FaultKind::Clog
        | FaultKind::Spike
        | FaultKind::Loss
        | FaultKind::Reset
        | FaultKind::Refuse
        | FaultKind::Slow => {}
    }
}
