//! A server's configuration, with the names and defaults of `valkey.conf`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rebound_engine::Duration;

/// A server's configuration. Names and defaults are Valkey's (8.0.1, config.c), as far as the
/// model knows them; the last group is what a real machine decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// `hz`: ticks of `serverCron` a second.
    pub hz: u32,
    /// `repl-ping-replica-period`, in runs of `replicationCron`.
    pub repl_ping_replica_period: u32,
    /// `repl-timeout`.
    pub repl_timeout: Duration,
    /// `repl-diskless-sync-delay`: how long a full resynchronization waits for more replicas.
    pub repl_diskless_sync_delay: Duration,
    /// `repl-backlog-size`, in bytes.
    pub repl_backlog_size: u64,
    /// `replica-serve-stale-data`.
    pub replica_serve_stale_data: bool,
    /// `replica-read-only`.
    pub replica_read_only: bool,
    /// `min-replicas-to-write`.
    pub min_replicas_to_write: u32,
    /// `min-replicas-max-lag`.
    pub min_replicas_max_lag: Duration,
    /// `cluster-node-timeout`.
    pub cluster_node_timeout: Duration,
    /// `cluster-replica-validity-factor`: how many node time-outs a replica may have been without
    /// its primary to stand for election; zero for any.
    pub cluster_replica_validity_factor: u32,
    /// `cluster-replica-no-failover`: whether the node never stands for election on its own.
    pub cluster_replica_no_failover: bool,
    /// `cluster-require-full-coverage`: whether the cluster is down when a slot is not served.
    pub cluster_require_full_coverage: bool,
    /// `cluster-allow-reads-when-down`.
    pub cluster_allow_reads_when_down: bool,
    /// Whether `requirepass` is set. Clients and operators know the password; a node that
    /// connects to another says it if its own `primaryauth` is set.
    pub requirepass: bool,
    /// Whether `primaryauth` is set, to the password that every node asks for.
    pub primaryauth: bool,
    /// `dual-channel-replication-enabled`.
    pub dual_channel_replication_enabled: bool,
    /// `timeout`: how long a connection may be idle; zero means no limit.
    pub timeout: Duration,
    /// `maxclients`.
    pub maxclients: u32,
    /// How long a command occupies the server.
    pub service_time: Duration,
    /// How long a turn of the event loop takes in addition to its commands.
    pub turn_time: Duration,
    /// How long it takes to write and send a snapshot of the data.
    pub snapshot_save: Duration,
    /// How long it takes a replica to load one.
    pub snapshot_load: Duration,
    /// How long a restarted server takes before it accepts connections.
    pub boot: Duration,
    /// Whether a restarted server still has its data and replication id (an RDB file). Whatever
    /// this says, it comes back as what its configuration file says: what it was at the run's
    /// start, or at its last `CONFIG REWRITE`.
    pub persistence: Persistence,
}

/// What a server finds when it starts again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// Nothing.
    None,
    /// The data and replication id as of the last full resynchronization (or of the run's
    /// start).
    LastSync,
    /// Everything up to the crash.
    Everything,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            hz: 10,
            repl_ping_replica_period: 10,
            repl_timeout: Duration::secs(60),
            repl_diskless_sync_delay: Duration::secs(5),
            repl_backlog_size: 10 * 1024 * 1024,
            replica_serve_stale_data: true,
            replica_read_only: true,
            min_replicas_to_write: 0,
            min_replicas_max_lag: Duration::secs(10),
            cluster_node_timeout: Duration::secs(15),
            cluster_replica_validity_factor: 10,
            cluster_replica_no_failover: false,
            cluster_require_full_coverage: true,
            cluster_allow_reads_when_down: false,
            requirepass: false,
            primaryauth: false,
            dual_channel_replication_enabled: false,
            timeout: Duration::ZERO,
            maxclients: 10_000,
            service_time: Duration::micros(5),
            turn_time: Duration::micros(10),
            snapshot_save: Duration::millis(20),
            snapshot_load: Duration::millis(20),
            boot: Duration::millis(200),
            persistence: Persistence::LastSync,
        }
    }
}
