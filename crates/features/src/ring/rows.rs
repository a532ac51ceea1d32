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
        let (time, identity, conditions) = (reader.signed()?, reader.identity()?, reader.word()?);
        let values = layout.inputs.iter().map(|_| reader.signed()).collect::<Result<_, Broken>>()?;
        Ok(Self { time, identity, conditions, values })
    }
}

impl Extra {
    /// Lets go of the rows of closed tiles.
    pub(super) fn settle(&mut self, layout: &Layout, sealed: i64) {
        if layout.source_is_table {
            return;
        }
        let Self { rows, base, .. } = self;
        rows.retain(|row| {
            let open = layout.tile_of(row.time) >= sealed;
            if !open {
                row.add_to(layout, base);
            }
            open
        });
    }
}

impl Ring {
    /// Takes a row of a pair, or takes it back, and computes its tile again from the rows that are left.
    pub(crate) fn apply_pair_row(&mut self, layout: &Layout, row: &Row, weight: i8, sealed: i64) -> Taken {
        let tile = layout.tile_of(row.time);
        if tile < sealed {
            return Taken::Sealed;
        }
        let Some(extra) = &mut self.extra else { panic!("a group over a pair keeps rows") };
        if weight > 0 {
            extra.last_at = extra.last_at.max(row.time);
            extra.rows.push(row.clone());
        } else if let Some(at) = extra.rows.iter().position(|other| other == row) {
            extra.rows.swap_remove(at);
        }
        let rows: Vec<Row> = extra.rows.iter().filter(|row| layout.tile_of(row.time) == tile).cloned().collect();
        self.rebuild(layout, tile, &rows);
        Taken::Yes
    }

    /// Counts a row of a table in or out. First and last values are those of the rows that are open.
    pub(crate) fn apply_table_row(&mut self, layout: &Layout, row: &Row, weight: i8) {
        let Some(extra) = &mut self.extra else { panic!("a group over a table keeps values without windows") };
        let (counts, edges): (Vec<&Op<Kind>>, Vec<&Op<Kind>>) = layout.always.iter().partition(|op| op.kind == Kind::Count);
        for op in counts.into_iter().filter(|op| row.meets(op.condition)) {
            extra.always[op.at] = extra.always[op.at].wrapping_add_signed(i64::from(weight));
        }
        if edges.is_empty() {
            return;
        }
        if weight > 0 {
            extra.rows.push(row.clone());
        } else if let Some(at) = extra.rows.iter().position(|other| other == row) {
            extra.rows.swap_remove(at);
        }
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

    /// Makes a tile anew.
    fn rebuild(&mut self, layout: &Layout, tile: i64, rows: &[Row]) {
        let stride = layout.words + 1;
        let count = layout.sketched.len();
        if let Ok(at) = self.find(tile, stride) {
            self.tiles.drain(at * stride..(at + 1) * stride);
            if let Some(extra) = &mut self.extra {
                extra.sketches.drain(at * count..(at + 1) * count);
            }
        }
        if rows.is_empty() {
            return self.rebuild_always(layout);
        }
        let (mut words, mut sketches) = (layout.empty_words(), layout.empty_sketches());
        for row in rows {
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
        self.rebuild_always(layout);
    }

    /// Values without a window over a pair: from the rows that may still be taken back, on top of the others.
    fn rebuild_always(&mut self, layout: &Layout) {
        let Some(Extra { always, base, rows, .. }) = self.extra.as_deref_mut() else { return };
        always.clone_from(base);
        rows.iter().for_each(|row| row.add_to(layout, always));
    }
}
