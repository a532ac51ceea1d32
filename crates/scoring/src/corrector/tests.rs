//! What single orders teach, and what a state promises.

use domain::{Span, Timestamp};
use proptest::array::uniform2;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};

use super::{Corrector, CorrectorRules};
use crate::corrector::Adjustments;
use crate::state::StateFault;

const RULES: CorrectorRules = CorrectorRules {
    half_life: Span(120 * 60_000),
    strength: 4.0,
    adjustment_max: 1200.0,
    stages: 2,
    longest: Span(6 * 3_600_000),
};

fn minute(minute: i64) -> Timestamp {
    Timestamp(1_795_000_000_000 + minute * 60_000)
}

/// Orders of an area that begin at a minute and take ten minutes for each stage, and so much more for the first and the second.
fn orders(corrector: &mut Corrector, area: &str, count: usize, begin: i64, more: [i64; 2]) {
    for number in 0..count {
        let order = format!("{area}-{begin}-{number}");
        assert!(corrector.opened(&order, area, &[600.0, 600.0], minute(begin)));
        corrector.ended(&order, 0, minute(begin + 10 + more[0]));
        corrector.ended(&order, 1, minute(begin + 20 + more[0] + more[1]));
    }
}

fn check(corrector: &mut Corrector, at: i64, area: &str, expected: [f64; 3]) {
    let adjustments = corrector.adjustments(minute(at));
    let found = [0, 1, 2].map(|done| adjustments.seconds(area, done).round());
    assert_eq!(found, expected, "{area} with no, one and two stages done");
}

#[test]
fn without_orders_predictions_are_left_alone() {
    check(&mut Corrector::new(RULES).unwrap(), 0, "a", [0.0, 0.0, 0.0]);
}

#[test]
fn many_late_orders_are_believed_few_are_held_back() {
    let mut corrector = Corrector::new(RULES).unwrap();
    orders(&mut corrector, "a", 4, 0, [5, 1]);
    // Four orders against a strength of four, for the area and for all: three quarters and a half, and a little more of the second
    // stage, which began ten minutes later.
    check(&mut corrector, 0, "a", [271.0, 46.0, 0.0]);
    check(&mut corrector, 0, "elsewhere", [181.0, 31.0, 0.0]);
    orders(&mut corrector, "a", 4000, 0, [5, 1]);
    check(&mut corrector, 0, "a", [360.0, 60.0, 0.0]);
}

#[test]
fn a_stage_teaches_before_the_order_ends() {
    let mut corrector = Corrector::new(RULES).unwrap();
    for number in 0..1000 {
        let order = number.to_string();
        corrector.opened(&order, "a", &[600.0, 600.0], minute(0));
        corrector.ended(&order, 0, minute(15));
    }
    assert_eq!(corrector.orders_open(), 1000);
    let adjustments = corrector.adjustments(minute(15));
    assert!(adjustments.seconds("a", 0) > 290.0, "no order was delivered yet: {adjustments:?}");
    assert_eq!(adjustments.seconds("a", 1), 0.0);
}

#[test]
fn old_orders_fade() {
    let mut corrector = Corrector::new(RULES).unwrap();
    orders(&mut corrector, "a", 400, 0, [10, 0]);
    let after = |corrector: &mut Corrector, minutes| corrector.adjustments(minute(minutes)).seconds("a", 0);
    let faded: Vec<f64> = [0, 120, 1200, 12_000].map(|minutes| after(&mut corrector, minutes).round()).into();
    assert_eq!(faded, [600.0, 600.0, 102.0, 0.0]);
    // Weeks later the weights of old orders have been brought down and forgotten.
    orders(&mut corrector, "b", 400, 60 * 24 * 30, [0, 10]);
    assert_eq!(corrector.areas.keys().collect::<Vec<_>>(), ["b"]);
    check(&mut corrector, 60 * 24 * 30, "b", [600.0, 600.0, 0.0]);
}

#[test]
fn adjustments_are_clamped() {
    let mut corrector = Corrector::new(RULES).unwrap();
    orders(&mut corrector, "a", 400_000, 0, [15, 15]);
    check(&mut corrector, 0, "a", [1200.0, 900.0, 0.0]);
}

#[test]
fn what_makes_no_sense_teaches_nothing() {
    let mut corrector = Corrector::new(RULES).unwrap();
    assert!(!corrector.opened("1", "a", &[600.0], minute(0)));
    assert!(!corrector.opened("1", "a", &[600.0, f64::NAN], minute(0)));
    assert!(corrector.opened("1", "a", &[600.0, 600.0], minute(0)));
    assert!(corrector.opened("1", "b", &[0.0, 0.0], minute(0)), "the first prediction stays");
    corrector.ended("unheard of", 0, minute(5));
    corrector.ended("1", 1, minute(5));
    assert_eq!(corrector.orders_open(), 0, "it skipped a stage");
    corrector.opened("2", "a", &[600.0, 600.0], minute(0));
    corrector.cancelled("2");
    corrector.opened("3", "a", &[600.0, 600.0], minute(0));
    corrector.adjustments(minute(361));
    assert_eq!(corrector.orders_open(), 0, "lost after six hours");
    assert!(corrector.areas.is_empty());
    corrector.opened("4", "a", &[600.0, 600.0], minute(0));
    corrector.ended("4", 0, minute(12));
    let once = corrector.clone();
    corrector.ended("4", 0, minute(50));
    assert_eq!(corrector, once, "told twice");
}

