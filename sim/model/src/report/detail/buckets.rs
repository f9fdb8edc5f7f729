//! How often values of each order of magnitude occur, in bounded memory: two buckets to each
//! doubling, so that a bucket's ends are at most half as much apart again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two for each power of two.
const MOST: usize = 128;

/// Counts of values by magnitude. Zero and one have buckets of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct Buckets {
    /// The last one is never zero.
    counts: Vec<u64>,
}

impl From<Buckets> for Vec<u64> {
    fn from(buckets: Buckets) -> Vec<u64> {
        buckets.counts
    }
}

impl TryFrom<Vec<u64>> for Buckets {
    type Error = String;

    fn try_from(counts: Vec<u64>) -> Result<Buckets, String> {
        if counts.len() > MOST {
            return Err(format!("{} buckets: expected at most {MOST}", counts.len()));
        }
        Ok(Buckets { counts })
    }
}

/// Values from `from` up to but not including `to`, and how many there are.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The least value that counts.
    pub from: u64,
    /// The least value above it that does not.
    pub to: u64,
    /// How many there are.
    pub count: u64,
}

impl Buckets {
    /// Counts a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        let place = place(value);
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += 1;
    }

    /// Adds what another has.
    pub fn merge(&mut self, other: &Buckets) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (sum, more) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*more);
        }
    }

    /// The buckets with something in them, from the lowest up.
    pub fn report(&self) -> Vec<Bucket> {
        let used = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        used.map(|(place, count)| Bucket {
            from: lowest(place),
            to: lowest(place + 1),
            count: *count,
        })
        .collect()
    }
}

#[inline]
fn place(value: u64) -> usize {
    if value < 2 {
        return value as usize;
    }
    let exponent = value.ilog2();
    let upper_half = (value >> (exponent - 1)) & 1;
    (2 * exponent) as usize + upper_half as usize
}

/// The lowest value of a bucket.
fn lowest(place: usize) -> u64 {
    match place {
        0 | 1 => place as u64,
        MOST.. => u64::MAX,
        _ => (2 + (place as u64 & 1)) << (place / 2 - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_its_bucket() {
        let spots = (0..63).flat_map(|e| [1_u64 << e, (1 << e) + 1, (3 << e) >> 1, (1 << e) - 1]);
        for value in spots.chain([u64::MAX - 1]) {
            let place = place(value);
            assert!(place < MOST, "{value}");
            assert!(lowest(place) <= value, "{value}");
            assert!(value < lowest(place + 1), "{value}");
        }
        assert!((0..MOST).all(|place| lowest(place) < lowest(place + 1)));
    }

    #[test]
    fn counts_add_up() {
        let mut buckets = Buckets::default();
        let mut others = Buckets::default();
        for value in [0, 0, 1, 5] {
            buckets.add(value);
        }
        for value in [5, 4_000] {
            others.add(value);
        }
        buckets.merge(&others);
        let counted: Vec<_> = buckets
            .report()
            .iter()
            .map(|b| (b.from, b.to, b.count))
            .collect();
        assert_eq!(
            counted,
            [(0, 1, 2), (1, 2, 1), (4, 6, 2), (3_072, 4_096, 1)]
        );
    }
}
