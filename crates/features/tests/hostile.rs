//! Payloads that a broken or hostile producer sends: each is refused for its reason and counted once, and the engine goes on
//! as if it had not come. What the fuzz targets found stands here by name.

#![expect(clippy::disallowed_methods, reason = "that hostile input takes no more than its time is a part of the test")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{Span, Timestamp, Value};
use features::{Config, Engine, Record};
use testkit::pipelines::every_aggregator;

/// 2026-11-20T12:00:00Z
const CLOCK: Timestamp = Timestamp(1_795_176_000_000);
const SOUND: &str = r#"{"source":"s","id":"1","sensor":"a","at":"2026-11-20T12:00:00Z","amount":1.25}"#;
/// Hundreds of times what the slowest case takes where it was written: time that grows with the square is seen, a busy machine
/// is not.
const PATIENCE: Duration = Duration::from_secs(60);

fn engine() -> Engine {
    Engine::new(Arc::new(every_aggregator()), Config::default()).expect("a fixture without faults")
}

/// Gives the engine one record and returns the codes of the reasons.
fn give(engine: &mut Engine, payload: &[u8]) -> Vec<&'static str> {
    let out = engine.ingest(&[Record { source: 0, offset: 7, append_at: CLOCK, payload }], CLOCK.plus(Span(1)));
    assert!(out.dropped.is_empty() && out.refused.iter().all(|refused| (refused.source, refused.offset) == (0, 7)));
    out.refused.into_iter().map(|refused| refused.reason.code()).collect()
}

/// Gives a fresh engine the payload, and shows that it goes on: a sound event after it counts as the only one.
fn check(payload: impl AsRef<[u8]>, expected: &str) {
    let (mut engine, payload) = (engine(), payload.as_ref());
    let shown = String::from_utf8_lossy(&payload[..payload.len().min(120)]).into_owned();
    let began = Instant::now();
    let reasons = give(&mut engine, payload);
    assert_eq!(reasons.first().copied().unwrap_or("accepted"), expected, "{shown}");
    assert_eq!(engine.position(), 1, "{shown}");
    if reasons.is_empty() {
        return;
    }
    assert_eq!((reasons.len(), engine.load().entities), (1, 0), "{shown}: counted once and kept nowhere");
    assert_eq!(give(&mut engine, SOUND.as_bytes()), [""; 0], "after {shown}");
    let vector = engine.vector(0, "a").expect("the entity of the sound event");
    assert!(vector.values.contains(&Some(Value::Integer(1))), "after {shown}: {:?}", vector.values);
    assert!(began.elapsed() < PATIENCE, "{shown} took {:?}", began.elapsed());
}

/// A sound event with some text exchanged.
fn with(sound: &str, other: &str) -> String {
    assert!(SOUND.contains(sound), "the sound event has no {sound}");
    SOUND.replacen(sound, other, 1)
}

/// A sound event with a further member.
fn and(member: &str) -> String {
    with("}", &format!(",{member}}}"))
}

#[test]
fn a_sound_event_is_accepted() {
    check(SOUND, "accepted");
}

#[test]
fn what_is_no_json_object_is_malformed() {
    for payload in
        ["", " ", "{", "}", "{}{}", "null", "[]", "\"a\"", "1", "{\"a\"}", "{\"a\":}", "{,}", "{\"a\":1,}", "{'a':1}", "{a:1}"]
    {
        check(payload, "malformed");
    }
    for value in ["NaN", "Infinity", "-Infinity", "nan", "+1", "01", ".5", "1.", "1e", "0x10", "1_000", "tru", "undefined", "- 1"]
    {
        check(with("1.25", value), "malformed");
    }
    for member in ["\"x\":\"a\nb\"", "\"x\":\"\\x\"", "\"x\":\"\\u12g4\"", "\"x\":\"", "\"x\" 1", "\"x\":1 2"] {
        check(and(member), "malformed");
    }
    check(SOUND.to_owned() + "x", "malformed");
    check("\u{feff}".to_owned() + SOUND, "malformed");
    check(and("\"sensor\":\"b\""), "malformed");
    check(and("\"\\u0073ensor\":\"b\""), "malformed");
}

