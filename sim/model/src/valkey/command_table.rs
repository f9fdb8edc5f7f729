//! Commands without their arguments, with the flags that real servers give them.

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
    ClientKill,
    ConfigRewrite,
    Asking,
    ClusterSlots,
    ClusterFailover,
    ClusterSetSlot,
    /// `EVAL` of a script without a shebang.
    Eval,
    /// `EVAL` of a script that begins with `#!lua`.
    EvalShebang,
    /// `EVAL` of a script that begins with `#!lua flags=no-writes`.
    EvalNoWrites,
    EvalRo,
    /// `FCALL` of a function that may write.
    FCall,
    /// `FCALL` of a function with the flag `no-writes`.
    FCallNoWrites,
    FCallRo,
    RPush,
    XAdd,
    XRead,
    PfCount,
    ObjectEncoding,
    PExpire,
    DbSize,
    Scan,
    Keys,
    FlushAll,
    Watch,
    Unwatch,
    Reset,
    ClientUnblock,
    Auth,
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

impl CommandKind {
    /// The flags of the servers' command table. `EXEC` has none of its own: it takes those of
    /// what is queued.
    #[inline]
    pub const fn flags(self) -> Flags {
        match self {
            CommandKind::Get
            | CommandKind::MGet
            | CommandKind::ObjectEncoding
            | CommandKind::DbSize
            | CommandKind::Scan
            | CommandKind::Keys => Flags::READ,
            CommandKind::Set
            | CommandKind::Incr
            | CommandKind::Del
            | CommandKind::LPush
            | CommandKind::RPush
            | CommandKind::XAdd
            | CommandKind::PExpire
            | CommandKind::FlushAll => Flags::WRITE,
            CommandKind::XRead => Flags::READ.with(Flags::BLOCKING),
            CommandKind::PfCount => Flags::READ.with(Flags::MAY_REPLICATE),
            // A script without a shebang may do anything, so its command's own flags stand; one
            // with a shebang writes unless it says `no-writes` (8.0.1, script.c
            // `scriptFlagsToCmdFlags`). `EVAL_RO` and `FCALL_RO` are read-only commands.
            CommandKind::Eval => Flags::MAY_REPLICATE,
            CommandKind::EvalShebang | CommandKind::FCall => {
                Flags::WRITE.with(Flags::MAY_REPLICATE)
            }
            CommandKind::EvalNoWrites | CommandKind::FCallNoWrites => Flags::NONE,
            CommandKind::EvalRo | CommandKind::FCallRo => Flags::READ,
            CommandKind::Watch => Flags::STALE.with(Flags::LOADING).with(Flags::NO_MULTI),
            CommandKind::Unwatch | CommandKind::ClientUnblock | CommandKind::Auth => {
                Flags::STALE.with(Flags::LOADING)
            }
            CommandKind::Reset => Flags::STALE.with(Flags::LOADING).with(Flags::PUBSUB),
            CommandKind::BlPop => Flags::WRITE.with(Flags::BLOCKING),
            CommandKind::Multi
            | CommandKind::Discard
            | CommandKind::Exec
            | CommandKind::Info
            | CommandKind::Role
            | CommandKind::ClientCapa
            | CommandKind::ClientPause
            | CommandKind::ClientUnpause
            | CommandKind::ClientKill
            | CommandKind::ConfigRewrite
            | CommandKind::ReadOnly
            | CommandKind::ReadWrite
            | CommandKind::ReplConf => Flags::STALE.with(Flags::LOADING),
            CommandKind::Subscribe => Flags::STALE.with(Flags::LOADING).with(Flags::PUBSUB),
            CommandKind::Publish => Flags::MAY_REPLICATE.with(Flags::STALE).with(Flags::LOADING),
            CommandKind::Ping => Flags::PUBSUB,
            CommandKind::Wait => Flags::BLOCKING,
            CommandKind::Failover | CommandKind::ReplicaOf => Flags::STALE,
            CommandKind::Psync => Flags::NO_MULTI,
            CommandKind::Asking => Flags::NONE,
            CommandKind::ClusterSlots => Flags::STALE.with(Flags::LOADING),
            CommandKind::ClusterFailover | CommandKind::ClusterSetSlot => Flags::STALE,
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
            CommandKind::ClientKill => "CLIENT KILL",
            CommandKind::ConfigRewrite => "CONFIG REWRITE",
            CommandKind::Asking => "ASKING",
            CommandKind::ClusterSlots => "CLUSTER SLOTS",
            CommandKind::ClusterFailover => "CLUSTER FAILOVER",
            CommandKind::Eval => "EVAL",
            CommandKind::EvalShebang => "EVAL #!lua",
            CommandKind::EvalNoWrites => "EVAL #!lua flags=no-writes",
            CommandKind::EvalRo => "EVAL_RO",
            CommandKind::FCall => "FCALL",
            CommandKind::FCallNoWrites => "FCALL no-writes",
            CommandKind::FCallRo => "FCALL_RO",
            CommandKind::RPush => "RPUSH",
            CommandKind::XAdd => "XADD",
            CommandKind::XRead => "XREAD",
            CommandKind::PfCount => "PFCOUNT",
            CommandKind::ObjectEncoding => "OBJECT ENCODING",
            CommandKind::PExpire => "PEXPIRE",
            CommandKind::DbSize => "DBSIZE",
            CommandKind::Scan => "SCAN",
            CommandKind::Keys => "KEYS",
            CommandKind::FlushAll => "FLUSHALL",
            CommandKind::Watch => "WATCH",
            CommandKind::Unwatch => "UNWATCH",
            CommandKind::Reset => "RESET",
            CommandKind::ClientUnblock => "CLIENT UNBLOCK",
            CommandKind::Auth => "AUTH",
            CommandKind::ClusterSetSlot => "CLUSTER SETSLOT",
        }
    }
}
