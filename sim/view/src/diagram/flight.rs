//! Messages that are on their way: those of one connection and sender arrive in the order in
//! which they were sent.

use std::collections::{BTreeMap, VecDeque};

use rebound_net::{ConnId, HostId};

/// A connection and the sender on it.
type Lane = ((u32, u32), HostId);

/// A message on its way, and the entry that shows it, if one does.
struct Flight {
    to: HostId,
    entry: Option<usize>,
}

/// All that is on its way.
#[derive(Default)]
pub(super) struct Flights {
    lanes: BTreeMap<Lane, VecDeque<Flight>>,
    dialled: BTreeMap<(u32, u32), (HostId, HostId, Option<usize>)>,
}

const fn key(conn: ConnId) -> (u32, u32) {
    (conn.index, conn.generation)
}

impl Flights {
    pub(super) fn send(&mut self, conn: ConnId, from: HostId, to: HostId, entry: Option<usize>) {
        let lane = self.lanes.entry((key(conn), from)).or_default();
        lane.push_back(Flight { to, entry });
    }

    /// A message arrives: the entry that shows it.
    pub(super) fn arrive(&mut self, conn: ConnId, from: HostId) -> Option<usize> {
        self.lanes
            .get_mut(&(key(conn), from))
            .and_then(VecDeque::pop_front)
            .and_then(|flight| flight.entry)
    }

    /// An end has learnt that the connection is over: what was sent to it, and never arrives.
    pub(super) fn close(&mut self, conn: ConnId, from: HostId) -> Vec<usize> {
        let lane = self.lanes.remove(&(key(conn), from));
        let flights = lane.into_iter().flatten();
        flights.filter_map(|flight| flight.entry).collect()
    }

    /// A host is gone: what was sent to it, and never arrives.
    pub(super) fn lose_all_to(&mut self, host: HostId) -> Vec<usize> {
        let mut lost = Vec::new();
        for lane in self.lanes.values_mut() {
            lane.retain(|flight| {
                if flight.to == host {
                    lost.extend(flight.entry);
                }
                flight.to != host
            });
        }
        lost
    }

    pub(super) fn dial(&mut self, conn: ConnId, from: HostId, to: HostId, entry: Option<usize>) {
        self.dialled.insert(key(conn), (from, to, entry));
    }

    /// A connection attempt has succeeded: the entry that shows it.
    pub(super) fn connect(&mut self, conn: ConnId) -> Option<usize> {
        self.dialled.remove(&key(conn)).and_then(|(_, _, e)| e)
    }

    /// A connection attempt has failed, the oldest one between the two: the entry that shows it.
    pub(super) fn refuse(&mut self, from: HostId, to: HostId) -> Option<usize> {
        let between = |(_, (f, t, _)): &(&(u32, u32), &(HostId, HostId, Option<usize>))| {
            (*f, *t) == (from, to)
        };
        let attempts = self.dialled.iter().filter(between);
        let oldest = attempts.min_by_key(|(_, (_, _, entry))| *entry);
        let place = *oldest?.0;
        self.dialled.remove(&place).and_then(|(_, _, entry)| entry)
    }
}
