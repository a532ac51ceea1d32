//! The cases of one partition: which events move them, when a prediction is due, and when one is over and forgotten.
//!
//! Events come in any order and any number of times. A case that is over is remembered for as long as an event of it may still come, so
//! that none opens it again. Never reads a clock: "now" is the append time of a record, or an instant that the caller passes in.

mod memory;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{Span, Timestamp};
use features::Told;
use pipeline::{Case, Pipeline, SourceKind};
use scoring::state::StateFault;

use super::{Ending, Life};

/// Cases of one partition at a time: more than a whole city has under way.
const CASES_MAX: usize = 200_000;
/// A key that is longer is no key that anybody meant.
const KEY_BYTES_MAX: usize = 1024;

/// What may be heard of cases.
#[derive(Clone, Debug)]
pub struct Rules {
    case: Case,
    /// By source, how far in the future an event may be and how late; none where there is no stream.
    times: Vec<Option<(Span, Span)>>,
    /// For so long after its end a case is remembered.
    remember: Span,
    cases_max: usize,
}

/// What became of what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// It was news.
    News,
    /// It was news, and a case begins with it that has come further than its first stage: nobody has told of that yet, or it was lost.
    Midway,
    /// It was known already, or says nothing of a case.
    Nothing,
    /// Stamped further in the future than its stream allows.
    Future,
    /// Older than its stream allows.
    Late,
    /// Of a case that is over.
    AfterEnd,
    /// That a case had ended otherwise before it ended as was told.
    Contradiction,
    /// Its key is empty or too long.
    NoKey,
    /// There are as many cases as there may be.
    OverCapacity,
}

impl Heard {
    /// In a word, for metrics and programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Midway => "midway",
            Self::Nothing => "nothing",
            Self::Future => "future",
            Self::Late => "late",
            Self::AfterEnd => "after_end",
            Self::Contradiction => "contradiction",
            Self::NoKey => "no_key",
            Self::OverCapacity => "over_capacity",
        }
    }
}

/// Why a prediction is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// The case has reached a stage, by this event.
    Reached {
        /// Place of the stage.
        stage: usize,
        /// Of the event.
        identity: u128,
    },
    /// It was time.
    Time(Timestamp),
}

/// Something that has to be told about a case, with the case as it was then.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// A prediction.
    Prediction {
        /// Of which case.
        key: String,
        /// Why.
        trigger: Trigger,
        /// When it fell due.
        at: Timestamp,
        /// What was known.
        life: Life,
    },
    /// That it is over.
    End {
        /// Of which case.
        key: String,
        /// How.
        ending: Ending,
        /// When that was heard.
        at: Timestamp,
        /// What was known.
        life: Life,
    },
}

/// The cases of one partition.
#[derive(Clone, Debug)]
pub struct Cases {
    rules: Arc<Rules>,
    lives: BTreeMap<String, Life>,
    /// When something happens to a case although nothing is heard of it: one instant each.
    timers: BTreeSet<(Timestamp, String)>,
    /// Cases that have changed since they were written down.
    changed: BTreeSet<String>,
    /// How many are not over.
    open: usize,
}

impl Rules {
    /// Of a pipeline; none when it predicts nothing.
    pub fn new(pipeline: &Pipeline) -> Option<Self> {
        let case = pipeline.case.clone()?;
        let times = pipeline.sources.iter().map(|source| match &source.kind {
            SourceKind::Stream(stream) => Some((stream.skew, stream.lateness)),
            _ => None,
        });
        let times: Vec<Option<(Span, Span)>> = times.collect();
        let told_by = case.stages.iter().chain(&case.ends).map(|told| told.source);
        let longest = told_by.filter_map(|source| times[source]).map(|(skew, lateness)| skew.0 + lateness.0).max();
        Some(Self { case, times, remember: Span(longest.unwrap_or(0)), cases_max: CASES_MAX })
    }

    /// Of a case that one stream tells of, for tests.
    #[cfg(test)]
    pub(crate) fn of_stream(case: Case, skew: Span, lateness: Span) -> Self {
        Self { case, times: vec![Some((skew, lateness))], remember: Span(skew.0 + lateness.0), cases_max: CASES_MAX }
    }

    /// The longest that a case is known.
    pub fn lasts_at_most(&self) -> Span {
        Span(self.case.longest.0 + self.remember.0)
    }

    /// What is predicted.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// When something happens to a case by itself.
    fn timer(&self, life: &Life) -> Timestamp {
        match life.ending {
            Some((_, heard_at)) => heard_at.plus(self.remember),
            None => life.next_at.unwrap_or(Timestamp(i64::MAX)).min(life.since.plus(self.case.longest)),
        }
    }
}

impl Cases {
    /// None yet.
    pub fn new(rules: Arc<Rules>) -> Self {
        Self { rules, lives: BTreeMap::new(), timers: BTreeSet::new(), changed: BTreeSet::new(), open: 0 }
    }

    /// A case, while it is known.
    pub fn get(&self, key: &str) -> Option<&Life> {
        self.lives.get(key)
    }

    /// How many are known, open or not.
    pub fn len(&self) -> usize {
        self.lives.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.lives.is_empty()
    }

