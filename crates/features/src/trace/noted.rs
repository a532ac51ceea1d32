//! What is remembered of places while a value is followed. Decides nothing.

use std::collections::BTreeMap;

use domain::Timestamp;

use super::{Listing, Origin, TracedRefusal, TracedRow, parts};
use crate::{Reason, derive::Change, layout::Layout, ring::Row};

/// Rows, refusals, and where they stand.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) rows: Listing<TracedRow>,
    pub(super) refused: Listing<TracedRefusal>,
    pub(super) unreadable: BTreeMap<Reason, u64>,
    /// Where the events stand that rows may be made of, by time and identity.
    pub(super) places: BTreeMap<(i64, u128), Origin>,
    /// Rows that may still be taken back.
    open: BTreeMap<(i64, u128), TracedRow>,
    events: BTreeMap<i64, u64>,
    from: i64,
    until: i64,
    hop_ms: i64,
    has_window: bool,
}

impl Noted {
    pub(super) fn new(from: i64, until: i64, hop_ms: i64, has_window: bool) -> Self {
        Self {
            rows: Listing::default(),
            refused: Listing::default(),
            unreadable: BTreeMap::new(),
            places: BTreeMap::new(),
            open: BTreeMap::new(),
            events: BTreeMap::new(),
            from,
            until,
            hop_ms,
            has_window,
        }
    }

    pub(super) fn events_in(&self, tile: i64) -> u64 {
        self.events.get(&tile).copied().unwrap_or_default()
    }

    /// Takes an event or row for good.
    pub(super) fn take(&mut self, row: TracedRow) {
        let time = row.at.0;
        if time < self.from {
            return;
        }
        if self.has_window {
            *self.events.entry(time.div_euclid(self.hop_ms)).or_default() += 1;
        }
        self.rows.push(row);
    }

    /// Takes a row of a derived source, or takes it back.
    pub(super) fn change(&mut self, layout: &Layout, row: &Row, change: &Change) {
        let place = (change.time, change.identity);
        if change.weight < 0 {
            self.open.remove(&place);
            return;
        }
        let start = change.start.and_then(|start| self.places.get(&start)).copied();
        // An absence is at an instant at which no event is, and stands at the last one before.
        let (record, start) = match self.places.get(&place) {
            Some(record) => (*record, start),
            None => match start {
                Some(last) => (last, None),
                None => return,
            },
        };
        self.open.insert(place, TracedRow { at: Timestamp(change.time), ..traced(layout, row, record, start) });
    }

    /// Rows before this instant can no longer change, and nothing longer than this before it can begin another.
    pub(super) fn settle(&mut self, oldest: Option<i64>, longest_ms: i64) {
        // Rows of a table are of the events of their own batch.
        let Some(oldest) = oldest else { return self.places.clear() };
        self.places = self.places.split_off(&(oldest.saturating_sub(longest_ms), 0));
        while let Some(entry) = self.open.first_entry().filter(|entry| entry.key().0 < oldest) {
            let row = entry.remove();
            self.take(row);
        }
    }

    /// Takes what is left.
    pub(super) fn close(&mut self) {
        std::mem::take(&mut self.open).into_values().for_each(|row| self.take(row));
    }

    pub(super) fn refuse(&mut self, record: Origin, reason: Reason, beyond_ms: i64) {
        let inside = (Timestamp(self.from)..Timestamp(self.until)).contains(&record.time);
        self.refused.push(TracedRefusal { record, reason, beyond_ms, inside });
    }
}

/// A row with what it brings.
pub(super) fn traced(layout: &Layout, row: &Row, record: Origin, start: Option<Origin>) -> TracedRow {
    let is_null = row.values.contains(&crate::columns::NULL);
    let meets = layout.conditions.is_empty() || row.conditions & 1 == 1;
    let values = layout.inputs.iter().zip(&row.values).map(|(input, units)| parts::value(input, *units)).collect();
    TracedRow { record, at: record.time, start, counts: meets && !is_null, values }
}
