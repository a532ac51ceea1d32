//! One example for each aggregator over numbers; sketches and positions have their own files.

use domain::Value;
use pipeline::{Aggregator, Comparison, Expr, Input};
use testkit::pipelines::build::{compare, feature, feature_if, span, truth, value};
use xxhash_rust::xxh3::xxh3_128;

use crate::scene::{START, Scene, events, float, integer, of_features};

/// Members of the events, one for each second from the first; the feature has one window of a minute, looked at after 30 s.
#[track_caller]
fn check(aggregator: Aggregator, inputs: Vec<Input>, members: &[&str], expected: &[Option<Value>]) {
    let scene = of_features(vec![feature("f", aggregator, inputs, &["1m"])]);
    assert_eq!(played(scene, members).values("g:a", 30_000), expected);
}

fn played(scene: Scene, members: &[&str]) -> Scene {
    let numbered = members.iter().enumerate();
    numbered.fold(scene, |scene, (second, members)| scene.event(second as i64 * 1000, &format!(r#""k":"a",{members}"#)))
}

const AMOUNTS: [&str; 4] = [r#""x":1"#, r#""x":4.00"#, r#""x":null"#, r#""x":2.0"#];

#[test]
fn count_counts_events_and_those_that_meet_a_condition() {
    check(Aggregator::Count, Vec::new(), &AMOUNTS, &[integer(4)]);
    let large = compare(&events(), "x", Comparison::GreaterOrEqual, Expr::Number(2.0));
    let scene = of_features(vec![feature_if(large, feature("f", Aggregator::Count, Vec::new(), &["1m"]))]);
    assert_eq!(played(scene, &AMOUNTS).values("g:a", 30_000), [integer(2)]);
}

#[test]
fn rate_divides_the_count_by_the_spans_in_the_window() {
    check(Aggregator::Rate { per: span("20s") }, Vec::new(), &AMOUNTS, &[float(4.0 / 3.0)]);
}

#[test]
fn sum_leaves_nulls_out_and_is_zero_without_values() {
    check(Aggregator::Sum, value(&events(), "x"), &AMOUNTS, &[float(7.0)]);
    check(Aggregator::Sum, value(&events(), "x"), &[r#""x":null"#], &[float(0.0)]);
    check(Aggregator::Sum, value(&events(), "n"), &[r#""n":3"#, r#""n":-5"#], &[float(-2.0)]);
}

#[test]
fn mean_divides_by_the_number_of_values() {
    check(Aggregator::Mean, value(&events(), "x"), &AMOUNTS, &[float(700.0 / 3.0 / 100.0)]);
    check(Aggregator::Mean, value(&events(), "x"), &[r#""x":null"#], &[None]);
}

#[test]
fn mean_of_a_condition_is_its_share_among_the_events_that_have_one() {
    let large = compare(&events(), "x", Comparison::GreaterOrEqual, Expr::Number(2.0));
    check(Aggregator::Mean, truth(large), &AMOUNTS, &[float(2.0 / 3.0)]);
    check(Aggregator::Mean, value(&events(), "b"), &[r#""b":true"#, r#""b":false"#], &[float(0.5)]);
}

#[test]
fn std_is_that_of_the_population() {
    // Units 100, 400, 200: n·Σu² = 3 · 210,000 and (Σu)² = 490,000.
    check(Aggregator::Std, value(&events(), "x"), &AMOUNTS, &[float((140_000.0f64 / 3.0 / 3.0).sqrt() / 100.0)]);
    check(Aggregator::Std, value(&events(), "x"), &[r#""x":5"#], &[float(0.0)]);
    check(Aggregator::Std, value(&events(), "x"), &[r#""x":null"#], &[None]);
}

#[test]
fn min_and_max_keep_the_kind_of_their_values() {
    check(Aggregator::Min, value(&events(), "x"), &AMOUNTS, &[float(1.0)]);
    check(Aggregator::Max, value(&events(), "x"), &AMOUNTS, &[float(4.0)]);
    check(Aggregator::Max, value(&events(), "n"), &[r#""n":-3"#, r#""n":-7"#], &[integer(-3)]);
    check(Aggregator::Min, value(&events(), "at"), &AMOUNTS, &[integer(START)]);
    check(Aggregator::Max, value(&events(), "n"), &AMOUNTS, &[None]);
}

#[test]
fn first_and_last_pass_over_nulls() {
    let gaps = [r#""x":null"#, r#""x":4,"c":"blue""#, r#""x":2"#, r#""x":null"#];
    check(Aggregator::First, value(&events(), "x"), &gaps, &[float(4.0)]);
    check(Aggregator::Last, value(&events(), "x"), &gaps, &[float(2.0)]);
    check(Aggregator::Last, value(&events(), "c"), &gaps, &[integer(2)]);
    check(Aggregator::First, value(&events(), "n"), &gaps, &[None]);
}

#[test]
fn among_equal_times_the_identity_decides() {
    let last = feature("last", Aggregator::Last, value(&events(), "n"), &["1m"]);
    let first = feature("first", Aggregator::First, value(&events(), "n"), &["1m"]);
    // The scene numbers its events, so that `n` can repeat the id.
    let scene = (1..=5).fold(of_features(vec![first, last]), |scene, n| scene.event(0, &format!(r#""k":"a","n":{n}"#)));
    let mut by_identity = [1i64, 2, 3, 4, 5];
    by_identity.sort_by_key(|id| xxh3_128(format!("t\u{1f}{id}").as_bytes()));
    assert_ne!(by_identity, [1, 2, 3, 4, 5], "the example would not tell the order of arrival from that of identities");
    assert_eq!(scene.values("g:a", 1), [integer(by_identity[0]), integer(by_identity[4])]);
}

#[test]
fn ewma_halves_a_tile_for_each_half_life() {
    let half_life = span("20s");
    let scene = of_features(vec![feature("f", Aggregator::Ewma { half_life }, value(&events(), "x"), &["1m"])]);
    // The tile of the instant is 4; values 1 and 3 lie in tile 0 and 8 in tile 2, so their weights are 1/4 and 1/2.
    let scene = scene.event(1, r#""k":"a","x":1"#).event(9_999, r#""k":"a","x":3"#).event(20_000, r#""k":"a","x":8"#);
    assert_eq!(scene.values("g:a", 40_000), [float((0.25 * 400.0 + 0.5 * 800.0) / (0.25 * 2.0 + 0.5) / 100.0)]);
    assert_eq!(scene.values("g:a", 49_999), scene.values("g:a", 40_000));
    assert_eq!(scene.values("g:a", 120_000), [None]);
}

#[test]
fn top_orders_by_count_then_by_value() {
    let members = [r#""n":7"#, r#""n":-2"#, r#""n":7"#, r#""n":5"#, r#""n":null"#, r#""n":5"#, r#""n":9"#];
    let expected = [integer(5), integer(2), integer(7), integer(2), integer(0)];
    check(Aggregator::Top { k: 2 }, value(&events(), "n"), &members, &expected);
    let expected = [integer(1), integer(1), None, integer(0), integer(0)];
    check(Aggregator::Top { k: 2 }, value(&events(), "c"), &[r#""c":"green""#], &expected);
    let expected = [None, integer(0), integer(0)];
    check(Aggregator::Top { k: 1 }, value(&events(), "b"), &[r#""b":null"#], &expected);
}
