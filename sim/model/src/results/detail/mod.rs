//! What a sweep keeps beyond sums if it is asked to: the distributions of chains, bounces and
//! outages, and when the redirects of each seed happened. Memory is bounded, and merging is
//! commutative and associative, as for the sums.

mod bins;
mod buckets;
mod heat;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bins::Bins;
pub use buckets::{Bucket, Buckets};
pub use heat::{Heat, HeatMap, HeatRow, RunBins};

/// What is kept of some runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Ended commands by the redirects that they met.
    pub chains: Buckets,
    /// Ended commands by their bounces.
    pub bounces: Buckets,
    /// Clients by their longest time without a read served.
    pub read_outages: Buckets,
    /// Clients by their longest time without a write served.
    pub write_outages: Buckets,
    /// When the redirects of each seed happened.
    pub redirects: Heat,
}

impl Detail {
    /// Adds what another has.
    pub fn merge(&mut self, other: Detail) {
        self.chains.merge(&other.chains);
        self.bounces.merge(&other.bounces);
        self.read_outages.merge(&other.read_outages);
        self.write_outages.merge(&other.write_outages);
        self.redirects.merge(other.redirects);
    }

    /// As a report has it.
    pub fn report(&self) -> DetailReport {
        DetailReport {
            chains: self.chains.report(),
            bounces: self.bounces.report(),
            read_outages_ns: self.read_outages.report(),
            write_outages_ns: self.write_outages.report(),
            redirects: self.redirects.report(),
        }
    }
}

/// The part of a sweep's report that `--detail` adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailReport {
    /// Commands that ended, by the redirects that they met.
    pub chains: Vec<Bucket>,
    /// Commands that ended, by the redirects that led back.
    pub bounces: Vec<Bucket>,
    /// Clients of all runs by their longest time without a read served, in nanoseconds; zero for
    /// those without an outage.
    pub read_outages_ns: Vec<Bucket>,
    /// Clients of all runs by their longest time without a write served.
    pub write_outages_ns: Vec<Bucket>,
    /// When the redirects of each seed happened.
    pub redirects: HeatMap,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rebound_engine::Time;

    type Run = (u64, Vec<u64>);

    fn detail<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Detail {
        let mut detail = Detail::default();
        for (seed, times) in runs {
            let mut bins = RunBins::default();
            for time in times {
                bins.add(Time(*time), 1);
                detail.chains.add(*time % 9_000);
                detail.write_outages.add(*time);
            }
            detail.redirects.add(*seed, &bins);
        }
        detail
    }

    fn some_runs() -> impl Strategy<Value = Vec<Run>> {
        let seed = prop_oneof![0u64..300, any::<u64>()];
        let times = prop::collection::vec(0u64..1 << 36, 0..6);
        prop::collection::btree_map(seed, times, 0..80).prop_map(|runs| runs.into_iter().collect())
    }

    proptest! {
        /// However the runs are dealt out and in whatever order parts are merged, the whole is
        /// the same, and so is what a saved one reads back.
        #[test]
        fn order_and_grouping_mean_nothing(
            runs in some_runs(), keys in prop::collection::vec(0usize..4, 80), turn in 0usize..4
        ) {
            let whole = detail(&runs);
            let part = |k| detail(runs.iter().zip(&keys).filter(|(_, key)| **key == k).map(|(r, _)| r));
            let mut parts: Vec<_> = (0..4).map(part).collect();
            parts.rotate_left(turn);
            let mut left = Detail::default();
            for part in parts.clone() {
                left.merge(part);
            }
            prop_assert_eq!(&left, &whole);
            let right = parts.into_iter().rev().fold(Detail::default(), |sum, mut part| {
                part.merge(sum);
                part
            });
            prop_assert_eq!(&right, &whole);
            let text = serde_json::to_string(&whole).expect("serializable");
            prop_assert_eq!(serde_json::from_str::<Detail>(&text).expect("readable"), whole);
        }
    }

    #[test]
    fn memory_stays_bounded() {
        let runs: Vec<Run> = (0..4_096).map(|n| (n, vec![n << 24, n << 23])).collect();
        let report = detail(&runs).report().redirects;
        assert_eq!((report.rows.len(), report.seeds_per_row), (64, 64));
        assert!(
            report
                .rows
                .iter()
                .all(|row| row.redirects.len() <= 64 && row.runs == 64)
        );
        let found: u64 = report.rows.iter().flat_map(|row| &row.redirects).sum();
        assert_eq!(found, 2 * 4_096);
    }
}
