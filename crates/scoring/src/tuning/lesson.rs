//! What an outcome teaches: that a case was predicted, how it ended, or that it never will. Many lessons are one record.

use domain::Timestamp;
use pipeline::Case;

use crate::state::{Mark, Reader, StateFault, Writer};

const MARK: Mark = (b"hle1", "record of lessons");
/// A kind, a slot, a key and a time at least.
const LESSON_BYTES_MIN: usize = 8 + Slot::BYTES_MIN + 8;

/// Who speaks, at which stage of a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// `model` with its digest, or `fallback` with its name.
    pub speaker: String,
    /// Place of the stage that the case has reached.
    pub stage: usize,
}

/// One thing to learn from.
#[derive(Clone, Debug, PartialEq)]
pub enum Lesson {
    /// A case was predicted, for the first time in its slot.
    Opened {
        /// Which case.
        case: String,
        /// Who spoke when.
        slot: Slot,
        /// Where.
        area: String,
        /// The median that was said, before anything was applied to it.
        median: f64,
        /// When.
        at: Timestamp,
    },
    /// It was closed, and that is a label.
    Closed {
        /// Which case.
        case: String,
        /// Who spoke when.
        slot: Slot,
        /// Where.
        area: String,
        /// The quantiles that were said, before anything was applied to them.
        said: [f64; 4],
        /// What the corrector added to each.
        seconds: f64,
        /// When it was predicted.
        at: Timestamp,
        /// When it was closed.
        closed_at: Timestamp,
    },
    /// It ended otherwise, or nobody knows how: it was open until then, and says nothing more.
    Gone {
        /// Which case.
        case: String,
        /// Who spoke when.
        slot: Slot,
    },
}

impl Slot {
    /// A text's length and a stage.
    pub(super) const BYTES_MIN: usize = 16;

    /// The slot of a prediction: its model spoke, unless a fallback did.
    pub fn new(case: &Case, digest: Option<&str>, degraded: Option<&str>, stage: Option<usize>) -> Option<Self> {
        let fallback = case.fallbacks.iter().find(|fallback| Some(&*fallback.name) == degraded);
        let speaker = match (fallback, digest) {
            (Some(fallback), _) => format!("fallback {}", fallback.name),
            (None, Some(digest)) => format!("model {digest}"),
            (None, None) => return None,
        };
        Some(Self { speaker, stage: stage? })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.key(&self.speaker);
        writer.word(self.stage as u64);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, StateFault> {
        let (speaker, stage) = (reader.key()?, reader.word()?);
        let stage = usize::try_from(stage).map_err(|_| StateFault::Damaged("a stage is out of range"))?;
        Ok(Self { speaker, stage })
    }
}

impl Lesson {
    /// Who spoke when.
    pub fn slot(&self) -> &Slot {
        let (Self::Opened { slot, .. } | Self::Closed { slot, .. } | Self::Gone { slot, .. }) = self;
        slot
    }

    /// Several as one record, in their order.
    pub fn encode(lessons: &[Self]) -> Vec<u8> {
        let mut writer = Writer::new(MARK);
        writer.word(lessons.len() as u64);
        lessons.iter().for_each(|lesson| lesson.write(&mut writer));
        writer.finish().0
    }

    /// Those of a record.
    pub fn decode(bytes: &[u8]) -> Result<Vec<Self>, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let count = reader.count(LESSON_BYTES_MIN)?;
        let lessons = (0..count).map(|_| Self::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(lessons)
    }

    fn write(&self, writer: &mut Writer) {
        let (kind, case) = match self {
            Self::Opened { case, .. } => (0, case),
            Self::Closed { case, .. } => (1, case),
            Self::Gone { case, .. } => (2, case),
        };
        writer.word(kind);
        self.slot().write(writer);
        writer.key(case);
        match self {
            Self::Opened { area, median, at, .. } => {
                writer.key(area);
                writer.number(*median);
                writer.word(at.0.cast_unsigned());
            }
            Self::Closed { area, said, seconds, at, closed_at, .. } => {
                writer.key(area);
                said.iter().chain([seconds]).for_each(|seconds| writer.number(*seconds));
                [at, closed_at].into_iter().for_each(|at| writer.word(at.0.cast_unsigned()));
            }
            Self::Gone { .. } => {}
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateFault> {
        let kind = reader.word()?;
        let (slot, case) = (Slot::read(reader)?, reader.key()?);
        let instant = |reader: &mut Reader<'_>| Ok(Timestamp(reader.word()?.cast_signed()));
        match kind {
            0 => Ok(Self::Opened { case, slot, area: reader.key()?, median: reader.number()?, at: instant(reader)? }),
            1 => {
                let area = reader.key()?;
                let mut said = [0.0; 4];
                for seconds in &mut said {
                    *seconds = reader.number()?;
                }
                let (seconds, at, closed_at) = (reader.number()?, instant(reader)?, instant(reader)?);
                Ok(Self::Closed { case, slot, area, said, seconds, at, closed_at })
            }
            2 => Ok(Self::Gone { case, slot }),
            _ => Err(StateFault::Damaged("a lesson is of no known kind")),
        }
    }
}
