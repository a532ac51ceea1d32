//! Backfills against the naive oracle, and what they write.

use std::fs;

use domain::{Span, ValueKind};
use parquet::{file::reader::SerializedFileReader, record::reader::RowIter};
use testkit::{Oracle, generate, pipelines};

use super::*;
use crate::{Unseen, scratch::Scratch};

const FACTS: &str =
    "{\"store_id\":\"k1\",\"capacity\":7}\n{\"store_id\":\"k2\",\"capacity\":9}\n{\"store_id\":\"k1\",\"capacity\":8}\n";

/// Runs a backfill over records of the oracle's kind and compares every value at several instants.
fn check(pipeline: Pipeline, mode: Mode, seed: u64) {
    let context = format!("{}, {mode:?}, seed {seed}", pipeline.id);
    let scratch = Scratch::new();
    scratch.file("stores.jsonl", FACTS.as_bytes());
    let knobs = generate::Stream { malformed_share: 0.0, ..generate::Stream::default() };
    let mut records = generate::records(&pipeline, &knobs, seed);
    // What is broken has no place for the time of its arrival, and is looked at elsewhere.
    records.retain(|record| record.payload.first() == Some(&b'{') && !record.payload.contains(&b'\n'));
    let lines: Vec<String> = records.iter().map(|record| line(&pipeline, record)).collect();
    let events = scratch.file("events.jsonl", lines.concat().as_bytes());

    let file = pipeline.sources.iter().position(|source| matches!(source.kind, pipeline::SourceKind::File { .. }));
    let oracle = file.into_iter().fold(Oracle::new(&pipeline), |oracle, source| oracle.with_file_rows(source, FACTS));
    let history = oracle.history(std::slice::from_ref(&records));
    let asked = match mode {
        Mode::Available => testkit::Mode::Available,
        Mode::Complete => testkit::Mode::Complete,
    };
    let last = records.last().map_or(knobs.start_at, |record| record.append_at);
    let instants: Vec<Timestamp> =
        (1..=6).rev().map(|part| knobs.start_at.plus(Span((last.0 - knobs.start_at.0) * part / 6))).collect();
    let mut spine = String::new();
    let mut expected = Vec::new();
    for at in instants {
        for ((group, key), vector) in history.vectors(at, asked) {
            let quoted = serde_json::Value::from(key.as_str());
            spine.push_str(&format!("{{\"at\":{},\"{}\":{quoted}}}\n", at.0, pipeline.groups[group].entity));
            expected.push((at, group, key, vector));
        }
    }
    let request = Request {
        pipeline: Arc::new(pipeline.clone()),
        folder: scratch.path().into(),
        events: vec![events],
        spine: scratch.file("spine.jsonl", spine.as_bytes()),
        mode,
        out: scratch.path().join("out.csv"),
        show: 0,
    };
    let report = backfill(&request, &Unseen).expect("a backfill");
    assert_eq!(report.rows, expected.len(), "{context}");
    let text = fs::read_to_string(&request.out).expect("the output");
    let table: Vec<(u64, Vec<String>)> = csv::records(&text).collect();
    let names = &table[0].1;
    for ((_, cells), (at, group, key, vector)) in table[1..].iter().zip(&expected) {
        for (column, value) in pipeline.groups[*group].columns().iter().zip(&vector.values) {
            let place = names.iter().position(|name| *name == column.name).expect("every column is written");
            let expected = text_of(*value, &column.kind);
            assert_eq!(cells[place], expected, "{context}: {} {key} {} at {at}", pipeline.groups[*group].name, column.name);
        }
    }
}

/// A record with what is known of its arrival.
fn line(pipeline: &Pipeline, record: &testkit::Record) -> String {
    let payload = String::from_utf8(record.payload.clone()).expect("not broken");
    let source = &pipeline.sources[record.source].name;
    format!("{{\"_source\":\"{source}\",\"_at\":{},{}\n", record.append_at.0, &payload[1..])
}

fn text_of(value: Option<Value>, kind: &ValueKind) -> String {
    match (value, kind) {
        (None, _) => String::new(),
        (Some(Value::Integer(ms)), ValueKind::Time) => Timestamp(ms).to_string(),
        (value, kind) => table::text(&cell(value, kind), table::ColumnKind::Float),
    }
}

#[test]
fn what_was_available_equals_the_oracle() {
    for seed in 0..6 {
        check(pipelines::every_aggregator(), Mode::Available, seed);
        check(pipelines::orders(), Mode::Available, seed);
    }
}

#[test]
fn what_is_complete_equals_the_oracle() {
    for seed in 0..6 {
        check(pipelines::every_aggregator(), Mode::Complete, seed);
        check(pipelines::orders(), Mode::Complete, seed);
    }
}

const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "store_id"
time = "occurred_at"
skew = "30s"
lateness = "10m"
fields = { store_id = "string", kind = { category = ["small", "large"] }, basket = { decimal = "0.01" } }

[group.store]
entity = "store"
key = "store_id"
source = "orders"
hop = "1m"

[group.store.features]
orders = { count = "*", windows = ["1h"] }
basket = { mean = "basket", windows = ["1h"] }
seen = { last = "occurred_at" }
size = { last = "kind" }

[transform]
is_large = "size = 'large'"
"#;

