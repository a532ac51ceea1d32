//! Quantiles, distinct counts and the cap of `top`: exact where the page says so, within their error elsewhere.

use domain::Value;
use pipeline::Aggregator;
use testkit::pipelines::build::{feature, value};
use testkit::{Mode, OracleVector};

use crate::scene::{events, float, integer, of_features};

/// The vector over events with these values of `n`, all within a minute.
#[track_caller]
fn vector(aggregator: Aggregator, field: &str, values: impl IntoIterator<Item = String>) -> OracleVector {
    let scene = of_features(vec![feature("f", aggregator, value(&events(), field), &["1m"])]);
    let members = values.into_iter().map(|value| format!(r#""k":"a","{field}":{value}"#));
    let scene = members.enumerate().fold(scene, |scene, (number, members)| scene.event(number as i64 % 1000, &members));
    scene.vector("g:a", 30_000, Mode::Complete).expect("the entity has been seen")
}

#[track_caller]
fn check_quantile(q: f64, units: &[i64], expected: f64) {
    assert_eq!(vector(Aggregator::Quantile { q }, "n", units.iter().map(i64::to_string)).values, [float(expected)]);
}

#[test]
fn quantiles_of_small_numbers_are_exact() {
    check_quantile(0.9, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 9.0);
    check_quantile(0.5, &[1, 2, 3], 2.0);
    check_quantile(0.5, &[1, 2, 3, 4], 2.0);
    check_quantile(0.001, &[-127, 0, 127], -127.0);
    check_quantile(0.999, &[-127, 0, 127], 127.0);
}

#[test]
fn quantiles_of_large_numbers_are_midpoints_of_bins() {
    // 128 and 129 share a bin; from 512 on bins are 8 wide, and 1000 begins one; from 2^19 on they are 8192 wide.
    check_quantile(0.5, &[128], 128.5);
    check_quantile(0.5, &[129], 128.5);
    check_quantile(0.5, &[1000], 1003.5);
    check_quantile(0.5, &[-1007], -1003.5);
    check_quantile(0.5, &[532_479], 528_383.5);
    check_quantile(0.5, &[532_480], 536_575.5);
}

#[test]
fn quantiles_of_decimals_are_scaled_and_off_by_less_than_a_hundredth() {
    let vector = vector(Aggregator::Quantile { q: 0.75 }, "x", (1..=400).map(|cents| format!("{}.37", cents * 17 % 401)));
    let (Some(Value::Float(value)), Some(exact)) = (vector.values[0], vector.exact[0]) else { panic!("no quantile") };
    assert_eq!(exact, 300.37);
    assert!((value - exact).abs() < 0.01 * exact, "{value} is too far from {exact}");
}

#[test]
fn quantile_of_nothing_is_null() {
    let vector = vector(Aggregator::Quantile { q: 0.5 }, "n", ["null".to_owned()]);
    assert_eq!((vector.values, vector.exact), (vec![None], vec![None]));
}

#[test]
fn distinct_is_exact_up_to_256_values() {
    let texts = |count: usize| (0..600).map(move |number| format!("\"{}\"", number % count));
    assert_eq!(vector(Aggregator::Distinct, "t", texts(3)).values, [integer(3)]);
    assert_eq!(vector(Aggregator::Distinct, "t", texts(256)).values, [integer(256)]);
    assert_eq!(vector(Aggregator::Distinct, "n", (0..256).map(|n| n.to_string())).values, [integer(256)]);
    assert_eq!(vector(Aggregator::Distinct, "t", ["null".to_owned(), "\"\"".to_owned()]).values, [integer(1)]);
    assert_eq!(vector(Aggregator::Distinct, "c", ["\"red\"".to_owned(), "\"red\"".to_owned()]).values, [integer(1)]);
}

#[test]
fn distinct_is_estimated_beyond() {
    // Three standard errors of 2^11 registers are 7 %. Below 2.5 · 2048 linear counting answers, above it the sum does.
    for count in [257, 3000, 9000] {
        let vector = vector(Aggregator::Distinct, "n", (0..count).map(|n| n.to_string()));
        let Some(Value::Integer(estimate)) = vector.values[0] else { panic!("no estimate") };
        assert_eq!(vector.exact, [Some(f64::from(count))]);
        assert!((estimate - i64::from(count)).abs() * 100 <= i64::from(count) * 7, "{estimate} for {count}");
    }
}

#[test]
fn top_counts_what_it_does_not_keep() {
    // 1,030 different values, each twice: six of them are not kept.
    let vector = vector(Aggregator::Top { k: 1 }, "n", (0..2060).map(|n| (n % 1030).to_string()));
    assert_eq!(vector.values[1..], [integer(2), integer(12)]);
    assert!(matches!(vector.values[0], Some(Value::Integer(0..=6))), "{:?} is not among the smallest", vector.values[0]);
}
