//! What one step of the engine gives back.

use std::ops::Range;

use domain::Timestamp;

use crate::Reason;

/// What came of one step.
#[derive(Debug, Default)]
pub struct Output {
    /// Vectors that changed or were due.
    pub vectors: Vectors,
    /// Records that were refused, in order.
    pub refused: Vec<Refused>,
    /// Parts of accepted records that could not be kept, by group.
    pub dropped: Vec<Dropped>,
    /// Absences that were raised or taken back, in order.
    pub absences: Vec<AbsenceChange>,
    /// Partials for other shards.
    pub blocks: Vec<Block>,
    /// When the engine has something to do although nothing comes: call `tick` then.
    pub next_timer: Option<Timestamp>,
}

impl Output {
    /// Adds what came of a part of the step; vectors are written at its end.
    pub(crate) fn take_over(&mut self, part: Self) {
        self.refused.extend(part.refused);
        self.dropped.extend(part.dropped);
        self.absences.extend(part.absences);
        self.blocks.extend(part.blocks);
    }
}

/// A record that did not become an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Index of the source in the pipeline.
    pub source: usize,
    /// The record's offset.
    pub offset: u64,
    /// Why.
    pub reason: Reason,
}

/// Partials of one entity that a group could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Index of the group in the pipeline.
    pub group: usize,
    /// The entity's key.
    pub key: String,
    /// Why.
    pub reason: Reason,
}

/// Something that did not come in time, or came after all. What is raised and not taken back is what is missing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceChange {
    /// Index of the absence among the pipeline's sources; its topic stands there.
    pub source: usize,
    /// Of whom something is missing.
    pub key: String,
    /// The time of the last event.
    pub since: Timestamp,
    /// When the event should have been there at the latest.
    pub due: Timestamp,
    /// The identity of the last event: with source and due it says which absence is taken back.
    pub identity: u128,
    /// True when it is missing, false when a late event shows that it was not, or that another one was the last.
    pub raised: bool,
}

/// Bytes for another shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The shard that must receive it.
    pub shard: u32,
    /// To be given to its `receive`.
    pub bytes: Vec<u8>,
}

/// Packed vectors, end to end in one buffer.
#[derive(Debug, Default)]
pub struct Vectors {
    buffer: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    group: usize,
    key: Range<usize>,
    packed: Range<usize>,
}

/// One vector of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorRef<'a> {
    /// Index of the group in the pipeline.
    pub group: usize,
    /// The entity's key.
    pub key: &'a str,
    /// See `docs/reference/packed-vector.md`.
    pub packed: &'a [u8],
}

impl Vectors {
    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The vectors in the order in which they were finished; a later one of an entity replaces an earlier one.
    pub fn iter(&self) -> impl Iterator<Item = VectorRef<'_>> {
        self.entries.iter().map(|entry| VectorRef {
            group: entry.group,
            key: std::str::from_utf8(&self.buffer[entry.key.clone()]).unwrap_or_default(),
            packed: &self.buffer[entry.packed.clone()],
        })
    }

    /// With room for as much as another step gave.
    pub(crate) fn with_room_for(other: (usize, usize)) -> Self {
        Self { buffer: Vec::with_capacity(other.0), entries: Vec::with_capacity(other.1) }
    }

    /// Bytes and vectors.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.buffer.len(), self.entries.len())
    }

    pub(crate) fn push(&mut self, group: usize, key: &str, pack: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(key.as_bytes());
        let middle = self.buffer.len();
        pack(&mut self.buffer);
        self.entries.push(Entry { group, key: start..middle, packed: middle..self.buffer.len() });
    }
}