#[test]
fn undeclared_members_are_skipped_whatever_they_hold() {
    for member in ["\"x\":[1,{\"sensor\":2}]", "\"x\":1e999999", "\"x\":1,\"x\":2", "\"\":null", "\"x\":\"\\ud83d\\ude00\""] {
        check(and(member), "accepted");
    }
    // A cell is computed, so a member of its name is one of them.
    check(and("\"cell\":1,\"cell\":[]"), "accepted");
}

#[test]
fn half_a_character_hurts_declared_fields_only() {
    for member in ["\"x\":\"\\ud800\"", "\"\\udc00\":1", "\"\\ud800x\":\"\\ud800\\ud800\"", "\"x\":[\"\\ud800\"]"] {
        check(and(member), "accepted");
    }
    for text in ["\"\\ud800\"", "\"a\\udc00\"", "\"\\udc00\\ud800\""] {
        check(with("\"a\"", text), "malformed");
        check(and(&format!("\"note\":{text}")), "malformed");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    for wrong in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"] {
        check([b"{\"source\":\"", wrong, b"\",\"id\":\"1\"}"].concat(), "not_utf8");
        check(wrong, "not_utf8");
    }
}

#[test]
fn what_is_missing_is_said_before_what_is_wrong_in_later_fields() {
    for (sound, other) in [
        ("\"sensor\":\"a\",", ""),
        ("\"sensor\":\"a\"", "\"sensor\":null"),
        ("\"id\":\"1\",", ""),
        ("\"id\":\"1\"", "\"id\":\"\""),
    ] {
        check(with(sound, other), "missing_field");
    }
    check("{}", "missing_field");
    check(with("\"at\":\"2026-11-20T12:00:00Z\"", "\"level\":\"wrong\""), "missing_field");
    check(with("\"at\":\"2026-11-20T12:00:00Z\",\"amount\":1.25", "\"amount\":\"wrong\""), "wrong_type");
}

#[test]
fn wrong_types_are_refused() {
    for value in ["\"1.25\"", "true", "[]", "{}"] {
        check(with("1.25", value), "wrong_type");
    }
    for member in
        ["\"flag\":1", "\"flag\":\"true\"", "\"level\":1.0", "\"level\":1e3", "\"mode\":\"gone\"", "\"mode\":0", "\"note\":1"]
    {
        check(and(member), "wrong_type");
    }
    for time in [
        "\"\"",
        "\"now\"",
        "\"2026-11-20\"",
        "\"2026-11-20T12:00:00\"",
        "\"2026-02-29T12:00:00Z\"",
        "true",
        "1.5",
        "\"\u{0661}026-11-20T12:00:00Z\"",
        "\"2026-12-31T23:59:60Z\"",
    ] {
        check(with("\"2026-11-20T12:00:00Z\"", time), "wrong_type");
    }
}

#[test]
fn numbers_between_steps_and_beyond_bounds_are_refused() {
    for amount in ["1.255", "0.001", "-0.005", "1e-3", "0.00000000000000000000000000000000000001", "5e-99999999999999999999"] {
        check(with("1.25", amount), "off_step");
    }
    for amount in ["100000.01", "-100000.01", "1e6", "9e99999999999999999999", &"9".repeat(400)] {
        check(with("1.25", amount), "out_of_range");
    }
    for level in ["281474976710657", "-281474976710657", "9223372036854775808", "-170141183460469231731687303715884105729"] {
        check(and(&format!("\"level\":{level}")), "out_of_range");
    }
    // Both: the step is looked at first.
    check(with("1.25", "123456789012345678901.234"), "off_step");
}

