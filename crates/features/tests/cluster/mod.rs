//! Several engines that exchange blocks, fed in random batches, with random delays, saved and restored at random places.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{FeatureVector, Timestamp, unpack};
use features::{Block, Config, Engine, Output, SnapshotKind};
use pipeline::Pipeline;
use testkit::Record;

/// Largest batch, in records.
const BATCH_MAX: i64 = 60;
/// Blocks are held back at most this long.
const DELAY_MS_MAX: i64 = 20_000;

/// Random choices by a seed (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1).unsigned_abs()).cast_signed()
    }

    pub(crate) fn chance(&mut self, one_in: u64) -> bool {
        self.next().is_multiple_of(one_in)
    }
}

pub(crate) type Missing = (usize, Timestamp, String, u128, Timestamp);

pub(crate) struct Cluster {
    pipeline: Arc<Pipeline>,
    engines: Vec<Engine>,
    /// By the shard they are for, with the instant at which they arrive.
    under_way: Vec<(i64, Block)>,
    written: BTreeMap<(usize, String), FeatureVector>,
    refused: Vec<Vec<(usize, &'static str)>>,
    dropped: usize,
    /// What each shard has raised and not taken back: source, due, key, identity and since.
    missing: Vec<BTreeSet<Missing>>,
    /// How much was raised and how much taken back.
    told: [usize; 2],
    now: i64,
    savers: Vec<Saver>,
}

/// What is saved of one shard, and what came since.
#[derive(Default)]
struct Saver {
    /// Since the last full one.
    snapshots: Vec<Vec<u8>>,
    /// The one under way.
    under_way: Option<Vec<u8>>,
    /// Since the last snapshot was begun.
    inputs: Vec<Input>,
}

/// Something that an engine was given.
enum Input {
    Batch(Vec<(u64, Record)>, Timestamp),
    Block(Vec<u8>),
    Heard(usize, Timestamp),
}

impl Cluster {
    pub(crate) fn new(pipeline: &Pipeline, shards: usize, files: &[(usize, String)], start: Timestamp) -> Self {
        let pipeline = Arc::new(pipeline.clone());
        let engine = |shard| Engine::new(pipeline.clone(), config(shard, shards)).expect("a fixture without faults");
        let mut cluster = Self {
            engines: (0..shards).map(engine).collect(),
            under_way: Vec::new(),
            written: BTreeMap::new(),
            refused: vec![Vec::new(); shards],
            dropped: 0,
            missing: vec![BTreeSet::new(); shards],
            told: [0; 2],
            now: start.0,
            savers: (0..shards).map(|_| Saver::default()).collect(),
            pipeline,
        };
        for shard in 0..shards {
            for (source, lines) in files {
                let output = cluster.engines[shard].load_file(*source, lines, start);
                cluster.take(shard, output, &mut Dice::new(0));
            }
        }
        cluster
    }

    /// Feeds every record that was appended before the instant, in random batches of random shards.
    pub(crate) fn feed_until(&mut self, partitions: &[Vec<Record>], next: &mut [usize], at: i64, dice: &mut Dice) {
        loop {
            // The shard whose next record is the oldest: clocks of shards stay close, as they do in life.
            let waiting =
                (0..partitions.len()).filter_map(|shard| Some((partitions[shard].get(next[shard])?.append_at.0, shard)));
            let Some((first, shard)) = waiting.min().filter(|(first, _)| *first < at) else { break };
            let until = (first + dice.between(1, 30_000)).min(at);
            let size = dice.between(1, BATCH_MAX) as usize;
            let records = &partitions[shard][next[shard]..];
            let count = records.iter().take(size).take_while(|record| record.append_at.0 < until).count();
            let now = records[count - 1].append_at.0 + 1;
            // A cut within one instant is not a cut of time.
            let count = records.iter().take_while(|record| record.append_at.0 < now).count();
            let batch: Vec<features::Record<'_>> = (next[shard]..).zip(&records[..count]).map(view).collect();
            next[shard] += count;
            self.now = self.now.max(now);
            let heard: Vec<(usize, Timestamp)> = batch.iter().map(|record| (record.source, record.append_at)).collect();
            let numbered = batch.iter().zip(records).map(|(view, record)| (view.offset, record.clone())).collect();
            let output = self.give(shard, Input::Batch(numbered, Timestamp(now)));
            for other in 0..self.engines.len() {
                for (source, append_at) in &heard {
                    self.give(other, Input::Heard(*source, *append_at));
                }
            }
            self.take(shard, output, dice);
            self.deliver(self.now, dice);
            self.disturb(shard, dice);
        }
    }

    /// Delivers everything and lets time pass.
    pub(crate) fn settle(&mut self, at: i64) {
        let mut dice = Dice::new(at.cast_unsigned());
        self.now = self.now.max(at);
        for _ in 0..2 {
            for shard in 0..self.engines.len() {
                let output = self.give(shard, Input::Batch(Vec::new(), Timestamp(at)));
                self.take(shard, output, &mut dice);
            }
            self.deliver(i64::MAX, &mut dice);
        }
    }

    pub(crate) fn vector(&self, group: usize, key: &str) -> Option<FeatureVector> {
        self.engines.iter().find_map(|engine| engine.vector(group, key))
    }

