//! From tiles to the values of a vector: one walk from the newest tile to the oldest serves all windows.

use domain::{NEVER, Timestamp};

use super::Ring;
use crate::{
    layout::{Layout, Merged},
    partial::signed,
    sketch::Sketch,
};

/// Room for the values of one vector, reused from entity to entity.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Eight bytes for each column, none being null.
    pub(crate) values: Vec<Option<u64>>,
    words: Vec<u64>,
    sketches: Vec<Sketch>,
}

impl Ring {
    /// Writes the values at an instant to the scratch, and says until when they hold.
    pub(crate) fn finish(&self, layout: &Layout, at: i64, scratch: &mut Scratch) -> Timestamp {
        let stride = layout.words + 1;
        let Scratch { values, words, sketches } = scratch;
        values.clear();
        values.resize(layout.columns.len(), None);
        words.clear();
        layout.fixed.iter().for_each(|op| words.extend_from_slice(op.kind.empty()));
        sketches.clear();
        sketches.extend(layout.sketched.iter().map(|op| op.kind.empty()));

        let (hop, now_tile) = (layout.group.hop.0, layout.tile_of(at));
        let count = self.tiles.len() / stride;
        let (mut from, mut valid_until) = (count, NEVER.0);
        for (window, width) in layout.widths.iter().enumerate() {
            let first = layout.tile_of(at - width.0);
            let to = from;
            while from > 0 && signed(self.tiles[(from - 1) * stride]) >= first {
                from -= 1;
            }
            for op in &layout.fixed {
                let rows = &self.tiles[from * stride..to * stride];
                op.kind.merge_rows(&mut words[op.at..op.at + op.kind.words()], rows, stride, 1 + op.at);
            }
            self.join_sketches(layout, from..to, sketches);
            if from < count {
                let oldest = signed(self.tiles[from * stride]);
                valid_until = valid_until.min((oldest + 1) * hop + width.0);
                if layout.decaying.contains(&window) {
                    valid_until = valid_until.min((now_tile + 1) * hop);
                }
            }
            let rows = &self.tiles[from * stride..];
            let merged = Merged { words, sketches, width_ms: width.0, rows, now_tile, hop_ms: hop };
            for column in &layout.windowed[window] {
                values[*column] = layout.columns[*column].value(&merged);
            }
        }
        if let Some(extra) = &self.extra {
            let merged = Merged { words: &extra.always, sketches: &[], width_ms: 0, rows: &[], now_tile, hop_ms: hop };
            for column in &layout.unwindowed {
                values[*column] = layout.columns[*column].value(&merged);
            }
        }
        Timestamp(valid_until)
    }

    fn join_sketches(&self, layout: &Layout, tiles: std::ops::Range<usize>, sketches: &mut [Sketch]) {
        let Some(extra) = &self.extra else { return };
        let count = layout.sketched.len();
        for older in tiles.rev().map(|tile| &extra.sketches[tile * count..(tile + 1) * count]) {
            for (op, (sketch, older)) in layout.sketched.iter().zip(sketches.iter_mut().zip(older)) {
                sketch.join_older(older, layout.scale(op));
            }
        }
    }
}
