//! One column of one entity, followed record by record: what an engine does, for a single value, with nothing forgotten of
//! where it came from.
//!
//! Decoding, admission, derived sources, keys, tiles and finishing are the engine's own code over a group with one feature and
//! one window; only the noting of places is new. Memory is bounded by the entity's own state, one lateness of rows, and for a
//! pair or an absence the events that may still begin one.

mod listing;
mod noted;
mod parts;
mod told;

use std::{collections::BTreeMap, sync::Arc};

use domain::{Timestamp, Value};
use pipeline::{Column, Pipeline, SourceKind};

use self::noted::Noted;
pub use self::{
    listing::Listing,
    parts::Part,
    told::{Origin, TracedRefusal, TracedRow, TracedTile},
};
use crate::{
    Admission, Error, Reading, Reason, Record,
    columns::Columns,
    decode::{Decoder, Scratch as Tokens},
    derive::{Derived, Horizon},
    group::{GroupState, Moment},
    layout::Layout,
    output::Vectors,
    reading::relevant,
    ring::{Ring, Scratch},
    slab::key_hash,
    tiling::{Keys, Prepared},
    wheel::Wheel,
};

/// Which value is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Index of the group.
    pub group: usize,
    /// One of the group's columns.
    pub column: &'a Column,
    /// The entity.
    pub key: &'a str,
    /// The instant of the value: everything before it is visible.
    pub at: Timestamp,
}

/// Places and payloads, by time and identity.
type Held = BTreeMap<(i64, u128), (Origin, Box<[u8]>)>;

/// Follows one value.
#[derive(Debug)]
pub struct Trace {
    pipeline: Arc<Pipeline>,
    base: usize,
    source: usize,
    key: String,
    at: i64,
    column: usize,
    skew_ms: i64,
    lateness_ms: i64,
    longest_ms: i64,
    admissions: Vec<Admission>,
    decoder: Decoder,
    reading: Reading,
    columns: Columns,
    used: Vec<Vec<bool>>,
    /// Accepted events whose time has not come.
    held: Held,
    derived: Option<Derived>,
    state: GroupState,
    wheel: Wheel,
    noted: Noted,
    clock: i64,
}

impl Trace {
    /// Nothing seen yet, of so many partitions. None for a group over a file, whose rows are no records.
    pub fn new(pipeline: &Pipeline, wanted: Wanted<'_>, partitions: u32) -> Result<Option<Self>, Error> {
        let pipeline = Arc::new(narrowed(pipeline, wanted));
        let group = &pipeline.groups[0];
        let source = group.source;
        let Some(base) = pipeline.base_of(source) else { return Ok(None) };
        let SourceKind::Stream(stream) = &pipeline.sources[base].kind else { return Ok(None) };
        let layout = Layout::new(group, &pipeline.sources[source], Some(&pipeline.sources[base]))?;
        let named = |(name, _): &(String, _)| *name == wanted.column.name;
        let Some(column) = layout.schema.columns.iter().position(named) else { return Ok(None) };
        let longest_ms = match &pipeline.sources[source].kind {
            SourceKind::Pair(pair) => pair.longest.0,
            SourceKind::Absence(absence) => absence.rule.longest().0,
            _ => 0,
        };
        let used = crate::usage::used_fields(&pipeline);
        let from = layout.widths.first().map(|width| layout.tile_of(wanted.at.0 - width.0) * layout.group.hop.0);
        Ok(Some(Self {
            base,
            source,
            key: wanted.key.to_owned(),
            at: wanted.at.0,
            column,
            skew_ms: stream.skew.0,
            lateness_ms: stream.lateness.0,
            longest_ms,
            admissions: (0..partitions).map(|_| Admission::new(&pipeline)).collect(),
            decoder: Decoder::new(&pipeline.sources[base], stream),
            reading: Reading::new(pipeline.clone()),
            columns: Columns::new(&pipeline.sources[base].fields, &used[base]),
            used,
            held: Held::new(),
            derived: Derived::new(&pipeline, source),
            noted: Noted::new(from.unwrap_or(i64::MIN), wanted.at.0, layout.group.hop.0, from.is_some()),
            state: GroupState::new(0, layout, 0),
            wheel: Wheel::default(),
            clock: i64::MIN,
            pipeline,
        }))
    }

