//! Every reason for which a record is refused, and what comes before what.

use domain::Timestamp;
use pipeline::FieldKind;
use testkit::pipelines::build::{category, decimal, field, pipeline, required, stream};
use testkit::{Decision, Oracle, Record};

use crate::scene::{START, Scene};

fn scene() -> Scene {
    let fields = vec![
        required("key", FieldKind::Text),
        field("a", FieldKind::Integer { min: -5, max: 5 }),
        field("b", decimal(2, -500, 500)),
        field("c", category(&["red", "green"])),
        field("d", FieldKind::Decimal { digits: 1, min: 0, max: 10, round: true }),
        field("t", FieldKind::Time),
        field("x", FieldKind::Boolean),
    ];
    Scene::new(pipeline("decisions", vec![stream("events", "key", fields)], Vec::new()))
}

/// What becomes of a payload, appended at the start.
#[track_caller]
fn check_payload(payload: &[u8], expected: Option<&'static str>) {
    let expected = expected.map_or(Decision::Accepted, Decision::Refused);
    assert_eq!(
        scene().raw(0, payload).decisions(),
        [expected],
        "{}",
        String::from_utf8_lossy(&payload[..payload.len().min(200)])
    );
}

/// What becomes of an event with these members beside the needed ones.
#[track_caller]
fn check(members: &str, expected: Option<&'static str>) {
    check_payload(format!(r#"{{"source":"t","id":"1","key":"k","at":{START}{members}}}"#).as_bytes(), expected);
}

#[test]
fn payloads_that_are_no_object() {
    check("", None);
    let padded = |length: usize| {
        let mut payload = format!(r#"{{"source":"t","id":"1","key":"k","at":{START}}}"#).into_bytes();
        payload.resize(length, b' ');
        payload
    };
    check_payload(&padded(1 << 20), None);
    check_payload(&padded((1 << 20) + 1), Some("too_large"));
    check_payload(b"{\"a\":\"\xff\"}", Some("not_utf8"));
    for broken in
        ["", "{", "null", "[]", "{} {}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":NaN}", "{\"a\":+1}", "{\"a\":.5}"]
    {
        check_payload(broken.as_bytes(), Some("malformed"));
    }
    check_payload(b"{\"a\":\"tab\there\"}", Some("malformed"));
    check_payload("\u{feff}{}".as_bytes(), Some("malformed"));
    check_payload(b"{}", Some("missing_field"));
}

#[test]
fn nesting_and_repetition() {
    let nested = |levels: usize| format!(r#","u":{}{}"#, "[".repeat(levels), "]".repeat(levels));
    check(&nested(63), None);
    check(&nested(64), Some("malformed"));
    check(r#","a":1,"a":1"#, Some("malformed"));
    check(r#","a":1,"\u0061":1"#, Some("malformed"));
    check(r#","u":1,"u":{"a":1,"a":1}"#, None);
    check(r#","u":tru"#, Some("malformed"));
    check(r#","u":"\ud83d\ude00\u00e9\n""#, None);
}

#[test]
fn fields_that_are_missing() {
    check(r#","a":null"#, None);
    check_payload(br#"{"source":"t","id":"1","key":"k"}"#, Some("missing_field"));
    let with =
        |source: &str, id: &str, key: &str| format!(r#"{{"source":{source},"id":{id},"key":{key},"at":{START}}}"#).into_bytes();
    check_payload(&with("\"\"", "\"1\"", "\"k\""), Some("missing_field"));
    check_payload(&with("\"t\"", "\"\"", "\"k\""), Some("missing_field"));
    check_payload(&with("\"t\"", "\"1\"", "\"\""), None);
    check_payload(&with("\"t\"", "\"1\"", "null"), Some("missing_field"));
    check_payload(&with("\"t\"", "7", "\"k\""), Some("wrong_type"));
}

#[test]
fn fields_of_another_type() {
    for wrong in
        [r#""a":"1""#, r#""a":1.5"#, r#""b":"1.50""#, r#""c":"blue""#, r#""c":0"#, r#""x":1"#, r#""t":"noon""#, r#""a":{}"#]
    {
        check(&format!(",{wrong}"), Some("wrong_type"));
    }
    for right in
        [r#""a":-0"#, r#""b":1.50"#, r#""b":15e-1"#, r#""c":"red""#, r#""x":false"#, r#""t":"2026-05-27T10:00:00.1239+05:45""#]
    {
        check(&format!(",{right}"), None);
    }
}

#[test]
fn numbers_between_steps_and_beyond_bounds() {
    check(r#","b":1.005"#, Some("off_step"));
    check(r#","b":99999.001"#, Some("off_step"));
    check(r#","b":5.01"#, Some("out_of_range"));
    check(r#","b":1e400"#, Some("out_of_range"));
    check(r#","a":6"#, Some("out_of_range"));
    check(r#","a":-99999999999999999999"#, Some("out_of_range"));
    check(r#","d":0.96"#, None);
    check(r#","d":1.05"#, None);
    check(r#","d":1.0500000001"#, Some("out_of_range"));
    check(r#","t":"1999-12-31T23:59:59.999Z""#, Some("out_of_range"));
    check(r#","t":"2000-01-01T00:30:00+01:00""#, Some("out_of_range"));
    check(r#","t":"2000-01-01T00:00:00Z""#, None);
    check(r#","t":4102444799999"#, None);
    check(r#","t":4102444800000"#, Some("out_of_range"));
}

#[test]
fn the_first_field_by_name_gives_the_reason() {
    check(r#","a":9,"b":"no""#, Some("out_of_range"));
    check(r#","b":0.001,"c":7"#, Some("off_step"));
    check_payload(br#"{"a":9}"#, Some("out_of_range"));
    check_payload(br#"{"x":9}"#, Some("missing_field"));
}

/// Append and event times with ids, and what becomes of each.
#[track_caller]
fn check_sequence(records: &[(i64, i64, &str)], expected: &[Option<&'static str>]) {
    let scene = records.iter().fold(scene(), |scene, (append, time, id)| {
        let payload = format!(r#"{{"source":"t","id":"{id}","key":"k","at":{}}}"#, START + time);
        scene.raw(*append, payload.as_bytes())
    });
    let expected = expected.iter().map(|reason| reason.map_or(Decision::Accepted, Decision::Refused)).collect::<Vec<_>>();
    assert_eq!(scene.decisions(), expected);
}

#[test]
fn times_are_compared_with_the_clock_of_the_partition() {
    check_sequence(&[(0, 30_000, "1"), (0, 30_001, "2")], &[None, Some("future")]);
    check_sequence(&[(0, -600_000, "1"), (0, -600_001, "2")], &[None, Some("late")]);
    // The clock does not go back with an append time.
    check_sequence(&[(100_000, 100_000, "1"), (0, -500_001, "2"), (0, 130_000, "3")], &[None, Some("late"), None]);
    // A refused record moves the clock as well.
    check_sequence(&[(900_000, 0, "1"), (0, 299_999, "2"), (0, 300_000, "3")], &[Some("late"), Some("late"), None]);
}

#[test]
fn an_identity_is_accepted_once_within_two_slices() {
    // Slices are 660 s long, and the start of a scene lies somewhere in one.
    let slice = 660_000;
    let edge = slice - START.rem_euclid(slice);
    check_sequence(&[(0, 0, "1"), (0, 0, "1"), (0, 5_000, "1")], &[None, Some("duplicate"), Some("duplicate")]);
    let next = edge + slice - 1;
    check_sequence(&[(edge - 1, edge - 1, "1"), (next, next, "1")], &[None, Some("duplicate")]);
    check_sequence(&[(edge - 1, edge - 1, "1"), (next + 1, next + 1, "1")], &[None, None]);
    // Only an accepted occurrence counts, and lateness is looked at first.
    check_sequence(&[(0, 99_000, "1"), (0, 0, "1"), (0, -700_000, "1")], &[Some("future"), None, Some("late")]);
}

#[test]
fn partitions_and_sources_decide_on_their_own() {
    let mut pipeline = scene().pipeline;
    pipeline.sources.push(pipeline.sources[0].clone());
    let payload = format!(r#"{{"source":"t","id":"1","key":"k","at":{START}}}"#).into_bytes();
    let record = |source: usize, append: i64| Record { source, append_at: Timestamp(START + append), payload: payload.clone() };
    let partitions = [vec![record(0, 0), record(1, 700_000), record(0, 0), record(1, 0)], vec![record(0, 0), record(1, 0)]];
    let expected = [
        vec![Decision::Accepted, Decision::Refused("late"), Decision::Refused("duplicate"), Decision::Refused("late")],
        vec![Decision::Accepted; 2],
    ];
    assert_eq!(Oracle::new(&pipeline).decide(&partitions), expected);
}
