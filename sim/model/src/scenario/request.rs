//! A command as the words that a real server takes.

use crate::valkey::{
    Addr, ClientType, Command, ErrorKind, PauseKind, Script, UnblockReason, WriteId,
};
use rebound_engine::Duration;

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
    let name = command.kind().name().split(' ').map(str::to_owned);
    let arguments = match command {
        Command::Get(key)
        | Command::Incr(key, _)
        | Command::Del(key, _)
        | Command::PfCount(key)
        | Command::ObjectEncoding(key)
        | Command::Watch(key) => words([&key.to_string()]),
        Command::MGet(first, more) => {
            let keys = first..=first.saturating_add(u32::from(more));
            keys.map(|key| key.to_string()).collect()
        }
        Command::Set(key, write) | Command::LPush(key, write) | Command::RPush(key, write) => {
            words([&key.to_string(), &value(write)])
        }
        Command::BlPop {
            key, timeout_ms, ..
        } => words([&key.to_string(), &seconds(timeout_ms)]),
        Command::Subscribe(channel) => words([&channel.to_string()]),
        Command::Publish(channel) => words([&channel.to_string(), "x"]),
        Command::Wait {
            replicas,
            timeout_ms,
        } => words([&replicas.to_string(), &timeout_ms.to_string()]),
        Command::ClientPause(kind, ms) => {
            let kind = match kind {
                PauseKind::Write => "WRITE",
                PauseKind::All => "ALL",
            };
            words([&ms.to_string(), kind])
        }
        Command::ClientKill(kind) => {
            let kind = match kind {
                ClientType::Normal => "normal",
                ClientType::PubSub => "pubsub",
                ClientType::Replica => "replica",
            };
            words(["TYPE", kind])
        }
        Command::Failover {
            to,
            force,
            timeout_ms,
        } => {
            let mut said = Vec::new();
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
        Command::FailoverAbort => words(["ABORT"]),
        Command::FailoverMalformed(error) => malformed(error),
        Command::ReplicaOf(None) => words(["NO", "ONE"]),
        Command::ReplicaOf(Some(to)) => {
            let (host, port) = address(to);
            words([&host, &port.to_string()])
        }
        Command::XAdd(key, write) => words([&key.to_string(), "*", "f", &value(write)]),
        Command::XRead(key) => words(["STREAMS", &key.to_string(), "0"]),
        Command::XReadBlock { key, timeout_ms } => {
            let (key, wait) = (key.to_string(), timeout_ms.to_string());
            words(["BLOCK", &wait, "STREAMS", &key, "$"])
        }
        Command::PExpire(key, ms) => words([&key.to_string(), &ms.to_string()]),
        Command::Scan => words(["0"]),
        Command::Keys => words(["*"]),
        Command::ClientUnblock(id, why) => {
            let why = match why {
                UnblockReason::Timeout => "TIMEOUT",
                UnblockReason::Error => "ERROR",
            };
            words([&id.to_string(), why])
        }
        Command::Multi
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
        | Command::DbSize
        | Command::FlushAll(_)
        | Command::Unwatch
        | Command::Reset => Vec::new(),
        // These are not what their kind's name says.
        Command::Script(script, key) => return scripted(script, key),
        Command::ClientCapaUnknown => return Ok(words(["CLIENT", "CAPA", "nothing"])),
        Command::ClientCapaBare => return Ok(words(["CLIENT", "CAPA"])),
        Command::Auth
        | Command::ReplConfCapaDualChannel
        | Command::ReplConfAddress(_)
        | Command::ReplConfCapa
        | Command::ReplConfVersion
        | Command::ReplConfAck(_)
        | Command::Psync { .. } => return Err(NoWords::ServersOwn),
        Command::Asking
        | Command::ClusterSlots
        | Command::ClusterFailover(_)
        | Command::ClusterSetSlot(..) => return Err(NoWords::Cluster),
    };
    Ok(name.chain(arguments).collect())
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

/// What follows `FAILOVER` if it is answered by this error because of its arguments.
fn malformed(error: ErrorKind) -> Vec<String> {
    if error == ErrorKind::FailoverTimeout {
        words(["TIMEOUT", "0"])
    } else if error == ErrorKind::NotAnInteger {
        words(["TIMEOUT", "soon"])
    } else {
        words(["NOW"])
    }
}

/// Milliseconds as the seconds that `BLPOP` takes.
fn seconds(ms: u32) -> String {
    let text = Duration::millis(u64::from(ms)).as_nanos();
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
        assert_eq!(said(Command::Info), "INFO replication");
        assert_eq!(said(Command::ClientCapa), "CLIENT CAPA redirect");
        assert_eq!(said(Command::ClientCapaBare), "CLIENT CAPA");
        assert_eq!(said(Command::ObjectEncoding(3)), "OBJECT ENCODING 3");
        assert_eq!(
            said(Command::FailoverMalformed(ErrorKind::FailoverTimeout)),
            "FAILOVER TIMEOUT 0"
        );
        assert_eq!(said(Command::Scan), "SCAN 0");
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
