//! The clients: applications with the client library they use, as pure state machines.

use rebound_engine::hashed;

mod cluster_policy;
mod cluster_presets;
mod commands;
mod connections;
mod discover;
mod epochs;
mod generate;
mod interface;
mod note;
mod numbers;
mod policy;
mod presets;
mod redirect;
mod routing;
mod slot_cache;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod timers;
mod topology;
mod workload;

pub use cluster_policy::{AskWhom, ClusterPolicy, OwnAddress, ReadFrom, Refresh, SendTo};
pub use interface::{ConnSlot, Context, Effect, Input};
pub use note::{CommandOutcome, Note, Saw, WriteRange, WrittenKeys};
pub use policy::{
    Application, Backoff, Batch, DisconnectAction, Epochs, ErrorAction, Policy, Reach,
    RedirectAction, Scope,
};
pub(crate) use presets::preset;
pub use presets::{PRESETS, Preset, policy};
pub use spec::ClientSpec;
pub(crate) use spec::check_in_cluster;
pub use state::{Client, Pending, Waits};
pub use workload::{Mix, Pace, Workload};

/// A client of the scenario, by its place there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u32);

hashed!(struct ClientId(number));
