//! Rows of derived sources: they come with a weight, and what came may be taken back.

use super::{Extra, Ring, Taken};
use crate::{
    codec::{Broken, Reader, Writer},
    columns::NULL,
    layout::{Layout, Op},
    partial::{Kind, Occurrence},
};

/// A row as a group sees it: its conditions decided, its values taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) time: i64,
    pub(crate) identity: u128,
    /// The i-th bit says whether the i-th condition holds.
    pub(crate) conditions: u64,
    /// One for each input of the layout.
    pub(crate) values: Box<[i64]>,
}

impl Row {
    pub(crate) fn occurrence(&self, value: i64) -> Occurrence {
        Occurrence { time: self.time, identity: self.identity, value }
    }

    fn meets(&self, condition: Option<usize>) -> bool {
        condition.is_none_or(|condition| self.conditions >> condition & 1 == 1)
    }

    /// The value of an input, none when it is null; 0 where no input is asked for.
    fn value(&self, input: Option<usize>) -> Option<i64> {
        input.map_or(Some(0), |input| Some(self.values[input]).filter(|value| *value != NULL))
    }

    fn add_to(&self, layout: &Layout, always: &mut [u64]) {
        for op in layout.always.iter().filter(|op| self.meets(op.condition)) {
            if let Some(value) = self.value(op.input) {
                op.kind.add(&mut always[op.at..op.at + op.kind.words()], self.occurrence(value));
            }
        }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.signed(self.time);
        out.identity(self.identity);
        out.word(self.conditions);
        self.values.iter().for_each(|value| out.signed(*value));
    }

    pub(crate) fn read(layout: &Layout, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let (time, identity, conditions) = (reader.time()?, reader.identity()?, reader.word()?);
        let values = layout.inputs.iter().map(|_| reader.signed()).collect::<Result<_, Broken>>()?;
        Ok(Self { time, identity, conditions, values })
    }
}

impl Extra {
    /// Lets go of the rows of closed tiles.
    pub(super) fn settle(&mut self, layout: &Layout, sealed: i64) {
        let Self { rows, base, .. } = self;
        if layout.source_is_table {
            return;
        }
        let closed = rows.partition_point(|row| layout.tile_of(row.time) < sealed);
        rows.drain(..closed).for_each(|row| row.add_to(layout, base));
    }

    /// Adds a row, or removes it, by its weight.
    fn put(&mut self, row: &Row, weight: i8) {
        let order = |row: &Row| (row.time, row.identity);
        let first = self.rows.partition_point(|other| order(other) < order(row));
        if weight > 0 {
            self.rows.insert(first, row.clone());
        } else if let Some(at) =
            self.rows[first..].iter().take_while(|other| order(other) == order(row)).position(|other| other == row)
        {
            self.rows.remove(first + at);
        }
    }

    /// Values without a window, from the rows at hand on top of those that were let go of.
    fn rebuild_always(&mut self, layout: &Layout) {
        let Self { always, base, rows, .. } = self;
        always.clone_from(base);
        rows.iter().for_each(|row| row.add_to(layout, always));
    }
}

impl Ring {
    /// Takes a row of a pair, or takes it back. Its tile is computed again by [`Self::rebuild_dirty`].
    pub(crate) fn apply_pair_row(&mut self, layout: &Layout, row: &Row, weight: i8, sealed: i64) -> Taken {
        let tile = layout.tile_of(row.time);
        if tile < sealed {
            return Taken::Sealed;
        }
        let Some(extra) = &mut self.extra else { panic!("a group over a pair keeps rows") };
        if weight > 0 {
            if row.time >= extra.last_at.saturating_add(layout.group.keep.0) {
                extra.base = layout.empty_always();
                extra.rows.clear();
            }
            extra.last_at = extra.last_at.max(row.time);
        }
        extra.put(row, weight);
        if extra.dirty.last() != Some(&tile) {
            extra.dirty.push(tile);
        }
        Taken::Yes
    }

    /// Computes the tiles whose rows changed from the rows that they have now.
    pub(crate) fn rebuild_dirty(&mut self, layout: &Layout) {
        let Some(extra) = self.extra.as_deref_mut().filter(|extra| !extra.dirty.is_empty()) else { return };
        let mut dirty = std::mem::take(&mut extra.dirty);
        if !layout.always.is_empty() {
            extra.rebuild_always(layout);
        }
        dirty.sort_unstable();
        dirty.dedup();
        for tile in dirty {
            self.rebuild(layout, tile);
        }
    }

    /// Counts a row of a table in or out. First and last values are those of the rows that are open.
    pub(crate) fn apply_table_row(&mut self, layout: &Layout, row: &Row, weight: i8) {
        let Some(extra) = &mut self.extra else { panic!("a group over a table keeps values without windows") };
        let (counts, edges): (Vec<&Op<Kind>>, Vec<&Op<Kind>>) = layout.always.iter().partition(|op| op.kind == Kind::Count);
        for op in counts.into_iter().filter(|op| row.meets(op.condition)) {
            // A row that found no room when it came is not counted out below nothing.
            extra.always[op.at] = extra.always[op.at].saturating_add_signed(i64::from(weight));
        }
        extra.last_at = extra.last_at.max(row.time);
        if edges.is_empty() {
            return;
        }
        extra.put(row, weight);
        for op in edges {
            let words = &mut extra.always[op.at..op.at + op.kind.words()];
            words.copy_from_slice(op.kind.empty());
            for row in extra.rows.iter().filter(|row| row.meets(op.condition)) {
                if let Some(value) = row.value(op.input) {
                    op.kind.add(words, row.occurrence(value));
                }
            }
        }
    }

    /// Forgets all rows.
    pub(crate) fn forget_rows(&mut self, layout: &Layout) {
        if let Some(extra) = &mut self.extra {
            extra.rows.clear();
            extra.always = layout.empty_always();
        }
    }

    /// Makes a tile anew.
    fn rebuild(&mut self, layout: &Layout, tile: i64) {
        let stride = layout.words + 1;
        let count = layout.sketched.len();
        let known = self.find(tile, stride);
        let Some(extra) = self.extra.as_deref_mut() else { return };
        if let Ok(at) = known {
            self.tiles.drain(at * stride..(at + 1) * stride);
            extra.sketches.drain(at * count..(at + 1) * count);
        }
        let from = extra.rows.partition_point(|row| layout.tile_of(row.time) < tile);
        let to = extra.rows.partition_point(|row| layout.tile_of(row.time) <= tile);
        if from == to || layout.widths.is_empty() {
            return;
        }
        let (mut words, mut sketches) = (layout.empty_words(), layout.empty_sketches());
        for row in &extra.rows[from..to] {
            for op in layout.fixed.iter().filter(|op| row.meets(op.condition)) {
                if let Some(value) = row.value(op.input) {
                    op.kind.add(&mut words[op.at..op.at + op.kind.words()], row.occurrence(value));
                }
            }
            for (op, sketch) in layout.sketched.iter().zip(&mut sketches).filter(|(op, _)| row.meets(op.condition)) {
                if let Some((value, second)) = layout.sketch_value(op, |input| row.values[input]) {
                    sketch.add(row.occurrence(value), second, layout.scale(op));
                }
            }
        }
        self.merge_tile(layout, tile, &words, &sketches);
    }
}
