//! What a ring holds, for whoever explains a value. Reads, and never changes anything.

use super::Ring;
use crate::{layout::Layout, partial::signed, sketch::Sketch};

impl Ring {
    /// Number, words and sketches of each tile, oldest first.
    pub(crate) fn tiles<'a>(&'a self, layout: &Layout) -> impl Iterator<Item = (i64, &'a [u64], &'a [Sketch])> {
        let count = layout.sketched.len();
        let sketches = self.extra.as_ref().map_or(&[][..], |extra| &extra.sketches);
        let rows = self.tiles.chunks_exact(layout.words + 1).enumerate();
        rows.map(move |(at, row)| (signed(row[0]), &row[1..], &sketches[at * count..(at + 1) * count]))
    }

    /// The words of what has no window.
    pub(crate) fn always(&self) -> &[u64] {
        self.extra.as_ref().map_or(&[], |extra| &extra.always)
    }
}
