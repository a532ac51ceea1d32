//! The bias corrector: how much longer than predicted orders of an area take at present, by those that have closed lately and those
//! that are still open. It keeps the predictions honest between two trainings.
//!
//! An order has *stages*, one after the other, each with a prediction of its own; with only one prediction there is one stage. A stage
//! teaches as soon as it ends, so that slow kitchens are seen before the first slow order has been delivered. What is left of an order is
//! corrected by the stages that are still ahead of it. Residuals decay by when their stage *began*, ended or not, because open ones have no
//! end to decay by; `curve` makes a mean of both kinds.
//!
//! The state is a function of the sequence of calls: strictly ordered, never merged. One writer computes it; scorers read
//! [`Adjustments`]. This file never reads a clock.

mod adjustments;
mod curve;

use std::collections::BTreeMap;

use domain::{Evidence, Span, Timestamp, shrunk};
use pipeline::{CorrectorRules, OutOfRange};

pub use self::adjustments::Adjustments;
use self::curve::{Censored, Curve};
use crate::state::{Mark, Reader, StateFault, StateId, Writer, is_key};

const MARK: Mark = (b"hco1", "corrector state");

/// Orders under way in the largest city for an evening: about 40 MB. Beyond it orders are not followed until others end.
const OPEN_MAX: usize = 200_000;
/// See `calibration`: cities have hundreds.
const AREAS_MAX: usize = 100_000;
/// Weights grow with time instead of shrinking, and are brought down by this many halvings at once: exactly, and long before a
/// double overflows.
const HALVINGS: i32 = 64;
/// What is lighter than a millionth of an order, which takes a day and a half to become of one, is forgotten.
const WEIGHT_MIN: f64 = 1e-6;

/// Residuals of all areas, and the orders under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrector {
    rules: CorrectorRules,
    /// A stage that began then weighs one.
    reference: Option<Timestamp>,
    all: Vec<Curve>,
    areas: BTreeMap<String, Vec<Curve>>,
    open: BTreeMap<String, Open>,
}

/// An order under way.
#[derive(Clone, Debug, PartialEq)]
struct Open {
    area: String,
    stage: usize,
    began_at: Timestamp,
    /// Seconds, for each stage.
    predicted: Vec<f64>,
}

impl Corrector {
    /// Without any order.
    pub fn new(rules: CorrectorRules) -> Result<Self, OutOfRange> {
        rules.check()?;
        let all = vec![Curve::default(); rules.stages];
        Ok(Self { rules, reference: None, all, areas: BTreeMap::new(), open: BTreeMap::new() })
    }

    /// An order of an area was predicted to take so many seconds for each stage. The first prediction of an order counts, later ones
    /// and predictions that are no numbers do not. Says whether the order is followed.
    pub fn opened(&mut self, order: &str, area: &str, predicted: &[f64], at: Timestamp) -> bool {
        let is_known = self.open.contains_key(order);
        let is_sound = predicted.len() == self.rules.stages && predicted.iter().all(|seconds| seconds.is_finite());
        if is_known || !is_sound || self.open.len() >= OPEN_MAX || !is_key(order) || !is_key(area) {
            return is_known;
        }
        self.move_reference(at);
        let open = Open { area: area.into(), stage: 0, began_at: at, predicted: predicted.into() };
        self.open.insert(order.into(), open);
        true
    }

    /// A stage of an order has ended, and the next one begins if there is one. What has been told before changes nothing; an order
    /// that skips a stage is not followed any more, since nobody knows which of the two took how long.
    pub fn ended(&mut self, order: &str, stage: usize, at: Timestamp) {
        let Some(mut open) = self.open.remove(order) else { return };
        if stage > open.stage {
            return;
        }
        if stage == open.stage {
            self.learn(&open, at);
            open.stage += 1;
            open.began_at = at.max(open.began_at);
            self.move_reference(open.began_at);
        }
        if open.stage < self.rules.stages {
            self.open.insert(order.into(), open);
        }
    }

    /// An order will not be delivered: it says nothing.
    pub fn cancelled(&mut self, order: &str) {
        self.open.remove(order);
    }

    /// What to add to predictions from now on. Orders that were lost are forgotten.
    pub fn adjustments(&mut self, now: Timestamp) -> Adjustments {
        self.open.retain(|_, open| now.minus(self.rules.longest) <= open.began_at);
        let mut open_of_all = vec![Vec::new(); self.rules.stages];
        let mut open_of_area: BTreeMap<&str, Vec<Vec<Censored>>> = BTreeMap::new();
        for open in self.open.values().filter(|open| open.began_at <= now) {
            let age = seconds_between(open.began_at, now);
            let censored = Censored { at_least: age - open.predicted[open.stage], weight: self.weight(open.began_at) };
            open_of_all[open.stage].push(censored);
            let of_area = open_of_area.entry(&open.area).or_insert_with(|| vec![Vec::new(); self.rules.stages]);
            of_area[open.stage].push(censored);
        }
        let decay = 1.0 / self.weight(now);
        let evidence = |curve: &Curve, open: &[Censored]| Evidence {
            value: curve.mean(open),
            n: curve.weight() * decay,
            strength: self.rules.strength,
        };
        // What is not known is right as predicted.
        let prior = Evidence { value: Some(0.0), n: 1.0, strength: 0.0 };
        let above: Vec<Evidence> = self.all.iter().zip(&open_of_all).map(|(curve, open)| evidence(curve, open)).collect();
        let bounded = |narrow_to_broad: &[Evidence]| {
            let seconds = shrunk(narrow_to_broad).unwrap_or(0.0);
            seconds.clamp(-self.rules.adjustment_max, self.rules.adjustment_max)
        };
        let areas = self.areas.iter().map(|(area, curves)| {
            let none = vec![Vec::new(); self.rules.stages];
            let open = open_of_area.get(area.as_str()).unwrap_or(&none);
            let own = curves.iter().zip(open).map(|(curve, open)| evidence(curve, open));
            let stages = own.zip(&above).map(|(own, above)| bounded(&[own, *above, prior])).collect();
            (area.clone(), stages)
        });
        let all = above.iter().map(|above| bounded(&[*above, prior])).collect();
        Adjustments { as_of: now, adjustment_max: self.rules.adjustment_max, all, areas: areas.collect() }
    }

