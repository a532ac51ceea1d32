//! The outcomes role on ports that fail, behind a scorer that fails as well: each prediction has one outcome, which says what really
//! became of it, and what is learned is what the sequence of lessons teaches, whoever was killed meanwhile. Time is tokio's paused clock and
//! chance comes from the seed: a seed is a run. `HEADWAY_SEED=n` runs one alone, `HEADWAY_SEEDS=n` more of them.

#[path = "simulation/chaos.rs"]
#[allow(dead_code, reason = "the feature role needs more of it")]
mod chaos;
#[path = "outcomes/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use dataplane::warehouse::{Table, Tables};
use domain::{Span, Timestamp};
use ports::Cell;
use scoring::{Lesson, Tuner, Tuning};
use serde_json::Value;
use world::{START, Truth, World};

const SEEDS: u64 = 20;
const HOUR: i64 = 3_600_000;

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn instant(value: &Value, name: &str) -> Timestamp {
    Timestamp::parse(text(value, name)).unwrap_or_else(|| panic!("{name} of {value}"))
}

/// What an outcome has to say, by what the order did; a disputed one may be worth nothing.
fn check(outcome: &Value, prediction: &Value, truth: &Truth, seed: u64) {
    let (at, told) = (instant(prediction, "at"), |what: &str| truth.told.get(what).copied());
    let (ended, ended_at, label) = match (told("delivered"), told("cancelled")) {
        (Some(delivered), _) => {
            let took = delivered.0 - told("placed").expect("each was placed").0;
            (Some("closed"), Some(delivered), if (180_000..=HOUR).contains(&took) { "taken" } else { "out_of_range" })
        }
        (None, Some(cancelled)) => (Some("cancelled"), Some(cancelled), "censored"),
        (None, None) => (Some("lost"), None, "censored"),
    };
    let is_worthless = truth.is_disputed && outcome["label"] == "contradiction";
    assert!(is_worthless || outcome["label"] == label, "seed {seed}: {outcome} of {truth:?}");
    assert_eq!(outcome["ended"].as_str(), ended, "seed {seed}: {outcome}");
    if let Some(ended_at) = ended_at {
        assert_eq!(instant(outcome, "ended_at"), ended_at, "seed {seed}: {outcome}");
    }
    let left = (label == "taken" && !is_worthless).then(|| (ended_at.expect("closed").0 - at.0) as f64 / 1000.0);
    assert_eq!(outcome["seconds"].is_null(), left.is_none(), "seed {seed}: {outcome}");
    if let Some(left) = left {
        assert!((outcome["seconds"].as_f64().expect("a number") - left).abs() < 0.06, "seed {seed}: {outcome}");
        let median = prediction["p50"].as_f64().expect("a number");
        assert!((outcome["p50_error"].as_f64().expect("a number") - (left - median)).abs() < 0.12, "seed {seed}: {outcome}");
        assert_eq!(outcome["p50_covered"].as_bool(), Some(left <= median), "seed {seed}: {outcome}");
        let late = (ended_at.expect("closed").0 - instant(prediction, "promise_at").0) as f64 / 1000.0;
        assert!((outcome["promise_late_seconds"].as_f64().expect("a number") - late).abs() < 0.06, "seed {seed}: {outcome}");
    }
    for name in ["trigger", "stage", "at", "digest", "degraded", "area", "corrector", "calibration", "order"] {
        assert_eq!(outcome[name], prediction[name], "seed {seed}: {name}");
    }
}

/// What one seed has exercised.
#[derive(Debug, Default)]
struct Seen {
    crashes: u64,
    labels: BTreeMap<String, u64>,
    contradictions: u64,
    cohorts: u64,
    tuned: u64,
}

async fn run(seed: u64, seen: &mut Seen) {
    let mut world = World::new(seed).await;
    let truths = world.live().await;
    let predictions = world.read_json(&world.topics.predictions()).await;
    let mut expected: BTreeMap<String, (u32, Value)> = BTreeMap::new();
    for (partition, prediction) in predictions {
        seen.tuned += u64::from(prediction["corrector"].is_string() && prediction["calibration"].is_string());
        expected.insert(text(&prediction, "id").to_owned(), (partition, prediction));
    }
    let (mut waiting, mut disputed, mut cohorts) = (expected.clone(), BTreeSet::new(), BTreeMap::new());
    for (partition, record) in world.read_json(&world.topics.outcomes()).await {
        match text(&record, "kind") {
            "outcome" => {
                let (at, prediction) =
                    waiting.remove(text(&record, "id")).unwrap_or_else(|| panic!("seed {seed}: {record} again"));
                assert_eq!(at, partition, "seed {seed}");
                check(&record, &prediction, &truths[text(&record, "order")], seed);
                *seen.labels.entry(text(&record, "label").to_owned()).or_default() += 1;
            }
            "contradiction" => {
                let order = text(&record, "order").to_owned();
                assert!(truths[&order].is_disputed && record["told"] == "cancelled", "seed {seed}: {record}");
                assert!(disputed.insert(order), "seed {seed}: {record} again");
                seen.contradictions += 1;
            }
            "cohort" => {
                let begins_at = instant(&record, "begins_at");
                assert!(cohorts.insert((partition, begins_at), record).is_none(), "seed {seed}: a cohort is closed twice");
            }
            kind => panic!("seed {seed}: {kind}"),
        }
    }
    assert_eq!(waiting.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "seed {seed}: without an outcome");
    check_cohorts(&expected, &cohorts, seed);
    seen.cohorts += cohorts.len() as u64;
    seen.crashes += world.crashes;
    check_learned(&world, seed).await;
    check_rows(&world, seed).await;
}

