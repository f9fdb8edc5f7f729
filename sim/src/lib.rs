//! The engine and the model of Rebound, a deterministic simulator of Valkey failovers.

pub mod check;
pub mod client;
pub mod compare;
pub mod conform;
pub mod engine;
pub mod lab;
pub mod net;
pub mod report;
pub mod scenario;
pub mod sentinel;
pub mod trace;
pub mod valkey;
pub mod world;

pub use world::Runner;
