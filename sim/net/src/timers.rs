//! When TCP sends again: how many times a segment is lost, and how long each loss costs.
//!
//! The rules are those of Linux 6.18 as measured with its defaults, which follow RFC 6298
//! (retransmission timeout, doubling) and RFC 8985 (RACK and the tail-loss probe).

use super::types::TcpTimers;
use rebound_engine::{Duration, Odds};

/// The longest timeout: doubling ends here (Linux `TCP_RTO_MAX`).
const RTO_MAX: Duration = Duration::secs(120);

/// A segment is lost at most this many times in a row.
const MOST_LOSSES: u32 = 20;

/// How many times in a row a segment is lost, by one draw `raw`: at least `n` times with
/// probability oddsⁿ. Raising the odds never lowers the number that a draw gives.
#[inline]
pub(super) fn losses(raw: u64, odds: Odds) -> u32 {
    if raw >= odds.raw() {
        return 0;
    }
    more_losses(raw, odds)
}

#[cold]
fn more_losses(raw: u64, odds: Odds) -> u32 {
    let mut power = odds.raw();
    let mut losses = 0;
    while raw < power && losses < MOST_LOSSES {
        losses += 1;
        power = ((u128::from(power) * u128::from(odds.raw())) >> 64) as u64;
    }
    losses
}

impl TcpTimers {
    /// When, counted from its first transmission, a segment is sent again: R, 2R, 4R, 8R …
    /// with R = `rto_min` + one round trip. (The gaps are R, R, 2R, 4R: the first
    /// retransmission is the tail-loss probe, which does not back off. Linux 6.18, measured.)
    fn retransmissions(&self, latency: Duration) -> impl Iterator<Item = Duration> {
        let first = (self.rto_min + latency.times(2)).max(Duration::nanos(1));
        let mut at = first;
        let mut gap = first;
        std::iter::once(first).chain(std::iter::repeat_with(move || {
            at += gap;
            gap = gap.times(2).min(RTO_MAX);
            at
        }))
    }

    /// When, counted from its first transmission, a segment is sent for the `n`th time again.
    #[cold]
    pub(super) fn retransmission(&self, latency: Duration, n: u32) -> Duration {
        match n.checked_sub(1) {
            None => Duration::ZERO,
            Some(earlier) => self
                .retransmissions(latency)
                .nth(earlier as usize)
                .expect("retransmissions are endless"),
        }
    }

    /// The first retransmission that is not before `elapsed`.
    pub(super) fn retransmission_after(&self, latency: Duration, elapsed: Duration) -> Duration {
        self.retransmissions(latency)
            .find(|at| *at >= elapsed)
            .expect("retransmissions are endless")
    }

    /// When, counted from the first, SYNs are sent again: 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s
    /// by default (Linux 6.18, measured up to 35 s); and at last when the kernel gives up.
    fn syn_retransmissions(&self) -> impl Iterator<Item = Duration> {
        let mut at = Duration::ZERO;
        let linear = self.syn_linear_timeouts + 1;
        (1..=self.syn_linear_timeouts + self.syn_retries + 1).map(move |n| {
            let doublings = n.saturating_sub(linear).min(63);
            at += self.syn_timeout.times(1 << doublings).min(RTO_MAX);
            at
        })
    }

    /// When, counted from the first, the SYN is sent for the `n`th time again; `None` if the
    /// kernel gives up before.
    pub(super) fn syn_retransmission(&self, n: u32) -> Option<Duration> {
        match n.checked_sub(1) {
            None => Some(Duration::ZERO),
            Some(_) if n > self.syn_linear_timeouts + self.syn_retries => None,
            Some(earlier) => self.syn_retransmissions().nth(earlier as usize),
        }
    }

    /// The first retransmission of a SYN that is not before `elapsed`, if there is one.
    pub(super) fn syn_retransmission_after(&self, elapsed: Duration) -> Option<Duration> {
        let count = self.syn_linear_timeouts + self.syn_retries;
        self.syn_retransmissions()
            .take(count as usize)
            .find(|at| *at >= elapsed)
    }

    /// How long after the first SYN a connect fails without an answer: 131 s by default.
    pub(super) fn syn_given_up(&self) -> Duration {
        self.syn_retransmissions().last().unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn data_is_sent_again_at_r_times_powers_of_two() {
        let timers = TcpTimers::default();
        let latency = Duration::millis(5); // R = 210 ms
        let at = |n| timers.retransmission(latency, n).as_nanos() / 1_000_000;
        let measured: Vec<u64> = (0..8).map(at).collect();
        assert_eq!(measured, [0, 210, 420, 840, 1_680, 3_360, 6_720, 13_440]);
    }

    #[test]
    fn a_black_hole_is_left_at_the_next_retransmission() {
        let timers = TcpTimers::default();
        for (lasted, recovered) in [
            (500, 840),
            (1_000, 1_680),
            (2_000, 3_360),
            (5_000, 6_720),
            (10_000, 13_440),
        ] {
            assert_eq!(
                timers.retransmission_after(Duration::millis(5), Duration::millis(lasted)),
                Duration::millis(recovered)
            );
        }
    }

    #[test]
    fn gaps_between_retransmissions_end_at_two_minutes() {
        let timers = TcpTimers::default();
        let latency = Duration::micros(500);
        let gap = timers.retransmission(latency, 20) - timers.retransmission(latency, 19);
        assert_eq!(gap, Duration::secs(120));
    }

    #[test]
    fn syns_are_sent_again_linearly_and_then_doubling() {
        let timers = TcpTimers::default();
        let seconds: Vec<u64> = (1..=10)
            .filter_map(|n| timers.syn_retransmission(n))
            .map(|span| span.as_nanos() / 1_000_000_000)
            .collect();
        assert_eq!(seconds, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67]);
        assert_eq!(timers.syn_retransmission(11), None);
        assert_eq!(timers.syn_given_up(), Duration::secs(131));
        let before_linear = TcpTimers {
            syn_linear_timeouts: 0,
            ..TcpTimers::default()
        };
        assert_eq!(before_linear.syn_given_up(), Duration::secs(127));
    }

    proptest! {
        #[test]
        fn raising_the_odds_only_adds_losses(
            raw in any::<u64>(), mut odds in any::<[u32; 2]>()
        ) {
            odds.sort_unstable();
            let [low, high] = odds.map(|parts| Odds::per_million(parts % 1_000_001));
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(losses(raw, low) <= losses(raw, high));
        }
    }

    #[test]
    fn losses_in_a_row_have_the_power_of_the_odds() {
        let odds = Odds::per_million(100_000);
        let draws = 1_u64 << 16;
        let mut counts = [0_u64; 4];
        for i in 0..draws {
            counts[losses(i << 48, odds).min(3) as usize] += 1;
        }
        assert_eq!(counts, [58_982, 5_898, 590, 66]);
        assert_eq!(losses(0, Odds::NEVER), 0);
        assert_eq!(losses(5, Odds::per_million(1_000_000)), MOST_LOSSES);
    }
}
