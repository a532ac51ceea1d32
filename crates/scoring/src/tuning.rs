//! What outcomes have taught, as scorers apply it: for each *slot* the adjustments of a corrector and the offsets of a calibration, both
//! with the ids that predictions name. A slot is who speaks - a model, or a fallback - at which stage of a case: what is learned of one
//! says nothing of another. `lesson` is what is taught, and `tuner` who learns it. Never reads a clock.

mod lesson;
mod tuner;

use std::collections::BTreeMap;

use domain::{Span, Timestamp};
use pipeline::Case;

pub use self::lesson::{Lesson, Slot};
pub use self::tuner::Tuner;
use crate::state::{Mark, Reader, StateFault, StateId, Writer};
use crate::{Adjustments, Calibration, Quantiles};

const MARK: Mark = (b"htu1", "tuning");
/// Eight speakers at eight stages. Beyond it the slot that was not taught for longest is forgotten.
const SLOTS_MAX: usize = 64;

/// What is applied to predictions at present. Empty until outcomes have taught something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    as_of: Timestamp,
    slots: BTreeMap<Slot, Tuned>,
}

/// What is applied to one slot, each with its id: as much of it as is declared.
#[derive(Clone, Debug, PartialEq)]
struct Tuned {
    corrector: Option<(Adjustments, StateId)>,
    calibration: Option<(Calibration, StateId)>,
}

/// A prediction with everything applied, and what that was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// The time that is left.
    pub left: Quantiles,
    /// What the corrector added to each quantile.
    pub seconds: f64,
    /// The adjustments that were applied; none where there are none, or where they are too old.
    pub corrector: Option<StateId>,
    /// The calibration that was applied.
    pub calibration: Option<StateId>,
}

impl Tuning {
    /// Applies what is known of a slot, as far as the case declares it, to what was said at an instant: first the corrector's seconds,
    /// then the offsets. Adjustments that are older than the half-life of what they were made of say nothing about now.
    pub fn applied(&self, case: &Case, slot: Option<&Slot>, area: &str, said: &Quantiles, at: Timestamp) -> Applied {
        let Some(tuned) = slot.and_then(|slot| self.slots.get(slot)) else {
            return Applied::nothing(said);
        };
        let is_fresh = |half_life: Span| at.minus(half_life) <= self.as_of;
        let corrector = tuned.corrector.as_ref().filter(|_| case.corrector.is_some_and(|rules| is_fresh(rules.half_life)));
        let calibration = tuned.calibration.as_ref().filter(|_| case.calibration.is_some());
        let seconds = corrector.map_or(0.0, |(adjustments, _)| adjustments.seconds(area, 0));
        let corrected = said.shifted([seconds; 4]);
        Applied {
            left: calibration.map_or(corrected, |(calibration, _)| calibration.calibrated(area, &corrected)),
            seconds,
            corrector: corrector.map(|(_, id)| *id),
            calibration: calibration.map(|(_, id)| *id),
        }
    }

    /// The instant that it holds for; none when nothing is known.
    pub fn as_of(&self) -> Option<Timestamp> {
        (!self.is_empty()).then_some(self.as_of)
    }

    /// Of how many slots something is known.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// In bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(MARK);
        writer.word(self.as_of.0.cast_unsigned());
        writer.word(self.slots.len() as u64);
        for (slot, tuned) in &self.slots {
            slot.write(&mut writer);
            // What is not declared has no bytes.
            writer.bytes(&tuned.corrector.as_ref().map_or(Vec::new(), |(adjustments, _)| adjustments.encode().0));
            writer.bytes(&tuned.calibration.as_ref().map_or(Vec::new(), |(calibration, _)| calibration.encode().0));
        }
        writer.finish().0
    }

    /// What some bytes say, for a case with these rules.
    pub fn decode(case: &Case, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let as_of = Timestamp(reader.word()?.cast_signed());
        let mut slots = BTreeMap::new();
        for _ in 0..reader.count(Slot::BYTES_MIN)? {
            let slot = Slot::read(&mut reader)?;
            let (adjustments, calibration) = (reader.bytes()?, reader.bytes()?);
            let adjustments = (!adjustments.is_empty()).then(|| Adjustments::decode(adjustments)).transpose()?;
            let rules = case.calibration.filter(|_| !calibration.is_empty());
            let calibration = rules.map(|rules| Calibration::decode(rules, calibration)).transpose()?;
            slots.insert(slot, Tuned::new(adjustments, calibration));
        }
        reader.finish()?;
        Ok(Self { as_of, slots })
    }
}

impl Applied {
    /// What was said, as it was said.
    pub fn nothing(said: &Quantiles) -> Self {
        Self { left: *said, seconds: 0.0, corrector: None, calibration: None }
    }
}

impl Tuned {
    fn new(adjustments: Option<Adjustments>, calibration: Option<Calibration>) -> Self {
        let named = |adjustments: Adjustments| {
            let (_, id) = adjustments.encode();
            (adjustments, id)
        };
        let identified = |calibration: Calibration| {
            let (_, id) = calibration.encode();
            (calibration, id)
        };
        Self { corrector: adjustments.map(named), calibration: calibration.map(identified) }
    }
}

#[cfg(test)]
mod tests;
