//! One connection: two ordered pipes, and the state of each end's kernel.
//!
//! A loss never removes anything from a pipe: it delays it, and with it everything behind it
//! (head-of-line blocking). Each pipe has at most one event pending, for its head.

use std::collections::VecDeque;

use super::path::{Fate, NONE};
use super::types::{HostId, TcpTimers};
use rebound_engine::{Duration, Time};

/// Later segments that must get through before a lost one is sent again early: RACK and the
/// classic three duplicate acknowledgements agree there (RFC 8985, RFC 5681).
const FAST_AFTER: u8 = 3;

/// What travels in a pipe.
#[derive(Copy, Clone)]
pub(super) enum Content<M> {
    /// A message.
    Message(M),
    /// The orderly end.
    Fin,
    /// The abrupt end.
    Rst,
}

/// When a segment travels. All that was written at the same instant is one segment.
#[derive(Copy, Clone)]
pub(super) struct Timing {
    /// When it was first sent.
    pub sent_at: Time,
    /// When the transmission that gets through is sent.
    pub transmitted_at: Time,
    /// When that arrives, whatever is before it; [`Time::NEVER`] while a cut keeps it.
    pub arrives_at: Time,
    /// One-way delay.
    pub latency: Duration,
    /// Times it was lost.
    losses: u8,
    /// Later segments that got through within one round trip, counted if it was lost once.
    later: u8,
}

impl Timing {
    /// The times of a segment that is first sent at `at`.
    #[inline]
    pub fn new(at: Time, fate: Fate, timers: &TcpTimers) -> Timing {
        let transmitted_at = match fate.losses {
            0 => at,
            n => at + timers.retransmission(fate.latency, n),
        };
        Timing {
            sent_at: at,
            transmitted_at,
            arrives_at: transmitted_at + fate.latency,
            latency: fate.latency,
            losses: fate.losses as u8,
            later: 0,
        }
    }

    /// Whether its first transmission gets through.
    #[inline]
    pub fn at_once(&self) -> bool {
        self.losses == 0
    }

    /// Whether a cut keeps it.
    #[inline]
    pub(crate) fn is_stuck(&self) -> bool {
        self.arrives_at == Time::NEVER
    }

    /// Whether no transmission within `limit` of the first gets through, as things are.
    #[inline]
    pub fn is_late(&self, limit: Duration) -> bool {
        self.is_stuck() || self.transmitted_at.since(self.sent_at) > limit
    }

    /// The last instant at which later segments can hasten it.
    fn hastened_until(&self) -> Time {
        self.sent_at + self.latency.times(2)
    }
}

/// Something in a pipe.
#[derive(Copy, Clone)]
pub(super) struct Item<M> {
    /// When it travels.
    pub timing: Timing,
    /// When it reaches the receiver in its turn; [`Time::NEVER`] while a cut keeps it or what
    /// is before it.
    pub deliver_at: Time,
    /// What it is.
    pub content: Content<M>,
}

/// One direction of a connection.
pub(super) struct Pipe<M> {
    /// What has been sent and not been taken, oldest first.
    pub items: VecDeque<Item<M>>,
    /// When the pending event for the head is due; [`Time::NEVER`] if there is none.
    pub armed_at: Time,
    /// When something was last sent.
    pub last_sent_at: Time,
    /// Until when a lost segment can be hastened by a later one.
    hasten_until: Time,
    /// When the oldest segment was sent whose acknowledgement a cut swallowed;
    /// [`Time::NEVER`] if none was.
    pub unacknowledged_since: Time,
    /// Whether an event for the end of the sender's retries is pending.
    pub retries_armed: bool,
    /// Whether its end has been sent: nothing follows.
    pub ended: bool,
    /// Whether its direction of the path is cut.
    pub cut: bool,
    /// Whether its direction of the path is clogged.
    pub clogged: bool,
}

impl<M> Default for Pipe<M> {
    fn default() -> Self {
        Pipe {
            items: VecDeque::new(),
            armed_at: Time::NEVER,
            last_sent_at: Time::ZERO,
            hasten_until: Time::ZERO,
            unacknowledged_since: Time::NEVER,
            retries_armed: false,
            ended: false,
            cut: false,
            clogged: false,
        }
    }
}

