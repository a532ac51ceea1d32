//! The engine against the naive oracle, over random streams.
//!
//! Each seed draws a stream, a number of shards, cuts into batches, delays of timers and blocks, and places at which an engine
//! is saved and restored. A seed that fails is named; `HEADWAY_SEED=n` runs it alone, `HEADWAY_SEEDS=n` runs more of them.

mod agreement;
mod apart;
mod cluster;
mod crowded;
mod fixtures;
mod permutation;
mod restored;
mod scene;
mod timers;

use domain::{Span, Timestamp};
use scene::Scene;
use testkit::{generate, pipelines};

/// 2026-10-25T01:00:00Z and 2027-03-28T01:00:00Z.
const AUTUMN_MS: i64 = 1_792_890_000_000;
const SPRING_MS: i64 = 1_806_195_600_000;
/// Seeds of each property when nothing else is asked for.
const SEEDS: u64 = 40;

fn seeds() -> std::ops::Range<u64> {
    seeds_or(SEEDS)
}

/// So many seeds when nothing else is asked for.
fn seeds_or(count: u64) -> std::ops::Range<u64> {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (asked("HEADWAY_SEED"), asked("HEADWAY_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, more) => 0..more.unwrap_or(count),
    }
}

/// Two hours of a night in which the clocks of Vienna change, with events that come late but not too late.
fn night(seed: u64) -> generate::Stream {
    let start_at = Timestamp(if seed.is_multiple_of(2) { AUTUMN_MS } else { SPRING_MS } - 2_400_000);
    let disorder = Span(480_000);
    generate::Stream {
        events: 300,
        start_at,
        span: Span(7_200_000),
        disorder,
        duplicate_share: 0.02,
        ..generate::Stream::default()
    }
}

#[test]
fn every_aggregator_equals_the_oracle() {
    for seed in seeds() {
        Scene::new("every aggregator", &pipelines::every_aggregator(), 1).check(seed);
    }
}

#[test]
fn pairs_tables_files_and_silence_equal_the_oracle() {
    for seed in seeds() {
        Scene::new("orders", &pipelines::orders(), 1).check(seed);
    }
}

#[test]
fn absences_equal_the_oracle() {
    let mut told = [0, 0];
    for seed in seeds() {
        let mut pipeline = pipelines::absences();
        if seed.is_multiple_of(3) {
            pipeline.sources.iter_mut().for_each(|source| source.silent_after = Some(Span(90_000)));
        }
        let shards = 1 + (seed % 3) as usize;
        let [raised, taken_back] = Scene { knobs: night(seed), ..Scene::new("absences", &pipeline, shards) }.check(seed).told;
        told = [told[0] + raised, told[1] + taken_back];
    }
    assert!(told[0] > 0 && told[1] > 0, "nothing was raised, or nothing taken back: {told:?}");
}

#[test]
fn shards_that_shuffle_equal_the_oracle() {
    for seed in seeds() {
        let shards = 2 + (seed % 7) as usize;
        Scene::new("every aggregator", &pipelines::every_aggregator(), shards).check(seed);
        Scene::new("orders", &pipelines::orders(), shards).check(seed);
    }
}

#[test]
fn one_key_and_many_keys_equal_the_oracle() {
    for seed in seeds().take(4) {
        let one = generate::Stream { keys: 1, events: 600, ..generate::Stream::default() };
        Scene { knobs: one, ..Scene::new("one key", &pipelines::every_aggregator(), 1) }.check(seed);
        let many = generate::Stream { keys: 100_000, events: 3000, ..generate::Stream::default() };
        Scene { knobs: many, ..Scene::new("many keys", &pipelines::minimal(), 2) }.check(seed);
    }
}

/// Stores come and go, and what was said of those that went is taken back.
#[test]
fn files_that_change_equal_the_oracle() {
    for seed in seeds_or(SEEDS / 2) {
        let pipeline = fixtures::stores_by_size(&pipelines::orders());
        let shards = 1 + (seed % 3) as usize;
        let conduct = cluster::Conduct { twins: seed.is_multiple_of(2), ..cluster::Conduct::default() };
        let outcome = Scene { files_change: true, conduct, ..Scene::new("files", &pipeline, shards) }.check(seed);
        assert!(outcome.compared > 0, "seed {seed} compared nothing");
    }
}
