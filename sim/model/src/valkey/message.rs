//! What travels between clients and servers, and between servers. Small and `Copy`, so that a message
//! costs no allocation.

use std::fmt;

use super::address::Addr;
use super::command::Command;
use super::epoch::Epoch;
use super::error::ErrorKind;
use super::redirect::Redirect;
use super::replication::{Offset, ReplId, SnapshotId, StreamEntry};
use rebound_engine::hashed;

/// A write that an application asked for, numbered over the whole run, so that it can be found
/// again on every node. [`WriteId::NONE`] marks what nobody asked for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteId(pub u32);

hashed!(struct WriteId(number));

impl WriteId {
    /// No application's write.
    pub const NONE: WriteId = WriteId(u32::MAX);
}

/// The sender's own mark on a request, which comes back with the reply: the number of the command
/// for which a client's application waits, or whatever tells the sender's other requests apart.
/// (RESP has no such mark: replies come in order. The mark is what a library's queue of waiting
/// commands does.)
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Tag(u32);

hashed!(struct Tag(word));

impl Tag {
    /// Set in the marks of requests that belong to no application's command.
    const OWN: u32 = 1 << 31;

    /// Set in the marks of requests that go ahead of a command.
    const AHEAD: u32 = 1 << 30;

    /// The mark on what a subscription brings, which nobody has asked for.
    pub const PUSHED: Tag = Tag(u32::MAX);

    /// The mark on the requests of an application's command, by its number with its client.
    #[inline]
    pub const fn command(number: u32) -> Tag {
        Tag(number & (Tag::AHEAD - 1))
    }

    /// The mark on what goes ahead of a command and has a reply of its own: `ASKING`.
    pub(crate) const fn ahead_of(number: u32) -> Tag {
        Tag(Tag::command(number).0 | Tag::AHEAD)
    }

    /// The mark on a request of the sender's own.
    #[inline]
    pub const fn own(mark: u32) -> Tag {
        Tag(mark | Tag::OWN)
    }

    /// The number of the command for which the request is sent, if an application has asked for
    /// one.
    #[inline]
    pub const fn number(self) -> Option<u32> {
        if self.0 < Tag::OWN {
            Some(self.0 & (Tag::AHEAD - 1))
        } else {
            None
        }
    }

    /// The number of the command of which the request is a part, so that its reply is an answer
    /// to the command.
    #[inline]
    pub(crate) const fn part_of(self) -> Option<u32> {
        if self.0 < Tag::AHEAD {
            Some(self.0)
        } else {
            None
        }
    }

    /// The whole of it.
    #[inline]
    pub const fn word(self) -> u32 {
        self.0
    }
}

/// A request.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The sender's mark.
    pub tag: Tag,
    /// What is asked.
    pub command: Command,
}

hashed!(struct Request { tag, command });

/// What a node believes of itself, carried with a redirect so that a finding can say why. No
/// client looks at it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Belief {
    /// Its role.
    pub role: Role,
    /// Its part in a failover.
    pub failover: FailoverState,
    /// Its link to its primary.
    pub link: LinkState,
}

hashed!(struct Belief { role, failover, link });

/// `replica, failover-in-progress, link down`
impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.name())?;
        if self.failover != FailoverState::NoFailover {
            write!(f, ", {}", self.failover.name())?;
        }
        match self.link.name() {
            None => Ok(()),
            Some(link) => write!(f, ", link {link}"),
        }
    }
}

/// `role` of `INFO replication`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `primary_host` is not set.
    #[default]
    Primary,
    /// `primary_host` is set.
    Replica,
}

hashed!(
    enum Role {
        Primary,
        Replica,
    }
);

impl Role {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Replica => "replica",
        }
    }
}

/// `failover_state` (8.0.1, server.h; names as `getFailoverStateString`, replication.c:4760).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailoverState {
    /// `NO_FAILOVER`.
    #[default]
    NoFailover,
    /// `FAILOVER_WAIT_FOR_SYNC`.
    WaitForSync,
    /// `FAILOVER_IN_PROGRESS`.
    InProgress,
}

