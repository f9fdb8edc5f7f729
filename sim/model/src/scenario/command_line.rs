//! What an operator types, read by the servers' own rules.
//!
//! A malformed `FAILOVER` is legal content of a scenario: it becomes the error that a real
//! server answers it by (8.0.1, replication.c:4825). Other commands must be well-formed.

use super::nearest::{no_such, quoted};
use crate::valkey::{
    Addr, AddressBook, ClientType, ClusterFailover, Command, CommandKind, ErrorKind, HASH_SLOTS,
    HashSlot, NodeId, PauseKind, SetSlot, WriteId,
};

/// Keys and channels are numbers below this.
pub const KEYS: u32 = 10_000_000;

/// The commands that an operator can type.
const NAMES: [&str; 34] = [
    "FAILOVER",
    "REPLICAOF",
    "SLAVEOF",
    "CLIENT",
    "CONFIG",
    "MULTI",
    "EXEC",
    "DISCARD",
    "GET",
    "SET",
    "INCR",
    "DEL",
    "LPUSH",
    "PUBLISH",
    "PING",
    "INFO",
    "ROLE",
    "WAIT",
    "READONLY",
    "READWRITE",
    "MGET",
    "CLUSTER",
    "RPUSH",
    "XADD",
    "PEXPIRE",
    "PFCOUNT",
    "OBJECT",
    "DBSIZE",
    "SCAN",
    "KEYS",
    "FLUSHALL",
    "WATCH",
    "UNWATCH",
    "RESET",
];

/// Reads one command. Hosts that are no node's are added to `addresses`, where nobody listens
/// at them.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse(text: &str, addresses: &mut AddressBook) -> Result<Command, String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let Some((name, arguments)) = words.split_first() else {
        return Err("empty command".to_owned());
    };
    let name = name.to_ascii_uppercase();
    match (name.as_str(), arguments) {
        ("FAILOVER", _) => failover(arguments, addresses),
        ("REPLICAOF" | "SLAVEOF", [host, port]) => replica_of(host, port, addresses),
        ("REPLICAOF" | "SLAVEOF", _) => Err(usage(&name, "host port", "REPLICAOF new 6379")),
        ("CLIENT", _) => client(arguments),
        ("CONFIG", [what]) if what.eq_ignore_ascii_case("REWRITE") => Ok(Command::ConfigRewrite),
        ("CONFIG", _) => Err(usage("CONFIG", "REWRITE", "CONFIG REWRITE")),
        ("CLUSTER", _) => cluster(arguments, addresses),
        ("MULTI", []) => Ok(Command::Multi),
        ("EXEC", []) => Ok(Command::Exec),
        ("DISCARD", []) => Ok(Command::Discard),
        ("READONLY", []) => Ok(Command::ReadOnly),
        ("READWRITE", []) => Ok(Command::ReadWrite),
        ("ROLE", []) => Ok(Command::Role),
        ("MULTI" | "EXEC" | "DISCARD" | "READONLY" | "READWRITE" | "ROLE", _) => {
            Err(format!("{name} takes no arguments"))
        }
        ("PING", [] | [_]) => Ok(Command::Ping),
        ("PING", _) => Err("PING takes one argument at most".to_owned()),
        ("INFO", [] | [_]) => Ok(Command::Info),
        ("INFO", _) => Err("INFO takes one section at most".to_owned()),
        ("GET", [key]) => Ok(Command::Get(number(key)?)),
        ("GET", _) => Err(usage("GET", "a key", "GET 5")),
        ("SET", [key, _]) => Ok(Command::Set(number(key)?, WriteId::NONE)),
        ("SET", _) => Err(usage("SET", "a key and a value", "SET 5 x")),
        ("INCR", [key]) => Ok(Command::Incr(number(key)?, WriteId::NONE)),
        ("INCR", _) => Err(usage("INCR", "a key", "INCR 5")),
        ("DEL", [key]) => Ok(Command::Del(number(key)?, WriteId::NONE)),
        ("DEL", _) => Err(usage("DEL", "one key", "DEL 5")),
        ("LPUSH", [key, _]) => Ok(Command::LPush(number(key)?, WriteId::NONE)),
        ("LPUSH", _) => Err(usage("LPUSH", "a key and an element", "LPUSH 5 x")),
        ("PUBLISH", [channel, _]) => Ok(Command::Publish(number(channel)?)),
        ("PUBLISH", _) => Err(usage("PUBLISH", "a channel and a message", "PUBLISH 5 x")),
        ("MGET", [first, rest @ ..]) => mget(first, rest),
        ("MGET", []) => Err(usage("MGET", "keys", "MGET 5 6 7")),
        ("WAIT", [replicas, timeout]) => wait(replicas, timeout),
        ("WAIT", _) => Err(usage("WAIT", "replicas and milliseconds", "WAIT 1 500")),
        (
            "RPUSH" | "XADD" | "PEXPIRE" | "PFCOUNT" | "OBJECT" | "DBSIZE" | "SCAN" | "KEYS"
            | "FLUSHALL" | "WATCH" | "UNWATCH" | "RESET",
            _,
        ) => keyspace(&name, arguments),
        (_, _) => Err(no_such("command", "commands", words[0], &NAMES)),
    }
}

