//! Reading of events: which stream, when, and in which order.

use std::{fs, path::PathBuf, sync::Arc};

use parquet::{
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::writer::{SerializedFileWriter, SerializedRowGroupWriter},
    schema::parser::parse_message_type,
};

use super::*;
use crate::scratch::Scratch;

const SPEC: &str = r#"
[source.orders]
topic = "all-orders"
key = "order_id"
time = "occurred_at"
skew = "30s"
lateness = "10m"
fields = { order_id = "string" }

[source.riders]
topic = "riders"
key = "rider_id"
time = "seen_at"
skew = "30s"
lateness = "10m"
fields = { rider_id = "string" }

[group.orders]
entity = "order"
key = "order_id"
source = "orders"
hop = "1m"
features = { orders = { count = "*", windows = ["1h"] } }

[group.riders]
entity = "rider"
key = "rider_id"
source = "riders"
hop = "1m"
features = { sightings = { count = "*", windows = ["1h"] } }
"#;

/// Stream, second after noon and line of each event.
fn check(files: &[(&str, &str)], expected: &[(&str, i64, u64)]) {
    assert_eq!(
        read(files).expect("readable files"),
        expected.iter().map(|(s, t, l)| ((*s).to_owned(), *t, *l)).collect::<Vec<_>>()
    );
}

fn read(files: &[(&str, &str)]) -> Result<Vec<(String, i64, u64)>, Error> {
    let pipeline = pipeline::parse("two", SPEC).expect("a good spec");
    let scratch = Scratch::new();
    let paths: Vec<PathBuf> = files.iter().map(|(name, content)| scratch.file(name, content.as_bytes())).collect();
    let noon = Timestamp::parse("2026-03-01T12:00:00Z").expect("a time").0;
    History::open(&pipeline, &paths)?
        .map(|event| {
            event.map(|event| (pipeline.sources[event.source].name.clone(), (event.append_at.0 - noon) / 1000, event.line))
        })
        .collect()
}

#[test]
fn the_name_of_a_file_says_the_stream_and_several_are_merged() {
    let orders = "{\"occurred_at\":\"2026-03-01T12:00:01Z\"}\n\n{\"occurred_at\":\"2026-03-01T12:00:05Z\"}\r\n";
    let riders = "{\"seen_at\":\"2026-03-01T12:00:03Z\"}\n{\"seen_at\":\"2026-03-01T12:00:05Z\"}";
    let expected = [("orders", 1, 1), ("riders", 3, 1), ("orders", 5, 3), ("riders", 5, 2)];
    check(&[("all-orders.jsonl", orders), ("riders.jsonl", riders)], &expected);
}

#[test]
fn members_say_the_stream_and_the_arrival() {
    let mixed = r#"{"occurred_at":"2026-03-01T12:00:01Z","_source":"orders"}
{"_source":"riders","_at":"2026-03-01T12:00:09Z","seen_at":"2026-03-01T12:00:02Z"}
{"_source":"riders","seen_at":"2026-03-01T12:00:03Z"}
{"_source":"all-orders","occurred_at":1772366412000}"#;
    check(&[("mixed.jsonl", mixed)], &[("orders", 1, 1), ("riders", 9, 2), ("riders", 9, 3), ("orders", 12, 4)]);
}

#[test]
fn broken_lines_arrive_like_the_others() {
    let broken = "{\"occurred_at\":\"2026-03-01T12:00:01Z\"}\nnonsense\n{\"occurred_at\":\"soon\"}\n{\"occurred_at\":9999999999999999}\n[1]";
    let expected = [("orders", 1, 1), ("orders", 1, 2), ("orders", 1, 3), ("orders", 1, 4), ("orders", 1, 5)];
    check(&[("orders.jsonl", broken)], &expected);
}

#[test]
fn an_endless_line_is_cut_and_not_utf8_passes() {
    let pipeline = pipeline::parse("two", SPEC).expect("a good spec");
    let scratch = Scratch::new();
    let mut bytes = vec![b'x'; 3 << 20];
    bytes.extend(b"\n\xff\xfe\n");
    let path = scratch.file("orders.jsonl", &bytes);
    let events: Result<Vec<Event>, Error> = History::open(&pipeline, &[path]).expect("a readable file").collect();
    let lengths: Vec<usize> = events.expect("two lines").iter().map(|event| event.payload.len()).collect();
    assert_eq!(lengths, [(1 << 20) + 1, 2]);
}

