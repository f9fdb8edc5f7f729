//! How a scenario tunes checks or turns them off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckId;
use rebound_engine::Duration;

/// A scenario's checks: an entry tunes a check, `"enabled"` turns it on or off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[derive(Default)]
pub struct CheckConfig {
    /// `bounce`
    pub bounce: Bounce,
    /// `lost-write`
    pub lost_write: Toggle,
    /// `two-primaries`
    pub two_primaries: TwoPrimaries,
    /// `no-primary`
    pub no_primary: NoPrimary,
    /// `stuck-client`
    pub stuck_client: StuckClient,
    /// `error-surfaced`
    pub error_surfaced: ErrorSurfaced,
    /// `connection-storm`
    pub connection_storm: ConnectionStorm,
    /// `stale-redirect`
    pub stale_redirect: StaleRedirect,
    /// `thundering-herd`
    pub thundering_herd: ThunderingHerd,
    /// `early-unblock`
    pub early_unblock: EarlyUnblock,
    /// `stale-read`
    pub stale_read: StaleRead,
    /// `linearizability`
    pub linearizability: Linearizability,
}

impl CheckConfig {
    /// Whether a check is on.
    pub const fn enabled(&self, check: CheckId) -> bool {
        match check {
            CheckId::Bounce => self.bounce.enabled,
            CheckId::LostWrite => self.lost_write.enabled,
            CheckId::TwoPrimaries => self.two_primaries.enabled,
            CheckId::NoPrimary => self.no_primary.enabled,
            CheckId::StuckClient => self.stuck_client.enabled,
            CheckId::ErrorSurfaced => self.error_surfaced.enabled,
            CheckId::ConnectionStorm => self.connection_storm.enabled,
            CheckId::StaleRedirect => self.stale_redirect.enabled,
            CheckId::ThunderingHerd => self.thundering_herd.enabled,
            CheckId::EarlyUnblock => self.early_unblock.enabled,
            CheckId::StaleRead => self.stale_read.enabled,
            CheckId::Linearizability => self.linearizability.enabled,
            CheckId::BudgetExceeded => true,
        }
    }
}

/// A check with nothing to tune.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Toggle {
    /// Whether the check is on.
    pub enabled: bool,
}

impl Default for Toggle {
    fn default() -> Self {
        Toggle { enabled: true }
    }
}

/// `bounce`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bounce {
    /// Whether the check is on.
    pub enabled: bool,
    /// Redirects in a row that one command may meet.
    pub max_hops: u32,
}

impl Default for Bounce {
    fn default() -> Self {
        Bounce {
            enabled: true,
            max_hops: 1,
        }
    }
}

/// `two-primaries`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TwoPrimaries {
    /// Whether the check is on.
    pub enabled: bool,
    /// How long two primaries may stand side by side.
    pub allowed_for: Duration,
}

impl Default for TwoPrimaries {
    fn default() -> Self {
        TwoPrimaries {
            enabled: true,
            allowed_for: Duration::ZERO,
        }
    }
}

/// `no-primary`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoPrimary {
    /// Whether the check is on.
    pub enabled: bool,
    /// How long there may be no primary.
    pub allowed_for: Duration,
}

impl Default for NoPrimary {
    fn default() -> Self {
        NoPrimary {
            enabled: true,
            allowed_for: Duration::secs(5),
        }
    }
}

/// `stuck-client`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StuckClient {
    /// Whether the check is on.
    pub enabled: bool,
    /// How long after the last fault healed (and no earlier than it was issued) a command may
    /// be unfinished.
    pub within: Duration,
}

impl Default for StuckClient {
    fn default() -> Self {
        StuckClient {
            enabled: true,
            within: Duration::secs(10),
        }
    }
}

/// `error-surfaced`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorSurfaced {
    /// Whether the check is on.
    pub enabled: bool,
    /// Kinds that do not count, by code: `READONLY`, `UNBLOCKED`, `REDIRECT`, `TIMEOUT`, …
    pub ignore: Vec<String>,
}

impl Default for ErrorSurfaced {
    fn default() -> Self {
        ErrorSurfaced {
            enabled: true,
            ignore: Vec::new(),
        }
    }
}

/// `connection-storm`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionStorm {
    /// Whether the check is on.
    pub enabled: bool,
    /// Connections that one client or node may open …
    pub max_opened: u32,
    /// … in any interval this long.
    pub within: Duration,
}

impl Default for ConnectionStorm {
    fn default() -> Self {
        ConnectionStorm {
            enabled: true,
            max_opened: 50,
            within: Duration::secs(1),
        }
    }
}

/// `stale-redirect`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaleRedirect {
    /// Whether the check is on. It is off unless turned on: late arrivals meet such a redirect
    /// in every version, so it tells remedies apart rather than good from bad.
    pub enabled: bool,
    /// Redirects of that kind that a run may have.
    pub most: u64,
}

/// `thundering-herd`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThunderingHerd {
    /// Whether the check is on. It is off unless turned on: what is too much depends on the
    /// scenario's load.
    pub enabled: bool,
    /// Requests that may reach one node …
    pub max_requests: u32,
    /// … in any interval this long.
    pub within: Duration,
}

impl Default for ThunderingHerd {
    fn default() -> Self {
        ThunderingHerd {
            enabled: false,
            max_requests: 1000,
            within: Duration::millis(10),
        }
    }
}

/// `early-unblock`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyUnblock {
    /// Whether the check is on. It is off unless turned on: every version that it could flag
    /// throws blocked clients out at its demotion.
    pub enabled: bool,
}

/// `stale-read`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaleRead {
    /// Whether the check is on. It is off unless turned on: it keeps the history of a run.
    pub enabled: bool,
    /// Whether clients that said `READONLY` count, which read what may be old on purpose.
    pub readonly_clients: bool,
}

/// `linearizability`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Linearizability {
    /// Whether the check is on. It is off unless turned on: it keeps the history of a run.
    pub enabled: bool,
    /// Whether the reads of clients that said `READONLY` count, which may be old on purpose.
    pub readonly_clients: bool,
}
