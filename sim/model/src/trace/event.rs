//! What is traced.

use crate::client::ClientId;
use crate::engine::{Span, Time};
use crate::net::{Closing, ConnId, ConnectFailure, HostId};
use crate::sentinel::Notice;
use crate::valkey::{
    Addr, Belief, CommandKind, Elements, Epoch, ErrorKind, FailoverState, Gate, LinkState, Message,
    NodeId, RedirectKind, ReplId, Reply, Role, Value, WriteId,
};

/// Something that happened, and when.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Time,
    /// What.
    pub event: Event,
}

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

/// How a logical command ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Served.
    Served,
    /// An error reply reached the application.
    Error(ErrorKind),
    /// A redirect reached the application.
    Redirect,
    /// No reply in time, as often as the policy tries.
    TimedOut,
    /// The connection was lost, as often as the policy tries.
    Disconnected,
    /// No connection could be made, as often as the policy tries.
    Unreachable,
}

impl CommandOutcome {
    /// The code under which reports count an outcome; none for a command that was served.
    pub fn code(self) -> Option<&'static str> {
        match self {
            CommandOutcome::Served => None,
            CommandOutcome::Error(error) => Some(error.code()),
            CommandOutcome::Redirect => Some("REDIRECT"),
            CommandOutcome::TimedOut => Some("TIMEOUT"),
            CommandOutcome::Disconnected => Some("DISCONNECTED"),
            CommandOutcome::Unreachable => Some("UNREACHABLE"),
        }
    }
}

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

/// How a manual failover ends on a node.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ManualEnd {
    /// It is through, or another has begun.
    Over,
    /// Its time was up.
    TimedOut,
}

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
        delay: Span,
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

/// A fault, or its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // explained where they are made, in `net` and in the scenario format
pub enum FaultKind {
    Cut,
    Clog,
    Spike,
    Loss,
    Reset,
    Refuse,
    Pause,
    Slow,
    Crash,
    Restart,
    HostDown,
    HostUp,
    Healed,
}

/// Writes numbered one after the other.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WriteRange {
    /// The first.
    pub first: WriteId,
    /// How many; zero for a command that writes nothing.
    pub count: u16,
}

/// Which keys a command's writes go to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WrittenKeys {
    /// The first key of the space.
    pub base: u32,
    /// Where in it the first write goes.
    pub at: u32,
    /// How many keys the space has, so that a transaction goes round; never zero.
    pub of: u32,
}

impl WrittenKeys {
    /// The key of a command that is no transaction.
    pub const fn one(key: u32) -> WrittenKeys {
        WrittenKeys {
            base: key,
            at: 0,
            of: 1,
        }
    }

    /// The key of a command's write at this place. A transaction is alternately SET and GET, so
    /// that its writes go to every other key.
    pub const fn key(self, place: u16) -> u32 {
        let offset = self.at.wrapping_add(place as u32 * 2) % self.of;
        self.base.wrapping_add(offset)
    }
}

/// What the reply to a command told of the data.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Saw {
    /// Nothing: there was none, or it tells of no value.
    #[default]
    Nothing,
    /// The value of a key: by GET as it is, by INCR as it has become.
    Value(Value),
    /// The values of several keys. Each comes by itself, as an [`Event::Element`].
    Elements(Elements),
}