#[test]
fn an_event_without_a_stream_is_an_error_that_says_what_to_do() {
    let error = read(&[("mixed.jsonl", "{\"occurred_at\":1}")]).expect_err("two streams").to_string();
    assert!(error.contains("mixed.jsonl:1: nothing says which stream"), "{error}");
    assert!(error.contains("one of orders, riders"), "{error}");
    let error = read(&[("orders.jsonl", "{\"_source\":\"order\"}")]).expect_err("no such stream").to_string();
    assert!(error.contains("`_source` is `order`"), "{error}");
    let error = read(&[("orders.jsonl", "{\"_at\":\"soon\"}")]).expect_err("no time").to_string();
    assert!(error.contains("orders.jsonl:1: `_at` is no time"), "{error}");
}

type WriteColumns<'a> = &'a dyn Fn(&mut SerializedRowGroupWriter<'_, fs::File>);

/// Payloads of a Parquet file with one row group for each writer of columns.
fn payloads(schema: &str, groups: &[WriteColumns<'_>]) -> Vec<(i64, String)> {
    let scratch = Scratch::new();
    let path = scratch.path().join("riders.parquet");
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let file = fs::File::create(&path).expect("a file");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).expect("a writer");
    for columns in groups {
        let mut group = writer.next_row_group().expect("a row group");
        columns(&mut group);
        group.close().expect("a written row group");
    }
    writer.close().expect("a written file");
    let pipeline = pipeline::parse("two", SPEC).expect("a good spec");
    let events = History::open(&pipeline, &[path]).expect("a readable file");
    events
        .map(|event| event.expect("an event"))
        .map(|event| (event.append_at.0, String::from_utf8(event.payload).expect("text")))
        .collect()
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, fs::File>, values: &[T::T], present: Option<&[i16]>) {
    let mut column = group.next_column().expect("a column").expect("one more");
    column.typed::<T>().write_batch(values, present, None).expect("written values");
    column.close().expect("a written column");
}

#[test]
fn rows_of_parquet_become_objects() {
    let schema = "message m { optional binary id (UTF8); required double speed; required int64 seen_at (TIMESTAMP_MILLIS); }";
    let rows = |ids: &'static [&str], present: &'static [i16], from: i64| {
        move |group: &mut SerializedRowGroupWriter<'_, fs::File>| {
            let ids: Vec<ByteArray> = ids.iter().map(|id| ByteArray::from(*id)).collect();
            column::<ByteArrayType>(group, &ids, Some(present));
            column::<DoubleType>(group, &vec![1.5; present.len()], None);
            let times: Vec<i64> = (0..present.len() as i64).map(|row| from + row).collect();
            column::<Int64Type>(group, &times, None);
        }
    };
    let start = 1_772_366_400_000;
    let found = payloads(schema, &[&rows(&["a"], &[1, 0], start), &rows(&["c"], &[1], start + 10)]);
    let expected = [
        (start, r#"{"id":"a","seen_at":1772366400000,"speed":1.5}"#.to_owned()),
        (start + 1, r#"{"seen_at":1772366400001,"speed":1.5}"#.to_owned()),
        (start + 10, r#"{"id":"c","seen_at":1772366400010,"speed":1.5}"#.to_owned()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_payload_in_a_column_is_the_event_and_its_arrival_stands_beside_it() {
    let schema = "message m { required binary payload (UTF8); required int64 _at; required int64 partition; }";
    let found = payloads(
        schema,
        &[&|group| {
            let texts = [r#"{"id":"a"}"#, "{ }", "nonsense"].map(ByteArray::from);
            column::<ByteArrayType>(group, &texts, None);
            column::<Int64Type>(group, &[1_772_366_400_000, 1_772_366_400_005, 1_772_366_400_009], None);
            column::<Int64Type>(group, &[3, 3, 3], None);
        }],
    );
    let expected = [
        (1_772_366_400_000, r#"{"_at":1772366400000,"id":"a"}"#),
        (1_772_366_400_005, r#"{"_at":1772366400005 }"#),
        (1_772_366_400_005, "nonsense"),
    ];
    assert_eq!(found, expected.map(|(at, text)| (at, text.to_owned())));
}
