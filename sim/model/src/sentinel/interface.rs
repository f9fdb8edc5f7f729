//! What goes into Sentinel and what comes out.

use super::failover::Way;
use super::note::Note;
use crate::valkey::{NodeId, Reply, Request, Tag};
use rebound_engine::{Chooser, StreamId, Time};

/// One of Sentinel's connections: two to each node (`instanceLink`), one for commands and one for
/// the subscription.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ConnSlot(pub u32);

impl ConnSlot {
    /// The connection for commands.
    pub const fn commands(node: NodeId) -> ConnSlot {
        ConnSlot(node.0 as u32 * 2)
    }

    /// The connection on which it hears hello messages.
    pub(crate) const fn subscription(node: NodeId) -> ConnSlot {
        ConnSlot(node.0 as u32 * 2 + 1)
    }

    /// Whose it is.
    pub const fn node(self) -> NodeId {
        NodeId((self.0 / 2) as u16)
    }

    /// Whether it is a subscription's.
    pub(crate) const fn is_subscription(self) -> bool {
        self.0 % 2 == 1
    }
}

/// What reaches Sentinel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The process starts.
    Start,
    /// The time that it asked for last has come.
    Wake,
    /// `SENTINEL FAILOVER`.
    Failover(Way),
    /// A connection attempt succeeded.
    Connected(ConnSlot),
    /// A connection attempt failed, or a connection is over; the slot is free.
    Disconnected(ConnSlot),
    /// A reply, with its request's mark, or a message of the subscription.
    Reply(ConnSlot, Tag, Reply),
}

/// What Sentinel wants done.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection to a node and call it this.
    Dial(ConnSlot, NodeId),
    /// Send a request on an open connection.
    Send(ConnSlot, Request),
    /// Close a connection, whether it is open or still being opened.
    Close(ConnSlot),
    /// Wake me then. There is one wish at a time.
    WakeAt(Time),
    /// Note this down.
    Note(Note, NodeId),
}

/// What Sentinel may use while it handles an input.
pub struct Context<'a> {
    /// The present.
    pub now: Time,
    /// Answers questions of chance, on Sentinel's own streams.
    pub chooser: &'a mut Chooser,
    /// When it ticks.
    pub tick_stream: StreamId,
    /// How far the beginnings of failovers are shifted.
    pub desync_stream: StreamId,
    /// What Sentinel wants done, in order.
    pub effects: &'a mut Vec<Effect>,
}

impl Context<'_> {
    pub(super) fn note(&mut self, notice: Note, node: NodeId) {
        self.effects.push(Effect::Note(notice, node));
    }
}
