//! What the cases of a partition may take in memory, worked out from what a case has: something to plan with, and no measurement.
//! `tests/memory.rs` measures it.

use domain::Timestamp;

use super::{CASES_MAX, Rules};
use crate::scorer::Life;

/// Bytes of a key or a text with what an allocator adds: few are longer than a UUID.
const TEXT_BYTES: usize = 64;
/// Bytes that it adds to each of the lists of a case, of which there are three.
const LISTS_BYTES: usize = 3 * 16;
/// Trees that grow at their ends leave their nodes half empty.
const ROOM: usize = 2;

impl Rules {
    /// What is kept of one case: itself by its key, and when its time comes.
    pub fn case_bytes(&self) -> u64 {
        let case = size_of::<(String, Life)>() * ROOM + TEXT_BYTES + LISTS_BYTES;
        let life = Life::heap_bytes(&self.case, TEXT_BYTES);
        let timer = size_of::<(Timestamp, String)>() * ROOM + TEXT_BYTES;
        (case + life + timer) as u64
    }

    /// So many cases of a partition are kept at most, those that are over and still remembered among them.
    pub const CASES_MAX: u64 = CASES_MAX as u64;
}
