//! The command table: every command without its arguments, with its name, its flags and what it
//! writes.

use rebound_engine::hashed;

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
    pub(crate) const BLOCKING: Flags = Flags(8);
    /// `STALE`: allowed on a replica whose link is down and that may not serve stale data.
    pub(crate) const STALE: Flags = Flags(16);
    /// `LOADING`: allowed while a snapshot is being loaded.
    pub(crate) const LOADING: Flags = Flags(32);
    /// `NO_MULTI`: not allowed inside MULTI.
    pub(crate) const NO_MULTI: Flags = Flags(64);
    /// Allowed to a RESP2 subscriber.
    pub(crate) const PUBSUB: Flags = Flags(128);
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

/// What a command does to its key when it is carried out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Writes {
    /// It writes no value.
    Nothing,
    /// It sets the value.
    Sets,
    /// It adds one to the value.
    Increments,
    /// It removes the key.
    Removes,
    /// It changes a list or a stream, a key's time to live, or every key.
    Otherwise,
}

/// A row of the command table.
#[derive(Copy, Clone, Debug)]
struct CommandSpec {
    name: &'static str,
    flags: Flags,
    writes: Writes,
}

/// Makes [`CommandKind`] and the rows of its table, so that no command is without a row.
macro_rules! command_table {
    ($($(#[$doc:meta])* $kind:ident $name:literal [$($flag:ident)*] $writes:ident;)*) => {
        /// A command without its arguments.
        ///
        /// A trace's hash holds its number: a new command belongs at the end.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs)] // the commands' own names
        pub enum CommandKind {
            $($(#[$doc])* $kind,)*
        }

        impl CommandKind {
            /// Every command, in the order of their numbers.
            pub const ALL: &[CommandKind] = &[$(CommandKind::$kind,)*];
        }

        /// A row for each command, by its number.
        const TABLE: [CommandSpec; CommandKind::ALL.len()] = [
            $(CommandSpec {
                name: $name,
                flags: Flags::NONE$(.with(Flags::$flag))*,
                writes: Writes::$writes,
            },)*
        ];
    };
}

command_table! {
    // Command      Name as an operator types it       Flags                        What it writes
    Get             "GET"                              [READ]                       Nothing;
    MGet            "MGET"                             [READ]                       Nothing;
    Set             "SET"                              [WRITE]                      Sets;
    Incr            "INCR"                             [WRITE]                      Increments;
    Del             "DEL"                              [WRITE]                      Removes;
    LPush           "LPUSH"                            [WRITE]                      Otherwise;
    BlPop           "BLPOP"                            [WRITE BLOCKING]             Otherwise;
    Multi           "MULTI"                            [STALE LOADING]              Nothing;
    /// It has the flags of what is queued beside its own. What a client's transaction writes, it
    /// sets.
    Exec            "EXEC"                             [STALE LOADING]              Sets;
    Discard         "DISCARD"                          [STALE LOADING]              Nothing;
    Subscribe       "SUBSCRIBE"                        [STALE LOADING PUBSUB]       Nothing;
    Publish         "PUBLISH"                          [MAY_REPLICATE STALE LOADING] Nothing;
    Ping            "PING"                             [PUBSUB]                     Nothing;
    Info            "INFO replication"                 [STALE LOADING]              Nothing;
    Role            "ROLE"                             [STALE LOADING]              Nothing;
    Wait            "WAIT"                             [BLOCKING]                   Nothing;
    ClientCapa      "CLIENT CAPA redirect"             [STALE LOADING]              Nothing;
    ClientPause     "CLIENT PAUSE"                     [STALE LOADING]              Nothing;
    ClientUnpause   "CLIENT UNPAUSE"                   [STALE LOADING]              Nothing;
    ReadOnly        "READONLY"                         [STALE LOADING]              Nothing;
    ReadWrite       "READWRITE"                        [STALE LOADING]              Nothing;
    Failover        "FAILOVER"                         [STALE]                      Nothing;
    ReplicaOf       "REPLICAOF"                        [STALE]                      Nothing;
    ReplConf        "REPLCONF"                         [STALE LOADING]              Nothing;
    Psync           "PSYNC"                            [NO_MULTI]                   Nothing;
    ClientKill      "CLIENT KILL"                      [STALE LOADING]              Nothing;
    ConfigRewrite   "CONFIG REWRITE"                   [STALE LOADING]              Nothing;
    Asking          "ASKING"                           []                           Nothing;
    ClusterSlots    "CLUSTER SLOTS"                    [STALE LOADING]              Nothing;
    ClusterFailover "CLUSTER FAILOVER"                 [STALE]                      Nothing;
    ClusterSetSlot  "CLUSTER SETSLOT"                  [STALE]                      Nothing;
    // A script without a shebang may do anything, so its command's own flags stand; one with a
    // shebang writes unless it says `no-writes` (8.0.1, script.c `scriptFlagsToCmdFlags`).
    // `EVAL_RO` and `FCALL_RO` are read-only commands.
    /// `EVAL` of a script without a shebang.
    Eval            "EVAL"                             [MAY_REPLICATE]              Sets;
    /// `EVAL` of a script that begins with `#!lua`.
    EvalShebang     "EVAL #!lua"                       [WRITE MAY_REPLICATE]        Sets;
    /// `EVAL` of a script that begins with `#!lua flags=no-writes`.
    EvalNoWrites    "EVAL #!lua flags=no-writes"       []                           Nothing;
    EvalRo          "EVAL_RO"                          [READ]                       Nothing;
    /// `FCALL` of a function that may write.
    FCall           "FCALL"                            [WRITE MAY_REPLICATE]        Sets;
    /// `FCALL` of a function with the flag `no-writes`.
    FCallNoWrites   "FCALL no-writes"                  []                           Nothing;
    FCallRo         "FCALL_RO"                         [READ]                       Nothing;
    RPush           "RPUSH"                            [WRITE]                      Otherwise;
    XAdd            "XADD"                             [WRITE]                      Otherwise;
    XRead           "XREAD"                            [READ BLOCKING]              Nothing;
    PfCount         "PFCOUNT"                          [READ MAY_REPLICATE]         Nothing;
    ObjectEncoding  "OBJECT ENCODING"                  [READ]                       Nothing;
    PExpire         "PEXPIRE"                          [WRITE]                      Otherwise;
    DbSize          "DBSIZE"                           [READ]                       Nothing;
    Scan            "SCAN"                             [READ]                       Nothing;
    Keys            "KEYS"                             [READ]                       Nothing;
    FlushAll        "FLUSHALL"                         [WRITE]                      Otherwise;
    Watch           "WATCH"                            [STALE LOADING NO_MULTI]     Nothing;
    Unwatch         "UNWATCH"                          [STALE LOADING]              Nothing;
    Reset           "RESET"                            [STALE LOADING PUBSUB]       Nothing;
    ClientUnblock   "CLIENT UNBLOCK"                   [STALE LOADING]              Nothing;
    Auth            "AUTH"                             [STALE LOADING]              Nothing;
}

// A trace's hash has six bits for the command of a request.
const _: () = assert!(CommandKind::ALL.len() <= 64);

hashed!(list CommandKind);

impl CommandKind {
    const fn spec(self) -> &'static CommandSpec {
        &TABLE[self as usize]
    }

    /// The command's name as an operator types it.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The flags of the servers' command table.
    #[inline]
    pub const fn flags(self) -> Flags {
        self.spec().flags
    }

    /// What it does to its key.
    pub const fn writes(self) -> Writes {
        self.spec().writes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_commands_share_a_name() {
        let names: BTreeSet<_> = CommandKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), CommandKind::ALL.len());
    }

    /// What writes is held back by a pause of writes; `EXEC` by what is queued.
    #[test]
    fn what_writes_has_a_flag_that_says_so() {
        let held = Flags::WRITE.with(Flags::MAY_REPLICATE);
        for kind in CommandKind::ALL
            .iter()
            .filter(|kind| **kind != CommandKind::Exec)
        {
            if kind.writes() != Writes::Nothing {
                assert!(kind.flags().any(held), "{}", kind.name());
            }
            if kind.flags().any(Flags::WRITE) {
                assert_ne!(kind.writes(), Writes::Nothing, "{}", kind.name());
            }
            assert!(
                !(kind.flags().any(Flags::WRITE) && kind.flags().any(Flags::READ)),
                "{} reads or writes",
                kind.name()
            );
        }
    }
}
