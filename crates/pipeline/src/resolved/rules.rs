//! How predictions are promised, corrected and calibrated: the declared parameters and the ranges they must lie in, once for the
//! spec that declares them and for `scoring`, which works by them. Computes nothing of a prediction.

use domain::Span;

use crate::parameter::{OutOfRange, within, within_seconds};

/// A quantile from below the median would be broken more often than kept, and beyond the outermost level nothing is known.
const QUANTILE_RANGE: std::ops::RangeInclusive<f64> = 0.5..=0.9;
/// The ratio that gives the outermost level: 9 / (9 + 1).
const COST_RATIO_MAX: f64 = 9.0;
/// Costs are declared against each other; this keeps their ratio a number that a person meant.
const COST_RANGE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
/// Beyond an hour a promise is no time of day any more.
const ROUND_TO_MAX: Span = Span(3_600_000);
const CHANGE_MAX: Span = Span(3_600_000);
/// More stages than anybody predicts one by one.
const STAGES_MAX: usize = 8;
/// A residual of two hours ago says nothing about now, and one of an hour ago is all that a quiet area has.
const HALF_LIFE_RANGE: std::ops::RangeInclusive<Span> = Span(90 * 60_000)..=Span(180 * 60_000);
/// Less than one case is no evidence, and a city that needs more than these never listens to an area.
const STRENGTH_RANGE: std::ops::RangeInclusive<f64> = 1.0..=100_000.0;

/// How promises are made, as it is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromiseRules {
    /// The share of promises that shall be kept; none lets the costs decide.
    pub quantile: Option<f64>,
    /// What a minute costs by which somebody waits longer than promised.
    pub later_cost: f64,
    /// What a minute costs by which it comes earlier than promised.
    pub earlier_cost: f64,
    /// Promises are whole multiples of this, such as five minutes.
    pub round_to: Span,
    /// A promise moves by at least this.
    pub change_min: Span,
}

/// How residuals become adjustments, as it is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorrectorRules {
    /// After this a residual weighs half.
    pub half_life: Span,
    /// With so many orders, decayed, what they say and what all areas say weigh the same.
    pub strength: f64,
    /// No adjustment is further from zero, in seconds.
    pub adjustment_max: f64,
    /// How many stages an order has that are predicted one by one.
    pub stages: usize,
    /// An order that has been in one stage for longer was lost.
    pub longest: Span,
}

/// How calibration follows, as it is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationRules {
    /// The first step of an offset, in seconds; the n-th is shorter by the root of n.
    pub step_first: f64,
    /// The shortest step, in seconds: how fast a shift is followed, and how much an offset trembles.
    pub step_last: f64,
    /// No offset is further from zero, in seconds.
    pub offset_max: f64,
    /// With as many orders, an area's own offsets and those of all weigh the same.
    pub strength: f64,
}

impl PromiseRules {
    /// The first parameter that lies outside its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every parameter that lies outside its range.
    pub fn faults(&self) -> Vec<OutOfRange> {
        let costs = [within("later_cost", &self.later_cost, COST_RANGE), within("earlier_cost", &self.earlier_cost, COST_RANGE)];
        let ratio = match costs.iter().all(Result::is_ok) {
            true => within("later_cost / earlier_cost", &self.cost_ratio(), 1.0..=COST_RATIO_MAX),
            false => Ok(()),
        };
        let quantile = self.quantile.map_or(Ok(()), |quantile| within("quantile", &quantile, QUANTILE_RANGE));
        let round_to = within("round_to", &self.round_to, Span(1000)..=ROUND_TO_MAX);
        let change_min = within("change_min", &self.change_min, Span(0)..=CHANGE_MAX);
        costs.into_iter().chain([ratio, quantile, round_to, change_min]).filter_map(Result::err).collect()
    }

    /// How much more it costs to be later than promised than to be earlier.
    pub fn cost_ratio(&self) -> f64 {
        self.later_cost / self.earlier_cost
    }

    /// The share of promises that shall be kept. Where none is declared it is the one at which a minute more of promise costs as much
    /// as it spares on average.
    pub fn kept_share(&self) -> f64 {
        self.quantile.unwrap_or(self.cost_ratio() / (self.cost_ratio() + 1.0))
    }
}

impl CorrectorRules {
    /// The shortest and the longest that a stage may be followed.
    pub(crate) const LONGEST_RANGE: std::ops::RangeInclusive<Span> = Span(60_000)..=Span(86_400_000);

    /// The first parameter that lies outside its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every parameter that lies outside its range.
    pub fn faults(&self) -> Vec<OutOfRange> {
        let checks = [
            within("half_life", &self.half_life, HALF_LIFE_RANGE),
            within("strength", &self.strength, STRENGTH_RANGE),
            within_seconds("adjustment_max", self.adjustment_max, 0.0..=7200.0),
            within("stages", &self.stages, 1..=STAGES_MAX),
            within("longest", &self.longest, Self::LONGEST_RANGE),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }
}

impl CalibrationRules {
    /// The first parameter that lies outside its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every parameter that lies outside its range.
    pub fn faults(&self) -> Vec<OutOfRange> {
        let checks = [
            within_seconds("step_first", self.step_first, 1.0..=3600.0),
            within_seconds("step_last", self.step_last, 0.1..=self.step_first),
            within_seconds("offset_max", self.offset_max, self.step_first..=86_400.0),
            within("strength", &self.strength, STRENGTH_RANGE),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }
}

/// Four promises in five are kept, in steps that people say aloud.
impl Default for PromiseRules {
    fn default() -> Self {
        Self { quantile: None, later_cost: 4.0, earlier_cost: 1.0, round_to: Span(300_000), change_min: Span(300_000) }
    }
}

/// One prediction for the whole case.
impl Default for CorrectorRules {
    fn default() -> Self {
        Self { half_life: Span(7_200_000), strength: 20.0, adjustment_max: 1200.0, stages: 1, longest: Span(21_600_000) }
    }
}

/// Steps of minutes while nothing is known, and of seconds when something is.
impl Default for CalibrationRules {
    fn default() -> Self {
        Self { step_first: 120.0, step_last: 10.0, offset_max: 3600.0, strength: 50.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{CalibrationRules, CorrectorRules, PromiseRules};

    #[test]
    fn what_is_taken_when_nothing_is_declared_is_allowed() {
        assert_eq!(PromiseRules::default().faults(), []);
        assert_eq!(CorrectorRules::default().faults(), []);
        assert_eq!(CalibrationRules::default().faults(), []);
        assert_eq!(PromiseRules::default().kept_share(), 0.8);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let rules = PromiseRules { later_cost: 0.0, quantile: Some(2.0), ..PromiseRules::default() };
        let names: Vec<&str> = rules.faults().iter().map(|fault| fault.name).collect();
        assert_eq!(names, ["later_cost", "quantile"]);
        assert_eq!(rules.check().unwrap_err().name, "later_cost");
    }
}
