//! A deterministic network on [`rebound_engine`]: TCP connections with delay, loss, retransmission,
//! resets and silence.
//!
//! It knows hosts, paths and bytes-in-order; it does not know about Valkey (messages are a type
//! parameter). A *path* is an ordered pair of hosts: all connections that the first opens to the
//! second, in both of their directions. So the hand-over connection (old → new) and the replication
//! link (new → old) of a failover can be slowed, lossy or cut independently of each other.
//!
//! A world keeps a [`Network`], hands it every [`NetEvent`] that falls due, and acts on the [`Notice`]
//! that comes back: a connection is there, or failed, or something can be taken at one of its ends.
//!
//! # Example
//! `cargo run -p rebound-net --example ping_with_loss`:
//! ```
#![doc = include_str!("../examples/ping_with_loss.rs")]
//! ```

mod connection;
mod faults;
mod handshake;
mod network;
mod note;
mod path;
mod retries;
#[cfg(test)]
mod tests;
mod timers;
mod types;

pub use network::Network;
pub use note::{Note, Sending};
pub use types::{
    Arrival, Closing, ConnId, ConnectFailure, Direction, HostId, More, NetEvent, Notice,
    PathProfile, Side, TcpTimers,
};