/// One thing that happened.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection attempt begins.
    Dialled {
        /// The connection.
        conn: ConnId,
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
    },
    /// A connection attempt succeeded, as its initiator sees it.
    Connected {
        /// The connection.
        conn: ConnId,
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
    },
    /// A connection attempt failed.
    ConnectFailed {
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
        /// Why.
        why: ConnectFailure,
    },
    /// A message arrived.
    Delivered {
        /// The connection.
        conn: ConnId,
        /// Its sender.
        from: HostId,
        /// Its receiver.
        to: HostId,
        /// When it was sent.
        sent_at: Time,
        /// What it was.
        message: Message,
    },
    /// An end learns that the connection is over.
    Closed {
        /// The connection.
        conn: ConnId,
        /// The other end.
        from: HostId,
        /// Who learns it.
        to: HostId,
        /// How it ended.
        how: Closing,
    },
    /// A server answered, postponed or executed a client's command.
    Gate {
        /// The server.
        node: NodeId,
        /// The peer's host.
        peer: HostId,
        /// The command.
        command: CommandKind,
        /// What became of it.
        verdict: GateVerdict,
        /// What the node believed of itself.
        belief: Belief,
    },
    /// Postponed commands are run again.
    Released {
        /// The server.
        node: NodeId,
        /// How many.
        commands: u32,
    },
    /// A node's role, link or replication id changed.
    Role {
        /// The server.
        node: NodeId,
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
        /// The server.
        node: NodeId,
        /// Its state now.
        state: FailoverState,
        /// The target.
        target: Option<Addr>,
        /// How it came.
        how: FailoverEnd,
    },
    /// The operator's command and its reply.
    Operator {
        /// The server.
        node: NodeId,
        /// The command.
        command: CommandKind,
        /// The reply.
        reply: Reply,
    },
    /// Sentinel sees or decides something.
    Sentinel {
        /// What.
        what: Notice,
        /// About which node.
        node: NodeId,
    },
    /// An application issues a command.
    Issued {
        /// Whose.
        client: ClientId,
        /// The command's number with its client.
        command: u32,
        /// What it is.
        kind: CommandKind,
        /// The writes that it asks for. Not in the trace's hash: the requests are.
        writes: WriteRange,
        /// Where they go. Not in the hash either.
        keys: WrittenKeys,
    },
    /// One value of an `MGET` that is about to end, served. Not in the trace's hash: the replies
    /// that arrive are.
    Element {
        /// Whose.
        client: ClientId,
        /// The command's number with its client.
        command: u32,
        /// Who replied.
        from: Addr,
        /// The key.
        key: u32,
        /// Its value.
        value: Value,
        /// Since the command was issued.
        took: Span,
    },
    /// A client follows a redirect.
    Hop {
        /// Whose.
        client: ClientId,
        /// The command's number with its client.
        command: u32,
        /// What the command is.
        kind: CommandKind,
        /// The node that redirected.
        from: NodeId,
        /// Where to.
        to: Addr,
        /// By which reply.
        via: RedirectKind,
        /// How many there have been for this command, this one included.
        hops: u32,
        /// Whether the target had already redirected this command.
        bounce: bool,
        /// What the redirecting node believed of itself.
        belief: Belief,
    },
    /// A client does not follow a redirect, since it is older than what it knows: it asks the
    /// same node again later.
    Ignored {
        /// Whose.
        client: ClientId,
        /// The command's number with its client.
        command: u32,
        /// What the command is.
        kind: CommandKind,
        /// The node that redirected.
        from: NodeId,
        /// Where to.
        to: Addr,
        /// The redirect's epoch.
        said: Epoch,
        /// The epoch that the client knows.
        known: Epoch,
    },
    /// A command has ended.
    Ended {
        /// Whose.
        client: ClientId,
        /// The command's number with its client.
        command: u32,
        /// What it is.
        kind: CommandKind,
        /// How.
        outcome: CommandOutcome,
        /// Redirects that it met.
        hops: u32,
        /// Redirects that led back.
        bounces: u32,
        /// From issue to end.
        took: Span,
        /// The writes that it asked for.
        writes: WriteRange,
        /// Who replied last, and what. Not in the trace's hash: the replies that arrive are.
        from: Addr,
        /// The key that it read, if it reads; the first of an `MGET`. Not in the hash either.
        key: u32,
        /// What it was told. Not in the hash either.
        saw: Saw,
    },
    /// Something happened in a cluster.
    Cluster {
        /// As which node sees it.
        node: NodeId,
        /// What.
        what: ClusterEvent,
    },
    /// A fault begins or ends.
    Fault {
        /// What.
        kind: FaultKind,
        /// Which fault it is or, for an end, which one ends. Not in the trace's hash.
        of: FaultKind,
        /// Where from.
        from: HostId,
        /// Where to, the same host for faults of a node.
        to: HostId,
    },
}
