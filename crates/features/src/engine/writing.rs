//! The end of a step: vectors of what was touched and of what is due, and when there will be more to do.

use domain::Timestamp;

use super::{Engine, stream::StreamState};
use crate::{
    derive::Derived,
    group::AHEAD,
    output::{Output, Vectors},
    ring::Ring,
    steps::Step,
};

/// Vectors after which a step leaves the rest to the next one: about 50 ms of work. More are touched at once only after a restart,
/// when everything is written anew, or when many timers ran out together.
const VECTORS_MAX: usize = 1 << 16;

impl Engine {
    /// Writes what was touched and what is due, as far as one step may.
    pub(super) fn finish(&mut self, mut out: Output) -> Output {
        self.steps.begin();
        out.vectors = Vectors::with_room_for(self.room);
        for place in 0..self.groups.len() {
            let moment = self.moment(&self.groups[place]);
            self.groups[place].finish_touched(moment, VECTORS_MAX, &mut self.wheel, &mut out.vectors);
        }
        while out.vectors.len() < VECTORS_MAX
            && let Some(mut entries) = self.wheel.pop(self.now)
        {
            entries.retain(|(group, entity)| self.groups[usize::from(*group)].is_due(*entity, self.now));
            for some in entries.chunks(AHEAD) {
                for (group, entity) in some {
                    self.groups[usize::from(*group)].look_ahead(std::iter::once(*entity), Ring::all_tiles);
                }
                for (group, entity) in some {
                    let moment = self.moment(&self.groups[usize::from(*group)]);
                    self.groups[usize::from(*group)].fire(*entity, moment, &mut self.wheel, &mut out.vectors);
                }
            }
        }
        self.steps.end(Step::Finish);
        self.room = out.vectors.size();
        let due = self.derived.iter().filter_map(Derived::next_due);
        let held = self.streams.iter().flatten().filter_map(StreamState::next_visible);
        // What is due and was not done waits for a silent source, not for time.
        let waiting = due.chain(held).filter(|at| *at > self.now);
        let pending = (self.pending() > 0).then_some(self.now);
        out.next_timer = waiting.chain(self.wheel.next()).chain(pending).min().map(Timestamp);
        out
    }
}
