//! The engine against the naive oracle, over random streams.
//!
//! Each seed draws a stream, a number of shards, cuts into batches, delays of timers and blocks, and places at which an engine
//! is saved and restored. A seed that fails is named; `HEADWAY_SEED=n` runs it alone, `HEADWAY_SEEDS=n` runs more of them.

mod cluster;

use std::collections::BTreeMap;

use cluster::{Cluster, Dice};
use domain::{Span, Timestamp};
use pipeline::Pipeline;
use testkit::{Decision, Mode, Oracle, Record, generate, pipelines};

/// 2026-10-25T01:00:00Z and 2027-03-28T01:00:00Z.
const AUTUMN_MS: i64 = 1_792_890_000_000;
const SPRING_MS: i64 = 1_806_195_600_000;
/// Seeds of each property when nothing else is asked for.
const SEEDS: u64 = 40;

fn seeds() -> std::ops::Range<u64> {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (asked("HEADWAY_SEED"), asked("HEADWAY_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    }
}

/// Runs a stream through a cluster of engines and compares it with the oracle at several instants and at the end.
fn check(name: &str, pipeline: &Pipeline, knobs: &generate::Stream, shards: usize, seed: u64) -> [usize; 2] {
    let context = format!("{name}, seed {seed}, {shards} shards");
    let mut dice = Dice::new(seed ^ 0x5eed);
    let records = generate::records(pipeline, knobs, seed);
    let partitions = generate::partition(pipeline, &records, shards, 0.1);
    let files: Vec<(usize, String)> = file_tables(pipeline);
    let oracle = files.iter().fold(Oracle::new(pipeline), |oracle, (source, lines)| oracle.with_file_rows(*source, lines));
    let history = oracle.history(&partitions);

    let mut cluster = Cluster::new(pipeline, shards, &files, knobs.start_at.minus(Span(1000)));
    let last = records.iter().map(|record| record.append_at.0).max().unwrap_or(0);
    let mut instants: Vec<i64> = (0..5).map(|_| dice.between(knobs.start_at.0, last)).collect();
    instants.extend([last + 1, last + dice.between(1, 300_000), last + 4_000_000]);
    instants.sort_unstable();
    let mut next = vec![0; shards];
    for at in instants {
        cluster.feed_until(&partitions, &mut next, at, &mut dice);
        cluster.settle(at);
        for shard in 0..shards {
            let expected = history.absences(shard, Timestamp(at), Mode::Available);
            let mut expected: Vec<cluster::Missing> =
                expected.into_iter().map(|one| (one.source, one.due, one.key, one.identity, one.since)).collect();
            expected.sort();
            assert_eq!(cluster.missing(shard), expected, "{context}: missing at {at} in shard {shard}");
        }
        compare(&context, pipeline, &cluster, &history.vectors(Timestamp(at), Mode::Available), at);
    }
    let decisions: Vec<Vec<Decision>> = history.decisions();
    for (shard, decided) in decisions.iter().enumerate() {
        let refused: Vec<(usize, &str)> =
            decided.iter().enumerate().filter_map(|(at, decision)| refusal(decision).map(|reason| (at, reason))).collect();
        assert_eq!(cluster.refused(shard), refused, "{context}: refused records of shard {shard}");
    }
    assert_eq!(cluster.dropped(), 0, "{context}: nothing that was accepted may be dropped");
    cluster.told()
}

fn refusal(decision: &Decision) -> Option<&'static str> {
    match decision {
        Decision::Accepted => None,
        Decision::Refused(reason) => Some(reason),
    }
}

fn file_tables(pipeline: &Pipeline) -> Vec<(usize, String)> {
    let files =
        pipeline.sources.iter().enumerate().filter(|(_, source)| matches!(source.kind, pipeline::SourceKind::File { .. }));
    let line = |store: i64| format!("{{\"store_id\":\"k{store}\",\"capacity\":{}}}\n", store * 7);
    files.map(|(source, _)| (source, (0..8).chain(2..5).map(line).collect())).collect()
}

type Expected = BTreeMap<(usize, String), testkit::OracleVector>;

fn compare(context: &str, pipeline: &Pipeline, cluster: &Cluster, expected: &Expected, at: i64) {
    for ((group, key), expected) in expected {
        let place = format!("{context}, {} {key} at {at}", pipeline.groups[*group].name);
        let names: Vec<String> = pipeline.groups[*group].columns().into_iter().map(|column| column.name).collect();
        let Some(found) = cluster.vector(*group, key) else {
            // An entity whose values are all null or zero and stay so is as good as none.
            let zero = |value: &domain::Value| *value == domain::Value::Integer(0) || *value == domain::Value::Float(0.0);
            let nothing =
                expected.forgotten || expected.valid_until == domain::NEVER && expected.values.iter().flatten().all(zero);
            assert!(nothing, "{place}: the engine forgot what the oracle knows: {expected:?}");
            continue;
        };
        for ((name, expected), found) in names.iter().zip(&expected.values).zip(&found.values) {
            assert!(same(expected.as_ref(), found.as_ref()), "{place}, {name}: oracle {expected:?}, engine {found:?}");
        }
        for ((name, exact), found) in names.iter().zip(&expected.exact).zip(&found.values) {
            assert!(near(*exact, found.as_ref()), "{place}, {name}: exactly {exact:?}, engine {found:?}");
        }
        assert_eq!(found.as_of, expected.as_of, "{place}: as_of");
        assert_eq!(found.valid_until, expected.valid_until, "{place}: valid_until");
        assert_eq!(found.source_silent, expected.silent, "{place}: silent");
        // What was written last holds as long as it says.
        if let Some(written) = cluster.written(*group, key)
            && at < written.valid_until.0
            && !expected.silent
        {
            for ((name, expected), written) in names.iter().zip(&expected.values).zip(&written.values) {
                assert!(
                    same(expected.as_ref(), written.as_ref()),
                    "{place}, {name} as written: oracle {expected:?}, {written:?}"
                );
            }
        }
    }
    for (group, key) in cluster.keys() {
        assert!(expected.contains_key(&(group, key.clone())), "{context}: the oracle does not know {group} {key}");
    }
}

/// The promise of sketches: quantiles within 1 %, numbers of different values exact up to 256.
fn near(exact: Option<f64>, found: Option<&domain::Value>) -> bool {
    match (exact, found) {
        (None, _) => true,
        (Some(exact), Some(domain::Value::Float(found))) => (found - exact).abs() <= exact.abs() * 0.01,
        (Some(exact), Some(domain::Value::Integer(found))) => exact > 256.0 || *found as f64 == exact,
        (Some(_), None) => false,
    }
}

/// Equal to the last bit.
fn same(one: Option<&domain::Value>, other: Option<&domain::Value>) -> bool {
    use domain::Value::{Float, Integer};
    match (one, other) {
        (Some(Float(one)), Some(Float(other))) => one.to_bits() == other.to_bits(),
        (Some(Integer(one)), Some(Integer(other))) => one == other,
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn every_aggregator_equals_the_oracle() {
    for seed in seeds() {
        check("every aggregator", &pipelines::every_aggregator(), &generate::Stream::default(), 1, seed);
    }
}

#[test]
fn pairs_tables_files_and_silence_equal_the_oracle() {
    for seed in seeds() {
        check("orders", &pipelines::orders(), &generate::Stream::default(), 1, seed);
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
fn absences_equal_the_oracle() {
    let mut told = [0, 0];
    for seed in seeds() {
        let mut pipeline = pipelines::absences();
        if seed.is_multiple_of(3) {
            pipeline.sources.iter_mut().for_each(|source| source.silent_after = Some(Span(90_000)));
        }
        let shards = 1 + (seed % 3) as usize;
        let [raised, taken_back] = check("absences", &pipeline, &night(seed), shards, seed);
        told = [told[0] + raised, told[1] + taken_back];
    }
    assert!(told[0] > 0 && told[1] > 0, "nothing was raised, or nothing taken back: {told:?}");
}

#[test]
fn shards_that_shuffle_equal_the_oracle() {
    for seed in seeds() {
        let shards = 2 + (seed % 7) as usize;
        check("every aggregator", &pipelines::every_aggregator(), &generate::Stream::default(), shards, seed);
        check("orders", &pipelines::orders(), &generate::Stream::default(), shards, seed);
    }
}

#[test]
fn one_key_and_many_keys_equal_the_oracle() {
    for seed in seeds().take(4) {
        let one = generate::Stream { keys: 1, events: 600, ..generate::Stream::default() };
        check("one key", &pipelines::every_aggregator(), &one, 1, seed);
        let many = generate::Stream { keys: 100_000, events: 3000, ..generate::Stream::default() };
        check("many keys", &pipelines::minimal(), &many, 2, seed);
    }
}

#[test]
fn order_of_arrival_and_repetition_do_not_change_a_byte() {
    for seed in seeds() {
        for pipeline in [pipelines::every_aggregator(), pipelines::orders(), pipelines::absences()] {
            let records = generate::records(&pipeline, &generate::Stream::calm(), seed);
            let permuted = generate::permute_within_lateness(&pipeline, &records, seed);
            let last = records.iter().chain(&permuted).map(|record| record.append_at.0).max().unwrap_or(0) + 1;
            let [one, other] = [&records, &permuted].map(|records| vectors_at(&pipeline, records, last, seed));
            for key in one.keys().chain(other.keys()) {
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => {
                        assert_eq!((&one.values, one.valid_until), (&other.values, other.valid_until), "seed {seed}, {key:?}");
                    }
                    // When an entity that says nothing any more is forgotten is a matter of chance.
                    (one, other) => {
                        assert_eq!(one.or(other).map(says_nothing), Some(true), "seed {seed}, {key:?}: {one:?}, {other:?}")
                    }
                }
            }
        }
    }
}

/// Whether all windows are empty.
fn says_nothing(vector: &domain::FeatureVector) -> bool {
    let zero = |value: &domain::Value| *value == domain::Value::Integer(0) || *value == domain::Value::Float(0.0);
    vector.valid_until == domain::NEVER && vector.values.iter().flatten().all(zero)
}

fn vectors_at(pipeline: &Pipeline, records: &[Record], at: i64, seed: u64) -> BTreeMap<(usize, String), domain::FeatureVector> {
    let partitions = vec![records.to_vec()];
    let start = records.first().map_or(0, |record| record.append_at.0) - 1;
    let mut cluster = Cluster::new(pipeline, 1, &file_tables(pipeline), Timestamp(start));
    cluster.feed_until(&partitions, &mut [0], at, &mut Dice::new(seed));
    cluster.settle(at);
    let keys = cluster.keys();
    keys.into_iter().filter_map(|(group, key)| Some(((group, key.clone()), cluster.vector(group, &key)?))).collect()
}
