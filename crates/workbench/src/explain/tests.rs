//! Explained values are the engine's, over random streams, partitions and instants, and over the samples of the real pipelines.

use std::{fs, path::Path, sync::Arc};

use domain::{Span, Timestamp};
use features::{Config, Engine, Record};
use pipeline::Pipeline;
use testkit::{
    generate::{self, Stream},
    pipelines,
};

use super::*;
use crate::scripted::{Scripted, instant, orders_spec, run};

/// One record with its partition.
type Sent = (u32, testkit::Record);

/// The engines of all partitions after the records before an instant, one record at a time.
fn engines(scripted: &Scripted, sent: &[Sent], at: Timestamp) -> Vec<Engine> {
    let shards = scripted.plan.partitions;
    let config = |shard| Config { shard, shards, ..Config::default() };
    let engine = |shard| Engine::new(scripted.plan.pipeline.clone(), config(shard)).expect("a pipeline that runs");
    let mut engines: Vec<Engine> = (0..shards).map(engine).collect();
    for (source, lines) in &scripted.plan.files {
        engines.iter_mut().for_each(|engine| _ = engine.load_file(*source, lines, domain::EARLIEST));
    }
    for (offset, (partition, record)) in (0..).zip(sent).filter(|(_, (_, record))| record.append_at < at) {
        let testkit::Record { source, append_at, payload } = record;
        let now = append_at.plus(Span(1));
        let record = Record { source: *source, offset, append_at: *append_at, payload };
        let out = engines[*partition as usize].ingest(&[record], now);
        let signs: Vec<features::Block> = engines[*partition as usize].signs_of_life().collect();
        deliver(&mut engines, out.blocks.into_iter().chain(signs).collect(), now);
    }
    // What has not come by then is told to the shard whose entity it is.
    let blocks: Vec<features::Block> = engines.iter_mut().flat_map(|engine| engine.tick(at).blocks).collect();
    deliver(&mut engines, blocks, at);
    engines
}

/// Gives blocks to their shards, and those that these send then: time passes for them with a block as with a record.
fn deliver(engines: &mut [Engine], mut blocks: Vec<features::Block>, now: Timestamp) {
    while let Some(block) = blocks.pop() {
        blocks.extend(engines[block.shard as usize].receive(&block.bytes, now).expect("a block").blocks);
    }
}

/// Explains every value of every live entity, and returns how many there were.
fn check(scripted: &Scripted, sent: &[Sent], at: Timestamp) -> usize {
    let engines = engines(scripted, sent, at);
    let mut values = 0;
    for (index, group) in scripted.plan.pipeline.groups.iter().enumerate() {
        for engine in &engines {
            for key in engine.keys(index) {
                let vector = engine.vector(index, key).expect("a live entity");
                for (column, value) in group.columns().iter().zip(vector.values) {
                    let entity = format!("{}:{key}", group.entity);
                    let question = Question::new(&scripted.plan.pipeline, &entity, &column.name, at).expect("a column");
                    let told = run(explain(&scripted.log, &scripted.plan, &question)).expect("an explanation");
                    let expected = crate::backfill::table::cell(value, &column.kind);
                    // As text: shortest decimals are the same when all bits are.
                    assert_eq!(told.value.to_string(), expected.to_string(), "{entity} {} at {at}\n{told}", column.name);
                    assert_eq!(told.incomplete, None, "the log has everything");
                    values += 1;
                }
            }
        }
    }
    values
}

/// A random stream over some partitions, explained in its midst and at its end.
fn check_random(pipeline: Pipeline, partitions: u32, seed: u64) {
    let knobs = Stream { events: 250, keys: 3, ..Stream::default() };
    let records = generate::records(&pipeline, &knobs, seed);
    let spread = generate::partition(&pipeline, &records, partitions as usize, 0.0);
    let scripted = Scripted::new(pipeline, partitions);
    let mut sent: Vec<Sent> =
        (0..).zip(spread).flat_map(|(partition, records)| records.into_iter().map(move |record| (partition, record))).collect();
    sent.sort_by_key(|(_, record)| record.append_at);
    for (partition, record) in &sent {
        scripted.write(record.source, *partition, record.append_at, &record.payload);
    }
    let last = sent[sent.len() - 1].1.append_at;
    let middle = sent[sent.len() / 2].1.append_at;
    let values: Vec<usize> =
        [middle, last.plus(Span(1)), last.plus(Span(400_000))].iter().map(|at| check(&scripted, &sent, *at)).collect();
    assert!(values[0] > 3 && values.iter().sum::<usize>() > 15, "{values:?} values");
}

#[test]
fn random_values_are_the_engines() {
    check_random(pipelines::every_aggregator(), 1, 1);
    check_random(pipelines::minimal(), 3, 2);
}