#[test]
fn times_outside_the_century_are_refused_and_those_inside_held_against_the_clock() {
    for time in [
        "\"1970-01-01T00:00:00Z\"",
        "\"1999-12-31T23:59:59.999Z\"",
        "\"2100-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59Z\"",
        "0",
        "-1",
    ] {
        check(with("\"2026-11-20T12:00:00Z\"", time), "out_of_range");
    }
    check(with("\"2026-11-20T12:00:00Z\"", "9223372036854775807"), "out_of_range");
    for time in ["\"2099-12-31T23:59:59.999Z\"", "\"2026-11-20T12:00:30.001Z\""] {
        check(with("\"2026-11-20T12:00:00Z\"", time), "future");
    }
    for time in ["\"2000-01-01T00:00:00Z\"", "\"2026-11-20T11:49:59.999Z\""] {
        check(with("\"2026-11-20T12:00:00Z\"", time), "late");
    }
    for time in ["\"2026-11-20T12:00:30Z\"", "\"2026-11-20T11:50:00Z\"", "\"2026-11-20T13:00:00.9999+01:00\""] {
        check(with("\"2026-11-20T12:00:00Z\"", time), "accepted");
    }
}

#[test]
fn a_repetition_is_refused_however_it_is_spelled() {
    let mut engine = engine();
    assert_eq!(give(&mut engine, SOUND.as_bytes()), [""; 0]);
    for again in [SOUND.to_owned(), with("\"id\":\"1\"", "\"\\u0069d\":\"\\u0031\""), with("1.25", "9.75"), and("\"x\":[]")] {
        assert_eq!(give(&mut engine, again.as_bytes()), ["duplicate"], "{again}");
    }
    let vector = engine.vector(0, "a").expect("the entity of the first event");
    assert!(vector.values.contains(&Some(Value::Float(1.25))) && !vector.values.contains(&Some(Value::Float(9.75))));
}

#[test]
fn large_and_deep_records_are_refused_in_time_that_is_linear_in_them() {
    let padded = |size: usize| and(&format!("\"x\":\"{}\"", "x".repeat(size - SOUND.len() - 7)));
    let mebibyte = 1 << 20;
    check(padded(mebibyte), "accepted");
    check(padded(mebibyte + 1), "too_large");
    check(padded(10 * mebibyte), "too_large");
    check(vec![0xff; 10 * mebibyte], "too_large");

    let nested = |depth: usize| and(&format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth)));
    check(nested(63), "accepted");
    check(nested(64), "malformed");
    for open in ["[", "{\"a\":", "[{\"a\":["] {
        check(open.repeat(mebibyte / open.len()), "malformed");
        check(and(&format!("\"x\":{}", open.repeat(mebibyte / open.len() - 100))), "malformed");
    }
    check(with("1.25", &"9".repeat(mebibyte - 200)), "out_of_range");
    check(with("1.25", &format!("0.{}1", "0".repeat(mebibyte - 200))), "off_step");
    check(with("1.25", &format!("1e{}", "9".repeat(mebibyte - 200))), "out_of_range");
    check(and(&format!("\"note\":\"{}\"", "\\u0061".repeat(150_000))), "accepted");
    let members: Vec<String> = (0..80_000).map(|number| format!("\"k{number}\":1")).collect();
    check(and(&members.join(",")), "accepted");
}

#[test]
fn a_flood_of_refused_records_leaves_no_trace() {
    let mut engine = engine();
    let payloads = [b"{".to_vec(), vec![0xff], b"{}".to_vec(), with("1.25", "1.255").into(), vec![b' '; (1 << 20) + 1]];
    let records: Vec<Record<'_>> = (0..50_000)
        .map(|offset| Record { source: 0, offset, append_at: CLOCK, payload: &payloads[offset as usize % payloads.len()] })
        .collect();
    let began = Instant::now();
    let out = engine.ingest(&records, CLOCK.plus(Span(1)));
    assert!(began.elapsed() < PATIENCE, "took {:?}", began.elapsed());
    assert_eq!((out.refused.len(), out.vectors.len(), engine.load().entities, engine.load().held), (records.len(), 0, 0, 0));
    assert_eq!(give(&mut engine, SOUND.as_bytes()), [""; 0]);
}

#[test]
fn the_specs_that_fuzzing_starts_from_are_sound() {
    let specs = [include_str!("../../../fuzz/src/every_field.toml"), include_str!("../../../fuzz/seeds/spec/small.toml")];
    for spec in specs {
        let pipeline = pipeline::parse("fuzz", spec).unwrap_or_else(|faults| panic!("{faults}"));
        Engine::new(Arc::new(pipeline), Config::default()).expect("a resolved pipeline makes an engine");
    }
}
