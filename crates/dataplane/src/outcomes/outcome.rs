//! What became of one prediction, as it goes out: one JSON object under the key of its case.

use domain::{Span, Timestamp};
use pipeline::Case;
use scoring::LEVELS;

use super::Said;
use crate::{json::quoted, scorer::Ending};

/// What an outcome is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The case was closed: this is how long it took.
    Taken,
    /// It ended otherwise or was lost: it would have taken longer than until then.
    Censored,
    /// It was closed sooner or later than the pipeline believes.
    OutOfRange,
    /// Events tell of two different ends.
    Contradiction,
    /// Nobody knows how it ended: its end was never told, or there was no room to wait for it.
    Unfollowed,
}

/// What became of one prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was said.
    pub said: Said,
    /// What it is worth.
    pub label: Label,
    /// How the case ended, and when; none when nobody knows.
    pub ended: Option<(Ending, Timestamp)>,
}

impl Label {
    /// Its word in records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Censored => "censored",
            Self::OutOfRange => "out_of_range",
            Self::Contradiction => "contradiction",
            Self::Unfollowed => "unfollowed",
        }
    }
}

impl Outcome {
    /// The seconds that were really left, when that is known.
    pub fn seconds(&self) -> Option<f64> {
        let (_, ended_at) = self.ended.filter(|_| self.label == Label::Taken)?;
        Some(seconds(self.said.at, ended_at))
    }

    /// As an object of JSON.
    pub fn json(&self, case: &Case) -> String {
        let Self { said, label, ended, .. } = self;
        let text = |text: Option<&str>| text.map_or("null".to_owned(), quoted);
        let number = |number: Option<f64>| number.map_or("null".to_owned(), |number| format!("{number:.1}"));
        let how = ended.map(|(ending, _)| ending_name(case, ending));
        let ended_at = ended.map(|(_, at)| at.to_string());
        let taken = self.seconds();
        let at_least = ended.filter(|_| *label == Label::Censored).map(|(_, at)| seconds(said.at, at));
        let late = ended.filter(|_| taken.is_some()).map(|(_, at)| seconds(said.promise_at, at));
        let stage = said.stage.map(|stage| &*case.stages[stage].name);
        let mut members = vec![
            ("kind".to_owned(), quoted("outcome")),
            ("id".to_owned(), quoted(&said.id)),
            (case.entity.clone(), quoted(&said.key)),
            ("trigger".to_owned(), quoted(&said.trigger)),
            ("stage".to_owned(), text(stage)),
            ("at".to_owned(), quoted(&said.at.to_string())),
            ("digest".to_owned(), text(said.digest.as_deref())),
            ("degraded".to_owned(), text(said.degraded.as_deref())),
            ("area".to_owned(), text(said.area.as_deref())),
            ("corrector".to_owned(), text(said.corrector.as_deref())),
            ("calibration".to_owned(), text(said.calibration.as_deref())),
            ("ended".to_owned(), text(how)),
            ("ended_at".to_owned(), text(ended_at.as_deref())),
            ("label".to_owned(), quoted(label.name())),
            ("seconds".to_owned(), number(taken)),
            ("seconds_at_least".to_owned(), number(at_least)),
            ("promise_late_seconds".to_owned(), number(late)),
        ];
        for (level, predicted) in LEVELS.iter().zip(said.left) {
            let level = format!("p{:.0}", level * 100.0);
            let covered = taken.map_or("null".to_owned(), |taken| (taken <= predicted).to_string());
            members.push((format!("{level}_error"), number(taken.map(|taken| taken - predicted))));
            members.push((format!("{level}_covered"), covered));
        }
        object(&members)
    }
}

/// How a case ended, by name.
pub(super) fn ending_name(case: &Case, ending: Ending) -> &str {
    match ending {
        Ending::Closed => "closed",
        Ending::Ended(place) => &case.ends[place].name,
        Ending::Lost => "lost",
    }
}

/// Names with values that are JSON already.
pub(super) fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    Span(until.0.saturating_sub(from.0)).0 as f64 / 1000.0
}
