//! A 4-ary heap of entries that are ordered by one number.

use super::time::Time;

/// A pending event with its place in the order.
#[derive(Copy, Clone)]
pub(super) struct Entry<E> {
    /// Time in the upper half, and what breaks ties in the lower: one number, so that a
    /// comparison needs no branch. Unique, so the order is total.
    pub(super) key: u128,
    pub(super) event: E,
}

impl<E> Entry<E> {
    pub(super) fn at(&self) -> Time {
        Time((self.key >> 64) as u64)
    }
}

/// Children per heap node. Four halve the depth of a binary heap and share a cache line
/// or two, which measured fastest at the sizes a run has (16 to 4,096 pending).
const ARITY: usize = 4;

/// The least entry first.
pub(super) struct Heap<E> {
    heap: Vec<Entry<E>>,
}

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Heap { heap: Vec::new() }
    }
}

impl<E: Copy> Heap<E> {
    #[inline]
    pub(super) fn push(&mut self, entry: Entry<E>) {
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1);
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry<E>> {
        let last = self.heap.pop()?;
        let Some(root) = self.heap.first_mut() else {
            return Some(last);
        };
        let first = std::mem::replace(root, last);
        self.sift_down();
        Some(first)
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Entry<E>> {
        self.heap.first()
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    #[inline]
    fn sift_up(&mut self, mut child: usize) {
        let moving = self.heap[child];
        while child > 0 {
            let parent = (child - 1) / ARITY;
            if self.heap[parent].key <= moving.key {
                break;
            }
            self.heap[child] = self.heap[parent];
            child = parent;
        }
        self.heap[child] = moving;
    }

    /// Puts the root in its place. It came from the bottom and mostly goes back there, so the
    /// hole is first taken all the way down past the least children, and the entry then up.
    #[inline]
    fn sift_down(&mut self) {
        let heap = &mut self.heap[..];
        let moving = heap[0];
        let mut hole = 0;
        loop {
            let first = hole * ARITY + 1;
            let least = if let Some(children) = heap.get(first..first + ARITY) {
                let lesser = |a: usize, b: usize| {
                    if children[a].key < children[b].key {
                        a
                    } else {
                        b
                    }
                };
                first + lesser(lesser(0, 1), lesser(2, 3))
            } else if let Some(children) = heap.get(first..).filter(|rest| !rest.is_empty()) {
                let nearest = (1..children.len()).fold(0, |a, b| {
                    if children[a].key < children[b].key {
                        a
                    } else {
                        b
                    }
                });
                first + nearest
            } else {
                break;
            };
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = moving;
        self.sift_up(hole);
    }
}