impl<M> Pipe<M> {
    /// Resets the pipe, but keeps its memory. Returns the number of items that were in it.
    pub(crate) fn renew(&mut self) -> usize {
        let count = self.items.len();
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        *self = Pipe {
            items,
            ..Pipe::default()
        };
        count
    }

    /// Drops everything in it. Gives the number of items.
    pub fn empty(&mut self) -> usize {
        let (cut, clogged) = (self.cut, self.clogged);
        let retries_armed = self.retries_armed;
        let count = self.renew();
        self.cut = cut;
        self.clogged = clogged;
        self.retries_armed = retries_armed;
        count
    }

    /// Appends something; it is delivered no earlier than what precedes it.
    #[inline]
    pub fn push(&mut self, timing: Timing, content: Content<M>) -> Time {
        let deliver_at = match self.items.back() {
            Some(last) => last.deliver_at.max(timing.arrives_at),
            None => timing.arrives_at,
        };
        self.last_sent_at = timing.sent_at;
        if timing.losses == 1 {
            self.hasten_until = self.hasten_until.max(timing.hastened_until());
        }
        self.items.push_back(Item {
            timing,
            deliver_at,
            content,
        });
        deliver_at
    }

    /// When the head is to be delivered; [`Time::NEVER`] if nothing is, or a clog holds it.
    #[inline]
    pub fn due(&self) -> Time {
        match self.items.front() {
            Some(first) if !self.clogged => first.deliver_at,
            Some(_) | None => Time::NEVER,
        }
    }

    /// Whether a segment sent at `at` may hasten an earlier one.
    #[inline]
    pub(crate) fn may_hasten(&self, at: Time) -> bool {
        at <= self.hasten_until
    }

    /// A segment sent at `at` gets through: what was lost once in the round trip before may be
    /// sent again early, one round trip after it was lost. Whether delivery times changed.
    #[cold]
    pub(crate) fn hasten(&mut self, at: Time) -> bool {
        let mut hastened = false;
        for item in &mut self.items {
            let timing = &mut item.timing;
            let until = timing.hastened_until();
            if timing.losses == 1
                && !timing.is_stuck()
                && timing.later < FAST_AFTER
                && timing.sent_at < at
                && at <= until
            {
                timing.later += 1;
                if timing.later == FAST_AFTER && until < timing.transmitted_at {
                    timing.transmitted_at = until;
                    timing.arrives_at = until + timing.latency;
                    hastened = true;
                }
            }
        }
        if hastened {
            self.settle();
        }
        hastened
    }

    /// Recomputes delivery times, each no earlier than the one before.
    fn settle(&mut self) {
        let mut earliest = Time::ZERO;
        for item in &mut self.items {
            earliest = earliest.max(item.timing.arrives_at);
            item.deliver_at = earliest;
        }
    }

    /// The direction is cut at `now`: segments transmitted later do not arrive. With `all`, neither
    /// do those in flight.
    pub(crate) fn stick(&mut self, now: Time, all: bool) {
        for item in &mut self.items {
            if all || item.timing.transmitted_at > now {
                item.timing.arrives_at = Time::NEVER;
            }
        }
        self.settle();
    }

    /// The cut is over at `now`: the oldest segment that was kept is sent again at its next
    /// retransmission, and what was lost behind it comes with it.
    pub(crate) fn unstick(&mut self, now: Time, timers: &TcpTimers) {
        let mut resumed_at = None;
        for item in &mut self.items {
            let timing = &mut item.timing;
            if !timing.is_stuck() {
                continue;
            }
            if timing.transmitted_at < now {
                let elapsed = now.since(timing.sent_at);
                timing.transmitted_at = resumed_at.unwrap_or_else(|| {
                    timing.sent_at + timers.retransmission_after(timing.latency, elapsed)
                });
            }
            timing.arrives_at = timing.transmitted_at + timing.latency;
            resumed_at = resumed_at.or(Some(timing.transmitted_at));
        }
        self.settle();
    }

