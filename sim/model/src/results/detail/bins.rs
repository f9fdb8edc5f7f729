//! Sums over stretches of virtual time, in bounded memory.
//!
//! All bins are of one width, a power of two, which doubles whenever there would be too many. So
//! the bins depend on what was added alone, and not on the order or on the grouping.

use serde::{Deserialize, Serialize};

use rebound_engine::Time;

/// The narrowest bin, as an exponent of two: 1.05 ms.
const NARROWEST: u32 = 20;

/// At most `MOST` bins from the beginning of a run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Bins<const MOST: usize> {
    /// The width is two to this power, in nanoseconds.
    exponent: u32,
    /// The last one is never zero.
    sums: Vec<u64>,
}

/// Bins as they are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    exponent: u32,
    sums: Vec<u64>,
}

impl<const MOST: usize> From<Bins<MOST>> for Raw {
    fn from(bins: Bins<MOST>) -> Raw {
        Raw {
            exponent: bins.exponent,
            sums: bins.sums,
        }
    }
}

impl<const MOST: usize> TryFrom<Raw> for Bins<MOST> {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        if !(NARROWEST..u64::BITS).contains(&raw.exponent) || raw.sums.len() > MOST {
            return Err(format!(
                "{} bins of 2^{} ns: expected at most {MOST} of 2^{NARROWEST} or more",
                raw.sums.len(),
                raw.exponent
            ));
        }
        Ok(Bins {
            exponent: raw.exponent,
            sums: raw.sums,
        })
    }
}

impl<const MOST: usize> Default for Bins<MOST> {
    fn default() -> Self {
        Bins {
            exponent: NARROWEST,
            sums: Vec::new(),
        }
    }
}

impl<const MOST: usize> Bins<MOST> {
    /// Adds to the bin of a moment.
    #[inline]
    pub fn add(&mut self, at: Time, count: u64) {
        if count > 0 {
            let index = self.reach(at.nanos());
            self.sums[index] = self.sums[index].saturating_add(count);
        }
    }

    /// Adds to each bin the nanoseconds that a stretch of time has in it.
    pub fn spread(&mut self, from: Time, until: Time) {
        if from >= until {
            return;
        }
        let last = self.reach(until.nanos() - 1);
        let first = (from.nanos() >> self.exponent) as usize;
        for index in first..=last {
            let begins = (index as u64) << self.exponent;
            let ends = begins.saturating_add(self.width_ns());
            let within = until.nanos().min(ends) - from.nanos().max(begins);
            self.sums[index] = self.sums[index].saturating_add(within);
        }
    }

    /// Adds what another has.
    pub fn merge(&mut self, other: &Bins<MOST>) {
        self.coarsen(other.exponent);
        let narrower = self.exponent - other.exponent;
        for (index, sum) in other.sums.iter().enumerate() {
            let index = index >> narrower;
            if index >= self.sums.len() {
                self.sums.resize(index + 1, 0);
            }
            self.sums[index] = self.sums[index].saturating_add(*sum);
        }
    }

    /// Makes bins as wide as this, if they are narrower.
    pub fn coarsen(&mut self, exponent: u32) {
        while self.exponent < exponent {
            self.sums = self
                .sums
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |sum, n| n.saturating_add(sum)))
                .collect();
            self.exponent += 1;
        }
    }

    /// The width as an exponent of two.
    pub fn exponent(&self) -> u32 {
        self.exponent
    }

    /// The width.
    pub fn width_ns(&self) -> u64 {
        1 << self.exponent
    }

    /// The sums, from the beginning of the run on; after the last, all are zero.
    pub fn sums(&self) -> &[u64] {
        &self.sums
    }

    /// The bin of a moment, which is there from now on.
    #[inline]
    fn reach(&mut self, nanos: u64) -> usize {
        let mut index = nanos >> self.exponent;
        if index as usize >= self.sums.len() {
            while index >= MOST as u64 {
                self.coarsen(self.exponent + 1);
                index = nanos >> self.exponent;
            }
            self.sums
                .resize((index as usize + 1).max(self.sums.len()), 0);
        }
        index as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Bins<8> {
        let mut bins = Bins::default();
        for time in times {
            bins.add(Time(time), 1);
        }
        bins
    }

    proptest! {
        #[test]
        fn order_and_grouping_mean_nothing(
            times in prop::collection::vec(0u64..1 << 40, 0..40), cut in 0usize..40
        ) {
            let whole = of(times.iter().copied());
            prop_assert_eq!(&of(times.iter().rev().copied()), &whole);
            let (left, right) = times.split_at(cut.min(times.len()));
            let (left, right) = (of(left.iter().copied()), of(right.iter().copied()));
            let mut sum = left.clone();
            sum.merge(&right);
            prop_assert_eq!(&sum, &whole);
            let mut sum = right;
            sum.merge(&left);
            prop_assert_eq!(&sum, &whole);
            prop_assert_eq!(whole.sums().iter().sum::<u64>(), times.len() as u64);
            prop_assert!(whole.sums().len() <= 8);
        }

        #[test]
        fn a_stretch_is_as_long_as_its_parts(from in 0u64..1 << 30, long in 0u64..1 << 30) {
            let mut bins = Bins::<8>::default();
            bins.spread(Time(from), Time(from + long));
            prop_assert_eq!(bins.sums().iter().sum::<u64>(), long);
        }
    }

    #[test]
    fn bins_double_only_when_they_must() {
        assert_eq!(of([(8 << 20) - 1]).width_ns(), 1 << 20);
        let wider = of([0, 3 << 20, 8 << 20]);
        assert_eq!(wider.width_ns(), 2 << 20);
        assert_eq!(wider.sums(), [1, 1, 0, 0, 1]);
    }

    #[test]
    fn what_no_sweep_wrote_is_refused() {
        for text in [
            r#"{"exponent": 64, "sums": []}"#,
            r#"{"exponent": 20, "sums": [1,1,1,1,1,1,1,1,1]}"#,
        ] {
            assert!(serde_json::from_str::<Bins<8>>(text).is_err(), "{text}");
        }
    }
}
