//! Which identities a stream has accepted lately.
//!
//! Time is cut into slices by the clock of the partition; a slice is forgotten as a whole when it is neither the present nor
//! the one before. A slice remembers identities in the order of their coming, so that a snapshot shares the pieces of that list.

mod index;

use std::{hint::black_box, sync::Arc};

use self::index::{Index, Tag};

/// Identities of one closed piece of a slice's list.
const PIECE: usize = 4096;

/// A slice begins with room for as many identities as the one before had, and this part of them more: load changes slowly, and
/// an index that grows is built again.
const ROOM_SHARE: usize = 8;

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

/// What a glance at the slices found, see [`Slices::glance`].
#[derive(Debug, Default)]
pub(crate) struct Glance {
    /// The slice that was present.
    present_id: u64,
    /// For each identity whether one of the slices had it.
    known: Vec<bool>,
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
    index: Index,
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

    /// Looks for identities that will be inserted next. A look-up waits for memory; reads that decide nothing wait together.
    pub(crate) fn glance(&self, identities: &[u128], glance: &mut Glance) {
        let entries = |one: &u128| self.before.index.an_entry(Tag::of(*one)) ^ self.present.index.an_entry(Tag::of(*one));
        black_box(identities.iter().fold(0, |all, one| all ^ entries(one)));
        glance.present_id = self.present.id;
        glance.known.clear();
        glance.known.extend(identities.iter().map(|one| self.before.contains(*one) | self.present.contains(*one)));
    }

    /// Remembers an identity, the one at a place of the latest glance, and tells whether it is new.
    pub(crate) fn insert(&mut self, clock_ms: i64, identity: u128, (glance, place): (&Glance, usize)) -> bool {
        self.turn(clock_ms.div_euclid(self.horizon_ms));
        let is_known = if glance.present_id == self.present.id { glance.known[place] } else { self.before.contains(identity) };
        if is_known || !self.present.insert(identity) {
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
        let room = self.present.len() + self.present.len() / ROOM_SHARE;
        let index = std::mem::take(&mut self.before.index).emptied(room);
        let next = Slice { id: self.present.id + 1, index, ..Slice::default() };
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
        index.contains(Tag::of(identity), |at| identity_at(pieces, open, at) == identity)
    }

    fn insert(&mut self, identity: u128) -> bool {
        if self.contains(identity) {
            return false;
        }
        let at = u32::try_from(self.len()).unwrap_or_else(|_| panic!("a slice is bounded well below 2^32"));
        if self.index.is_full() {
            let identities = self.pieces.iter().flat_map(|piece| piece.iter()).chain(&self.open);
            self.index = std::mem::take(&mut self.index).grown(identities.map(|identity| Tag::of(*identity)));
        }
        self.index.insert(Tag::of(identity), at);
        self.open.push(identity);
        if self.open.len() == PIECE {
            self.pieces.push(Arc::new(std::mem::replace(&mut self.open, Vec::with_capacity(PIECE))));
        }
        true
    }
}

fn identity_at(pieces: &[Arc<Vec<u128>>], open: &[u128], at: u32) -> u128 {
    let (piece, place) = (at as usize / PIECE, at as usize % PIECE);
    pieces.get(piece).map_or_else(|| open[place], |piece| piece[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(slices: &mut Slices, clock_ms: i64, identity: u128) -> bool {
        let mut glance = Glance::default();
        slices.glance(&[identity], &mut glance);
        slices.insert(clock_ms, identity, (&glance, 0))
    }

    #[test]
    fn a_duplicate_is_known_in_its_slice_and_the_next() {
        let mut slices = Slices::new(1000, 1 << 20);
        assert!(insert(&mut slices, 100, 7));
        assert!(!insert(&mut slices, 900, 7));
        assert!(!insert(&mut slices, 1999, 7));
        assert!(insert(&mut slices, 2000, 7), "two slices later it is forgotten");
        assert!(insert(&mut slices, 9000, 8));
        assert!(insert(&mut slices, 12_000, 8), "a gap forgets everything");
    }

    #[test]
    fn a_full_slice_ends_early_and_is_counted() {
        let mut slices = Slices::new(1_000_000, 1024);
        assert!((0..2048).all(|identity| insert(&mut slices, 0, identity)));
        assert_eq!(slices.shortened(), 2);
        assert!(!insert(&mut slices, 0, 2000), "the last slice is still known");
        assert!(insert(&mut slices, 0, 5), "the one before it is not");
    }

    #[test]
    fn restored_slices_know_the_same() {
        let mut slices = Slices::new(1000, 1 << 20);
        let mut images = Vec::new();
        let mut mark = None;
        for (clock, identities) in [(500, 0..3u128), (1500, 3..9000), (1600, 9000..20_000)] {
            identities.for_each(|identity| assert!(insert(&mut slices, clock, identity)));
            images.push(slices.image(mark));
            mark = Some(slices.mark());
        }
        let last = slices.present();
        let pieces = images.iter().flat_map(|image| image.pieces.iter().map(|(id, piece)| (*id, piece.to_vec())));
        let mut restored = Slices::new(1000, 1 << 20);
        restored.restore(last.0, last.1, &pieces.collect::<Vec<(u64, Vec<u128>)>>());
        assert!((0..20_000).all(|identity| !insert(&mut restored, 1700, identity)));
        assert!(insert(&mut restored, 1700, 20_000));
    }

    #[test]
    fn a_glance_changes_nothing() {
        // Clocks that turn slices within a glance, identities that come twice within one, and full slices.
        let events: Vec<(i64, u128)> = (0..20_000u64).map(|at| (at as i64 / 7, u128::from(at * at % 6007))).collect();
        let (mut slices, mut alone, mut glance) = (Slices::new(900, 1024), Slices::new(900, 1024), Glance::default());
        for chunk in events.chunks(300) {
            slices.glance(&chunk.iter().map(|(_, identity)| *identity).collect::<Vec<u128>>(), &mut glance);
            for (place, (clock, identity)) in chunk.iter().enumerate() {
                let is_new = slices.insert(*clock, *identity, (&glance, place));
                assert_eq!(is_new, insert(&mut alone, *clock, *identity));
            }
        }
        assert_eq!((slices.present(), slices.shortened()), (alone.present(), alone.shortened()));
        assert!(slices.shortened() > 0);
    }
}
