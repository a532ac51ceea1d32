//! The scorer role on ports that fail: however often its workers are killed, fenced, cut off or woken up too late, each trigger makes one
//! prediction. Time is tokio's paused clock and chance comes from the seed: a seed is a run. `HEADWAY_SEED=n` runs one alone,
//! `HEADWAY_SEEDS=n` more of them.

#[path = "scorer/away.rs"]
mod away;
#[path = "scorer/challenged.rs"]
mod challenged;
#[path = "simulation/chaos.rs"]
#[allow(dead_code, reason = "the feature role needs more of it")]
mod chaos;
#[path = "scorer/flawed.rs"]
mod flawed;
#[path = "scorer/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dataplane::scorer::Served;
use domain::Timestamp;
use world::{Expected, STAGES, World};

const SEEDS: u64 = 48;

/// One seed: how often a worker died, and how many predictions there are by trigger.
async fn run(seed: u64) -> (u64, BTreeMap<String, u64>) {
    let mut world = World::new(seed).await;
    let expected = world.live().await;
    let (mut ids, mut found, mut counts) = (BTreeSet::new(), Expected::new(), BTreeMap::new());
    for record in world.read(&world.plan.topics.predictions()).await {
        let prediction: serde_json::Value = serde_json::from_slice(&record.value).expect("JSON");
        let text = |name: &str| prediction[name].as_str().unwrap_or_else(|| panic!("{name} of {prediction}")).to_owned();
        assert!(ids.insert(text("id")), "seed {seed}: {prediction} is there twice");
        assert_eq!(text("order").as_bytes(), &*record.key);
        let at = Timestamp::parse(&text("at")).expect("a time");
        assert!(Timestamp::parse(&text("promise_at")).is_some_and(|promised| promised > at));
        *counts.entry(text("trigger")).or_default() += 1;
        if let Some(stage) = STAGES.into_iter().find(|stage| *stage == text("trigger")) {
            assert!(found.entry(text("order")).or_default().insert(stage), "seed {seed}: {stage} twice: {prediction}");
        }
    }
    let expected: Expected = expected.into_iter().filter(|(_, stages)| !stages.is_empty()).collect();
    assert_eq!(found, expected, "seed {seed}");
    let (mut columns, mut served) = (BTreeMap::new(), BTreeSet::new());
    for record in world.read(&world.plan.topics.feature_log()).await {
        if record.key.is_empty() {
            let told: serde_json::Value = serde_json::from_slice(&record.value).expect("JSON");
            columns.insert(told["schema"].as_u64(), told["columns"].as_array().map(Vec::len));
            continue;
        }
        let row = Served::decode(&record.value).expect("a whole row");
        assert_eq!(columns.get(&Some(row.schema.into())), Some(&Some(row.words.len())), "its columns were told before");
        assert!(served.insert(format!("{:032x}", row.id)), "seed {seed}: a row is there twice");
    }
    assert_eq!(served, ids, "seed {seed}: each prediction has the row that it was made of");
    let mut left: BTreeMap<Bytes, bool> = BTreeMap::new();
    for record in world.read(&world.plan.topics.cases()).await {
        left.insert(record.key, !record.value.is_empty());
    }
    assert_eq!(left.values().filter(|is_known| **is_known).count(), 0, "seed {seed}: all of them are over and forgotten");
    (world.crashes, counts)
}

#[test]
fn each_trigger_makes_one_prediction_whatever_fails() {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match asked("HEADWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("HEADWAY_SEEDS").unwrap_or(SEEDS),
    };
    let (mut crashes, mut counts) = (0, BTreeMap::new());
    for seed in seeds.clone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let (died, by_trigger) = runtime.block_on(run(seed));
        crashes += died;
        by_trigger.into_iter().for_each(|(trigger, count)| *counts.entry(trigger).or_insert(0) += count);
    }
    println!("{crashes} crashes; {counts:?}");
    if seeds.end - seeds.start >= SEEDS {
        assert!(crashes > 200 && counts["time"] > 200, "what the seeds do not exercise they do not prove");
    }
}
