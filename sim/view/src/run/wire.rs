//! Connections, and the messages that are on their way on them: those of one connection and sender
//! arrive in the order in which they were sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rebound_net::{ConnId, HostId};
use rebound_sim::trace::Sending;

/// A message, by its number among all that were sent in the run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlightId(pub u32);

/// An attempt to connect, by its number among all in the run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DialId(pub u32);

/// A connection, or an attempt at one.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Connection {
    pub dial: DialId,
    pub to: HostId,
    pub established: bool,
}

/// A message that has been sent.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Flight {
    pub id: FlightId,
    pub sending: Sending,
}

/// One direction of a connection: who sends.
type Lane = (ConnId, HostId);

/// Everything between hosts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    dials: u32,
    sendings: u32,
    connections: BTreeMap<ConnId, Connection>,
    /// Attempts without an end, oldest first.
    dialling: BTreeMap<(HostId, HostId), VecDeque<ConnId>>,
    under_way: BTreeMap<Lane, VecDeque<Flight>>,
    /// Lanes whose receiver has learnt that the connection is over, or is gone.
    over: BTreeSet<Lane>,
    lost: Vec<Flight>,
}

impl Wire {
    pub(super) fn dial(&mut self, conn: ConnId, from: HostId, to: HostId) -> DialId {
        let dial = DialId(self.dials);
        self.dials += 1;
        let connection = Connection {
            dial,
            to,
            established: false,
        };
        self.connections.insert(conn, connection);
        self.dialling.entry((from, to)).or_default().push_back(conn);
        dial
    }

    /// An attempt has succeeded.
    pub(super) fn connect(&mut self, conn: ConnId, from: HostId) -> Option<Connection> {
        let connection = self.connections.get_mut(&conn)?;
        if connection.established {
            return None;
        }
        connection.established = true;
        let connection = *connection;
        self.no_longer_dialling(conn, from, connection.to);
        Some(connection)
    }

    /// An attempt has failed: the oldest one between the two.
    pub(super) fn fail(&mut self, from: HostId, to: HostId) -> Option<Connection> {
        let conn = self.dialling.get_mut(&(from, to))?.pop_front()?;
        self.connections.remove(&conn)
    }

    fn no_longer_dialling(&mut self, conn: ConnId, from: HostId, to: HostId) {
        if let Some(dialling) = self.dialling.get_mut(&(from, to)) {
            dialling.retain(|each| *each != conn);
        }
    }

    /// One end of a connection, `learner`, has learnt that it is over. The connection, if this is
    /// the first end that does, and how many messages to it are lost.
    pub(super) fn close(
        &mut self,
        conn: ConnId,
        (sender, learner): (HostId, HostId),
    ) -> (Option<Connection>, usize) {
        let connection = self.connections.remove(&conn);
        if connection.is_some_and(|connection| !connection.established) {
            self.no_longer_dialling(conn, sender, learner);
            self.no_longer_dialling(conn, learner, sender);
        }
        let lane = (conn, sender);
        self.over.insert(lane);
        let lost = self.under_way.remove(&lane).unwrap_or_default();
        let count = lost.len();
        self.lost.extend(lost);
        (connection, count)
    }

    /// A host's process is gone, and all that is on its way to it. How much that is.
    pub(super) fn lose_all_to(&mut self, host: HostId) -> usize {
        let to_host = |flights: &VecDeque<Flight>| {
            flights
                .front()
                .is_some_and(|flight| flight.sending.to == host)
        };
        let before = self.lost.len();
        for (lane, flights) in self.under_way.extract_if(.., |_, flights| to_host(flights)) {
            self.over.insert(lane);
            self.lost.extend(flights);
        }
        self.lost.len() - before
    }

    /// A message is sent. Whether it can arrive.
    pub(super) fn send(&mut self, sending: &Sending) -> (FlightId, bool) {
        let id = FlightId(self.sendings);
        self.sendings += 1;
        let flight = Flight {
            id,
            sending: *sending,
        };
        let lane = (sending.conn, sending.from);
        let over = self.over.contains(&lane);
        if over {
            self.lost.push(flight);
        } else {
            self.under_way.entry(lane).or_default().push_back(flight);
        }
        (id, !over)
    }

    /// The next message of a lane arrives.
    pub(super) fn arrive(&mut self, conn: ConnId, from: HostId) -> Option<Flight> {
        self.under_way.get_mut(&(conn, from))?.pop_front()
    }

    /// The latest messages that were lost, so many.
    pub(crate) fn lost(&self, latest: usize) -> &[Flight] {
        &self.lost[self.lost.len() - latest..]
    }

    /// What has not arrived so far, in the order of sending, and whether it is lost.
    pub(crate) fn undelivered(&self) -> Vec<(Sending, bool)> {
        let lost = self.lost.iter().map(|flight| (flight.sending, true));
        let under_way = self.under_way.values().flatten();
        let under_way = under_way.map(|flight| (flight.sending, false));
        let mut all: Vec<_> = lost.chain(under_way).collect();
        all.sort_by_key(|(sending, _)| (sending.at, sending.from, sending.to));
        all
    }
}
