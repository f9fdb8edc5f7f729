//! How busy servers were: requests in short intervals, and the rush when postponed commands are
//! released.

use rebound_engine::{Duration, Time};
use rebound_sim::valkey::NodeId;

/// The interval in which requests are counted.
pub(super) const INTERVAL: Duration = Duration::millis(10);

/// Requests that reached the servers.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// The interval of each node's last request, and the requests in it.
    latest: Vec<(u64, u64)>,
    busiest: u64,
    /// Until when requests belong to the last release, and how many there were.
    release: Option<(Time, u64)>,
    rush: u64,
}

impl Load {
    /// A client's request has reached a node.
    pub(super) fn request(&mut self, node: NodeId, now: Time) {
        let index = usize::from(node.0);
        if index >= self.latest.len() {
            self.latest.resize(index + 1, (0, 0));
        }
        let interval = now.nanos() / INTERVAL.as_nanos();
        let (latest, count) = &mut self.latest[index];
        if *latest != interval {
            (*latest, *count) = (interval, 0);
        }
        *count += 1;
        self.busiest = self.busiest.max(*count);
        if let Some((until, count)) = &mut self.release
            && now < *until
        {
            *count += 1;
            self.rush = self.rush.max(*count);
        }
    }

    /// Postponed commands are run again.
    pub(super) fn released(&mut self, now: Time) {
        self.release = Some((now + INTERVAL, 0));
    }

    /// Most requests that one node met within an interval.
    pub(super) fn busiest(&self) -> u64 {
        self.busiest
    }

    /// Most requests that all nodes together met within an interval after a release.
    pub(super) fn rush(&self) -> u64 {
        self.rush
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_node_and_interval() {
        let mut load = Load::default();
        let at = |ms| Time::ZERO + Duration::millis(ms);
        for ms in [0, 1, 9, 10, 19] {
            load.request(NodeId(1), at(ms));
        }
        load.request(NodeId(0), at(9));
        assert_eq!((load.busiest(), load.rush()), (3, 0));
    }

    #[test]
    fn a_rush_follows_a_release() {
        let mut load = Load::default();
        let at = |ms| Time::ZERO + Duration::millis(ms);
        load.request(NodeId(0), at(100));
        load.released(at(105));
        load.request(NodeId(0), at(105));
        load.request(NodeId(1), at(114));
        load.request(NodeId(1), at(115));
        assert_eq!(load.rush(), 2);
    }
}
