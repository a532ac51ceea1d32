//! One partition of the outcomes role: records go in, and what goes out comes out of them. Pure; commits nothing.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use ports::{Assignment, Outgoing, Position, Record};
use scoring::Lesson;

use super::{
    Effect, Join, Label, Outcome, Said,
    lanes::{LANES, Lanes},
    outcome::{ending_name, object},
};
use crate::{Topics, json::quoted, scorer::Rules};

/// Lessons in one record: about a hundred kilobytes.
const LESSONS_MAX: usize = 500;

/// What became of predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Outcomes, by what they are worth.
    pub outcomes: BTreeMap<Label, u64>,
    /// What those are about that have a label, by the stage of the prediction. There is none by area: a city has hundreds.
    pub errors: BTreeMap<Option<usize>, Errors>,
    /// Cases of which another end was told afterwards.
    pub contradictions: u64,
    /// Hours of predictions that are closed, of each partition.
    pub cohorts: u64,
    /// Predictions that came when their cohort was closed.
    pub late: u64,
    /// Records that are no prediction, and cases that cannot be read.
    pub unreadable: u64,
    /// Things to learn that were told.
    pub lessons: u64,
    /// Predictions that wait for their outcome.
    pub pending: u64,
}

/// Errors of predictions that have a label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// How many.
    pub count: u64,
    /// The seconds by which they took longer than their median, added up.
    pub seconds: f64,
    /// The same without their sign.
    pub absolute_seconds: f64,
    /// How many stayed below each quantile.
    pub covered: [u64; 4],
    /// How many came later than promised.
    pub broken_promises: u64,
}

/// The state of one partition.
pub(super) struct Partition {
    pub(super) join: Join,
    pub(super) lanes: Lanes,
    rules: Arc<Rules>,
    /// For each topic, the first record that was not taken.
    positions: [Option<u64>; LANES],
    taken: bool,
}

impl Partition {
    /// With the topics of predictions and cases, after what was read before was read again.
    pub(super) fn new(rules: Arc<Rules>, topics: &[Arc<str>; LANES], assignment: &Assignment, more: [bool; LANES]) -> Self {
        let positions = std::array::from_fn(|lane| assignment.next(&topics[lane]));
        Self { join: Join::new(rules.clone()), lanes: Lanes::new(more), rules, positions, taken: false }
    }

    /// Takes what may be taken.
    pub(super) fn take(&mut self, counts: &mut Counts) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some((lane, record)) = self.lanes.next() {
            self.positions[lane] = Some(record.offset + 1);
            self.taken = true;
            hear(&mut self.join, self.rules.case(), lane, &record, &mut effects, counts);
        }
        effects.iter().for_each(|effect| counts.count(effect));
        effects
    }

    /// Positions that were not committed; none when nothing was taken.
    pub(super) fn take_positions(&mut self, topics: &[Arc<str>; LANES]) -> Option<Vec<Position>> {
        if !std::mem::take(&mut self.taken) {
            return None;
        }
        let position = |(topic, next): (&Arc<str>, &Option<u64>)| Some(Position { topic: topic.clone(), next: (*next)? });
        Some(topics.iter().zip(&self.positions).filter_map(position).collect())
    }

    /// What goes out.
    pub(super) fn outgoing(&self, effects: Vec<Effect>, topics: &Topics, partition: u32) -> Vec<Outgoing> {
        let case = self.rules.case();
        let (topic, mut lessons, mut outputs) = (topics.outcomes(), Vec::new(), Vec::new());
        let mut tell = |key: &str, value: String| {
            let (key, value) = (Bytes::copy_from_slice(key.as_bytes()), Bytes::from(value));
            outputs.push(Outgoing { topic: topic.clone(), partition, key, value, headers: Vec::new() });
        };
        for effect in effects {
            match effect {
                Effect::Outcome(outcome) => tell(&outcome.said.key, outcome.json(case)),
                Effect::Cohort(cohort) => tell("", cohort.json(case, partition)),
                Effect::Lesson(lesson) => lessons.push(lesson),
                Effect::Contradiction { key, ended: (ending, at), told } => {
                    let members = [
                        ("kind", "contradiction"),
                        (&*case.entity, &*key),
                        ("ended", ending_name(case, ending)),
                        ("ended_at", &*at.to_string()),
                        ("told", ending_name(case, told)),
                    ];
                    tell(&key, object(&members.map(|(name, value)| (name.to_owned(), quoted(value)))));
                }
            }
        }
        let lessons = lessons.chunks(LESSONS_MAX).map(|lessons| Outgoing {
            topic: topics.lessons(),
            partition: 0,
            key: Bytes::new(),
            value: Lesson::encode(lessons).into(),
            headers: Vec::new(),
        });
        outputs.into_iter().chain(lessons).collect()
    }
}

/// Takes a record of a topic.
pub(super) fn hear(
    join: &mut Join,
    case: &pipeline::Case,
    lane: usize,
    record: &Record,
    effects: &mut Vec<Effect>,
    counts: &mut Counts,
) {
    if lane == 0 {
        match Said::read(case, &record.key, &record.value) {
            Some(said) => counts.late += u64::from(!join.predicted(said, effects)),
            None => counts.unreadable += 1,
        }
        return;
    }
    let key = String::from_utf8_lossy(&record.key);
    let written = (!record.value.is_empty()).then_some(&*record.value);
    if join.changed(&key, written, effects).is_err() {
        counts.unreadable += 1;
    }
}

impl Counts {
    /// Counts of two workers as one.
    pub fn add(&mut self, other: &Self) {
        other.outcomes.iter().for_each(|(label, count)| *self.outcomes.entry(*label).or_default() += count);
        other.errors.iter().for_each(|(stage, errors)| self.errors.entry(*stage).or_default().add(errors));
        self.contradictions += other.contradictions;
        self.cohorts += other.cohorts;
        self.late += other.late;
        self.unreadable += other.unreadable;
        self.lessons += other.lessons;
        self.pending += other.pending;
    }

    /// Outcomes, whatever they are worth.
    pub fn total(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Errors of all predictions that have a label.
    pub fn errors(&self) -> Errors {
        let mut all = Errors::default();
        self.errors.values().for_each(|errors| all.add(errors));
        all
    }

    fn count(&mut self, effect: &Effect) {
        match effect {
            Effect::Outcome(outcome) => self.count_outcome(outcome),
            Effect::Contradiction { .. } => self.contradictions += 1,
            Effect::Cohort(_) => self.cohorts += 1,
            Effect::Lesson(_) => self.lessons += 1,
        }
    }

    fn count_outcome(&mut self, outcome: &Outcome) {
        *self.outcomes.entry(outcome.label).or_default() += 1;
        let Some(taken) = outcome.seconds() else { return };
        let said = &outcome.said;
        let error = taken - said.left[1];
        let is_late = outcome.ended.is_some_and(|(_, ended_at)| said.promise_at < ended_at);
        self.errors.entry(said.stage).or_default().add(&Errors {
            count: 1,
            seconds: error,
            absolute_seconds: error.abs(),
            covered: said.left.map(|left| u64::from(taken <= left)),
            broken_promises: u64::from(is_late),
        });
    }
}

impl Errors {
    /// Errors of two kinds of predictions as those of one.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.seconds += other.seconds;
        self.absolute_seconds += other.absolute_seconds;
        self.covered.iter_mut().zip(other.covered).for_each(|(covered, more)| *covered += more);
        self.broken_promises += other.broken_promises;
    }
}
