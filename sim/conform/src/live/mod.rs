//! Real servers at work: their processes, the proxies between them, the connections of the
//! model's own clients to them, and the script of a scenario carried out on them.
//!
//! This is the one module of the crate that reads the machine's clock.

#![allow(
    clippy::disallowed_types,
    reason = "real servers run by the machine's clock"
)]

pub mod become_server;
mod binary;
mod carry;
mod clients;
mod connection;
mod drive;
mod error;
pub mod judge;
mod operator;
mod ops;
mod orphans;
mod paths;
mod poll;
mod proxy;
mod script;
mod seed;
mod server;
mod stage;
mod wire;

pub use binary::Binary;
pub use drive::{LiveRun, drive};
pub use error::LiveError;
pub use orphans::end_servers_on_signals;
pub use seed::fixed;
