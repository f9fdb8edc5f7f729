//! A run's course: what happened in each stretch of virtual time, summed over runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rebound_engine::Time;
use rebound_sim::results::Bins;

/// Bins at most.
const MOST: usize = 128;

/// The course of some runs under one behaviour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// How long runs went on, in nanoseconds.
    covered: Bins<MOST>,
    redirects: Bins<MOST>,
    served: Bins<MOST>,
    failed: Bins<MOST>,
    /// How long commands were postponed, in nanoseconds.
    postponed: Bins<MOST>,
}

impl Series {
    pub(super) fn redirect(&mut self, now: Time) {
        self.redirects.add(now, 1);
    }

    pub(super) fn ended(&mut self, now: Time, served: bool) {
        let bins = if served {
            &mut self.served
        } else {
            &mut self.failed
        };
        bins.add(now, 1);
    }

    pub(super) fn postponed(&mut self, from: Time, until: Time) {
        self.postponed.spread(from, until);
    }

    /// The run has ended.
    pub(super) fn finish(&mut self, end: Time) {
        self.covered.spread(Time::ZERO, end);
    }

    /// Adds another run's, or runs'.
    pub(super) fn merge(&mut self, other: &Series) {
        self.covered.merge(&other.covered);
        self.redirects.merge(&other.redirects);
        self.served.merge(&other.served);
        self.failed.merge(&other.failed);
        self.postponed.merge(&other.postponed);
    }

    /// As a report has it, with bins at least so wide; see [`Series::exponent`].
    pub(super) fn report(&self, exponent: u32) -> Course {
        let mut covered = self.covered.clone();
        covered.coarsen(exponent);
        let bins = covered.sums().len();
        let sums = |of: &Bins<MOST>| {
            let mut of = of.clone();
            of.coarsen(covered.exponent());
            let mut sums = of.sums().to_vec();
            sums.resize(bins, 0);
            sums
        };
        Course {
            bin_ns: covered.width_ns(),
            redirects: sums(&self.redirects),
            served: sums(&self.served),
            failed: sums(&self.failed),
            postponed_ns: sums(&self.postponed),
            covered_ns: covered.sums().to_vec(),
        }
    }

    /// How wide its bins are.
    pub(super) fn exponent(&self) -> u32 {
        self.covered.exponent()
    }
}

/// What happened in each stretch of virtual time, summed over all runs. All lists are of one
/// length. Divided by `covered_ns`, counts are rates per run, and `postponed_ns` is how many
/// commands were postponed at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// The length of a stretch, in nanoseconds: a power of two.
    pub bin_ns: u64,
    /// How long runs were in progress in each interval, in nanoseconds.
    pub covered_ns: Vec<u64>,
    /// Redirects that were followed.
    pub redirects: Vec<u64>,
    /// Commands that were served.
    pub served: Vec<u64>,
    /// Commands that ended otherwise.
    pub failed: Vec<u64>,
    /// How long commands were postponed, in nanoseconds.
    pub postponed_ns: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_engine::Duration;

    #[test]
    fn sums_are_those_of_both_runs() {
        let run = |ms: u64| {
            let at = |ms| Time::ZERO + Duration::millis(ms);
            let mut series = Series::default();
            series.redirect(at(ms / 2));
            series.ended(at(ms - 1), true);
            series.ended(at(ms - 1), false);
            series.postponed(at(0), at(ms / 2));
            series.finish(at(ms));
            series
        };
        let mut sum = run(1_000);
        sum.merge(&run(4_000));
        let course = sum.report(0);
        let total = |values: &[u64]| values.iter().sum::<u64>();
        assert_eq!(course.bin_ns, 1 << 25);
        assert_eq!(total(&course.covered_ns), 5_000_000_000);
        assert_eq!(total(&course.postponed_ns), 2_500_000_000);
        assert_eq!((total(&course.redirects), total(&course.served)), (2, 2));
        for values in [&course.redirects, &course.failed, &course.postponed_ns] {
            assert_eq!(values.len(), course.covered_ns.len());
        }
        assert_eq!(sum.report(30).covered_ns.len(), 4);
    }
}
