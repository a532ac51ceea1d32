//! The predictions of one partition whose cases have not ended, and what follows when they do. A function of what the scorer wrote:
//! never reads a clock, so that a restart that reads it again comes to the same.
//!
//! Time is the scorer's own, as its records tell it: while it is behind, nothing is closed that it has yet to speak of.

use std::{collections::BTreeMap, sync::Arc};

use domain::{Span, Timestamp};
use scoring::{Lesson, Slot, state::StateFault};

use super::{
    Cohort, Label, Outcome, Said,
    cohort::{CLOSED_AFTER, Cohorts},
};
use crate::scorer::{Ending, Life, Rules};

/// Predictions of one partition that wait for their outcome: ten thousand cases under way with forty each take about 200 MB.
const PENDING_MAX: usize = 400_000;
/// How often predictions are looked for whose case never ended.
const SWEEP_EVERY: Span = Span(10 * 60_000);
/// Beyond the longest that a case is known, its end may be written later by so much, since the scorer writes it when it hears of it.
const GRACE: Span = Span(3_600_000);

/// Something that goes out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// What became of a prediction.
    Outcome(Box<Outcome>),
    /// A case ended, and later events tell of another end.
    Contradiction {
        /// Which case.
        key: String,
        /// How it ended.
        ended: (Ending, Timestamp),
        /// What is told now.
        told: Ending,
    },
    /// An hour of predictions is closed.
    Cohort(Cohort),
    /// Something to learn from.
    Lesson(Lesson),
}

/// The predictions of one partition.
#[derive(Clone, Debug)]
pub struct Join {
    rules: Arc<Rules>,
    pending: BTreeMap<String, Vec<Pending>>,
    pending_count: usize,
    pending_max: usize,
    /// Cases that have ended and may still be heard of.
    ended: BTreeMap<String, End>,
    cohorts: Cohorts,
    swept_at: Option<Timestamp>,
}

/// A prediction that waits for its outcome.
#[derive(Clone, Debug)]
struct Pending {
    said: Said,
    /// Whether its outcome teaches: whether somebody learns, and it is the first of its case in its slot.
    slot: Option<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    ended: (Ending, Timestamp),
    began_at: Timestamp,
    told: Option<Ending>,
}

impl Join {
    /// Without any prediction.
    pub fn new(rules: Arc<Rules>) -> Self {
        Self::bounded(rules, PENDING_MAX)
    }

    fn bounded(rules: Arc<Rules>, pending_max: usize) -> Self {
        Self {
            rules,
            pending: BTreeMap::new(),
            pending_count: 0,
            pending_max,
            ended: BTreeMap::new(),
            cohorts: Cohorts::default(),
            swept_at: None,
        }
    }

    /// For so long what the scorer wrote may still matter.
    pub fn reaches_back(rules: &Rules) -> Span {
        let cohort = CLOSED_AFTER.0 + GRACE.0;
        Span(waits_at_most(rules).0.max(cohort) + SWEEP_EVERY.0 + GRACE.0)
    }

