//! The queue of pending events, in a total order.
//!
//! Most events lie a network delay or a think time ahead, within milliseconds. Those are kept in
//! buckets of equal width, unsorted; only the bucket that is due is sorted. Events further ahead
//! wait in a heap until the buckets reach them. The order is the same as with a single heap, at
//! less than half the cost.

use super::heap::{Entry, Heap};
use super::time::Time;

/// A bucket is 2¹⁶ ns (65 µs) wide: a few events at a time in a busy run.
const WIDTH_BITS: u32 = 16;

/// Buckets ahead of the present one: 67 ms.
const BUCKETS: u64 = 1024;

/// A priority queue ordered by (time, tie, insertion number).
///
/// With a tie of zero for every event, events at the same time come out in the order in
/// which they were pushed. Events carry their own identity; cancelling is up to the receiver (a
/// stale timer is ignored when it fires).
pub struct Queue<E> {
    /// What bucket number `present` held when its time came, the earliest last.
    due: Vec<Entry<E>>,
    /// What has been added since at times up to the end of that bucket.
    late: Heap<E>,
    /// The buckets after `present`, each at its number modulo [`BUCKETS`].
    ahead: Buckets<E>,
    /// Which of them hold something.
    occupied: [u64; (BUCKETS / 64) as usize],
    /// What lies beyond the buckets.
    far: Heap<E>,
    present: u64,
    len: usize,
    pushed: u64,
    peak: usize,
}

impl<E: Copy> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            due: Vec::new(),
            late: Heap::default(),
            ahead: Buckets::default(),
            occupied: [0; (BUCKETS / 64) as usize],
            far: Heap::default(),
            present: 0,
            len: 0,
            pushed: 0,
            peak: 0,
        }
    }
}

/// The end of a chain.
const END: u32 = u32::MAX;

/// What lies in the buckets: chains in one piece of memory, in which what is freed last is used
/// first. It stays as small as what is pending, and near the processor.
struct Buckets<E> {
    first: [u32; BUCKETS as usize],
    links: Vec<Link<E>>,
    free: u32,
}

/// An entry, and the one after it in its bucket.
struct Link<E> {
    entry: Entry<E>,
    next: u32,
}

impl<E> Default for Buckets<E> {
    fn default() -> Self {
        Buckets {
            first: [END; BUCKETS as usize],
            links: Vec::new(),
            free: END,
        }
    }
}

impl<E: Copy> Buckets<E> {
    #[inline(always)]
    fn push(&mut self, bucket: usize, entry: Entry<E>) {
        if self.free == END {
            self.grow(entry.key, entry.event);
        }
        let place = self.free;
        let link = &mut self.links[place as usize];
        self.free = link.next;
        link.entry = entry;
        link.next = std::mem::replace(&mut self.first[bucket], place);
    }

    /// Adds a free link; what it holds does not matter.
    #[cold]
    fn grow(&mut self, key: u128, event: E) {
        self.free = self.links.len() as u32;
        let entry = Entry { key, event };
        self.links.push(Link { entry, next: END });
    }

    /// Moves a bucket's entries to the end of `to`.
    fn take(&mut self, bucket: usize, to: &mut Vec<Entry<E>>) {
        let mut at = std::mem::replace(&mut self.first[bucket], END);
        while let Some(link) = self.links.get_mut(at as usize) {
            to.push(link.entry);
            let next = std::mem::replace(&mut link.next, self.free);
            self.free = at;
            at = next;
        }
    }

    fn clear(&mut self) {
        self.first.fill(END);
        self.links.clear();
        self.free = END;
    }
}

/// The number of the bucket in which `at` lies.
fn bucket(at: Time) -> u64 {
    at.0 >> WIDTH_BITS
}

impl<E: Copy> Queue<E> {
    /// Adds `event` at time `at`. Of events at equal times the one with the smaller `tie`
    /// comes first, and with equal ties the one pushed first.
    ///
    /// # Panics
    /// After 2³² pushes since the last [`clear`](Self::clear): a run's event budget is far below
    /// that.
    #[inline(never)]
    pub fn push(&mut self, at: Time, tie: u32, event: E) {
        assert!(
            self.pushed < u64::from(u32::MAX),
            "more than 2^32 events in one run"
        );
        let order = u64::from(tie) << 32 | self.pushed;
        self.pushed += 1;
        self.len += 1;
        self.peak = self.peak.max(self.len);
        let key = u128::from(at.0) << 64 | u128::from(order);
        self.place(Entry { key, event });
    }

