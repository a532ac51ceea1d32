//! What a corrector says at one instant: seconds to add, for each area and stage. This is what scorers read; it is small, does not
//! change, and has an id that predictions name.

use std::collections::BTreeMap;

use domain::Timestamp;

use crate::state::{Mark, Reader, StateFault, StateId, Writer};

const MARK: Mark = (b"had1", "set of adjustments");

/// Seconds to add to what is predicted, as of an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjustments {
    pub(super) as_of: Timestamp,
    /// No sum of stages is further from zero.
    pub(super) adjustment_max: f64,
    /// One for each stage, for areas that nothing is known of.
    pub(super) all: Vec<f64>,
    pub(super) areas: BTreeMap<String, Vec<f64>>,
}

impl Adjustments {
    /// The instant that they hold for.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// What to add to the prediction of an order of an area that has this many stages behind it.
    pub fn seconds(&self, area: &str, stages_done: usize) -> f64 {
        let stages = self.areas.get(area).unwrap_or(&self.all);
        let left = stages.iter().skip(stages_done).fold(0.0, |sum, seconds| sum + seconds);
        left.clamp(-self.adjustment_max, self.adjustment_max)
    }

    /// In bytes, and the id that predictions name.
    pub fn encode(&self) -> (Vec<u8>, StateId) {
        let mut writer = Writer::new(MARK);
        writer.word(self.as_of.0.cast_unsigned());
        writer.number(self.adjustment_max);
        writer.word(self.all.len() as u64);
        self.all.iter().for_each(|seconds| writer.number(*seconds));
        writer.word(self.areas.len() as u64);
        for (area, stages) in &self.areas {
            writer.key(area);
            stages.iter().for_each(|seconds| writer.number(*seconds));
        }
        writer.finish()
    }

    /// The adjustments of some bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let as_of = Timestamp(reader.word()?.cast_signed());
        let adjustment_max = reader.number()?;
        if adjustment_max < 0.0 {
            return Err(StateFault::Damaged("a bound is negative"));
        }
        let stages = reader.count(8)?;
        let read = |reader: &mut Reader<'_>| (0..stages).map(|_| reader.number()).collect::<Result<Vec<f64>, _>>();
        let all = read(&mut reader)?;
        let mut areas = BTreeMap::new();
        for _ in 0..reader.count(8 * (1 + stages))? {
            areas.insert(reader.key()?, read(&mut reader)?);
        }
        reader.finish()?;
        Ok(Self { as_of, adjustment_max, all, areas })
    }
}
