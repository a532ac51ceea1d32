//! How much an engine holds. Counts, and decides nothing.

use super::Engine;
use crate::derive::Derived;

/// How much an engine holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Entities of all groups.
    pub entities: usize,
    /// Bytes of their rings and keys.
    pub ring_bytes: usize,
    /// Keys of pairs, tables and absences.
    pub derived_keys: usize,
    /// Events stamped in the future.
    pub held: usize,
    /// How often a dedup slice was full before its time.
    pub dedup_shortened: u64,
}

impl Engine {
    /// How much is held, for metrics and accounts.
    pub fn load(&self) -> Load {
        let rings = self.groups.iter().flat_map(|state| state.slab.iter().map(|(_, key, ring)| (key, ring)));
        Load {
            entities: self.groups.iter().map(|state| state.slab.len()).sum(),
            ring_bytes: rings.map(|(key, ring)| key.len() + size_of_val(ring) + ring.heap_bytes()).sum(),
            derived_keys: self.derived.iter().map(Derived::len).sum(),
            held: self.streams.iter().flatten().map(|stream| stream.held.len()).sum(),
            dedup_shortened: self.streams.iter().flatten().map(|stream| stream.slices.shortened()).sum(),
        }
    }
}
