//! Groups that are full: what finds no room is counted, and everything else stays exact.

use domain::Span;
use features::Reason;
use testkit::{generate, pipelines};

use crate::{fixtures, scene::Scene, seeds_or};

/// Seeds when nothing else is asked for.
const SEEDS: u64 = 10;

/// More keys than the fixtures have by themselves, in a stream that is long enough for entities to be forgotten and let in again.
fn many_keys() -> generate::Stream {
    generate::Stream { keys: 24, span: Span(5_400_000), disorder: Span(400_000), ..generate::Stream::default() }
}

#[test]
fn full_groups_refuse_the_rest_and_stay_exact() {
    let (mut dropped, mut compared) = (0, 0);
    for seed in seeds_or(SEEDS) {
        for pipeline in [pipelines::every_aggregator(), fixtures::stores_by_size(&pipelines::orders()), pipelines::absences()] {
            let mut pipeline = pipeline;
            let mut room = (3..).map(|room: u64| 2 + (room + seed) % 7);
            pipeline.groups.iter_mut().zip(&mut room).for_each(|(group, room)| group.entities_max = room);
            let shards = 1 + (seed % 3) as usize;
            let may_drop = Some(Reason::OverCapacity);
            let scene = Scene { knobs: many_keys(), may_drop, files_change: true, ..Scene::new("crowded", &pipeline, shards) };
            let outcome = scene.check(seed);
            (dropped, compared) = (dropped + outcome.dropped, compared + outcome.compared);
        }
    }
    assert!(dropped > 0 && compared > 0, "{dropped} parts were dropped, {compared} vectors compared");
}
