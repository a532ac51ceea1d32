//! Cohorts: the predictions of one hour, and how many of them had an outcome when the hour was over for long enough. Whoever compares
//! errors has to know how many predictions there were of which nothing is known yet: those are the slow ones.

use std::collections::BTreeMap;

use domain::{Span, Timestamp};
use pipeline::Case;

use super::{Label, outcome::object};
use crate::json::quoted;

/// One hour of predictions is a cohort.
const LENGTH: Span = Span(3_600_000);
/// So long after its hour a cohort is closed: what has not ended by then is counted as open, and figures have not waited in vain.
pub(super) const CLOSED_AFTER: Span = Span(120 * 60_000);

/// How many predictions, by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub predictions: u64,
    /// With a label.
    pub taken: u64,
    /// Whose case ended otherwise or was lost.
    pub censored: u64,
    /// Which cannot be used: out of range, contradicted, not followed.
    pub unusable: u64,
}

/// A cohort that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cohort {
    /// When its hour began.
    pub begins_at: Timestamp,
    /// By the stage of the prediction.
    pub stages: BTreeMap<Option<usize>, Tally>,
}

/// The cohorts of one partition that are not closed yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Cohorts {
    open: BTreeMap<Timestamp, BTreeMap<Option<usize>, Tally>>,
    watermark: Option<Timestamp>,
}

impl Tally {
    /// Nobody knows yet.
    pub fn open(&self) -> u64 {
        self.predictions - self.taken - self.censored - self.unusable
    }

    fn count(&mut self, label: Label) {
        match label {
            Label::Taken => self.taken += 1,
            Label::Censored => self.censored += 1,
            Label::OutOfRange | Label::Contradiction | Label::Unfollowed => self.unusable += 1,
        }
    }

    fn members(&self) -> Vec<(String, String)> {
        let counts = [
            ("predictions", self.predictions),
            ("taken", self.taken),
            ("censored", self.censored),
            ("unusable", self.unusable),
            ("open", self.open()),
        ];
        counts.into_iter().map(|(name, count)| (name.to_owned(), count.to_string())).collect()
    }
}

impl Cohorts {
    /// How far the scorer's clock has come.
    pub(super) fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// A prediction was made. False when its cohort is closed already.
    pub(super) fn predicted(&mut self, at: Timestamp, stage: Option<usize>) -> bool {
        let begins_at = beginning(at);
        let is_open = !self.is_closed(begins_at);
        if is_open {
            self.open.entry(begins_at).or_default().entry(stage).or_default().predictions += 1;
        }
        is_open
    }

    /// One of its predictions has an outcome.
    pub(super) fn ended(&mut self, at: Timestamp, stage: Option<usize>, label: Label) {
        if let Some(tally) = self.open.get_mut(&beginning(at)).and_then(|stages| stages.get_mut(&stage)) {
            tally.count(label);
        }
    }

    /// The scorer's clock has come to an instant: what is closed by then.
    pub(super) fn pass(&mut self, now: Timestamp) -> Vec<Cohort> {
        self.watermark = self.watermark.max(Some(now));
        let mut closed = Vec::new();
        while let Some(first) =
            self.open.first_key_value().map(|(begins_at, _)| *begins_at).filter(|first| self.is_closed(*first))
        {
            let stages = self.open.remove(&first).unwrap_or_default();
            closed.push(Cohort { begins_at: first, stages });
        }
        closed
    }

    fn is_closed(&self, begins_at: Timestamp) -> bool {
        self.watermark.is_some_and(|watermark| begins_at.plus(LENGTH).plus(CLOSED_AFTER) <= watermark)
    }
}

impl Cohort {
    /// All its stages together.
    pub fn total(&self) -> Tally {
        self.stages.values().fold(Tally::default(), |sum, tally| Tally {
            predictions: sum.predictions + tally.predictions,
            taken: sum.taken + tally.taken,
            censored: sum.censored + tally.censored,
            unusable: sum.unusable + tally.unusable,
        })
    }

    /// As an object of JSON.
    pub(super) fn json(&self, case: &Case, partition: u32) -> String {
        let stage = |(stage, tally): (&Option<usize>, &Tally)| {
            let name = stage.map_or("", |stage| &*case.stages[stage].name);
            (name.to_owned(), object(&tally.members()))
        };
        let stages: Vec<(String, String)> = self.stages.iter().map(stage).collect();
        let mut members = vec![
            ("kind".to_owned(), quoted("cohort")),
            ("begins_at".to_owned(), quoted(&self.begins_at.to_string())),
            ("ends_at".to_owned(), quoted(&self.begins_at.plus(LENGTH).to_string())),
            ("partition".to_owned(), partition.to_string()),
        ];
        members.extend(self.total().members());
        members.push(("stages".to_owned(), object(&stages)));
        object(&members)
    }
}

fn beginning(at: Timestamp) -> Timestamp {
    at.minus(Span(at.0.rem_euclid(LENGTH.0)))
}
