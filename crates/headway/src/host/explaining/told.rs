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
    /// The digest of the model that is asked now.
    pub(super) model: Option<String>,
    /// Which estimate says it again, if no model does.
    pub(super) fallback: Option<String>,
    /// What is said again of the instant of the prediction, in the order of the quantiles.
    pub(super) seconds: [f64; 4],
    pub(super) vectors: Vec<Vector>,
    pub(super) inputs: Vec<Input>,
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
        for state in ["corrector", "calibration"].into_iter().filter(|state| !self.prediction[*state].is_null()) {
            writeln!(out, "  {state:<10}{}", said(state))?;
        }
        let [p10, p50, p80, p90] = self.seconds;
        let by = match (&self.model, &self.fallback) {
            (_, Some(fallback)) => format!("by the estimate {fallback}, which is no model's"),
            (Some(digest), None) => format!("by the model {digest}"),
            (None, None) => "without a model".to_owned(),
        };
        writeln!(out, "\nSaid again of the same instant {by}")?;
        writeln!(out, "  p10 {p10:.1}  p50 {p50:.1}  p80 {p80:.1}  p90 {p90:.1} s")?;
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
