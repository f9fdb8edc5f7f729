//! The commands that the model knows.

use super::address::{Addr, NodeId};
use super::command_table::CommandKind;
use super::epoch::Epoch;
use super::error::ErrorKind;
use super::hash_slot::HashSlot;
use super::message::WriteId;
use super::replication::{Offset, ReplId};
use super::script::Script;
use rebound_engine::hashed;

/// A command with its arguments.
///
/// Keys and channels are numbers; a key's kind (string, counter, list,
/// stream) is what was last written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `GET key`
    Get(u32),
    /// `MGET key …`: this key and this many more after it.
    MGet(u32, u8),
    /// `SET key value`
    Set(u32, WriteId),
    /// `INCR key`
    Incr(u32, WriteId),
    /// `DEL key`
    Del(u32, WriteId),
    /// `LPUSH key element`
    LPush(u32, WriteId),
    /// `BLPOP key timeout`; zero milliseconds means no limit.
    BlPop {
        /// The list.
        key: u32,
        /// How long to wait.
        timeout_ms: u32,
        /// Marks the element's removal.
        write: WriteId,
    },
    /// `MULTI`
    Multi,
    /// `EXEC`
    Exec,
    /// `DISCARD`
    Discard,
    /// `SUBSCRIBE channel`
    Subscribe(u32),
    /// `PUBLISH channel message`
    Publish(u32),
    /// `PING`
    Ping,
    /// `INFO replication`
    Info,
    /// `ROLE`
    Role,
    /// `WAIT replicas timeout`; zero milliseconds means no limit.
    Wait {
        /// Acknowledgements wanted.
        replicas: u8,
        /// How long to wait.
        timeout_ms: u32,
    },
    /// `CLIENT CAPA redirect`
    ClientCapa,
    /// `CLIENT PAUSE milliseconds WRITE|ALL`
    ClientPause(PauseKind, u32),
    /// `CLIENT UNPAUSE`
    ClientUnpause,
    /// `CLIENT KILL TYPE type`, which spares the connection that says it (`SKIPME yes`).
    ClientKill(ClientType),
    /// `CONFIG REWRITE`
    ConfigRewrite,
    /// `READONLY`
    ReadOnly,
    /// `READWRITE`
    ReadWrite,
    /// `FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds]`
    Failover {
        /// `TO`
        to: Option<Addr>,
        /// `FORCE`
        force: bool,
        /// `TIMEOUT`
        timeout_ms: Option<u32>,
    },
    /// `FAILOVER ABORT`
    FailoverAbort,
    /// A `FAILOVER` whose arguments cannot be parsed, with the error it is answered by.
    FailoverMalformed(ErrorKind),
    /// `REPLICAOF host port`, or `REPLICAOF NO ONE`.
    ReplicaOf(Option<Addr>),
    /// `REPLCONF listening-port` (and `ip-address`): the address that the replica announces.
    ReplConfAddress(Addr),
    /// `REPLCONF capa eof capa psync2`
    ReplConfCapa,
    /// `REPLCONF version` (8.0 and later)
    ReplConfVersion,
    /// `REPLCONF ACK offset`; never answered.
    ReplConfAck(Offset),
    /// `PSYNC replid offset [FAILOVER]`; without a replid it is `PSYNC ? -1`.
    Psync {
        /// The history that the sender knows.
        replid: Option<ReplId>,
        /// The first byte that it lacks.
        offset: Offset,
        /// Whether the receiver is to promote itself.
        failover: bool,
        /// The sender's epoch, with the remedy `epoch-redirect`.
        epoch: Option<Epoch>,
    },
    /// `ASKING`: the next command may be about a slot that is being imported.
    Asking,
    /// `CLUSTER SLOTS`
    ClusterSlots,
    /// `CLUSTER FAILOVER [FORCE|TAKEOVER]`
    ClusterFailover(ClusterFailover),
    /// `CLUSTER SETSLOT slot …`
    ClusterSetSlot(HashSlot, SetSlot),
    /// `EVAL script 1 key` and its like, on one key.
    Script(Script, u32),
    /// `RPUSH key element`
    RPush(u32, WriteId),
    /// `XADD key * field value`
    XAdd(u32, WriteId),
    /// `XREAD STREAMS key 0`
    XRead(u32),
    /// `XREAD BLOCK milliseconds STREAMS key $`: entries that are added from now on; zero
    /// milliseconds means no limit.
    XReadBlock {
        /// The stream.
        key: u32,
        /// How long to wait.
        timeout_ms: u32,
    },
    /// `PFCOUNT key`; keys of its kind are never written.
    PfCount(u32),
    /// `OBJECT ENCODING key`
    ObjectEncoding(u32),
    /// `PEXPIRE key milliseconds`
    PExpire(u32, u32),
    /// `DBSIZE`
    DbSize,
    /// `SCAN 0`, in one step however many keys there are.
    Scan,
    /// `KEYS *`
    Keys,
    /// `FLUSHALL`
    FlushAll(WriteId),
    /// `WATCH key`
    Watch(u32),
    /// `UNWATCH`
    Unwatch,
    /// `RESET`
    Reset,
    /// `CLIENT UNBLOCK id reason`; a connection's id is its number with the server.
    ClientUnblock(u32, UnblockReason),
    /// `CLIENT CAPA` with names that no server knows.
    ClientCapaUnknown,
    /// `CLIENT CAPA` without a name.
    ClientCapaBare,
    /// `AUTH password`, with the right one.
    Auth,
    /// `REPLCONF capa eof capa psync2 capa dual-channel`
    ReplConfCapaDualChannel,
}

