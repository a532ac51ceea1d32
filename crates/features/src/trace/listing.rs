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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_keeps_its_ends_and_its_length() {
        let mut listing = Listing::default();
        (0..2000).for_each(|entry| listing.push(entry));
        let kept: Vec<i32> = listing.iter().copied().collect();
        assert_eq!((kept.len(), kept[0], kept[KEPT - 1], kept[KEPT]), (Listing::<i32>::KEPT_MAX, 0, 249, 1750));
        assert_eq!((listing.count, listing.left_out()), (2000, 1500));
    }

    #[test]
    fn a_short_list_is_whole() {
        let mut listing = Listing::default();
        (0..300).for_each(|entry| listing.push(entry));
        assert!(listing.iter().copied().eq(0..300));
        assert_eq!(listing.left_out(), 0);
    }
}