hashed!(
    enum FailoverState {
        NoFailover,
        WaitForSync,
        InProgress,
    }
);

impl FailoverState {
    /// As `INFO` prints it.
    pub const fn name(self) -> &'static str {
        match self {
            FailoverState::NoFailover => "no-failover",
            FailoverState::WaitForSync => "waiting-for-sync",
            FailoverState::InProgress => "failover-in-progress",
        }
    }
}

/// The link to the primary: `master_link_status`, a little finer.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// The node is a primary.
    #[default]
    None,
    /// Not connected, or still shaking hands.
    Down,
    /// A full resynchronization is in progress.
    Sync,
    /// Connected.
    Up,
}

hashed!(
    enum LinkState {
        None,
        Down,
        Sync,
        Up,
    }
);

impl LinkState {
    /// In a word; nothing for a primary, which has no link.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            LinkState::None => None,
            LinkState::Down => Some("down"),
            LinkState::Sync => Some("synchronizing"),
            LinkState::Up => Some("up"),
        }
    }
}

/// A reply.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`.
    Ok,
    /// `+PONG`.
    Pong,
    /// `+QUEUED`.
    Queued,
    /// Nil.
    Nil,
    /// An integer.
    Int(u32),
    /// A string, known by the write that set it.
    Value(WriteId),
    /// An array of this many elements (`EXEC`, `BLPOP`).
    Array(u16),
    /// The values of keys (`MGET`); the driver keeps them.
    Elements(Elements),
    /// A subscription's confirmation.
    Subscribed,
    /// A published message reaches a subscriber; the reply to nothing.
    Published,
    /// An error.
    Error(ErrorKind),
    /// `-REDIRECT host:port`, with the remedy `epoch-redirect` `-REDIRECT host:port epoch`; in a
    /// cluster `-MOVED slot host:port` or `-ASK slot host:port`.
    Redirect(Redirect),
    /// `INFO replication` or `ROLE`.
    Info {
        /// Role, failover state, link.
        belief: Belief,
        /// The primary, if it is a replica.
        primary: Option<Addr>,
        /// Its replication offset.
        offset: Offset,
    },
    /// `+CONTINUE replid`, with the remedy `epoch-redirect` also the primary's epoch.
    Continue {
        /// The stream's replication id.
        replid: ReplId,
        /// The primary's epoch.
        epoch: Option<Epoch>,
    },
    /// `+FULLRESYNC replid offset`, with the remedy `epoch-redirect` also the primary's epoch.
    FullResync {
        /// The primary's epoch.
        epoch: Option<Epoch>,
        /// The stream's replication id.
        replid: ReplId,
        /// The offset at which the snapshot was taken.
        offset: Offset,
    },
    /// An empty line: "still here" while a full resynchronization is prepared.
    NewLine,
    /// `CLUSTER SLOTS`: whose each slot is.
    Topology(TopologyId),
    /// `+RESET`.
    Reset,
    /// `OBJECT ENCODING`: how a value is stored.
    Encoding(Encoding),
    /// `+DUALCHANNELSYNC`: a full resynchronization, over a connection of its own.
    DualChannelSync,
}

hashed!(enum Reply {
    Ok,
    Pong,
    Queued,
    Nil,
    Int(number),
    Value(write),
    Array(number),
    Elements(elements),
    Subscribed,
    Published,
    Error(error),
    Redirect(redirect),
    Info { belief, offset, primary },
    Continue { replid, epoch },
    FullResync { replid, offset, epoch },
    NewLine,
    Topology(id),
    Reset,
    Encoding(encoding),
    DualChannelSync,
});

impl Reply {
    /// Whether it sends a client on to another node: `REDIRECT`, `MOVED` or `ASK`.
    pub const fn is_redirect(&self) -> bool {
        matches!(self, Reply::Redirect(_))
    }
}

/// How a value is stored. Strings are numbers, as those of the real clients were that the model
/// is compared with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A string that is a number.
    Int,
    /// A short list.
    ListPack,
    /// A stream.
    Stream,
}

