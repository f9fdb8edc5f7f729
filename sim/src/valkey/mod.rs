//! The servers: a standalone primary and its replicas, by version, as pure state machines.

mod address;
mod behaviour;
mod combination;
mod command;
mod config;
mod data;
mod epoch;
mod error;
mod message;
mod pause;
mod remedy;
mod server;

pub use address::{Addr, AddressBook, AddressEntry, NodeId};
pub use behaviour::{
    BEHAVIOURS, Base, Behaviour, BlockedClients, ClientGuard, Demotion, FailoverTarget, Gate,
    Promotion, RedirectEpoch, RedirectInMulti, WhileInProgress,
};
pub use combination::CombinationError;
pub use command::{ClientType, Command, CommandKind, Flags, PauseKind};
pub use config::{Config, Persistence};
pub use data::{Data, ElementLog, Value};
pub use epoch::Epoch;
pub use error::ErrorKind;
pub use message::{
    Belief, Elements, FailoverState, LinkState, Message, Offset, ReplId, ReplOp, Reply, Request,
    Role, SnapshotId, StreamEntry, WriteId,
};
pub use remedy::{Axis, Remedies, Remedy};
pub use server::{Effect, Input, LinkNo, Server, Slot, Snapshots, Turn};
