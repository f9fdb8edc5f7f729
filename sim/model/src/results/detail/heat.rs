//! When the redirects of each seed happened: sums by seeds and time, in bounded memory.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bins::Bins;

/// Rows and columns at most.
const MOST: usize = 64;

/// Bins of time of a run.
pub type RunBins = Bins<MOST>;

/// Redirects by neighbouring seeds and time. Rows hold a power of two of seeds, which doubles
/// whenever there would be too many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heat {
    /// A row has two to this power of seeds.
    exponent: u32,
    /// By the seed's number without its lowest `exponent` bits.
    rows: BTreeMap<u64, Row>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    runs: u64,
    redirects: RunBins,
}

impl Row {
    fn merge(&mut self, other: &Row) {
        self.runs += other.runs;
        self.redirects.merge(&other.redirects);
    }
}

/// Redirects by seeds and time, as a report has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatMap {
    /// Seeds that one row is for, a power of two.
    pub seeds_per_row: u64,
    /// Virtual time that one column is for, in nanoseconds, a power of two.
    pub column_ns: u64,
    /// The rows that have a run, lowest seeds first; at most 64.
    pub rows: Vec<HeatRow>,
}

/// The redirects of neighbouring seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatRow {
    /// The lowest seed that belongs here, as a decimal string, whether or not it was run.
    pub from: String,
    /// How many runs there were.
    pub runs: u64,
    /// Redirects of all of them by time, from the beginning on; behind the last, there was none.
    pub redirects: Vec<u64>,
}

impl Heat {
    /// Adds a run.
    pub fn add(&mut self, seed: u64, redirects: &RunBins) {
        let row = Row {
            runs: 1,
            redirects: redirects.clone(),
        };
        self.rows
            .entry(seed >> self.exponent)
            .or_default()
            .merge(&row);
        self.bound();
    }

    /// Adds what another has.
    pub fn merge(&mut self, mut other: Heat) {
        let exponent = self.exponent.max(other.exponent);
        self.coarsen(exponent);
        other.coarsen(exponent);
        for (key, row) in &other.rows {
            self.rows.entry(*key).or_default().merge(row);
        }
        self.bound();
    }

    /// Doubles the rows until they are few enough from the first to the last, the empty ones
    /// included: so it depends only on the lowest and the highest seed.
    fn bound(&mut self) {
        while let (Some((first, _)), Some((last, _))) =
            (self.rows.first_key_value(), self.rows.last_key_value())
            && last - first >= MOST as u64
        {
            self.coarsen(self.exponent + 1);
        }
    }

    fn coarsen(&mut self, exponent: u32) {
        let further = exponent.saturating_sub(self.exponent);
        if further == 0 {
            return;
        }
        for (key, row) in std::mem::take(&mut self.rows) {
            let key = key.checked_shr(further).unwrap_or(0);
            self.rows.entry(key).or_default().merge(&row);
        }
        self.exponent = exponent;
    }

    /// As a report has it: all rows with columns of the same width.
    pub fn report(&self) -> HeatMap {
        let widest = self.rows.values().map(|row| row.redirects.exponent()).max();
        let Some(widest) = widest else {
            return HeatMap::default();
        };
        let row = |(key, row): (&u64, &Row)| {
            let mut redirects = row.redirects.clone();
            redirects.coarsen(widest);
            HeatRow {
                from: key.checked_shl(self.exponent).unwrap_or(0).to_string(),
                runs: row.runs,
                redirects: redirects.sums().to_vec(),
            }
        };
        HeatMap {
            seeds_per_row: 1_u64.checked_shl(self.exponent).unwrap_or(u64::MAX),
            column_ns: 1 << widest,
            rows: self.rows.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_engine::Time;

    fn run(ns: u64) -> RunBins {
        let mut bins = RunBins::default();
        bins.add(Time(ns), 3);
        bins
    }

    #[test]
    fn rows_double_when_seeds_lie_apart() {
        let mut heat = Heat::default();
        for seed in 100..164 {
            heat.add(seed, &run(1));
        }
        assert_eq!(heat.report().seeds_per_row, 1);
        heat.add(164, &run(1 << 40));
        let map = heat.report();
        assert_eq!((map.seeds_per_row, map.rows.len()), (2, 33));
        assert_eq!(map.column_ns, 1 << 35);
        assert_eq!((&*map.rows[0].from, map.rows[0].runs), ("100", 2));
        assert_eq!(map.rows[0].redirects, [6]);
        assert_eq!(map.rows[32].redirects.len(), 33);
    }

    #[test]
    fn the_farthest_seeds_still_fit() {
        let mut heat = Heat::default();
        heat.add(0, &run(5));
        heat.add(u64::MAX, &run(5));
        let map = heat.report();
        assert_eq!((map.seeds_per_row, map.rows.len()), (1 << 58, 2));
    }
}