/// Commands about what there is.
fn keyspace(name: &str, arguments: &[&str]) -> Result<Command, String> {
    let is = |word: &str, keyword: &str| word.eq_ignore_ascii_case(keyword);
    match (name, arguments) {
        ("RPUSH", [key, _]) => Ok(Command::RPush(number(key)?, WriteId::NONE)),
        ("RPUSH", _) => Err(usage("RPUSH", "a key and an element", "RPUSH 5 x")),
        ("XADD", [key, "*", _, _]) => Ok(Command::XAdd(number(key)?, WriteId::NONE)),
        ("XADD", _) => Err(usage(
            "XADD",
            "a key, *, a field and a value",
            "XADD 5 * f x",
        )),
        ("PEXPIRE", [key, ms]) => Ok(Command::PExpire(number(key)?, milliseconds(ms)?)),
        ("PEXPIRE", _) => Err(usage("PEXPIRE", "a key and milliseconds", "PEXPIRE 5 200")),
        ("PFCOUNT", [key]) => Ok(Command::PfCount(number(key)?)),
        ("PFCOUNT", _) => Err(usage("PFCOUNT", "one key", "PFCOUNT 5")),
        ("OBJECT", [what, key]) if is(what, "ENCODING") => {
            Ok(Command::ObjectEncoding(number(key)?))
        }
        ("OBJECT", _) => Err(usage("OBJECT", "ENCODING and a key", "OBJECT ENCODING 5")),
        ("SCAN", ["0"]) => Ok(Command::Scan),
        ("SCAN", _) => Err(usage("SCAN", "the cursor 0", "SCAN 0")),
        ("KEYS", ["*"]) => Ok(Command::Keys),
        ("KEYS", _) => Err(usage("KEYS", "the pattern *", "KEYS *")),
        ("WATCH", [key]) => Ok(Command::Watch(number(key)?)),
        ("WATCH", _) => Err(usage("WATCH", "one key", "WATCH 5")),
        ("DBSIZE", []) => Ok(Command::DbSize),
        ("FLUSHALL", []) => Ok(Command::FlushAll(WriteId::NONE)),
        ("UNWATCH", []) => Ok(Command::Unwatch),
        ("RESET", []) => Ok(Command::Reset),
        (_, _) => Err(format!("{name} takes no arguments")),
    }
}