hashed!(enum Command {
    Get(key),
    MGet(key, more),
    Set(key, write),
    Incr(key, write),
    Del(key, write),
    LPush(key, write),
    BlPop { key, timeout_ms, write },
    Multi,
    Exec,
    Discard,
    Subscribe(channel),
    Publish(channel),
    Ping,
    Info,
    Role,
    Wait { replicas, timeout_ms },
    ClientCapa,
    ClientPause(kind, ms),
    ClientUnpause,
    ClientKill(kind),
    ConfigRewrite,
    ReadOnly,
    ReadWrite,
    Failover { force, to, timeout_ms },
    FailoverAbort,
    FailoverMalformed(error),
    ReplicaOf(primary),
    ReplConfAddress(own),
    ReplConfCapa,
    ReplConfVersion,
    ReplConfAck(offset),
    Psync { offset, failover, replid, epoch },
    Asking,
    ClusterSlots,
    ClusterFailover(how),
    ClusterSetSlot(slot, what),
    Script(script, key),
    RPush(key, write),
    XAdd(key, write),
    XRead(key),
    XReadBlock { key, timeout_ms },
    PfCount(key),
    ObjectEncoding(key),
    PExpire(key, ms),
    DbSize,
    Scan,
    Keys,
    FlushAll(write),
    Watch(key),
    Unwatch,
    Reset,
    ClientUnblock(id, reason),
    ClientCapaUnknown,
    ClientCapaBare,
    Auth,
    ReplConfCapaDualChannel,
});

/// How `CLIENT UNBLOCK` ends a blocking command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UnblockReason {
    /// `TIMEOUT`, or nothing: as if its time were up.
    Timeout,
    /// `ERROR`
    Error,
}

hashed!(
    enum UnblockReason {
        Timeout,
        Error,
    }
);

/// How a replica of a cluster takes over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClusterFailover {
    /// Together with its primary, by a vote.
    Agreed,
    /// `FORCE`: without its primary, by a vote.
    Force,
    /// `TAKEOVER`: without its primary and without a vote.
    Takeover,
}

hashed!(
    enum ClusterFailover {
        Agreed,
        Force,
        Takeover,
    }
);

/// What `CLUSTER SETSLOT` says of a slot.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SetSlot {
    /// `MIGRATING node`: on its owner.
    Migrating(NodeId),
    /// `IMPORTING node`: on the node that it goes to.
    Importing(NodeId),
    /// `NODE node`: whose it is from now on.
    Node(NodeId),
    /// `STABLE`: neither.
    Stable,
}

