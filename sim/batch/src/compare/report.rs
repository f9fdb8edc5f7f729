//! The report of a comparison.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::series::Course;
use rebound_sim::results::{SeedList, SeedSpan, Verdicts};

/// The report of a comparison: `rebound compare --format json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareReport {
    /// Always `rebound.compare/1`.
    pub schema: String,
    /// The model's version.
    pub model: String,
    /// The seeds, the same for every behaviour.
    pub seeds: SeedSpan,
    /// How intervals were found.
    pub intervals: IntervalMethod,
    /// Each scenario separately.
    pub scenarios: Vec<ScenarioComparison>,
}

impl CompareReport {
    /// The value of [`CompareReport::schema`].
    pub const SCHEMA: &str = "rebound.compare/1";
}

/// How confidence intervals were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntervalMethod {
    /// `paired percentile bootstrap`: seeds are resampled, and the mean of their differences is
    /// taken each time.
    pub method: String,
    /// Share of the means that lie within, in percent.
    pub level_percent: u32,
    /// How many times the seeds are resampled.
    pub resamples: u64,
}

impl Default for IntervalMethod {
    fn default() -> Self {
        IntervalMethod {
            method: "paired percentile bootstrap".to_owned(),
            level_percent: 95,
            resamples: super::RESAMPLES as u64,
        }
    }
}

/// One scenario under each behaviour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioComparison {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's file, as the command line named it; empty in reports of earlier builds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scenario_path: String,
    /// Hash of the scenario file, 32 hexadecimal digits.
    pub scenario_hash: String,
    /// The behaviours, in the order asked for.
    pub behaviours: Vec<BehaviourColumn>,
}

/// What runs under one behaviour gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BehaviourColumn {
    /// The behaviour.
    pub behaviour: String,
    /// Runs by verdict.
    pub verdicts: Verdicts,
    /// Figures of a run, by name: how they are spread over the seeds. Times are in nanoseconds.
    pub figures: BTreeMap<String, Spread>,
    /// Each client's longest time without a read served, in nanoseconds, over all clients of all
    /// runs.
    pub client_read_outages: Spread,
    /// Each client's longest time without a write served, in nanoseconds.
    pub client_write_outages: Spread,
    /// Errors that reached applications in all runs, by code.
    pub errors: BTreeMap<String, u64>,
    /// The flagged seeds.
    pub flagged_seeds: SeedList,
    /// Of the flagged seeds, the first one with the longest chain, as a decimal string.
    pub worst_seed: Option<String>,
    /// The mean difference from the first behaviour in each figure, seed by seed; none for the
    /// first itself.
    pub against_first: Option<BTreeMap<String, Difference>>,
    /// What happened when, over all runs; stretches are equally long for all behaviours of a
    /// scenario. None in reports of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
}

/// How values are spread.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The median: the least value that at least half of them do not exceed.
    pub p50: u64,
    /// The least value that at least 99 % of them do not exceed.
    pub p99: u64,
    /// The greatest.
    pub max: u64,
}

impl Spread {
    pub(super) fn of(values: &[u64]) -> Spread {
        let mut counts = BTreeMap::new();
        for value in values {
            *counts.entry(*value).or_insert(0) += 1;
        }
        Spread::of_counts(&counts)
    }

    /// Of values and how often each occurs.
    pub(super) fn of_counts(counts: &BTreeMap<u64, u64>) -> Spread {
        let total: u64 = counts.values().sum();
        let Some((max, _)) = counts.last_key_value() else {
            return Spread::default();
        };
        let ranked = |percent: u64| {
            let rank = (u128::from(total) * u128::from(percent))
                .div_ceil(100)
                .max(1);
            let mut below = 0_u128;
            let index = counts.iter().find(|(_, count)| {
                below += u128::from(**count);
                below >= rank
            });
            index.map_or(*max, |(value, _)| *value)
        };
        let weighed = counts
            .iter()
            .map(|(value, count)| u128::from(*value) * u128::from(*count));
        Spread {
            mean: weighed.sum::<u128>() as f64 / total as f64,
            p50: ranked(50),
            p99: ranked(99),
            max: *max,
        }
    }
}

/// How far a behaviour's mean is from the first one's.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The mean difference.
    pub mean: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<u64> = (1..=100).rev().collect();
        let spread = Spread::of(&values);
        assert_eq!((spread.p50, spread.p99, spread.max), (50, 99, 100));
        assert!((spread.mean - 50.5).abs() < 1e-9);
        let one = Spread::of(&[7]);
        assert_eq!((one.p50, one.p99, one.max), (7, 7, 7));
        assert_eq!(Spread::of(&[]), Spread::default());
    }
}