/// `FAILOVER`, word by word as `failoverCommand` reads it.
fn failover(arguments: &[&str], addresses: &mut AddressBook) -> Result<Command, String> {
    let is = |word: &str, keyword: &str| word.eq_ignore_ascii_case(keyword);
    let malformed = |error| Ok(Command::FailoverMalformed(error));
    if let [only] = arguments
        && is(only, "ABORT")
    {
        return Ok(Command::FailoverAbort);
    }
    let (mut to, mut force, mut timeout_ms) = (None, false, None);
    let mut rest = arguments;
    loop {
        rest = match rest {
            [] => break,
            [word, ms, rest @ ..] if is(word, "TIMEOUT") && timeout_ms.is_none() => {
                match integer(ms) {
                    None => return malformed(ErrorKind::NotAnInteger),
                    Some(..=0) => return malformed(ErrorKind::FailoverTimeout),
                    // Beyond 49 days it makes no difference how long.
                    Some(ms) => timeout_ms = Some(u32::try_from(ms).unwrap_or(u32::MAX)),
                }
                rest
            }
            [word, host, port, rest @ ..] if is(word, "TO") && to.is_none() => {
                let Some(port) = integer(port) else {
                    return malformed(ErrorKind::NotAnInteger);
                };
                // An invalid port parses, and then matches no replica, as port 0 does.
                let port = u16::try_from(port).unwrap_or(0);
                to = Some(addresses.intern(host, port)?);
                rest
            }
            [word, rest @ ..] if is(word, "FORCE") && !force => {
                force = true;
                rest
            }
            [..] => return malformed(ErrorKind::Syntax),
        };
    }
    Ok(Command::Failover {
        to,
        force,
        timeout_ms,
    })
}

fn replica_of(host: &str, port: &str, addresses: &mut AddressBook) -> Result<Command, String> {
    if host.eq_ignore_ascii_case("NO") && port.eq_ignore_ascii_case("ONE") {
        return Ok(Command::ReplicaOf(None));
    }
    let port: u16 = integer(port)
        .and_then(|port| u16::try_from(port).ok())
        .ok_or_else(|| format!("REPLICAOF with port {}: expected 0 to 65535", quoted(port)))?;
    let addr: Addr = addresses.intern(host, port)?;
    Ok(Command::ReplicaOf(Some(addr)))
}

fn client(arguments: &[&str]) -> Result<Command, String> {
    let Some((subcommand, arguments)) = arguments.split_first() else {
        return Err(usage("CLIENT", "a subcommand", "CLIENT PAUSE 500 WRITE"));
    };
    match (subcommand.to_ascii_uppercase().as_str(), arguments) {
        ("PAUSE", [ms]) => Ok(Command::ClientPause(PauseKind::All, milliseconds(ms)?)),
        ("PAUSE", [ms, kind]) => {
            let kind = match kind.to_ascii_uppercase().as_str() {
                "WRITE" => PauseKind::Write,
                "ALL" => PauseKind::All,
                _ => {
                    let kinds = ["WRITE", "ALL"];
                    return Err(no_such("kind of CLIENT PAUSE", "kinds", kind, &kinds));
                }
            };
            Ok(Command::ClientPause(kind, milliseconds(ms)?))
        }
        ("PAUSE", _) => Err(usage(
            "CLIENT PAUSE",
            "milliseconds, then WRITE or ALL",
            "CLIENT PAUSE 500 WRITE",
        )),
        ("UNPAUSE", []) => Ok(Command::ClientUnpause),
        ("UNPAUSE", _) => Err("CLIENT UNPAUSE takes no arguments".to_owned()),
        ("KILL", _) => client_kill(arguments),
        ("CAPA", [capability]) if capability.eq_ignore_ascii_case("redirect") => {
            Ok(Command::ClientCapa)
        }
        ("CAPA", _) => Err(usage("CLIENT CAPA", "redirect", "CLIENT CAPA redirect")),
        (_, _) => {
            let known = ["PAUSE", "UNPAUSE", "KILL", "CAPA"];
            Err(no_such(
                "subcommand of CLIENT",
                "subcommands",
                subcommand,
                &known,
            ))
        }
    }
}