    /// The stream whose records are wanted.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Takes records of the base stream with their partitions, in the order of their append times, none from the instant of
    /// the value on. `now` is the clock, later than all of them.
    pub fn take(&mut self, records: &[(u32, Record<'_>)], now: Timestamp) {
        let now = now.0.min(self.at);
        let settled = self.oldest();
        self.columns.truncate(0);
        let mut origins = Vec::with_capacity(records.len());
        let mut refused = Vec::new();
        for (partition, record) in records {
            self.clock = self.clock.max(record.append_at.0);
            let Some(admission) = self.admissions.get_mut(*partition as usize) else { continue };
            match admission.decide(record) {
                Ok(time) => {
                    let origin = Origin { partition: *partition, offset: record.offset, time, append_at: record.append_at };
                    self.decode(origin, record.payload, now, &mut origins);
                }
                Err(reason) => refused.push((*partition, record, reason)),
            }
        }
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 < now) {
            let (origin, payload) = entry.remove();
            self.decode(origin, &payload, now, &mut origins);
        }
        self.refuse(&refused);
        let horizon = Horizon { settled, oldest: self.oldest(), now };
        if self.derived.is_some() {
            self.take_rows(&origins, horizon)
        } else {
            self.take_events(&origins)
        }
        self.settle(now);
    }

    /// Lets time pass to the instant of the value.
    pub fn finish(&mut self) {
        self.take(&[], Timestamp(self.at));
        self.state.touch_all();
        self.settle(self.at);
        self.noted.close();
    }

    /// The value, as the engine would write it.
    pub fn value(&self) -> Option<Value> {
        let layout = &self.state.layout;
        let mut scratch = Scratch::default();
        match self.ring() {
            Some(ring) => ring.finish(layout, self.at, &mut scratch),
            // Of an entity without events all windows are empty.
            None => Ring::new(layout).finish(layout, self.at, &mut scratch),
        };
        let (_, kind) = &layout.schema.columns[self.column];
        scratch.values[self.column].map(|word| parts::read(kind, word))
    }

    /// The tiles of the window in which something happened, oldest first.
    pub fn tiles(&self) -> Vec<TracedTile> {
        let (layout, hop) = (&self.state.layout, self.state.layout.group.hop.0);
        let tile = |(tile, words, sketches)| TracedTile {
            from: Timestamp(tile * hop),
            events: self.noted.events_in(tile),
            parts: parts::parts(layout, self.column, tile, words, sketches),
        };
        // A ring may hold tiles that no window looks at any more.
        let first = layout.first_tile(self.at);
        let held = self.ring().into_iter().flat_map(|ring| ring.tiles(layout));
        held.filter(|(tile, ..)| *tile >= first).map(tile).collect()
    }

    /// What is kept for a column without a window.
    pub fn always(&self) -> Vec<Part> {
        self.ring().map_or(Vec::new(), |ring| parts::always(&self.state.layout, ring.always()))
    }

    /// The events or rows of the window, those of derived sources in the order in which they can no longer change.
    pub fn rows(&self) -> &Listing<TracedRow> {
        &self.noted.rows
    }

    /// Records of the entity that were not taken.
    pub fn refused(&self) -> &Listing<TracedRefusal> {
        &self.noted.refused
    }

    /// Records of which nobody can say whom they concern, by reason.
    pub fn unreadable(&self) -> &BTreeMap<Reason, u64> {
        &self.noted.unreadable
    }

    fn ring(&self) -> Option<&Ring> {
        self.state.slab.get(self.state.slab.find(key_hash(&self.key), &self.key)?)
    }

    fn oldest(&self) -> i64 {
        self.clock.saturating_sub(self.lateness_ms)
    }

    fn decode(&mut self, origin: Origin, payload: &[u8], now: i64, origins: &mut Vec<Origin>) {
        let row = self.columns.len();
        if self.decoder.decode(payload, &mut Tokens::new(), &mut self.columns).is_err() {
            return;
        }
        if self.columns.times[row] < now {
            return origins.push(origin);
        }
        self.held.insert((self.columns.times[row], self.columns.identities[row]), (origin, payload.into()));
        self.columns.truncate(row);
    }

    /// Notes those that are the entity's.
    fn refuse(&mut self, refused: &[(u32, &Record<'_>, Reason)]) {
        let payloads: Vec<&[u8]> = refused.iter().map(|(_, record, _)| record.payload).collect();
        for ((partition, record, reason), seen) in refused.iter().zip(self.reading.read(self.base, &payloads)) {
            let Ok(seen) = seen else {
                *self.noted.unreadable.entry(*reason).or_default() += 1;
                continue;
            };
            if !seen.entities.iter().any(|(_, key)| *key == self.key) {
                continue;
            }
            let beyond_ms = match reason {
                Reason::Late => record.append_at.0 - self.lateness_ms - seen.time.0,
                Reason::Future => seen.time.0 - record.append_at.0 - self.skew_ms,
                _ => 0,
            };
            let record = Origin { partition: *partition, offset: record.offset, time: seen.time, append_at: record.append_at };
            self.noted.refuse(record, *reason, beyond_ms);
        }
    }

    fn take_events(&mut self, origins: &[Origin]) {
        let rows: Vec<u32> = (0..origins.len() as u32).collect();
        let fields = &self.pipeline.sources[self.base].fields;
        let mine = mine(&self.state.layout, fields, &self.columns, &rows, &self.key);
        if mine.is_empty() {
            return;
        }
        let prepared = Prepared::new(&self.state.layout, fields, &self.columns, &mine);
        let tiled = prepared.tile(&self.state.layout, &self.columns);
        let (words, sketches) = (self.state.layout.words + self.state.layout.always_words, self.state.layout.sketched.len());
        for (at, (place, tile, latest)) in tiled.heads.iter().copied().enumerate() {
            let key = (prepared.keys.hash(place), prepared.keys.text(place));
            let (words, sketches) =
                (&tiled.words[at * words..(at + 1) * words], &tiled.sketches[at * sketches..(at + 1) * sketches]);
            // A closed tile takes nothing more, here as in the engine.
            let _ = self.state.merge(self.state.slab.find(key.0, key.1), key, (tile, latest), words, sketches);
        }
        for at in 0..prepared.rows.len() {
            let row = prepared.row(&self.columns, at);
            self.noted.take(noted::traced(&self.state.layout, &row, origins[prepared.rows[at] as usize], None));
        }
    }

    fn take_rows(&mut self, origins: &[Origin], horizon: Horizon) {
        let (base, source) = (&self.pipeline.sources[self.base], &self.pipeline.sources[self.source]);
        for row in relevant(source, base, &self.columns) {
            let place = (self.columns.times[row as usize], self.columns.identities[row as usize]);
            self.noted.places.insert(place, origins[row as usize]);
        }
        let rows: Vec<u32> = (0..origins.len() as u32).collect();
        let Some(derived) = &mut self.derived else { return };
        let changes = derived.changes(base, &self.columns, &rows, horizon);
        let mut columns = Columns::new(&source.fields, &self.used[self.source]);
        changes.iter().for_each(|change| columns.push_row(change.time, change.identity, &change.row));
        let rows: Vec<u32> = (0..changes.len() as u32).collect();
        let mine = mine(&self.state.layout, &source.fields, &columns, &rows, &self.key);
        if !mine.is_empty() {
            let prepared = Prepared::new(&self.state.layout, &source.fields, &columns, &mine);
            for at in 0..prepared.rows.len() {
                let (row, change) = (prepared.row(&columns, at), &changes[prepared.rows[at] as usize]);
                let key = (key_hash(&self.key), &*self.key);
                // What a settled tile does not take is not noted either.
                if self.state.apply(key, &row, change.weight, horizon.settled).is_ok() {
                    self.noted.change(&self.state.layout, &row, change);
                }
            }
        }
        let is_of_several = matches!(source.kind, SourceKind::Pair(_) | SourceKind::Absence(_));
        self.noted.settle(is_of_several.then_some(horizon.oldest), self.longest_ms);
    }

    /// What the engine does at the end of a step.
    fn settle(&mut self, now: i64) {
        let moment = Moment { now, at: now, heard: None, position: 0, sealed: self.oldest() };
        let mut written = Vectors::default();
        self.state.finish_touched(moment, usize::MAX, &mut self.wheel, &mut written);
        while let Some(entries) = self.wheel.pop(now) {
            entries.into_iter().for_each(|(_, at)| self.state.fire(at, moment, &mut self.wheel, &mut written));
        }
    }
}

/// The pipeline with one group of one feature and one window.
fn narrowed(pipeline: &Pipeline, wanted: Wanted<'_>) -> Pipeline {
    let mut group = pipeline.groups[wanted.group].clone();
    let mut feature = group.features[wanted.column.feature].clone();
    feature.windows = wanted.column.window.map(|window| feature.windows[window].clone()).into_iter().collect();
    group.features = vec![feature];
    Pipeline { groups: vec![group], transforms: Vec::new(), case: None, tests: Vec::new(), ..pipeline.clone() }
}

/// The rows with this key.
fn mine(layout: &Layout, fields: &[pipeline::Field], columns: &Columns, rows: &[u32], key: &str) -> Vec<u32> {
    let (keys, key_of, rows) = Keys::of(&layout.group.key, fields, columns, rows);
    rows.into_iter().zip(key_of).filter(|(_, place)| keys.text(*place) == key).map(|(row, _)| row).collect()
}
