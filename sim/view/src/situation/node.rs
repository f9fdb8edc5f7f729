//! What is known of a node.

use super::shape::{FaultState, NodeState};
use crate::words;
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::scenario::Names;
use rebound_sim::trace::FaultKind;
use rebound_sim::valkey::{
    Addr, ClusterEvent, FailoverState, GateVerdict, LinkState, NodeId, ReplId, Role,
};

#[derive(Clone, Debug)]
pub(super) struct NodeNow {
    alive: bool,
    role: Role,
    primary: Option<Addr>,
    link: LinkState,
    history: Option<(ReplId, u64)>,
    failover: FailoverState,
    target: Option<Addr>,
    manual_failover: bool,
    /// Whose commands it holds, one entry a command.
    held: Vec<HostId>,
    faults: Vec<(FaultKind, Time)>,
}

impl NodeNow {
    pub(super) fn at_start(primary: Option<Addr>) -> NodeNow {
        let (role, link) = match primary {
            Some(_) => (Role::Replica, LinkState::Down),
            None => (Role::Primary, LinkState::None),
        };
        NodeNow {
            alive: true,
            role,
            primary,
            link,
            history: None,
            failover: FailoverState::NoFailover,
            target: None,
            manual_failover: false,
            held: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(super) fn says(
        &mut self,
        role: Role,
        primary: Option<Addr>,
        link: LinkState,
        history: (ReplId, u64),
    ) {
        self.role = role;
        self.primary = primary;
        self.link = link;
        self.history = Some(history);
    }

    pub(super) fn fails_over(&mut self, state: FailoverState, target: Option<Addr>) {
        self.failover = state;
        self.target = match state {
            FailoverState::NoFailover => None,
            FailoverState::WaitForSync | FailoverState::InProgress => target,
        };
    }

    /// Whether something has changed.
    pub(super) fn in_cluster(&mut self, node: NodeId, what: ClusterEvent) -> bool {
        match what {
            ClusterEvent::ManualFailoverStarted { replica } => {
                self.manual_failover = replica != node;
                true
            }
            ClusterEvent::ManualFailoverEnded { .. } => {
                self.manual_failover = false;
                true
            }
            ClusterEvent::PossiblyFailing { .. }
            | ClusterEvent::Failed { .. }
            | ClusterEvent::Reachable { .. }
            | ClusterEvent::State { .. }
            | ClusterEvent::ElectionPlanned { .. }
            | ClusterEvent::ElectionStarted { .. }
            | ClusterEvent::ElectionWon { .. }
            | ClusterEvent::Voted { .. }
            | ClusterEvent::VoteRefused { .. }
            | ClusterEvent::EpochTaken { .. }
            | ClusterEvent::SlotsMoved { .. } => false,
        }
    }

    /// Its gates decide about a command. Whether something has changed.
    pub(super) fn judges(&mut self, peer: HostId, verdict: GateVerdict) -> bool {
        match verdict {
            GateVerdict::Postponed(_) => {
                self.held.push(peer);
                true
            }
            GateVerdict::Passed | GateVerdict::Redirected(..) | GateVerdict::Rejected(..) => false,
        }
    }

    /// All that it held is run again; what it postpones anew comes anew.
    pub(super) fn releases(&mut self) {
        self.held.clear();
    }

    /// A peer's connection is gone, and what was held of it. Whether anything was.
    pub(super) fn drops(&mut self, peer: HostId) -> bool {
        let before = self.held.len();
        self.held.retain(|held| *held != peer);
        self.held.len() != before
    }

    pub(super) fn suffers(&mut self, kind: FaultKind, of: FaultKind, at: Time) {
        match kind {
            FaultKind::Crash => self.dies(),
            FaultKind::Restart => self.alive = true,
            FaultKind::HostDown => {
                self.dies();
                self.faults.push((kind, at));
            }
            FaultKind::Pause | FaultKind::Refuse | FaultKind::Slow => self.faults.push((kind, at)),
            FaultKind::Healed | FaultKind::HostUp => {
                if let Some(place) = self.faults.iter().position(|(fault, _)| *fault == of) {
                    self.faults.remove(place);
                }
            }
            // Of paths only.
            FaultKind::Cut
            | FaultKind::Clog
            | FaultKind::Spike
            | FaultKind::Loss
            | FaultKind::Reset => {}
        }
    }

    /// The process is gone, and what it had in mind.
    fn dies(&mut self) {
        self.alive = false;
        self.failover = FailoverState::NoFailover;
        self.target = None;
        self.manual_failover = false;
        self.held.clear();
        // A stopped or slow process is no more; refused connections outlive it.
        self.faults
            .retain(|(kind, _)| !matches!(kind, FaultKind::Pause | FaultKind::Slow));
    }

    pub(super) fn state(&self, names: Names<'_>, node: NodeId) -> NodeState {
        let role = match self.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
        };
        let link = match self.link {
            LinkState::None => None,
            LinkState::Down => Some("down"),
            LinkState::Sync => Some("synchronizing"),
            LinkState::Up => Some("up"),
        };
        NodeState {
            node: names.node(node).to_owned(),
            up: self.alive,
            role: role.to_owned(),
            replica_of: self.primary.map(|primary| names.listener(primary)),
            link: link.map(str::to_owned),
            replid: self.history.map(|(replid, _)| words::replid(replid)),
            offset: self.history.map_or(0, |(_, offset)| offset),
            failover: self.failover.name().to_owned(),
            target: self.target.map(|target| names.listener(target)),
            manual_failover: self.manual_failover,
            postponed: self.held.len() as u64,
            faults: self
                .faults
                .iter()
                .map(|(kind, since)| FaultState {
                    since_ns: since.nanos(),
                    words: words::fault(*kind, None),
                })
                .collect(),
        }
    }
}