    pub(crate) fn written(&self, group: usize, key: &str) -> Option<&FeatureVector> {
        self.written.get(&(group, key.to_owned()))
    }

    pub(crate) fn keys(&self) -> Vec<(usize, String)> {
        let groups = 0..self.pipeline.groups.len();
        let of =
            |group: usize| self.engines.iter().flat_map(move |engine| engine.keys(group).map(move |key| (group, key.to_owned())));
        groups.flat_map(of).collect()
    }

    pub(crate) fn refused(&self, shard: usize) -> Vec<(usize, &'static str)> {
        let mut refused = self.refused[shard].clone();
        refused.sort_unstable();
        refused
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// What is missing, in order.
    pub(crate) fn missing(&self, shard: usize) -> Vec<Missing> {
        self.missing[shard].iter().cloned().collect()
    }

    /// How many absences were raised, and how many taken back.
    pub(crate) fn told(&self) -> [usize; 2] {
        self.told
    }

    fn take(&mut self, shard: usize, output: Output, dice: &mut Dice) {
        for vector in output.vectors.iter() {
            let schema = self.engines[shard].schema(vector.group).expect("a group of the pipeline");
            let unpacked = unpack(vector.packed, schema).expect("what the engine packs can be read");
            self.written.insert((vector.group, vector.key.to_owned()), unpacked);
        }
        self.refused[shard].extend(output.refused.iter().map(|refused| (refused.offset as usize, refused.reason.code())));
        self.dropped += output.dropped.len();
        for change in output.absences {
            let missing = (change.source, change.due, change.key, change.identity, change.since);
            let (is_news, place) = match change.raised {
                true => (self.missing[shard].insert(missing.clone()), 0),
                false => (self.missing[shard].remove(&missing), 1),
            };
            assert!(is_news, "shard {shard} says twice that {missing:?} is missing, or that it is not: raised {}", change.raised);
            self.told[place] += 1;
        }
        let blocks = output.blocks.into_iter().map(|block| (self.now + dice.between(0, DELAY_MS_MAX), block));
        self.under_way.extend(blocks.collect::<Vec<(i64, Block)>>());
    }

    /// Blocks of one shard to another arrive in their order.
    fn deliver(&mut self, until: i64, dice: &mut Dice) {
        let mut stopped = vec![false; self.engines.len()];
        let mut waiting = Vec::new();
        for (arrives_at, block) in std::mem::take(&mut self.under_way) {
            let shard = block.shard as usize;
            if arrives_at > until || stopped[shard] {
                stopped[shard] = true;
                waiting.push((arrives_at, block));
                continue;
            }
            let output = self.give(shard, Input::Block(block.bytes));
            self.take(shard, output, dice);
        }
        // What was made while delivering is younger than what still waits.
        waiting.append(&mut self.under_way);
        self.under_way = waiting;
    }

    fn give(&mut self, shard: usize, input: Input) -> Output {
        let output = put(&mut self.engines[shard], &input);
        self.savers[shard].inputs.push(input);
        output
    }

    /// Sometimes begins a snapshot, writes a frame of one under way, or replaces an engine by what its snapshots and the inputs
    /// since then make of it.
    fn disturb(&mut self, shard: usize, dice: &mut Dice) {
        let shards = self.savers.len();
        let (engine, saver) = (&mut self.engines[shard], &mut self.savers[shard]);
        if let Some(bytes) = &mut saver.under_way {
            if engine.write_snapshot(dice.between(1, 3000) as usize, bytes) {
                return;
            }
            saver.snapshots.extend(saver.under_way.take());
            if dice.chance(2) {
                let parts: Vec<&[u8]> = saver.snapshots.iter().map(Vec::as_slice).collect();
                let config = config(shard, shards);
                let mut restored = Engine::restore(self.pipeline.clone(), config, &parts).expect("a snapshot as it was made");
                for input in &saver.inputs {
                    put(&mut restored, input);
                }
                *engine = restored;
                // A restored engine has no history of saves: the next one is full.
                saver.snapshots.clear();
            }
        } else if dice.chance(4) {
            let kind = if saver.snapshots.is_empty() || dice.chance(3) { SnapshotKind::Full } else { SnapshotKind::Changes };
            if engine.begin_snapshot(kind) == SnapshotKind::Full {
                saver.snapshots.clear();
            }
            saver.under_way = Some(Vec::new());
            saver.inputs.clear();
        }
    }
}

fn put(engine: &mut Engine, input: &Input) -> Output {
    match input {
        Input::Batch(records, now) => {
            let records: Vec<features::Record<'_>> =
                records.iter().map(|(offset, record)| view((*offset as usize, record))).collect();
            engine.ingest(&records, *now)
        }
        Input::Block(bytes) => engine.receive(bytes, Timestamp(i64::MIN)).expect("a block as it was made"),
        Input::Heard(source, append_at) => {
            engine.hear(*source, *append_at);
            Output::default()
        }
    }
}

fn config(shard: usize, shards: usize) -> Config {
    Config { shard: shard as u32, shards: shards as u32, ..Config::default() }
}

fn view((offset, record): (usize, &Record)) -> features::Record<'_> {
    let Record { source, append_at, payload } = record;
    features::Record { source: *source, offset: offset as u64, append_at: *append_at, payload }
}