#[test]
fn bytes_hold_everything_and_name_it() {
    let mut corrector = Corrector::new(RULES).unwrap();
    assert_eq!(Corrector::decode(RULES, &corrector.encode().0), Ok(corrector.clone()));
    orders(&mut corrector, "a", 5, 0, [5, -3]);
    orders(&mut corrector, "b", 5, 7, [0, 9]);
    corrector.opened("open", "a", &[600.0, 660.0], minute(40));
    let (bytes, id) = corrector.encode();
    let mut again = Corrector::decode(RULES, &bytes).unwrap();
    assert_eq!((&again, again.encode().1), (&corrector, id));
    let (adjustments, same) = (corrector.adjustments(minute(60)), again.adjustments(minute(60)));
    assert_eq!(adjustments.encode(), same.encode());
    assert_eq!(Adjustments::decode(&adjustments.encode().0), Ok(adjustments.clone()));
    assert_ne!(corrector.adjustments(minute(61)).encode().1, adjustments.encode().1, "another instant");
    // Fixed, so that no machine and no version names it otherwise unnoticed.
    let names = (id.to_string(), adjustments.encode().1.to_string());
    assert_eq!(names, ("97f23bf8d98b4fda".into(), "d5107f5e0542915b".into()));
}

#[test]
fn damaged_bytes_are_refused() {
    let mut corrector = Corrector::new(RULES).unwrap();
    orders(&mut corrector, "a", 2, 0, [5, -3]);
    corrector.opened("open", "a", &[600.0, 660.0], minute(40));
    let (state, told) = (corrector.encode().0, corrector.adjustments(minute(60)).encode().0);
    for place in 0..state.len().max(told.len()) {
        let damaged = |bytes: &[u8]| bytes.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == place)).collect::<Vec<u8>>();
        let cut = |bytes: &[u8]| bytes[..place.min(bytes.len() - 1)].to_vec();
        assert!(Corrector::decode(RULES, &cut(&state)).is_err() && Adjustments::decode(&cut(&told)).is_err(), "cut at {place}");
        assert!(place >= state.len() || Corrector::decode(RULES, &damaged(&state)).is_err(), "byte {place}");
        assert!(place >= told.len() || Adjustments::decode(&damaged(&told)).is_err(), "byte {place}");
    }
    let other = CorrectorRules { stages: 1, ..RULES };
    assert!(matches!(Corrector::decode(other, &state), Err(StateFault::Foreign(_))));
}

#[test]
fn what_is_declared_has_ranges() {
    for (rules, name) in [
        (CorrectorRules { half_life: Span(60_000), ..RULES }, "half_life"),
        (CorrectorRules { strength: f64::NAN, ..RULES }, "strength"),
        (CorrectorRules { adjustment_max: -1.0, ..RULES }, "adjustment_max"),
        (CorrectorRules { stages: 0, ..RULES }, "stages"),
        (CorrectorRules { longest: Span(0), ..RULES }, "longest"),
    ] {
        assert_eq!(Corrector::new(rules).unwrap_err().name, name);
    }
}

proptest::proptest! {
    /// Whatever is told in whatever order: what comes out is a number within bounds, and bytes hold the whole state.
    #[test]
    fn nothing_makes_it_leave_its_bounds(events in vec((0usize..4, 0usize..6, 0usize..3, uniform2(seconds()), instant()), 0..60), now in instant()) {
        let mut corrector = Corrector::new(RULES).unwrap();
        for (what, order, other, predicted, at) in events {
            let order = order.to_string();
            match what {
                0 | 1 => drop(corrector.opened(&order, &other.to_string(), &predicted, at)),
                2 => corrector.ended(&order, other, at),
                _ => corrector.cancelled(&order),
            }
            assert_eq!(Corrector::decode(RULES, &corrector.encode().0), Ok(corrector.clone()));
        }
        let adjustments = corrector.adjustments(now);
        for (area, done) in ["0", "1", "elsewhere"].iter().zip(0..3) {
            assert!(adjustments.seconds(area, done).abs() <= RULES.adjustment_max, "{adjustments:?}");
        }
    }
}

fn seconds() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..7200.0, any::<f64>()]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![8 => (0i64..1000).prop_map(minute), 1 => any::<i64>().prop_map(Timestamp)]
}
