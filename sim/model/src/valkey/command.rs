//! The commands that the model knows.

use super::address::{Addr, NodeId};
use super::command_kind::CommandKind;
use super::epoch::Epoch;
use super::error::ErrorKind;
use super::hash_slot::HashSlot;
use super::message::{Offset, ReplId, WriteId};
use super::script::Script;

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

/// How `CLIENT UNBLOCK` ends a blocking command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UnblockReason {
    /// `TIMEOUT`, or nothing: as if its time were up.
    Timeout,
    /// `ERROR`
    Error,
}

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

/// `CLIENT PAUSE`'s two kinds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PauseKind {
    /// Commands that write or may replicate.
    Write,
    /// Every command.
    All,
}

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

impl Command {
    /// The command without its arguments.
    pub const fn kind(self) -> CommandKind {
        match self {
            Command::Get(_) => CommandKind::Get,
            Command::MGet(..) => CommandKind::MGet,
            Command::Set(..) => CommandKind::Set,
            Command::Incr(..) => CommandKind::Incr,
            Command::Del(..) => CommandKind::Del,
            Command::LPush(..) => CommandKind::LPush,
            Command::BlPop { .. } => CommandKind::BlPop,
            Command::Multi => CommandKind::Multi,
            Command::Exec => CommandKind::Exec,
            Command::Discard => CommandKind::Discard,
            Command::Subscribe(_) => CommandKind::Subscribe,
            Command::Publish(_) => CommandKind::Publish,
            Command::Ping => CommandKind::Ping,
            Command::Info => CommandKind::Info,
            Command::Role => CommandKind::Role,
            Command::Wait { .. } => CommandKind::Wait,
            Command::ClientCapa => CommandKind::ClientCapa,
            Command::ClientPause(..) => CommandKind::ClientPause,
            Command::ClientUnpause => CommandKind::ClientUnpause,
            Command::ClientKill(_) => CommandKind::ClientKill,
            Command::ConfigRewrite => CommandKind::ConfigRewrite,
            Command::ReadOnly => CommandKind::ReadOnly,
            Command::ReadWrite => CommandKind::ReadWrite,
            Command::Failover { .. } | Command::FailoverAbort | Command::FailoverMalformed(_) => {
                CommandKind::Failover
            }
            Command::ReplicaOf(_) => CommandKind::ReplicaOf,
            Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfCapaDualChannel
            | Command::ReplConfVersion
            | Command::ReplConfAck(_) => CommandKind::ReplConf,
            Command::Psync { .. } => CommandKind::Psync,
            Command::Asking => CommandKind::Asking,
            Command::ClusterSlots => CommandKind::ClusterSlots,
            Command::ClusterFailover(_) => CommandKind::ClusterFailover,
            Command::ClusterSetSlot(..) => CommandKind::ClusterSetSlot,
            Command::Script(script, _) => script.command(),
            Command::RPush(..) => CommandKind::RPush,
            Command::XAdd(..) => CommandKind::XAdd,
            Command::XRead(_) | Command::XReadBlock { .. } => CommandKind::XRead,
            Command::PfCount(_) => CommandKind::PfCount,
            Command::ObjectEncoding(_) => CommandKind::ObjectEncoding,
            Command::PExpire(..) => CommandKind::PExpire,
            Command::DbSize => CommandKind::DbSize,
            Command::Scan => CommandKind::Scan,
            Command::Keys => CommandKind::Keys,
            Command::FlushAll(_) => CommandKind::FlushAll,
            Command::Watch(_) => CommandKind::Watch,
            Command::Unwatch => CommandKind::Unwatch,
            Command::Reset => CommandKind::Reset,
            Command::ClientUnblock(..) => CommandKind::ClientUnblock,
            Command::ClientCapaUnknown | Command::ClientCapaBare => CommandKind::ClientCapa,
            Command::Auth => CommandKind::Auth,
        }
    }