    /// How far the scorer's clock has come.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.cohorts.watermark()
    }

    /// How many predictions wait for their outcome.
    pub fn pending(&self) -> usize {
        self.pending_count
    }

    /// A prediction was made. False when its cohort was closed before it came.
    pub fn predicted(&mut self, said: Said, effects: &mut Vec<Effect>) -> bool {
        self.pass(said.at, effects);
        let is_in_time = self.cohorts.predicted(said.at, said.stage);
        if let Some(end) = self.ended.get(&said.key).copied() {
            self.conclude(Pending { said, slot: None }, Some(end), effects);
        } else if self.pending_count >= self.pending_max {
            self.conclude(Pending { said, slot: None }, None, effects);
        } else {
            self.wait_for(said, effects);
        }
        is_in_time
    }

    /// A case has changed, or is forgotten.
    ///
    /// # Errors
    ///
    /// When what was written is no case of this pipeline; nothing has changed then.
    pub fn changed(&mut self, key: &str, written: Option<&[u8]>, effects: &mut Vec<Effect>) -> Result<(), StateFault> {
        let Some(written) = written else {
            self.ended.remove(key);
            // A case is forgotten only when it has ended. If nobody could read how, nobody ever will.
            self.conclude_all(key, None, effects);
            return Ok(());
        };
        let life = Life::decode(self.rules.case(), written)?;
        self.pass(life.heard_until(), effects);
        let Some(ended) = life.ending().zip(life.ended_at()) else { return Ok(()) };
        let told = life.told_ending();
        match self.ended.get_mut(key) {
            None => {
                let end = End { ended, told, began_at: life.began_at().unwrap_or(ended.1) };
                self.ended.insert(key.to_owned(), end);
                self.conclude_all(key, Some(end), effects);
            }
            Some(end) if end.told != told => {
                end.told = told;
                let told = told.filter(|told| *told != ended.0);
                effects.extend(told.map(|told| Effect::Contradiction { key: key.to_owned(), ended, told }));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn wait_for(&mut self, said: Said, effects: &mut Vec<Effect>) {
        let waiting = self.pending.entry(said.key.clone()).or_default();
        let slot = said.slot(self.rules.case()).filter(|_| self.rules.case().learns());
        let slot = slot.filter(|slot| waiting.iter().all(|other| other.slot.as_ref() != Some(slot)));
        if let Some(slot) = &slot {
            let (case, area) = (said.key.clone(), said.area.clone().unwrap_or_default());
            let lesson = Lesson::Opened { case, slot: slot.clone(), area, median: said.said[1], at: said.at };
            effects.push(Effect::Lesson(lesson));
        }
        waiting.push(Pending { said, slot });
        self.pending_count += 1;
    }

    fn conclude_all(&mut self, key: &str, end: Option<End>, effects: &mut Vec<Effect>) {
        let waiting = self.pending.remove(key).unwrap_or_default();
        self.pending_count -= waiting.len();
        waiting.into_iter().for_each(|pending| self.conclude(pending, end, effects));
    }

    fn conclude(&mut self, pending: Pending, end: Option<End>, effects: &mut Vec<Effect>) {
        let Pending { said, slot } = pending;
        let label = end.map_or(Label::Unfollowed, |end| self.label(&end));
        self.cohorts.ended(said.at, said.stage, label);
        let outcome = Outcome { said, label, ended: end.map(|end| end.ended) };
        let lesson = slot.map(|slot| lesson(&outcome, slot));
        effects.push(Effect::Outcome(Box::new(outcome)));
        effects.extend(lesson.map(Effect::Lesson));
    }

    fn label(&self, end: &End) -> Label {
        let (ending, ended_at) = end.ended;
        let (shortest, longest) = self.rules.case().label;
        let took = ended_at.0.saturating_sub(end.began_at.0) as f64 / 1000.0;
        match ending {
            _ if end.told.is_some_and(|told| told != ending) => Label::Contradiction,
            Ending::Closed if (shortest..=longest).contains(&took) => Label::Taken,
            Ending::Closed => Label::OutOfRange,
            Ending::Ended(_) | Ending::Lost => Label::Censored,
        }
    }

    /// The scorer's clock has come to an instant.
    fn pass(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        effects.extend(self.cohorts.pass(now).into_iter().map(Effect::Cohort));
        if self.swept_at.is_some_and(|swept_at| now < swept_at.plus(SWEEP_EVERY)) {
            return;
        }
        self.swept_at = Some(now);
        let too_old = now.minus(waits_at_most(&self.rules));
        let is_over = |waiting: &[Pending]| waiting.first().is_some_and(|pending| pending.said.at < too_old);
        let over: Vec<String> = self.pending.iter().filter(|(_, waiting)| is_over(waiting)).map(|(key, _)| key.clone()).collect();
        over.iter().for_each(|key| self.conclude_all(key, None, effects));
    }
}

/// A prediction that has waited for longer waits in vain.
fn waits_at_most(rules: &Rules) -> Span {
    Span(rules.lasts_at_most().0 + GRACE.0)
}

/// What an outcome teaches of its slot.
fn lesson(outcome: &Outcome, slot: Slot) -> Lesson {
    let Said { key, area, said, corrector_seconds, at, .. } = &outcome.said;
    let case = key.clone();
    match (outcome.label, outcome.ended) {
        (Label::Taken, Some((_, closed_at))) => {
            let area = area.clone().unwrap_or_default();
            Lesson::Closed { case, slot, area, said: *said, seconds: *corrector_seconds, at: *at, closed_at }
        }
        _ => Lesson::Gone { case, slot },
    }
}

#[cfg(test)]
mod tests;
