//! Distributions of durations, as integer tables of quantiles: one draw in, nanoseconds out.

use super::normal_quantiles::{UPPER_HALF, UPPER_TAIL};
use super::time::Duration;

/// Segments of a table. The last one is divided into as many again, since the interesting delays
/// are in the tail.
const SEGMENTS: usize = 256;

/// A distribution of durations, ready to be sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Always the same.
    Constant(Duration),
    /// Every duration from `low` to `high`, equally likely.
    Uniform {
        /// The shortest.
        low: Duration,
        /// The longest.
        high: Duration,
    },
    /// A shape given by its quantiles.
    Table(Box<Table>),
}

/// The quantiles of a distribution at i/256, and its last segment at 255/256 + i/65,536, in 32
/// bits each: tables that are used all the time have to be small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Unit of the quantiles: 2 to this power nanoseconds. Zero unless some are above 4.2 s.
    shift: u32,
    body: [u32; SEGMENTS + 1],
    tail: [u32; SEGMENTS + 1],
}

impl Distribution {
    /// A log-normal distribution with the given median and 99th percentile.
    ///
    /// Its upper end is cut at the quantile 1 − 1/131,072, its lower at 1/512.
    ///
    /// # Errors
    /// If the median is zero or the percentile is below it.
    pub fn log_normal(median: Duration, p99: Duration) -> Result<Distribution, String> {
        if median == Duration::ZERO || p99 < median {
            return Err(format!(
                "log-normal with median {median} and p99 {p99}: expected 0 < median <= p99"
            ));
        }
        let ratio = log2_q32(p99.0) - log2_q32(median.0);
        let at = |quantile: i64| {
            let exponent = log2_q32(median.0) + ratio * i128::from(quantile) / (1 << 24);
            exp2_q32(exponent)
        };
        Ok(Distribution::table(|p| {
            let half = 1 << 15;
            at(if p >= 255 << 8 {
                UPPER_TAIL[p - (255 << 8)]
            } else if p >= half {
                UPPER_HALF[(p - half) >> 8]
            } else if p == 0 {
                // The quantile at 0 is minus infinity; take 1/512, half a segment in.
                -UPPER_TAIL[128]
            } else {
                -UPPER_HALF[(half - p) >> 8]
            })
        }))
    }

    /// An exponential distribution with the given mean, cut at the quantile 1 − 1/131,072
    /// (11.8 times the mean).
    pub fn exponential(mean: Duration) -> Distribution {
        Distribution::table(|p| {
            let rest = if p == 1 << 16 {
                1
            } else {
                2 * ((1 << 16) - p as u64)
            };
            // −log2 of the remaining probability, then natural: × ln 2 (in 2⁻³²).
            let bits = (17_i128 << 32) - log2_q32(rest);
            let natural = (bits * 2_977_044_472) >> 32;
            saturate((natural * i128::from(mean.0)) >> 32)
        })
    }

    /// A measured distribution, given by points (quantile in parts per million, duration),
    /// interpolated linearly. Below the first point and above the last, the value is constant.
    ///
    /// # Errors
    /// If there are no points, or they do not increase.
    pub fn empirical(points: &[(u32, Duration)]) -> Result<Distribution, String> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err("an empirical distribution needs at least one point".to_owned());
        };
        if last.0 > 1_000_000 {
            return Err(format!("quantile {} ppm is above 1,000,000", last.0));
        }
        for pair in points.windows(2) {
            if pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1 {
                return Err(format!(
                    "points must increase, but {} ppm is {} and then {} ppm is {}",
                    pair[0].0, pair[0].1, pair[1].0, pair[1].1
                ));
            }
        }
        Ok(Distribution::table(|p| {
            let wanted = p as u128 * 1_000_000;
            let scaled = |ppm: u32| u128::from(ppm) << 16;
            let Some(next) = points.iter().position(|(ppm, _)| scaled(*ppm) >= wanted) else {
                return last.1.0;
            };
            if next == 0 {
                return first.1.0;
            }
            let ((p0, v0), (p1, v1)) = (points[next - 1], points[next]);
            let part = u128::from(v1.0 - v0.0) * (wanted - scaled(p0)) / (scaled(p1) - scaled(p0));
            v0.0 + saturate(part as i128)
        }))
    }

    /// Builds a table from the quantile function, asked at p/65,536.
    fn table(quantile: impl Fn(usize) -> u64) -> Distribution {
        let longest = quantile(1 << 16);
        let shift = 32_u32.saturating_sub(longest.leading_zeros());
        let at = |p| (quantile(p) >> shift) as u32;
        Distribution::Table(Box::new(Table {
            shift,
            body: std::array::from_fn(|i| at(i << 8)),
            tail: std::array::from_fn(|i| at((255 << 8) + i)),
        }))
    }

    /// The duration at quantile `raw` / 2⁶⁴. A uniform `raw` gives a sample.
    #[inline]
    pub fn sample(&self, raw: u64) -> Duration {
        match self {
            Distribution::Constant(span) => *span,
            Distribution::Uniform { low, high } => {
                let width = u128::from(high.0 - low.0) + 1;
                Duration(low.0 + ((u128::from(raw) * width) >> 64) as u64)
            }
            Distribution::Table(table) => {
                let segment = (raw >> 56) as usize;
                let units = if segment < SEGMENTS - 1 {
                    between(&table.body, segment, (raw << 8) >> 32)
                } else {
                    between(&table.tail, (raw >> 48) as usize & 0xff, (raw << 16) >> 32)
                };
                Duration(units << table.shift)
            }
        }
    }

    /// The longest duration that [`sample`](Self::sample) can give.
    pub fn longest(&self) -> Duration {
        self.sample(u64::MAX)
    }
}

