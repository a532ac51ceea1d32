//! Shrinkage: what is known of a sparse store, held back towards its category and its area. Pure arithmetic over numbers that
//! somebody else looked up; this file knows neither stores nor areas. One definition for rows, columns, correctors and calibrations.

/// What is known of one place, and how much it takes to believe it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Its own value; none when it has never been seen.
    pub value: Option<f64>,
    /// How many observations the value is made of, perhaps decayed and therefore not whole.
    pub n: f64,
    /// The strength of its prior: with as many observations, the value and what broader places say weigh the same.
    pub strength: f64,
}

/// The first value, shrunk towards the second, itself shrunk towards the third, and so on: each time
/// `(n · value + strength · prior) / (n + strength)`.
///
/// Evidence without a finite value or without observations is skipped. The broadest that is left is taken as it is, whatever its
/// strength. None when nothing is left.
pub fn shrunk(narrow_to_broad: &[Evidence]) -> Option<f64> {
    narrow_to_broad.iter().rev().fold(None, |prior, evidence| shrunk_towards(*evidence, prior))
}

/// One step of it: a value shrunk towards what broader places say, or the one of both that is there and finite.
pub fn shrunk_towards(evidence: Evidence, prior: Option<f64>) -> Option<f64> {
    let own = evidence.value.filter(|value| value.is_finite() && evidence.n > 0.0);
    match (own, prior.filter(|prior| prior.is_finite())) {
        (Some(own), Some(prior)) => Some(between(own, prior, weight(evidence.n, evidence.strength))),
        (own, prior) => own.or(prior),
    }
}

/// The share of an own value: `n / (n + strength)`, written so that neither overflows. A strength that is no strength has none, and
/// nothing is stronger than infinitely many observations.
fn weight(n: f64, strength: f64) -> f64 {
    if strength > 0.0 && n.is_finite() { 1.0 / (1.0 + strength / n) } else { 1.0 }
}

/// Never outside of the two, whatever rounding says.
fn between(own: f64, prior: f64, share: f64) -> f64 {
    (share * own + (1.0 - share) * prior).clamp(own.min(prior), own.max(prior))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_oneof};

    use super::{Evidence, shrunk};

    fn evidence(value: impl Into<Option<f64>>, n: f64, strength: f64) -> Evidence {
        Evidence { value: value.into(), n, strength }
    }

    #[test]
    fn a_store_with_as_many_orders_as_its_prior_is_strong_lies_half_way() {
        assert_eq!(shrunk(&[evidence(600.0, 20.0, 20.0), evidence(900.0, 500.0, 20.0)]), Some(750.0));
    }

    #[test]
    fn the_prior_is_shrunk_itself() {
        let category = evidence(900.0, 10.0, 30.0);
        let area = evidence(1300.0, 9000.0, 30.0);
        assert_eq!(shrunk(&[category, area]), Some(1200.0));
        assert_eq!(shrunk(&[evidence(600.0, 20.0, 60.0), category, area]), Some(1050.0));
    }

    #[test]
    fn what_says_nothing_is_skipped() {
        let area = evidence(1300.0, 9000.0, 30.0);
        for silent in
            [evidence(None, 5.0, 1.0), evidence(600.0, 0.0, 0.0), evidence(f64::NAN, 9.0, 1.0), evidence(600.0, f64::NAN, 1.0)]
        {
            assert_eq!(shrunk(&[silent, area]), Some(1300.0), "{silent:?}");
            assert_eq!(shrunk(&[area, silent]), Some(1300.0), "{silent:?}");
            assert_eq!(shrunk(&[silent]), None, "{silent:?}");
        }
        assert_eq!(shrunk(&[]), None);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let (most, least) = (evidence(f64::MAX, f64::MAX, f64::MAX), evidence(-f64::MAX, f64::MAX, f64::MAX));
        assert_eq!(shrunk(&[most, least]), Some(0.0));
        assert_eq!(shrunk(&[evidence(1.0, f64::MIN_POSITIVE, f64::MAX), evidence(2.0, 1.0, 1.0)]), Some(2.0));
        assert_eq!(shrunk(&[evidence(1.0, f64::INFINITY, 5.0), evidence(2.0, 1.0, 1.0)]), Some(1.0));
        assert_eq!(shrunk(&[evidence(1.0, 3.0, f64::NAN), evidence(2.0, 1.0, 1.0)]), Some(1.0));
        assert_eq!(shrunk(&[evidence(1.0, f64::INFINITY, f64::INFINITY), evidence(2.0, 1.0, 1.0)]), Some(1.0));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_formula(values in proptest::collection::vec((-1e4..1e4, 0.1..1e4, 0.0..1e3), 1..4)) {
            let all: Vec<Evidence> = values.iter().map(|(value, n, strength)| evidence(*value, *n, *strength)).collect();
            let naive = values.iter().rev().fold(None, |prior: Option<f64>, (value, n, strength)| {
                Some(prior.map_or(*value, |prior| (n * value + strength * prior) / (n + strength)))
            });
            let (found, naive) = (shrunk(&all).unwrap(), naive.unwrap());
            assert!((found - naive).abs() <= 1e-9 * naive.abs().max(1.0), "{found} and {naive} of {all:?}");
        }

        #[test]
        fn is_finite_and_within_what_was_said(all in proptest::collection::vec((number(), number(), number()), 0..4)) {
            let all: Vec<Evidence> = all.iter().map(|(value, n, strength)| evidence(*value, *n, *strength)).collect();
            if let Some(found) = shrunk(&all) {
                let said = all.iter().filter_map(|evidence| evidence.value).filter(|value| value.is_finite());
                assert!(said.clone().any(|value| value <= found) && said.clone().any(|value| value >= found), "{found} of {all:?}");
            }
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            -100.0..100.0,
            proptest::sample::select(vec![0.0, f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX])
        ]
    }
}
