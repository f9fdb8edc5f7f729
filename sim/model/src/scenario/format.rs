//! The scenario file as it is written: what serde reads, and what the JSON Schema describes.
//!
//! Nothing here knows whether a name exists or a number makes sense; that is [`super::resolve`].
//! Unknown fields are errors everywhere, since a misspelt fault that is quietly ignored makes a
//! test that tests nothing. Field comments become the schema's descriptions.

use schemars::JsonSchema;
use serde::Deserialize;

use super::either::{Arrival, BehaviourName, ConfigOverrides, Latency, PolicyChoice, Start};
use crate::client::Workload;
use crate::results::{CheckConfig, CheckId};
use crate::sentinel::Way;
use rebound_engine::Duration;

/// A scenario: servers, network, clients, what happens to them, and what is expected.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a scenario, which is an object")]
#[schemars(title = "Rebound scenario")]
pub struct Scenario {
    /// Where editors find this schema. Ignored.
    #[expect(dead_code, reason = "for editors and readers")]
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// The scenario's name, as in reports.
    pub name: String,
    /// What it shows. For readers; ignored.
    #[expect(dead_code, reason = "for editors and readers")]
    pub description: Option<String>,
    /// Where it comes from: an issue, a report, a measurement. For readers; ignored.
    #[expect(dead_code, reason = "for editors and readers")]
    pub source: Option<String>,
    /// Whether `rebound conform` also runs the scenario on real servers. Default false.
    /// If it is true and a step cannot be driven there, that is an error.
    #[serde(default)]
    pub live: bool,
    /// The servers' behaviour: a version, or a version with remedies. Default `8.0.0-rc1`.
    pub behaviour: Option<BehaviourName>,
    /// The servers: 1 to 16.
    pub nodes: Vec<Node>,
    /// Allows more than one node without `replica_of`. Default false, since that is mostly a
    /// forgotten `replica_of`.
    #[serde(default)]
    pub allow_several_primaries: bool,
    /// Makes the servers a cluster; `{}` is enough. Absent for standalone servers.
    pub cluster: Option<Cluster>,
    /// Configuration of all nodes, by the names of valkey.conf.
    pub config: Option<ConfigOverrides>,
    /// The network.
    #[serde(default)]
    pub network: Network,
    /// Groups of clients.
    #[serde(default)]
    pub clients: Vec<Group>,
    /// Sentinel, which watches a primary and its replicas. Absent for none.
    pub sentinel: Option<Sentinel>,
    /// What always happens.
    #[serde(default)]
    pub timeline: Vec<Item>,
    /// What may happen: each seed draws its own subset.
    #[serde(default)]
    pub faults: MayHappen,
    /// When faults and load end.
    #[serde(default)]
    pub phases: Phases,
    /// The limits at which a run is stopped as inconclusive.
    #[serde(default)]
    pub budget: Budget,
    /// Which of two events at the same nanosecond comes first.
    #[serde(default)]
    pub tie_break: Ties,
    /// The checks. Most are on unless turned off.
    #[serde(default)]
    pub checks: CheckConfig,
    /// What a sweep over this scenario is expected to find.
    #[serde(default)]
    pub expect: Vec<Expected>,
}

/// What the servers of a cluster have in common.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the cluster, which is an object"
)]
pub struct Cluster {
    /// How many neighbouring keys share a hash tag, and so a slot: keys 0 to 9 are `{0}:0` to
    /// `{0}:9` if it is 10. An `MGET` and a transaction need that many or fewer. Default 1.
    pub keys_per_tag: Option<u32>,
    /// Allows slots that no node owns at the start. Default false.
    pub uncovered: bool,
}

/// A server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a node, which is an object")]
pub struct Node {
    /// Its name, which is also the host that it announces.
    pub name: String,
    /// The node whose replica it is at the start. Absent for a primary.
    pub replica_of: Option<String>,
    /// In a cluster, the slots of a primary at the start: slots and ranges, such as
    /// `["0-5460", "7000"]`. Default: if no node says any, all are shared out evenly.
    pub slots: Option<Vec<String>>,
    /// Its port. Default 6379.
    pub port: Option<u16>,
    /// Its behaviour, if it differs from that of the other nodes.
    pub behaviour: Option<BehaviourName>,
    /// Its configuration; overrides the scenario's field by field.
    pub config: Option<ConfigOverrides>,
}

