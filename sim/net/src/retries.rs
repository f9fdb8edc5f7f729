//! When nobody answers: retries that run out, and ends that know nothing of a connection.

use super::connection::Content;
use super::network::Network;
use super::types::{ConnId, NetEvent, Notice, Side};
use rebound_engine::{Agenda, Time};

impl<M: Copy> Network<M> {
    /// Ensures that an event is pending for the time when the retries of `side` run out, if what it
    /// sent at `sent_at` stays without acknowledgement.
    #[cold]
    pub(super) fn arm_retries<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        side: Side,
        sent_at: Time,
    ) {
        let id = self.id(index);
        let pipe = &mut self.connections[index].pipes[side.sends().place()];
        if !pipe.retries_armed {
            pipe.retries_armed = true;
            let over = sent_at + self.timers.retries_limit;
            agenda.schedule(over, NetEvent::RetriesOver(id, side).into());
        }
    }

    /// What was sent to `side` at `sent_at` has arrived, but a cut loses the acknowledgement.
    #[cold]
    pub(super) fn lose_acknowledgement<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        side: Side,
        sent_at: Time,
    ) {
        let sender = side.other();
        let pipe = &mut self.connections[index].pipes[sender.sends().place()];
        pipe.unacknowledged_since = pipe.unacknowledged_since.min(sent_at);
        self.arm_retries(agenda, index, sender, sent_at);
    }

    /// Something reaches an end that knows nothing of the connection: it answers with a reset
    /// (but never to a reset).
    #[cold]
    pub(super) fn answer_with_reset<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        index: usize,
        side: Side,
    ) {
        let pipe = &mut self.connections[index].pipes[side.other().sends().place()];
        let answered = pipe
            .items
            .front()
            .is_some_and(|item| !matches!(item.content, Content::Rst));
        self.in_flight -= pipe.empty() as u64;
        if answered {
            self.transmit(agenda, agenda.now(), index, side, Content::Rst);
        }
    }

    #[cold]
    pub(super) fn retries_over<E: Copy + From<NetEvent>>(
        &mut self,
        agenda: &mut Agenda<E>,
        conn: ConnId,
        side: Side,
    ) -> Option<Notice> {
        let index = self.live(conn)?;
        let limit = self.timers.retries_limit;
        let connection = &mut self.connections[index];
        let pipe = &mut connection.pipes[side.sends().place()];
        pipe.retries_armed = false;
        let oldest = pipe.oldest_unacknowledged();
        if oldest == Time::NEVER {
            return None;
        }
        if oldest + limit > agenda.now() {
            if pipe.is_in_trouble(limit) {
                self.arm_retries(agenda, index, side, oldest);
            }
            return None;
        }
        self.in_flight -= pipe.empty() as u64;
        let end = &mut connection.ends[side.place()];
        let told = !end.done && !end.forgotten;
        end.timed_out = told;
        end.forgotten = true;
        self.free_if_gone(index);
        told.then_some(Notice::Arrivals(conn, side))
    }
}
