//! More of something within an interval than is allowed: what `connection-storm` and
//! `thundering-herd` look for.

use std::collections::VecDeque;

use rebound_engine::{Duration, Time};

/// What has happened lately, and whether it has been too much.
#[derive(Clone, Debug, Default)]
pub(super) struct Rush {
    /// The latest times, as many as are allowed.
    latest: VecDeque<Time>,
    reported: bool,
}

impl Rush {
    /// Prepares for a new run.
    pub(super) fn reset(&mut self) {
        self.latest.clear();
        self.reported = false;
    }

    /// It happens once more. The first time that this is more than `most` times within an interval
    /// of `within`: how long they took.
    pub(super) fn another(&mut self, now: Time, most: u32, within: Duration) -> Option<Duration> {
        if self.reported {
            return None;
        }
        self.latest.push_back(now);
        if self.latest.len() <= most as usize {
            return None;
        }
        let took = now.since(self.latest.pop_front()?);
        self.reported = took < within;
        self.reported.then_some(took)
    }
}
