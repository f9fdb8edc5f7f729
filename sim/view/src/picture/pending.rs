//! Messages that have been sent and have not arrived.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rebound_net::{ConnId, HostId, Note as NetNote};
use rebound_sim::trace::{Event, Sending};

/// By connection and sender, oldest first.
#[derive(Default)]
pub(super) struct Pending {
    sent: BTreeMap<(u32, u32, HostId), VecDeque<Sending>>,
    over: BTreeSet<(u32, u32)>,
}

fn key(conn: ConnId) -> (u32, u32) {
    (conn.index, conn.generation)
}

impl Pending {
    pub(super) fn sent(&mut self, sending: &Sending) {
        let (index, generation) = key(sending.conn);
        self.sent
            .entry((index, generation, sending.from))
            .or_default()
            .push_back(*sending);
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match *event {
            Event::Net(NetNote::Delivered {
                conn,
                from,
                message,
                ..
            }) => {
                let (index, generation) = key(conn);
                let queue = self.sent.get_mut(&(index, generation, from));
                let first = queue.and_then(VecDeque::pop_front);
                assert!(
                    first.is_some_and(|sending| sending.message == message),
                    "a message arrives that was sent, in the order of sending"
                );
            }
            Event::Net(NetNote::Closed { conn, .. }) => {
                self.over.insert(key(conn));
            }
            Event::Net(
                NetNote::Dialled { .. } | NetNote::Connected { .. } | NetNote::ConnectFailed { .. },
            )
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Client(..)
            | Event::Fault { .. } => {}
        }
    }

    /// What has never arrived, in the order of sending, and whether its connection is over: then
    /// it is lost, and else it was still on its way when the run ended.
    pub(super) fn finish(&mut self) -> Vec<(Sending, bool)> {
        let mut left = Vec::new();
        for ((index, generation, _), queue) in std::mem::take(&mut self.sent) {
            let over = self.over.contains(&(index, generation));
            left.extend(queue.into_iter().map(|sending| (sending, over)));
        }
        left.sort_by_key(|(sending, _)| (sending.at, sending.from, sending.to));
        left
    }
}