    /// How many orders are under way.
    pub fn orders_open(&self) -> usize {
        self.open.len()
    }

    fn learn(&mut self, open: &Open, at: Timestamp) {
        let residual = seconds_between(open.began_at, at).max(0.0) - open.predicted[open.stage];
        let weight = self.weight(open.began_at);
        self.all[open.stage].ended(residual, weight);
        if !self.areas.contains_key(&open.area) && self.areas.len() < AREAS_MAX {
            self.areas.insert(open.area.clone(), vec![Curve::default(); self.rules.stages]);
        }
        if let Some(curves) = self.areas.get_mut(&open.area) {
            curves[open.stage].ended(residual, weight);
        }
    }

    /// What a stage weighs that began at an instant: twice as much for each half-life that it is newer.
    fn weight(&self, began_at: Timestamp) -> f64 {
        libm::exp2(self.halvings(began_at).clamp(-1000.0, 1000.0))
    }

    fn halvings(&self, at: Timestamp) -> f64 {
        let reference = self.reference.unwrap_or(at);
        at.0.saturating_sub(reference.0) as f64 / self.rules.half_life.0 as f64
    }

    /// Keeps weights in reach of a double.
    fn move_reference(&mut self, at: Timestamp) {
        let reference = *self.reference.get_or_insert(at);
        let steps = (self.halvings(at) / f64::from(HALVINGS)).floor();
        if steps < 1.0 {
            return;
        }
        let moved = (steps * f64::from(HALVINGS)) as i64;
        self.reference = Some(reference.plus(Span(moved.saturating_mul(self.rules.half_life.0))));
        let factor = libm::exp2(-(moved.min(1000) as f64));
        let curves = self.all.iter_mut().chain(self.areas.values_mut().flatten());
        curves.for_each(|curve| curve.lighten(factor, WEIGHT_MIN));
        self.areas.retain(|_, curves| curves.iter().any(|curve| !curve.is_empty()));
    }

    /// The state in bytes, to go on from, and its id.
    pub fn encode(&self) -> (Vec<u8>, StateId) {
        let mut writer = Writer::new(MARK);
        writer.word(self.rules.stages as u64);
        writer.word(self.rules.half_life.0.cast_unsigned());
        writer.word(u64::from(self.reference.is_some()));
        writer.word(self.reference.unwrap_or_default().0.cast_unsigned());
        self.all.iter().for_each(|curve| curve.write(&mut writer));
        writer.word(self.areas.len() as u64);
        for (area, curves) in &self.areas {
            writer.key(area);
            curves.iter().for_each(|curve| curve.write(&mut writer));
        }
        writer.word(self.open.len() as u64);
        for (order, open) in &self.open {
            writer.key(order);
            writer.key(&open.area);
            writer.word(open.stage as u64);
            writer.word(open.began_at.0.cast_unsigned());
            open.predicted.iter().for_each(|seconds| writer.number(*seconds));
        }
        writer.finish()
    }

    /// The state of some bytes, to go on by rules with as many stages and the same half-life.
    pub fn decode(rules: CorrectorRules, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let stages = rules.stages;
        if (reader.word()?, reader.word()?) != (stages as u64, rules.half_life.0.cast_unsigned()) {
            return Err(StateFault::Foreign("corrector state with these stages and this half-life"));
        }
        let is_begun = reader.word()? == 1;
        let reference = Some(Timestamp(reader.word()?.cast_signed())).filter(|_| is_begun);
        let curves = |reader: &mut Reader<'_>| (0..stages).map(|_| Curve::read(reader)).collect::<Result<Vec<_>, _>>();
        let all = curves(&mut reader)?;
        let mut areas = BTreeMap::new();
        for _ in 0..reader.count(8 * (1 + stages))? {
            areas.insert(reader.key()?, curves(&mut reader)?);
        }
        let mut open = BTreeMap::new();
        for _ in 0..reader.count(8 * (4 + stages))? {
            open.insert(reader.key()?, Open::read(&mut reader, stages)?);
        }
        reader.finish()?;
        Ok(Self { rules, reference, all, areas, open })
    }
}

impl Open {
    fn read(reader: &mut Reader<'_>, stages: usize) -> Result<Self, StateFault> {
        let area = reader.key()?;
        let stage = usize::try_from(reader.word()?).ok().filter(|stage| *stage < stages);
        let stage = stage.ok_or(StateFault::Damaged("a stage is out of range"))?;
        let began_at = Timestamp(reader.word()?.cast_signed());
        let predicted = (0..stages).map(|_| reader.number()).collect::<Result<Vec<f64>, _>>()?;
        Ok(Self { area, stage, began_at, predicted })
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.0.saturating_sub(from.0) as f64 / 1000.0
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
