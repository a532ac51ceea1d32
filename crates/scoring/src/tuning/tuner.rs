//! Who learns from outcomes: one corrector and one calibration for each slot, taught by one sequence of lessons. The same sequence gives
//! the same state; there is one writer of it, and never a merge.

use std::collections::BTreeMap;

use domain::Timestamp;
use pipeline::{CalibrationRules, Case, CorrectorRules, OutOfRange};

use super::{Lesson, SLOTS_MAX, Slot, Tuned, Tuning};
use crate::state::{Mark, Reader, StateFault, StateId, Writer};
use crate::{Calibration, Corrector, Quantiles};

const MARK: Mark = (b"htr1", "state of a tuner");

/// What was learned of all slots, as far as it is declared that anything is.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuner {
    corrector: Option<CorrectorRules>,
    calibration: Option<CalibrationRules>,
    slots: BTreeMap<Slot, Learner>,
    /// Lessons so far.
    heard: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Learner {
    corrector: Option<Corrector>,
    calibration: Option<Calibration>,
    /// The number of the lesson that taught it last.
    taught: u64,
}

impl Tuner {
    /// Without any lesson.
    pub fn new(case: &Case) -> Self {
        Self { corrector: case.corrector, calibration: case.calibration, slots: BTreeMap::new(), heard: 0 }
    }

    /// Learns. What does not fit to what was heard before - an end of a case that is not followed - teaches no corrector.
    pub fn hear(&mut self, lesson: &Lesson) {
        self.heard += 1;
        let heard = self.heard;
        let learner = self.learner(lesson.slot());
        learner.taught = heard;
        match lesson {
            Lesson::Opened { case, area, median, at, .. } => {
                if let Some(corrector) = &mut learner.corrector {
                    corrector.opened(case, area, &[*median], *at);
                }
            }
            Lesson::Gone { case, .. } => learner.corrector.iter_mut().for_each(|corrector| corrector.cancelled(case)),
            Lesson::Closed { case, area, said, seconds, at, closed_at, .. } => {
                learner.corrector.iter_mut().for_each(|corrector| corrector.ended(case, 0, *closed_at));
                let taken = closed_at.0.saturating_sub(at.0) as f64 / 1000.0;
                if let Some((calibration, said)) = learner.calibration.as_mut().zip(Quantiles::rearranged(*said)) {
                    calibration.closed(area, &said.shifted([*seconds; 4]), taken);
                }
            }
        }
    }

    /// What to apply from now on.
    pub fn tuning(&mut self, now: Timestamp) -> Tuning {
        let adjustments = |corrector: &mut Corrector| corrector.adjustments(now);
        let tuned = |learner: &mut Learner| Tuned::new(learner.corrector.as_mut().map(adjustments), learner.calibration.clone());
        Tuning { as_of: now, slots: self.slots.iter_mut().map(|(slot, learner)| (slot.clone(), tuned(learner))).collect() }
    }

    /// How many cases it follows that are open, each once for each slot.
    pub fn open(&self) -> usize {
        self.slots.values().filter_map(|learner| learner.corrector.as_ref()).map(Corrector::orders_open).sum()
    }

    /// How many lessons it has heard.
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// The state in bytes, to go on from, and its id.
    pub fn encode(&self) -> (Vec<u8>, StateId) {
        let mut writer = Writer::new(MARK);
        writer.word(self.heard);
        writer.word(self.slots.len() as u64);
        for (slot, learner) in &self.slots {
            slot.write(&mut writer);
            writer.word(learner.taught);
            // What is not declared has no bytes.
            writer.bytes(&learner.corrector.as_ref().map_or(Vec::new(), |corrector| corrector.encode().0));
            writer.bytes(&learner.calibration.as_ref().map_or(Vec::new(), |calibration| calibration.encode().0));
        }
        writer.finish()
    }

    /// The state of some bytes, to go on from by the rules of a case. A corrector of another half-life begins anew: what it
    /// weighed cannot be weighed otherwise. What is declared no longer is forgotten, and what is declared since begins.
    pub fn decode(case: &Case, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let mut tuner = Self::new(case);
        tuner.heard = reader.word()?;
        for _ in 0..reader.count(Slot::BYTES_MIN)? {
            let (slot, taught) = (Slot::read(&mut reader)?, reader.word()?);
            let (corrector, calibration) = (reader.bytes()?, reader.bytes()?);
            let mut learner = Learner { taught, ..tuner.fresh() };
            if let Some(rules) = case.corrector.filter(|_| !corrector.is_empty()) {
                match Corrector::decode(rules, corrector) {
                    Err(StateFault::Foreign(_)) => {}
                    other => learner.corrector = Some(other?),
                }
            }
            if let Some(rules) = case.calibration.filter(|_| !calibration.is_empty()) {
                learner.calibration = Some(Calibration::decode(rules, calibration)?);
            }
            tuner.slots.insert(slot, learner);
        }
        reader.finish()?;
        Ok(tuner)
    }

    fn learner(&mut self, slot: &Slot) -> &mut Learner {
        if !self.slots.contains_key(slot) && self.slots.len() >= SLOTS_MAX {
            let stalest = self.slots.iter().min_by_key(|(_, learner)| learner.taught).map(|(slot, _)| slot.clone());
            stalest.map(|slot| self.slots.remove(&slot));
        }
        let fresh = self.fresh();
        self.slots.entry(slot.clone()).or_insert(fresh)
    }

    fn fresh(&self) -> Learner {
        Learner {
            corrector: self.corrector.map(|rules| checked(Corrector::new(rules))),
            calibration: self.calibration.map(|rules| checked(Calibration::new(rules))),
            taught: 0,
        }
    }
}

/// What a resolved pipeline declares.
fn checked<T>(result: Result<T, OutOfRange>) -> T {
    result.unwrap_or_else(|fault| panic!("this was checked when the spec was read: {fault}"))
}
