//! Several engines that exchange blocks, fed in random batches, with random delays, saved and restored at random places.
//!
//! Knows nothing of the oracle: what a cluster says is compared with it elsewhere.

mod dice;
mod saver;
mod twin;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{FeatureVector, Timestamp, unpack};
use features::{Block, Config, Dropped, Engine, Output, Reason};
use pipeline::Pipeline;
use testkit::Record;

pub(crate) use self::dice::Dice;
use self::{
    saver::{Input, Saver},
    twin::Twin,
};

/// Largest batch, in records.
const BATCH_MAX: i64 = 60;
/// Blocks are held back at most this long, where nothing else is asked for.
const DELAY_MS_MAX: i64 = 20_000;

pub(crate) type Missing = (usize, Timestamp, String, u128, Timestamp);
/// Vectors by group and key, as they were written last.
pub(crate) type Written = BTreeMap<(usize, String), FeatureVector>;

/// How a cluster behaves beside what it is fed.
pub(crate) struct Conduct {
    /// Blocks are held back at most this long.
    pub(crate) delay_ms_max: i64,
    /// By shard, how much later than it could it takes its records; the others have none to wait for.
    pub(crate) behind_ms: Vec<i64>,
    /// Shards hear of each other by signs of life, as they do in a role, and not at once.
    pub(crate) signs: bool,
    /// Restored engines run beside the live ones and are held against them, and do not take their place.
    pub(crate) twins: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self { delay_ms_max: DELAY_MS_MAX, behind_ms: Vec::new(), signs: false, twins: false }
    }
}

pub(crate) struct Cluster {
    pipeline: Arc<Pipeline>,
    conduct: Conduct,
    engines: Vec<Engine>,
    twins: Vec<Option<Twin>>,
    /// By the shard they are for, with the instant at which they arrive.
    under_way: Vec<(i64, Block)>,
    /// By shard.
    written: Vec<Written>,
    refused: Vec<Vec<(usize, &'static str)>>,
    dropped: Vec<Dropped>,
    /// What each shard has raised and not taken back: source, due, key, identity and since.
    missing: Vec<BTreeSet<Missing>>,
    /// How much was raised and how much taken back.
    told: [usize; 2],
    /// When each shard asked to be called.
    timers: Vec<Option<Timestamp>>,
    now: i64,
    savers: Vec<Saver>,
}

impl Cluster {
    pub(crate) fn new(pipeline: &Pipeline, shards: usize, conduct: Conduct, start: Timestamp) -> Self {
        let pipeline = Arc::new(pipeline.clone());
        let engine = |shard| Engine::new(pipeline.clone(), config(shard, shards)).expect("a fixture without faults");
        Self {
            engines: (0..shards).map(engine).collect(),
            twins: (0..shards).map(|_| None).collect(),
            under_way: Vec::new(),
            written: vec![Written::new(); shards],
            refused: vec![Vec::new(); shards],
            dropped: Vec::new(),
            missing: vec![BTreeSet::new(); shards],
            told: [0; 2],
            timers: vec![None; shards],
            now: start.0,
            savers: (0..shards).map(|_| Saver::default()).collect(),
            conduct,
            pipeline,
        }
    }

    /// Gives all shards the lines of a file table, of which so many cannot be read.
    pub(crate) fn load_file(&mut self, source: usize, lines: &str, faults: &[u64]) {
        for shard in 0..self.engines.len() {
            let mut output = self.give(shard, Input::File(source, lines.to_owned(), Timestamp(self.now)));
            let refused: Vec<u64> = output.refused.drain(..).map(|refused| refused.offset).collect();
            assert_eq!(refused, faults, "lines of source {source} that cannot be read");
            self.take(shard, output, &mut Dice::new(0));
        }
    }

