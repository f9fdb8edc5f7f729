//! A command as the words that a real server takes.

use crate::engine::Span;
use crate::valkey::{
    Addr, ClientType, ClusterFailover, Command, ErrorKind, NodeId, PauseKind, Script, SetSlot,
    UnblockReason, WriteId,
};

/// Why a command cannot be sent to a real server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoWords {
    /// It is one of those that servers say to each other.
    ServersOwn,
    /// It is about a cluster.
    Cluster,
    /// It calls a function, and no functions are loaded.
    Functions,
}

impl NoWords {
    /// The reason in words.
    pub const fn reason(self) -> &'static str {
        match self {
            NoWords::ServersOwn => "only servers send it, to each other",
            NoWords::Cluster => "real clusters cannot be driven",
            NoWords::Functions => "no functions are loaded into real servers",
        }
    }
}

/// What a written string looks like on a real server: the write's number, so that a reply tells
/// which write it was. What no application asked for is `x`.
pub fn value(write: WriteId) -> String {
    if write == WriteId::NONE {
        "x".to_owned()
    } else {
        write.0.to_string()
    }
}

fn words<const N: usize>(parts: [&str; N]) -> Vec<String> {
    parts.map(str::to_owned).to_vec()
}

/// A command's words. `address` translates an address of the plan for a real server.
///
/// # Errors
/// If nobody but servers says it, or it is about a cluster.
pub fn request(
    command: Command,
    address: impl Fn(Addr) -> (String, u16),
) -> Result<Vec<String>, NoWords> {
    Ok(match command {
        Command::Get(key) => words(["GET", &key.to_string()]),
        Command::MGet(first, more) => {
            let keys = first..=first.saturating_add(u32::from(more));
            let keys = keys.map(|key| key.to_string());
            std::iter::once("MGET".to_owned()).chain(keys).collect()
        }
        Command::Set(key, write) => words(["SET", &key.to_string(), &value(write)]),
        Command::Incr(key, _) => words(["INCR", &key.to_string()]),
        Command::Del(key, _) => words(["DEL", &key.to_string()]),
        Command::LPush(key, write) => words(["LPUSH", &key.to_string(), &value(write)]),
        Command::BlPop {
            key, timeout_ms, ..
        } => words(["BLPOP", &key.to_string(), &seconds(timeout_ms)]),
        Command::Multi => words(["MULTI"]),
        Command::Exec => words(["EXEC"]),
        Command::Discard => words(["DISCARD"]),
        Command::Subscribe(channel) => words(["SUBSCRIBE", &channel.to_string()]),
        Command::Publish(channel) => words(["PUBLISH", &channel.to_string(), "x"]),
        Command::Ping => words(["PING"]),
        Command::Info => words(["INFO", "replication"]),
        Command::Role => words(["ROLE"]),
        Command::Wait {
            replicas,
            timeout_ms,
        } => words(["WAIT", &replicas.to_string(), &timeout_ms.to_string()]),
        Command::ClientCapa => words(["CLIENT", "CAPA", "redirect"]),
        Command::ClientPause(kind, ms) => {
            let kind = match kind {
                PauseKind::Write => "WRITE",
                PauseKind::All => "ALL",
            };
            words(["CLIENT", "PAUSE", &ms.to_string(), kind])
        }
        Command::ClientUnpause => words(["CLIENT", "UNPAUSE"]),
        Command::ClientKill(kind) => {
            let kind = match kind {
                ClientType::Normal => "normal",
                ClientType::PubSub => "pubsub",
                ClientType::Replica => "replica",
            };
            words(["CLIENT", "KILL", "TYPE", kind])
        }
        Command::ConfigRewrite => words(["CONFIG", "REWRITE"]),
        Command::ReadOnly => words(["READONLY"]),
        Command::ReadWrite => words(["READWRITE"]),
        Command::Failover {
            to,
            force,
            timeout_ms,
        } => {
            let mut said = words(["FAILOVER"]);
            if let Some(to) = to {
                let (host, port) = address(to);
                said.extend(words(["TO", &host, &port.to_string()]));
            }
            if force {
                said.push("FORCE".to_owned());
            }
            if let Some(timeout) = timeout_ms {
                said.extend(words(["TIMEOUT", &timeout.to_string()]));
            }
            said
        }
        Command::FailoverAbort => words(["FAILOVER", "ABORT"]),
        Command::FailoverMalformed(error) => malformed(error),
        Command::ReplicaOf(None) => words(["REPLICAOF", "NO", "ONE"]),
        Command::ReplicaOf(Some(to)) => {
            let (host, port) = address(to);
            words(["REPLICAOF", &host, &port.to_string()])
        }
        Command::Auth
        | Command::ReplConfCapaDualChannel
        | Command::ReplConfAddress(_)
        | Command::ReplConfCapa
        | Command::ReplConfVersion
        | Command::ReplConfAck(_)
        | Command::Psync { .. } => return Err(NoWords::ServersOwn),
        Command::Script(script, key) => scripted(script, key)?,
        Command::RPush(key, write) => words(["RPUSH", &key.to_string(), &value(write)]),
        Command::XAdd(key, write) => words(["XADD", &key.to_string(), "*", "f", &value(write)]),
        Command::XRead(key) => words(["XREAD", "STREAMS", &key.to_string(), "0"]),
        Command::XReadBlock { key, timeout_ms } => {
            let (key, wait) = (key.to_string(), timeout_ms.to_string());
            words(["XREAD", "BLOCK", &wait, "STREAMS", &key, "$"])
        }
        Command::PfCount(key) => words(["PFCOUNT", &key.to_string()]),
        Command::ObjectEncoding(key) => words(["OBJECT", "ENCODING", &key.to_string()]),
        Command::PExpire(key, ms) => words(["PEXPIRE", &key.to_string(), &ms.to_string()]),
        Command::DbSize => words(["DBSIZE"]),
        Command::Scan => words(["SCAN", "0"]),
        Command::Keys => words(["KEYS", "*"]),
        Command::FlushAll(_) => words(["FLUSHALL"]),
        Command::Watch(key) => words(["WATCH", &key.to_string()]),
        Command::Unwatch => words(["UNWATCH"]),
        Command::Reset => words(["RESET"]),
        Command::ClientUnblock(id, why) => {
            let why = match why {
                UnblockReason::Timeout => "TIMEOUT",
                UnblockReason::Error => "ERROR",
            };
            words(["CLIENT", "UNBLOCK", &id.to_string(), why])
        }
        Command::ClientCapaUnknown => words(["CLIENT", "CAPA", "nothing"]),
        Command::ClientCapaBare => words(["CLIENT", "CAPA"]),
        Command::Asking
        | Command::ClusterSlots
        | Command::ClusterFailover(
            ClusterFailover::Agreed | ClusterFailover::Force | ClusterFailover::Takeover,
        )
        | Command::ClusterSetSlot(
            _,
            SetSlot::Migrating(NodeId(_))
            | SetSlot::Importing(NodeId(_))
            | SetSlot::Node(NodeId(_))
            | SetSlot::Stable,
        ) => return Err(NoWords::Cluster),
    })
}

