//! The promise: one instant that a person is told, out of the quantiles of a prediction.
//!
//! A promise is rounded up, never lies in the past, and does not move for every new prediction: being told "later" hurts more than
//! being told "sooner" pleases. This file never reads a clock and never says why an order is late.

use domain::{Span, Timestamp};
use pipeline::{OutOfRange, PromiseRules};

use crate::quantiles::Quantiles;

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
    /// A promise moves later when the change reaches `change_min`. It moves earlier only when what that gains is worth the risk of taking it
    /// back: when the change reaches `change_min` times the ratio of the costs.
    pub fn new(rules: PromiseRules) -> Result<Self, OutOfRange> {
        rules.check()?;
        let PromiseRules { round_to, change_min, .. } = rules;
        let earlier_min = Span((change_min.0 as f64 * rules.cost_ratio()).ceil() as i64);
        Ok(Self { quantile: rules.kept_share(), round_to, later_min: change_min, earlier_min })
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
