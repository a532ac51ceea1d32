//! One stream of one partition: decode, and admit or refuse by the clock of the partition.

use std::collections::BTreeMap;

use pipeline::{Source, Stream};

use super::Record;
use crate::{
    Reason,
    columns::Columns,
    decode::{Decoder, Scratch},
    dedup::{Glance, Slices, SlicesMark},
    output::Refused,
    steps::{Step, Steps},
};

/// Rows whose identities are looked up together: what the look-ups brought is still in the first cache when the rows are admitted.
const GLANCE_ROWS: usize = 128;

/// Decoder, clock and memory of one stream.
#[derive(Debug)]
pub(super) struct StreamState {
    decoder: Decoder,
    /// The columns of the batch at hand.
    pub(super) columns: Columns,
    pub(super) slices: Slices,
    glance: Glance,
    /// Largest append time so far.
    pub(super) clock: i64,
    /// Accepted events whose time has not come, by (time, identity).
    pub(super) held: BTreeMap<(i64, u128), Box<[u8]>>,
    /// Up to where a snapshot has the slices.
    pub(super) saved: Option<SlicesMark>,
    /// What a snapshot says of the slices: number and id of the present one.
    pub(super) restored: (i64, u64),
    skew_ms: i64,
    pub(super) lateness_ms: i64,
}

impl StreamState {
    pub(super) fn new(source: &Source, stream: &Stream, used: &[bool]) -> Self {
        // A slice holds what comes in one horizon at the declared peak, and half as much again.
        let entries = stream.peak_per_second.saturating_mul(stream.dedup.0.unsigned_abs()) / 1000;
        let entries = usize::try_from(entries + entries / 2).unwrap_or(usize::MAX);
        Self {
            decoder: Decoder::new(source, stream),
            columns: Columns::new(&source.fields, used),
            slices: Slices::new(stream.dedup.0, entries),
            glance: Glance::default(),
            clock: i64::MIN,
            held: BTreeMap::new(),
            saved: None,
            restored: (i64::MIN, 1),
            skew_ms: stream.skew.0,
            lateness_ms: stream.lateness.0,
        }
    }

    /// Fills the columns with the stream's records and those that were held, and returns the rows that are visible now.
    pub(super) fn take(
        &mut self,
        source: usize,
        records: &[Record<'_>],
        now: i64,
        admits_all: bool,
        steps: &mut Steps,
        refused: &mut Vec<Refused>,
    ) -> Vec<u32> {
        self.columns.truncate(0);
        steps.begin();
        let mut decoded = Vec::with_capacity(records.len());
        let mut scratch = Scratch::new();
        for record in records.iter().filter(|record| record.source == source) {
            decoded.push((record, self.decoder.decode(record.payload, &mut scratch, &mut self.columns)));
        }
        steps.end(Step::Decode);
        let mut rows = Vec::with_capacity(self.columns.len());
        let mut next_row = 0;
        for (record, outcome) in decoded {
            self.clock = self.clock.max(record.append_at.0);
            let row = next_row;
            next_row += usize::from(outcome.is_ok());
            match outcome.and_then(|()| if admits_all { Ok(()) } else { self.admit(row) }) {
                Err(reason) => refused.push(Refused { source, offset: record.offset, reason }),
                Ok(()) if self.columns.times[row] >= now => {
                    self.held.insert((self.columns.times[row], self.columns.identities[row]), record.payload.into());
                }
                Ok(()) => rows.push(row as u32),
            }
        }
        self.release(now, &mut rows);
        steps.end(Step::Admit);
        rows
    }

    /// Nothing older will be accepted any more.
    pub(super) fn oldest(&self) -> i64 {
        self.clock.saturating_sub(self.lateness_ms)
    }

    /// When the next held event becomes visible.
    pub(super) fn next_visible(&self) -> Option<i64> {
        self.held.first_key_value().map(|((time, _), _)| time + 1)
    }

    /// The time of an event, when it is admitted.
    pub(super) fn decide(&mut self, record: &Record<'_>) -> Result<i64, Reason> {
        self.columns.truncate(0);
        let decoded = self.decoder.decode(record.payload, &mut Scratch::new(), &mut self.columns);
        self.clock = self.clock.max(record.append_at.0);
        decoded.and_then(|()| self.admit(0))?;
        Ok(self.columns.times[0])
    }

    /// Rows are admitted in their order, from the first one.
    fn admit(&mut self, row: usize) -> Result<(), Reason> {
        let identities = &self.columns.identities;
        if row.is_multiple_of(GLANCE_ROWS) {
            self.slices.glance(&identities[row..identities.len().min(row + GLANCE_ROWS)], &mut self.glance);
        }
        let time = self.columns.times[row];
        if time > self.clock.saturating_add(self.skew_ms) {
            return Err(Reason::Future);
        }
        if time < self.clock.saturating_sub(self.lateness_ms) {
            return Err(Reason::Late);
        }
        let place = (&self.glance, row % GLANCE_ROWS);
        if self.slices.insert(self.clock, identities[row], place) { Ok(()) } else { Err(Reason::Duplicate) }
    }

    fn release(&mut self, now: i64, rows: &mut Vec<u32>) {
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 < now) {
            let payload = entry.remove();
            let decoded = self.decoder.decode(&payload, &mut Scratch::new(), &mut self.columns);
            if decoded.is_ok() {
                rows.push((self.columns.len() - 1) as u32);
            }
        }
    }
}

/// What could not be read of a file table.
pub(super) struct FileFaults {
    pub(super) refused: Vec<(u64, Reason)>,
}

/// Fills columns with the last line of each key of a file table.
pub(super) fn decode_file(source: &Source, key: usize, lines: &str, columns: &mut Columns) -> FileFaults {
    let mut decoder = Decoder::for_file(source, key);
    let mut refused = Vec::new();
    let mut last: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match decoder.file_key(line.as_bytes()) {
            Ok(key) => {
                last.insert(key, (number, line));
            }
            Err(reason) => refused.push((number as u64 + 1, reason)),
        }
    }
    for (number, line) in last.into_values() {
        if let Err(reason) = decoder.decode(line.as_bytes(), &mut Scratch::new(), columns) {
            refused.push((number as u64 + 1, reason));
        }
    }
    FileFaults { refused }
}
