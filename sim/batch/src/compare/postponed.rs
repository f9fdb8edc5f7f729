//! Commands that servers postponed, and for how long.

use super::series::Series;
use rebound_engine::{Duration, Time};
use rebound_net::HostId;
use rebound_sim::valkey::NodeId;

/// A command that is postponed.
#[derive(Copy, Clone, Debug)]
struct Held {
    node: NodeId,
    peer: HostId,
    since: Time,
}

/// Commands that were postponed.
#[derive(Debug, Default)]
pub(super) struct Postponed {
    held: Vec<Held>,
    count: u64,
    longest: Duration,
}

impl Postponed {
    /// A node postpones a client's command.
    pub(super) fn postponed(&mut self, node: NodeId, peer: HostId, now: Time) {
        self.count += 1;
        let since = now;
        self.held.push(Held { node, peer, since });
    }

    /// A node holds nothing any more: it runs all that it has postponed again, or its process has
    /// ended. What it postpones again is counted again.
    pub(super) fn released(&mut self, node: NodeId, now: Time, series: &mut Series) {
        self.drop_held(now, series, |held| held.node == node);
    }

    /// A client's connection to a node is gone, and with it what was postponed on it.
    pub(super) fn peer_gone(&mut self, node: NodeId, peer: HostId, now: Time, series: &mut Series) {
        self.drop_held(now, series, |held| held.node == node && held.peer == peer);
    }

    fn drop_held(&mut self, now: Time, series: &mut Series, gone: impl Fn(&Held) -> bool) {
        let longest = &mut self.longest;
        self.held.retain(|held| {
            let gone = gone(held);
            if gone {
                *longest = (*longest).max(now.since(held.since));
                series.postponed(held.since, now);
            }
            !gone
        });
    }

    /// How many commands were postponed, and the longest time that one was; what is still held
    /// has been until `end`.
    pub(super) fn finish(mut self, end: Time, series: &mut Series) -> (u64, Duration) {
        self.drop_held(end, series, |_| true);
        (self.count, self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    #[test]
    fn a_node_releases_what_it_holds_and_nothing_else() {
        let mut postponed = Postponed::default();
        postponed.postponed(A, HostId(7), Time(10));
        postponed.postponed(B, HostId(8), Time(10));
        postponed.released(A, Time(30), &mut Series::default());
        let finished = postponed.finish(Time(25), &mut Series::default());
        assert_eq!(finished, (2, Duration(20)));
    }

    #[test]
    fn what_is_never_released_is_held_to_the_end() {
        let mut postponed = Postponed::default();
        postponed.postponed(A, HostId(7), Time(10));
        postponed.postponed(A, HostId(8), Time(20));
        postponed.peer_gone(A, HostId(7), Time(15), &mut Series::default());
        let finished = postponed.finish(Time(100), &mut Series::default());
        assert_eq!(finished, (2, Duration(80)));
    }
}
