//! Coverage on seeded streams: one that stays as it is, one that shifts, and any at all.

use proptest::array::uniform4;
use proptest::collection::vec;
use proptest::prelude::{any, prop_oneof};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Calibration, CalibrationRules, Tracker};
use crate::quantiles::{LEVELS, Quantiles};
use crate::state::StateFault;

const RULES: CalibrationRules = CalibrationRules { step_first: 120.0, step_last: 10.0, offset_max: 3600.0, strength: 50.0 };

/// A model that is wrong about everything but the order of its quantiles.
fn predicted() -> Quantiles {
    Quantiles::rearranged([1500.0, 1600.0, 1700.0, 1800.0]).unwrap()
}

/// Nearly normal, without a function that differs between machines.
fn nearly_normal(chance: &mut ChaCha8Rng, mean: f64, deviation: f64) -> f64 {
    let sum: f64 = (0..12).map(|_| chance.random_range(0.0..1.0)).sum();
    (mean + deviation * (sum - 6.0)).max(0.0)
}

/// Coverage of each level over some orders of an area; each is judged before it closes.
fn coverage(calibration: &mut Calibration, area: &str, orders: usize, mut duration: impl FnMut() -> f64) -> [f64; 4] {
    let mut kept = [0.0; 4];
    for _ in 0..orders {
        let seconds = duration();
        for (kept, quantile) in kept.iter_mut().zip(calibration.calibrated(area, &predicted()).seconds()) {
            *kept += f64::from(seconds <= quantile);
        }
        calibration.closed(area, &predicted(), seconds);
    }
    kept.map(|kept| kept / orders as f64)
}

fn assert_near(found: [f64; 4], tolerance: f64, context: &str) {
    for (found, level) in found.iter().zip(LEVELS) {
        assert!((found - level).abs() <= tolerance, "{context}: {found} at {level}");
    }
}

#[test]
fn coverage_comes_to_the_levels_and_comes_back_after_a_shift() {
    for seed in 0..5 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut calibration = Calibration::new(RULES).unwrap();
        let cities = [("north", 1800.0, 300.0), ("south", 2400.0, 600.0)];
        for (area, mean, deviation) in cities {
            coverage(&mut calibration, area, 1000, || nearly_normal(&mut chance, mean, deviation));
            let settled = coverage(&mut calibration, area, 3000, || nearly_normal(&mut chance, mean, deviation));
            assert_near(settled, 0.02, &format!("seed {seed}, {area}"));
        }
        // Ten minutes more, and wider: found again within 500 orders.
        let shocked = coverage(&mut calibration, "north", 50, || nearly_normal(&mut chance, 2400.0, 500.0));
        assert!(shocked[3] < 0.8, "seed {seed}: the shift was felt: {shocked:?}");
        coverage(&mut calibration, "north", 450, || nearly_normal(&mut chance, 2400.0, 500.0));
        let settled = coverage(&mut calibration, "north", 3000, || nearly_normal(&mut chance, 2400.0, 500.0));
        assert_near(settled, 0.02, &format!("seed {seed}, north after the shift"));
        let other = coverage(&mut calibration, "south", 1000, || nearly_normal(&mut chance, 2400.0, 600.0));
        assert_near(other, 0.04, &format!("seed {seed}, south unmoved"));
    }
}

#[test]
fn an_area_without_orders_has_the_offsets_of_all() {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut calibration = Calibration::new(RULES).unwrap();
    coverage(&mut calibration, "old", 2000, || nearly_normal(&mut chance, 2400.0, 300.0));
    let of_all = calibration.offsets("unheard of");
    assert_eq!(of_all, calibration.all.offsets);
    let first = coverage(&mut calibration, "new", 200, || nearly_normal(&mut chance, 2400.0, 300.0));
    assert_near(first, 0.1, "from the first order on");
    // One order moves an area by no more than its share.
    calibration.closed("newest", &predicted(), 9000.0);
    let moved = calibration.offsets("newest")[3] - calibration.all.offsets[3];
    assert!(moved > 0.0 && moved < RULES.step_first / RULES.strength, "{moved}");
}

