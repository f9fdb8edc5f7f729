//! How commands, replies, states and faults read in a story.

use super::names::Names;
use crate::net::{Closing, ConnectFailure};
use crate::trace::{CommandOutcome, FailoverEnd, FaultKind};
use crate::valkey::{
    Addr, Belief, Command, FailoverState, LinkState, NodeId, PauseKind, ReplId, Reply, Role,
};

/// `1 redirect`, `2 redirects`.
pub(super) fn count(n: u64, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else if let Some(stem) = one.strip_suffix('y') {
        format!("{n} {stem}ies")
    } else {
        format!("{n} {one}s")
    }
}

/// A replication id. Real ones are 40 hexadecimal digits; these are numbers.
pub(super) fn replid(id: ReplId) -> String {
    format!("replid-{}", id.0)
}

fn host_and_port(names: Names<'_>, addr: Addr) -> String {
    names.address(addr).replacen(':', " ", 1)
}

/// A command with its arguments, as an operator would type it.
pub(super) fn command(names: Names<'_>, command: Command) -> String {
    let name = command.kind().name();
    match command {
        Command::Get(key) => format!("GET key:{key}"),
        Command::MGet(key, more) => format!("MGET key:{key} and {more} more"),
        Command::Set(key, _) => format!("SET key:{key}"),
        Command::Incr(key, _) => format!("INCR key:{key}"),
        Command::Del(key, _) => format!("DEL key:{key}"),
        Command::LPush(key, _) => format!("LPUSH key:{key}"),
        Command::BlPop {
            key, timeout_ms, ..
        } => format!("BLPOP key:{key} {}", seconds(timeout_ms)),
        Command::Subscribe(channel) => format!("SUBSCRIBE channel:{channel}"),
        Command::Publish(channel) => format!("PUBLISH channel:{channel}"),
        Command::Wait {
            replicas,
            timeout_ms,
        } => format!("WAIT {replicas} {timeout_ms}"),
        Command::ClientPause(kind, ms) => {
            let kind = match kind {
                PauseKind::Write => "WRITE",
                PauseKind::All => "ALL",
            };
            format!("CLIENT PAUSE {ms} {kind}")
        }
        Command::Failover {
            to,
            force,
            timeout_ms,
        } => {
            let mut text = "FAILOVER".to_owned();
            if let Some(to) = to {
                text.push_str(&format!(" TO {}", host_and_port(names, to)));
            }
            if force {
                text.push_str(" FORCE");
            }
            if let Some(ms) = timeout_ms {
                text.push_str(&format!(" TIMEOUT {ms}"));
            }
            text
        }
        Command::FailoverAbort => "FAILOVER ABORT".to_owned(),
        Command::FailoverMalformed(_) => "FAILOVER with unreadable arguments".to_owned(),
        Command::ReplicaOf(Some(addr)) => format!("REPLICAOF {}", host_and_port(names, addr)),
        Command::ReplicaOf(None) => "REPLICAOF NO ONE".to_owned(),
        Command::ReplConfAddress(addr) => {
            let port = names.address(addr);
            let port = port.rsplit(':').next().unwrap_or_default();
            format!("REPLCONF listening-port {port}")
        }
        Command::ReplConfCapa => "REPLCONF capa eof capa psync2".to_owned(),
        Command::ReplConfVersion => "REPLCONF version".to_owned(),
        Command::ReplConfAck(offset) => format!("REPLCONF ACK {offset}"),
        Command::Psync {
            replid: None,
            failover,
            ..
        } => format!("PSYNC ? -1{}", if failover { " FAILOVER" } else { "" }),
        Command::Psync {
            replid: Some(id),
            offset,
            failover,
        } => {
            let failover = if failover { " FAILOVER" } else { "" };
            format!("PSYNC {} {offset}{failover}", replid(id))
        }
        Command::Multi
        | Command::Exec
        | Command::Discard
        | Command::Ping
        | Command::Info
        | Command::Role
        | Command::ClientCapa
        | Command::ClientUnpause
        | Command::ReadOnly
        | Command::ReadWrite => name.to_owned(),
    }
}

fn seconds(ms: u32) -> String {
    if ms.is_multiple_of(1_000) {
        (ms / 1_000).to_string()
    } else {
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }
}

/// A reply as the server writes it; what has no short form is described.
pub(super) fn reply(names: Names<'_>, reply: Reply) -> String {
    match reply {
        Reply::Ok => "+OK".to_owned(),
        Reply::Pong => "+PONG".to_owned(),
        Reply::Queued => "+QUEUED".to_owned(),
        Reply::Nil => "nil".to_owned(),
        Reply::Int(n) => format!(":{n}"),
        Reply::Value(write) => format!("the value of write {}", write.0),
        Reply::Array(n) => format!("an array of {n}"),
        Reply::Subscribed => "the subscription's confirmation".to_owned(),
        Reply::Published => "a published message".to_owned(),
        Reply::Error(kind) => kind.text().to_owned(),
        Reply::Redirect { to, .. } => format!("-REDIRECT {}", names.address(to)),
        Reply::Info {
            belief: believed,
            primary,
            offset,
        } => format!("\"{}, offset {offset}\"", belief(names, believed, primary)),
        Reply::Continue { replid: id } => format!("+CONTINUE {}", replid(id)),
        Reply::FullResync { replid: id, offset } => {
            format!("+FULLRESYNC {} {offset}", replid(id))
        }
        Reply::NewLine => "an empty line (still here)".to_owned(),
    }
}

