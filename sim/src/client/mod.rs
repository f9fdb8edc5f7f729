//! The clients: applications with the client library they use, as pure state machines.

mod interface;
mod policy;
mod workload;

pub use interface::{Context, Effect, Input, Slot};
pub use policy::{Application, Backoff, Batch, ErrorAction, Policy, Reach, RedirectAction, Scope};
pub use workload::{Mix, Pace, Workload};

/// A client of the scenario, by its place there.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u32);
