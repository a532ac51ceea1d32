//! What the engine knows of time: its clock, when sources were last heard, how old an event may still be.
//!
//! Only asked, never changed here.

use super::{Engine, block};
use crate::group::{GroupState, LAG_MS, Moment};

impl Engine {
    pub(super) fn moment(&self, state: &GroupState) -> Moment {
        let source = state.layout.group.source;
        let heard = self.pipeline.base_of(source).and_then(|base| self.heard[base]);
        let at = self.now.min(self.stands_still_at(source));
        Moment { now: self.now, at, heard, position: self.position, sealed: self.sealed(source) }
    }

    /// What a block tells of its sender, which may still send events of a source from `oldest` on.
    pub(super) fn said(&self, base: usize, oldest: i64) -> block::Said {
        block::Said { heard: self.heard[base], now: self.now, oldest, shard: self.config.shard }
    }

    /// No event of a source before this instant can come any more from a shard that is not far behind the others. One that has
    /// said nothing yet may send anything. Never goes back: what was closed has been forgotten.
    pub(super) fn sealed(&self, source: usize) -> i64 {
        let Some(base) = self.pipeline.base_of(source) else { return i64::MIN };
        let said = self.oldest[base].iter().map(|oldest| oldest.unwrap_or(i64::MIN));
        let (least, most) = said.fold((i64::MAX, i64::MIN), |(least, most), oldest| (least.min(oldest), most.max(oldest)));
        least.max(most.saturating_sub(LAG_MS))
    }

    /// The instant beyond which time does not pass for a source unless it is heard again.
    pub(super) fn stands_still_at(&self, source: usize) -> i64 {
        let heard = self.pipeline.base_of(source).and_then(|base| self.heard[base]);
        let silent_after = self.pipeline.sources[source].silent_after;
        heard.zip(silent_after).map_or(i64::MAX, |(heard, after)| heard.saturating_add(after.0))
    }
}
