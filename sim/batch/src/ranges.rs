//! Sets of seeds as disjoint ranges.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::seeds::Seeds;

/// Ranges that neither overlap nor touch, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ranges(Vec<Seeds>);

impl Ranges {
    /// Adds a range, joining what touches.
    pub fn add(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.0.partition_point(|known| known.0.end < range.start);
        let last = self.0.partition_point(|known| known.0.start <= range.end);
        let mut joined = range;
        if first < last {
            joined.start = joined.start.min(self.0[first].0.start);
            joined.end = joined.end.max(self.0[last - 1].0.end);
        }
        self.0.splice(first..last, [Seeds(joined)]);
    }

    /// How many seeds there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(Seeds::count).sum()
    }

    /// From the first to the last.
    pub fn span(&self) -> Option<Range<u64>> {
        Some(self.0.first()?.0.start..self.0.last()?.0.end)
    }

    /// What of `whole` is not there.
    pub fn gaps(&self, whole: &Range<u64>) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut from = whole.start;
        for Seeds(known) in &self.0 {
            if from < known.start.min(whole.end) {
                gaps.push(from..known.start.min(whole.end));
            }
            from = from.max(known.end);
        }
        if from < whole.end {
            gaps.push(from..whole.end);
        }
        gaps
    }

    /// Whether the ranges are in order, as [`Ranges::add`] leaves them.
    pub(crate) fn in_order(&self) -> bool {
        self.0
            .windows(2)
            .all(|pair| pair[0].0.end < pair[1].0.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to add short ranges, against a plain set.
    #[test]
    fn ranges_are_a_set() {
        let all: Vec<Range<u64>> = (0..6).flat_map(|a| (a + 1..6).map(move |b| a..b)).collect();
        for a in &all {
            for b in &all {
                for c in &all {
                    let mut ranges = Ranges::default();
                    let mut plain = std::collections::BTreeSet::new();
                    for range in [a, b, c] {
                        ranges.add(range.clone());
                        plain.extend(range.clone());
                    }
                    let gaps: Vec<u64> = ranges.gaps(&(1..8)).into_iter().flatten().collect();
                    let missing: Vec<u64> = (1..8).filter(|s| !plain.contains(s)).collect();
                    assert_eq!(gaps, missing, "{a:?} {b:?} {c:?}");
                    assert_eq!(ranges.count(), plain.len() as u64);
                    assert!(ranges.in_order(), "{ranges:?}");
                }
            }
        }
    }
}
