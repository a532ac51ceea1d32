//! Quantiles that never cross. Models with one head for each quantile, and offsets added to each, may say that the 80th percentile
//! is below the median; here they are put in order.
//!
//! They are *rearranged*: sorted, and nothing else. For every outcome the pinball loss of the sorted quantiles, summed over the levels,
//! is at most that of the crossing ones, so sorting can only help; it needs no weights, changes nothing that is in order, and keeps
//! the values that the model gave. Isotonic regression would replace crossing quantiles by their mean, which has no such promise
//! when the levels are apart unevenly, and would glue the interval together where the model is least sure.

/// The levels of the quantiles of a prediction.
pub const LEVELS: [f64; 4] = [0.1, 0.5, 0.8, 0.9];

/// No prediction is longer than a week: whatever a model says beyond it is a mistake that need not reach a clock.
pub const SECONDS_MAX: f64 = 7.0 * 86_400.0;

/// The quantiles of a duration in seconds: finite, not negative, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles([f64; 4]);

impl Quantiles {
    /// Puts raw values for [`LEVELS`] in order and into bounds. None when one of them is NaN: then the model said nothing, and
    /// inventing what it meant is for whoever has something to fall back on.
    pub fn rearranged(raw: [f64; 4]) -> Option<Self> {
        if raw.iter().any(|seconds| seconds.is_nan()) {
            return None;
        }
        // Adding zero turns -0.0, which a clamp lets pass, into 0.0.
        let mut ordered = raw.map(|seconds| seconds.clamp(0.0, SECONDS_MAX) + 0.0);
        ordered.sort_by(f64::total_cmp);
        Some(Self(ordered))
    }

    /// The seconds at each of [`LEVELS`].
    pub fn seconds(&self) -> [f64; 4] {
        self.0
    }

    /// The same quantiles with something added to each, in order again. A NaN adds nothing.
    pub fn shifted(&self, by: [f64; 4]) -> Self {
        let add = |seconds: f64, by: f64| if by.is_nan() { seconds } else { seconds + by };
        let moved = std::array::from_fn(|place| add(self.0[place], by[place]));
        Self::rearranged(moved).unwrap_or(*self)
    }

    /// The quantile at any level, on the line between its neighbours. Levels beyond the outermost give those, since nothing is known of
    /// the tails.
    pub fn at(&self, level: f64) -> f64 {
        let after = LEVELS.iter().position(|known| level <= *known).unwrap_or(LEVELS.len());
        let [first, .., last] = self.0;
        match after {
            0 => first,
            4.. => last,
            after => {
                let share = (level - LEVELS[after - 1]) / (LEVELS[after] - LEVELS[after - 1]);
                let (low, high) = (self.0[after - 1], self.0[after]);
                (low + share * (high - low)).clamp(low, high)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::array::uniform4;
    use proptest::prelude::{any, prop_oneof};

    use super::{LEVELS, Quantiles, SECONDS_MAX};

    fn check(raw: [f64; 4], expected: [f64; 4]) {
        assert_eq!(
            Quantiles::rearranged(raw).map(|quantiles| quantiles.seconds().map(f64::to_bits)),
            Some(expected.map(f64::to_bits))
        );
    }

    #[test]
    fn crossing_quantiles_change_places() {
        check([600.0, 900.0, 1200.0, 1500.0], [600.0, 900.0, 1200.0, 1500.0]);
        check([600.0, 1300.0, 1200.0, 1500.0], [600.0, 1200.0, 1300.0, 1500.0]);
        check([-5.0, -0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]);
        check([f64::INFINITY, 1.0, f64::NEG_INFINITY, 2.0], [0.0, 1.0, 2.0, SECONDS_MAX]);
        assert_eq!(Quantiles::rearranged([1.0, f64::NAN, 2.0, 3.0]), None);
    }

    #[test]
    fn levels_between_are_on_the_line() {
        let quantiles = Quantiles::rearranged([600.0, 1000.0, 1300.0, 1600.0]).unwrap();
        let found = [0.0, 0.1, 0.3, 0.5, 0.75, 0.8, 0.85, 0.9, 0.99].map(|level| quantiles.at(level).round());
        assert_eq!(found, [600.0, 600.0, 800.0, 1000.0, 1250.0, 1300.0, 1450.0, 1600.0, 1600.0]);
    }

    #[test]
    fn shifting_keeps_them_in_order() {
        let quantiles = Quantiles::rearranged([600.0, 1000.0, 1300.0, 1600.0]).unwrap();
        let shifted = quantiles.shifted([-700.0, 0.0, -400.0, f64::NAN]);
        assert_eq!(shifted.seconds(), [0.0, 900.0, 1000.0, 1600.0]);
    }

    proptest::proptest! {
        #[test]
        fn sorting_never_costs(raw in uniform4(0.0..5000.0), outcome in 0.0..5000.0) {
            let loss = |quantiles: [f64; 4]| -> f64 {
                LEVELS.iter().zip(quantiles).map(|(level, seconds)| (level - f64::from(outcome < seconds)) * (outcome - seconds)).sum()
            };
            let sorted = Quantiles::rearranged(raw).unwrap().seconds();
            assert!(loss(sorted) <= loss(raw) + 1e-9, "{raw:?} and {outcome}");
        }

        #[test]
        fn whatever_comes_in(raw in uniform4(prop_oneof![any::<f64>(), 0.0..5000.0]), by in uniform4(any::<f64>()), level in any::<f64>()) {
            let quantiles = Quantiles::rearranged(raw);
            assert_eq!(quantiles.is_none(), raw.iter().any(|seconds| seconds.is_nan()));
            for quantiles in quantiles.into_iter().flat_map(|quantiles| [quantiles, quantiles.shifted(by)]) {
                let seconds = quantiles.seconds();
                assert!(seconds.is_sorted() && seconds.iter().all(|seconds| (0.0..=SECONDS_MAX).contains(seconds)), "{seconds:?}");
                assert!((seconds[0]..=seconds[3]).contains(&quantiles.at(level)));
                assert_eq!(Quantiles::rearranged(seconds), Some(quantiles), "twice is once");
            }
        }
    }
}
