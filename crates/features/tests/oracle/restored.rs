//! Restored engines beside the live ones: the same outputs for the same input, step by step.

use domain::Span;
use testkit::{generate, pipelines};

use crate::{cluster::Conduct, fixtures, night, scene::Scene, seeds_or};

/// Seeds when nothing else is asked for: every step is taken twice.
const SEEDS: u64 = 8;
/// How far apart the shards of some seeds are.
const BEHIND_MS: i64 = 2_400_000;

#[test]
fn a_restored_engine_says_what_the_live_one_says() {
    for seed in seeds_or(SEEDS) {
        let shards = 1 + (seed % 3) as usize;
        let silent_after = [None, Some(Span(20_000)), Some(Span(120_000))][(seed % 4).min(2) as usize];
        for pipeline in [pipelines::every_aggregator(), pipelines::orders(), pipelines::absences()] {
            let knobs = if pipeline.id == "absences" { night(seed) } else { generate::Stream::default() };
            let pipeline = fixtures::silent_after(&pipeline, silent_after);
            let behind_ms = if seed.is_multiple_of(2) { vec![0; shards] } else { vec![BEHIND_MS] };
            let conduct = Conduct { twins: true, signs: seed % 3 > 0, behind_ms, ..Conduct::default() };
            Scene { knobs, conduct, ..Scene::new("restored", &pipeline, shards) }.check(seed);
        }
    }
}
