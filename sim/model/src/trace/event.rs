//! What is traced.

use crate::client::{self, ClientId};
use crate::sentinel;
use crate::valkey::{self, Message, NodeId};
use rebound_engine::{Time, hashed};
use rebound_net::{self, HostId};

/// Something that happened, and when.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Time,
    /// What.
    pub event: Event,
}

/// Events are copied about for everything that happens.
const _: () = assert!(size_of::<Event>() <= 56);

/// A fault, or its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // explained where they are made, in `net` and in the scenario format
pub enum FaultKind {
    Cut,
    Clog,
    Spike,
    Loss,
    Reset,
    Refuse,
    Pause,
    Slow,
    Crash,
    Restart,
    HostDown,
    HostUp,
    Healed,
}

hashed!(
    enum FaultKind {
        Cut,
        Clog,
        Spike,
        Loss,
        Reset,
        Refuse,
        Pause,
        Slow,
        Crash,
        Restart,
        HostDown,
        HostUp,
        Healed,
    }
);

/// One thing that happened, by who says so.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something happened in the network.
    Net(rebound_net::Note<Message>),
    /// A server did something.
    Node(NodeId, valkey::Note),
    /// A client did something.
    Client(ClientId, client::Note),
    /// Sentinel sees or decides something.
    Sentinel {
        /// What.
        what: sentinel::Note,
        /// About which node.
        node: NodeId,
    },
    /// A fault begins or ends.
    Fault {
        /// What.
        kind: FaultKind,
        /// Which fault it is or, for an end, which one ends. Not in the trace's hash.
        of: FaultKind,
        /// Where from.
        from: HostId,
        /// Where to, the same host for faults of a node.
        to: HostId,
    },
}

hashed!(enum Event {
    Net(note),
    Node(node, note),
    Client(client, note),
    Sentinel { what, node },
    Fault { kind, from, to; not of = FaultKind::Cut },
});