/// What a node believes of itself: `a replica of new, failover-in-progress, link down`.
pub(super) fn belief(names: Names<'_>, belief: Belief, primary: Option<Addr>) -> String {
    let mut parts = vec![role(names, belief.role, primary)];
    match belief.failover {
        FailoverState::NoFailover => {}
        FailoverState::WaitForSync | FailoverState::InProgress => {
            parts.push(belief.failover.name().to_owned());
        }
    }
    if let Some(link) = link(belief.link) {
        parts.push(link.to_owned());
    }
    parts.join(", ")
}

/// `a primary`, `a replica of new`.
pub(super) fn role(names: Names<'_>, role: Role, primary: Option<Addr>) -> String {
    match (role, primary) {
        (Role::Primary, _) => "a primary".to_owned(),
        (Role::Replica, Some(primary)) => format!("a replica of {}", names.listener(primary)),
        (Role::Replica, None) => "a replica".to_owned(),
    }
}

/// The state of the link to the primary; nothing for a primary.
pub(super) fn link(link: LinkState) -> Option<&'static str> {
    match link {
        LinkState::None => None,
        LinkState::Down => Some("link down"),
        LinkState::Sync => Some("link synchronizing"),
        LinkState::Up => Some("link up"),
    }
}

/// The primary of a node before anything has changed.
pub(super) fn first_primaries(names: Names<'_>) -> Vec<Option<Addr>> {
    (0..names.nodes())
        .map(|node| names.first_primary(NodeId(node as u16)))
        .collect()
}

/// A change of the failover state.
pub(super) fn failover(
    names: Names<'_>,
    state: FailoverState,
    target: Option<Addr>,
    how: FailoverEnd,
) -> String {
    let towards = match target {
        Some(target) => format!(" to {}", names.listener(target)),
        None => String::new(),
    };
    let state = state.name();
    match how {
        FailoverEnd::Underway => format!("its failover{towards} is now {state}"),
        FailoverEnd::Success => {
            format!("its failover{towards} has succeeded: the target accepted ({state})")
        }
        FailoverEnd::Aborted => format!("its failover{towards} is aborted ({state})"),
        FailoverEnd::TimedOut => format!("its failover{towards} has timed out ({state})"),
        FailoverEnd::Rejected => {
            format!("its failover{towards} has failed: refused, or the link broke ({state})")
        }
    }
}

/// How a command ended.
pub(super) fn outcome(outcome: CommandOutcome) -> String {
    match outcome {
        CommandOutcome::Served => "is served".to_owned(),
        CommandOutcome::Error(kind) => format!("fails: {}", kind.text()),
        CommandOutcome::Redirect => "fails: the redirect reaches the application".to_owned(),
        CommandOutcome::TimedOut => "fails: no reply in time".to_owned(),
        CommandOutcome::Disconnected => "fails: the connection is lost".to_owned(),
        CommandOutcome::Unreachable => "fails: no connection can be made".to_owned(),
    }
}

/// How a connection ended.
pub(super) fn closing(how: Closing) -> &'static str {
    match how {
        Closing::Fin => "closed",
        Closing::Reset => "reset",
        Closing::TimedOut => "given up: retransmissions ran out",
    }
}

/// Why there is no connection.
pub(super) fn connect_failure(why: ConnectFailure) -> &'static str {
    match why {
        ConnectFailure::Refused => "refused",
        ConnectFailure::TimedOut => "no answer to any SYN",
    }
}

/// A fault. `to` is absent for a fault of the host itself.
pub(super) fn fault(kind: FaultKind, to: Option<&str>) -> String {
    let towards = |words: &str| match to {
        Some(to) => format!("{words} towards {to}"),
        None => words.to_owned(),
    };
    match kind {
        FaultKind::Cut => towards("loses everything"),
        FaultKind::Clog => towards("is clogged"),
        FaultKind::Spike => towards("is slower"),
        FaultKind::Loss => towards("loses more segments"),
        FaultKind::Reset => towards("has its connections reset"),
        FaultKind::Drop => towards("drops a message"),
        FaultKind::Pause => "its process is stopped".to_owned(),
        FaultKind::Slow => "its process becomes slow".to_owned(),
        FaultKind::Crash => "its process crashes".to_owned(),
        FaultKind::Restart => "its process is started again".to_owned(),
        FaultKind::HostDown => "its machine falls silent".to_owned(),
        FaultKind::HostUp => "its machine comes back".to_owned(),
        FaultKind::Healed => towards("is healed"),
    }
}