#[test]
fn durations_and_rows_are_the_engines() {
    check_random(pipelines::orders(), 1, 3);
    check_random(pipelines::orders(), 2, 4);
}

#[test]
fn absences_are_the_engines() {
    check_random(pipelines::absences(), 1, 5);
    check_random(pipelines::absences(), 2, 6);
}

/// The sample events of a pipeline's own tests.
fn check_samples(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines").join(name);
    let pipeline = pipeline::load(&folder).expect("a pipeline without faults");
    let mut samples: Vec<_> =
        fs::read_dir(folder.join("tests")).expect("samples").map(|entry| entry.expect("a file").path()).collect();
    samples.sort();
    for sample in samples {
        let mut scripted = Scripted::new(pipeline.clone(), 1);
        for (source, declared) in pipeline.sources.iter().enumerate() {
            if let SourceKind::File { path, .. } = &declared.kind {
                let text = fs::read_to_string(folder.join(path)).expect("a table");
                scripted.plan.files.push((source, Arc::from(text)));
            }
        }
        let sent = events(&pipeline, &sample);
        for (partition, record) in &sent {
            scripted.write(record.source, *partition, record.append_at, &record.payload);
        }
        let last = sent[sent.len() - 1].1.append_at;
        let values = check(&scripted, &sent, last.plus(Span(60_000)));
        assert!(values > 2, "{values} values of {}", sample.display());
    }
}

fn events(pipeline: &Pipeline, path: &Path) -> Vec<Sent> {
    let text = fs::read_to_string(path).expect("a sample");
    let event = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let named = |source: &pipeline::Source| json["_source"].as_str().is_none_or(|name| name == source.name);
        let source = pipeline.sources.iter().position(named).expect("a source");
        let at = json["_at"].as_str().or(json["occurred_at"].as_str()).and_then(Timestamp::parse);
        (source, at, line.as_bytes().to_vec())
    };
    let mut now = domain::EARLIEST;
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(event);
    let sent = lines.map(|(source, at, payload)| {
        now = now.max(at.unwrap_or(now));
        (0, testkit::Record { source, append_at: now, payload })
    });
    sent.collect()
}

#[test]
fn samples_of_the_real_pipelines_are_explained() {
    check_samples("delivery-eta");
    check_samples("scooter-fleet");
}

const GROUPS: &str = r#"
[group.store]
entity = "store"
key = "store_id"
source = "orders"
hop = "1m"
features = { basket_mean = { mean = "basket", windows = ["1h"] } }
"#;

#[test]
fn the_page_says_what_counts_and_what_came_too_late() {
    let scripted = Scripted::new(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1);
    scripted.order(("1", "42", "10"), "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z");
    scripted.order(("2", "43", "99"), "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z");
    scripted.order(("3", "42", "20"), "2026-03-01T12:05:00Z", "2026-03-01T12:05:00Z");
    scripted.order(("4", "42", "null"), "2026-03-01T12:05:30Z", "2026-03-01T12:05:30Z");
    scripted.order(("5", "42", "70"), "2026-03-01T12:02:00Z", "2026-03-01T12:15:00Z");
    scripted.order(("3", "42", "20"), "2026-03-01T12:05:00Z", "2026-03-01T12:15:00Z");
    let question = Question::new(&scripted.plan.pipeline, "store:42", "basket_mean_1h", instant("2026-03-01T12:30:00Z"));
    let told = run(explain(&scripted.log, &scripted.plan, &question.expect("a question"))).expect("an explanation");
    let expected = "\
store:42  basket_mean_1h = 15.0
mean over 1h of the events of orders (group store)
window 1h: from 2026-03-01T11:30:00.000Z until 2026-03-01T12:30:00.000Z

2 tiles with events
  2026-03-01T12:00:00.000Z       1 events  sum 10.0  count 1
  2026-03-01T12:05:00.000Z       2 events  sum 20.0  count 1

3 events or rows inside
  headway.small.orders/0@0 2026-03-01T12:00:00.000Z (taken 1s later)  10.0
  headway.small.orders/0@2 2026-03-01T12:05:00.000Z (taken 0ms later)  20.0
  headway.small.orders/0@3 2026-03-01T12:05:30.000Z (taken 0ms later)  null  (does not count)

2 records of it were refused
  late by 3m  headway.small.orders/0@4 2026-03-01T12:02:00.000Z (taken 13m later)  inside the window
  duplicate  headway.small.orders/0@5 2026-03-01T12:05:00.000Z (taken 10m later)  inside the window

6 records read, appended from 2026-03-01T10:56:30.000Z on";
    assert_eq!(told.to_string(), expected);
    let json = serde_json::to_value(&told).expect("data");
    assert_eq!((json["value"].as_f64(), json["records"][1]["record"]["offset"].as_u64()), (Some(15.0), Some(2)));
}