/// Each record has one row, whoever wrote it and however often.
async fn check_rows(world: &World, seed: u64) {
    let tables = Tables::new(&world.pipeline.id);
    let rows = |table: Table| {
        let ids = world.warehouse.rows(&tables.name(table)).into_iter().map(|row| row[1].clone());
        let mut ids: Vec<String> = ids.map(|id| format!("{id:?}")).collect();
        ids.sort();
        ids
    };
    let records = |records: Vec<(u32, Value)>, kind: Option<&str>, member: &str| {
        let of_kind = records.into_iter().filter(|(_, record)| record["kind"].as_str() == kind);
        let mut ids: Vec<String> =
            of_kind.map(|(_, record)| format!("{:?}", Cell::Text(text(&record, member).to_owned()))).collect();
        ids.sort();
        ids
    };
    let said = world.read_json(&world.topics.predictions()).await;
    assert_eq!(rows(Table::Predictions), records(said, None, "id"), "seed {seed}");
    let came = world.read_json(&world.topics.outcomes()).await;
    assert_eq!(rows(Table::Outcomes), records(came.clone(), Some("outcome"), "id"), "seed {seed}");
    assert_eq!(rows(Table::Contradictions), records(came.clone(), Some("contradiction"), "order"), "seed {seed}");
    let cohorts = came.iter().filter(|(_, record)| record["kind"] == "cohort").count();
    assert_eq!(rows(Table::Cohorts).len(), cohorts, "seed {seed}");
}

fn check_cohorts(predictions: &BTreeMap<String, (u32, Value)>, cohorts: &BTreeMap<(u32, Timestamp), Value>, seed: u64) {
    let mut counts: BTreeMap<(u32, Timestamp), BTreeMap<String, u64>> = BTreeMap::new();
    for (partition, prediction) in predictions.values() {
        let at = instant(prediction, "at");
        let begins_at = at.minus(Span(at.0.rem_euclid(HOUR)));
        let stages = counts.entry((*partition, begins_at)).or_default();
        *stages.entry(text(prediction, "stage").to_owned()).or_default() += 1;
    }
    for (hour, stages) in counts.iter().filter(|((_, begins_at), _)| begins_at.0 < START.0 + 2 * HOUR) {
        let cohort = cohorts.get(hour).unwrap_or_else(|| panic!("seed {seed}: {hour:?} is not closed"));
        let count = |value: &Value, name: &str| value[name].as_u64().unwrap_or_else(|| panic!("{name} of {value}"));
        for (stage, predictions) in stages {
            assert_eq!(count(&cohort["stages"][stage], "predictions"), *predictions, "seed {seed}: {cohort}");
        }
        let ended: u64 = ["taken", "censored", "unusable", "open"].map(|name| count(cohort, name)).iter().sum();
        assert_eq!((ended, count(cohort, "open")), (stages.values().sum::<u64>(), 0), "seed {seed}: {cohort}");
    }
}

/// What was told last is what all lessons teach in their order.
async fn check_learned(world: &World, seed: u64) {
    let case = world.pipeline.case.clone().expect("a case");
    let mut tuner = Tuner::new(&case);
    let mut open = BTreeSet::new();
    for (_, value) in world.read(&world.topics.lessons(), 1).await {
        for lesson in Lesson::decode(&value).expect("lessons") {
            let (Lesson::Opened { case, slot, .. } | Lesson::Closed { case, slot, .. } | Lesson::Gone { case, slot }) = &lesson;
            let of = (case.clone(), slot.clone());
            match lesson {
                Lesson::Opened { .. } => assert!(open.insert(of), "seed {seed}: {lesson:?} again"),
                _ => assert!(open.remove(&of), "seed {seed}: {lesson:?} ends nothing"),
            }
            tuner.hear(&lesson);
        }
    }
    assert!(open.is_empty(), "seed {seed}: {open:?}");
    let told = world.read(&world.topics.adjustments(), 1).await;
    let (_, last) = told.last().expect("something was learned");
    let tuning = Tuning::decode(&case, last).expect("what was learned");
    assert_eq!(tuning, tuner.tuning(tuning.as_of().expect("something was learned")), "seed {seed}");
}

#[test]
fn each_prediction_has_one_outcome_whatever_fails() {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match asked("HEADWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("HEADWAY_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(run(seed, &mut seen));
    }
    println!("{seen:?}");
    if seeds.end - seeds.start >= SEEDS {
        let label = |name: &str| seen.labels.get(name).copied().unwrap_or_default();
        assert!(seen.crashes > 100 && label("taken") > 200 && label("censored") > 200 && label("out_of_range") > 50);
        assert!(seen.contradictions + label("contradiction") > 30 && seen.cohorts > 50 && seen.tuned > 200);
        assert_eq!(label("unfollowed"), 0);
    }
}
