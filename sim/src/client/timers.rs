//! When to be woken. A wake-up that was asked for cannot be called back, so a client asks only
//! for one that is earlier than all it has asked for: what is pending is a short stack.

use crate::engine::Time;

/// The wake-ups that are still to come, the earliest on top.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    pending: Vec<Time>,
}

impl Wakes {
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Forgets what has come.
    pub(super) fn passed(&mut self, now: Time) {
        while self.pending.last().is_some_and(|at| *at <= now) {
            self.pending.pop();
        }
    }

    /// Whether a wake-up at `wanted` has to be asked for; if so it now counts as pending.
    pub(super) fn want(&mut self, wanted: Time) -> bool {
        let earlier = self
            .pending
            .last()
            .map_or(wanted < Time::NEVER, |at| wanted < *at);
        if earlier {
            self.pending.push(wanted);
        }
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_earlier_wake_ups_are_asked_for() {
        let mut wakes = Wakes::default();
        assert!(!wakes.want(Time::NEVER));
        assert!(wakes.want(Time(100)));
        assert!(!wakes.want(Time(100)));
        assert!(!wakes.want(Time(200)));
        assert!(wakes.want(Time(50)));
        wakes.passed(Time(50));
        assert!(!wakes.want(Time(120)), "100 is still to come");
        wakes.passed(Time(100));
        assert!(wakes.want(Time(120)));
    }
}