#[test]
fn offsets_are_bounded_and_nothing_that_is_no_number_counts() {
    let mut calibration = Calibration::new(CalibrationRules { offset_max: 200.0, ..RULES }).unwrap();
    for _ in 0..1000 {
        calibration.closed("a", &predicted(), 1e9);
    }
    assert_eq!(calibration.offsets("a"), [200.0; 4]);
    calibration.closed("a", &predicted(), f64::NAN);
    calibration.closed("a", &predicted(), f64::INFINITY);
    assert_eq!(calibration.orders(), 1000);
}

#[test]
fn bytes_hold_everything_and_name_it() {
    let mut calibration = Calibration::new(RULES).unwrap();
    let (_, empty) = calibration.encode();
    for (area, seconds) in [("b", 900.0), ("a", 2500.0), ("b", 1750.0)] {
        calibration.closed(area, &predicted(), seconds);
    }
    let (bytes, id) = calibration.encode();
    assert_eq!(Calibration::decode(RULES, &bytes), Ok(calibration.clone()));
    assert_ne!(id, empty);
    // The same orders in another sequence are another state.
    let mut other = Calibration::new(RULES).unwrap();
    for (area, seconds) in [("a", 2500.0), ("b", 1750.0), ("b", 900.0)] {
        other.closed(area, &predicted(), seconds);
    }
    assert_ne!(other.encode().1, id);
    // Fixed, so that no machine and no version names it otherwise unnoticed.
    assert_eq!(id.to_string(), "ab0d1fa512affa05");
}

#[test]
fn damaged_bytes_are_refused() {
    let mut calibration = Calibration::new(RULES).unwrap();
    calibration.closed("a", &predicted(), 900.0);
    let (bytes, _) = calibration.encode();
    for length in 0..bytes.len() {
        assert!(Calibration::decode(RULES, &bytes[..length]).is_err(), "the first {length} bytes");
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(Calibration::decode(RULES, &damaged).is_err(), "byte {place}");
    }
    let foreign = Calibration::decode(RULES, b"hca2 whatever comes").unwrap_err();
    assert_eq!(foreign, StateFault::Foreign("calibration state"));
}

#[test]
fn what_is_declared_has_ranges() {
    for (rules, name) in [
        (CalibrationRules { step_first: 0.0, ..RULES }, "step_first"),
        (CalibrationRules { step_last: 121.0, ..RULES }, "step_last"),
        (CalibrationRules { offset_max: f64::NAN, ..RULES }, "offset_max"),
        (CalibrationRules { strength: 0.0, ..RULES }, "strength"),
    ] {
        assert_eq!(Calibration::new(rules).unwrap_err().name, name);
    }
}

proptest::proptest! {
    /// Whatever closes: offsets stay within bounds, and bytes hold the whole state.
    #[test]
    fn nothing_makes_it_leave_its_bounds(closed in vec((0usize..4, uniform4(0.0..1e6), prop_oneof![0.0..1e4, any::<f64>()]), 0..60)) {
        let mut calibration = Calibration::new(RULES).unwrap();
        for (area, predicted, seconds) in closed {
            let predicted = Quantiles::rearranged(predicted).unwrap();
            calibration.closed(&area.to_string(), &predicted, seconds);
            assert!(calibration.offsets(&area.to_string()).iter().all(|offset| offset.abs() <= RULES.offset_max));
        }
        assert_eq!(Calibration::decode(RULES, &calibration.encode().0), Ok(calibration.clone()));
    }

    /// What holds for any stream of bounded residuals, by adding up the steps: with a constant step, coverage is off by no more than
    /// the way that an offset can go, divided by all steps.
    #[test]
    fn coverage_of_any_stream(residuals in vec(-800.0..800.0, 500..1500)) {
        let rules = CalibrationRules { step_first: 50.0, step_last: 50.0, offset_max: 1000.0, strength: 1.0 };
        let mut tracker = Tracker::default();
        let mut kept = [0.0; 4];
        for residual in &residuals {
            for (kept, offset) in kept.iter_mut().zip(tracker.offsets) {
                *kept += f64::from(*residual <= offset);
            }
            tracker.follow([*residual; 4], &rules);
        }
        for (kept, level) in kept.iter().zip(LEVELS) {
            let bound = (800.0 + 50.0) / (50.0 * residuals.len() as f64);
            let off = (kept / residuals.len() as f64 - level).abs();
            assert!(off <= bound + 1e-9, "{off} of at most {bound} at {level}");
        }
    }
}
