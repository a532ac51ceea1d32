//! The engine of one shard: batches and ticks in, vectors and blocks out.
//!
//! A shard is one partition of every source. All state lives here; every decision follows from the records, their append times
//! and the clock that the caller passes, so a replay gives the same bytes.

mod admission;
mod block;
mod load;
mod recovery;
mod snapshot;
mod stream;
mod time;

use std::sync::Arc;

use domain::{FeatureVector, Schema, Timestamp, unpack};
use pipeline::{Pipeline, SourceKind};

use self::stream::StreamState;
pub use self::{admission::Admission, load::Load, snapshot::SnapshotKind};
use crate::{
    Error, Reason,
    columns::Columns,
    derive::{Derived, Horizon, Rows},
    group::{AHEAD, GroupState},
    layout::Layout,
    output::{Dropped, Output, Refused, Vectors},
    ring::Ring,
    steps::{Step, Steps},
    tiling::Prepared,
    wheel::Wheel,
};

/// Vectors after which a step leaves the rest to the next one: about 50 ms of work. More are touched at once only after a restart,
/// when everything is written anew, or when many timers ran out together.
const VECTORS_MAX: usize = 1 << 16;

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Index of a stream in the pipeline's sources.
    pub source: usize,
    /// Position in its partition; reported with refused records.
    pub offset: u64,
    /// When the log took it.
    pub append_at: Timestamp,
    /// JSON.
    pub payload: &'a [u8],
}

/// Which part of the entities an engine owns, and how it counts.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// This shard, below `shards`.
    pub shard: u32,
    /// How many there are.
    pub shards: u32,
    /// Stamped on every vector.
    pub generation: u32,
    /// A clock in nanoseconds for the account of steps; none keeps no account.
    pub stopwatch: Option<fn() -> u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { shard: 0, shards: 1, generation: 1, stopwatch: None }
    }
}

/// Rolling features of one shard.
#[derive(Debug)]
pub struct Engine {
    pipeline: Arc<Pipeline>,
    config: Config,
    /// By source; none for derived sources and files.
    streams: Vec<Option<StreamState>>,
    derived: Vec<Derived>,
    groups: Vec<GroupState>,
    wheel: Wheel,
    /// When each stream was last heard, here or by another shard.
    heard: Vec<Option<i64>>,
    /// For each stream, the oldest event that each shard may still send, as far as it has said.
    oldest: Vec<Vec<Option<i64>>>,
    now: i64,
    position: u64,
    used: Vec<Vec<bool>>,
    steps: Steps,
    /// How large the vectors of the latest step were: the next is likely to need as much room.
    room: (usize, usize),
    snapshot: Option<snapshot::Progress>,
    /// Number of the snapshot that was begun last.
    snapshots: u64,
    /// Number of the snapshot that changes can follow.
    written: Option<u64>,
    /// Whether records were admitted elsewhere.
    admits_all: bool,
}

impl Engine {
    /// An engine without state.
    pub fn new(pipeline: Arc<Pipeline>, config: Config) -> Result<Self, Error> {
        let Config { shard, shards, .. } = config;
        if shard >= shards {
            return Err(Error::NoSuchShard { shard, shards });
        }
        let used = crate::usage::used_fields(&pipeline);
        let streams = pipeline.sources.iter().zip(&used).map(|(source, used)| match &source.kind {
            SourceKind::Stream(stream) => Some(StreamState::new(source, stream, used)),
            _ => None,
        });
        let streams: Vec<Option<StreamState>> = streams.collect();
        let group = |(index, group): (usize, &pipeline::Group)| {
            let base = pipeline.base_of(group.source).map(|base| &pipeline.sources[base]);
            let layout = Layout::new(group, &pipeline.sources[group.source], base)?;
            Ok(GroupState::new(index, layout, config.generation))
        };
        let groups = pipeline.groups.iter().enumerate().map(group).collect::<Result<Vec<GroupState>, Error>>()?;
        Ok(Self {
            derived: (0..pipeline.sources.len()).filter_map(|source| Derived::new(&pipeline, source)).collect(),
            heard: vec![None; pipeline.sources.len()],
            oldest: vec![vec![None; shards as usize]; pipeline.sources.len()],
            streams,
            groups,
            wheel: Wheel::default(),
            now: i64::MIN,
            position: 0,
            used,
            steps: Steps::new(config.stopwatch),
            room: (0, 0),
            snapshot: None,
            snapshots: 0,
            written: None,
            admits_all: false,
            pipeline,
            config,
        })
    }

