//! Client policies as data: what a library does with redirects, errors, time-outs and
//! connections. A preset is a named set of these parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster_policy::ClusterPolicy;
use rebound_engine::{Chooser, Duration, StreamId};

/// What a client library does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether the library says `CLIENT CAPA redirect` on each new connection.
    pub capa: bool,
    /// Whether it says `READONLY` on each new connection.
    pub readonly: bool,
    /// What it does with a redirect.
    pub redirect: RedirectAction,
    /// Whether redirects of transactions are treated like others; if not, they surface.
    #[serde(default = "yes")]
    pub follow_transactions: bool,
    /// Whether redirects of pipelines are treated like others; if not, they surface.
    #[serde(default = "yes")]
    pub follow_pipelines: bool,
    /// Redirects that one command may follow before the error reaches the application; absent
    /// for no limit.
    pub max_redirects: Option<u32>,
    /// How long one command may go on being redirected and retried; absent for no limit.
    pub redirect_deadline: Option<Duration>,
    /// Before each follow of a redirect.
    pub redirect_delay: Backoff,
    /// Waits, with jitter, before following a redirect that points back to a node which has
    /// already redirected this command (the bounce guard); absent for none.
    pub bounce_guard: Option<Backoff>,
    /// What it does with the epoch that a redirect carries if the servers have the remedy
    /// `epoch-redirect`.
    #[serde(default)]
    pub epochs: Epochs,
    /// Whether a redirect moves one command or the whole client.
    pub scope: Scope,
    /// How the redirect's target is reached.
    pub reach: Reach,
    /// How long an abandoned connection stays open.
    pub linger: Duration,
    /// Whether a redirect that arrives on a connection which has since been abandoned is
    /// ignored (the command is sent again to the present primary).
    pub stale_filter: bool,
    /// Whether redirects are sent to the same node again (a mapping that knows only one node).
    pub same_node_only: bool,
    /// How long a connection attempt may take.
    pub dial_timeout: Duration,
    /// Whether connections to every node are opened at the start.
    #[serde(default)]
    pub warm_up: bool,
    /// Between failed connection attempts.
    pub dial_backoff: Backoff,
    /// Failed connection attempts for one command before the error reaches the application;
    /// absent for no limit.
    pub dial_attempts: Option<u32>,
    /// How long a reply may take.
    pub command_timeout: Duration,
    /// Times that a command is sent again after a time-out or a lost connection.
    pub timeout_resends: u32,
    /// What it does with `-READONLY`.
    pub on_readonly: ErrorAction,
    /// What it does with other errors that tell of a failover (`-UNBLOCKED`, `-LOADING`,
    /// `-MASTERDOWN`).
    pub on_transient: ErrorAction,
    /// What it does when a connection is lost or cannot be made.
    #[serde(default)]
    pub on_disconnect: DisconnectAction,
    /// How often the client asks its node `ROLE` without a cause; absent for never. A node that
    /// says it is a replica sends the client on to its primary.
    pub refresh: Option<Duration>,
    /// Before it asks again the node that such an answer named.
    #[serde(default)]
    pub refresh_delay: Backoff,
    /// How much of a pipeline is sent again when one of its commands is redirected.
    pub batch: Batch,
    /// What the application does when a redirect is surfaced to it as an error.
    pub application: Application,
    /// What the library does with a cluster; absent for one that knows no clusters.
    #[serde(default)]
    pub cluster: Option<ClusterPolicy>,
}

const fn yes() -> bool {
    true
}

/// What a library does with a redirect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectAction {
    /// Follows it.
    Follow,
    /// Reports it to the application as an error.
    Surface,
}

/// What a library makes of a redirect's epoch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Epochs {
    /// Ignores a redirect that is older than the last one that it followed: it waits, from 1 ms up
    /// to 500 ms, and asks the same node again. After 32 in a row it follows all the same.
    #[default]
    Compare,
    /// Follows every redirect: a library that does not know of epochs.
    Ignore,
}

/// What follows a redirect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The redirected command alone; the client's idea of the primary stays.
    Command,
    /// The whole client.
    Client,
}

/// How the target of a redirect is reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// By the connections kept open to each node.
    Warm,
    /// By a new connection each time; concurrent redirects share one attempt.
    Dial,
    /// By a new pool: every connection of the old one is closed.
    NewPool,
}

/// How much of a pipeline is sent again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Batch {
    /// The redirected commands.
    Each,
    /// All of it, its successful part too.
    Whole,
    /// The first redirected command and all behind it.
    FromFirst,
}

/// What a library does with an error.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ErrorAction {
    /// Reports it to the application.
    Surface,
    /// Sends the command to the same node again.
    Retry {
        /// Times.
        attempts: u32,
        /// Before each time.
        backoff: Backoff,
    },
    /// Asks the nodes `ROLE` until one says it is a primary, then sends the command there.
    Rediscover {
        /// Rounds over all nodes.
        attempts: u32,
        /// Between rounds.
        backoff: Backoff,
    },
}

/// What a library does when a connection is lost or cannot be made, as long as the command may be
/// sent again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DisconnectAction {
    /// Connects to the same node again.
    #[default]
    Redial,
    /// Asks the nodes `ROLE` until one says it is a primary, then sends the command there.
    Rediscover {
        /// Rounds over all nodes.
        attempts: u32,
        /// Between rounds.
        backoff: Backoff,
    },
}

/// What the application does with a surfaced redirect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Application {
    /// Gives up.
    GiveUp,
    /// Goes where the redirect points, by its own rule.
    Retry {
        /// Times.
        attempts: u32,
        /// Before each time.
        backoff: Backoff,
    },
}

/// How long to wait before attempt k (from zero): uniformly from `low` to
/// max(`low`, min(`base` × `factor`^k, `high`)), or `low` exactly where that is no more.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// The shortest wait.
    pub low: Duration,
    /// The longest wait.
    pub high: Duration,
    /// What grows.
    pub base: Duration,
    /// By how much.
    pub factor: u32,
}

impl Backoff {
    /// No wait.
    pub const NONE: Backoff = Backoff {
        low: Duration::ZERO,
        high: Duration::ZERO,
        base: Duration::ZERO,
        factor: 1,
    };

    /// That of a client which waits before it goes back: TiKV's numbers, min(500, 2·2^k) ms with
    /// jitter (tikv/client-go b75f6ef, config/retry/config.go:127-128).
    pub const GUARD: Backoff = Backoff {
        low: Duration::millis(1),
        high: Duration::millis(500),
        base: Duration::millis(2),
        factor: 2,
    };

    /// Always the same wait.
    pub(crate) const fn constant(wait: Duration) -> Backoff {
        Backoff {
            low: wait,
            high: wait,
            base: wait,
            factor: 1,
        }
    }

    /// The longest wait before attempt `k`.
    pub fn longest(&self, k: u32) -> Duration {
        let grown = self.base.times(u64::from(self.factor).saturating_pow(k));
        self.low.max(self.high.min(grown))
    }

    /// How long to wait before attempt `k`. It asks for chance only where there is a choice.
    pub fn wait(&self, k: u32, chooser: &mut Chooser, stream: StreamId) -> Duration {
        let width = self.longest(k) - self.low;
        if width == Duration::ZERO {
            return self.low;
        }
        self.low + Duration(chooser.below(stream, width.0.saturating_add(1)))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::NONE
    }
}
