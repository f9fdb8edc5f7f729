//! The model of Rebound, a deterministic simulator of Valkey failovers.

pub mod check;
pub mod client;
pub mod results;
pub mod scenario;
pub mod sentinel;
pub mod trace;
pub mod valkey;
pub mod world;

pub use world::Runner;
