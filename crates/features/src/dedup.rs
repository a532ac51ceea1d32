//! Which identities a stream has accepted lately.
//!
//! Time is cut into slices by the clock of the partition; a slice is forgotten as a whole when it is neither the present nor
//! the one before. A slice remembers identities in the order of their coming, so that a snapshot shares the pieces of that list.

use std::sync::Arc;

use hashbrown::HashTable;

/// Identities of one closed piece of a slice's list.
const PIECE: usize = 4096;

/// The identities of the present slice and the one before.
#[derive(Debug)]
pub(crate) struct Slices {
    horizon_ms: i64,
    entries_max: usize,
    number: i64,
    present: Slice,
    before: Slice,
    shortened: u64,
}

/// Identities in the order of their coming, and an index of them.
#[derive(Debug, Default)]
struct Slice {
    /// Counts the slices of a stream.
    id: u64,
    /// Closed pieces, shared with a snapshot under way.
    pieces: Vec<Arc<Vec<u128>>>,
    /// The piece that grows.
    open: Vec<u128>,
    index: HashTable<u32>,
}

/// Everything of [`Slices`] at one instant; cheap to take.
#[derive(Debug)]
pub(crate) struct SlicesImage {
    /// Slice and identities that an earlier image, if any was taken into account, did not have.
    pub(crate) pieces: Vec<(u64, Arc<Vec<u128>>)>,
}

/// Up to where earlier images went: the slice that was present and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlicesMark {
    present_id: u64,
    length: usize,
}

impl Slices {
    /// Slices of this length, each with room for this many identities: when one is full, the next begins early.
    pub(crate) fn new(horizon_ms: i64, entries_max: usize) -> Self {
        let entries_max = entries_max.clamp(1024, u32::MAX as usize);
        let present = Slice { id: 1, ..Slice::default() };
        Self { horizon_ms, entries_max, number: i64::MIN, present, before: Slice::default(), shortened: 0 }
    }

    /// Remembers an identity, and tells whether it is new.
    pub(crate) fn insert(&mut self, clock_ms: i64, identity: u128) -> bool {
        self.turn(clock_ms.div_euclid(self.horizon_ms));
        if self.before.contains(identity) || !self.present.insert(identity) {
            return false;
        }
        if self.present.len() >= self.entries_max {
            self.shortened += 1;
            self.next();
        }
        true
    }

    fn turn(&mut self, number: i64) {
        if number == self.number {
            return;
        }
        let follows = number == self.number.saturating_add(1);
        self.next();
        if !follows {
            // An empty slice of its own number: an older image must not fill it again.
            self.next();
        }
        self.number = number;
    }

    fn next(&mut self) {
        let next = Slice { id: self.present.id + 1, ..Slice::default() };
        self.before = std::mem::replace(&mut self.present, next);
    }

    /// How often a slice was full before its time.
    pub(crate) fn shortened(&self) -> u64 {
        self.shortened
    }

    /// Number and id of the present slice.
    pub(crate) fn present(&self) -> (i64, u64) {
        (self.number, self.present.id)
    }

    /// What came since the mark, or everything.
    pub(crate) fn image(&self, since: Option<SlicesMark>) -> SlicesImage {
        let mut pieces = Vec::new();
        for slice in [&self.before, &self.present] {
            let known = match since {
                Some(mark) if slice.id < mark.present_id => slice.len(),
                Some(mark) if slice.id == mark.present_id => mark.length,
                _ => 0,
            };
            // Whole pieces: what they repeat is recognised when they are put back.
            pieces.extend(slice.pieces.iter().skip(known / PIECE).map(|piece| (slice.id, piece.clone())));
            pieces.push((slice.id, Arc::new(slice.open.clone())));
        }
        SlicesImage { pieces }
    }

    /// Where an image that is taken now ends.
    pub(crate) fn mark(&self) -> SlicesMark {
        SlicesMark { present_id: self.present.id, length: self.present.len() }
    }

    /// Puts back what the latest of a series of images says, with the identities of all of them.
    pub(crate) fn restore(&mut self, number: i64, present_id: u64, identities: &[(u64, Vec<u128>)]) {
        self.number = number;
        for (slice, id) in [(&mut self.before, present_id.wrapping_sub(1)), (&mut self.present, present_id)] {
            *slice = Slice { id, ..Slice::default() };
            for (_, piece) in identities.iter().filter(|(of, _)| *of == id) {
                piece.iter().for_each(|identity| _ = slice.insert(*identity));
            }
        }
    }
}

impl Slice {
    fn len(&self) -> usize {
        self.pieces.len() * PIECE + self.open.len()
    }

    fn contains(&self, identity: u128) -> bool {
        let Self { pieces, open, index, .. } = self;
        index.find(hash(identity), |at| identity_at(pieces, open, *at) == identity).is_some()
    }

    fn insert(&mut self, identity: u128) -> bool {
        if self.contains(identity) {
            return false;
        }
        let at = u32::try_from(self.len()).unwrap_or_else(|_| panic!("a slice is bounded well below 2^32"));
        self.open.push(identity);
        let Self { pieces, open, index, .. } = self;
        index.insert_unique(hash(identity), at, |at| hash(identity_at(pieces, open, *at)));
        if open.len() == PIECE {
            pieces.push(Arc::new(std::mem::replace(open, Vec::with_capacity(PIECE))));
        }
        true
    }
}

fn identity_at(pieces: &[Arc<Vec<u128>>], open: &[u128], at: u32) -> u128 {
    let (piece, place) = (at as usize / PIECE, at as usize % PIECE);
    pieces.get(piece).map_or_else(|| open[place], |piece| piece[place])
}

/// An identity is a hash already: its low half serves.
fn hash(identity: u128) -> u64 {
    identity as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_is_known_in_its_slice_and_the_next() {
        let mut slices = Slices::new(1000, 1 << 20);
        assert!(slices.insert(100, 7));
        assert!(!slices.insert(900, 7));
        assert!(!slices.insert(1999, 7));
        assert!(slices.insert(2000, 7), "two slices later it is forgotten");
        assert!(slices.insert(9000, 8));
        assert!(slices.insert(12_000, 8), "a gap forgets everything");
    }

    #[test]
    fn a_full_slice_ends_early_and_is_counted() {
        let mut slices = Slices::new(1_000_000, 1024);
        assert!((0..2048).all(|identity| slices.insert(0, identity)));
        assert_eq!(slices.shortened(), 2);
        assert!(!slices.insert(0, 2000), "the last slice is still known");
        assert!(slices.insert(0, 5), "the one before it is not");
    }

    #[test]
    fn restored_slices_know_the_same() {
        let mut slices = Slices::new(1000, 1 << 20);
        let mut images = Vec::new();
        let mut mark = None;
        for (clock, identities) in [(500, 0..3u128), (1500, 3..9000), (1600, 9000..20_000)] {
            identities.for_each(|identity| assert!(slices.insert(clock, identity)));
            images.push(slices.image(mark));
            mark = Some(slices.mark());
        }
        let last = slices.present();
        let pieces = images.iter().flat_map(|image| image.pieces.iter().map(|(id, piece)| (*id, piece.to_vec())));
        let mut restored = Slices::new(1000, 1 << 20);
        restored.restore(last.0, last.1, &pieces.collect::<Vec<(u64, Vec<u128>)>>());
        assert!((0..20_000).all(|identity| !restored.insert(1700, identity)));
        assert!(restored.insert(1700, 20_000));
    }
}
