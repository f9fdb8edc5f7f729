//! The servers: primaries and replicas, standalone or in a cluster, by version, as pure state
//! machines.

mod address;
mod behaviour;
mod command;
mod config;
mod data;
mod error;
mod hash_slot;
mod message;
mod pause;
mod server;
mod slot_set;
mod topology;

pub use address::{Addr, AddressBook, AddressEntry, NodeId};
pub use behaviour::{
    BEHAVIOURS, Behaviour, BlockedClients, Gate, RedirectInMulti, WhileInProgress,
};
pub use command::{ClusterFailover, Command, CommandKind, Flags, PauseKind, SetSlot};
pub use config::{Config, Persistence};
pub use data::{Data, Value};
pub use error::ErrorKind;
pub use hash_slot::{HASH_SLOTS, HashSlot};
pub use message::{
    Belief, BusKind, BusMessage, FailoverState, LinkState, Message, Offset, PacketId, ReplId,
    ReplOp, Reply, Request, Role, SnapshotId, StreamEntry, TopologyId, WriteId,
};
pub use server::{
    BusInput, Chance, ClusterSpec, Effect, Input, LinkNo, Packets, Server, Slot, Snapshots, Turn,
    Way,
};
pub use slot_set::SlotSet;
pub use topology::{Topologies, TopologyRange};
