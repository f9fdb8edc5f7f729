//! The network: connections opened, used and closed.
//!
//! The world reports what processes do, passes on the network's events, and gets notices back.
//! Everything about a segment is drawn when it is sent; faults then adjust the computed times (see
//! `faults`). In steady state nothing is allocated: places of connections, and the memory of their
//! pipes, are used again, and generations make old identities harmless.
//!
//! Simplifications, all at the edge of a connection's life:
//! - A reset is repeated like a segment that was lost. (A real one is sent once; but the peer
//!   would meet another with whatever it sends next, and a dying process's kernel often sends
//!   a FIN, which is repeated.)
//! - Data that reaches an end that has closed normally is dropped silently; its peer learns of the
//! close from the FIN.
//! - The acceptor has a connection as soon as the SYN arrives whose answer gets through.
//! - Acknowledgements matter only when a cut loses them: then retries may run out.

use super::connection::{Connection, Content, Item, Phase, Timing};
use super::path::{NONE, Paths};
use super::types::{
    Arrival, Closing, ConnId, Direction, HostId, More, NetEvent, Notice, PathProfile, Side,
    TcpTimers,
};
use rebound_engine::{Agenda, Chooser, Time};

/// TCP connections between hosts, carrying messages of type `M`.
///
/// After an end has received [`Arrival::Closed`], and after its own [`close`](Self::close) or
/// [`abort`](Self::abort), its process has finished with the connection: nothing more arrives
/// there, and what it still sends is dropped.
pub struct Network<M> {
    pub(super) connections: Vec<Connection<M>>,
    /// Places of `connections` that this run has used.
    pub(super) used: u32,
    /// Places that this run has used and freed.
    free: Vec<u32>,
    pub(super) paths: Paths,
    pub(super) timers: TcpTimers,
    /// Whether a process listens, per server.
    pub(super) listening: Vec<bool>,
    /// Whether the machine is silent, per host.
    pub(super) silent: Vec<bool>,
    open: u64,
    pub(super) in_flight: u64,
}

impl<M: Copy> Network<M> {
    /// A network of the hosts `names`, the first `servers` of which accept connections while
    /// the others only open them. Names must differ: they name the random streams. Every path has
    /// the first profile until [`assign`](Self::assign) changes it.
    ///
    /// # Panics
    /// If there is no profile.
    pub fn new(
        names: &[String],
        servers: u32,
        profiles: Vec<PathProfile>,
        tcp: TcpTimers,
        chooser: &mut Chooser,
    ) -> Self {
        Network {
            connections: Vec::new(),
            used: 0,
            free: Vec::new(),
            paths: Paths::new(names, servers, profiles, chooser),
            timers: tcp,
            listening: vec![true; servers as usize],
            silent: vec![false; names.len()],
            open: 0,
            in_flight: 0,
        }
    }

    /// Gives the path from `from` to `to` its profiles, by place in those of
    /// [`new`](Self::new): `forward` for what `from` sends on connections that it opens to
    /// `to`, `backward` for what comes back. Survives [`reset`](Self::reset).
    ///
    /// # Panics
    /// If a host or a profile does not exist, or `to` is no server.
    pub fn assign(&mut self, from: HostId, to: HostId, forward: usize, backward: usize) {
        let path = self.paths.index(from, to);
        self.paths.assign(path, forward, backward);
    }

    /// Starts a new run: no connections and no faults, every server listens. Memory, profiles
    /// and streams stay. The agenda must have been reset as well.
    pub fn reset(&mut self) {
        for connection in &mut self.connections[..self.used as usize] {
            if connection.phase != Phase::Free {
                let path = self.paths.path_mut(connection.path);
                (path.first, path.last) = (NONE, NONE);
                connection.pipes.iter_mut().for_each(|pipe| {
                    pipe.renew();
                });
                connection.phase = Phase::Free;
            }
            connection.generation = 0;
        }
        self.used = 0;
        self.free.clear();
        self.paths.heal();
        self.listening.fill(true);
        self.silent.fill(false);
        self.open = 0;
        self.in_flight = 0;
    }

    /// How many connections there are, from the first SYN until both ends have finished.
    pub fn open_connections(&self) -> u64 {
        self.open
    }

