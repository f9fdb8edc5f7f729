//! What goes wrong: processes that die, machines that go silent, paths that are cut, clogged, slow
//! or lossy.
//!
//! Faults are counted per path and direction, so that overlapping ones nest. They walk the open
//! connections of a path, and only those.

use super::connection::{Phase, Wait};
use super::network::Network;
use super::path::NONE;
use super::types::{ConnId, Direction, HostId, NetEvent, Side};
use rebound_engine::{Agenda, Duration, Odds, Time};

impl<M: Copy> Network<M> {
    /// Sets whether a process listens on a server. While none does, SYNs are answered with resets.
    pub fn listen(&mut self, host: HostId, up: bool) {
        self.listening[host.0 as usize] = up;
    }

    /// The process on `host` dies: its kernel aborts all its connections. Calls `gone` for each end
    /// that it had not finished with. (A silent machine sends nothing, but its connections are
    /// reported all the same.)
    pub fn abort_all<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        host: HostId,
        mut gone: impl FnMut(ConnId, Side),
    ) {
        self.each_connection_of_host(host, |network, index, side| {
            let connection = &network.connections[index];
            let early = match connection.phase {
                Phase::Free => unreachable!("a path's connections have begun"),
                Phase::Connecting | Phase::Refusing => true,
                Phase::Accepted | Phase::Established => false,
            };
            if connection.ends[side.place()].done || (early && side == Side::Acceptor) {
                return;
            }
            let conn = network.id(index);
            network.abort(agenda, agenda.now(), conn, side);
            gone(conn, side);
        });
    }

    /// A machine goes silent (`up` false): nothing gets in or out, and its kernel's memory is lost.
    /// Or it comes back: data that then reaches it on an old connection is answered with a reset; a
    /// peer that sends nothing learns nothing (half-open). Processes on the machine itself are not
    /// notified; their ends are closed with [`abort_all`](Self::abort_all), or when it comes back.
    pub fn set_host_up<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        host: HostId,
        up: bool,
    ) {
        if self.silent[host.0 as usize] != up {
            return;
        }
        self.silent[host.0 as usize] = !up;
        if up {
            self.each_connection_of_host(host, |network, index, side| {
                let end = &network.connections[index].ends[side.place()];
                if end.forgotten && !end.done {
                    network.finish(index, side, true);
                }
            });
            self.each_path_of_host(host, |network, from, to| {
                for direction in Direction::BOTH {
                    network.uncut(agenda, from, to, direction);
                }
            });
        } else {
            self.each_path_of_host(host, |network, from, to| {
                for direction in Direction::BOTH {
                    network.cut(agenda, from, to, direction);
                }
            });
            self.each_connection_of_host(host, |network, index, side| {
                network.forget(agenda, index, side);
            });
        }
    }

    /// Cuts a direction of the path: segments transmitted from now on do not arrive, those in
    /// flight do. The senders' kernels go on retransmitting.
    pub fn cut<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        from: HostId,
        to: HostId,
        direction: Direction,
    ) {
        let path = self.paths.index(from, to);
        let cuts = &mut self.paths.faults_mut(path).cuts[direction.place()];
        *cuts += 1;
        if *cuts > 1 {
            return;
        }
        self.each_connection(path, |network, index| {
            network.connections[index].pipes[direction.place()].cut = true;
            network.stick(agenda, index, direction.sender(), false);
            let connection = &network.connections[index];
            let handshake = &connection.handshake;
            if connection.phase == Phase::Connecting
                && handshake.wait == Wait::Arrival
                && handshake.transmitted_at > agenda.now()
            {
                network.await_syn(agenda, index as u32, Wait::Cut);
            }
        });
    }

    /// Ends a cut. What it kept arrives with the next retransmission of the oldest segment (up
    /// to as much later again as the cut has lasted, as TCP backs off); new SYNs likewise.
    /// Connections with nothing in flight recover at once.
    ///
    /// # Panics
    /// If that direction is not cut.
    pub fn uncut<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        from: HostId,
        to: HostId,
        direction: Direction,
    ) {
        let path = self.paths.index(from, to);
        let faults = self.paths.faults_mut(path);
        let cuts = &mut faults.cuts[direction.place()];
        assert!(*cuts > 0, "a cut ends once");
        *cuts -= 1;
        if *cuts > 0 {
            return;
        }
        let whole = !faults.is_cut(direction.other());
        let timers = self.timers;
        self.each_connection(path, |network, index| {
            let connection = &mut network.connections[index];
            let pipe = &mut connection.pipes[direction.place()];
            pipe.cut = false;
            pipe.unstick(agenda.now(), &timers);
            connection.pipes[direction.other().place()].unacknowledged_since = Time::NEVER;
            network.arm(agenda, index, direction.sender().other());
            if whole {
                network.resume_syn(agenda, index);
            }
        });
    }

    /// Clogs a direction of the path: everything is held, including what is in flight.
    pub fn clog(&mut self, from: HostId, to: HostId, direction: Direction) {
        let path = self.paths.index(from, to);
        let clogs = &mut self.paths.faults_mut(path).clogs[direction.place()];
        *clogs += 1;
        if *clogs == 1 {
            self.each_connection(path, |network, index| {
                network.connections[index].pipes[direction.place()].clogged = true;
            });
        }
    }

    /// Ends a clog: everything that it held is delivered at once and in order.
    ///
    /// # Panics
    /// If that direction is not clogged.
    pub fn unclog<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        from: HostId,
        to: HostId,
        direction: Direction,
    ) {
        let path = self.paths.index(from, to);
        let clogs = &mut self.paths.faults_mut(path).clogs[direction.place()];
        assert!(*clogs > 0, "a clog ends once");
        *clogs -= 1;
        if *clogs > 0 {
            return;
        }
        self.each_connection(path, |network, index| {
            let id = network.id(index);
            let connection = &mut network.connections[index];
            connection.pipes[direction.place()].clogged = false;
            let awaited = match connection.phase {
                Phase::Free => unreachable!("a path's connections have begun"),
                Phase::Connecting => Some(Direction::Forward),
                Phase::Refusing | Phase::Accepted => Some(Direction::Backward),
                Phase::Established => None,
            };
            if awaited == Some(direction) && connection.handshake.wait == Wait::Clog {
                connection.handshake.wait = Wait::Arrival;
                let event = match direction {
                    Direction::Forward => {
                        connection.handshake.arrives_at = agenda.now();
                        NetEvent::SynArrives(id)
                    }
                    Direction::Backward => NetEvent::SynAnswered(id),
                };
                agenda.schedule(agenda.now(), event.into());
            }
            network.arm(agenda, index, direction.sender().other());
        });
    }

    /// Adds `extra` to the one-way delay of everything sent from now on, in both directions.
    pub fn spike(&mut self, from: HostId, to: HostId, extra: Duration) {
        let path = self.paths.index(from, to);
        self.paths.faults_mut(path).extra += extra;
    }

    /// Takes `extra` away again.
    ///
    /// # Panics
    /// If it was not added.
    pub fn unspike(&mut self, from: HostId, to: HostId, extra: Duration) {
        let path = self.paths.index(from, to);
        let present = &mut self.paths.faults_mut(path).extra;
        assert!(extra <= *present, "a spike ends once");
        *present = *present - extra;
    }

    /// Overrides the odds of loss of both directions' profiles for everything sent from now on, or
    /// restores the profiles' odds.
    pub fn add_loss(&mut self, from: HostId, to: HostId, odds: Option<Odds>) {
        let path = self.paths.index(from, to);
        self.paths.faults_mut(path).loss = odds;
    }

    /// Resets every established connection of the path, as a middlebox would.
    pub fn reset_path<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        from: HostId,
        to: HostId,
    ) {
        let path = self.paths.index(from, to);
        self.each_connection(path, |network, index| {
            let conn = network.id(index);
            network.cut_connection(agenda, agenda.now(), conn);
        });
    }

    /// The kernel at `side` forgets a connection as its machine falls silent. The path has been
    /// cut already.
    fn forget<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        side: Side,
    ) {
        match self.connections[index].phase {
            Phase::Free => unreachable!("a path's connections have begun"),
            Phase::Connecting | Phase::Refusing => {
                if side == Side::Initiator {
                    self.free(index);
                }
                return;
            }
            Phase::Accepted | Phase::Established => {}
        }
        // What it would have sent again is lost; what its peer has sent is not acknowledged.
        let connection = &mut self.connections[index];
        connection.ends[side.place()].forgotten = true;
        connection.ends[side.place()].timed_out = false;
        let pipe = &mut connection.pipes[side.sends().place()];
        self.in_flight -= pipe.lose_unsent(agenda.now()) as u64;
        self.arm(agenda, index, side.other());
        self.stick(agenda, index, side.other(), true);
        self.free_if_gone(index);
    }

    /// Keeps what `sender` sends back: what is transmitted from now on, or all of it.
    fn stick<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        sender: Side,
        all: bool,
    ) {
        let pipe = &mut self.connections[index].pipes[sender.sends().place()];
        pipe.stick(agenda.now(), all);
        let oldest = pipe.oldest_unacknowledged();
        if pipe.is_in_trouble(self.timers.retries_limit) {
            self.arm_retries(agenda, index, sender, oldest);
        }
        self.arm(agenda, index, sender.other());
    }

    /// No direction is cut any more: the next SYN gets through.
    fn resume_syn<E: Copy + From<NetEvent>>(&mut self, agenda: &mut Agenda<E>, index: usize) {
        let id = self.id(index);
        let connection = &mut self.connections[index];
        let handshake = &mut connection.handshake;
        if connection.phase != Phase::Connecting || handshake.wait != Wait::Cut {
            return;
        }
        if handshake.transmitted_at < agenda.now() {
            let elapsed = agenda.now().since(handshake.opened_at);
            let Some(after) = self.timers.syn_retransmission_after(elapsed) else {
                handshake.wait = Wait::Nothing;
                return;
            };
            handshake.transmitted_at = handshake.opened_at + after;
        }
        handshake.wait = Wait::Arrival;
        handshake.arrives_at =
            handshake.transmitted_at + handshake.latencies[Direction::Forward.place()];
        agenda.schedule(handshake.arrives_at, NetEvent::SynArrives(id).into());
    }

    /// Calls `act` with each connection of a path, oldest first. It may free that connection,
    /// but no other.
    fn each_connection(&mut self, path: u32, mut act: impl FnMut(&mut Self, usize)) {
        let mut index = self.paths.path(path).first;
        while index != NONE {
            let next = self.connections[index as usize].next;
            act(self, index as usize);
            index = next;
        }
    }

    /// Calls `act` with each path that begins or ends at `host`.
    fn each_path_of_host(&mut self, host: HostId, mut act: impl FnMut(&mut Self, HostId, HostId)) {
        for to in 0..self.paths.servers() {
            act(self, host, HostId(to));
        }
        if host.0 < self.paths.servers() {
            for from in (0..self.paths.hosts()).filter(|from| *from != host.0) {
                act(self, HostId(from), host);
            }
        }
    }

    /// Calls `act` with each end at `host` of each connection. It may free that connection, but
    /// no other.
    fn each_connection_of_host(
        &mut self,
        host: HostId,
        mut act: impl FnMut(&mut Self, usize, Side),
    ) {
        self.each_path_of_host(host, |network, from, to| {
            let path = network.paths.index(from, to);
            network.each_connection(path, |network, index| {
                let generation = network.connections[index].generation;
                for (end, side) in [(from, Side::Initiator), (to, Side::Acceptor)] {
                    if end == host && network.connections[index].generation == generation {
                        act(network, index, side);
                    }
                }
            });
        });
    }
}