    /// The keys that the command is about; none if it is about none.
    #[inline]
    pub fn keys(self) -> Option<std::ops::RangeInclusive<u32>> {
        match self {
            Command::Get(key)
            | Command::Set(key, _)
            | Command::Incr(key, _)
            | Command::Del(key, _)
            | Command::LPush(key, _)
            | Command::RPush(key, _)
            | Command::XAdd(key, _)
            | Command::XRead(key)
            | Command::XReadBlock { key, .. }
            | Command::PfCount(key)
            | Command::ObjectEncoding(key)
            | Command::PExpire(key, _)
            | Command::Watch(key)
            | Command::Script(_, key)
            | Command::BlPop { key, .. } => Some(key..=key),
            Command::MGet(key, more) => Some(key..=key.saturating_add(u32::from(more))),
            Command::Multi
            | Command::Exec
            | Command::Discard
            | Command::Subscribe(_)
            | Command::Publish(_)
            | Command::Ping
            | Command::Info
            | Command::Role
            | Command::Wait { .. }
            | Command::ClientCapa
            | Command::ClientPause(..)
            | Command::ClientUnpause
            | Command::ReadOnly
            | Command::ReadWrite
            | Command::Failover { .. }
            | Command::FailoverAbort
            | Command::FailoverMalformed(_)
            | Command::ReplicaOf(_)
            | Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfVersion
            | Command::ReplConfAck(_)
            | Command::ClientKill(_)
            | Command::ConfigRewrite
            | Command::Psync { .. }
            | Command::Asking
            | Command::ClusterSlots
            | Command::ClusterFailover(_)
            | Command::ClusterSetSlot(..)
            | Command::DbSize
            | Command::Scan
            | Command::Keys
            | Command::FlushAll(_)
            | Command::Unwatch
            | Command::Reset
            | Command::ClientUnblock(..)
            | Command::ClientCapaUnknown
            | Command::ClientCapaBare
            | Command::Auth
            | Command::ReplConfCapaDualChannel => None,
        }
    }

    /// The key that the command reads or writes; the first of an `MGET`.
    #[inline]
    pub fn key(self) -> Option<u32> {
        self.keys().map(|keys| *keys.start())
    }

    /// The write that the command carries.
    pub const fn write(self) -> Option<WriteId> {
        match self {
            Command::Set(_, write)
            | Command::Incr(_, write)
            | Command::Del(_, write)
            | Command::LPush(_, write)
            | Command::RPush(_, write)
            | Command::XAdd(_, write)
            | Command::FlushAll(write)
            | Command::BlPop { write, .. } => Some(write),
            Command::Script(script, _) => script.write(),
            Command::Get(_)
            | Command::MGet(..)
            | Command::Multi
            | Command::Exec
            | Command::Discard
            | Command::Subscribe(_)
            | Command::Publish(_)
            | Command::Ping
            | Command::Info
            | Command::Role
            | Command::Wait { .. }
            | Command::ClientCapa
            | Command::ClientPause(..)
            | Command::ClientUnpause
            | Command::ClientKill(_)
            | Command::ConfigRewrite
            | Command::ReadOnly
            | Command::ReadWrite
            | Command::Failover { .. }
            | Command::FailoverAbort
            | Command::FailoverMalformed(_)
            | Command::ReplicaOf(_)
            | Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfVersion
            | Command::ReplConfAck(_)
            | Command::Psync { .. }
            | Command::Asking
            | Command::ClusterSlots
            | Command::ClusterFailover(_)
            | Command::ClusterSetSlot(..)
            | Command::XRead(_)
            | Command::XReadBlock { .. }
            | Command::PfCount(_)
            | Command::ObjectEncoding(_)
            | Command::PExpire(..)
            | Command::DbSize
            | Command::Scan
            | Command::Keys
            | Command::Watch(_)
            | Command::Unwatch
            | Command::Reset
            | Command::ClientUnblock(..)
            | Command::ClientCapaUnknown
            | Command::ClientCapaBare
            | Command::Auth
            | Command::ReplConfCapaDualChannel => None,
        }
    }
}
