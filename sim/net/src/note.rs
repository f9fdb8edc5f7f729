//! What happens in the network, as a run's trace tells it.

use rebound_engine::{Time, hashed};

use super::types::{Closing, ConnId, ConnectFailure, HostId};

/// A message that begins its way. What is never [`Note::Delivered`] afterwards is lost, or was
/// still on its way at the end of the run; messages of one connection and sender arrive in the
/// order in which they are sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Sending<M> {
    /// When it is sent: never earlier than the latest note, a little later if its sender is
    /// still busy.
    pub at: Time,
    /// The connection.
    pub conn: ConnId,
    /// Its sender.
    pub from: HostId,
    /// Its receiver.
    pub to: HostId,
    /// What it is.
    pub message: M,
}

/// Something that happens to connections and messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Note<M> {
    /// A connection attempt begins.
    Dialled {
        /// The connection.
        conn: ConnId,
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
    },
    /// A connection attempt succeeded, as its initiator sees it.
    Connected {
        /// The connection.
        conn: ConnId,
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
    },
    /// A connection attempt failed.
    ConnectFailed {
        /// Who.
        from: HostId,
        /// Whom.
        to: HostId,
        /// Why.
        why: ConnectFailure,
    },
    /// A message arrived.
    Delivered {
        /// The connection.
        conn: ConnId,
        /// Its sender.
        from: HostId,
        /// Its receiver.
        to: HostId,
        /// When it was sent.
        sent_at: Time,
        /// What it was.
        message: M,
    },
    /// An end learns that the connection is over.
    Closed {
        /// The connection.
        conn: ConnId,
        /// The other end.
        from: HostId,
        /// Who learns it.
        to: HostId,
        /// How it ended.
        how: Closing,
    },
}

hashed!(enum Note<M> {
    Dialled { conn, from, to },
    Connected { conn, from, to },
    ConnectFailed { from, to, why },
    Delivered { conn, from, to, sent_at, message },
    Closed { conn, from, to, how },
});