    /// Drops what is not in flight at `at`: what has yet to be transmitted (again). Gives the
    /// number of items.
    pub(crate) fn lose_unsent(&mut self, at: Time) -> usize {
        let unsent = |item: &Item<M>| item.timing.is_stuck() || item.timing.transmitted_at > at;
        let Some(keep) = self.items.iter().position(unsent) else {
            return 0;
        };
        let count = self.items.len() - keep;
        self.items.truncate(keep);
        self.ended = false;
        self.last_sent_at = self.items.back().map_or(Time::ZERO, |i| i.timing.sent_at);
        count
    }

    /// When the oldest segment was sent that the sender knows no acknowledgement of (except those
    /// still in flight); [`Time::NEVER`] if there is none.
    pub(crate) fn oldest_unacknowledged(&self) -> Time {
        let first = self.items.front().map(|item| item.timing.sent_at);
        self.unacknowledged_since.min(first.unwrap_or(Time::NEVER))
    }

    /// Whether something that was sent will not be acknowledged within `limit` as things are.
    pub(crate) fn is_in_trouble(&self, limit: Duration) -> bool {
        let late = |item: &Item<M>| item.timing.is_late(limit);
        self.unacknowledged_since != Time::NEVER || self.items.iter().any(late)
    }
}

/// The state of one end of a connection.
#[derive(Copy, Clone, Default)]
pub(super) struct End {
    /// The process's cookie for the connection.
    pub cookie: u32,
    /// The process is finished with it: it has closed it, or learned that it is closed.
    pub done: bool,
    /// The kernel has forgotten it: it answers with a reset.
    pub forgotten: bool,
    /// Retransmissions ran out, and the process does not know yet.
    pub timed_out: bool,
}

impl End {
    /// Whether nothing more can be delivered to it.
    pub(crate) fn is_gone(&self) -> bool {
        self.done || (self.forgotten && !self.timed_out)
    }
}

/// The phase of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// This slot is free.
    Free,
    /// The SYN has not reached the acceptor.
    Connecting,
    /// A reset is on its way in answer to the SYN.
    Refusing,
    /// The SYN-ACK is on its way: the acceptor has the connection, the initiator not yet.
    Accepted,
    /// Both have it.
    Established,
}

/// What the handshake waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// For the SYN or its answer, in flight.
    Arrival,
    /// For the end of a cut and the next SYN.
    Cut,
    /// For the end of a clog.
    Clog,
    /// For nothing: every SYN is lost.
    Nothing,
}

/// A handshake.
#[derive(Copy, Clone)]
pub(super) struct Handshake {
    /// When the first SYN was sent.
    pub opened_at: Time,
    /// When the SYN that gets through is sent.
    pub transmitted_at: Time,
    /// When it arrives.
    pub arrives_at: Time,
    /// One-way delays of SYN and answer.
    pub latencies: [Duration; 2],
    /// What it waits for.
    pub wait: Wait,
    /// Whether an event for its failure is pending.
    pub armed: bool,
}

/// A place for connections.
pub(super) struct Connection<M> {
    /// How many it has had before.
    pub generation: u32,
    /// How far the present one is.
    pub phase: Phase,
    /// Its path.
    pub path: u32,
    /// The next older connection of the path.
    pub previous: u32,
    /// The next younger connection of the path.
    pub next: u32,
    /// The hosts of its two ends.
    pub hosts: [HostId; 2],
    /// Its two ends.
    pub ends: [End; 2],
    /// What each end sends.
    pub pipes: [Pipe<M>; 2],
    /// Its beginning.
    pub handshake: Handshake,
}

impl<M> Default for Connection<M> {
    fn default() -> Self {
        Connection {
            generation: 0,
            phase: Phase::Free,
            path: NONE,
            previous: NONE,
            next: NONE,
            hosts: [HostId(NONE); 2],
            ends: [End::default(); 2],
            pipes: [Pipe::default(), Pipe::default()],
            handshake: Handshake {
                opened_at: Time::ZERO,
                transmitted_at: Time::ZERO,
                arrives_at: Time::ZERO,
                latencies: [Duration::ZERO; 2],
                wait: Wait::Nothing,
                armed: false,
            },
        }
    }
}
