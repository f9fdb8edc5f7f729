//! What checks listen to.

use crate::client::Note as ClientNote;
use crate::trace::Event;
use crate::valkey::Note as NodeNote;
use rebound_net::Note as NetNote;

/// Kinds of records, as far as checks tell them apart. Most records are of the first two, and few
/// checks want those.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Topic {
    /// A message arrived.
    Delivered,
    /// A node looked at a request.
    Gate,
    /// A connection is being opened.
    Dialled,
    /// A node's role, what it knows of its cluster, or a fault: what decides who is a primary.
    Nodes,
    /// A command was issued.
    Issued,
    /// One of the values that an `MGET` has read.
    Element,
    /// A command has ended.
    Ended,
    /// A client follows a redirect.
    Hop,
    /// All else. No check wants it so far.
    Other,
}

impl Topic {
    /// What a record is about.
    #[inline(always)]
    pub(super) fn of(event: &Event) -> Topic {
        match event {
            Event::Net(NetNote::Delivered { .. }) => Topic::Delivered,
            Event::Net(NetNote::Dialled { .. }) => Topic::Dialled,
            Event::Node(_, NodeNote::Gate { .. }) => Topic::Gate,
            Event::Node(_, NodeNote::Role { .. } | NodeNote::Cluster(_)) | Event::Fault { .. } => {
                Topic::Nodes
            }
            Event::Client(_, ClientNote::Issued { .. }) => Topic::Issued,
            Event::Client(_, ClientNote::Element { .. }) => Topic::Element,
            Event::Client(_, ClientNote::Ended { .. }) => Topic::Ended,
            Event::Client(_, ClientNote::Hop { .. }) => Topic::Hop,
            Event::Net(
                NetNote::Connected { .. } | NetNote::ConnectFailed { .. } | NetNote::Closed { .. },
            )
            | Event::Node(
                _,
                NodeNote::Released { .. } | NodeNote::Failover { .. } | NodeNote::Operator { .. },
            )
            | Event::Client(_, ClientNote::Ignored { .. })
            | Event::Sentinel { .. } => Topic::Other,
        }
    }
}

/// Several topics.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics(u16);

impl Topics {
    /// These.
    pub(super) const fn of(topics: &[Topic]) -> Topics {
        let mut bits = 0;
        let mut index = 0;
        while index < topics.len() {
            bits |= 1 << topics[index] as u16;
            index += 1;
        }
        Topics(bits)
    }

    /// These and those.
    pub(super) const fn and(self, others: Topics) -> Topics {
        Topics(self.0 | others.0)
    }

    /// Whether a topic is among them.
    #[inline(always)]
    pub(super) const fn has(self, topic: Topic) -> bool {
        self.0 & 1 << topic as u16 != 0
    }
}
