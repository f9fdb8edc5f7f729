//! What goes into a client and what comes out: it does no I/O, reads no clock and holds no
//! random generator.

use super::note::Note;
use crate::valkey::{Addr, AddressBook, Reply, Request, Tag, Topologies, WriteId};
use rebound_engine::{Chooser, StreamId, Time};
use rebound_net::{Closing, ConnectFailure};

/// One of a client's connections, by the client's own numbering.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnSlot(pub u32);

/// What reaches a client.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The application starts.
    Start,
    /// A time that was asked for has come. It may be stale.
    Wake,
    /// A connection attempt succeeded.
    Connected(ConnSlot),
    /// A connection attempt failed; the slot is free.
    ConnectFailed(ConnSlot, ConnectFailure),
    /// A reply, with its request's mark.
    Reply(ConnSlot, Tag, Reply),
    /// A connection is over; the slot is free.
    Closed(ConnSlot, Closing),
    /// No new work is to be begun; what was begun goes on.
    Drain,
}

/// What a client wants done.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection and call it this.
    Dial(ConnSlot, Addr),
    /// Send a request on an open connection.
    Send(ConnSlot, Request),
    /// Close a connection, whether it is open or still being opened. Nothing more comes from
    /// it, and the slot is free.
    Close(ConnSlot),
    /// Wake me then. Earlier wishes stand.
    WakeAt(Time),
    /// Note this down.
    Note(Note),
}

/// What a client may use while it handles an input.
pub struct Context<'a> {
    /// The present.
    pub now: Time,
    /// Answers questions of chance, on the client's own streams.
    pub chooser: &'a mut Chooser,
    /// The application's stream: when it issues what.
    pub workload_stream: StreamId,
    /// The library's stream: jitter.
    pub policy_stream: StreamId,
    /// The number of the run's next write.
    pub next_write: &'a mut WriteId,
    /// Which node listens where.
    pub addresses: &'a AddressBook,
    /// What nodes of a cluster have answered to `CLUSTER SLOTS`.
    pub topologies: &'a Topologies,
    /// What the client wants done, in order.
    pub effects: &'a mut Vec<Effect>,
}
