//! Differences of a few values by hand, and of more than are kept.

use domain::ValueKind;

use super::*;

fn check(kind: ValueKind, pairs: &[(Option<f64>, Option<f64>)]) -> ColumnMovement {
    let mut meter = Meter::new("group", "column", &kind);
    for (before, after) in pairs {
        meter.note(before.map(Value::Float), after.map(Value::Float));
    }
    meter.told()
}

#[test]
fn sizes_are_of_values_that_moved() {
    let told = check(
        ValueKind::Float,
        &[(Some(2.0), Some(3.0)), (Some(0.0), Some(5.0)), (Some(7.0), Some(7.0)), (Some(10.0), Some(8.0)), (None, None)],
    );
    assert_eq!((told.vectors, told.changed, told.share_changed, told.nulls), (5, 3, 0.6, 0));
    assert_eq!((told.median_absolute, told.max_absolute), (Some(2.0), Some(5.0)));
    // From nothing to something is no share of anything.
    assert_eq!((told.median_relative, told.max_relative), (Some(0.35), Some(0.5)));
}

#[test]
fn what_comes_or_goes_has_no_size() {
    let told = check(ValueKind::Float, &[(None, Some(1.0)), (Some(1.0), None)]);
    assert_eq!((told.changed, told.nulls, told.median_absolute, told.max_relative), (2, 2, None, None));
}

#[test]
fn categories_differ_without_a_size() {
    let told = check(ValueKind::Category(vec!["a".into(), "b".into()]), &[(Some(0.0), Some(1.0))]);
    assert_eq!((told.changed, told.max_absolute), (1, None));
}

#[test]
fn a_sample_of_many_has_about_their_median_and_their_maximum() {
    let pairs: Vec<(Option<f64>, Option<f64>)> = (0..100_000).map(|size| (Some(1.0), Some(2.0 + f64::from(size)))).collect();
    let told = check(ValueKind::Float, &pairs);
    let median = told.median_absolute.expect("values that moved");
    assert!((45_000.0..55_000.0).contains(&median), "{median}");
    assert_eq!(told.max_absolute, Some(100_000.0));
}

#[test]
fn the_same_keys_are_chosen_in_any_order() {
    let keys: Vec<String> = (0..2 * ENTITIES_MAX).map(|key| key.to_string()).collect();
    let forward = sample(keys.iter().map(String::as_str));
    assert_eq!(forward.len(), ENTITIES_MAX);
    assert_eq!(forward, sample(keys.iter().rev().map(String::as_str)));
}
