//! Time that passes only when the engine asks for it: what readers see is right for as long as it says, and never older than it may be.

use domain::{Span, Timestamp};
use pipeline::Pipeline;
use testkit::{Mode, Oracle, Record, generate, pipelines};

use crate::{
    agreement::{Exempt, check_written},
    cluster::{Cluster, Conduct, Dice},
    fixtures, night,
    scene::{check_absences, file_tables},
    seeds_or,
};

/// Seeds when nothing else is asked for.
const SEEDS: u64 = 10;
/// Instants of one run at which everything is compared.
const INSTANTS: usize = 12;

/// Engines that are called when a record comes or when they have asked for it, and at no other time.
struct Drive<'a> {
    context: String,
    pipeline: &'a Pipeline,
    cluster: Cluster,
    partitions: Vec<Vec<Record>>,
    next: Vec<usize>,
    dice: Dice,
    ticks: usize,
}

impl<'a> Drive<'a> {
    fn new(name: &str, pipeline: &'a Pipeline, knobs: &generate::Stream, shards: usize, seed: u64) -> Self {
        let records = generate::records(pipeline, knobs, seed);
        let partitions = generate::partition(pipeline, &records, shards, 0.1);
        let conduct = Conduct { delay_ms_max: 0, signs: true, ..Conduct::default() };
        let mut cluster = Cluster::new(pipeline, shards, conduct, knobs.start_at.minus(Span(1000)));
        file_tables(pipeline).iter().for_each(|(source, lines)| cluster.load_file(*source, lines, &[]));
        let context = format!("{name} by timers, seed {seed}, {shards} shards");
        Self { context, pipeline, cluster, partitions, next: vec![0; shards], dice: Dice::new(seed ^ 0x71c4), ticks: 0 }
    }

    /// Until everything has happened that happens before or at an instant; records of that instant are after it.
    fn run_until(&mut self, at: i64) {
        loop {
            let head = |shard: usize| self.partitions[shard].get(self.next[shard]).map(|record| (record.append_at.0, shard));
            let record = (0..self.next.len()).filter_map(head).filter(|(append_at, _)| *append_at < at).min();
            let timer = (0..self.next.len()).filter_map(|shard| Some((self.cluster.timer(shard).0?.0, shard))).min();
            match (record, timer) {
                (record, Some((timer, shard))) if timer <= record.map_or(at, |(append_at, _)| append_at) => {
                    self.tick(shard, timer)
                }
                (Some((first, shard)), _) => self.batch(first, shard, at),
                (None, _) => return,
            }
        }
    }

    fn tick(&mut self, shard: usize, timer: i64) {
        self.check_age(timer);
        let clock = self.cluster.timer(shard).1.0;
        self.cluster.tick(shard, timer.max(clock), &mut self.dice);
        self.cluster.deliver_all(&mut self.dice);
        let (asked, clock) = self.cluster.timer(shard);
        assert!(asked.is_none_or(|asked| asked > clock), "{}: asks for {asked:?} again at {clock:?}", self.context);
        self.ticks += 1;
    }

    /// The records of one shard up to the next thing that happens elsewhere.
    fn batch(&mut self, first: i64, shard: usize, at: i64) {
        self.check_age(first);
        let elsewhere = (0..self.next.len())
            .filter(|other| *other != shard)
            .filter_map(|other| Some(self.partitions[other].get(self.next[other])?.append_at.0));
        let timers = (0..self.next.len()).filter_map(|shard| Some(self.cluster.timer(shard).0?.0));
        let until = elsewhere.chain(timers).chain([at, first + self.dice.between(1, 10_000)]).min().unwrap_or(at).max(first + 1);
        let records = &self.partitions[shard][self.next[shard]..];
        let count = records.iter().take_while(|record| record.append_at.0 < until).count();
        let now = records[count - 1].append_at.0 + 1;
        self.cluster.batch(shard, (self.next[shard], &records[..count]), now, &mut self.dice);
        self.next[shard] += count;
        self.cluster.send_signs(shard, &mut self.dice);
        self.cluster.deliver_all(&mut self.dice);
        self.cluster.disturb(shard, &mut self.dice);
    }

    /// Nothing that readers see is outdated beyond the tolerance of its group, unless it says that its source is silent.
    fn check_age(&self, at: i64) {
        for ((group, key), written) in self.cluster.written() {
            let group = &self.pipeline.groups[*group];
            let outdated_at = written.valid_until.0.saturating_add(group.tolerance.0);
            assert!(
                written.source_silent || at <= outdated_at,
                "{}: {} {key} is outdated at {at}: {written:?}",
                self.context,
                group.name
            );
        }
    }
}

fn check(name: &str, pipeline: &Pipeline, knobs: &generate::Stream, shards: usize, seed: u64) -> usize {
    let mut drive = Drive::new(name, pipeline, knobs, shards, seed);
    let oracle =
        file_tables(pipeline).iter().fold(Oracle::new(pipeline), |all, (source, lines)| all.with_file_rows(*source, lines));
    let history = oracle.history(&drive.partitions.clone());
    let last = drive.partitions.iter().flatten().map(|record| record.append_at.0).max().unwrap_or(0);
    let mut instants: Vec<i64> = (0..INSTANTS - 2).map(|_| drive.dice.between(knobs.start_at.0, last)).collect();
    instants.extend([last + drive.dice.between(1, 900_000), last + 4_000_000]);
    instants.sort_unstable();
    for at in instants {
        drive.run_until(at);
        drive.check_age(at);
        let expected = history.vectors(Timestamp(at), Mode::Available);
        check_written(&drive.context, pipeline, &drive.cluster, (&expected, &Exempt::new()), at);
        check_absences(&drive.context, &drive.cluster, &history, shards, at);
    }
    drive.ticks
}

#[test]
fn timers_alone_keep_what_readers_see_right() {
    let mut ticks = 0;
    for seed in seeds_or(SEEDS) {
        let shards = 1 + (seed % 3) as usize;
        // Shorter and longer than an event may be in the future.
        let silent_after = [None, Some(Span(10_000)), Some(Span(120_000))][(seed % 4).min(2) as usize];
        for pipeline in [pipelines::every_aggregator(), pipelines::orders(), pipelines::absences()] {
            let knobs = if pipeline.id == "absences" { night(seed) } else { generate::Stream::default() };
            let pipeline = fixtures::silent_after(&pipeline, silent_after);
            ticks += check(&pipeline.id.clone(), &pipeline, &knobs, shards, seed);
        }
    }
    assert!(ticks > 0, "no engine has asked for anything");
}