hashed!(
    enum Encoding {
        Int,
        ListPack,
        Stream,
    }
);

impl Encoding {
    /// As the server names it.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Int => "int",
            Encoding::ListPack => "listpack",
            Encoding::Stream => "stream",
        }
    }
}

/// What a node answers to `CLUSTER SLOTS`; the driver keeps the table.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TopologyId(pub u32);

hashed!(struct TopologyId(number));

/// A packet of the cluster bus; the driver keeps what it says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PacketId(pub u32);

hashed!(struct PacketId(number));

/// A message of the cluster bus (`clusterMsg`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct BusMessage {
    /// What it is for.
    pub kind: BusKind,
    /// What it says.
    pub packet: PacketId,
    /// A checksum of what it says, which stands for it in a trace's hash.
    pub sum: u32,
}

hashed!(struct BusMessage { kind, packet, sum });

/// What a message of the cluster bus is for (`CLUSTERMSG_TYPE_…`, 8.0.1, cluster_legacy.h).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BusKind {
    /// Asks for a sign of life, and gossips.
    Ping,
    /// Gives it.
    Pong,
    /// A node is failed, says a majority.
    Fail,
    /// A replica asks for votes.
    FailoverAuthRequest,
    /// A vote.
    FailoverAuthAck,
    /// Somebody else claims those slots with a higher epoch.
    Update,
    /// A replica asks its primary to begin a manual failover.
    MfStart,
}

hashed!(
    enum BusKind {
        Ping,
        Pong,
        Fail,
        FailoverAuthRequest,
        FailoverAuthAck,
        Update,
        MfStart,
    }
);

impl BusKind {
    /// As the specification of the bus names it.
    pub const fn name(self) -> &'static str {
        match self {
            BusKind::Ping => "PING",
            BusKind::Pong => "PONG",
            BusKind::Fail => "FAIL",
            BusKind::FailoverAuthRequest => "FAILOVER_AUTH_REQUEST",
            BusKind::FailoverAuthAck => "FAILOVER_AUTH_ACK",
            BusKind::Update => "UPDATE",
            BusKind::MfStart => "MFSTART",
        }
    }
}

/// Values that a reply carries, in the driver's [`ElementLog`](super::ElementLog).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Elements {
    /// The place of the first.
    pub first: u32,
    /// How many.
    pub count: u16,
}

hashed!(struct Elements { first, count });

/// Everything that a connection can carry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Towards the acceptor (and, on a replication link, from the replica).
    Request(Request),
    /// Towards the initiator.
    Reply {
        /// The request's mark.
        tag: Tag,
        /// The reply.
        reply: Reply,
    },
    /// Replication stream, from a primary to its replica.
    Stream(StreamEntry),
    /// The whole of the data, from a primary to its replica.
    Snapshot(SnapshotId),
    /// On the cluster bus.
    Bus(BusMessage),
}

hashed!(enum Message {
    Request(request),
    Reply { tag, reply },
    Stream(stream_entry),
    Snapshot(snapshot_id),
    Bus(bus_message),
});

impl Message {
    /// The number, with its client, of the command for which this is sent or with which it is
    /// answered; absent for all that no application has asked for.
    pub const fn number(&self) -> Option<u32> {
        match self {
            Message::Request(Request { tag, .. }) | Message::Reply { tag, .. } => tag.number(),
            Message::Stream(_) | Message::Snapshot(_) | Message::Bus(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_knows_its_command() {
        let parts = |tag: Tag| (tag.number(), tag.part_of());
        assert_eq!(parts(Tag::command(7)), (Some(7), Some(7)));
        assert_eq!(parts(Tag::ahead_of(7)), (Some(7), None));
        assert_eq!(parts(Tag::own(7)), (None, None));
        assert_eq!(parts(Tag::PUSHED), (None, None));
    }

    /// Messages are moved for every event.
    #[test]
    fn a_message_is_small() {
        assert!(size_of::<Message>() <= 24, "{}", size_of::<Message>());
    }
}
