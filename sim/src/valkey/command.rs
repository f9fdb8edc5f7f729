//! The commands that the model knows, with the flags that real servers give them.

use super::address::Addr;
use super::error::ErrorKind;
use super::message::{Offset, ReplId, WriteId};

/// A command with its arguments.
///
/// Keys and channels are numbers; a key's kind (string, counter, list) is what was last written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `GET key`
    Get(u32),
    /// `MGET key …`: this key and so many more after it.
    MGet(u32, u8),
    /// `SET key value`
    Set(u32, WriteId),
    /// `INCR key`
    Incr(u32, WriteId),
    /// `DEL key`
    Del(u32, WriteId),
    /// `LPUSH key element`
    LPush(u32, WriteId),
    /// `BLPOP key timeout`; zero milliseconds wait for ever.
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
    /// `WAIT replicas timeout`; zero milliseconds wait for ever.
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
    },
}

/// `CLIENT PAUSE`'s two kinds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PauseKind {
    /// Commands that write or may replicate.
    Write,
    /// Every command.
    All,
}

/// A command without its arguments.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the commands' own names
pub enum CommandKind {
    Get,
    MGet,
    Set,
    Incr,
    Del,
    LPush,
    BlPop,
    Multi,
    Exec,
    Discard,
    Subscribe,
    Publish,
    Ping,
    Info,
    Role,
    Wait,
    ClientCapa,
    ClientPause,
    ClientUnpause,
    ReadOnly,
    ReadWrite,
    Failover,
    ReplicaOf,
    ReplConf,
    Psync,
}

/// What a command is, as in the servers' command table (8.0.1, src/commands/*.json).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// `WRITE`
    pub const WRITE: Flags = Flags(1);
    /// `READONLY`
    pub const READ: Flags = Flags(2);
    /// `MAY_REPLICATE`
    pub const MAY_REPLICATE: Flags = Flags(4);
    /// `BLOCKING`
    pub const BLOCKING: Flags = Flags(8);
    /// `STALE`: allowed on a replica whose link is down and that may not serve stale data.
    pub const STALE: Flags = Flags(16);
    /// `LOADING`: allowed while a snapshot is being loaded.
    pub const LOADING: Flags = Flags(32);
    /// `NO_MULTI`: not allowed inside MULTI.
    pub const NO_MULTI: Flags = Flags(64);
    /// Allowed to a RESP2 subscriber.
    pub const PUBSUB: Flags = Flags(128);
    /// None.
    pub const NONE: Flags = Flags(0);

    /// Both's flags.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The flags that both have.
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    /// These flags less `other`'s.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether one of `other`'s flags is set.
    #[inline]
    pub const fn any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
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
            Command::ReadOnly => CommandKind::ReadOnly,
            Command::ReadWrite => CommandKind::ReadWrite,
            Command::Failover { .. } | Command::FailoverAbort | Command::FailoverMalformed(_) => {
                CommandKind::Failover
            }
            Command::ReplicaOf(_) => CommandKind::ReplicaOf,
            Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfVersion
            | Command::ReplConfAck(_) => CommandKind::ReplConf,
            Command::Psync { .. } => CommandKind::Psync,
        }
    }

    /// The key that the command reads or writes; the first of an `MGET`.
    pub const fn key(self) -> Option<u32> {
        match self {
            Command::Get(key)
            | Command::MGet(key, _)
            | Command::Set(key, _)
            | Command::Incr(key, _)
            | Command::Del(key, _)
            | Command::LPush(key, _)
            | Command::BlPop { key, .. } => Some(key),
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
            | Command::Psync { .. } => None,
        }
    }

    /// The write that the command carries.
    pub const fn write(self) -> Option<WriteId> {
        match self {
            Command::Set(_, write)
            | Command::Incr(_, write)
            | Command::Del(_, write)
            | Command::LPush(_, write)
            | Command::BlPop { write, .. } => Some(write),
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
            | Command::Psync { .. } => None,
        }
    }
}

impl CommandKind {
    /// The flags of the servers' command table. `EXEC` has none of its own: it takes those of
    /// what is queued.
    #[inline]
    pub const fn flags(self) -> Flags {
        match self {
            CommandKind::Get | CommandKind::MGet => Flags::READ,
            CommandKind::Set | CommandKind::Incr | CommandKind::Del | CommandKind::LPush => {
                Flags::WRITE
            }
            CommandKind::BlPop => Flags::WRITE.with(Flags::BLOCKING),
            CommandKind::Multi
            | CommandKind::Discard
            | CommandKind::Exec
            | CommandKind::Info
            | CommandKind::Role
            | CommandKind::ClientCapa
            | CommandKind::ClientPause
            | CommandKind::ClientUnpause
            | CommandKind::ReadOnly
            | CommandKind::ReadWrite
            | CommandKind::ReplConf => Flags::STALE.with(Flags::LOADING),
            CommandKind::Subscribe => Flags::STALE.with(Flags::LOADING).with(Flags::PUBSUB),
            CommandKind::Publish => Flags::MAY_REPLICATE.with(Flags::STALE).with(Flags::LOADING),
            CommandKind::Ping => Flags::PUBSUB,
            CommandKind::Wait => Flags::BLOCKING,
            CommandKind::Failover | CommandKind::ReplicaOf => Flags::STALE,
            CommandKind::Psync => Flags::NO_MULTI,
        }
    }

    /// The command's name as an operator types it.
    pub const fn name(self) -> &'static str {
        match self {
            CommandKind::Get => "GET",
            CommandKind::MGet => "MGET",
            CommandKind::Set => "SET",
            CommandKind::Incr => "INCR",
            CommandKind::Del => "DEL",
            CommandKind::LPush => "LPUSH",
            CommandKind::BlPop => "BLPOP",
            CommandKind::Multi => "MULTI",
            CommandKind::Exec => "EXEC",
            CommandKind::Discard => "DISCARD",
            CommandKind::Subscribe => "SUBSCRIBE",
            CommandKind::Publish => "PUBLISH",
            CommandKind::Ping => "PING",
            CommandKind::Info => "INFO replication",
            CommandKind::Role => "ROLE",
            CommandKind::Wait => "WAIT",
            CommandKind::ClientCapa => "CLIENT CAPA redirect",
            CommandKind::ClientPause => "CLIENT PAUSE",
            CommandKind::ClientUnpause => "CLIENT UNPAUSE",
            CommandKind::ReadOnly => "READONLY",
            CommandKind::ReadWrite => "READWRITE",
            CommandKind::Failover => "FAILOVER",
            CommandKind::ReplicaOf => "REPLICAOF",
            CommandKind::ReplConf => "REPLCONF",
            CommandKind::Psync => "PSYNC",
        }
    }
}
