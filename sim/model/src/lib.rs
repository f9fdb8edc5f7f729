//! The engine and the model of Rebound, a deterministic simulator of Valkey failovers.

pub mod check;
pub mod client;
pub mod results;
pub mod scenario;
pub mod sentinel;
pub mod trace;
pub mod valkey;
pub mod world;

pub use rebound_engine as engine;
pub use rebound_net as net;
pub use world::Runner;
