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
    slots: BTreeMap<Slot, Tuned>,
}

/// What is applied to one slot.
#[derive(Clone, Debug, PartialEq)]
struct Tuned {
    adjustments: Adjustments,
    corrector: StateId,
    calibration: Calibration,
    calibrator: StateId,
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
    /// Applies what is known of a slot to what was said at an instant: first the corrector's seconds, then the offsets.
    /// Adjustments that are older than the half-life of what they were made of say nothing about now.
    pub fn applied(&self, slot: Option<&Slot>, area: &str, said: &Quantiles, at: Timestamp, half_life: Span) -> Applied {
        let Some(tuned) = slot.and_then(|slot| self.slots.get(slot)) else {
            return Applied::nothing(said);
        };
        let is_fresh = at.minus(half_life) <= tuned.adjustments.as_of();
        let seconds = if is_fresh { tuned.adjustments.seconds(area, 0) } else { 0.0 };
        Applied {
            left: tuned.calibration.calibrated(area, &said.shifted([seconds; 4])),
            seconds,
            corrector: is_fresh.then_some(tuned.corrector),
            calibration: Some(tuned.calibrator),
        }
    }

    /// The instant that the adjustments hold for; none when nothing is known.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.slots.values().map(|tuned| tuned.adjustments.as_of()).max()
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
        writer.word(self.slots.len() as u64);
        for (slot, tuned) in &self.slots {
            slot.write(&mut writer);
            writer.bytes(&tuned.adjustments.encode().0);
            writer.bytes(&tuned.calibration.encode().0);
        }
        writer.finish().0
    }

    /// What some bytes say, for a case with these rules.
    pub fn decode(case: &Case, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let mut slots = BTreeMap::new();
        for _ in 0..reader.count(Slot::BYTES_MIN)? {
            let slot = Slot::read(&mut reader)?;
            let adjustments = Adjustments::decode(reader.bytes()?)?;
            let calibration = Calibration::decode(case.calibration, reader.bytes()?)?;
            slots.insert(slot, Tuned::new(adjustments, calibration));
        }
        reader.finish()?;
        Ok(Self { slots })
    }
}

impl Applied {
    /// What was said, as it was said.
    pub fn nothing(said: &Quantiles) -> Self {
        Self { left: *said, seconds: 0.0, corrector: None, calibration: None }
    }
}

impl Tuned {
    fn new(adjustments: Adjustments, calibration: Calibration) -> Self {
        let (corrector, calibrator) = (adjustments.encode().1, calibration.encode().1);
        Self { adjustments, corrector, calibration, calibrator }
    }
}

#[cfg(test)]
mod tests;