hashed!(
    enum SetSlot {
        Migrating(node),
        Importing(node),
        Node(node),
        Stable,
    }
);

/// `CLIENT PAUSE`'s two kinds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PauseKind {
    /// Commands that write or may replicate.
    Write,
    /// Every command.
    All,
}

hashed!(
    enum PauseKind {
        Write,
        All,
    }
);

/// What an accepted connection is to `CLIENT KILL` (8.0.1, networking.c `getClientType`). The
/// connection that a node has opened to its primary is none of these.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClientType {
    /// None of the others.
    Normal,
    /// A subscriber's.
    PubSub,
    /// A replica's.
    Replica,
}

hashed!(
    enum ClientType {
        Normal,
        PubSub,
        Replica,
    }
);

/// What a command is, whatever its arguments are called: its kind, its keys and its write.
#[derive(Copy, Clone, Debug)]
struct Parts {
    kind: CommandKind,
    /// Its first key, and how many more follow it.
    keys: Option<(u32, u8)>,
    write: Option<WriteId>,
}

impl Parts {
    /// Of a command without a key.
    const fn of(kind: CommandKind) -> Parts {
        Parts {
            kind,
            keys: None,
            write: None,
        }
    }

    /// Of a command on one key.
    const fn on(kind: CommandKind, key: u32) -> Parts {
        Parts {
            keys: Some((key, 0)),
            ..Parts::of(kind)
        }
    }

    /// The command carries this write.
    const fn writing(self, write: WriteId) -> Parts {
        Parts {
            write: Some(write),
            ..self
        }
    }
}

impl Command {
    /// The one place that says which kind, keys and write a command has.
    #[inline]
    const fn parts(self) -> Parts {
        use CommandKind as Kind;
        match self {
            Command::Get(key) => Parts::on(Kind::Get, key),
            Command::MGet(key, more) => Parts {
                keys: Some((key, more)),
                ..Parts::of(Kind::MGet)
            },
            Command::Set(key, write) => Parts::on(Kind::Set, key).writing(write),
            Command::Incr(key, write) => Parts::on(Kind::Incr, key).writing(write),
            Command::Del(key, write) => Parts::on(Kind::Del, key).writing(write),
            Command::LPush(key, write) => Parts::on(Kind::LPush, key).writing(write),
            Command::BlPop { key, write, .. } => Parts::on(Kind::BlPop, key).writing(write),
            Command::Multi => Parts::of(Kind::Multi),
            Command::Exec => Parts::of(Kind::Exec),
            Command::Discard => Parts::of(Kind::Discard),
            Command::Subscribe(_) => Parts::of(Kind::Subscribe),
            Command::Publish(_) => Parts::of(Kind::Publish),
            Command::Ping => Parts::of(Kind::Ping),
            Command::Info => Parts::of(Kind::Info),
            Command::Role => Parts::of(Kind::Role),
            Command::Wait { .. } => Parts::of(Kind::Wait),
            Command::ClientCapa | Command::ClientCapaUnknown | Command::ClientCapaBare => {
                Parts::of(Kind::ClientCapa)
            }
            Command::ClientPause(..) => Parts::of(Kind::ClientPause),
            Command::ClientUnpause => Parts::of(Kind::ClientUnpause),
            Command::ClientKill(_) => Parts::of(Kind::ClientKill),
            Command::ConfigRewrite => Parts::of(Kind::ConfigRewrite),
            Command::ReadOnly => Parts::of(Kind::ReadOnly),
            Command::ReadWrite => Parts::of(Kind::ReadWrite),
            Command::Failover { .. } | Command::FailoverAbort | Command::FailoverMalformed(_) => {
                Parts::of(Kind::Failover)
            }
            Command::ReplicaOf(_) => Parts::of(Kind::ReplicaOf),
            Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfCapaDualChannel
            | Command::ReplConfVersion
            | Command::ReplConfAck(_) => Parts::of(Kind::ReplConf),
            Command::Psync { .. } => Parts::of(Kind::Psync),
            Command::Asking => Parts::of(Kind::Asking),
            Command::ClusterSlots => Parts::of(Kind::ClusterSlots),
            Command::ClusterFailover(_) => Parts::of(Kind::ClusterFailover),
            Command::ClusterSetSlot(..) => Parts::of(Kind::ClusterSetSlot),
            Command::Script(script, key) => Parts {
                write: script.write(),
                ..Parts::on(script.command(), key)
            },
            Command::RPush(key, write) => Parts::on(Kind::RPush, key).writing(write),
            Command::XAdd(key, write) => Parts::on(Kind::XAdd, key).writing(write),
            Command::XRead(key) | Command::XReadBlock { key, .. } => Parts::on(Kind::XRead, key),
            Command::PfCount(key) => Parts::on(Kind::PfCount, key),
            Command::ObjectEncoding(key) => Parts::on(Kind::ObjectEncoding, key),
            // Nobody asks later what became of it.
            Command::PExpire(key, _) => Parts::on(Kind::PExpire, key),
            Command::DbSize => Parts::of(Kind::DbSize),
            Command::Scan => Parts::of(Kind::Scan),
            Command::Keys => Parts::of(Kind::Keys),
            Command::FlushAll(write) => Parts::of(Kind::FlushAll).writing(write),
            Command::Watch(key) => Parts::on(Kind::Watch, key),
            Command::Unwatch => Parts::of(Kind::Unwatch),
            Command::Reset => Parts::of(Kind::Reset),
            Command::ClientUnblock(..) => Parts::of(Kind::ClientUnblock),
            Command::Auth => Parts::of(Kind::Auth),
        }
    }

