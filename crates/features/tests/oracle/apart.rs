//! Shards whose clocks are far apart, as when one works through what it missed while the others are up to date.

use domain::Span;
use features::Reason;
use testkit::{generate, pipelines};

use crate::{
    cluster::{Conduct, Dice},
    scene::{Outcome, Scene},
    seeds_or,
};

/// Seeds when nothing else is asked for: longer streams take longer.
const SEEDS: u64 = 6;
/// How far a shard may be behind without loss is an hour, less the longest batch and the longest way of a block.
const BEHIND_MS_MAX: i64 = 3_600_000 - 180_000;
/// Further than that.
const FAR_BEHIND_MS: i64 = 5_400_000;

/// Three hours with few events.
fn long() -> generate::Stream {
    generate::Stream { span: Span(10_800_000), disorder: Span(400_000), ..generate::Stream::default() }
}

fn check(behind_ms_max: i64, may_drop: Option<Reason>, seed: u64) -> Outcome {
    let mut dice = Dice::new(seed ^ 0xbe81d);
    let shards = 2 + (seed % 3) as usize;
    let mut outcome = Outcome::default();
    for pipeline in [pipelines::every_aggregator(), pipelines::orders(), pipelines::absences()] {
        // One of them is as far behind as may be.
        let mut behind_ms: Vec<i64> = (0..shards).map(|_| dice.between(0, behind_ms_max)).collect();
        behind_ms[dice.between(0, shards as i64 - 1) as usize] = behind_ms_max;
        let conduct = Conduct { behind_ms, signs: true, ..Conduct::default() };
        let scene = Scene { knobs: long(), conduct, may_drop, ..Scene::new("apart", &pipeline, shards) };
        let one = scene.check(seed);
        outcome.dropped += one.dropped;
        outcome.compared += one.compared;
    }
    outcome
}

#[test]
fn shards_that_are_behind_lose_nothing() {
    for seed in seeds_or(SEEDS) {
        assert!(check(BEHIND_MS_MAX, None, seed).compared > 0, "seed {seed} compared nothing");
    }
}

#[test]
fn what_a_shard_that_is_far_behind_loses_is_counted() {
    let mut outcome = Outcome::default();
    for seed in seeds_or(SEEDS) {
        let one = check(FAR_BEHIND_MS, Some(Reason::Sealed), seed);
        outcome.dropped += one.dropped;
        outcome.compared += one.compared;
    }
    assert!(outcome.dropped > 0 && outcome.compared > 0, "{outcome:?}");
}
