//! Which snapshots a partition has, which one is being written, and when the next one begins.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::Timestamp;
use features::{Engine, SnapshotKind};

use super::{Plan, Settings, note::Stored};

/// The snapshots of one partition.
pub(super) struct Snapshots {
    /// Begins the names of all pieces.
    prefix: String,
    life: u64,
    /// A full snapshot and the changes that followed it, all stored.
    chain: Vec<Stored>,
    /// The positions that the chain contains.
    positions: Vec<u64>,
    writing: Option<Writing>,
    /// What the engine wrote last is in the chain, so changes may follow it.
    follows: bool,
    next_number: u64,
    begun_at: Timestamp,
    records_since: u64,
}

struct Writing {
    stored: Stored,
    kind: SnapshotKind,
    positions: Vec<u64>,
    buffer: BytesMut,
    /// Nothing is left to be written but the last piece to be stored.
    whole: bool,
}

/// A piece to be stored under a name.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

impl Snapshots {
    /// Goes on after a chain that an earlier life has left; a full snapshot is the next one.
    pub(super) fn new(prefix: String, life: u64, chain: Vec<Stored>, positions: Vec<u64>, now: Timestamp) -> Self {
        let next_number = chain.last().map_or(1, |stored| stored.number + 1);
        Self { prefix, life, chain, positions, writing: None, follows: false, next_number, begun_at: now, records_since: 0 }
    }

    /// Begins the names of all pieces of a partition.
    pub(super) fn prefix(plan: &Plan, partition: u32) -> String {
        format!("state/{}/{}/{partition:04}", plan.pipeline.id, plan.generation)
    }

    /// The name of a piece.
    pub(super) fn name(prefix: &str, stored: &Stored, part: u32) -> String {
        format!("{prefix}/{:012}.{:016x}/{part:05}", stored.number, stored.life)
    }

    /// The number in a name that [`Snapshots::name`] made.
    pub(super) fn number(prefix: &str, name: &str) -> Option<u64> {
        name.strip_prefix(prefix)?.strip_prefix('/')?.split_once('.')?.0.parse().ok()
    }

    pub(super) fn took(&mut self, records: usize) {
        self.records_since += records as u64;
    }

    /// Begins a snapshot of the present instant when one is due and the engine owes nobody a vector: what it has touched and not
    /// written is not in a snapshot.
    pub(super) fn begin_when_due(&mut self, engine: &mut Engine, positions: &[u64], now: Timestamp, settings: &Settings) {
        let elapsed = Duration::from_millis(now.0.saturating_sub(self.begun_at.0).max(0).unsigned_abs());
        let due = self.records_since >= settings.snapshot_records || elapsed >= settings.snapshot_every;
        if self.writing.is_some() || !due || self.records_since == 0 || engine.pending() > 0 {
            return;
        }
        let full = !self.follows || self.chain.len() > settings.changes_max;
        let kind = engine.begin_snapshot(if full { SnapshotKind::Full } else { SnapshotKind::Changes });
        let stored = Stored { number: self.next_number, life: self.life, parts: 0 };
        let positions = positions.to_vec();
        self.writing = Some(Writing { stored, kind, positions, buffer: BytesMut::new(), whole: false });
        self.next_number += 1;
        (self.begun_at, self.records_since) = (now, 0);
    }

    /// Writes a little of the snapshot under way; a piece to be stored when there is enough of it.
    pub(super) fn write_some(&mut self, engine: &mut Engine, settings: &Settings) -> Option<Part> {
        let writing = self.writing.as_mut()?;
        let mut frame = Vec::new();
        writing.whole = !engine.write_snapshot(settings.frame_bytes, &mut frame);
        writing.buffer.extend_from_slice(&frame);
        if !writing.whole && writing.buffer.len() < settings.part_bytes {
            return None;
        }
        let name = Self::name(&self.prefix, &writing.stored, writing.stored.parts);
        writing.stored.parts += 1;
        Some(Part { name, bytes: std::mem::take(&mut writing.buffer).freeze() })
    }

    /// A piece is stored. Whether it was the last one of a snapshot.
    pub(super) fn stored(&mut self) -> bool {
        let Some(writing) = self.writing.take_if(|writing| writing.whole) else { return false };
        if writing.kind == SnapshotKind::Full {
            self.chain.clear();
        }
        self.chain.push(writing.stored);
        self.positions = writing.positions;
        self.follows = true;
        true
    }

    /// A piece could not be stored: the chain stays as it was, and the next snapshot is a full one.
    pub(super) fn give_up(&mut self) {
        self.writing = None;
        self.follows = false;
    }

    /// Whether a snapshot is being written.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// A full snapshot and the changes that followed it, all stored.
    pub(super) fn chain(&self) -> &[Stored] {
        &self.chain
    }

    /// The positions that the chain contains.
    pub(super) fn positions(&self) -> &[u64] {
        &self.positions
    }
}