    /// Feeds every record that was appended before the instant, in random batches of random shards.
    pub(crate) fn feed_until(&mut self, partitions: &[Vec<Record>], next: &mut [usize], at: i64, dice: &mut Dice) {
        while let Some((shard, first)) = self.next_shard(partitions, next, at) {
            self.deliver(self.now.max(first), dice);
            let until = (first + dice.between(1, 30_000)).min(at);
            let size = dice.between(1, BATCH_MAX) as usize;
            let records = &partitions[shard][next[shard]..];
            let count = records.iter().take(size).take_while(|record| record.append_at.0 < until).count();
            let now = records[count - 1].append_at.0 + 1;
            // A cut within one instant is not a cut of time.
            let count = records.iter().take_while(|record| record.append_at.0 < now).count();
            self.batch(shard, (next[shard], &records[..count]), now, dice);
            next[shard] += count;
            self.deliver(self.now, dice);
            self.disturb(shard, dice);
        }
    }

    /// The shard that takes the next records, and when the first of them was appended: the oldest, but for those that are behind.
    fn next_shard(&self, partitions: &[Vec<Record>], next: &[usize], at: i64) -> Option<(usize, i64)> {
        let first = |shard: usize| Some((shard, partitions[shard].get(next[shard])?.append_at.0));
        let waiting = (0..partitions.len()).filter_map(first).filter(|(_, first)| *first < at);
        waiting.min_by_key(|(shard, first)| (first + self.conduct.behind_ms.get(*shard).unwrap_or(&0), *shard))
    }

    /// One batch of one shard; its records are numbered from the first one's place in the partition.
    pub(crate) fn batch(&mut self, shard: usize, (from, records): (usize, &[Record]), now: i64, dice: &mut Dice) {
        self.now = self.now.max(now);
        let numbered: Vec<(u64, Record)> = (from as u64..).zip(records.iter().cloned()).collect();
        let heard: Vec<(usize, Timestamp)> = records.iter().map(|record| (record.source, record.append_at)).collect();
        let output = self.give(shard, Input::Batch(numbered, Timestamp(now)));
        self.take(shard, output, dice);
        if self.conduct.signs {
            if dice.chance(3) {
                self.send_signs(shard, dice);
            }
            return;
        }
        for other in 0..self.engines.len() {
            for (source, append_at) in &heard {
                self.give(other, Input::Heard(*source, *append_at));
            }
        }
    }

    /// Tells the other shards what one knows of time.
    pub(crate) fn send_signs(&mut self, shard: usize, dice: &mut Dice) {
        let signs: Vec<Block> = self.engines[shard].signs_of_life().collect();
        self.send(signs, dice);
    }

    /// Delivers everything and lets time pass.
    pub(crate) fn settle(&mut self, at: i64) {
        let mut dice = Dice::new(at.cast_unsigned());
        self.now = self.now.max(at);
        for _ in 0..2 {
            for shard in 0..self.engines.len() {
                self.tick(shard, at, &mut dice);
                if self.conduct.signs {
                    self.send_signs(shard, &mut dice);
                }
            }
            self.deliver(i64::MAX, &mut dice);
        }
    }

    /// Lets time pass for one shard.
    pub(crate) fn tick(&mut self, shard: usize, at: i64, dice: &mut Dice) {
        self.now = self.now.max(at);
        let output = self.give(shard, Input::Batch(Vec::new(), Timestamp(at)));
        self.take(shard, output, dice);
    }

    fn take(&mut self, shard: usize, output: Output, dice: &mut Dice) {
        self.timers[shard] = output.next_timer;
        self.refused[shard].extend(output.refused.iter().map(|refused| (refused.offset as usize, refused.reason.code())));
        self.dropped.extend(output.dropped);
        for change in output.absences {
            let missing = (change.source, change.due, change.key, change.identity, change.since);
            let (is_news, place) = match change.raised {
                true => (self.missing[shard].insert(missing.clone()), 0),
                false => (self.missing[shard].remove(&missing), 1),
            };
            assert!(is_news, "shard {shard} says twice that {missing:?} is missing, or that it is not: raised {}", change.raised);
            self.told[place] += 1;
        }
        self.send(output.blocks, dice);
    }

