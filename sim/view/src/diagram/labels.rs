//! The text of arrows and notes: short, since there is little room.

use super::{Arrow, ArrowLook, NoteLook};
use crate::words;
use rebound_engine::Duration;
use rebound_net::{Closing, ConnectFailure};
use rebound_sim::client::CommandOutcome;
use rebound_sim::scenario::Names;
use rebound_sim::trace::FaultKind;
use rebound_sim::valkey::{
    Addr, BusKind, ClusterEvent, ClusterHealth, Command, CommandKind, FailoverEnd, FailoverState,
    LinkState, ManualEnd, Message, NodeId, Redirect, ReplOp, Reply, Role,
};

/// `text` in at most [`Arrow::LABEL`] characters.
pub(super) fn cut(text: String) -> String {
    if text.chars().count() <= Arrow::LABEL {
        return text;
    }
    let kept: String = text.chars().take(Arrow::LABEL - 1).collect();
    kept.trim_end().to_owned() + "…"
}

/// A command, with its number where that is known.
pub(super) fn command(kind: CommandKind, number: Option<u32>) -> String {
    number.map_or(kind.name().to_owned(), |n| format!("{} #{n}", kind.name()))
}

/// A message between clients and nodes or between nodes, and what it means.
pub(super) fn message(
    names: Names<'_>,
    message: Message,
    number: Option<u32>,
    between_nodes: bool,
) -> (String, ArrowLook) {
    let look = |look| {
        if between_nodes {
            ArrowLook::Handshake
        } else {
            look
        }
    };
    let (label, look) = match message {
        Message::Request(request) => {
            let given = request.command;
            let whole = matches!(
                given,
                Command::ReplicaOf(_) | Command::Failover { .. } | Command::FailoverAbort
            );
            let label = if matches!(given, Command::Psync { failover: true, .. }) {
                "PSYNC … FAILOVER".to_owned()
            } else if between_nodes {
                given.kind().name().to_owned()
            } else if whole {
                words::command(names, given)
            } else {
                command(given.kind(), number)
            };
            (label, look(ArrowLook::Request))
        }
        Message::Reply { reply: given, .. } => {
            let (label, meant) = reply(names, given);
            (label, look(meant))
        }
        Message::Stream(entry) => (stream(entry.op).to_owned(), look(ArrowLook::Reply)),
        Message::Snapshot(_) => ("a snapshot".to_owned(), look(ArrowLook::Reply)),
        Message::Bus(bus) => (self::bus(bus.kind).to_owned(), ArrowLook::Handshake),
    };
    (cut(label), look)
}

fn bus(kind: BusKind) -> &'static str {
    match kind {
        BusKind::FailoverAuthRequest => "asks for a vote",
        BusKind::FailoverAuthAck => "a vote",
        BusKind::Ping | BusKind::Pong | BusKind::Fail | BusKind::Update | BusKind::MfStart => {
            kind.name()
        }
    }
}

fn stream(op: ReplOp) -> &'static str {
    match op {
        ReplOp::HandOver(_) => "a failover is in progress",
        ReplOp::HandOverOff => "the failover is off",
        ReplOp::Ping
        | ReplOp::GetAck
        | ReplOp::Set(..)
        | ReplOp::Incr(..)
        | ReplOp::Del(..)
        | ReplOp::LPush(..)
        | ReplOp::LPop(..)
        | ReplOp::Publish(_)
        | ReplOp::RPush(..)
        | ReplOp::XAdd(..)
        | ReplOp::FlushAll(_)
        | ReplOp::ExpireAt(..)
        | ReplOp::Expired(_) => "replication stream",
    }
}

fn reply(names: Names<'_>, reply: Reply) -> (String, ArrowLook) {
    let label = match reply {
        Reply::Error(kind) => return (format!("-{}", kind.code()), ArrowLook::Error),
        Reply::Redirect(Redirect { to, .. }) => {
            let label = format!("redirect to {}", names.listener(to));
            return (label, ArrowLook::Redirect);
        }
        Reply::Value(_) => "a value".to_owned(),
        Reply::Elements(_) | Reply::Array(_) => "values".to_owned(),
        Reply::Subscribed => "subscribed".to_owned(),
        Reply::Published => "a message".to_owned(),
        Reply::Info { .. } => "INFO".to_owned(),
        Reply::Continue { .. } => "+CONTINUE".to_owned(),
        Reply::FullResync { .. } => "+FULLRESYNC".to_owned(),
        Reply::NewLine => "still here".to_owned(),
        Reply::Topology(_) => "slots".to_owned(),
        Reply::Ok
        | Reply::Pong
        | Reply::Queued
        | Reply::Nil
        | Reply::Int(_)
        | Reply::Reset
        | Reply::Encoding(_)
        | Reply::DualChannelSync => words::reply(names, reply),
    };
    (label, ArrowLook::Reply)
}

/// A message in full.
pub(super) fn detail(names: Names<'_>, message: Message) -> String {
    match message {
        Message::Request(request) => words::command(names, request.command),
        Message::Reply { reply, .. } => words::reply(names, reply),
        Message::Stream(entry) => stream(entry.op).to_owned(),
        Message::Snapshot(_) => "a snapshot".to_owned(),
        Message::Bus(message) => format!("{} on the cluster bus", message.kind.name()),
    }
}

/// A redirect that a client follows.
pub(super) fn hop(names: Names<'_>, hops: u32, to: Addr, bounce: bool) -> String {
    let to = names.listener(to);
    cut(if bounce {
        format!("BOUNCE {hops} to {to}")
    } else {
        format!("redirect {hops} to {to}")
    })
}

