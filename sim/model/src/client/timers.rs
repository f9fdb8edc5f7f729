//! When to be woken. A wake-up that was asked for cannot be called back, so a client asks only
//! for one that is earlier than all it has asked for: what is pending is a short stack.

use rebound_engine::Time;

/// The wake-ups that are still to come.
#[derive(Debug)]
pub(super) struct Wakes {
    earliest: Time,
    /// The others, the next one on top.
    later: Vec<Time>,
}

impl Default for Wakes {
    fn default() -> Self {
        Wakes {
            earliest: Time::NEVER,
            later: Vec::with_capacity(3),
        }
    }
}

impl Wakes {
    pub(super) fn clear(&mut self) {
        self.earliest = Time::NEVER;
        self.later.clear();
    }

    /// Forgets what has come.
    #[inline]
    pub(super) fn passed(&mut self, now: Time) {
        while self.earliest <= now {
            self.earliest = self.later.pop().unwrap_or(Time::NEVER);
        }
    }

    /// Whether a wake-up at `wanted` has to be asked for; if so it now counts as pending.
    #[inline]
    pub(super) fn want(&mut self, wanted: Time) -> bool {
        let sooner = wanted < self.earliest;
        if sooner {
            if self.earliest != Time::NEVER {
                self.later.push(self.earliest);
            }
            self.earliest = wanted;
        }
        sooner
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
