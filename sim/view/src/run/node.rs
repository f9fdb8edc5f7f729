//! What is known of a node.

use super::state::{FaultState, NodeState};
use crate::words;
use rebound_engine::Time;
use rebound_net::HostId;
use rebound_sim::scenario::Names;
use rebound_sim::trace::FaultKind;
use rebound_sim::valkey::{
    Addr, Behaviour, ClusterEvent, FailoverState, GateVerdict, LinkState, NodeId, ReplId, Role,
};

/// What a node says of itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its role.
    pub role: Role,
    /// Its primary.
    pub primary: Option<Addr>,
    /// Its link to that.
    pub link: LinkState,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Whether its process runs and its machine is on the network.
    pub up: bool,
    /// What it is: what it said last, be that of a process that is dead by now, or else what the
    /// scenario makes it.
    pub is: Said,
    /// Its failover.
    pub failover: FailoverState,
    /// The failover's target.
    pub target: Option<Addr>,
    /// Whether a manual failover of the cluster pauses writes here.
    pub manual_failover: bool,
    /// Whose commands it has postponed, one entry a command.
    pub held: Vec<HostId>,
    /// The faults of its process and machine that have not ended, and since when.
    pub faults: Vec<(FaultKind, Time)>,
    /// Whether its link was up at some time, or it was a primary.
    pub linked: bool,
    /// The behaviour that it follows.
    pub(crate) behaviour: &'static Behaviour,
    history: Option<(ReplId, u64)>,
    /// Whether this process has said anything.
    spoken: bool,
    /// What this process had said before it said what it is.
    before: Option<Said>,
}

impl Node {
    pub(super) fn at_start(primary: Option<Addr>, behaviour: &'static Behaviour) -> Node {
        let (role, link) = match primary {
            Some(_) => (Role::Replica, LinkState::Down),
            None => (Role::Primary, LinkState::None),
        };
        Node {
            up: true,
            is: Said {
                role,
                primary,
                link,
            },
            linked: false,
            behaviour,
            history: None,
            spoken: false,
            before: None,
            failover: FailoverState::NoFailover,
            target: None,
            manual_failover: false,
            held: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// What its process has said of itself, if it has said anything.
    pub fn said(&self) -> Option<Said> {
        self.spoken.then_some(self.is)
    }

    /// What its process had said before that.
    pub(crate) fn said_before(&self) -> Option<Said> {
        self.before
    }

    /// Whether a fault of this kind has not ended.
    pub(crate) fn suffers_from(&self, kind: FaultKind) -> bool {
        self.faults.iter().any(|(fault, _)| *fault == kind)
    }

    pub(super) fn says(&mut self, said: Said, history: (ReplId, u64)) {
        self.before = self.said();
        self.up = true;
        self.is = said;
        self.spoken = true;
        self.linked |= said.link == LinkState::Up || said.role == Role::Primary;
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
            FaultKind::Restart => self.up = true,
            FaultKind::HostDown => {
                self.dies();
                self.faults.push((kind, at));
            }
            FaultKind::Pause | FaultKind::Refuse | FaultKind::Slow => self.faults.push((kind, at)),
            FaultKind::Healed | FaultKind::HostUp => {
                if let Some(index) = self.faults.iter().position(|(fault, _)| *fault == of) {
                    self.faults.remove(index);
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
        self.up = false;
        self.spoken = false;
        self.failover = FailoverState::NoFailover;
        self.target = None;
        self.manual_failover = false;
        self.held.clear();
        // A stopped or slow process is no more; refused connections outlive it.
        self.faults
            .retain(|(kind, _)| !matches!(kind, FaultKind::Pause | FaultKind::Slow));
    }

    pub(super) fn state(&self, names: Names<'_>, node: NodeId) -> NodeState {
        let link = self.is.link.name();
        NodeState {
            node: names.node(node).to_owned(),
            up: self.up,
            role: self.is.role.name().to_owned(),
            replica_of: self.is.primary.map(|primary| names.listener(primary)),
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