/// An attempt to connect that has failed.
pub(super) fn cannot_connect(why: ConnectFailure) -> &'static str {
    match why {
        ConnectFailure::Refused => "connect: refused",
        ConnectFailure::TimedOut => "connect: no answer",
    }
}

/// The end of a connection.
pub(super) fn closed(other: &str, how: Closing) -> String {
    match how {
        Closing::Fin => format!("connection to {other} closed"),
        Closing::Reset => format!("connection to {other} reset"),
        Closing::TimedOut => format!("connection to {other} timed out"),
    }
}

/// What a node is, after it has said so.
pub(super) fn role(names: Names<'_>, role: Role, primary: Option<Addr>, link: LinkState) -> String {
    let is = words::role(names, role, primary);
    let is = is.strip_prefix("a ").unwrap_or(&is);
    link.name()
        .map_or(is.to_owned(), |link| format!("{is}, link {link}"))
}

/// A failover's state.
pub(super) fn failover(state: FailoverState, how: FailoverEnd) -> (&'static str, NoteLook) {
    match how {
        FailoverEnd::Underway => (state.name(), NoteLook::State),
        FailoverEnd::Success => ("failover succeeded", NoteLook::Good),
        FailoverEnd::Aborted => ("failover aborted", NoteLook::Bad),
        FailoverEnd::TimedOut => ("failover timed out", NoteLook::Bad),
        FailoverEnd::Rejected => ("failover failed", NoteLook::Bad),
    }
}

/// What happens in a cluster.
pub(super) fn cluster(names: Names<'_>, node: NodeId, what: ClusterEvent) -> String {
    match what {
        ClusterEvent::PossiblyFailing { peer } => format!("PFAIL {}", names.node(peer)),
        ClusterEvent::Failed { peer } => format!("FAIL {}", names.node(peer)),
        ClusterEvent::Reachable { peer } => format!("{} is back", names.node(peer)),
        ClusterEvent::State { state } => match state {
            ClusterHealth::Ok => "cluster ok",
            ClusterHealth::Starting => "cluster fail: just started",
            ClusterHealth::NotCovered => "cluster fail: slots unserved",
            ClusterHealth::InMinority => "cluster fail: in minority",
        }
        .to_owned(),
        ClusterEvent::ElectionPlanned { delay, .. } => format!("election in {delay}"),
        ClusterEvent::ElectionStarted { epoch } => format!("asks for votes, epoch {epoch}"),
        ClusterEvent::ElectionWon { epoch } => format!("election won, epoch {epoch}"),
        ClusterEvent::Voted { to, .. } => format!("votes for {}", names.node(to)),
        ClusterEvent::VoteRefused { to, .. } => format!("no vote for {}", names.node(to)),
        ClusterEvent::ManualFailoverStarted { replica } if replica == node => {
            "manual failover".to_owned()
        }
        ClusterEvent::ManualFailoverStarted { .. } => "pauses writes".to_owned(),
        ClusterEvent::ManualFailoverEnded { how } => match how {
            ManualEnd::Over => "manual failover over",
            ManualEnd::TimedOut => "manual failover timed out",
        }
        .to_owned(),
        ClusterEvent::EpochTaken { epoch } => format!("takes epoch {epoch}"),
        ClusterEvent::SlotsMoved { to, count, .. } => {
            let slots = words::count(u64::from(count), "slot");
            if to == node {
                format!("takes {slots}")
            } else {
                format!("{slots} are {}'s now", names.node(to))
            }
        }
    }
}

/// A fault or its end, and which of the two it is. `to` is the other end of a path.
pub(super) fn fault(kind: FaultKind, of: FaultKind, to: Option<&str>) -> (String, NoteLook) {
    let path = to.map_or("network".to_owned(), |to| format!("path to {to}"));
    let text = match kind {
        FaultKind::Cut => format!("{path} cut"),
        FaultKind::Clog => format!("{path} clogged"),
        FaultKind::Spike => format!("{path} slow"),
        FaultKind::Loss => format!("{path} loses segments"),
        FaultKind::Reset => format!("{path} reset"),
        FaultKind::Refuse => "refuses connections".to_owned(),
        FaultKind::Pause => "process stopped".to_owned(),
        FaultKind::Slow => "process slow".to_owned(),
        FaultKind::Crash => "process crashes".to_owned(),
        FaultKind::HostDown => "machine silent".to_owned(),
        FaultKind::Restart => return ("process started again".to_owned(), NoteLook::Healed),
        FaultKind::HostUp => return ("machine back".to_owned(), NoteLook::Healed),
        FaultKind::Healed => {
            let what = match of {
                FaultKind::Pause => "process goes on".to_owned(),
                FaultKind::Slow => "process fast again".to_owned(),
                FaultKind::Refuse => "accepts connections".to_owned(),
                FaultKind::Cut
                | FaultKind::Clog
                | FaultKind::Spike
                | FaultKind::Loss
                | FaultKind::Reset
                | FaultKind::Crash
                | FaultKind::Restart
                | FaultKind::HostDown
                | FaultKind::HostUp
                | FaultKind::Healed => format!("{path} healed"),
            };
            return (what, NoteLook::Healed);
        }
    };
    (format!("FAULT: {text}"), NoteLook::Fault)
}

/// The end of a command that was not simply served.
pub(super) fn ended(outcome: CommandOutcome, took: Duration) -> (String, NoteLook) {
    match outcome.code() {
        None => (format!("served after {took}"), NoteLook::Good),
        Some(code) => (format!("fails: {code}"), NoteLook::Bad),
    }
}