    /// The command without its arguments.
    #[inline]
    pub const fn kind(self) -> CommandKind {
        self.parts().kind
    }

    /// The keys that the command is about, if it is about any.
    #[inline]
    pub fn keys(self) -> Option<std::ops::RangeInclusive<u32>> {
        let (first, more) = self.parts().keys?;
        Some(first..=first.saturating_add(u32::from(more)))
    }

    /// The key that the command reads or writes; the first of an `MGET`.
    #[inline]
    pub const fn key(self) -> Option<u32> {
        match self.parts().keys {
            Some((first, _)) => Some(first),
            None => None,
        }
    }

    /// The write that the command carries.
    pub const fn write(self) -> Option<WriteId> {
        self.parts().write
    }
}

#[cfg(test)]
mod tests {
    use super::super::command_table::Writes;
    use super::*;

    #[test]
    fn keys_follow_one_another() {
        assert_eq!(Command::MGet(5, 2).keys(), Some(5..=7));
        assert_eq!(Command::MGet(5, 2).key(), Some(5));
        assert_eq!(Command::Get(5).keys(), Some(5..=5));
        assert_eq!(Command::DbSize.keys(), None);
    }

    #[test]
    fn what_carries_a_write_is_said_to_write() {
        let write = WriteId(7);
        let pop = Command::BlPop {
            key: 1,
            timeout_ms: 0,
            write,
        };
        for command in [
            Command::Set(1, write),
            Command::Incr(1, write),
            Command::Del(1, write),
            Command::LPush(1, write),
            Command::RPush(1, write),
            Command::XAdd(1, write),
            Command::FlushAll(write),
            Command::Script(Script::Set(write), 1),
            Command::Script(Script::ShebangSet(write), 1),
            Command::Script(Script::FunctionSet(write), 1),
            pop,
        ] {
            assert_eq!(command.write(), Some(write), "{command:?}");
            assert_ne!(command.kind().writes(), Writes::Nothing, "{command:?}");
        }
        for script in [Script::Get, Script::NoWritesGet, Script::FunctionRoGet] {
            assert_eq!(Command::Script(script, 1).write(), None, "{script:?}");
        }
    }
}