    fn send(&mut self, blocks: Vec<Block>, dice: &mut Dice) {
        let arriving = blocks.into_iter().map(|block| (self.now + dice.between(0, self.conduct.delay_ms_max), block));
        self.under_way.extend(arriving);
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

    /// Delivers everything, and what comes of that.
    pub(crate) fn deliver_all(&mut self, dice: &mut Dice) {
        while !self.under_way.is_empty() {
            self.deliver(i64::MAX, dice);
        }
    }

    fn give(&mut self, shard: usize, input: Input) -> Output {
        let engine = &mut self.engines[shard];
        let output = input.give(engine);
        for vector in output.vectors.iter() {
            let schema = engine.schema(vector.group).expect("a group of the pipeline");
            let unpacked = unpack(vector.packed, schema).expect("what the engine packs can be read");
            self.written[shard].insert((vector.group, vector.key.to_owned()), unpacked);
        }
        check_capacity(&self.pipeline, engine, &output, matches!(input, Input::File(..)));
        if let Some(twin) = &mut self.twins[shard] {
            twin.follow(&input, (engine, &output), &self.written[shard]);
        }
        self.savers[shard].inputs.push(input);
        output
    }

    /// Sometimes begins a snapshot, writes a frame of one under way, or restores an engine from its snapshots and the inputs since
    /// then: to take the place of the live one, or to run beside it.
    pub(crate) fn disturb(&mut self, shard: usize, dice: &mut Dice) {
        let config = config(shard, self.engines.len());
        let (engine, saver) = (&mut self.engines[shard], &mut self.savers[shard]);
        if !saver.write_on(engine, dice) || !dice.chance(2) {
            return;
        }
        if self.conduct.twins {
            let restored = saver.restored(&self.pipeline, config, dice.chance(2));
            self.twins[shard] = Some(Twin::new(restored, self.written[shard].clone()));
        } else {
            *engine = saver.restored(&self.pipeline, config, false);
            saver.begin_anew();
            // Who restores an engine calls it at once.
            self.timers[shard] = Some(engine.clock());
        }
    }
}

/// What a cluster says.
impl Cluster {
    pub(crate) fn vector(&self, group: usize, key: &str) -> Option<FeatureVector> {
        self.engines.iter().find_map(|engine| engine.vector(group, key))
    }

    /// Every vector as it was written last.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&(usize, String), &FeatureVector)> {
        self.written.iter().flatten()
    }

    pub(crate) fn written_of(&self, group: usize, key: &str) -> Option<&FeatureVector> {
        let of = (group, key.to_owned());
        self.written.iter().find_map(|written| written.get(&of))
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

    /// What could not be kept, in order.
    pub(crate) fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// What is missing, in order.
    pub(crate) fn missing(&self, shard: usize) -> Vec<Missing> {
        self.missing[shard].iter().cloned().collect()
    }

    /// How many absences were raised, and how many taken back.
    pub(crate) fn told(&self) -> [usize; 2] {
        self.told
    }

    /// When a shard asked to be called, and its clock.
    pub(crate) fn timer(&self, shard: usize) -> (Option<Timestamp>, Timestamp) {
        (self.timers[shard], self.engines[shard].clock())
    }
}

/// No group ever holds more than it declares, and one that refuses an entity holds exactly that much.
fn check_capacity(pipeline: &Pipeline, engine: &Engine, output: &Output, is_file: bool) {
    for (place, group) in pipeline.groups.iter().enumerate() {
        let refused = output.dropped.iter().filter(|one| one.group == place && one.reason == Reason::OverCapacity);
        let refused: Vec<&str> = refused.map(|dropped| dropped.key.as_str()).collect();
        // Those that were forgotten at the end of the step were written then.
        let mut held: BTreeSet<&str> = engine.keys(place).collect();
        assert!(held.len() as u64 <= group.entities_max, "{}: {} entities are held", group.name, held.len());
        if !refused.is_empty() {
            // But what a file does not name any more has made room before.
            let written = output.vectors.iter().filter(|vector| vector.group == place && !is_file);
            held.extend(written.map(|vector| vector.key));
            assert_eq!(held.len() as u64, group.entities_max, "{} refused {refused:?}", group.name);
            assert!(refused.iter().all(|key| !held.contains(key)), "{} refused an entity that it holds: {refused:?}", group.name);
        }
    }
}

fn config(shard: usize, shards: usize) -> Config {
    Config { shard: shard as u32, shards: shards as u32, ..Config::default() }
}