/// The value a fraction `part` / 2³² of the way through `segment`.
#[inline]
fn between(quantiles: &[u32; SEGMENTS + 1], segment: usize, part: u64) -> u64 {
    let (low, high) = (quantiles[segment], quantiles[segment + 1]);
    u64::from(low) + ((u64::from(high - low) * part) >> 32)
}

fn saturate(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

/// log2 of a positive integer, scaled by 2³², by repeated squaring.
fn log2_q32(value: u64) -> i128 {
    assert!(value > 0, "logarithm of zero");
    let whole = value.ilog2();
    // The mantissa in [1, 2), scaled by 2⁶³.
    let mut mantissa = u128::from(value) << (63 - whole);
    let mut fraction = 0_i128;
    for _ in 0..32 {
        mantissa = (mantissa * mantissa) >> 63;
        fraction <<= 1;
        if mantissa >= 1 << 64 {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    i128::from(whole) << 32 | fraction
}

/// 2^(exponent / 2³²) rounded down to an integer, zero below 1, saturated above `u64`.
fn exp2_q32(exponent: i128) -> u64 {
    if exponent < 0 {
        return 0;
    }
    let whole = (exponent >> 32) as u32;
    if whole >= 64 {
        return u64::MAX;
    }
    // Multiply the square roots of two that the fraction's bits ask for: 2^(1/2), 2^(1/4), …
    let mut root = 2_u128 << 62;
    let mut product = 1_u128 << 62;
    for bit in (0..32).rev() {
        root = (root << 62).isqrt();
        if exponent >> bit & 1 == 1 {
            product = (product * root) >> 62;
        }
    }
    ((product << whole) >> 62) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_percent(distribution: &Distribution, percent: u64) -> u64 {
        distribution
            .sample((u128::from(percent) * (1 << 64) / 100) as u64)
            .0
    }

    #[test]
    fn logarithm_and_power_are_inverse() {
        for value in [1, 2, 3, 1_000, 123_456_789, u64::MAX / 3] {
            let back = exp2_q32(log2_q32(value));
            assert!(
                value.abs_diff(back) <= 1 + (value >> 28),
                "{value} came back as {back}"
            );
        }
    }

    /// Pinned: a change here changes every trace.
    #[test]
    fn log_normal_has_known_values() {
        let d =
            Distribution::log_normal(Duration::micros(200), Duration::millis(2)).expect("valid");
        assert_eq!(at_percent(&d, 50), 199_999);
        assert!(
            at_percent(&d, 99).abs_diff(2_000_000) < 25_000,
            "{}",
            at_percent(&d, 99)
        );
        let tenth = at_percent(&d, 10);
        // The 10 % quantile of a normal distribution is −1.28155, so 200 µs × 10^(−0.5509).
        assert!(tenth.abs_diff(56_255) < 100, "{tenth}");
        // The cut: 4.3259 standard deviations, 200 µs × 10^1.8595.
        assert!(
            d.longest().0.abs_diff(14_472_000) < 100_000,
            "{}",
            d.longest()
        );
    }

    #[test]
    fn exponential_has_its_mean() {
        let d = Distribution::exponential(Duration::millis(10));
        let draws = 1 << 16;
        let sum: u64 = (0..draws).map(|i| d.sample(i << 48 | 1 << 47).0).sum();
        assert!(
            (sum / draws).abs_diff(10_000_000) < 30_000,
            "mean {}",
            sum / draws
        );
        assert!(at_percent(&d, 50).abs_diff(6_931_471) < 5_000);
    }

    #[test]
    fn empirical_follows_its_points() {
        let points = [
            (0, Duration(100)),
            (500_000, Duration(200)),
            (1_000_000, Duration(1_000)),
        ];
        let d = Distribution::empirical(&points).expect("valid");
        assert_eq!(at_percent(&d, 0), 100);
        assert_eq!(at_percent(&d, 25), 150);
        assert!(at_percent(&d, 75).abs_diff(600) <= 1);
        assert_eq!(d.longest().0, 999);
        assert!(Distribution::empirical(&[]).is_err());
        assert!(Distribution::empirical(&[(2, Duration(5)), (1, Duration(6))]).is_err());
        assert!(Distribution::empirical(&[(1, Duration(5)), (2, Duration(4))]).is_err());
    }

    proptest! {
        #[test]
        fn a_higher_draw_is_never_a_shorter_span(
            median in 1u64..10_000_000_000, factor in 1u64..1_000, mut raws in any::<[u64; 2]>()
        ) {
            raws.sort_unstable();
            let (median, p99) = (Duration(median), Duration(median * factor));
            for d in [
                Distribution::log_normal(median, p99).expect("valid"),
                Distribution::exponential(median),
                Distribution::Uniform { low: median, high: p99 },
            ] {
                prop_assert!(d.sample(raws[0]) <= d.sample(raws[1]));
            }
        }
    }
}
