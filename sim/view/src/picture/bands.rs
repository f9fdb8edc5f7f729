//! What nodes are over time, as bands along their lanes.

use super::shape::{Band, BandKind};
use super::texts::Texts;
use crate::run::{Node, NodeState};
use rebound_engine::Time;
use rebound_sim::valkey::{FailoverState, LinkState, NodeId};

/// A band that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    kind: BandKind,
    since: Time,
    words: String,
    /// The most commands that were postponed meanwhile.
    most: u64,
}

/// The bands of all nodes.
pub(super) struct Bands {
    open: Vec<Vec<Open>>,
    closed: Vec<(u32, Open, Time)>,
}

impl Bands {
    pub(super) fn new(nodes: usize) -> Bands {
        Bands {
            open: vec![Vec::new(); nodes],
            closed: Vec::new(),
        }
    }

    /// The node's state is this from `at` on.
    pub(super) fn note(&mut self, id: NodeId, node: &Node, state: &NodeState, at: Time) {
        let index = usize::from(id.0);
        let wanted = wanted(node, state);
        let mut kept = Vec::new();
        for mut open in std::mem::take(&mut self.open[index]) {
            let goes_on = |(kind, words): &&(BandKind, String)| {
                // How many are postponed changes all the time.
                *kind == open.kind && (*kind == BandKind::Holding || *words == open.words)
            };
            if wanted.iter().any(|band| goes_on(&band)) {
                open.most = open.most.max(state.postponed);
                kept.push(open);
            } else if open.since < at {
                self.closed.push((index as u32, open, at));
            }
        }
        for (kind, words) in wanted {
            let there = |open: &Open| {
                open.kind == kind && (kind == BandKind::Holding || open.words == words)
            };
            if !kept.iter().any(there) {
                kept.push(Open {
                    kind,
                    since: at,
                    words,
                    most: state.postponed,
                });
            }
        }
        self.open[index] = kept;
    }

    pub(super) fn finish(mut self, end: Time, texts: &mut Texts) -> Vec<Band> {
        for (index, open) in std::mem::take(&mut self.open).into_iter().enumerate() {
            let open = open.into_iter();
            self.closed
                .extend(open.map(|open| (index as u32, open, end)));
        }
        let mut bands: Vec<_> = self
            .closed
            .into_iter()
            .map(|(lane, open, until)| {
                let words = match open.kind {
                    BandKind::Holding if open.most == 1 => "1 command postponed".to_owned(),
                    BandKind::Holding => format!("up to {} commands postponed", open.most),
                    BandKind::Primary
                    | BandKind::Replica
                    | BandKind::LinkDown
                    | BandKind::Synchronizing
                    | BandKind::Absent
                    | BandKind::WaitingForSync
                    | BandKind::InProgress
                    | BandKind::ManualFailover
                    | BandKind::Fault => open.words,
                };
                Band {
                    lane,
                    kind: open.kind,
                    from: open.since.nanos(),
                    until: until.nanos(),
                    text: texts.whole(&words),
                }
            })
            .collect();
        bands.sort_by_key(|band| (band.lane, band.from, band.kind, band.until));
        bands
    }
}

/// The bands that a state shows.
fn wanted(node: &Node, state: &NodeState) -> Vec<(BandKind, String)> {
    let mut bands = Vec::new();
    let of = |role: &str| match &state.replica_of {
        Some(primary) => format!("{role} of {primary}"),
        None => role.to_owned(),
    };
    bands.push(if node.up {
        match node.is.link {
            LinkState::None => (BandKind::Primary, "primary".to_owned()),
            LinkState::Up => (BandKind::Replica, of("replica")),
            LinkState::Sync => (
                BandKind::Synchronizing,
                format!("{}, synchronizing", of("replica")),
            ),
            LinkState::Down => (BandKind::LinkDown, format!("{}, link down", of("replica"))),
        }
    } else {
        (BandKind::Absent, "not there".to_owned())
    });
    let towards = match &state.target {
        Some(target) => format!("{} to {target}", state.failover),
        None => state.failover.clone(),
    };
    match node.failover {
        FailoverState::NoFailover => {}
        FailoverState::WaitForSync => bands.push((BandKind::WaitingForSync, towards)),
        FailoverState::InProgress => bands.push((BandKind::InProgress, towards)),
    }
    if node.manual_failover {
        bands.push((
            BandKind::ManualFailover,
            "manual failover: writes paused".to_owned(),
        ));
    }
    if state.postponed > 0 {
        bands.push((BandKind::Holding, String::new()));
    }
    for fault in &state.faults {
        bands.push((BandKind::Fault, fault.words.clone()));
    }
    bands
}