    #[inline(always)]
    fn place(&mut self, entry: Entry<E>) {
        let number = bucket(entry.at());
        if number <= self.present {
            self.late.push(entry);
        } else if number - self.present < BUCKETS {
            let place = number % BUCKETS;
            self.occupied[(place / 64) as usize] |= 1 << (place % 64);
            self.ahead.push(place as usize, entry);
        } else {
            self.far.push(entry);
        }
    }

    /// Takes the earliest event, if it is before `end`.
    #[inline]
    pub fn pop_before(&mut self, end: Time) -> Option<(Time, E)> {
        if self.due.is_empty() && self.late.first().is_none() {
            self.advance();
        }
        let (next, late) = match (self.late.first(), self.due.last()) {
            (Some(late), Some(due)) if late.key < due.key => (late, true),
            (_, Some(due)) => (due, false),
            (Some(late), None) => (late, true),
            (None, None) => return None,
        };
        let next = *next;
        if next.at() >= end {
            return None;
        }
        if late {
            self.late.pop();
        } else {
            self.due.pop();
        }
        self.len -= 1;
        Some((next.at(), next.event))
    }

    /// Takes the earliest event; events at [`Time::NEVER`] stay.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.pop_before(Time::NEVER)
    }

    /// Moves on to the next bucket that holds something, and takes in what the buckets now
    /// reach.
    #[inline(never)]
    fn advance(&mut self) {
        let near = self.next_occupied();
        let far = self.far.first().map(|entry| bucket(entry.at()));
        let Some(next) = near.into_iter().chain(far).min() else {
            return;
        };
        self.present = next;
        if near == Some(next) {
            let place = next % BUCKETS;
            self.occupied[(place / 64) as usize] &= !(1 << (place % 64));
            self.ahead.take(place as usize, &mut self.due);
            self.due
                .sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
        }
        while self
            .far
            .first()
            .is_some_and(|entry| bucket(entry.at()) - next < BUCKETS)
        {
            if let Some(entry) = self.far.pop() {
                self.place(entry);
            }
        }
    }

    /// The number of the first bucket after `present` that holds something.
    fn next_occupied(&self) -> Option<u64> {
        let first = self.present + 1;
        let words = BUCKETS / 64;
        let start = first % BUCKETS;
        // The word in which the search begins is looked at twice: from the start on, and at the
        // end up to it.
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.occupied[word as usize];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let place = word * 64 + u64::from(bits.trailing_zeros());
                return Some(first + (place + BUCKETS - start) % BUCKETS);
            }
        }
        None
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The most events that were pending at once since the last [`clear`](Self::clear).
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Forgets everything but the memory it holds.
    pub fn clear(&mut self) {
        self.due.clear();
        self.late.clear();
        self.far.clear();
        self.ahead.clear();
        self.occupied.fill(0);
        self.present = 0;
        self.len = 0;
        self.pushed = 0;
        self.peak = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is pushed and popped in whatever interleaving, the queue agrees with a
        /// sorted list.
        #[test]
        fn pops_in_order_of_time_tie_and_insertion(
            // Times within a bucket, within the buckets, and far beyond them.
            range in prop::sample::select(vec![50_u64, 40_000_000, 30_000_000_000]),
            steps in prop::collection::vec((any::<u64>(), 0u32..3, any::<bool>()), 0..400)
        ) {
            let mut queue = Queue::default();
            let mut sorted: Vec<(u64, u32, usize)> = Vec::new();
            for (number, (at, tie, pop)) in steps.into_iter().enumerate() {
                let at = at % range;
                queue.push(Time(at), tie, number);
                sorted.push((at, tie, number));
                if pop {
                    sorted.sort_unstable();
                    let (at, _, event) = sorted.remove(0);
                    prop_assert_eq!(queue.pop(), Some((Time(at), event)));
                }
            }
            sorted.sort_unstable();
            for (at, _, event) in sorted {
                prop_assert_eq!(queue.pop(), Some((Time(at), event)));
            }
            prop_assert_eq!(queue.pop(), None);
        }
    }

    #[test]
    fn equal_times_come_out_first_in_first_out() {
        let mut queue = Queue::default();
        for event in 0..100 {
            queue.push(Time(7), 0, event);
        }
        for event in 0..100 {
            assert_eq!(queue.pop(), Some((Time(7), event)));
        }
        assert_eq!(queue.peak(), 100);
    }
}
