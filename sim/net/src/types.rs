//! The types of the network's interface.

use rebound_engine::{Distribution, Duration, Odds, Time, hashed};

/// A machine that opens or accepts connections. Servers come first, then one host per client.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub u32);

hashed!(struct HostId(number));

/// A connection; the generation distinguishes it from an earlier one in the same slot.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId {
    /// Its place.
    pub index: u32,
    /// How many connections have had that place before.
    pub generation: u32,
}

hashed!(struct ConnId { index, generation });

/// An end of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// The end that opened it.
    Initiator,
    /// The end that accepted it.
    Acceptor,
}

impl Side {
    /// The other end.
    pub const fn other(self) -> Side {
        match self {
            Side::Initiator => Side::Acceptor,
            Side::Acceptor => Side::Initiator,
        }
    }

    /// The direction in which this end sends.
    #[inline]
    pub const fn sends(self) -> Direction {
        match self {
            Side::Initiator => Direction::Forward,
            Side::Acceptor => Direction::Backward,
        }
    }

    /// Its place in a pair.
    #[inline]
    pub(super) const fn place(self) -> usize {
        match self {
            Side::Initiator => 0,
            Side::Acceptor => 1,
        }
    }
}

/// A direction of a path.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the host that opens connections to the one that accepts them.
    Forward,
    /// Back.
    Backward,
}

impl Direction {
    /// Both.
    pub const BOTH: [Direction; 2] = [Direction::Forward, Direction::Backward];

    /// The other one.
    #[inline]
    pub const fn other(self) -> Direction {
        match self {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        }
    }

    /// The end that sends in this direction.
    #[inline]
    pub const fn sender(self) -> Side {
        match self {
            Direction::Forward => Side::Initiator,
            Direction::Backward => Side::Acceptor,
        }
    }

    /// Its place in a pair.
    #[inline]
    pub(super) const fn place(self) -> usize {
        match self {
            Direction::Forward => 0,
            Direction::Backward => 1,
        }
    }
}

/// How a connection ended, as one end sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The other end closed normally (FIN), after all its data.
    Fin,
    /// A reset (RST): data in flight may be lost.
    Reset,
    /// Retransmissions ran out.
    TimedOut,
}

hashed!(
    enum Closing {
        Fin,
        Reset,
        TimedOut,
    }
);

/// Why a connection could not be opened.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nobody listens there: a reset after one round trip.
    Refused,
    /// No answer to any SYN.
    TimedOut,
}

hashed!(
    enum ConnectFailure {
        Refused,
        TimedOut,
    }
);

/// What the network has pending in the queue.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// The SYN reaches the acceptor's host.
    SynArrives(ConnId),
    /// The answer to the SYN (SYN-ACK or RST) reaches the initiator.
    SynAnswered(ConnId),
    /// No answer came to any SYN.
    SynGivenUp(ConnId),
    /// Something reaches this end.
    Arrives(ConnId, Side),
    /// This end's retransmissions may have run out.
    RetriesOver(ConnId, Side),
}

/// What the network reports to the world after an event.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The acceptor's kernel has completed the handshake: the process may accept.
    Accepted(ConnId),
    /// The initiator's connect succeeded.
    Connected(ConnId),
    /// The initiator's connect failed; the connection is gone.
    ConnectFailed(ConnId, ConnectFailure),
    /// Something is there to be taken at this end, with `Network::take`.
    Arrivals(ConnId, Side),
}

/// What is taken at one end of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Arrival<M> {
    /// A message.
    Message {
        /// When it was sent.
        sent_at: Time,
        /// The message.
        message: M,
    },
    /// The end of the connection: nothing more will come.
    Closed(Closing),
}

/// Whether there may be more to take at once.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum More {
    /// Nothing more is there now.
    No,
    /// To be asked again.
    Perhaps,
}

/// The properties of a path in one direction, apart from faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathProfile {
    /// One-way delay of a segment.
    pub latency: Distribution,
    /// Odds that a segment is lost, each time it is sent.
    pub loss: Odds,
}

/// The kernel's TCP timers. Defaults are Linux's, as measured on 6.18.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TcpTimers {
    /// Minimum retransmission timeout (`tcp_rto_min_us`); the timeout of a lost segment is this
    /// plus one round trip: 200 ms.
    pub rto_min: Duration,
    /// Timeout of the first SYN (`TCP_TIMEOUT_INIT`): 1 s.
    pub syn_timeout: Duration,
    /// SYN retransmissions before a connect fails (`tcp_syn_retries`): 6, and
    /// `syn_linear_timeouts` more.
    pub syn_retries: u32,
    /// SYN timeouts before they begin to double (`tcp_syn_linear_timeouts`): 4.
    pub syn_linear_timeouts: u32,
    /// How long unacknowledged data is retransmitted before the connection is aborted
    /// (`tcp_retries2` 15): 924.6 s.
    pub retries_limit: Duration,
}

impl Default for TcpTimers {
    fn default() -> Self {
        TcpTimers {
            rto_min: Duration::millis(200),
            syn_timeout: Duration::secs(1),
            syn_retries: 6,
            syn_linear_timeouts: 4,
            retries_limit: Duration::millis(924_600),
        }
    }
}
