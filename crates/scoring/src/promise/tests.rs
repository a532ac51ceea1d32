//! Promises as a person would check them, and what holds for all of them.

use domain::{Span, Timestamp};
use proptest::array::uniform4;
use proptest::option;

use super::{PromisePolicy, PromiseRules};
use crate::quantiles::Quantiles;

const MINUTE: i64 = 60_000;

const RULES: PromiseRules = PromiseRules {
    quantile: Some(0.8),
    later_cost: 2.0,
    earlier_cost: 1.0,
    round_to: Span(5 * MINUTE),
    change_min: Span(5 * MINUTE),
};

/// The promise at noon, in minutes after it.
fn check(rules: PromiseRules, left: [f64; 4], standing: Option<i64>, expected: i64) {
    let noon = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
    let left = Quantiles::rearranged(left.map(|minutes| minutes * 60.0)).unwrap();
    let standing = standing.map(|minutes| noon.plus(Span(minutes * MINUTE)));
    let found = PromisePolicy::new(rules).unwrap().promise(&left, noon, standing);
    assert_eq!(found.0 - noon.0, expected * MINUTE, "in milliseconds after noon");
}

#[test]
fn the_first_promise_is_the_quantile_rounded_up() {
    check(RULES, [10.0, 20.0, 31.0, 40.0], None, 35);
    check(RULES, [10.0, 20.0, 30.0, 40.0], None, 30);
    check(PromiseRules { quantile: Some(0.5), ..RULES }, [10.0, 20.0, 31.0, 40.0], None, 20);
}

#[test]
fn costs_choose_the_quantile_when_none_is_declared() {
    let chosen = |later_cost| PromisePolicy::new(PromiseRules { quantile: None, later_cost, ..RULES }).unwrap().quantile();
    assert_eq!([1.0, 3.0, 4.0, 9.0].map(chosen), [0.5, 0.75, 0.8, 0.9]);
    check(PromiseRules { quantile: None, later_cost: 4.0, ..RULES }, [10.0, 20.0, 31.0, 40.0], None, 35);
}

#[test]
fn small_changes_are_not_told() {
    let patient = PromiseRules { change_min: Span(10 * MINUTE), later_cost: 1.0, ..RULES };
    check(patient, [10.0, 20.0, 34.0, 40.0], Some(30), 30);
    check(patient, [10.0, 20.0, 38.0, 40.0], Some(30), 40);
    check(patient, [10.0, 20.0, 24.0, 40.0], Some(30), 30);
    check(patient, [10.0, 20.0, 20.0, 40.0], Some(30), 20);
}

#[test]
fn moving_earlier_has_to_be_worth_the_risk_of_moving_back() {
    check(RULES, [10.0, 20.0, 34.0, 40.0], Some(30), 35);
    check(RULES, [10.0, 20.0, 24.0, 40.0], Some(30), 30);
    check(RULES, [10.0, 20.0, 20.0, 40.0], Some(30), 20);
}

#[test]
fn a_promise_that_has_passed_is_replaced_however_small_the_change() {
    check(RULES, [0.0, 0.0, 0.5, 1.0], Some(-1), 5);
    check(RULES, [0.0, 0.0, 0.0, 0.0], Some(0), 0);
    check(RULES, [0.0, 0.0, 0.0, 0.0], None, 0);
}

#[test]
fn what_is_declared_has_ranges() {
    let fault = |rules| PromisePolicy::new(rules).unwrap_err().to_string();
    let cheap = PromiseRules { later_cost: 0.5, ..RULES };
    assert_eq!(fault(cheap), "`later_cost / earlier_cost` is 0.5; declare a value from 1 to 9");
    for (rules, name) in [
        (PromiseRules { quantile: Some(0.3), ..RULES }, "quantile"),
        (PromiseRules { quantile: Some(f64::NAN), ..RULES }, "quantile"),
        (PromiseRules { earlier_cost: 0.0, ..RULES }, "earlier_cost"),
        (PromiseRules { later_cost: f64::INFINITY, ..RULES }, "later_cost"),
        (PromiseRules { round_to: Span(0), ..RULES }, "round_to"),
        (PromiseRules { change_min: Span(-1), ..RULES }, "change_min"),
    ] {
        assert!(fault(rules).starts_with(&format!("`{name}` is ")), "{name}: {}", fault(rules));
    }
}

proptest::proptest! {
    #[test]
    fn never_in_the_past_never_off_the_grid_never_moved_by_less(
        left in uniform4(0.0..20_000.0),
        now in 1_700_000_000_000i64..1_800_000_000_000,
        standing in option::of(-90i64..90),
        ratio in 1.0..9.0,
    ) {
        let rules = PromiseRules { later_cost: ratio, ..RULES };
        let left = Quantiles::rearranged(left).unwrap();
        let standing = standing.map(|steps| Timestamp((now / (5 * MINUTE) + steps) * 5 * MINUTE));
        let found = PromisePolicy::new(rules).unwrap().promise(&left, Timestamp(now), standing);
        assert!(found.0 >= now && found.0 % (5 * MINUTE) == 0);
        let expected = now as f64 + left.at(0.8) * 1000.0;
        match standing.filter(|standing| standing.0 >= now) {
            None => assert!((expected - 1.0..expected + 1.0 + (5 * MINUTE) as f64).contains(&(found.0 as f64))),
            Some(standing) if found > standing => assert!(found.0 - standing.0 >= 5 * MINUTE),
            Some(standing) if found < standing => assert!((standing.0 - found.0) as f64 >= ratio * (5 * MINUTE) as f64),
            Some(_) => {}
        }
    }
}
