//! Errors of predictions, and how a report shows them to people. Seconds in the types, minutes on paper.

use std::fmt;

use serde_json::json;

use super::{Prediction, Report};

/// How far predictions were from what came, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The mean absolute error.
    pub mean_absolute: f64,
    /// Half of the absolute errors are smaller.
    pub p50_absolute: f64,
    /// Nine of ten absolute errors are smaller.
    pub p90_absolute: f64,
    /// The mean of prediction less reality: above zero, orders came earlier than said.
    pub bias: f64,
}

impl Score {
    pub(super) fn of(errors: Vec<f64>) -> Self {
        let count = errors.len().max(1) as f64;
        let bias = errors.iter().sum::<f64>() / count;
        let mut absolute: Vec<f64> = errors.into_iter().map(f64::abs).collect();
        absolute.sort_by(f64::total_cmp);
        Self {
            mean_absolute: absolute.iter().sum::<f64>() / count,
            p50_absolute: quantile(&absolute, 0.5),
            p90_absolute: quantile(&absolute, 0.9),
            bias,
        }
    }
}

impl Prediction {
    /// A line for a file of predictions.
    pub fn line(&self) -> Vec<u8> {
        let value = json!({
            "order_id": self.order_id,
            "p10_seconds": self.p10_seconds,
            "p50_seconds": self.p50_seconds,
            "p90_seconds": self.p90_seconds,
            "real_seconds": self.real_seconds,
        });
        format!("{value}\n").into_bytes()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} deliveries of {:.1} minutes on average", self.orders, self.mean_seconds / 60.0)?;
        writeln!(formatter, "minutes                        MAE    p50    p90   bias")?;
        let rows = [
            ("knows all that can be seen", self.knowing),
            ("area, hour and way", self.area_hour),
            ("median of all", self.overall),
        ];
        for (name, score) in rows {
            let minutes = [score.mean_absolute, score.p50_absolute, score.p90_absolute, score.bias].map(|seconds| seconds / 60.0);
            let [mean, p50, p90, bias] = minutes;
            writeln!(formatter, "{name:<27}  {mean:>5.2}  {p50:>5.2}  {p90:>5.2}  {bias:>+5.2}")?;
        }
        writeln!(formatter, "{:.0} % came within the middle 80 % of their futures", self.coverage * 100.0)
    }
}

/// The smallest value that so large a share does not exceed; 0 when there is none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).or(sorted.last()).copied().unwrap_or(0.0)
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}
