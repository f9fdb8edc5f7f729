//! What a server says that it does: what its gates make of commands, what it becomes, and what it
//! makes of its cluster. The trace is made of such notes.

use super::address::{Addr, NodeId};
use super::behaviour::Gate;
use super::command_table::CommandKind;
use super::error::ErrorKind;
use super::message::{Belief, FailoverState, LinkState, Reply, Role};
use super::replication::ReplId;
use rebound_engine::{Duration, hashed};
use rebound_net::HostId;

/// What a gate made of a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum GateVerdict {
    /// All gates passed: executed (or queued in a transaction).
    Passed,
    /// Redirected.
    Redirected(Gate, Addr),
    /// Postponed.
    Postponed(Gate),
    /// Rejected with an error.
    Rejected(Gate, ErrorKind),
}

hashed!(
    enum GateVerdict {
        Passed,
        Redirected(gate, addr),
        Postponed(gate),
        Rejected(gate, error),
    }
);

/// How a failover ended, or that it moved on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FailoverEnd {
    /// It goes on.
    Underway,
    /// The target accepted.
    Success,
    /// `FAILOVER ABORT`.
    Aborted,
    /// The time-out passed without FORCE.
    TimedOut,
    /// The target refused PSYNC FAILOVER, or the link broke before its answer.
    Rejected,
}

hashed!(
    enum FailoverEnd {
        Underway,
        Success,
        Aborted,
        TimedOut,
        Rejected,
    }
);

/// Whether a node takes the cluster for healthy (`cluster_state`).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ClusterHealth {
    /// It does.
    #[default]
    Ok,
    /// No: the node has just started.
    Starting,
    /// No: a slot has no owner, or a failed one.
    NotCovered,
    /// No: the node reaches no majority of the primaries.
    InMinority,
}

hashed!(
    enum ClusterHealth {
        Ok,
        Starting,
        NotCovered,
        InMinority,
    }
);

/// Why a primary refuses a vote (`clusterSendFailoverAuthIfNeeded`, 8.0.1, cluster_legacy.c:4286).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum VoteRefusal {
    /// The request's epoch is over.
    OldEpoch,
    /// The primary has voted under this epoch.
    AlreadyVoted,
    /// Who asks is no replica, as far as the primary knows.
    NotAReplica,
    /// The replica's primary is not failed, and it is no manual failover.
    PrimaryIsUp,
    /// The primary has voted for a replica of that primary within twice the node time-out.
    VotedLately,
    /// Another has the replica's slots under a higher epoch.
    OldSlots,
}

hashed!(
    enum VoteRefusal {
        OldEpoch,
        AlreadyVoted,
        NotAReplica,
        PrimaryIsUp,
        VotedLately,
        OldSlots,
    }
);

/// How a manual failover ends on a node.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ManualEnd {
    /// It is through, or another has begun.
    Over,
    /// Its time was up.
    TimedOut,
}

hashed!(
    enum ManualEnd {
        Over,
        TimedOut,
    }
);

/// Something that happened in a cluster, as a node sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClusterEvent {
    /// The node has not heard of another for the node time-out (`PFAIL`).
    PossiblyFailing {
        /// The other.
        peer: NodeId,
    },
    /// A majority has not (`FAIL`).
    Failed {
        /// The other.
        peer: NodeId,
    },
    /// The other answers again.
    Reachable {
        /// The other.
        peer: NodeId,
    },
    /// The node changes its mind about the cluster.
    State {
        /// What it takes it for.
        state: ClusterHealth,
    },
    /// A replica will stand for election.
    ElectionPlanned {
        /// In how long.
        delay: Duration,
        /// How many replicas have more data.
        rank: u64,
    },
    /// A replica asks for votes.
    ElectionStarted {
        /// Under which epoch.
        epoch: u64,
    },
    /// A replica has a majority.
    ElectionWon {
        /// Under which epoch.
        epoch: u64,
    },
    /// A primary votes.
    Voted {
        /// For whom.
        to: NodeId,
        /// Under which epoch.
        epoch: u64,
    },
    /// A primary refuses its vote.
    VoteRefused {
        /// To whom.
        to: NodeId,
        /// Under which epoch it was asked.
        epoch: u64,
        /// Why.
        why: VoteRefusal,
    },
    /// A manual failover begins: on the replica with the command, on its primary with the pause.
    ManualFailoverStarted {
        /// Who takes over.
        replica: NodeId,
    },
    /// A manual failover ends on the node.
    ManualFailoverEnded {
        /// How.
        how: ManualEnd,
    },
    /// The node gives itself an epoch without a vote.
    EpochTaken {
        /// Which.
        epoch: u64,
    },
    /// In the node's table slots have another owner.
    SlotsMoved {
        /// The owner.
        to: NodeId,
        /// Its epoch.
        epoch: u64,
        /// How many.
        count: u32,
    },
}

hashed!(enum ClusterEvent {
    PossiblyFailing { peer },
    Failed { peer },
    Reachable { peer },
    State { state },
    ElectionPlanned { delay, rank },
    ElectionStarted { epoch },
    ElectionWon { epoch },
    Voted { to, epoch },
    VoteRefused { to, epoch, why },
    ManualFailoverStarted { replica },
    ManualFailoverEnded { how },
    EpochTaken { epoch },
    SlotsMoved { to, epoch, count },
});

/// Something that a server does, or that happens to it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A server answered, postponed or executed a client's command.
    Gate {
        /// The peer's host.
        peer: HostId,
        /// The number of the client's command to which it belongs: the command itself, or the
        /// transaction of which it is a part. Absent for all else, `ASKING` before a command too.
        number: Option<u32>,
        /// The command.
        command: CommandKind,
        /// What became of it.
        verdict: GateVerdict,
        /// What the node believed of itself.
        belief: Belief,
    },
    /// Postponed commands are run again.
    Released {
        /// How many.
        commands: u32,
    },
    /// A node's role, link or replication id changed.
    Role {
        /// Its role now.
        role: Role,
        /// Its primary.
        primary: Option<Addr>,
        /// Its link now.
        link: LinkState,
        /// Its replication id now.
        replid: ReplId,
        /// Its replication offset.
        offset: u64,
    },
    /// A node's failover state changed.
    Failover {
        /// Its state now.
        state: FailoverState,
        /// The target.
        target: Option<Addr>,
        /// How it came.
        how: FailoverEnd,
    },
    /// The operator's command and its reply.
    Operator {
        /// The command.
        command: CommandKind,
        /// The reply.
        reply: Reply,
    },
    /// Something happened in a cluster.
    Cluster(ClusterEvent),
}

hashed!(enum Note {
    Gate { peer, command, belief, verdict, number },
    Released { commands },
    Role { role, link, replid, offset, primary },
    Failover { state, how, target },
    Operator { command, reply },
    Cluster(cluster_event),
});
