//! The promise: one instant that a person is told, out of the quantiles of a prediction.
//!
//! A promise is rounded up, never lies in the past, and does not move for every new prediction: being told "later" hurts more than
//! being told "sooner" pleases. This file never reads a clock and never says why an order is late.

use domain::{Span, Timestamp};

use crate::parameter::{OutOfRange, within};
use crate::quantiles::Quantiles;

/// A quantile from below the median would be broken more often than kept, and beyond the outermost level nothing is known.
const QUANTILE_RANGE: std::ops::RangeInclusive<f64> = 0.5..=0.9;
/// The ratio that gives the outermost level: 9 / (9 + 1).
const COST_RATIO_MAX: f64 = 9.0;
/// Costs are declared against each other; this keeps their ratio a number that a person meant.
const COST_RANGE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
/// Beyond an hour a promise is no time of day any more.
const ROUND_TO_MAX: Span = Span(3_600_000);
const CHANGE_MAX: Span = Span(3_600_000);

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

/// A policy whose parameters have been checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromisePolicy {
    quantile: f64,
    round_to: Span,
    later_min: Span,
    earlier_min: Span,
}

impl PromisePolicy {
    /// Checks what was declared.
    ///
    /// Without a quantile it is `later_cost / (later_cost + earlier_cost)`: the one at which a minute more of promise costs as much as
    /// it spares on average.
    ///
    /// A promise moves later when the change reaches `change_min`. It moves earlier only when what that gains is worth the risk of taking it
    /// back: when the change reaches `change_min` times the ratio of the costs.
    pub fn new(rules: PromiseRules) -> Result<Self, OutOfRange> {
        let PromiseRules { quantile, later_cost, earlier_cost, round_to, change_min } = rules;
        within("later_cost", &later_cost, COST_RANGE)?;
        within("earlier_cost", &earlier_cost, COST_RANGE)?;
        let ratio = later_cost / earlier_cost;
        within("later_cost / earlier_cost", &ratio, 1.0..=COST_RATIO_MAX)?;
        let quantile = quantile.unwrap_or(ratio / (ratio + 1.0));
        within("quantile", &quantile, QUANTILE_RANGE)?;
        within("round_to", &round_to, Span(1000)..=ROUND_TO_MAX)?;
        within("change_min", &change_min, Span(0)..=CHANGE_MAX)?;
        let earlier_min = Span((change_min.0 as f64 * ratio).ceil() as i64);
        Ok(Self { quantile, round_to, later_min: change_min, earlier_min })
    }

    /// The share of promises that shall be kept.
    pub fn quantile(&self) -> f64 {
        self.quantile
    }

    /// What to promise now, by a prediction of what is left from now on and the promise that stands.
    pub fn promise(&self, left: &Quantiles, now: Timestamp, standing: Option<Timestamp>) -> Timestamp {
        let target = self.rounded_up(now.plus(Span((left.at(self.quantile) * 1000.0).ceil() as i64)));
        let Some(standing) = standing.filter(|standing| *standing >= now) else { return target };
        let (later, earlier) = (target.0.saturating_sub(standing.0), standing.0.saturating_sub(target.0));
        let moves = (later > 0 && later >= self.later_min.0) || (earlier > 0 && earlier >= self.earlier_min.0);
        if moves { target } else { standing }
    }

    fn rounded_up(&self, at: Timestamp) -> Timestamp {
        let beyond = at.0.rem_euclid(self.round_to.0);
        at.plus(Span(if beyond == 0 { 0 } else { self.round_to.0 - beyond }))
    }
}

#[cfg(test)]
mod tests;
