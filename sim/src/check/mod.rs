//! The checks: invariants and liveness properties watched during a run.

mod config;

pub use config::{CheckConfig, CheckId};
