//! How commands, replies, states and faults read in a story.

use rebound_net::{Closing, ConnectFailure};
use rebound_sim::client::CommandOutcome;
use rebound_sim::scenario::Names;
use rebound_sim::sentinel::{self, HELLO};
use rebound_sim::trace::FaultKind;
use rebound_sim::valkey::{
    Addr, Belief, ClientType, ClusterFailover, Command, Elements, Epoch, FailoverEnd,
    FailoverState, PauseKind, Redirect, ReplId, Reply, Role, SetSlot, UnblockReason, Value,
    WriteId,
};

/// `1 redirect`, `2 redirects`.
pub(super) fn count(n: u64, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{} {one}s", grouped(n))
    }
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A replication id. Real ones are 40 hexadecimal digits; these say which node made it and how
/// many it had made, `replid-1.2`, or that it began with it, `replid-0`.
pub(super) fn replid(id: ReplId) -> String {
    match id.number() {
        0 => format!("replid-{}", id.node().0),
        made => format!("replid-{}.{made}", id.node().0),
    }
}

/// An additional remark, if any.
fn epoch(epoch: Option<Epoch>) -> String {
    epoch.map_or(String::new(), |epoch| format!(" (epoch {epoch})"))
}

fn host_and_port(names: Names<'_>, addr: Addr) -> String {
    names.address(addr).replacen(':', " ", 1)
}

