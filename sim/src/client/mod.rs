//! The clients: applications with the client library they use, as pure state machines.

mod commands;
mod connections;
mod discover;
mod epochs;
mod generate;
mod interface;
mod policy;
mod presets;
mod redirect;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod timers;
mod workload;

pub use interface::{Context, Effect, Input, Slot};
pub use policy::{
    Application, Backoff, Batch, DisconnectAction, Epochs, ErrorAction, Policy, Reach,
    RedirectAction, Scope,
};
pub use presets::{PRESETS, Preset, policy, preset};
pub use spec::ClientSpec;
pub use state::{Client, Pending, Waits};
pub use workload::{Mix, Pace, Workload};

/// A client of the scenario, by its place there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u32);
