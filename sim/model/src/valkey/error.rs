//! Error replies, with the servers' own texts.

/// An error reply. Its text is the real one, verbatim.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ErrorKind {
    /// A write reached a replica.
    ReadOnly,
    /// A transaction was discarded because EXEC itself met `-READONLY`.
    ExecAbortReadOnly,
    /// A transaction was discarded because a queued command had failed.
    ExecAbort,
    /// A transaction was discarded because EXEC met `-MASTERDOWN`.
    ExecAbortMasterDown,
    /// A transaction was discarded because EXEC met `-LOADING`.
    ExecAbortLoading,
    /// A transaction was discarded because EXEC met `-NOREPLICAS`.
    ExecAbortNoReplicas,
    /// The primary is down and stale data may not be served.
    MasterDown,
    /// A snapshot is being loaded.
    Loading,
    /// Too few replicas for a write.
    NoReplicas,
    /// A blocked client was thrown out because the node's role changed.
    Unblocked,
    /// A subscriber asked for something else (RESP2).
    SubscriberContext,
    /// EXEC without MULTI.
    ExecWithoutMulti,
    /// DISCARD without MULTI.
    DiscardWithoutMulti,
    /// MULTI inside MULTI.
    NestedMulti,
    /// A command that may not be queued.
    NotInTransaction,
    /// An operation against a key that holds another kind of value.
    WrongType,
    /// `CLIENT CAPA` before it existed.
    UnknownCapa,
    /// `READONLY` in standalone mode before it was allowed.
    ClusterDisabled,
    /// FAILOVER: none to abort.
    NoFailoverInProgress,
    /// FAILOVER: malformed.
    Syntax,
    /// An invalid number.
    NotAnInteger,
    /// FAILOVER: TIMEOUT of zero or less.
    FailoverTimeout,
    /// FAILOVER: there is one already.
    FailoverInProgress,
    /// FAILOVER: the node is a replica.
    FailoverOnReplica,
    /// FAILOVER: no replicas.
    FailoverNoReplicas,
    /// FAILOVER: FORCE without TIMEOUT and TO.
    FailoverForce,
    /// FAILOVER: the target is not a replica.
    FailoverNotAReplica,
    /// FAILOVER: the target is still synchronizing.
    FailoverNotOnline,
    /// REPLICAOF during a failover.
    ReplicaOfFailingOver,
    /// PSYNC FAILOVER to a primary.
    PsyncFailoverPrimary,
    /// PSYNC FAILOVER with an unknown replication id.
    PsyncFailoverReplid,
    /// PSYNC to a node that is failing over.
    NoMasterLinkFailingOver,
    /// PSYNC to a replica whose own link is down.
    NoMasterLink,
    /// WAIT on a replica.
    WaitOnReplica,
    /// Cluster: the keys of one command are in several slots.
    CrossSlot,
    /// Cluster: keys of one command are half moved.
    TryAgain,
    /// Cluster: nobody serves the slot.
    ClusterDownUnbound,
    /// Cluster: the node considers the cluster down.
    ClusterDown,
    /// Cluster: the same, where only reads are served then.
    ClusterDownReadOnly,
    /// CLUSTER FAILOVER: the node is a primary.
    ClusterFailoverOnPrimary,
    /// CLUSTER FAILOVER: the node does not know its primary.
    ClusterFailoverNoPrimary,
    /// CLUSTER FAILOVER: the primary is down.
    ClusterFailoverPrimaryDown,
    /// FAILOVER in cluster mode.
    FailoverInCluster,
    /// REPLICAOF in cluster mode.
    ReplicaOfInCluster,
    /// CLUSTER SETSLOT: the node is a replica.
    SetSlotOnReplica,
    /// CLUSTER SETSLOT MIGRATING: the slot is another's. (The real text ends with its number.)
    SetSlotNotOwner,
    /// CLUSTER SETSLOT IMPORTING: the slot is the node's. (The real text ends with its number.)
    SetSlotOwner,
    /// CLUSTER SETSLOT: the other node is a replica.
    SetSlotTargetNotPrimary,
    /// CLUSTER SETSLOT NODE: there are keys in the slot. (The real text has its number.)
    SetSlotHoldsKeys,
    /// PSYNC FAILOVER to a node whose link to its primary is down (checked-promotion).
    PsyncFailoverLinkDown,
    /// A script without a shebang wrote on a replica (up to 9.0).
    ScriptReadOnly,
    /// The same, without the script's sha1 (9.1).
    ScriptReadOnlyUnnamed,
    /// A script without a shebang wrote where there are too few replicas (up to 9.0).
    ScriptNoReplicas,
    /// The same, without the script's sha1 (9.1).
    ScriptNoReplicasUnnamed,
    /// WATCH inside MULTI (9.0).
    WatchInTransaction,
    /// PSYNC inside MULTI (9.0).
    PsyncInTransaction,
    /// A blocked client was let go by CLIENT UNBLOCK.
    UnblockedByClient,
    /// CLIENT CAPA without a name.
    CapaArity,
    /// The connection has not said AUTH.
    NoAuth,
    /// AUTH where no password is set.
    AuthWithoutPassword,
}