/// The network.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the network, which is an object"
)]
pub struct Network {
    /// One-way delay of a segment on every path. Default: log-normal, median 120us, p99 400us
    /// (hosts of one availability zone, 0.2 to 0.5 ms there and back).
    pub latency: Option<Latency>,
    /// Segments lost on every path, in parts per million. Default 0.
    pub loss_ppm: u32,
    /// Paths that differ; later entries override earlier ones.
    pub paths: Vec<PathSpec>,
    /// The kernel's TCP timers. Defaults are Linux's.
    pub tcp: Tcp,
}

/// The connections that some hosts open to others, in both of their directions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a path, which is an object")]
pub struct PathSpec {
    /// Who opens them: `all`, `nodes`, `clients`, `sentinel`, a node or a group; in a cluster also
    /// `bus`, and `NODE@bus`: a node's end of the cluster bus.
    pub from: String,
    /// Who accepts them: `all`, `nodes` or a node; in a cluster also `bus` and `NODE@bus`.
    pub to: String,
    /// One-way delay from `from` to `to`. Default: the network's.
    pub latency: Option<Latency>,
    /// Segments lost, in parts per million. Default: the network's.
    pub loss_ppm: Option<u32>,
    /// The opposite direction, if it differs.
    pub backward: Option<Backward>,
}

/// The opposite direction of a path.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the way back, which is an object"
)]
pub struct Backward {
    /// One-way delay. Default: the path's.
    pub latency: Option<Latency>,
    /// Segments lost, in parts per million. Default: the path's.
    pub loss_ppm: Option<u32>,
}

/// The kernel's TCP timers; defaults are Linux's.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "TCP's timers, which are an object"
)]
pub struct Tcp {
    /// Minimum retransmission timeout (`tcp_rto_min_us`). Default 200ms.
    pub rto_min: Option<Duration>,
    /// Timeout of the first SYN (`TCP_TIMEOUT_INIT`). Default 1s.
    pub syn_timeout: Option<Duration>,
    /// SYN retransmissions before a connect fails (`tcp_syn_retries`), in addition to the linear
    /// ones. Default 6, at most 30.
    pub syn_retries: Option<u32>,
    /// SYN timeouts before they begin to double (`tcp_syn_linear_timeouts`). Default 4, at
    /// most 30.
    pub syn_linear_timeouts: Option<u32>,
    /// How long unacknowledged data is retransmitted before the connection is aborted
    /// (`tcp_retries2`). Default 924.6s.
    pub retries_limit: Option<Duration>,
}

/// A group of identical clients.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a group of clients, which is an object"
)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// How many clients. Default 1; at most 100,000 in all groups.
    pub count: Option<u32>,
    /// The node they start at, or a list of nodes that is used in turn. Default: the first
    /// primary.
    pub start: Option<Start>,
    /// When they begin: a time, or uniformly between two. Default: between 0 and 100ms.
    pub arrive: Option<Arrival>,
    /// The client library: a preset's name, or an object with `preset` and what differs from
    /// it. Default `valkey-go`; in a cluster `valkey-go-cluster`.
    pub policy: Option<PolicyChoice>,
    /// Whether they send READONLY on each connection. Default: what the policy says.
    pub readonly: Option<bool>,
    /// Which commands the applications issue.
    #[serde(default)]
    pub workload: Workload,
}

/// Sentinel: one process, with a quorum of one, on a host called `sentinel`. It watches from the
/// start, and replaces the primary when it detects that it is down or when the timeline says so.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "Sentinel, which is an object")]
pub struct Sentinel {
    /// The primary that it watches, with all its replicas at the start. Default: the first
    /// primary.
    pub primary: Option<String>,
    /// What it can do. Default `9.0`.
    pub version: Option<SentinelVersion>,
    /// `down-after-milliseconds`: how long a node must be silent to be down. Default 30s.
    pub down_after: Option<Duration>,
    /// `failover-timeout`. Default 180s.
    pub failover_timeout: Option<Duration>,
    /// `parallel-syncs`: how many replicas are pointed to a new primary at a time. Default 1.
    pub parallel_syncs: Option<u32>,
}