/// `CLIENT KILL`, as far as the model has it: all connections of a type.
fn client_kill(arguments: &[&str]) -> Result<Command, String> {
    let example = "CLIENT KILL TYPE normal";
    let (filter, kind, rest) = match arguments {
        [filter, kind, rest @ ..] => (filter, kind, rest),
        [] | [_] => return Err(usage("CLIENT KILL", "TYPE and a type", example)),
    };
    if !filter.eq_ignore_ascii_case("TYPE") {
        return Err(no_such(
            "filter of CLIENT KILL",
            "filters",
            filter,
            &["TYPE"],
        ));
    }
    let kind = match kind.to_ascii_lowercase().as_str() {
        "normal" => ClientType::Normal,
        "pubsub" => ClientType::PubSub,
        "replica" | "slave" => ClientType::Replica,
        _ => {
            let known = ["normal", "pubsub", "replica"];
            return Err(no_such("type of client", "types", kind, &known));
        }
    };
    match rest {
        [] => Ok(Command::ClientKill(kind)),
        [word, yes] if word.eq_ignore_ascii_case("SKIPME") && yes.eq_ignore_ascii_case("yes") => {
            Ok(Command::ClientKill(kind))
        }
        [word, ..] if word.eq_ignore_ascii_case("SKIPME") => Err(
            "CLIENT KILL with SKIPME other than yes: expected \"SKIPME yes\" or nothing, since the operator's own connection always exists"
                .to_owned(),
        ),
        [..] => Err(usage(
            "CLIENT KILL",
            "TYPE, a type, and perhaps SKIPME yes",
            example,
        )),
    }
}

/// Whether a `MULTI` is left without its `EXEC` or `DISCARD`; its place then. What is asked later
/// on the same connection would only be queued.
pub(crate) fn open_transaction(commands: &[Command]) -> Option<usize> {
    let mut open = None;
    for (index, command) in commands.iter().enumerate() {
        if *command == Command::Multi {
            open = open.or(Some(index));
        } else if matches!(command, Command::Exec | Command::Discard | Command::Reset) {
            open = None;
        }
    }
    open
}

fn cluster(arguments: &[&str], addresses: &AddressBook) -> Result<Command, String> {
    let Some((subcommand, arguments)) = arguments.split_first() else {
        return Err(usage("CLUSTER", "a subcommand", "CLUSTER FAILOVER FORCE"));
    };
    match (subcommand.to_ascii_uppercase().as_str(), arguments) {
        ("FAILOVER", []) => Ok(Command::ClusterFailover(ClusterFailover::Agreed)),
        ("FAILOVER", [how]) => match how.to_ascii_uppercase().as_str() {
            "FORCE" => Ok(Command::ClusterFailover(ClusterFailover::Force)),
            "TAKEOVER" => Ok(Command::ClusterFailover(ClusterFailover::Takeover)),
            _ => {
                let known = ["FORCE", "TAKEOVER"];
                Err(no_such("kind of CLUSTER FAILOVER", "kinds", how, &known))
            }
        },
        ("FAILOVER", _) => Err(usage(
            "CLUSTER FAILOVER",
            "FORCE, TAKEOVER or nothing",
            "CLUSTER FAILOVER",
        )),
        ("SLOTS", []) => Ok(Command::ClusterSlots),
        ("SLOTS", _) => Err("CLUSTER SLOTS takes no arguments".to_owned()),
        ("SETSLOT", [slot, what @ ..]) => {
            let what = set_slot(what, addresses)?;
            Ok(Command::ClusterSetSlot(hash_slot(slot)?, what))
        }
        ("SETSLOT", []) => Err(usage("CLUSTER SETSLOT", SETSLOT_TAKES, SETSLOT)),
        (_, _) => {
            let known = ["FAILOVER", "SETSLOT", "SLOTS"];
            Err(no_such(
                "subcommand of CLUSTER",
                "subcommands",
                subcommand,
                &known,
            ))
        }
    }
}

const SETSLOT_TAKES: &str =
    "a slot, then MIGRATING, IMPORTING or NODE with a node's name, or STABLE";
const SETSLOT: &str = "CLUSTER SETSLOT 7000 MIGRATING b";

