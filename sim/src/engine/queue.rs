//! The ordered queue of pending events: a 4-ary heap that leaves no tie open.

use super::time::Time;

/// A pending event with its place in the order.
#[derive(Copy, Clone)]
struct Entry<E> {
    at: Time,
    /// Breaks ties at equal times; unique, so the order is total.
    order: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Time, u64) {
        (self.at, self.order)
    }
}

/// Children per heap node. Four halve the depth of a binary heap and share a cache line
/// or two, which measured fastest at the sizes a run has (16 to 4,096 pending).
const ARITY: usize = 4;

/// A priority queue ordered by (time, tie, insertion number).
///
/// With a tie of zero for every event, events at the same time come out in the order in
/// which they were pushed. Events carry their own identity; cancelling is the receiver's
/// business (a stale timer is ignored when it fires).
pub struct Queue<E> {
    heap: Vec<Entry<E>>,
    pushed: u64,
    peak: usize,
}

impl<E: Copy> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            heap: Vec::new(),
            pushed: 0,
            peak: 0,
        }
    }
}

impl<E: Copy> Queue<E> {
    /// Adds `event` at time `at`. Of events at equal times the one with the smaller `tie`
    /// comes first, and with equal ties the one pushed first.
    ///
    /// # Panics
    /// After 2³² pushes since the last [`clear`](Self::clear): the event budget of a run is
    /// far below.
    pub fn push(&mut self, at: Time, tie: u32, event: E) {
        assert!(
            self.pushed < u64::from(u32::MAX),
            "more than 2^32 events in one run"
        );
        let order = u64::from(tie) << 32 | self.pushed;
        self.pushed += 1;
        self.heap.push(Entry { at, order, event });
        self.peak = self.peak.max(self.heap.len());
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let last = self.heap.pop()?;
        let Some(root) = self.heap.first_mut() else {
            return Some((last.at, last.event));
        };
        let first = std::mem::replace(root, last);
        self.sift_down();
        Some((first.at, first.event))
    }

    /// The time of the earliest event.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.first().map(|entry| entry.at)
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The most events that were pending at once since the last [`clear`](Self::clear).
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Forgets everything but the memory it holds.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.pushed = 0;
        self.peak = 0;
    }

    fn sift_up(&mut self, mut child: usize) {
        let moving = self.heap[child];
        while child > 0 {
            let parent = (child - 1) / ARITY;
            if self.heap[parent].key() <= moving.key() {
                break;
            }
            self.heap[child] = self.heap[parent];
            child = parent;
        }
        self.heap[child] = moving;
    }

    fn sift_down(&mut self) {
        let heap = &mut self.heap[..];
        let moving = heap[0];
        let mut parent = 0;
        loop {
            let first = parent * ARITY + 1;
            if first >= heap.len() {
                break;
            }
            let mut least = first;
            for child in first + 1..heap.len().min(first + ARITY) {
                if heap[child].key() < heap[least].key() {
                    least = child;
                }
            }
            if moving.key() <= heap[least].key() {
                break;
            }
            heap[parent] = heap[least];
            parent = least;
        }
        heap[parent] = moving;
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
            steps in prop::collection::vec((0u64..50, 0u32..3, any::<bool>()), 0..400)
        ) {
            let mut queue = Queue::default();
            let mut sorted: Vec<(u64, u32, usize)> = Vec::new();
            for (number, (at, tie, pop)) in steps.into_iter().enumerate() {
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
