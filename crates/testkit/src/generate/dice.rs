//! Random choices from a seed. The only place that knows the random number generator.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of choices that is the same for the same seed.
pub(crate) struct Dice {
    generator: ChaCha8Rng,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// True in this share of the throws.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.generator.random_bool(share.clamp(0.0, 1.0))
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.generator.random_range(low..=high.max(low))
    }

    /// A place in a list of this length, which must not be empty.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        self.generator.random_range(0..length)
    }

    /// One of a list that must not be empty.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.place(list.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.place(last + 1));
        }
    }
}