fn set_slot(what: &[&str], addresses: &AddressBook) -> Result<SetSlot, String> {
    let [how, node @ ..] = what else {
        return Err(usage("CLUSTER SETSLOT", SETSLOT_TAKES, SETSLOT));
    };
    let make: fn(NodeId) -> SetSlot = match how.to_ascii_uppercase().as_str() {
        "MIGRATING" => SetSlot::Migrating,
        "IMPORTING" => SetSlot::Importing,
        "NODE" => SetSlot::Node,
        "STABLE" if node.is_empty() => return Ok(SetSlot::Stable),
        "STABLE" => return Err("CLUSTER SETSLOT … STABLE takes no node".to_owned()),
        _ => {
            let known = ["MIGRATING", "IMPORTING", "NODE", "STABLE"];
            return Err(no_such("kind of CLUSTER SETSLOT", "kinds", how, &known));
        }
    };
    let [name] = node else {
        return Err(usage("CLUSTER SETSLOT", SETSLOT_TAKES, SETSLOT));
    };
    let nodes: Vec<(NodeId, &str)> = addresses.nodes().collect();
    let found = nodes.iter().find(|(_, host)| host == name);
    found.map(|(node, _)| make(*node)).ok_or_else(|| {
        let names: Vec<&str> = nodes.iter().map(|(_, host)| *host).collect();
        no_such("node", "nodes", name, &names)
    })
}

fn hash_slot(text: &str) -> Result<HashSlot, String> {
    integer(text)
        .and_then(|slot| u16::try_from(slot).ok())
        .filter(|slot| *slot < HASH_SLOTS)
        .map(HashSlot)
        .ok_or_else(|| format!("slot {}: expected 0 to {}", quoted(text), HASH_SLOTS - 1))
}

/// Why a cluster's nodes refuse a command that standalone servers know, or the other way round:
/// in a scenario that is a mistake rather than a test.
///
/// # Errors
/// A sentence that names what to use instead.
pub(crate) fn fits_the_servers(command: Command, cluster: bool) -> Result<(), String> {
    let kind = command.kind();
    match (kind, cluster) {
        (CommandKind::Failover, true) => Err(
            "every node of a cluster refuses FAILOVER: expected \"CLUSTER FAILOVER\" at the replica"
                .to_owned(),
        ),
        (CommandKind::ReplicaOf, true) => Err(
            "every node of a cluster refuses REPLICAOF: expected \"CLUSTER FAILOVER TAKEOVER\" at the replica"
                .to_owned(),
        ),
        (CommandKind::Publish, true) => Err(
            "PUBLISH travels over the cluster bus, which is not modelled".to_owned(),
        ),
        (
            CommandKind::ClusterFailover | CommandKind::ClusterSetSlot | CommandKind::ClusterSlots,
            false,
        ) => Err(format!(
            "standalone servers refuse {}: expected \"cluster\": {{}} in the scenario",
            kind.name()
        )),
        (_, true | false) => Ok(()),
    }
}

fn mget(first: &str, rest: &[&str]) -> Result<Command, String> {
    let start = number(first)?;
    let mut more = 0_u8;
    for key in rest {
        let key = number(key)?;
        match more.checked_add(1) {
            Some(next) if key == start + u32::from(next) => more = next,
            Some(_) | None => {
                return Err(format!(
                    "MGET with key {key}: expected up to 256 consecutive keys, such as \"MGET 5 6 7\""
                ));
            }
        }
    }
    Ok(Command::MGet(start, more))
}

fn wait(replicas: &str, timeout: &str) -> Result<Command, String> {
    let count = integer(replicas)
        .and_then(|count| u8::try_from(count).ok())
        .ok_or_else(|| format!("WAIT for {} replicas: expected 0 to 255", quoted(replicas)))?;
    Ok(Command::Wait {
        replicas: count,
        timeout_ms: milliseconds(timeout)?,
    })
}

