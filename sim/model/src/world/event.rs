//! What is pending in a run, and how it is kept: packed into two words.
//!
//! An enumeration of this size is moved about in memory in pieces, and read again in others: a
//! stall of the processor for each event. Two words travel in registers.

use crate::client::ClientId;
use crate::valkey::NodeId;
use rebound_net::{ConnId, NetEvent, Side};

/// What is pending in a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The network's.
    Net(NetEvent),
    /// A server's timer, or the end of its turn with more to do.
    NodeWake(NodeId),
    /// A client's timer.
    ClientWake(ClientId),
    /// A client begins.
    ClientStart(ClientId),
    /// Sentinel's timer.
    SentinelWake,
    /// An item of the timeline.
    Timeline(u16),
    /// A fault that this seed has drawn begins.
    Fault(u16),
    /// A fault that lasts has lasted.
    FaultOver(u16),
    /// A dead process is started.
    Boot(NodeId),
}

/// An event in two words: what, and to whom.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    what: u64,
    whom: u64,
}

const ARRIVES: u64 = 0;
const RETRIES_OVER: u64 = 2;
const SYN_ARRIVES: u64 = 4;
const SYN_ANSWERED: u64 = 5;
const SYN_GIVEN_UP: u64 = 6;
const NODE_WAKE: u64 = 7;
const CLIENT_WAKE: u64 = 8;
const CLIENT_START: u64 = 9;
const TIMELINE: u64 = 10;
const FAULT: u64 = 11;
const FAULT_OVER: u64 = 12;
const BOOT: u64 = 13;
const SENTINEL_WAKE: u64 = 14;

impl From<NetEvent> for Packed {
    #[inline(always)]
    fn from(event: NetEvent) -> Packed {
        let (what, conn) = match event {
            NetEvent::Arrives(conn, side) => (ARRIVES | side as u64, conn),
            NetEvent::RetriesOver(conn, side) => (RETRIES_OVER | side as u64, conn),
            NetEvent::SynArrives(conn) => (SYN_ARRIVES, conn),
            NetEvent::SynAnswered(conn) => (SYN_ANSWERED, conn),
            NetEvent::SynGivenUp(conn) => (SYN_GIVEN_UP, conn),
        };
        let whom = u64::from(conn.index) | u64::from(conn.generation) << 32;
        Packed { what, whom }
    }
}

impl From<Event> for Packed {
    #[inline(always)]
    fn from(event: Event) -> Packed {
        let (what, whom) = match event {
            Event::Net(event) => return event.into(),
            Event::NodeWake(node) => (NODE_WAKE, u64::from(node.0)),
            Event::ClientWake(client) => (CLIENT_WAKE, u64::from(client.0)),
            Event::ClientStart(client) => (CLIENT_START, u64::from(client.0)),
            Event::SentinelWake => (SENTINEL_WAKE, 0),
            Event::Timeline(item) => (TIMELINE, u64::from(item)),
            Event::Fault(fault) => (FAULT, u64::from(fault)),
            Event::FaultOver(fault) => (FAULT_OVER, u64::from(fault)),
            Event::Boot(node) => (BOOT, u64::from(node.0)),
        };
        Packed { what, whom }
    }
}

impl Packed {
    /// The event.
    #[inline(always)]
    pub(super) fn unpack(self) -> Event {
        let small = self.whom as u16;
        let conn = ConnId {
            index: self.whom as u32,
            generation: (self.whom >> 32) as u32,
        };
        let side = match self.what & 1 {
            0 => Side::Initiator,
            _ => Side::Acceptor,
        };
        match self.what {
            ARRIVES..RETRIES_OVER => Event::Net(NetEvent::Arrives(conn, side)),
            RETRIES_OVER..SYN_ARRIVES => Event::Net(NetEvent::RetriesOver(conn, side)),
            SYN_ARRIVES => Event::Net(NetEvent::SynArrives(conn)),
            SYN_ANSWERED => Event::Net(NetEvent::SynAnswered(conn)),
            SYN_GIVEN_UP => Event::Net(NetEvent::SynGivenUp(conn)),
            NODE_WAKE => Event::NodeWake(NodeId(small)),
            CLIENT_WAKE => Event::ClientWake(ClientId(self.whom as u32)),
            CLIENT_START => Event::ClientStart(ClientId(self.whom as u32)),
            TIMELINE => Event::Timeline(small),
            FAULT => Event::Fault(small),
            FAULT_OVER => Event::FaultOver(small),
            BOOT => Event::Boot(NodeId(small)),
            SENTINEL_WAKE => Event::SentinelWake,
            _ => unreachable!("packed from an event"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let conn = ConnId {
            index: 0x8000_0001,
            generation: u32::MAX,
        };
        let mut events = vec![
            Event::Net(NetEvent::SynArrives(conn)),
            Event::Net(NetEvent::SynAnswered(conn)),
            Event::Net(NetEvent::SynGivenUp(conn)),
            Event::NodeWake(NodeId(u16::MAX)),
            Event::ClientWake(ClientId(u32::MAX)),
            Event::ClientStart(ClientId(u32::MAX)),
            Event::Timeline(u16::MAX),
            Event::Fault(u16::MAX),
            Event::FaultOver(u16::MAX),
            Event::Boot(NodeId(u16::MAX)),
            Event::SentinelWake,
        ];
        for side in [Side::Initiator, Side::Acceptor] {
            events.push(Event::Net(NetEvent::Arrives(conn, side)));
            events.push(Event::Net(NetEvent::RetriesOver(conn, side)));
        }
        for event in events {
            assert_eq!(Packed::from(event).unpack(), event);
        }
    }
}
