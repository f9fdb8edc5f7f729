//! The servers: primaries and replicas, standalone or in a cluster, by version, as pure state
//! machines.

mod address;
mod behaviour;
mod combination;
mod command;
mod command_table;
mod config;
mod data;
mod defect;
mod epoch;
mod error;
mod hash_slot;
mod message;
mod note;
mod pause;
mod redirect;
mod remedy;
mod replication;
mod script;
mod server;
mod slot_set;
mod topology;
mod version;

pub use address::{Addr, AddressBook, AddressEntry, NodeId};
pub use behaviour::{
    BEHAVIOURS, Base, Behaviour, BlockedClients, ClientGuard, Demotion, DualChannelReply,
    FailoverTarget, Gate, PostponedUnblock, Promotion, PromotionCheck, RedirectEpoch,
    RedirectInMulti, WhileInProgress, Wording,
};
pub use combination::CombinationError;
pub use command::{ClientType, ClusterFailover, Command, PauseKind, SetSlot, UnblockReason};
pub use command_table::{CommandKind, Flags, Writes};
pub use config::{Config, Persistence};
pub use data::{Data, ElementLog, Value};
pub use defect::Defect;
pub use epoch::Epoch;
pub use error::ErrorKind;
pub use hash_slot::{HASH_SLOTS, HashSlot};
pub use message::{
    Belief, BusKind, BusMessage, Elements, Encoding, FailoverState, LinkState, Message, PacketId,
    Reply, Request, Role, Tag, TopologyId, WriteId,
};
pub use note::{
    ClusterEvent, ClusterHealth, FailoverEnd, GateVerdict, ManualEnd, Note, VoteRefusal,
};
pub use redirect::{Redirect, RedirectKind};
pub use remedy::{Axis, Remedies, Remedy};
pub use replication::{Offset, ReplId, ReplOp, SnapshotId, StreamEntry};
pub use script::Script;
pub use server::{
    BusInput, Chance, ClusterSpec, ConnSlot, Effect, Input, LinkNo, Packets, Server, Snapshots,
    Turn, Way,
};
pub use topology::{Topologies, TopologyRange};
