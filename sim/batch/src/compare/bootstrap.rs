//! Confidence intervals of a mean difference, by resampling the pairs (percentile bootstrap).
//!
//! Most of what is compared is far from normal: a chain of redirects is zero in one run and
//! thousands in the next. Resampling assumes nothing about shapes, and in whole numbers it gives
//! the same digits on every machine.

use super::report::Difference;
use rebound_engine::Chooser;

/// How many times the pairs are resampled.
pub(crate) const RESAMPLES: usize = 1_000;

/// Places of the sorted sums at which the interval ends: 95 % of them lie between.
const ENDS: (usize, usize) = (RESAMPLES / 40, RESAMPLES - 1 - RESAMPLES / 40);

/// The mean and its interval of each column of `differences`, of which all have a value for each seed.
///
/// # Panics
/// If columns differ in length.
pub(super) fn intervals(differences: &[Vec<i64>]) -> Vec<Difference> {
    let count = differences.first().map_or(0, Vec::len);
    assert!(differences.iter().all(|column| column.len() == count));
    if count == 0 {
        return Vec::new();
    }
    let mut chooser = Chooser::default();
    let stream = chooser.stream("compare/bootstrap");
    chooser.reset(0);
    let mut sums = vec![Vec::with_capacity(RESAMPLES); differences.len()];
    let mut drawn = vec![0_usize; count];
    for _ in 0..RESAMPLES {
        drawn.fill_with(|| chooser.below(stream, count as u64) as usize);
        for (sums, column) in sums.iter_mut().zip(differences) {
            sums.push(
                drawn
                    .iter()
                    .map(|index| i128::from(column[*index]))
                    .sum::<i128>(),
            );
        }
    }
    let mean = |sum: i128| sum as f64 / count as f64;
    sums.into_iter()
        .zip(differences)
        .map(|(mut sums, column)| {
            sums.sort_unstable();
            Difference {
                mean: mean(column.iter().map(|value| i128::from(*value)).sum()),
                low: mean(sums[ENDS.0]),
                high: mean(sums[ENDS.1]),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_leave_no_doubt() {
        let found = intervals(&[vec![-3; 50], vec![0; 50]]);
        let sure = |mean| Difference {
            mean,
            low: mean,
            high: mean,
        };
        assert_eq!(found, [sure(-3.0), sure(0.0)]);
        assert!(intervals(&[]).is_empty());
    }

    /// For many independent values the interval is nearly that of the normal distribution:
    /// the mean ± 1.96 standard errors.
    #[test]
    fn the_interval_has_the_right_width() {
        let values: Vec<i64> = (0..1_000).map(|i| (i * 7_919) % 1_000).collect();
        let found = intervals(std::slice::from_ref(&values))[0];
        assert!((found.mean - 499.5).abs() < 1e-9);
        // The standard deviation of 0..1000 is 288.7, so the standard error is 9.13.
        let (below, above) = (found.mean - found.low, found.high - found.mean);
        for half in [below, above] {
            assert!((half - 17.9).abs() < 2.0, "{half}");
        }
    }

    #[test]
    fn the_digits_are_always_the_same() {
        let values = vec![(0..100).map(|i| i * i).collect::<Vec<i64>>()];
        assert_eq!(intervals(&values), intervals(&values));
    }
}
