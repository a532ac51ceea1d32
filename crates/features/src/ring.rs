//! The live state of one entity in one group: its non-empty tiles, oldest first, and what has no window.
//!
//! Knows tiles, not clocks: whoever holds the ring says which tiles have left and at which instant a vector is wanted.

mod finish;
mod inspect;
mod rows;

use domain::EARLIEST;

use crate::{
    codec::{Broken, Reader, Writer},
    layout::Layout,
    partial::signed,
    sketch::Sketch,
    slab::Stored,
};

pub(crate) use self::{finish::Scratch, rows::Row};

/// "No timer" as a `fire_at`.
pub(crate) const NO_TIMER: i64 = i64::MAX;

/// One tile in so many may be without use: rings are many and small, so they neither double nor keep what is gone for long.
const SPARE: usize = 8;

/// One entity.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Tile number and words of each tile.
    tiles: Vec<u64>,
    extra: Option<Box<Extra>>,
    /// When the vector is to be rewritten; not part of a save.
    pub(crate) fire_at: i64,
    /// The end of the vector's validity for which that was computed.
    pub(crate) fires_for: i64,
    /// Whether the vector is to be finished at the end of the step; not part of a save.
    pub(crate) touched: bool,
    /// Whether the vector waits for a silent source; not part of a save.
    pub(crate) parked: bool,
    /// Whether somebody looks at it when its last rows can be let go of; not part of a save.
    pub(crate) watched: bool,
}

/// What only some groups need.
#[derive(Debug, Default)]
struct Extra {
    /// For each tile as many as the layout has.
    sketches: Vec<Sketch>,
    always: Vec<u64>,
    /// Rows of a pair as long as they may be taken back, or of a table as long as they are open, by time.
    rows: Vec<Row>,
    /// Tiles whose rows changed in this step; empty between steps.
    dirty: Vec<i64>,
    /// What the rows that no longer may contributed to `always`.
    base: Vec<u64>,
    /// Time of the last event.
    last_at: i64,
}

/// What happened to a part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    /// It belongs to a tile that can no longer change.
    Sealed,
}

impl Ring {
    pub(crate) fn new(layout: &Layout) -> Self {
        let plain = layout.sketched.is_empty() && layout.always.is_empty() && !layout.keeps_rows;
        let extra = (!plain).then(|| {
            Box::new(Extra { always: layout.empty_always(), base: layout.empty_always(), last_at: i64::MIN, ..Extra::default() })
        });
        Self { tiles: Vec::new(), extra, fire_at: NO_TIMER, fires_for: NO_TIMER, touched: false, parked: false, watched: false }
    }

    /// Reads something of the newest tile, see [`GroupState::look_ahead`](crate::group::GroupState::look_ahead).
    pub(crate) fn newest_tile(&self) -> u64 {
        self.tiles.last().copied().unwrap_or_default()
    }

    /// Reads something of each tile.
    pub(crate) fn all_tiles(&self) -> u64 {
        // A line of the cache holds eight words.
        self.tiles.iter().step_by(8).fold(0, |all, word| all ^ word)
    }

    /// Merges the partial of one tile.
    pub(crate) fn merge_tile(&mut self, layout: &Layout, tile: i64, words: &[u64], sketches: &[Sketch]) -> Taken {
        let stride = layout.words + 1;
        match self.find(tile, stride) {
            Ok(at) => {
                if self.is_sealed(layout, at) {
                    return Taken::Sealed;
                }
                let row = &mut self.tiles[at * stride + 1..(at + 1) * stride];
                for op in &layout.fixed {
                    let range = op.at..op.at + op.kind.words();
                    op.kind.merge(&mut row[range.clone()], &words[range]);
                }
                for (op, (mine, other)) in layout.sketched.iter().zip(self.sketches_of(layout, at).iter_mut().zip(sketches)) {
                    mine.merge(other, layout.scale(op));
                }
            }
            Err(at) => {
                self.insert(layout, at, tile, words);
                if let Some(extra) = &mut self.extra {
                    let first = at * layout.sketched.len();
                    extra.sketches.splice(first..first, sketches.iter().cloned());
                }
            }
        }
        Taken::Yes
    }