/// A script with its text and its key.
fn scripted(script: Script, key: u32) -> Result<Vec<String>, NoWords> {
    const GET: &str = "return redis.call('GET',KEYS[1])";
    const SET: &str = "return redis.call('SET',KEYS[1],'x')";
    let (name, text) = match script {
        Script::Get => ("EVAL", GET.to_owned()),
        Script::Set(_) => ("EVAL", SET.to_owned()),
        Script::ShebangSet(_) => ("EVAL", format!("#!lua\n{SET}")),
        Script::NoWritesGet => ("EVAL", format!("#!lua flags=no-writes\n{GET}")),
        Script::RoGet => ("EVAL_RO", GET.to_owned()),
        Script::FunctionSet(_) | Script::FunctionGet | Script::FunctionRoGet => {
            return Err(NoWords::Functions);
        }
    };
    Ok(words([name, &text, "1", &key.to_string()]))
}

/// A `FAILOVER` that is answered by this error because of its arguments.
fn malformed(error: ErrorKind) -> Vec<String> {
    if error == ErrorKind::FailoverTimeout {
        words(["FAILOVER", "TIMEOUT", "0"])
    } else if error == ErrorKind::NotAnInteger {
        words(["FAILOVER", "TIMEOUT", "soon"])
    } else {
        words(["FAILOVER", "NOW"])
    }
}

/// Milliseconds as the seconds that `BLPOP` takes.
fn seconds(ms: u32) -> String {
    let text = Span::millis(u64::from(ms)).as_nanos();
    let (whole, rest) = (text / 1_000_000_000, text % 1_000_000_000 / 1_000_000);
    if rest == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: Command) -> String {
        let at = |addr: Addr| ("127.0.0.1".to_owned(), 7000 + addr.0);
        request(command, at).expect("it has words").join(" ")
    }

    #[test]
    fn commands_are_said_as_servers_take_them() {
        let failover = Command::Failover {
            to: Some(Addr(1)),
            force: true,
            timeout_ms: Some(100),
        };
        assert_eq!(
            said(failover),
            "FAILOVER TO 127.0.0.1 7001 FORCE TIMEOUT 100"
        );
        assert_eq!(said(Command::ReplicaOf(None)), "REPLICAOF NO ONE");
        assert_eq!(
            said(Command::ReplicaOf(Some(Addr(0)))),
            "REPLICAOF 127.0.0.1 7000"
        );
        assert_eq!(said(Command::Set(1, WriteId::NONE)), "SET 1 x");
        assert_eq!(said(Command::Set(1, WriteId(70))), "SET 1 70");
        assert_eq!(said(Command::MGet(3, 2)), "MGET 3 4 5");
        let pop = |timeout_ms| Command::BlPop {
            key: 9,
            timeout_ms,
            write: WriteId(0),
        };
        assert_eq!(said(pop(0)), "BLPOP 9 0");
        assert_eq!(said(pop(1_050)), "BLPOP 9 1.050");
    }

    #[test]
    fn what_only_servers_say_has_no_words() {
        let at = |_| (String::new(), 0);
        assert_eq!(request(Command::ReplConfCapa, at), Err(NoWords::ServersOwn));
        assert_eq!(request(Command::ClusterSlots, at), Err(NoWords::Cluster));
    }
}
