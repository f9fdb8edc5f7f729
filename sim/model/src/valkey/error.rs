//! Error replies, with the servers' own texts.

use rebound_engine::hashed;

/// Makes [`ErrorKind`] from its variants and their texts.
macro_rules! errors {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)*) => {
        /// An error reply. Its text is the real one, verbatim.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every error that the model knows.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$kind,)*];

            /// The reply as the server writes it.
            pub const fn text(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => $text,)*
                }
            }
        }
    };
}

errors! {
    /// A write reached a replica.
    ReadOnly = "-READONLY You can't write against a read only replica.",
    /// A transaction was discarded because EXEC itself met `-READONLY`.
    ExecAbortReadOnly = "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
    /// A transaction was discarded because a queued command had failed.
    ExecAbort = "-EXECABORT Transaction discarded because of previous errors.",
    /// A transaction was discarded because EXEC met `-MASTERDOWN`.
    ExecAbortMasterDown = "-EXECABORT Transaction discarded because of: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    /// A transaction was discarded because EXEC met `-LOADING`.
    ExecAbortLoading = "-EXECABORT Transaction discarded because of: LOADING Valkey is loading the dataset in memory",
    /// A transaction was discarded because EXEC met `-NOREPLICAS`.
    ExecAbortNoReplicas = "-EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.",
    /// The primary is down and stale data may not be served.
    MasterDown = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    /// A snapshot is being loaded.
    Loading = "-LOADING Valkey is loading the dataset in memory",
    /// Too few replicas for a write.
    NoReplicas = "-NOREPLICAS Not enough good replicas to write.",
    /// A blocked client was thrown out because the node's role changed.
    Unblocked = "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    /// A subscriber asked for something else (RESP2).
    SubscriberContext = "-ERR Can't execute this command: only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
    /// EXEC without MULTI.
    ExecWithoutMulti = "-ERR EXEC without MULTI",
    /// DISCARD without MULTI.
    DiscardWithoutMulti = "-ERR DISCARD without MULTI",
    /// MULTI inside MULTI.
    NestedMulti = "-ERR MULTI calls can not be nested",
    /// A command that may not be queued.
    NotInTransaction = "-ERR Command not allowed inside a transaction",
    /// An operation against a key that holds another kind of value.
    WrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value",
    /// `CLIENT CAPA` before it existed.
    UnknownCapa = "-ERR unknown subcommand 'CAPA'. Try CLIENT HELP.",
    /// `READONLY` in standalone mode before it was allowed.
    ClusterDisabled = "-ERR This instance has cluster support disabled",
    /// FAILOVER: none to abort.
    NoFailoverInProgress = "-ERR No failover in progress.",
    /// FAILOVER: malformed.
    Syntax = "-ERR syntax error",
    /// An invalid number.
    NotAnInteger = "-ERR value is not an integer or out of range",
    /// FAILOVER: TIMEOUT of zero or less.
    FailoverTimeout = "-ERR FAILOVER timeout must be greater than 0",
    /// FAILOVER: there is one already.
    FailoverInProgress = "-ERR FAILOVER already in progress.",
    /// FAILOVER: the node is a replica.
    FailoverOnReplica = "-ERR FAILOVER is not valid when server is a replica.",
    /// FAILOVER: no replicas.
    FailoverNoReplicas = "-ERR FAILOVER requires connected replicas.",
    /// FAILOVER: FORCE without TIMEOUT and TO.
    FailoverForce = "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
    /// FAILOVER: the target is not a replica.
    FailoverNotAReplica = "-ERR FAILOVER target HOST and PORT is not a replica.",
    /// FAILOVER: the target is still synchronizing.
    FailoverNotOnline = "-ERR FAILOVER target replica is not online.",
    /// REPLICAOF during a failover.
    ReplicaOfFailingOver = "-ERR REPLICAOF not allowed while failing over.",
    /// PSYNC FAILOVER to a primary.
    PsyncFailoverPrimary = "-ERR PSYNC FAILOVER can't be sent to a master.",
    /// PSYNC FAILOVER with an unknown replication id.
    PsyncFailoverReplid = "-ERR PSYNC FAILOVER replid must match my replid.",
    /// PSYNC to a node that is failing over.
    NoMasterLinkFailingOver = "-NOMASTERLINK Can't SYNC while failing over",
    /// PSYNC to a replica whose own link is down.
    NoMasterLink = "-NOMASTERLINK Can't SYNC while not connected with my master",
    /// WAIT on a replica.
    WaitOnReplica = "-ERR WAIT cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.",
    /// Cluster: the keys of one command are in several slots.
    CrossSlot = "-CROSSSLOT Keys in request don't hash to the same slot",
    /// Cluster: keys of one command are half moved.
    TryAgain = "-TRYAGAIN Multiple keys request during rehashing of slot",
    /// Cluster: nobody serves the slot.
    ClusterDownUnbound = "-CLUSTERDOWN Hash slot not served",
    /// Cluster: the node considers the cluster down.
    ClusterDown = "-CLUSTERDOWN The cluster is down",
    /// Cluster: the same, where only reads are served then.
    ClusterDownReadOnly = "-CLUSTERDOWN The cluster is down and only accepts read commands",
    /// CLUSTER FAILOVER: the node is a primary.
    ClusterFailoverOnPrimary = "-ERR You should send CLUSTER FAILOVER to a replica",
    /// CLUSTER FAILOVER: the node does not know its primary.
    ClusterFailoverNoPrimary = "-ERR I'm a replica but my master is unknown to me",
    /// CLUSTER FAILOVER: the primary is down.
    ClusterFailoverPrimaryDown = "-ERR Master is down or failed, please use CLUSTER FAILOVER FORCE",
    /// FAILOVER in cluster mode.
    FailoverInCluster = "-ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.",
    /// REPLICAOF in cluster mode.
    ReplicaOfInCluster = "-ERR REPLICAOF not allowed in cluster mode.",
    /// CLUSTER SETSLOT: the node is a replica.
    SetSlotOnReplica = "-ERR Please use SETSLOT only with masters.",
    /// CLUSTER SETSLOT MIGRATING: the slot is another's. (The real text ends with its number.)
    SetSlotNotOwner = "-ERR I'm not the owner of hash slot",
    /// CLUSTER SETSLOT IMPORTING: the slot is the node's. (The real text ends with its number.)
    SetSlotOwner = "-ERR I'm already the owner of hash slot",
    /// CLUSTER SETSLOT: the other node is a replica.
    SetSlotTargetNotPrimary = "-ERR Target node is not a master",
    /// CLUSTER SETSLOT NODE: there are keys in the slot. (The real text has its number.)
    SetSlotHoldsKeys = "-ERR Can't assign hashslot to a different node while I still hold keys for this hash slot.",
    /// PSYNC FAILOVER to a node whose link to its primary is down (checked-promotion).
    PsyncFailoverLinkDown = "-ERR PSYNC FAILOVER can't be accepted while my link with my master is down.",
    /// A script without a shebang wrote on a replica (up to 9.0).
    ScriptReadOnly = "-READONLY You can't write against a read only replica. script: 1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64, on @user_script:1.",
    /// The same, without the script's sha1 (9.1).
    ScriptReadOnlyUnnamed = "-READONLY You can't write against a read only replica. script: on @user_script:1.",
    /// A script without a shebang wrote where there are too few replicas (up to 9.0).
    ScriptNoReplicas = "-NOREPLICAS Not enough good replicas to write. script: 1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64, on @user_script:1.",
    /// The same, without the script's sha1 (9.1).
    ScriptNoReplicasUnnamed = "-NOREPLICAS Not enough good replicas to write. script: on @user_script:1.",
    /// WATCH inside MULTI (9.0).
    WatchInTransaction = "-ERR Command 'watch' not allowed inside a transaction",
    /// PSYNC inside MULTI (9.0).
    PsyncInTransaction = "-ERR Command 'psync' not allowed inside a transaction",
    /// A blocked client was let go by CLIENT UNBLOCK.
    UnblockedByClient = "-UNBLOCKED client unblocked via CLIENT UNBLOCK",
    /// CLIENT CAPA without a name.
    CapaArity = "-ERR wrong number of arguments for 'client|capa' command",
    /// The connection has not said AUTH.
    NoAuth = "-NOAUTH Authentication required.",
    /// AUTH where no password is set.
    AuthWithoutPassword = "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
}

hashed!(list ErrorKind);

impl ErrorKind {
    /// The error as `execCommandAbort` wraps it, for those that a rejected EXEC can meet.
    pub(crate) fn wrapped_in_execabort(self) -> ErrorKind {
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

    /// Whether it begins with `CLUSTERDOWN`: the node serves nobody the slot, or nobody anything.
    pub(crate) const fn is_cluster_down(self) -> bool {
        matches!(
            self,
            ErrorKind::ClusterDown | ErrorKind::ClusterDownReadOnly | ErrorKind::ClusterDownUnbound
        )
    }

    /// The error's first word, by which reports count: `READONLY`, `UNBLOCKED`, `ERR` …
    pub fn code(self) -> &'static str {
        let text = &self.text()[1..];
        text.split(' ').next().unwrap_or(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_is_down_says_so() {
        for &kind in ErrorKind::ALL {
            assert_eq!(kind.is_cluster_down(), kind.code() == "CLUSTERDOWN");
        }
    }
}
