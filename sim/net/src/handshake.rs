//! How connections are opened: SYNs, their answers, and what comes of it when none arrives.
//!
//! Whether a SYN or its answer is lost, it is the initiator that sends again; so a handshake
//! is one transmission that gets through, computed at the start and moved by faults.

use super::connection::{Handshake, Phase, Wait};
use super::network::Network;
use super::types::{ConnId, ConnectFailure, Direction, HostId, NetEvent, Notice, Side};
use rebound_engine::{Agenda, Time};

impl<M: Copy> Network<M> {
    /// Opens a connection: the first SYN leaves at `at`. [`Notice::Connected`] or
    /// [`Notice::ConnectFailed`] follow unless the initiator closes before.
    ///
    /// # Panics
    /// If `to` is no server.
    pub fn connect<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        at: Time,
        from: HostId,
        to: HostId,
        cookie: u32,
    ) -> ConnId {
        let at = at.max(agenda.now());
        let path = self.paths.index(from, to);
        let index = self.occupy(path);
        let syn = self
            .paths
            .draw(path, Direction::Forward, &mut agenda.chooser);
        let answer = self
            .paths
            .draw(path, Direction::Backward, &mut agenda.chooser);
        let faults = *self.paths.faults(path);
        let connection = &mut self.connections[index as usize];
        let id = ConnId {
            index,
            generation: connection.generation,
        };
        connection.hosts = [from, to];
        connection.phase = Phase::Connecting;
        connection.ends = Default::default();
        connection.ends[Side::Initiator.place()].cookie = cookie;
        for direction in Direction::BOTH {
            let pipe = &mut connection.pipes[direction.place()];
            debug_assert!(pipe.items.is_empty(), "a free place holds nothing");
            pipe.cut = faults.is_cut(direction);
            pipe.clogged = faults.is_clogged(direction);
        }
        // Whether the SYN or its answer is lost, the initiator sends the SYN again.
        let retransmission = self.timers.syn_retransmission(syn.losses + answer.losses);
        let transmitted_at = retransmission.map_or(Time::NEVER, |after| at + after);
        connection.handshake = Handshake {
            opened_at: at,
            transmitted_at,
            arrives_at: transmitted_at + syn.latency,
            latencies: [syn.latency, answer.latency],
            wait: Wait::Arrival,
            armed: false,
        };
        if retransmission.is_none() {
            self.await_syn(agenda, index, Wait::Nothing);
        } else if faults.is_cut(Direction::Forward) || faults.is_cut(Direction::Backward) {
            self.await_syn(agenda, index, Wait::Cut);
        } else {
            let arrives_at = connection.handshake.arrives_at;
            agenda.schedule(arrives_at, NetEvent::SynArrives(id).into());
        }
        id
    }

    /// Lets the handshake wait, and fail if it waits for too long.
    pub(super) fn await_syn<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: u32,
        wait: Wait,
    ) {
        let id = self.id(index as usize);
        let handshake = &mut self.connections[index as usize].handshake;
        handshake.wait = wait;
        if !handshake.armed {
            handshake.armed = true;
            let at = handshake.opened_at + self.timers.syn_given_up();
            agenda.schedule(at, NetEvent::SynGivenUp(id).into());
        }
    }

    pub(super) fn syn_arrives<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        conn: ConnId,
    ) -> Option<Notice> {
        let index = self.live(conn)?;
        let connection = &mut self.connections[index];
        let handshake = &connection.handshake;
        if connection.phase != Phase::Connecting
            || handshake.wait != Wait::Arrival
            || handshake.arrives_at != agenda.now()
        {
            return None;
        }
        let [forward, backward] = &connection.pipes;
        if forward.clogged {
            self.await_syn(agenda, conn.index, Wait::Clog);
            return None;
        }
        if backward.cut {
            self.await_syn(agenda, conn.index, Wait::Cut);
            return None;
        }
        let answered_at = agenda.now() + handshake.latencies[Direction::Backward.place()];
        agenda.schedule(answered_at, NetEvent::SynAnswered(conn).into());
        let listening = self.listening[connection.hosts[Side::Acceptor.place()].0 as usize];
        connection.phase = if listening {
            Phase::Accepted
        } else {
            Phase::Refusing
        };
        listening.then_some(Notice::Accepted(conn))
    }

    pub(super) fn syn_answered<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        conn: ConnId,
    ) -> Option<Notice> {
        let index = self.live(conn)?;
        let connection = &mut self.connections[index];
        match connection.phase {
            Phase::Free | Phase::Connecting | Phase::Established => return None,
            Phase::Refusing | Phase::Accepted => {}
        }
        if connection.pipes[Direction::Backward.place()].clogged {
            self.await_syn(agenda, conn.index, Wait::Clog);
            return None;
        }
        if connection.phase == Phase::Refusing {
            self.free(index);
            return Some(Notice::ConnectFailed(conn, ConnectFailure::Refused));
        }
        connection.phase = Phase::Established;
        connection.handshake.wait = Wait::Nothing;
        let there = !connection.ends[Side::Initiator.place()].is_gone();
        self.arm(agenda, index, Side::Initiator);
        there.then_some(Notice::Connected(conn))
    }

    #[cold]
    pub(super) fn syn_given_up(&mut self, conn: ConnId) -> Option<Notice> {
        let index = self.live(conn)?;
        let connection = &mut self.connections[index];
        if connection.handshake.wait == Wait::Arrival {
            return None;
        }
        match connection.phase {
            Phase::Free | Phase::Established => return None,
            Phase::Connecting | Phase::Refusing => self.free(index),
            Phase::Accepted => {
                if connection.ends[Side::Initiator.place()].is_gone() {
                    return None;
                }
                self.finish(index, Side::Initiator, true);
            }
        }
        Some(Notice::ConnectFailed(conn, ConnectFailure::TimedOut))
    }
}