    /// Merges what has no window, and remembers when something last happened.
    pub(crate) fn merge_always(&mut self, layout: &Layout, words: &[u64], last_at: i64) {
        let Some(extra) = &mut self.extra else { return };
        if last_at >= extra.last_at.saturating_add(layout.group.keep.0) {
            extra.always = layout.empty_always();
        }
        extra.last_at = extra.last_at.max(last_at);
        for op in &layout.always {
            let range = op.at..op.at + op.kind.words();
            op.kind.merge(&mut extra.always[range.clone()], &words[range]);
        }
    }

    /// Forgets tiles before `first`, and closes those before `sealed`.
    pub(crate) fn expire(&mut self, layout: &Layout, first: i64, sealed: i64) {
        let stride = layout.words + 1;
        let gone = self.tiles.chunks_exact(stride).take_while(|row| signed(row[0]) < first).count();
        let length = self.tiles.len() / stride;
        // A few that no window looks at any more may stay: to let go of each one by itself would be to move all others each time.
        if gone > 0 && (self.extra.is_some() || gone == length || gone > length / SPARE) {
            self.tiles.drain(..gone * stride);
        }
        let Some(extra) = &mut self.extra else { return };
        if gone > 0 {
            extra.sketches.drain(..gone * layout.sketched.len());
        }
        extra.settle(layout, sealed);
        if !layout.has_paths {
            return;
        }
        for (row, sketches) in self.tiles.chunks_exact(stride).zip(extra.sketches.chunks_exact_mut(layout.sketched.len())) {
            if signed(row[0]) >= sealed {
                break;
            }
            for sketch in sketches {
                if let Sketch::Path(path) = sketch {
                    path.seal();
                }
            }
        }
    }

    /// Whether nothing is left to tell.
    pub(crate) fn is_empty(&self, layout: &Layout) -> bool {
        self.tiles.is_empty()
            && self.extra.as_ref().is_none_or(|extra| extra.rows.is_empty() && extra.always == layout.empty_always())
    }

    /// Forgets what has no window when nothing happened for the group's `keep`.
    pub(crate) fn forget_unkept(&mut self, layout: &Layout, at: i64) {
        if let Some(extra) = &mut self.extra
            && !layout.source_is_table
            && at >= extra.last_at.saturating_add(layout.group.keep.0)
        {
            extra.always = layout.empty_always();
            extra.base = layout.empty_always();
        }
    }

    /// When [`Self::forget_unkept`] will have something to do.
    pub(crate) fn unkept_at(&self, layout: &Layout) -> i64 {
        match &self.extra {
            Some(extra) if !layout.source_is_table && extra.always != layout.empty_always() => {
                extra.last_at.saturating_add(layout.group.keep.0)
            }
            _ => NO_TIMER,
        }
    }

    /// The last tile of a ring that holds on to rows although no window covers them.
    pub(crate) fn settling(&self, layout: &Layout) -> Option<i64> {
        let last = self.extra.as_ref().and_then(|extra| extra.rows.last())?;
        (self.tiles.is_empty() && layout.keeps_rows).then(|| layout.tile_of(last.time))
    }

    /// Heap bytes, for the memory account.
    pub(crate) fn heap_bytes(&self) -> usize {
        let extra = self.extra.as_ref().map_or(0, |extra| {
            let sketches: usize = extra.sketches.iter().map(Sketch::heap_bytes).sum();
            let words =
                extra.always.capacity() + extra.base.capacity() + extra.rows.iter().map(|row| row.values.len()).sum::<usize>();
            size_of::<Extra>()
                + sketches
                + extra.sketches.capacity() * size_of::<Sketch>()
                + extra.rows.capacity() * size_of::<Row>()
                + words * 8
        });
        self.tiles.capacity() * 8 + extra
    }

