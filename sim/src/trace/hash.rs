//! The trace's hash: XXH3-128 over fixed-width words, streamed.

use xxhash_rust::xxh3::Xxh3;

/// Hashes records as they come. Every record is the same number of words, so no two different
/// traces can give the same bytes.
pub struct TraceHash {
    state: Xxh3,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash { state: Xxh3::new() }
    }
}

impl TraceHash {
    /// Starts again.
    pub fn reset(&mut self) {
        self.state.reset();
    }

    /// Takes in one record's words.
    #[inline]
    pub fn absorb(&mut self, words: [u64; 4]) {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.state.update(&bytes);
    }

    /// The hash so far.
    pub fn value(&self) -> u128 {
        self.state.digest128()
    }
}
