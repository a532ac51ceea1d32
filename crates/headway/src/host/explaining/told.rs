//! An explanation as a page, and as an object for programs.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{plain::plain_line, table::table};

/// What the latest prediction of a case is made of.
#[derive(Debug, Serialize)]
pub(in crate::host) struct Explained {
    pub(super) pipeline: String,
    pub(super) case: String,
    pub(super) key: String,
    /// Whether nothing is predicted of it any longer.
    pub(super) ended: bool,
    /// As it was committed.
    pub(super) prediction: Value,
    /// What outcomes had taught was a part of it; none where they had taught nothing.
    pub(super) learned: Option<Learned>,
    /// The digest of the model that is asked now.
    pub(super) model: Option<String>,
    /// Which estimate says it again, if no model does.
    pub(super) fallback: Option<String>,
    /// What is said again of the instant of the prediction, in the order of the quantiles, before anything is applied,
    pub(super) seconds: [f64; 4],
    /// and with what outcomes have taught by now.
    pub(super) seconds_learned: [f64; 4],
    pub(super) vectors: Vec<Vector>,
    pub(super) inputs: Vec<Input>,
}

/// By how much corrector and calibration moved a prediction, in the order of the quantiles.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Learned {
    /// What was said before.
    pub(super) said: [f64; 4],
    /// The adjustments that were applied,
    pub(super) corrector: Option<String>,
    /// and what they added to each quantile.
    pub(super) corrector_seconds: f64,
    /// The calibration that was applied,
    pub(super) calibration: Option<String>,
    /// and what it added, each quantile put in its place.
    pub(super) calibration_seconds: [f64; 4],
}

impl Learned {
    /// As a prediction says it; none when nothing was applied.
    pub(super) fn of(prediction: &Value) -> Option<Self> {
        let text = |name: &str| prediction[name].as_str().map(str::to_owned);
        let (corrector, calibration) = (text("corrector"), text("calibration"));
        if corrector.is_none() && calibration.is_none() {
            return None;
        }
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let said = std::array::from_fn(|place| number(&prediction["said"][place]));
        let corrector_seconds = number(&prediction["corrector_seconds"]);
        let left = ["p10", "p50", "p80", "p90"].map(|level| number(&prediction[level]));
        let calibration_seconds = std::array::from_fn(|place| left[place] - said[place] - corrector_seconds);
        Some(Self { said, corrector, corrector_seconds, calibration, calibration_seconds })
    }
}

impl fmt::Display for Learned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "  before    {}", quantiles(&self.said, false))?;
        if let Some(corrector) = &self.corrector {
            writeln!(out, "  corrector {}: all by {:+.1} s", plain_line(corrector), self.corrector_seconds)?;
        }
        if let Some(calibration) = &self.calibration {
            writeln!(out, "  calibration {}: {}", plain_line(calibration), quantiles(&self.calibration_seconds, true))?;
        }
        Ok(())
    }
}

/// With a sign where they are what something was moved by.
fn quantiles(seconds: &[f64; 4], is_move: bool) -> String {
    let one = |(level, seconds): (&str, &f64)| match is_move {
        true => format!("{level} {seconds:+.1}"),
        false => format!("{level} {seconds:.1}"),
    };
    let levels: Vec<String> = ["p10", "p50", "p80", "p90"].into_iter().zip(seconds).map(one).collect();
    format!("{} s", levels.join("  "))
}

/// One vector.
#[derive(Debug, Serialize)]
pub(super) struct Vector {
    pub(super) group: String,
    pub(super) of: String,
    /// At the instant of the prediction; below zero where it was written anew since; none where there is no vector.
    pub(super) age_seconds: Option<f64>,
}

/// One input.
#[derive(Debug, Serialize)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) value: Value,
    /// The seconds by which it moves the middle: what is said with it less what would be said if it were not known.
    pub(super) matters_seconds: Option<f64>,
}

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |name: &str| match &self.prediction[name] {
            Value::String(text) => plain_line(text),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        writeln!(
            out,
            "{}:{} of {}, {}{}",
            self.case,
            plain_line(&self.key),
            self.pipeline,
            said("stage"),
            if self.ended { ", ended" } else { "" }
        )?;
        writeln!(out, "\nSaid at {} because of {}", said("at"), said("trigger"))?;
        writeln!(
            out,
            "  arrives   {}   p10 {}  p50 {}  p80 {}  p90 {} s",
            said("arrives_at"),
            said("p10"),
            said("p50"),
            said("p80"),
            said("p90")
        )?;
        writeln!(out, "  promised  {}", said("promise_at"))?;
        match self.prediction["model"].is_null() {
            true => writeln!(out, "  by        no model; estimate {}", said("degraded"))?,
            false => writeln!(
                out,
                "  by        {} {}, {}; degraded {}",
                said("model"),
                said("version"),
                said("digest"),
                said("degraded")
            )?,
        }
        self.learned.iter().try_for_each(|learned| write!(out, "{learned}"))?;
        let by = match (&self.model, &self.fallback) {
            (_, Some(fallback)) => format!("by the estimate {fallback}, which is no model's"),
            (Some(digest), None) => format!("by the model {digest}"),
            (None, None) => "without a model".to_owned(),
        };
        writeln!(out, "\nSaid again of the same instant {by}")?;
        writeln!(out, "  {}", quantiles(&self.seconds, false))?;
        if self.seconds_learned != self.seconds {
            writeln!(out, "  {} with what outcomes have taught by now", quantiles(&self.seconds_learned, false))?;
        }
        writeln!(
            out,
            "  from what is known of it now and from vectors as they are now: what was served then may have been another value"
        )?;
        let age = |vector: &Vector| vector.age_seconds.map_or("not there".to_owned(), |age| format!("{age:.1} s"));
        let vectors: Vec<Vec<String>> =
            self.vectors.iter().map(|vector| vec![vector.group.clone(), plain_line(&vector.of), age(vector)]).collect();
        write!(out, "\n{}", table(&["vector", "of", "older than the prediction by"], &vectors))?;
        let inputs: Vec<Vec<String>> = self.inputs.iter().map(row).collect();
        write!(out, "\n{}", table(&["input", "value", "moves p50 by"], &inputs))
    }
}

fn row(input: &Input) -> Vec<String> {
    let value = match &input.value {
        Value::Null => "-".to_owned(),
        Value::String(label) => plain_line(label),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    };
    vec![input.name.clone(), value, input.matters_seconds.map_or(String::new(), |seconds| format!("{seconds:+.1} s"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_a_prediction_is_told_by_seconds() {
        let prediction = serde_json::json!({
            "said": [600.0, 900.0, 1200.0, 1500.0], "corrector": "00a", "corrector_seconds": 95.0, "calibration": "00b",
            "p10": 690.0, "p50": 1000.0, "p80": 1295.0, "p90": 1600.0,
        });
        let learned = Learned::of(&prediction).expect("something was applied");
        assert_eq!(learned.calibration_seconds, [-5.0, 5.0, 0.0, 5.0]);
        let expected = "  before    p10 600.0  p50 900.0  p80 1200.0  p90 1500.0 s\n  corrector 00a: all by +95.0 s\n  \
                        calibration 00b: p10 -5.0  p50 +5.0  p80 +0.0  p90 +5.0 s\n";
        assert_eq!(learned.to_string(), expected);
        assert_eq!(Learned::of(&serde_json::json!({ "corrector": null, "calibration": null })), None);
    }
}
