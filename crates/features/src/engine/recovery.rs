//! Taking records a second time after a restart, and writing everything anew.
//!
//! What is replayed was committed before: its blocks, refusals and vectors have gone out. Only the state is made again, and
//! what it touched is written by the next steps, once it is whole: no reader sees a window that is half filled.

use domain::Timestamp;

use super::{Engine, Record};
use crate::{Error, group::GroupState, output::Refused};

impl Engine {
    /// Takes records that were taken before. No vector is written before the next step.
    pub fn replay(&mut self, records: &[Record<'_>], now: Timestamp) {
        self.take(records, now);
    }

    /// Takes a block that was taken before, as [`Engine::replay`] does.
    pub fn replay_block(&mut self, bytes: &[u8], now: Timestamp) -> Result<(), Error> {
        self.take_block(bytes, now).map(drop)
    }

    /// Takes the lines of a file table as [`Engine::load_file`] does, silently.
    pub fn replay_file(&mut self, source: usize, lines: &str, now: Timestamp) -> Vec<Refused> {
        self.take_file(source, lines, now).refused
    }

    /// Has the vectors of all entities written again, by this and the next steps.
    pub fn touch_all(&mut self) {
        self.groups.iter_mut().for_each(GroupState::touch_all);
    }

    /// Live entities of all groups.
    pub fn entities(&self) -> usize {
        self.groups.iter().map(|state| state.slab.len()).sum()
    }

    /// Entities whose vectors are not written yet. A step leaves some when there are very many.
    pub fn pending(&self) -> usize {
        self.groups.iter().map(GroupState::pending).sum()
    }
}
