//! The seeds of a sweep, a few at a time.

use std::collections::VecDeque;
use std::ops::Range;

/// Seeds that a thread takes at a time, at most: few, so that an interrupted sweep has hardly any
/// holes; more than one, so that threads do not wait for each other.
const MOST: u64 = 16;

/// Deals out ranges of seeds in order.
pub(crate) struct Chunks {
    ranges: VecDeque<Range<u64>>,
    size: u64,
}

impl Chunks {
    /// Of these ranges, for as many threads.
    pub fn new(ranges: Vec<Range<u64>>, threads: usize) -> Chunks {
        let seeds: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        Chunks {
            ranges: ranges.into(),
            size: (seeds / (threads.max(1) as u64 * 8)).clamp(1, MOST),
        }
    }
}

impl Iterator for Chunks {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        let first = self.ranges.front_mut()?;
        let end = first.end.min(first.start.saturating_add(self.size));
        let taken = first.start..end;
        first.start = end;
        if first.is_empty() {
            self.ranges.pop_front();
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_dealt_out_once() {
        let chunks = Chunks::new(vec![0..40, 50..51, 60..1_000], 2);
        let dealt: Vec<u64> = chunks.flatten().collect();
        let all: Vec<u64> = (0..40).chain(50..51).chain(60..1_000).collect();
        assert_eq!(dealt, all);
    }

    #[test]
    fn few_seeds_are_shared_by_all_threads() {
        let sizes = |seeds, threads| {
            let mut chunks = Chunks::new(std::iter::once(0..seeds).collect(), threads);
            chunks.next().map(|chunk| chunk.end - chunk.start)
        };
        assert_eq!(sizes(8, 4), Some(1));
        assert_eq!(sizes(64, 4), Some(2));
        assert_eq!(sizes(u64::MAX, 4), Some(16));
        assert_eq!(sizes(3, 0), Some(1));
    }
}