const EVENTS: &str = r#"{"id":"1","source":"s","store_id":"42","kind":"large","basket":10.5,"occurred_at":"2026-03-01T12:00:00Z"}
{"id":"2","source":"s","store_id":"42","basket":11,"occurred_at":"2026-03-01T12:05:00Z","_at":"2026-03-01T12:09:00Z"}
{"id":"2","source":"s","store_id":"42","basket":11,"occurred_at":"2026-03-01T12:05:00Z"}
nonsense
"#;

fn run(scratch: &Scratch, spine: &str, out: &str, mode: Mode) -> Result<Report, Error> {
    let ending = if spine.starts_with('{') { "spine.jsonl" } else { "spine.csv" };
    let request = Request {
        pipeline: Arc::new(pipeline::parse("small", SPEC)?),
        folder: scratch.path().into(),
        events: vec![scratch.file("events.jsonl", EVENTS.as_bytes())],
        spine: scratch.file(ending, spine.as_bytes()),
        mode,
        out: scratch.path().join(out),
        show: 2,
    };
    backfill(&request, &Unseen)
}

#[test]
fn rows_keep_the_order_and_the_columns_of_the_spine() {
    let scratch = Scratch::new();
    let spine = "row,at,store,note\n1,2026-03-01T12:10:00Z,42,\"a, b\"\n2,2026-03-01T12:08:00Z,42,\n3,1772366880000,,x\n";
    let report = run(&scratch, spine, "out.csv", Mode::Available).expect("a backfill");
    assert_eq!((report.rows, report.columns, report.counts.records), (3, 9, 4));
    assert_eq!(report.counts.refused, [("duplicate", 1), ("malformed", 1)].into());
    let expected = "\
row,at,store,note,orders_1h,basket_1h,seen,size,is_large
1,2026-03-01T12:10:00.000Z,42,\"a, b\",2,10.75,2026-03-01T12:05:00.000Z,large,true
2,2026-03-01T12:08:00.000Z,42,,1,10.5,2026-03-01T12:00:00.000Z,large,true
3,2026-03-01T12:08:00.000Z,,x,,,,,
";
    assert_eq!(fs::read_to_string(scratch.path().join("out.csv")).expect("the output"), expected);
    assert_eq!(report.preview.rows.len(), 2);
}

#[test]
fn complete_sees_what_came_later() {
    let scratch = Scratch::new();
    run(&scratch, "{\"store\":42,\"at\":\"2026-03-01T12:08:00Z\"}\n", "out.jsonl", Mode::Complete).expect("a backfill");
    let expected = "{\"store\":42,\"at\":\"2026-03-01T12:08:00.000Z\",\"orders_1h\":2,\"basket_1h\":10.75,\
                    \"seen\":\"2026-03-01T12:05:00.000Z\",\"size\":\"large\",\"is_large\":true}\n";
    assert_eq!(fs::read_to_string(scratch.path().join("out.jsonl")).expect("the output"), expected);
}

#[test]
fn parquet_has_typed_columns_and_can_be_a_spine_again() {
    let scratch = Scratch::new();
    let spine = "{\"store\":\"42\",\"at\":\"2026-03-01T12:10:00Z\"}\n{\"store\":\"43\",\"at\":\"2026-03-01T12:10:00Z\"}\n";
    run(&scratch, spine, "out.parquet", Mode::Available).expect("a backfill");
    let file = fs::File::open(scratch.path().join("out.parquet")).expect("the output");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let rows: Vec<String> = RowIter::from_file_into(Box::new(reader)).map(|row| row.expect("a row").to_string()).collect();
    let first = "store: \"42\", at: 2026-03-01 12:10:00.000 +00:00, orders_1h: 2, basket_1h: 10.75, \
                 seen: 2026-03-01 12:05:00.000 +00:00, size: \"large\", is_large: true";
    assert_eq!(rows[0], format!("{{{first}}}"));
    assert!(rows[1].contains("basket_1h: null"), "{}", rows[1]);
    let spine =
        Spine::read(&scratch.path().join("out.parquet"), &pipeline::parse("small", SPEC).expect("a spec")).expect("a spine");
    assert_eq!((spine.rows.len(), spine.key(0, 0).as_deref()), (2, Some("42")));
    assert_eq!(spine.rows[0].at, Timestamp::parse("2026-03-01T12:10:00Z").expect("a time"));
}

#[test]
fn what_is_wrong_with_a_spine_is_said() {
    let scratch = Scratch::new();
    let fails = |spine: &str, out: &str, expected: &str| {
        let error = run(&scratch, spine, out, Mode::Available).expect_err("a fault").to_string();
        assert!(error.contains(expected), "{error}");
    };
    fails(
        "{\"shop\":\"42\",\"at\":1772366880000}\n",
        "out.csv",
        "no column is called after an entity type of the pipeline (store)",
    );
    fails("{\"store\":\"42\",\"at\":\"noon\"}\n", "out.csv", "spine.jsonl:1: `at` is no time");
    fails("{\"store\":\"42\"\n", "out.csv", "spine.jsonl:1: this line is no JSON object");
    fails("store,at\n42\n", "out.csv", "spine.csv:2: this row has 1 cells where the header has 2");
    fails("store,at\n", "out.xlsx", "the ending `xlsx` is not known");
    let left: Vec<_> = fs::read_dir(scratch.path())
        .expect("the folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    assert!(left.iter().all(|name| !name.starts_with("out")), "{left:?}");
}