    fn is_sealed(&self, layout: &Layout, at: usize) -> bool {
        let count = layout.sketched.len();
        let sketches = self.extra.as_ref().map_or(&[][..], |extra| &extra.sketches[at * count..(at + 1) * count]);
        sketches.iter().any(|sketch| matches!(sketch, Sketch::Path(path) if path.is_sealed()))
    }

    fn sketches_of(&mut self, layout: &Layout, at: usize) -> &mut [Sketch] {
        let count = layout.sketched.len();
        self.extra.as_mut().map_or(&mut [], |extra| &mut extra.sketches[at * count..(at + 1) * count])
    }

    /// The place of a tile, or where it belongs. Most events are new: the search begins at the end.
    fn find(&self, tile: i64, stride: usize) -> Result<usize, usize> {
        for (at, row) in self.tiles.chunks_exact(stride).enumerate().rev() {
            match signed(row[0]).cmp(&tile) {
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Less => return Err(at + 1),
                std::cmp::Ordering::Greater => {}
            }
        }
        Err(0)
    }

    fn insert(&mut self, layout: &Layout, at: usize, tile: i64, words: &[u64]) {
        let stride = layout.words + 1;
        if self.tiles.len() + stride > self.tiles.capacity() {
            let rows = self.tiles.len() / stride;
            self.tiles.reserve_exact((rows / SPARE + 1) * stride);
        }
        let end = self.tiles.len();
        self.tiles.resize(end + stride, 0);
        self.tiles.copy_within(at * stride..end, (at + 1) * stride);
        self.tiles[at * stride] = tile.cast_unsigned();
        self.tiles[at * stride + 1..(at + 1) * stride].copy_from_slice(&words[..layout.words]);
    }
}

impl Stored for Ring {
    type Plan = Layout;

    fn write(&self, layout: &Layout, out: &mut Writer<'_>) {
        // A vector that is still to be written, or waits to be, has been outdated for ever; one that is right for ever has no instant.
        let fires_for = if self.touched || self.parked { EARLIEST.0 } else { self.fires_for };
        out.signed(if fires_for == NO_TIMER { i64::MIN } else { fires_for });
        out.count(self.tiles.len() / (layout.words + 1));
        out.words(&self.tiles);
        if let Some(extra) = &self.extra {
            extra.sketches.iter().for_each(|sketch| sketch.write(out));
            out.words(&extra.always);
            out.words(&extra.base);
            out.signed(extra.last_at);
            out.count(extra.rows.len());
            extra.rows.iter().for_each(|row| row.write(out));
        }
    }

    fn read(layout: &Layout, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let stride = layout.words + 1;
        let fires_for = Some(reader.instant()?).filter(|at| *at != i64::MIN).unwrap_or(NO_TIMER);
        let count = reader.count(8 * stride)?;
        let mut ring = Self::new(layout);
        ring.fires_for = fires_for;
        ring.tiles = reader.words(count * stride)?;
        if !ring.tiles.chunks_exact(stride).is_sorted_by(|one, next| signed(one[0]) < signed(next[0])) {
            return Err(Broken("tiles out of order"));
        }
        if !ring.tiles.chunks_exact(stride).all(|row| layout.is_tile(signed(row[0]))) {
            return Err(Broken("a tile of another time"));
        }
        if let Some(extra) = &mut ring.extra {
            for _ in 0..count {
                for op in &layout.sketched {
                    extra.sketches.push(Sketch::read(op.kind, reader)?);
                }
            }
            extra.always = reader.words(layout.always_words)?;
            extra.base = reader.words(layout.always_words)?;
            extra.last_at = reader.instant()?;
            let rows = reader.count(32)?;
            extra.rows = (0..rows).map(|_| Row::read(layout, reader)).collect::<Result<_, Broken>>()?;
            if !extra.rows.is_sorted_by_key(|row| (row.time, row.identity)) {
                return Err(Broken("rows out of order"));
            }
        }
        Ok(ring)
    }
}