    /// Takes records in their order. `now` is the clock: no record was appended at or after it. Records of one source are of
    /// one partition.
    pub fn ingest(&mut self, records: &[Record<'_>], now: Timestamp) -> Output {
        let out = self.take(records, now);
        self.finish(out)
    }

    /// Takes blocks of other shards and then records, and writes what changed once for all of them. The faults of damaged
    /// blocks, which change nothing, come with their places.
    pub fn step(&mut self, blocks: &[&[u8]], records: &[Record<'_>], now: Timestamp) -> (Output, Vec<(usize, Error)>) {
        let (out, faults) = self.collect(blocks, records, now);
        (self.finish(out), faults)
    }

    fn collect(&mut self, blocks: &[&[u8]], records: &[Record<'_>], now: Timestamp) -> (Output, Vec<(usize, Error)>) {
        let (mut out, mut faults) = (Output::default(), Vec::new());
        for (place, block) in blocks.iter().enumerate() {
            match self.take_block(block, now) {
                Ok(more) => out.take_over(more),
                Err(fault) => faults.push((place, fault)),
            }
        }
        out.take_over(self.take(records, now));
        (out, faults)
    }

    /// Takes records that were admitted elsewhere, see [`Admission`](crate::Admission): nothing is late, in the future or a
    /// duplicate here, and no source is ever silent.
    pub fn ingest_accepted(&mut self, records: &[Record<'_>], now: Timestamp) -> Output {
        self.admits_all = true;
        self.ingest(records, now)
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Timestamp) -> Output {
        self.ingest(&[], now)
    }

    /// Learns that a source was heard by another shard, so that its silence here is not mistaken for silence everywhere.
    pub fn hear(&mut self, source: usize, append_at: Timestamp) {
        self.heard[source] = self.heard[source].max(Some(append_at.0));
    }

    /// Takes the lines of a file table, in place of what was loaded before: one JSON object each, the last one of a key winning. Returns the reasons of lines that
    /// could not be read, with their numbers from 1.
    pub fn load_file(&mut self, source: usize, lines: &str, now: Timestamp) -> Output {
        let out = self.take_file(source, lines, now);
        self.finish(out)
    }

    fn take_file(&mut self, source: usize, lines: &str, now: Timestamp) -> Output {
        let mut out = Output::default();
        self.now = self.now.max(now.0);
        let mut columns = Columns::new(&self.pipeline.sources[source].fields, &self.used[source]);
        let SourceKind::File { key, .. } = self.pipeline.sources[source].kind else { return out };
        let decoded = stream::decode_file(&self.pipeline.sources[source], key, lines, &mut columns);
        out.refused.extend(decoded.refused.into_iter().map(|(line, reason)| Refused { source, offset: line, reason }));
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            state.forget_rows();
        }
        let rows = Rows { weights: vec![1; columns.len()], ..Rows::new(columns) };
        self.apply_rows(source, &rows, i64::MIN, &mut out);
        out
    }

    /// The vector of an entity at the engine's clock, whether or not it was written; none when nothing is known of it.
    pub fn vector(&self, group: usize, key: &str) -> Option<FeatureVector> {
        let state = self.groups.get(group)?;
        let bytes = state.read(key, self.moment(state))?;
        unpack(&bytes, &state.layout.schema).ok()
    }

    /// What a reader needs to know of a group.
    pub fn schema(&self, group: usize) -> Option<&Schema> {
        self.groups.get(group).map(|state| &state.layout.schema)
    }

    /// The keys of all live entities of a group.
    pub fn keys(&self, group: usize) -> impl Iterator<Item = &str> {
        self.groups.get(group).into_iter().flat_map(|state| state.slab.iter().map(|(_, key, _)| key))
    }

    /// Nanoseconds by step since the engine was made, when it has a stopwatch.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.steps.nanoseconds()
    }

    /// Records taken so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn take(&mut self, records: &[Record<'_>], now: Timestamp) -> Output {
        let mut out = Output::default();
        self.now = self.now.max(now.0);
        self.position += records.len() as u64;
        for source in 0..self.streams.len() {
            self.take_stream(source, records, &mut out);
        }
        out
    }

    fn take_stream(&mut self, source: usize, records: &[Record<'_>], out: &mut Output) {
        let Some(mut stream) = self.streams[source].take() else { return };
        let newest = records.iter().filter(|record| record.source == source).map(|record| record.append_at.0).max();
        if !self.admits_all {
            self.heard[source] = self.heard[source].max(newest);
        }
        let visible = self.now.min(self.stands_still_at(source));
        let settled = stream.oldest();
        let rows = stream.take(source, records, visible, self.admits_all, &mut self.steps, &mut out.refused);
        let horizon = Horizon { settled, oldest: stream.oldest(), now: visible };
        if !rows.is_empty() {
            self.tile_groups(source, &stream.columns, &rows, settled, out);
        }
        for place in 0..self.derived.len() {
            let derived = self.derived[place].source;
            if self.pipeline.base_of(derived) == Some(source) {
                self.steps.begin();
                let fields = &self.pipeline.sources[derived].fields;
                let mut changed = Rows::new(Columns::new(fields, &self.used[derived]));
                self.derived[place].step(&self.pipeline.sources[source], &stream.columns, &rows, horizon, &mut changed);
                self.steps.end(Step::Derive);
                self.apply_rows(derived, &changed, settled, out);
                out.absences.append(&mut changed.absences);
            }
        }
        // Only now: what this batch brought may be as old as the one before allowed.
        self.oldest[source][self.config.shard as usize] = Some(stream.oldest()).filter(|oldest| *oldest > i64::MIN);
        self.streams[source] = Some(stream);
    }

    /// `settled` is the oldest event that this step may have brought.
    fn tile_groups(&mut self, source: usize, columns: &Columns, rows: &[u32], settled: i64, out: &mut Output) {
        let fields = &self.pipeline.sources[source].fields;
        let said = self.said(source, settled);
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            self.steps.begin();
            let prepared = Prepared::new(&state.layout, fields, columns, rows);
            let tiled = prepared.tile(&state.layout, columns);
            self.steps.end(Step::Tile);
            let mut remote = block::Outgoing::new(self.config, state, said);
            let found = state.find_all(prepared.keys.iter());
            let (words, sketches) = (state.layout.words + state.layout.always_words, state.layout.sketched.len());
            for (at, (place, tile, latest)) in tiled.heads.iter().copied().enumerate() {
                if at.is_multiple_of(AHEAD) {
                    let next = tiled.heads[at..].iter().take(AHEAD).filter_map(|(place, ..)| found[*place as usize]);
                    state.look_ahead(next, Ring::newest_tile);
                }
                let key = (prepared.keys.hash(place), prepared.keys.text(place));
                let words = &tiled.words[at * words..(at + 1) * words];
                let sketches = &tiled.sketches[at * sketches..(at + 1) * sketches];
                if remote.is_mine(key.1) {
                    let taken = state.merge(found[place as usize], key, (tile, latest), words, sketches);
                    note(taken, state.index, key.1, &mut out.dropped);
                } else {
                    remote.partial(key.1, (tile, latest), words, sketches);
                }
            }
            out.blocks.extend(remote.blocks());
            self.steps.end(Step::Roll);
        }
    }

    fn apply_rows(&mut self, source: usize, changed: &Rows, settled: i64, out: &mut Output) {
        if changed.weights.is_empty() {
            return;
        }
        let fields = &self.pipeline.sources[source].fields;
        let all: Vec<u32> = (0..changed.weights.len() as u32).collect();
        let base = self.pipeline.base_of(source);
        let (said, sealed) = (self.said(base.unwrap_or(source), settled), self.sealed(source));
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            self.steps.begin();
            let prepared = Prepared::new(&state.layout, fields, &changed.columns, &all);
            self.steps.end(Step::Tile);
            let mut remote = block::Outgoing::new(self.config, state, said);
            for at in 0..prepared.rows.len() {
                let place = prepared.key_of[at];
                let key = (prepared.keys.hash(place), prepared.keys.text(place));
                let weight = changed.weights[prepared.rows[at] as usize];
                let row = prepared.row(&changed.columns, at);
                if remote.is_mine(key.1) {
                    note(state.apply(key, &row, weight, sealed), state.index, key.1, &mut out.dropped);
                } else if base.is_some() {
                    // Every shard loads a file by itself.
                    remote.row(key.1, &row, weight);
                }
            }
            out.blocks.extend(remote.blocks());
            self.steps.end(Step::Roll);
        }
    }

    /// Writes what was touched and what is due, as far as one step may.
    fn finish(&mut self, mut out: Output) -> Output {
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

fn note(taken: Result<(), Reason>, group: usize, key: &str, dropped: &mut Vec<Dropped>) {
    if let Err(reason) = taken {
        dropped.push(Dropped { group, key: key.to_owned(), reason });
    }
}
