//! The servers: a standalone primary and its replicas, by version, as pure state machines.

mod address;
mod behaviour;
mod command;
mod config;
mod data;
mod error;
mod message;
mod pause;
mod server;

pub use address::{Addr, AddressBook, AddressEntry, NodeId};
pub use behaviour::{
    BEHAVIOURS, Behaviour, BlockedClients, Gate, RedirectInMulti, WhileInProgress,
};
pub use command::{Command, CommandKind, Flags, PauseKind};
pub use config::{Config, Persistence};
pub use data::{Data, ElementLog, Value};
pub use error::ErrorKind;
pub use message::{
    Belief, Elements, FailoverState, LinkState, Message, Offset, ReplId, ReplOp, Reply, Request,
    Role, SnapshotId, StreamEntry, WriteId,
};
pub use server::{Effect, Input, LinkNo, Server, Slot, Snapshots, Turn};
