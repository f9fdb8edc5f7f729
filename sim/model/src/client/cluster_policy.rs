//! What a library does in a cluster: when it asks who serves which slot, and what it does with
//! the errors of a cluster. How redirects are followed is said by the policy's other fields, for
//! `MOVED` and `ASK` as for `REDIRECT`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::ErrorAction;
use rebound_engine::Duration;

/// What a library does in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterPolicy {
    /// Where a command is sent first.
    #[serde(default)]
    pub send_to: SendTo,
    /// Whether `MOVED` updates its slot in the client's map without a refresh.
    pub moved_corrects: bool,
    /// When `MOVED` makes the library ask `CLUSTER SLOTS`.
    pub on_moved: Refresh,
    /// When `ASK` does.
    pub on_ask: Refresh,
    /// When a lost connection, a node that cannot be reached or `CLUSTERDOWN` does.
    pub on_trouble: Refresh,
    /// How often it refreshes the map without a cause; absent for never.
    pub every: Option<Duration>,
    /// Which node it asks.
    pub ask: AskWhom,
    /// What it does with a `MOVED` to the node that gave it.
    pub own_address: OwnAddress,
    /// Which node it sends reads to. A replica serves them only if the policy says `readonly`.
    pub read_from: ReadFrom,
    /// What it does with `-TRYAGAIN`: surface or retry.
    pub on_tryagain: ErrorAction,
    /// What it does with `-CLUSTERDOWN`: surface or retry.
    pub on_clusterdown: ErrorAction,
}

/// Where a command is sent first.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SendTo {
    /// To the owner of its slot by the client's map.
    #[default]
    Owner,
    /// To the node at which the client is; `MOVED` takes it to another. It has no map.
    PresentNode,
}

/// When something makes the library ask for the cluster's topology. It asks one node at a time.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Refresh {
    /// It does not.
    Never,
    /// Each time.
    AtOnce,
    /// Each time, but for those that come sooner than this after it last began to ask.
    AtMostEvery(Duration),
    /// Every nth time.
    EveryNth(u32),
}

/// Which node is asked for the topology.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskWhom {
    /// One of those that it knows, drawn; then the others in turn until one answers.
    Any,
    /// The node that redirected it; otherwise as `any`.
    Redirector,
}

/// What a `MOVED` to the node that gave it leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OwnAddress {
    /// The command is sent to it again.
    Resend,
    /// The command is sent to it again on a new connection.
    Reconnect,
}

/// Where reads go.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFrom {
    /// To the slot's primary.
    Primary,
    /// To its replicas in turn, or to the primary if there are none.
    Replicas,
}