impl ErrorKind {
    /// The reply as the server writes it.
    pub const fn text(self) -> &'static str {
        match self {
            ErrorKind::ReadOnly => "-READONLY You can't write against a read only replica.",
            ErrorKind::ExecAbortReadOnly => {
                "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica."
            }
            ErrorKind::ExecAbort => "-EXECABORT Transaction discarded because of previous errors.",
            ErrorKind::ExecAbortMasterDown => {
                "-EXECABORT Transaction discarded because of: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            ErrorKind::ExecAbortLoading => {
                "-EXECABORT Transaction discarded because of: LOADING Valkey is loading the dataset in memory"
            }
            ErrorKind::ExecAbortNoReplicas => {
                "-EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write."
            }
            ErrorKind::MasterDown => {
                "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            ErrorKind::Loading => "-LOADING Valkey is loading the dataset in memory",
            ErrorKind::NoReplicas => "-NOREPLICAS Not enough good replicas to write.",
            ErrorKind::Unblocked => {
                "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
            }
            ErrorKind::SubscriberContext => {
                "-ERR Can't execute this command: only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
            }
            ErrorKind::ExecWithoutMulti => "-ERR EXEC without MULTI",
            ErrorKind::DiscardWithoutMulti => "-ERR DISCARD without MULTI",
            ErrorKind::NestedMulti => "-ERR MULTI calls can not be nested",
            ErrorKind::NotInTransaction => "-ERR Command not allowed inside a transaction",
            ErrorKind::WrongType => {
                "-WRONGTYPE Operation against a key holding the wrong kind of value"
            }
            ErrorKind::UnknownCapa => "-ERR unknown subcommand 'CAPA'. Try CLIENT HELP.",
            ErrorKind::ClusterDisabled => "-ERR This instance has cluster support disabled",
            ErrorKind::ScriptReadOnly => {
                "-READONLY You can't write against a read only replica. script: 1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64, on @user_script:1."
            }
            ErrorKind::ScriptReadOnlyUnnamed => {
                "-READONLY You can't write against a read only replica. script: on @user_script:1."
            }
            ErrorKind::ScriptNoReplicas => {
                "-NOREPLICAS Not enough good replicas to write. script: 1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64, on @user_script:1."
            }
            ErrorKind::ScriptNoReplicasUnnamed => {
                "-NOREPLICAS Not enough good replicas to write. script: on @user_script:1."
            }
            ErrorKind::WatchInTransaction => {
                "-ERR Command 'watch' not allowed inside a transaction"
            }
            ErrorKind::PsyncInTransaction => {
                "-ERR Command 'psync' not allowed inside a transaction"
            }
            ErrorKind::UnblockedByClient => "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
            ErrorKind::NoAuth => "-NOAUTH Authentication required.",
            ErrorKind::AuthWithoutPassword => {
                "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
            }
            ErrorKind::CapaArity => "-ERR wrong number of arguments for 'client|capa' command",
            ErrorKind::NoFailoverInProgress => "-ERR No failover in progress.",
            ErrorKind::Syntax => "-ERR syntax error",
            ErrorKind::NotAnInteger => "-ERR value is not an integer or out of range",
            ErrorKind::FailoverTimeout => "-ERR FAILOVER timeout must be greater than 0",
            ErrorKind::FailoverInProgress => "-ERR FAILOVER already in progress.",
            ErrorKind::FailoverOnReplica => "-ERR FAILOVER is not valid when server is a replica.",
            ErrorKind::FailoverNoReplicas => "-ERR FAILOVER requires connected replicas.",
            ErrorKind::FailoverForce => {
                "-ERR FAILOVER with force option requires both a timeout and target HOST and IP."
            }
            ErrorKind::FailoverNotAReplica => {
                "-ERR FAILOVER target HOST and PORT is not a replica."
            }
            ErrorKind::FailoverNotOnline => "-ERR FAILOVER target replica is not online.",
            ErrorKind::ReplicaOfFailingOver => "-ERR REPLICAOF not allowed while failing over.",
            ErrorKind::PsyncFailoverPrimary => "-ERR PSYNC FAILOVER can't be sent to a master.",
            ErrorKind::PsyncFailoverReplid => "-ERR PSYNC FAILOVER replid must match my replid.",
            ErrorKind::PsyncFailoverLinkDown => {
                "-ERR PSYNC FAILOVER can't be accepted while my link with my master is down."
            }
            ErrorKind::NoMasterLinkFailingOver => "-NOMASTERLINK Can't SYNC while failing over",
            ErrorKind::NoMasterLink => {
                "-NOMASTERLINK Can't SYNC while not connected with my master"
            }
            ErrorKind::WaitOnReplica => {
                "-ERR WAIT cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated."
            }
            ErrorKind::CrossSlot => "-CROSSSLOT Keys in request don't hash to the same slot",
            ErrorKind::TryAgain => "-TRYAGAIN Multiple keys request during rehashing of slot",
            ErrorKind::ClusterDownUnbound => "-CLUSTERDOWN Hash slot not served",
            ErrorKind::ClusterDown => "-CLUSTERDOWN The cluster is down",
            ErrorKind::ClusterDownReadOnly => {
                "-CLUSTERDOWN The cluster is down and only accepts read commands"
            }
            ErrorKind::ClusterFailoverOnPrimary => {
                "-ERR You should send CLUSTER FAILOVER to a replica"
            }
            ErrorKind::ClusterFailoverNoPrimary => {
                "-ERR I'm a replica but my master is unknown to me"
            }
            ErrorKind::ClusterFailoverPrimaryDown => {
                "-ERR Master is down or failed, please use CLUSTER FAILOVER FORCE"
            }
            ErrorKind::FailoverInCluster => {
                "-ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead."
            }
            ErrorKind::ReplicaOfInCluster => "-ERR REPLICAOF not allowed in cluster mode.",
            ErrorKind::SetSlotOnReplica => "-ERR Please use SETSLOT only with masters.",
            ErrorKind::SetSlotNotOwner => "-ERR I'm not the owner of hash slot",
            ErrorKind::SetSlotOwner => "-ERR I'm already the owner of hash slot",
            ErrorKind::SetSlotTargetNotPrimary => "-ERR Target node is not a master",
            ErrorKind::SetSlotHoldsKeys => {
                "-ERR Can't assign hashslot to a different node while I still hold keys for this hash slot."
            }
        }
    }

    /// The error as `execCommandAbort` wraps it, for those that a rejected EXEC can meet.
    pub fn wrapped_in_execabort(self) -> ErrorKind {
        if self == ErrorKind::ReadOnly {
            ErrorKind::ExecAbortReadOnly
        } else if self == ErrorKind::MasterDown {
            ErrorKind::ExecAbortMasterDown
        } else if self == ErrorKind::Loading {
            ErrorKind::ExecAbortLoading
        } else if self == ErrorKind::NoReplicas {
            ErrorKind::ExecAbortNoReplicas
        } else {
            self
        }
    }

    /// The error's first word, by which reports count: `READONLY`, `UNBLOCKED`, `ERR` …
    pub fn code(self) -> &'static str {
        let text = &self.text()[1..];
        text.split(' ').next().unwrap_or(text)
    }
}