    /// How many messages and connection ends are in flight.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether `conn` still has its place: some end may still send or receive something.
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.live(conn).is_some()
    }

    /// Stores a caller-defined cookie for one end of a connection; zero for the acceptor until it
    /// is set. No effect if the connection is gone.
    pub fn set_cookie(&mut self, conn: ConnId, side: Side, cookie: u32) {
        if let Some(index) = self.live(conn) {
            self.connections[index].ends[side.place()].cookie = cookie;
        }
    }

    /// The cookie of one end of a connection; still available after it has gone, until its slot is
    /// reused.
    #[inline]
    pub fn cookie(&self, conn: ConnId, side: Side) -> u32 {
        self.connections[conn.index as usize].ends[side.place()].cookie
    }

    /// Of what arrives at an end of a connection: the host that it comes from, the host there, and
    /// the cookie there.
    #[inline]
    pub fn receiver(&self, conn: ConnId, side: Side) -> (HostId, HostId, u32) {
        let connection = &self.connections[conn.index as usize];
        let hosts = connection.hosts;
        let cookie = connection.ends[side.place()].cookie;
        (hosts[side.other().place()], hosts[side.place()], cookie)
    }

    /// The host at an end of a connection; still available after it has gone, until its slot is
    /// reused.
    #[inline]
    pub fn host(&self, conn: ConnId, side: Side) -> HostId {
        self.connections[conn.index as usize].hosts[side.place()]
    }

    /// Whether what `side` sends now begins its way: the connection is there, and that end has
    /// neither finished nor forgotten it.
    #[inline]
    pub fn can_send(&self, conn: ConnId, side: Side) -> bool {
        self.live(conn).is_some_and(|index| {
            let end = &self.connections[index].ends[side.place()];
            !end.done && !end.forgotten
        })
    }

    /// Sends a message from `side`, at `at`, which may lie a little ahead (the end of a
    /// server's turn). What one end sends at the same instant travels in one segment.
    #[inline]
    pub fn send<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        conn: ConnId,
        side: Side,
        message: M,
    ) {
        let Some(index) = self.live(conn) else {
            return;
        };
        let connection = &self.connections[index];
        let end = &connection.ends[side.place()];
        if end.done || end.forgotten {
            return;
        }
        debug_assert!(
            connection.phase == Phase::Established
                || (connection.phase == Phase::Accepted && side == Side::Acceptor),
            "an end sends when it has the connection"
        );
        self.transmit(agenda, at, index, side, Content::Message(message));
    }

    /// Closes normally from `side`: the peer learns of it after all data that was sent, and nothing
    /// more is delivered to `side`. During the handshake this is an abort.
    pub fn close<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        conn: ConnId,
        side: Side,
    ) {
        let Some(index) = self.live(conn) else {
            return;
        };
        let connection = &self.connections[index];
        let end = &connection.ends[side.place()];
        let early = side == Side::Initiator && connection.phase != Phase::Established;
        if end.done || end.forgotten || early {
            self.abort(agenda, at, conn, side);
            return;
        }
        self.transmit(agenda, at, index, side, Content::Fin);
        self.finish(index, side, false);
    }

    /// Aborts from `side`: unsent data is lost, and the peer gets a reset after the one-way delay.
    /// Nothing more is delivered to `side`.
    pub fn abort<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        conn: ConnId,
        side: Side,
    ) {
        let Some(index) = self.live(conn) else {
            return;
        };
        let connection = &mut self.connections[index];
        let end = connection.ends[side.place()];
        if end.done {
            return;
        }
        match connection.phase {
            Phase::Free => unreachable!("a live connection has begun"),
            Phase::Connecting | Phase::Refusing => {
                debug_assert_eq!(side, Side::Initiator, "the acceptor does not have it yet");
                self.free(index);
                return;
            }
            Phase::Accepted | Phase::Established => {}
        }
        if !end.forgotten {
            let at = at.max(agenda.now());
            let pipe = &mut connection.pipes[side.sends().place()];
            self.in_flight -= pipe.lose_unsent(at) as u64;
            self.transmit(agenda, at, index, side, Content::Rst);
        }
        self.finish(index, side, true);
    }

    /// Something in the middle resets an established connection: everything in flight is lost, and
    /// each end learns of it after its one-way delay. A handshake is not affected.
    pub fn cut_connection<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        conn: ConnId,
    ) {
        let Some(index) = self.live(conn) else {
            return;
        };
        match self.connections[index].phase {
            Phase::Free | Phase::Connecting | Phase::Refusing => return,
            Phase::Accepted | Phase::Established => {}
        }
        for direction in Direction::BOTH {
            let pipe = &mut self.connections[index].pipes[direction.place()];
            self.in_flight -= pipe.empty() as u64;
            self.transmit(agenda, at, index, direction.sender(), Content::Rst);
        }
    }

    /// Handles one of the network's events. `None` if there is nothing to report: the event was
    /// superseded by others.
    #[inline]
    pub fn handle<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        event: NetEvent,
    ) -> Option<Notice> {
        match event {
            NetEvent::Arrives(conn, side) => {
                let index = self.live(conn)?;
                let connection = &mut self.connections[index];
                let pipe = &mut connection.pipes[side.other().sends().place()];
                if pipe.armed_at != agenda.now() {
                    return None;
                }
                pipe.armed_at = Time::NEVER;
                if pipe.due() > agenda.now() {
                    self.arm(agenda, index, side);
                    return None;
                }
                if connection.phase != Phase::Established && side == Side::Initiator {
                    return None; // The handshake's end lets it in.
                }
                if connection.ends[side.place()].forgotten {
                    self.answer_with_reset(agenda, index, side);
                    return None;
                }
                Some(Notice::Arrivals(conn, side))
            }
            NetEvent::SynArrives(conn) => self.syn_arrives(agenda, conn),
            NetEvent::SynAnswered(conn) => self.syn_answered(agenda, conn),
            NetEvent::SynGivenUp(conn) => self.syn_given_up(conn),
            NetEvent::RetriesOver(conn, side) => self.retries_over(agenda, conn, side),
        }
    }

    /// Takes what has arrived at an end, and says whether there may be more. After
    /// [`Notice::Arrivals`] the world calls this until there is not (or it closes the end): only
    /// then is what comes later announced.
    #[inline]
    pub fn take<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        conn: ConnId,
        side: Side,
    ) -> Option<(Arrival<M>, More)> {
        let index = self.live(conn)?;
        let connection = &mut self.connections[index];
        let end = &mut connection.ends[side.place()];
        if end.timed_out {
            end.timed_out = false;
            self.finish(index, side, true);
            return Some((Arrival::Closed(Closing::TimedOut), More::No));
        }
        if end.done || end.forgotten {
            return None;
        }
        let pipe = &mut connection.pipes[side.other().sends().place()];
        if pipe.due() > agenda.now() {
            self.arm(agenda, index, side);
            return None;
        }
        let Item {
            timing, content, ..
        } = pipe.items.pop_front()?;
        let more = if pipe.items.is_empty() {
            // Begins at the front again, so that a quiet pipe uses the same memory each time.
            pipe.items.clear();
            More::No
        } else if pipe.due() <= agenda.now() {
            More::Perhaps
        } else {
            self.arm(agenda, index, side);
            More::No
        };
        self.in_flight -= 1;
        if self.connections[index].pipes[side.sends().place()].cut {
            self.lose_acknowledgement(agenda, index, side, timing.sent_at);
        }
        match content {
            Content::Message(message) => {
                let sent_at = timing.sent_at;
                Some((Arrival::Message { sent_at, message }, more))
            }
            Content::Fin => {
                self.finish(index, side, false);
                Some((Arrival::Closed(Closing::Fin), More::No))
            }
            Content::Rst => {
                self.finish(index, side, true);
                Some((Arrival::Closed(Closing::Reset), More::No))
            }
        }
    }

    /// The place of a connection that is not gone.
    #[inline]
    pub(super) fn live(&self, conn: ConnId) -> Option<usize> {
        let index = conn.index as usize;
        let connection = self.connections.get(index)?;
        let live = connection.generation == conn.generation && connection.phase != Phase::Free;
        live.then_some(index)
    }

    /// The identity of the connection in a place.
    pub(super) fn id(&self, index: usize) -> ConnId {
        ConnId {
            index: index as u32,
            generation: self.connections[index].generation,
        }
    }

    /// Puts something into the pipe that `side` sends by.
    #[inline]
    pub(super) fn transmit<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        index: usize,
        side: Side,
        content: Content<M>,
    ) {
        let direction = side.sends();
        let connection = &mut self.connections[index];
        let peer = connection.ends[side.other().place()];
        let pipe = &mut connection.pipes[direction.place()];
        if pipe.ended || (peer.done && !peer.forgotten) {
            return;
        }
        let at = at.max(agenda.now()).max(pipe.last_sent_at);
        let joined = match pipe.items.back() {
            Some(last) if last.timing.sent_at == at => Some(last.timing),
            Some(_) | None => None,
        };
        let timing = joined.unwrap_or_else(|| {
            let fate = self
                .paths
                .draw(connection.path, direction, &mut agenda.chooser);
            let mut timing = Timing::new(at, fate, &self.timers);
            if pipe.cut {
                timing.arrives_at = Time::NEVER;
            }
            timing
        });
        match content {
            Content::Message(_) => {}
            Content::Fin | Content::Rst => pipe.ended = true,
        }
        let deliver_at = pipe.push(timing, content);
        self.in_flight += 1;
        if pipe.items.len() == 1 && !pipe.clogged && deliver_at < pipe.armed_at {
            // `arm`, for what has just become the head.
            let id = ConnId {
                index: index as u32,
                generation: connection.generation,
            };
            pipe.armed_at = deliver_at;
            agenda.schedule(deliver_at, NetEvent::Arrives(id, side.other()).into());
        }
        if timing.is_late(self.timers.retries_limit) {
            self.arm_retries(agenda, index, side, at);
        } else if joined.is_none() && timing.at_once() {
            let pipe = &mut self.connections[index].pipes[direction.place()];
            if pipe.may_hasten(at) && pipe.hasten(at) {
                self.arm(agenda, index, side.other());
            }
        }
    }

    /// Ensures that an event is pending for the head of what goes to `side`, and no later
    /// than it is due.
    #[inline]
    pub(super) fn arm<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        side: Side,
    ) {
        let id = self.id(index);
        let pipe = &mut self.connections[index].pipes[side.other().sends().place()];
        let due = pipe.due();
        if due == Time::NEVER {
            pipe.armed_at = Time::NEVER;
            return;
        }
        let due = due.max(agenda.now());
        if due != pipe.armed_at {
            pipe.armed_at = due;
            agenda.schedule(due, NetEvent::Arrives(id, side).into());
        }
    }

    /// The process at `side` has finished with the connection; with `forgotten`, so has its kernel.
    pub(super) fn finish(&mut self, index: usize, side: Side, forgotten: bool) {
        let connection = &mut self.connections[index];
        let end = &mut connection.ends[side.place()];
        debug_assert!(!end.done, "an end is finished once");
        end.done = true;
        end.forgotten |= forgotten;
        if !end.forgotten {
            let pipe = &mut connection.pipes[side.other().sends().place()];
            self.in_flight -= pipe.empty() as u64;
            pipe.ended = true;
        }
        self.free_if_gone(index);
    }

    /// Frees a place if nothing more can be delivered to either end.
    pub(super) fn free_if_gone(&mut self, index: usize) {
        let [initiator, acceptor] = &self.connections[index].ends;
        if initiator.is_gone() && acceptor.is_gone() {
            self.free(index);
        }
    }

    /// Takes a place for a new connection of a path.
    pub(super) fn occupy(&mut self, path: u32) -> u32 {
        let index = self.free.pop().unwrap_or(self.used);
        if index == self.used {
            assert!(index < NONE, "fewer than 2^32 connections");
            self.used += 1;
            if self.connections.len() < self.used as usize {
                self.connections.push(Connection::default());
            }
        }
        self.open += 1;
        let entry = self.paths.path_mut(path);
        let previous = std::mem::replace(&mut entry.last, index);
        if previous == NONE {
            entry.first = index;
        } else {
            self.connections[previous as usize].next = index;
        }
        let connection = &mut self.connections[index as usize];
        debug_assert_eq!(connection.phase, Phase::Free);
        connection.path = path;
        connection.previous = previous;
        connection.next = NONE;
        index
    }

    /// Frees the place of a connection.
    pub(super) fn free(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        debug_assert_ne!(connection.phase, Phase::Free, "a place is freed once");
        connection.phase = Phase::Free;
        connection.generation += 1;
        for pipe in &mut connection.pipes {
            self.in_flight -= pipe.renew() as u64;
        }
        let (path, previous, next) = (connection.path, connection.previous, connection.next);
        if next == NONE {
            self.paths.path_mut(path).last = previous;
        } else {
            self.connections[next as usize].previous = previous;
        }
        if previous == NONE {
            self.paths.path_mut(path).first = next;
        } else {
            self.connections[previous as usize].next = next;
        }
        self.open -= 1;
        self.free.push(index as u32);
    }
}
