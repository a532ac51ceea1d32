//! The engine of one shard: batches and ticks in, vectors and blocks out.
//!
//! A shard is one partition of every source. All state lives here; every decision follows from the records, their append times
//! and the clock that the caller passes, so a replay gives the same bytes.

mod admission;
mod block;
mod intake;
mod load;
mod recovery;
mod snapshot;
mod stream;
mod time;
mod writing;

use std::sync::Arc;

use domain::{FeatureVector, Schema, Timestamp, unpack};
use pipeline::{Pipeline, SourceKind};

use self::stream::StreamState;
pub use self::{admission::Admission, load::Load, snapshot::SnapshotKind};
use crate::{Error, derive::Derived, group::GroupState, layout::Layout, output::Output, steps::Steps, wheel::Wheel};

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

    /// Takes the lines of a file table, in place of what was loaded before: one JSON object each, the last one of a key winning.
    /// Returns the reasons of lines that could not be read, with their numbers from 1.
    pub fn load_file(&mut self, source: usize, lines: &str, now: Timestamp) -> Output {
        let out = self.take_file(source, lines, now);
        self.finish(out)
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
}