/// A release of Sentinel.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
pub enum SentinelVersion {
    /// Up to 8.1: it does not know `FAILOVER`.
    #[serde(rename = "8.0")]
    Before9,
    /// 9.0 and later.
    #[serde(rename = "9.0")]
    Since9,
}

/// Something that always happens: `do`, `at` a time or `when` a condition holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "an item of the timeline, which is an object"
)]
pub struct Item {
    /// The time, counted from the run's start.
    pub at: Option<Duration>,
    /// What to wait for.
    pub when: Option<When>,
    /// With `when`: earlier occurrences do not count. Default 0.
    pub not_before: Option<Duration>,
    /// Delay after that. Default 0.
    pub after: Option<Duration>,
    /// What happens.
    #[serde(rename = "do")]
    pub action: Act,
}

/// What to wait for: a node and exactly one of the other fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a trigger, which is an object")]
pub struct When {
    /// The node.
    pub node: String,
    /// Its `master_failover_state` becomes this.
    pub failover_state: Option<FailoverPhase>,
    /// It takes on this role.
    pub becomes: Option<RoleName>,
    /// It is about to send this; the action comes first, so a cut or a reset affects the message.
    pub sends: Option<HandoverMessage>,
    /// It has received this and has not yet answered.
    pub receives: Option<HandoverMessage>,
}

/// A failover state, as `INFO` names it.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailoverPhase {
    /// None.
    NoFailover,
    /// The old primary waits until the target has caught up.
    WaitingForSync,
    /// The old primary is a replica and hands over.
    FailoverInProgress,
}

/// A role.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleName {
    /// A primary.
    Primary,
    /// A replica.
    Replica,
}

/// A message of the hand-over.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandoverMessage {
    /// `PING` of the handshake.
    HandshakePing,
    /// `PSYNC … FAILOVER`.
    PsyncFailover,
    /// The answer to `PSYNC … FAILOVER`.
    PsyncFailoverReply,
}