#[test]
fn what_found_no_place_is_counted_for_its_own_entity() {
    let scripted = Scripted::new(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1);
    scripted.order(("1", "42", "10"), "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z");
    let at = instant("2026-03-01T12:00:02Z");
    for (group, key) in [("store", "42"), ("store", "42"), ("store", "43"), ("other", "42")] {
        scripted.dropped("over_capacity", group, key, at);
    }
    let question = Question::new(&scripted.plan.pipeline, "store:42", "basket_mean_1h", instant("2026-03-01T12:30:00Z"));
    let told = run(explain(&scripted.log, &scripted.plan, &question.expect("a question"))).expect("an explanation");
    assert_eq!(told.dropped, [("over_capacity".to_owned(), 2)].into());
    assert!(told.to_string().contains("2 parts of its events were dropped: over_capacity"), "{told}");
}

/// Explanations are asked for by tasks that move between threads.
#[test]
fn the_work_can_move_between_threads() {
    fn sendable<T: Send>(work: T) -> T {
        work
    }
    let scripted = Scripted::new(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1);
    let Scripted { log, plan, .. } = &scripted;
    let (since, at) = (instant("2026-03-01T11:00:00Z"), instant("2026-03-01T12:00:00Z"));
    let question = Question::new(&plan.pipeline, "store:42", "basket_mean_1h", at).expect("a question");
    let told = run(sendable(explain(log, plan, &question))).expect("an explanation");
    assert_eq!((told.value, told.events), (serde_json::Value::Null, 0));
    let late = run(sendable(crate::late(log, plan, since, at, &crate::Unseen))).expect("a report");
    let moved = run(sendable(crate::compare(log, plan, plan, at, 1, Span(0), &crate::Unseen))).expect("a comparison");
    assert_eq!((late.late, moved.costs.len()), (0, 0));
}

#[test]
fn an_absence_names_the_last_event_and_when_the_next_was_due() {
    let spec = orders_spec(GROUPS).replace(
        "[group.store]",
        "[source.quiet]\nabsence = { from = \"orders\", key = \"store_id\", within = \"5m\", entities = 10 }\n\n[group.store]",
    );
    let spec = spec
        .replace("source = \"orders\"\nhop", "source = \"quiet\"\nhop")
        .replace("basket_mean = { mean = \"basket\"", "gaps = { count = \"*\"");
    let scripted = Scripted::new(pipeline::parse("small", &spec).unwrap_or_else(|faults| panic!("{faults}")), 1);
    scripted.order(("1", "42", "10"), "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z");
    scripted.order(("2", "42", "10"), "2026-03-01T12:20:00Z", "2026-03-01T12:20:00Z");
    let question = Question::new(&scripted.plan.pipeline, "store:42", "gaps_1h", instant("2026-03-01T12:21:00Z"));
    let told = run(explain(&scripted.log, &scripted.plan, &question.expect("a question"))).expect("an explanation");
    assert_eq!((told.value.as_i64(), told.records.len()), (Some(1), 1), "{told}");
    assert_eq!(told.records[0].due.as_deref(), Some("2026-03-01T12:05:00.000Z"));
    assert!(told.to_string().contains("12:00:00.000Z (taken 1s later)    nothing came by 2026-03-01T12:05:00.000Z"), "{told}");
}

#[test]
fn questions_that_cannot_be_answered_say_what_can() {
    let pipeline = pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec");
    let check = |entity: &str, column: &str, expected: &str| {
        let error = Question::new(&pipeline, entity, column, Timestamp(0)).expect_err("no such value").to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("42", "basket_mean_1h", "write its type and key, such as store:42");
    check("store:42", "basket_mean", "the features of a store are: basket_mean_1h");
    check("rider:42", "basket_mean_1h", "is a feature of a store and not of a rider");
}

#[test]
fn what_retention_took_is_said() {
    let scripted = Scripted::with_retention(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1, Span(600_000));
    scripted.order(("1", "42", "10"), "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z");
    scripted.order(("2", "42", "20"), "2026-03-01T12:20:00Z", "2026-03-01T12:20:00Z");
    scripted.retain(instant("2026-03-01T12:25:00Z"));
    let question = Question::new(&scripted.plan.pipeline, "store:42", "basket_mean_1h", instant("2026-03-01T12:30:00Z"));
    let told = run(explain(&scripted.log, &scripted.plan, &question.expect("a question"))).expect("an explanation");
    let missing = told.incomplete.expect("an hour is wanted and ten minutes are there");
    assert!(missing.contains("begins at 2026-03-01T12:20:00.000Z") && missing.contains("window 1h"), "{missing}");
}
