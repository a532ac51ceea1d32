//! Durations between two events of one key.

use domain::Value;
use testkit::pipelines::build::{bare, decimal, field, required};
use testkit::pipelines::build::{feature, group, is, pair, pipeline, stream, value};

use pipeline::{Aggregator, Comparison, Expr, FieldKind, Pipeline};
use testkit::Mode;

use crate::scene::{Scene, float, integer};

/// Starts are `s`, ends are `e`, `b` is both; at most a minute apart. One group for all, by the field `all`.
fn of_pairs() -> Pipeline {
    let fields = vec![
        required("key", FieldKind::Text),
        field("all", FieldKind::Text),
        required("type", FieldKind::Text),
        field("x", decimal(2, -1000, 1000)),
    ];
    let base = stream("events", "key", fields);
    let either = |one: &str| {
        let both = is(&base, "type", "b");
        Expr::Or(Box::new(is(&base, "type", one)), Box::new(both))
    };
    let durations = pair("durations", &base, 0, "key", either("s"), either("e"), "1m");
    let features = vec![
        feature("n", Aggregator::Count, Vec::new(), &["10m"]),
        feature("total", Aggregator::Sum, value(&durations, "seconds"), &["10m"]),
        feature("x", Aggregator::Last, value(&durations, "x"), &["10m"]),
    ];
    let all = group("all", 1, bare(&durations, "all"), "10s", features);
    pipeline("pairs", vec![base, durations], vec![all])
}

/// Types of the events of one key with their times, in the order of arrival; number and total of the durations.
#[track_caller]
fn check(events: &[(i64, &str)], number: i64, seconds: f64) {
    let scene = events.iter().fold(Scene::new(of_pairs()), |scene, (time, kind)| {
        scene.arriving(100_000, *time, &format!(r#""key":"k","all":"a","type":"{kind}""#))
    });
    let values = scene.vector("all:a", 300_000, Mode::Complete).map(|vector| vector.values);
    let values = values.unwrap_or_else(|| vec![integer(0), float(0.0), None]);
    assert_eq!(values[..2], [integer(number), float(seconds)]);
}

#[test]
fn an_end_closes_the_start_before_it() {
    check(&[(0, "s"), (1_500, "e")], 1, 1.5);
    check(&[(1_500, "e"), (0, "s")], 1, 1.5);
    check(&[(0, "s"), (1_500, "e"), (2_000, "e")], 1, 1.5);
    check(&[(0, "e"), (1_500, "s")], 0, 0.0);
    check(&[(0, "s"), (10, "noise"), (1_500, "e"), (2_000, "s"), (5_000, "e")], 2, 4.5);
}

#[test]
fn a_start_replaces_an_open_one() {
    check(&[(0, "s"), (1_000, "s"), (3_000, "e")], 1, 2.0);
    // A late start changes the duration that was there before.
    check(&[(0, "s"), (3_000, "e"), (2_500, "s")], 1, 0.5);
}

#[test]
fn a_duration_beyond_the_longest_is_not_emitted_but_closes() {
    check(&[(0, "s"), (60_000, "e")], 1, 60.0);
    check(&[(0, "s"), (60_001, "e"), (60_002, "e")], 0, 0.0);
}

#[test]
fn at_equal_times_starts_come_first() {
    check(&[(5_000, "e"), (5_000, "s")], 1, 0.0);
    check(&[(0, "s"), (5_000, "s"), (5_000, "e")], 1, 0.0);
}

#[test]
fn an_event_that_is_both_ends_first_and_then_starts() {
    check(&[(0, "b"), (2_000, "b"), (5_000, "b")], 2, 5.0);
    check(&[(0, "s"), (2_000, "b"), (2_000, "s")], 1, 0.0);
    check(&[(0, "s"), (2_000, "b"), (3_000, "e")], 2, 3.0);
}

#[test]
fn keys_are_apart_and_a_row_fills_its_gaps_from_the_start() {
    let scene = Scene::new(of_pairs())
        .event(0, r#""key":"k","all":"a","type":"s","x":1.5"#)
        .event(1_000, r#""key":"l","all":"a","type":"s","x":2.5"#)
        .event(3_000, r#""key":"k","type":"e""#)
        .event(5_000, r#""key":"l","all":"z","type":"e","x":-1"#);
    assert_eq!(scene.values("all:a", 10_000), [integer(1), float(3.0), float(1.5)]);
    assert_eq!(scene.values("all:z", 10_000), [integer(1), float(4.0), float(-1.0)]);
}

#[test]
fn a_row_is_at_the_end_and_only_from_events_before_the_instant() {
    let scene =
        Scene::new(of_pairs()).event(0, r#""key":"k","all":"a","type":"s""#).event(3_000, r#""key":"k","all":"a","type":"e""#);
    assert!(scene.vector("all:a", 3_000, Mode::Complete).is_none());
    assert_eq!(scene.value("all:a", "n_10m", 3_001), integer(1));
}

#[test]
fn conditions_may_ask_for_the_seconds() {
    let mut pipeline = of_pairs();
    let slow = testkit::pipelines::build::compare(&pipeline.sources[1], "seconds", Comparison::Greater, Expr::Number(2.0));
    pipeline.groups[0].filter = Some(slow);
    let scene = Scene::new(pipeline)
        .event(0, r#""key":"k","all":"a","type":"b""#)
        .event(2_000, r#""key":"k","all":"a","type":"b""#)
        .event(4_001, r#""key":"k","all":"a","type":"b""#);
    let expected: Option<Value> = float(2.001);
    assert_eq!(scene.value("all:a", "total_10m", 10_000), expected);
}
