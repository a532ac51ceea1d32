//! An explanation as a page, and as an object for programs.

use std::fmt;

use scoring::Read;
use serde::Serialize;
use serde_json::Value;

use crate::{plain::plain_line, table::table};

/// What the quantiles of a prediction are called.
const QUANTILES: [&str; 4] = ["p10", "p50", "p80", "p90"];

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
    /// What was read for it.
    pub(super) read: Option<Vectors>,
    /// Why nobody can say what inputs mattered: they are not there, and columns are as far as the log tells what they are called.
    pub(super) missing: Option<String>,
    pub(super) inputs: Vec<Input>,
    /// The row that was served: vectors, transforms, what the case carries, the calendar, and inputs.
    pub(super) columns: Vec<Column>,
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
        let left = QUANTILES.map(|level| number(&prediction[level]));
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
    let levels: Vec<String> = QUANTILES.into_iter().zip(seconds).map(one).collect();
    format!("{} s", levels.join("  "))
}

/// The vectors of a row.
#[derive(Debug, Serialize)]
pub(super) struct Vectors {
    /// The instant of the oldest that was used.
    as_of: Option<String>,
    /// How long ago that was at the instant of the prediction.
    oldest_seconds: Option<f64>,
    missing: u32,
    unreadable: u32,
    outdated: u32,
    silent: u32,
}

/// One input.
#[derive(Debug, Serialize)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) value: Value,
    /// The seconds by which it moves the middle: what was said with it less what would be said if it were not known.
    pub(super) matters_seconds: Option<f64>,
}

/// One value of the row.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) value: Value,
}

impl From<Read> for Vectors {
    fn from(read: Read) -> Self {
        let Read { as_of, oldest, missing, unreadable, outdated, silent, .. } = read;
        let oldest_seconds = oldest.map(|oldest| oldest.0 as f64 / 1000.0);
        Self { as_of: as_of.map(|at| at.to_string()), oldest_seconds, missing, unreadable, outdated, silent }
    }
}

impl Explained {
    /// A member of the prediction.
    fn said(&self, name: &str) -> String {
        match &self.prediction[name] {
            Value::String(text) => plain_line(text),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.ended { ", ended" } else { "" };
        writeln!(out, "{}:{} of {}, {}{ended}", self.case, plain_line(&self.key), self.pipeline, self.said("stage"))?;
        writeln!(out, "\nSaid at {} because of {}", self.said("at"), self.said("trigger"))?;
        let left: Vec<String> = QUANTILES.iter().map(|name| format!("{name} {}", self.said(name))).collect();
        writeln!(out, "  arrives      {}   {} s", self.said("arrives_at"), left.join("  "))?;
        writeln!(out, "  promised     {}", self.said("promise_at"))?;
        match self.prediction["model"].is_null() {
            true => writeln!(out, "  by           no model; estimate {}", self.said("degraded"))?,
            false => {
                let (name, version) = (self.said("model"), self.said("version"));
                writeln!(out, "  by           {name} {version}, {}; degraded {}", self.said("digest"), self.said("degraded"))?;
            }
        }
        self.learned.iter().try_for_each(|learned| write!(out, "{learned}"))?;
        if let Some(read) = &self.read {
            let oldest = match (&read.as_of, read.oldest_seconds) {
                (Some(as_of), Some(seconds)) => format!("the oldest of {as_of}, {seconds:.1} s before"),
                _ => "none was used".to_owned(),
            };
            let Vectors { missing, unreadable, outdated, silent, .. } = read;
            writeln!(
                out,
                "  vectors      {oldest}; {missing} missing, {unreadable} unreadable, {outdated} outdated, {silent} silent"
            )?;
        }
        let else_known = match &self.missing {
            Some(why) if self.columns.is_empty() => {
                return write!(out, "\nWhat it was made of cannot be told: {}", plain_line(why));
            }
            Some(why) => {
                write!(out, "\nWhich input mattered how much cannot be told: {}", plain_line(why))?;
                "What was known"
            }
            None => {
                let inputs: Vec<Vec<String>> = self.inputs.iter().map(row).collect();
                write!(out, "\n{}", table(&["input", "value", "moves p50 by"], &inputs))?;
                "What else was known"
            }
        };
        let is_input = |column: &&Column| self.inputs.iter().any(|input| input.name == column.name);
        let others = self.columns.iter().filter(|column| !is_input(column) && !column.value.is_null());
        let others: Vec<Vec<String>> = others.map(|column| vec![column.name.clone(), text(&column.value)]).collect();
        if others.is_empty() {
            return Ok(());
        }
        write!(out, "\n\n{else_known}\n{}", table(&["column", "value"], &others))
    }
}

fn row(input: &Input) -> Vec<String> {
    let moves = input.matters_seconds.map_or(String::new(), |seconds| format!("{seconds:+.1} s"));
    vec![input.name.clone(), text(&input.value), moves]
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(label) => plain_line(label),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
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