/// A command with its arguments, as an operator would type it.
pub(super) fn command(names: Names<'_>, command: Command) -> String {
    let name = command.kind().name();
    match command {
        Command::MGet(key, more) => format!("MGET key:{key} and {more} more"),
        Command::BlPop {
            key, timeout_ms, ..
        } => format!("BLPOP key:{key} {}", seconds(timeout_ms)),
        Command::Subscribe(HELLO) => "SUBSCRIBE __sentinel__:hello".to_owned(),
        Command::Publish(HELLO) => "PUBLISH __sentinel__:hello".to_owned(),
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
        Command::ClientKill(kind) => {
            let kind = match kind {
                ClientType::Normal => "normal",
                ClientType::PubSub => "pubsub",
                ClientType::Replica => "replica",
            };
            format!("CLIENT KILL TYPE {kind}")
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
        Command::ReplConfCapaDualChannel => {
            "REPLCONF capa eof capa psync2 capa dual-channel".to_owned()
        }
        Command::ClusterFailover(how) => match how {
            ClusterFailover::Agreed => "CLUSTER FAILOVER".to_owned(),
            ClusterFailover::Force => "CLUSTER FAILOVER FORCE".to_owned(),
            ClusterFailover::Takeover => "CLUSTER FAILOVER TAKEOVER".to_owned(),
        },
        Command::ClusterSetSlot(slot, what) => {
            let what = match what {
                SetSlot::Migrating(node) => format!("MIGRATING {}", names.node(node)),
                SetSlot::Importing(node) => format!("IMPORTING {}", names.node(node)),
                SetSlot::Node(node) => format!("NODE {}", names.node(node)),
                SetSlot::Stable => "STABLE".to_owned(),
            };
            format!("CLUSTER SETSLOT {} {what}", slot.0)
        }
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
            epoch: said,
        } => {
            let failover = if failover {
                " FAILOVER (\"take over\")"
            } else {
                ""
            };
            format!("PSYNC {} {offset}{failover}{}", replid(id), epoch(said))
        }
        Command::Get(key)
        | Command::Set(key, _)
        | Command::Incr(key, _)
        | Command::Del(key, _)
        | Command::LPush(key, _)
        | Command::Script(_, key)
        | Command::RPush(key, _)
        | Command::XAdd(key, _)
        | Command::XRead(key)
        | Command::PfCount(key)
        | Command::ObjectEncoding(key)
        | Command::Watch(key) => format!("{name} key:{key}"),
        Command::XReadBlock { key, timeout_ms } => format!("XREAD BLOCK {timeout_ms} key:{key}"),
        Command::PExpire(key, ms) => format!("PEXPIRE key:{key} {ms}"),
        Command::ClientUnblock(id, reason) => match reason {
            UnblockReason::Timeout => format!("CLIENT UNBLOCK {id}"),
            UnblockReason::Error => format!("CLIENT UNBLOCK {id} ERROR"),
        },
        Command::ClientCapaUnknown => "CLIENT CAPA of an unknown name".to_owned(),
        Command::ClientCapaBare => "CLIENT CAPA without a name".to_owned(),
        Command::DbSize
        | Command::Scan
        | Command::Keys
        | Command::FlushAll(_)
        | Command::Unwatch
        | Command::Reset
        | Command::Auth
        | Command::Multi
        | Command::Exec
        | Command::Discard
        | Command::Ping
        | Command::Info
        | Command::Role
        | Command::ClientCapa
        | Command::ClientUnpause
        | Command::ConfigRewrite
        | Command::ReadOnly
        | Command::ReadWrite
        | Command::Asking
        | Command::ClusterSlots => name.to_owned(),
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
        Reply::Array(n) | Reply::Elements(Elements { count: n, .. }) => format!("an array of {n}"),
        Reply::Subscribed => "the subscription's confirmation".to_owned(),
        Reply::Published => "a published message".to_owned(),
        Reply::Error(kind) => kind.text().to_owned(),
        Reply::Redirect(Redirect {
            kind,
            to,
            epoch: said,
            ..
        }) => format!("-{kind} {}{}", names.address(to), epoch(said)),
        Reply::Info {
            belief: believed,
            primary,
            offset,
        } => format!("\"{}, offset {offset}\"", belief(names, believed, primary)),
        Reply::Continue {
            replid: id,
            epoch: said,
        } => format!("+CONTINUE {}{}", replid(id), epoch(said)),
        Reply::FullResync {
            replid: id,
            offset,
            epoch: said,
        } => format!("+FULLRESYNC {} {offset}{}", replid(id), epoch(said)),
        Reply::NewLine => "an empty line (still alive)".to_owned(),
        Reply::Topology(_) => "who serves each slot".to_owned(),
        Reply::Reset => "+RESET".to_owned(),
        Reply::DualChannelSync => "+DUALCHANNELSYNC".to_owned(),
        Reply::Encoding(encoding) => encoding.name().to_owned(),
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
    if let Some(link) = belief.link.name() {
        parts.push(format!("link {link}"));
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
    let target = target.map_or("the target".to_owned(), |target| names.listener(target));
    let phase = state.name();
    match how {
        FailoverEnd::Underway => match state {
            FailoverState::NoFailover => format!("has no failover any more ({phase})"),
            FailoverState::WaitForSync => format!(
                "begins a failover{towards} ({phase}): writes are paused until the replica has \
                 acknowledged everything"
            ),
            FailoverState::InProgress => format!(
                "hands over to {target} ({phase}): it becomes its replica and asks it to take \
                 over; writes stay paused"
            ),
        },
        FailoverEnd::Success => format!(
            "sees its failover{towards} succeed ({phase}): {target} has promoted itself, and the \
             pause is over"
        ),
        FailoverEnd::Aborted => {
            format!("aborts its failover{towards} ({phase}): the pause is over")
        }
        FailoverEnd::TimedOut => format!(
            "gives up its failover{towards} ({phase}): the time-out passed before the replica had \
             acknowledged everything, and the pause is over"
        ),
        FailoverEnd::Rejected => format!(
            "sees its failover{towards} fail ({phase}): {target} refused or the link broke, and \
             the pause is over"
        ),
    }
}

/// What Sentinel says, as in its log.
pub(super) fn sentinel(what: sentinel::Note, node: &str) -> String {
    let name = what.name();
    match what {
        sentinel::Note::RefusedInProgress | sentinel::Note::RefusedNoGoodReplica => {
            format!("refuses SENTINEL FAILOVER of {node}: {name}")
        }
        sentinel::Note::Down
        | sentinel::Note::Up
        | sentinel::Note::TryFailover
        | sentinel::Note::Selected
        | sentinel::Note::NoGoodReplica
        | sentinel::Note::PrimaryTimeout
        | sentinel::Note::ReplicaTimeout
        | sentinel::Note::WaitPromotion
        | sentinel::Note::Promoted
        | sentinel::Note::ReconfSent
        | sentinel::Note::ReconfSentBestEffort
        | sentinel::Note::ReconfSentTimeout
        | sentinel::Note::ReconfInProgress
        | sentinel::Note::ReconfDone
        | sentinel::Note::FailoverEnd
        | sentinel::Note::FailoverEndTimeout
        | sentinel::Note::SwitchPrimary
        | sentinel::Note::ConvertToReplica
        | sentinel::Note::FixReplica => format!("{name} {node}"),
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
    let path = match to {
        Some(to) => format!("its path to {to}"),
        None => "its network".to_owned(),
    };
    match kind {
        FaultKind::Cut => format!("{path} is cut: what travels is lost"),
        FaultKind::Clog => format!("{path} is clogged: what travels is held"),
        FaultKind::Spike => format!("{path} is slower"),
        FaultKind::Loss => format!("{path} loses more segments"),
        FaultKind::Reset => format!("{path} has its connections reset"),
        FaultKind::Refuse => "it refuses connections".to_owned(),
        FaultKind::Pause => "its process is stopped".to_owned(),
        FaultKind::Slow => "its process becomes slow".to_owned(),
        FaultKind::Crash => "its process crashes".to_owned(),
        FaultKind::Restart => "its process is started again".to_owned(),
        FaultKind::HostDown => "its machine falls silent".to_owned(),
        FaultKind::HostUp => "its machine comes back".to_owned(),
        FaultKind::Healed => match to {
            Some(_) => format!("{path} is healed"),
            None => "it is back to normal".to_owned(),
        },
    }
}

/// The value of a key, known by the write that set it.
pub(super) fn value(value: Value) -> String {
    match value {
        Value::Absent => "no value".to_owned(),
        Value::Text(WriteId::NONE) => "the operator's value".to_owned(),
        Value::Text(write) => format!("the value of write {}", write.0),
        Value::Number(number) => format!("the number {number}"),
        Value::List(_) => "a list".to_owned(),
        Value::Stream(entries) => format!("a stream of {entries}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_sim::valkey::{AddressBook, ErrorKind, NodeId, RedirectKind, WriteId};

    fn with_names(check: impl Fn(Names<'_>)) {
        let text = r#"{"name": "w", "nodes": [{"name": "a"}, {"name": "b", "replica_of": "a"}]}"#;
        let plan = rebound_sim::scenario::parse(text, "w.json").expect("a scenario");
        check(Names::new(&plan));
    }

    #[test]
    fn numbers_agree_with_their_words() {
        assert_eq!(count(1, "redirect"), "1 redirect");
        assert_eq!(count(0, "redirect"), "0 redirects");
        assert_eq!(count(1_234_567, "redirect"), "1,234,567 redirects");
    }

    #[test]
    fn commands_read_as_they_are_typed() {
        let b = AddressBook::of(NodeId(1));
        with_names(|names| {
            for (given, text) in [
                (Command::Set(7, WriteId(1)), "SET key:7"),
                (
                    Command::Failover {
                        to: Some(b),
                        force: true,
                        timeout_ms: Some(500),
                    },
                    "FAILOVER TO b 6379 FORCE TIMEOUT 500",
                ),
                (Command::FailoverAbort, "FAILOVER ABORT"),
                (Command::ReplicaOf(None), "REPLICAOF NO ONE"),
                (Command::ReplicaOf(Some(b)), "REPLICAOF b 6379"),
                (
                    Command::ClientPause(PauseKind::Write, 100),
                    "CLIENT PAUSE 100 WRITE",
                ),
                (
                    Command::BlPop {
                        key: 1,
                        timeout_ms: 1_500,
                        write: WriteId(0),
                    },
                    "BLPOP key:1 1.500",
                ),
                (Command::ReplConfAddress(b), "REPLCONF listening-port 6379"),
                (Command::ClientCapa, "CLIENT CAPA redirect"),
                (
                    Command::ClientKill(ClientType::PubSub),
                    "CLIENT KILL TYPE pubsub",
                ),
                (Command::ConfigRewrite, "CONFIG REWRITE"),
                (Command::Publish(HELLO), "PUBLISH __sentinel__:hello"),
            ] {
                assert_eq!(command(names, given), text);
            }
        });
    }

    #[test]
    fn replies_are_verbatim() {
        with_names(|names| {
            let b = AddressBook::of(NodeId(1));
            let redirect = Redirect::new(RedirectKind::Redirect, b, Belief::default());
            let redirect = Reply::Redirect(redirect);
            assert_eq!(reply(names, redirect), "-REDIRECT b:6379");
            let error = Reply::Error(ErrorKind::ReadOnly);
            assert_eq!(
                reply(names, error),
                "-READONLY You can't write against a read only replica."
            );
            assert_eq!(reply(names, Reply::Int(3)), ":3");
        });
    }

    #[test]
    fn faults_say_what_happens_to_what_travels() {
        assert_eq!(
            fault(FaultKind::Clog, Some("b")),
            "its path to b is clogged: what travels is held"
        );
        assert_eq!(fault(FaultKind::Crash, None), "its process crashes");
    }
}
