//! A list that may be long, with its beginning, its end and its length.

use std::collections::VecDeque;

/// Entries kept of each end: more than anybody reads, and a few dozen kilobytes.
const KEPT: usize = 250;

/// The first and the last entries of a list, and how many there are.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The first ones, in order.
    pub first: Vec<T>,
    /// The last ones, in order, as far as they are not among the first.
    pub last: VecDeque<T>,
    /// All of them.
    pub count: u64,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), count: 0 }
    }
}

impl<T> Listing<T> {
    /// How many entries are at hand at most.
    pub const KEPT_MAX: usize = 2 * KEPT;

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: T) {
        self.count += 1;
        if self.first.len() < KEPT {
            return self.first.push(entry);
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(entry);
    }

    /// The entries at hand, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.last)
    }

    /// How many entries between the first and the last were let go of.
    pub fn left_out(&self) -> u64 {
        self.count - (self.first.len() + self.last.len()) as u64
    }
}
