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
    /// What was read for it.
    pub(super) read: Option<Vectors>,
    /// Why inputs and columns are not there.
    pub(super) missing: Option<String>,
    pub(super) inputs: Vec<Input>,
    /// The row that was served: vectors, transforms, what the case carries, the calendar, and inputs.
    pub(super) columns: Vec<Column>,
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

    /// What is added to each quantile by whatever `part` says of its place.
    fn quantiles(part: impl Fn(usize) -> String) -> String {
        let all: Vec<String> = QUANTILES.iter().enumerate().map(|(place, name)| format!("{name} {}", part(place))).collect();
        all.join("  ")
    }

    /// What outcomes had taught, and by how much it moved what was said.
    fn write_taught(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let corrector = number(&self.prediction["corrector_seconds"]);
        if !self.prediction["corrector"].is_null() {
            writeln!(out, "  corrector    {corrector:+.1} s, by the state {}", self.said("corrector"))?;
        }
        if !self.prediction["calibration"].is_null() {
            let moved = |place: usize| {
                let (left, said) = (number(&self.prediction[QUANTILES[place]]), number(&self.prediction["said"][place]));
                format!("{:+.1}", left - said - corrector)
            };
            writeln!(out, "  calibration  {} s, by the state {}", Self::quantiles(moved), self.said("calibration"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.ended { ", ended" } else { "" };
        writeln!(out, "{}:{} of {}, {}{ended}", self.case, plain_line(&self.key), self.pipeline, self.said("stage"))?;
        writeln!(out, "\nSaid at {} because of {}", self.said("at"), self.said("trigger"))?;
        let left = Self::quantiles(|place| self.said(QUANTILES[place]));
        writeln!(out, "  arrives      {}   {left} s", self.said("arrives_at"))?;
        writeln!(out, "  promised     {}", self.said("promise_at"))?;
        match self.prediction["model"].is_null() {
            true => writeln!(out, "  by           no model; estimate {}", self.said("degraded"))?,
            false => {
                let (name, version) = (self.said("model"), self.said("version"));
                writeln!(out, "  by           {name} {version}, {}; degraded {}", self.said("digest"), self.said("degraded"))?;
            }
        }
        let said = Self::quantiles(|place| self.prediction["said"][place].to_string());
        writeln!(out, "  said         {said} s, before what outcomes had taught")?;
        self.write_taught(out)?;
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
        if let Some(why) = &self.missing {
            return write!(out, "\nWhat it was made of cannot be told: {}", plain_line(why));
        }
        let inputs: Vec<Vec<String>> = self.inputs.iter().map(row).collect();
        write!(out, "\n{}", table(&["input", "value", "moves p50 by"], &inputs))?;
        let is_input = |column: &&Column| self.inputs.iter().any(|input| input.name == column.name);
        let others = self.columns.iter().filter(|column| !is_input(column) && !column.value.is_null());
        let others: Vec<Vec<String>> = others.map(|column| vec![column.name.clone(), text(&column.value)]).collect();
        if others.is_empty() {
            return Ok(());
        }
        write!(out, "\n\nWhat else was known\n{}", table(&["column", "value"], &others))
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