/// What happens: an object with exactly one key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// The operator runs commands on a node's own machine, one after the other.
    Command {
        /// The node.
        node: String,
        /// The commands, such as `FAILOVER TO new 6379 TIMEOUT 10000`.
        run: Vec<String>,
    },
    /// Sentinel is asked to replace the primary.
    Sentinel {
        /// How: `classic` (`SENTINEL FAILOVER`) or `coordinated` (with `COORDINATED`, since 9.0).
        failover: Way,
    },
    /// A network partition: everything on the paths is lost for a while; retransmissions go on.
    Cut(Between),
    /// Everything on the paths is held for a while, then released in order, at once.
    Clog(Between),
    /// Latency: everything on the paths takes longer for a while.
    Spike {
        /// Who opens the connections.
        from: String,
        /// Who accepts them.
        to: String,
        /// Whether connections opened in the opposite direction are also affected. Default false.
        #[serde(default)]
        both_ways: bool,
        /// How much longer, one-way.
        extra: Duration,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// More segments are lost on the paths for a while.
    Loss {
        /// Who opens the connections.
        from: String,
        /// Who accepts them.
        to: String,
        /// Whether connections opened in the opposite direction are also affected. Default false.
        #[serde(default)]
        both_ways: bool,
        /// How many, in parts per million; at most 500,000.
        loss_ppm: u32,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// Open connections are reset; data in flight is lost.
    Reset {
        /// Who opened them.
        from: String,
        /// Who accepted them.
        to: String,
        /// Whether connections opened in the opposite direction are also affected. Default false.
        #[serde(default)]
        both_ways: bool,
    },
    /// Nobody can connect to a process; open connections stay.
    Refuse {
        /// The node.
        node: String,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// A process is stopped (SIGSTOP) for a while; its kernel goes on.
    Pause {
        /// The node.
        node: String,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// A process is slow for a while.
    Slow {
        /// The node.
        node: String,
        /// The factor: 2 to 1,000,000.
        factor: u32,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// A process dies; its kernel resets its connections.
    Crash {
        /// The node.
        node: String,
        /// When it is restarted. Absent for never. Not in a fault, which says so itself.
        restart_after: Option<Duration>,
    },
    /// A machine goes silent, and comes back with its process restarted.
    HostDown {
        /// The node.
        node: String,
        /// How long. Not in a fault, which has its own `lasts`.
        lasts: Option<Duration>,
    },
    /// A dead process is started.
    Restart {
        /// The node.
        node: String,
    },
}

/// Paths that are cut or clogged.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `from` and `to`")]
pub struct Between {
    /// Who opens the connections.
    pub from: String,
    /// Who accepts them.
    pub to: String,
    /// Whether connections opened in the opposite direction are also affected. Default false.
    #[serde(default)]
    pub both_ways: bool,
    /// One direction only. Default: both.
    pub direction: Option<Heading>,
    /// How long. Not in a fault, which has its own `lasts`.
    pub lasts: Option<Duration>,
}

/// A direction of a path.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Heading {
    /// From the host that opens connections to the one that accepts them.
    Forward,
    /// Back.
    Backward,
}

/// What may happen.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the faults, which are an object"
)]
pub struct MayHappen {
    /// How many may happen in one run at most. Default: all.
    pub budget: Option<u32>,
    /// The faults; each is drawn once per run.
    pub may: Vec<May>,
}

/// A fault that may happen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a fault, which is an object")]
pub struct May {
    /// The probability that a run has it, in parts per million. Default 1,000,000: always.
    pub chance_ppm: Option<u32>,
    /// It begins uniformly between these two times.
    pub between: (Duration, Duration),
    /// Its duration is drawn uniformly between these two. Everything heals at
    /// `phases.faults_until` at the latest.
    pub lasts: Option<(Duration, Duration)>,
    /// What happens.
    #[serde(rename = "do")]
    pub action: Act,
}

/// When faults and load end.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the phases, which are an object"
)]
pub struct Phases {
    /// Until then faults may happen; then everything heals. Default 5s, or `load_until` if that
    /// is earlier.
    pub faults_until: Option<Duration>,
    /// Until then clients issue new commands. Default 3s after `faults_until`.
    pub load_until: Option<Duration>,
    /// How long after that everything must have completed. Default 30s.
    pub settle_within: Option<Duration>,
}

/// The limits at which a run is stopped as inconclusive.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the budget, which is an object"
)]
pub struct Budget {
    /// Events. Default 50,000,000.
    pub max_events: Option<u64>,
    /// Pending events, messages in flight and open connections at one time. Default 2,000,000.
    pub max_backlog: Option<u64>,
}

/// Which of two events at the same nanosecond comes first.
#[derive(Copy, Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// The one that was scheduled first.
    #[default]
    Fifo,
    /// A random one, so that a sweep explores races.
    Seeded,
}

/// What a sweep is expected to find.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an expectation, which is an object")]
pub struct Expected {
    /// The behaviours it applies to. Default: the scenario's.
    pub behaviours: Option<Vec<BehaviourName>>,
    /// How many runs are flagged.
    pub verdict: ExpectedRuns,
    /// Checks that have a finding in every flagged run.
    #[serde(default)]
    pub findings: Vec<CheckId>,
    /// Checks that have no finding in any run.
    #[serde(default)]
    pub never: Vec<CheckId>,
    /// The longest chain of redirects that is allowed in any run.
    pub max_chain: Option<u32>,
    /// The longest chain of redirects that some run must reach.
    pub min_max_chain: Option<u32>,
}

/// How many runs are flagged.
#[derive(Copy, Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExpectedRuns {
    /// None.
    Clean,
    /// Every one.
    Flagged,
    /// A share.
    Share {
        /// The minimum, out of a thousand.
        least_per_mille: u32,
        /// The maximum, out of a thousand.
        most_per_mille: u32,
    },
}
