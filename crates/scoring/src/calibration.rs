//! Online conformal calibration: offsets for the quantiles of each area that follow what really happens, order by order.
//!
//! Each quantile has a *tracker*: when an order takes longer than its calibrated quantile, the offset rises by a step times the level;
//! when it does not, the offset falls by a step times the rest. In balance the share of orders below the quantile is its level,
//! whatever the distribution is and however it moves: that is adaptive conformal inference on the quantiles of a model. Steps begin long
//! and become shorter, but never shorter than declared, so that a shift is followed at any age.
//!
//! An area begins with the offsets of all areas, and is held back towards them until it has orders of its own. The state is a function of
//! the *sequence* of closed orders: strictly ordered, never merged. One writer computes it; others read its bytes.
//! This file knows no time, and looks at no feature.

use std::collections::BTreeMap;

use domain::{Evidence, shrunk};
use pipeline::{CalibrationRules, OutOfRange};

use crate::quantiles::{LEVELS, Quantiles};
use crate::state::{Mark, Reader, StateFault, StateId, Writer, is_key};

const MARK: Mark = (b"hca1", "calibration state");

/// Areas beyond these have the offsets of all. A state of so many takes about 8 MB; cities have hundreds.
const AREAS_MAX: usize = 100_000;

/// The offsets of all areas, as far as orders have closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    rules: CalibrationRules,
    all: Tracker,
    areas: BTreeMap<String, Tracker>,
}

/// The offsets of one area.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tracker {
    closed: u64,
    offsets: [f64; 4],
}

impl Calibration {
    /// Without any order.
    pub fn new(rules: CalibrationRules) -> Result<Self, OutOfRange> {
        rules.check()?;
        Ok(Self { rules, all: Tracker::default(), areas: BTreeMap::new() })
    }

    /// The quantiles of a prediction with the offsets of its area.
    pub fn calibrated(&self, area: &str, predicted: &Quantiles) -> Quantiles {
        predicted.shifted(self.offsets(area))
    }

    /// What is added at each of [`LEVELS`] in an area.
    pub fn offsets(&self, area: &str) -> [f64; 4] {
        let Some(own) = self.areas.get(area) else { return self.all.offsets };
        std::array::from_fn(|place| {
            let evidence = |tracker: &Tracker| Evidence {
                value: Some(tracker.offsets[place]),
                n: tracker.closed as f64,
                strength: self.rules.strength,
            };
            shrunk(&[evidence(own), evidence(&self.all)]).unwrap_or(0.0)
        })
    }

    /// An order of an area has closed after so many seconds. `predicted` are its quantiles as [`Calibration::calibrated`] was given them:
    /// what offsets were there at that time plays no part, so the delay between prediction and outcome does not bend the state.
    pub fn closed(&mut self, area: &str, predicted: &Quantiles, seconds: f64) {
        if !seconds.is_finite() {
            return;
        }
        let residuals = predicted.seconds().map(|quantile| seconds - quantile);
        if !self.areas.contains_key(area) && self.areas.len() < AREAS_MAX && is_key(area) {
            self.areas.insert(area.into(), Tracker { closed: 0, ..self.all });
        }
        if let Some(own) = self.areas.get_mut(area) {
            own.follow(residuals, &self.rules);
        }
        self.all.follow(residuals, &self.rules);
    }

    /// How many orders have closed.
    pub fn orders(&self) -> u64 {
        self.all.closed
    }

    /// The state in bytes, and the id that predictions name.
    pub fn encode(&self) -> (Vec<u8>, StateId) {
        let mut writer = Writer::new(MARK);
        self.all.write(&mut writer);
        writer.word(self.areas.len() as u64);
        for (area, tracker) in &self.areas {
            writer.key(area);
            tracker.write(&mut writer);
        }
        writer.finish()
    }

    /// The state of some bytes. Offsets beyond the rules, which may have changed since, are taken to their edge.
    pub fn decode(rules: CalibrationRules, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let all = Tracker::read(&mut reader, &rules)?;
        let mut areas = BTreeMap::new();
        for _ in 0..reader.count(48)? {
            areas.insert(reader.key()?, Tracker::read(&mut reader, &rules)?);
        }
        reader.finish()?;
        Ok(Self { rules, all, areas })
    }
}

impl Tracker {
    /// One step of each offset, down the gradient of the pinball loss.
    fn follow(&mut self, residuals: [f64; 4], rules: &CalibrationRules) {
        self.closed = self.closed.saturating_add(1);
        let step = (rules.step_first / (self.closed as f64).sqrt()).max(rules.step_last);
        for ((offset, level), residual) in self.offsets.iter_mut().zip(LEVELS).zip(residuals) {
            let push = if residual > *offset { level } else { level - 1.0 };
            *offset = (*offset + step * push).clamp(-rules.offset_max, rules.offset_max);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.word(self.closed);
        self.offsets.iter().for_each(|offset| writer.number(*offset));
    }

    fn read(reader: &mut Reader<'_>, rules: &CalibrationRules) -> Result<Self, StateFault> {
        let closed = reader.word()?;
        let mut offsets = [0.0; 4];
        for offset in &mut offsets {
            *offset = reader.number()?.clamp(-rules.offset_max, rules.offset_max);
        }
        Ok(Self { closed, offsets })
    }
}

#[cfg(test)]
mod tests;