    /// How many are known and not over.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Takes what a record of a source tells, which the log took at `now`, and adds what falls due to `due`.
    pub fn hear(&mut self, source: usize, told: &Told, now: Timestamp, due: &mut Vec<Due>) -> Heard {
        let rules = self.rules.clone();
        match rules.times.get(source).copied().flatten() {
            Some((skew, _)) if told.time > now.plus(skew) => return Heard::Future,
            Some((_, lateness)) if told.time < now.minus(lateness) => return Heard::Late,
            _ => {}
        }
        if told.key.is_empty() || told.key.len() > KEY_BYTES_MAX {
            return Heard::NoKey;
        }
        let is_known = self.lives.contains_key(&told.key);
        if !is_known && told.stages.is_empty() && told.ends.is_empty() {
            return Heard::Nothing;
        }
        if !is_known && self.lives.len() >= rules.cases_max {
            return Heard::OverCapacity;
        }
        let life = self.lives.entry(told.key.clone()).or_insert_with(|| Life::new(&rules.case, now));
        let timer = is_known.then(|| rules.timer(life));
        let (stage_before, told_before) = (life.stage(), life.told_ending());
        let was_open = is_known && life.ending.is_none();
        if !life.hear(told) {
            return if life.ending.is_some() { Heard::AfterEnd } else { Heard::Nothing };
        }
        let heard = match life.ending {
            None => {
                move_on(&rules.case, &told.key, life, stage_before, now, due);
                if is_known || told.stages.contains(&0) { Heard::News } else { Heard::Midway }
            }
            Some(_) if told_before != life.told_ending() => Heard::Contradiction,
            Some(_) => Heard::AfterEnd,
        };
        self.open = self.open + usize::from(life.ending.is_none()) - usize::from(was_open);
        self.changed.insert(told.key.clone());
        let next = rules.timer(&self.lives[&told.key]);
        self.reset(&told.key, timer, Some(next));
        heard
    }

    /// Lets time pass.
    pub fn pass(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        let (rules, mut unwritten) = (self.rules.clone(), Vec::new());
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, key)) = self.timers.pop_first() else { break };
            let is_unwritten = !self.changed.insert(key.clone());
            let Some(life) = self.lives.get_mut(&key).filter(|life| life.ending.is_none()) else {
                // Whoever reads what is written has to learn how a case ended: it is forgotten with the next step.
                match is_unwritten {
                    true => unwritten.push((at, key)),
                    false => drop(self.lives.remove(&key)),
                }
                continue;
            };
            if life.since.plus(rules.case.longest) <= at {
                life.ending = Some((Ending::Lost, at));
                self.open -= 1;
                life.next_at = None;
                due.push(Due::End { key: key.clone(), ending: Ending::Lost, at, life: life.clone() });
            } else {
                // What fell due while nobody was there falls due once.
                life.next_at = rules.case.triggers.every.map(|every| at.max(now).plus(every));
                due.push(Due::Prediction { key: key.clone(), trigger: Trigger::Time(at), at, life: life.clone() });
            }
            let next = rules.timer(life);
            self.timers.insert((next, key));
        }
        self.timers.extend(unwritten);
    }

    /// Remembers what was promised of a case that is open.
    pub fn promise(&mut self, key: &str, at: Timestamp) {
        if let Some(life) = self.lives.get_mut(key).filter(|life| life.ending.is_none()) {
            life.promise_at = Some(at);
            self.changed.insert(key.to_owned());
        }
    }

    /// What was promised of a case last.
    pub fn promised(&self, key: &str) -> Option<Timestamp> {
        self.lives.get(key)?.promise_at
    }

    /// When time has something to do.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whether any case has changed since changes were taken last.
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Each case that has changed since the last call, as it has to be written down: without a value when it was forgotten.
    pub fn take_changes(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let changed = std::mem::take(&mut self.changed);
        let written = |key: String| {
            let bytes = self.lives.get(&key).map(Life::encode);
            (key, bytes)
        };
        changed.into_iter().map(written).collect()
    }

    /// Takes what was written down, in that order.
    pub fn restore(&mut self, key: &str, written: Option<&[u8]>) -> Result<(), StateFault> {
        let life = written.map(|bytes| Life::decode(&self.rules.case, bytes)).transpose()?;
        let before = self.lives.remove(key);
        let opens = |life: &Option<Life>| usize::from(life.as_ref().is_some_and(|life| life.ending.is_none()));
        self.open = self.open + opens(&life) - opens(&before);
        let before = before.map(|life| self.rules.timer(&life));
        let next = life.as_ref().map(|life| self.rules.timer(life));
        self.lives.extend(life.map(|life| (key.to_owned(), life)));
        self.reset(key, before, next);
        Ok(())
    }

    fn reset(&mut self, key: &str, before: Option<Timestamp>, next: Option<Timestamp>) {
        if before != next {
            before.map(|at| self.timers.remove(&(at, key.to_owned())));
            next.map(|at| self.timers.insert((at, key.to_owned())));
        }
    }
}

/// What follows from news of a case that was not over.
fn move_on(case: &Case, key: &str, life: &mut Life, stage_before: Option<usize>, now: Timestamp, due: &mut Vec<Due>) {
    if let Some(ending) = life.told_ending() {
        life.ending = Some((ending, now));
        life.next_at = None;
        due.push(Due::End { key: key.to_owned(), ending, at: now, life: life.clone() });
        return;
    }
    let Some(stage) = life.stage().filter(|stage| Some(*stage) > stage_before) else { return };
    let is_trigger = case.triggers.stages.contains(&stage);
    if is_trigger || life.next_at.is_none() {
        life.next_at = case.triggers.every.map(|every| now.plus(every));
    }
    if let Some(trigger) = life.trigger(stage).filter(|_| is_trigger) {
        due.push(Due::Prediction { key: key.to_owned(), trigger, at: now, life: life.clone() });
    }
}

#[cfg(test)]
mod tests;