/// A key or channel.
fn number(text: &str) -> Result<u32, String> {
    integer(text)
        .and_then(|key| u32::try_from(key).ok())
        .filter(|key| *key < KEYS)
        .ok_or_else(|| {
            format!(
                "key {}: expected a number below {KEYS}, since keys and channels are numbers here",
                quoted(text)
            )
        })
}

fn milliseconds(text: &str) -> Result<u32, String> {
    integer(text)
        .and_then(|ms| u32::try_from(ms).ok())
        .ok_or_else(|| {
            format!(
                "{} milliseconds: expected a whole number from 0 to {}",
                quoted(text),
                u32::MAX
            )
        })
}

/// An integer as servers read it (`string2ll`): no plus sign, no leading zeros.
fn integer(text: &str) -> Option<i64> {
    let value: i64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

fn usage(name: &str, takes: &str, example: &str) -> String {
    format!("{name} takes {takes}: expected for example \"{example}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multi_needs_its_exec() {
        use Command::{Discard, Exec, Multi, Ping};
        assert_eq!(open_transaction(&[Multi, Ping, Exec]), None);
        assert_eq!(open_transaction(&[Multi, Discard, Ping]), None);
        assert_eq!(open_transaction(&[Exec, Ping]), None);
        assert_eq!(
            open_transaction(&[Multi, Exec, Multi, Multi, Ping]),
            Some(2)
        );
    }

    fn book() -> AddressBook {
        AddressBook::new([("old".to_owned(), 6379), ("new".to_owned(), 6380)])
    }

    fn failover(to: Option<u16>, force: bool, timeout_ms: Option<u32>) -> Command {
        Command::Failover {
            to: to.map(Addr),
            force,
            timeout_ms,
        }
    }

    #[test]
    fn failover_is_read_as_servers_read_it() {
        use ErrorKind::{FailoverTimeout, NotAnInteger, Syntax};
        let bad = Command::FailoverMalformed;
        for (text, command) in [
            ("FAILOVER", failover(None, false, None)),
            ("failover abort", Command::FailoverAbort),
            ("FAILOVER TO new 6380", failover(Some(1), false, None)),
            (
                "FAILOVER to NEW 6380 force Timeout 500",
                failover(Some(1), true, Some(500)),
            ),
            (
                "FAILOVER TIMEOUT 500 FORCE TO new 6380",
                failover(Some(1), true, Some(500)),
            ),
            ("FAILOVER FORCE", failover(None, true, None)),
            ("FAILOVER TO new 6379", failover(Some(2), false, None)),
            ("FAILOVER TO nobody 1", failover(Some(2), false, None)),
            ("FAILOVER TO new 99999999", failover(Some(2), false, None)),
            (
                "FAILOVER TIMEOUT 99999999999",
                failover(None, false, Some(u32::MAX)),
            ),
            ("FAILOVER ABORT NOW", bad(Syntax)),
            ("FAILOVER TIMEOUT 5 ABORT", bad(Syntax)),
            ("FAILOVER TO new", bad(Syntax)),
            ("FAILOVER TIMEOUT", bad(Syntax)),
            ("FAILOVER TIMEOUT 5 TIMEOUT 6", bad(Syntax)),
            ("FAILOVER FORCE FORCE", bad(Syntax)),
            ("FAILOVER TO new 6380 TO old 6379", bad(Syntax)),
            ("FAILOVER TIMEOUT 0", bad(FailoverTimeout)),
            ("FAILOVER TIMEOUT -7", bad(FailoverTimeout)),
            ("FAILOVER TIMEOUT soon", bad(NotAnInteger)),
            ("FAILOVER TIMEOUT 05", bad(NotAnInteger)),
            ("FAILOVER TIMEOUT 99999999999999999999", bad(NotAnInteger)),
            ("FAILOVER TO new http", bad(NotAnInteger)),
            ("FAILOVER TIMEOUT x quux", bad(NotAnInteger)),
        ] {
            assert_eq!(parse(text, &mut book()), Ok(command), "{text}");
        }
    }

    #[test]
    fn other_commands_are_read() {
        for (text, command) in [
            ("REPLICAOF new 6380", Command::ReplicaOf(Some(Addr(1)))),
            ("replicaof no one", Command::ReplicaOf(None)),
            (
                "CLIENT PAUSE 500",
                Command::ClientPause(PauseKind::All, 500),
            ),
            (
                "client pause 500 write",
                Command::ClientPause(PauseKind::Write, 500),
            ),
            ("CLIENT UNPAUSE", Command::ClientUnpause),
            ("CLIENT CAPA redirect", Command::ClientCapa),
            (
                "CLIENT KILL TYPE normal",
                Command::ClientKill(ClientType::Normal),
            ),
            (
                "client kill type SLAVE skipme YES",
                Command::ClientKill(ClientType::Replica),
            ),
            ("config rewrite", Command::ConfigRewrite),
            ("SLAVEOF NO ONE", Command::ReplicaOf(None)),
            ("  MULTI  ", Command::Multi),
            ("SET 5 x", Command::Set(5, WriteId::NONE)),
            ("MGET 5 6 7", Command::MGet(5, 2)),
            (
                "WAIT 1 0",
                Command::Wait {
                    replicas: 1,
                    timeout_ms: 0,
                },
            ),
            ("INFO replication", Command::Info),
            ("RPUSH 5 x", Command::RPush(5, WriteId::NONE)),
            ("xadd 5 * field x", Command::XAdd(5, WriteId::NONE)),
            ("PEXPIRE 5 200", Command::PExpire(5, 200)),
            ("PFCOUNT 5", Command::PfCount(5)),
            ("object encoding 5", Command::ObjectEncoding(5)),
            ("DBSIZE", Command::DbSize),
            ("SCAN 0", Command::Scan),
            ("KEYS *", Command::Keys),
            ("FLUSHALL", Command::FlushAll(WriteId::NONE)),
            ("WATCH 5", Command::Watch(5)),
            ("unwatch", Command::Unwatch),
            ("RESET", Command::Reset),
        ] {
            assert_eq!(parse(text, &mut book()), Ok(command), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, part) in [
            ("", "empty command"),
            ("FAILOVR", "nearest: \"FAILOVER\""),
            ("FLUSHAL", "nearest: \"FLUSHALL\""),
            ("FLUSHALL 5", "FLUSHALL takes no arguments"),
            ("XADD 5 1-1 f x", "expected for example \"XADD 5 * f x\""),
            (
                "OBJECT FREQ 5",
                "expected for example \"OBJECT ENCODING 5\"",
            ),
            ("KEYS a*", "the pattern *"),
            ("PEXPIRE 5 soon", "\"soon\" milliseconds"),
            ("SET 5", "expected for example \"SET 5 x\""),
            ("SET name x", "keys and channels are numbers"),
            ("GET 10000000", "below 10000000"),
            ("GET -1", "below 10000000"),
            ("CLIENT PAUSE 5 WRITES", "nearest: \"WRITE\""),
            ("CLIENT PAUSE soon", "\"soon\" milliseconds"),
            ("CLIENT PUASE 5", "nearest: \"PAUSE\""),
            ("REPLICAOF new 70000", "0 to 65535"),
            ("REPLICAOF new", "expected for example"),
            ("MGET 5 7", "consecutive keys"),
            ("WAIT 300 0", "0 to 255"),
            ("EXEC now", "takes no arguments"),
            ("CONFIG SET hz 5", "expected for example \"CONFIG REWRITE\""),
            (
                "CLIENT KILL",
                "expected for example \"CLIENT KILL TYPE normal\"",
            ),
            ("CLIENT KILL ID 5", "no filter of CLIENT KILL \"ID\""),
            ("CLIENT KILL TYPE nromal", "nearest: \"normal\""),
            ("CLIENT KILL TYPE normal SKIPME no", "always exists"),
            ("CLIENT KILL TYPE normal twice", "perhaps SKIPME yes"),
        ] {
            let error = parse(text, &mut book()).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
