//! What is known of one case. A function of the set of events that were heard and not of their order: each stage was reached when the
//! earliest event says so, and each attribute is what the latest event says.

use domain::{Carried, Timestamp, Value};
use features::Told;
use pipeline::Case;
use scoring::{
    Facts,
    state::{Mark, Reader, StateFault, Writer},
};

use super::Trigger;

const MARK: Mark = (b"hca1", "case");
/// The least that a moment takes: a word for whether there is one.
const MOMENT_BYTES_MIN: usize = 8;

/// When something was so, by which event: two events of one instant have an order, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    at: Timestamp,
    identity: u128,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its last stage.
    Closed,
    /// By the end at this place.
    Ended(usize),
    /// Nothing ended it in the time that it may take.
    Lost,
}

impl Ending {
    /// What people call it: `closed`, `lost`, or as the spec does.
    pub fn name(self, case: &Case) -> &str {
        match self {
            Self::Closed => "closed",
            Self::Ended(place) => &case.ends[place].name,
            Self::Lost => "lost",
        }
    }
}

/// What is known of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// By place of the stage.
    stages: Vec<Option<Moment>>,
    /// By place of the end.
    ends: Vec<Option<Moment>>,
    attributes: Vec<Option<(Moment, Carried)>>,
    /// When it was first heard of.
    pub(super) since: Timestamp,
    /// How it ended, and when that was heard.
    pub(super) ending: Option<(Ending, Timestamp)>,
    /// When it is predicted next although nothing happens.
    pub(super) next_at: Option<Timestamp>,
    /// What was promised last.
    pub(super) promise_at: Option<Timestamp>,
}

impl Life {
    pub(super) fn new(case: &Case, since: Timestamp) -> Self {
        Self {
            stages: vec![None; case.stages.len()],
            ends: vec![None; case.ends.len()],
            attributes: vec![None; case.attributes.len()],
            since,
            ending: None,
            next_at: None,
            promise_at: None,
        }
    }

    /// What a life of such a case keeps beside itself, with texts that take so much.
    pub(super) fn heap_bytes(case: &Case, text_bytes: usize) -> usize {
        let texts = case.attributes.iter().filter(|attribute| attribute.kind.is_none()).count();
        let moments = (case.stages.len() + case.ends.len()) * size_of::<Option<Moment>>();
        moments + case.attributes.len() * size_of::<Option<(Moment, Carried)>>() + texts * text_bytes
    }

    /// Takes what an event tells. Whether that was news.
    pub(super) fn hear(&mut self, told: &Told) -> bool {
        let moment = Moment { at: told.time, identity: told.identity };
        let mut is_news = false;
        for place in &told.stages {
            is_news |= is_earlier(&mut self.stages[*place], moment);
        }
        for place in &told.ends {
            is_news |= is_earlier(&mut self.ends[*place], moment);
        }
        for (place, carried) in &told.attributes {
            let known = &mut self.attributes[*place];
            if known.as_ref().is_none_or(|(latest, _)| *latest < moment) {
                *known = Some((moment, carried.clone()));
                is_news = true;
            }
        }
        is_news
    }

    /// The last stage that it is known to have reached. Those before it were passed, whether anybody told or not.
    pub fn stage(&self) -> Option<usize> {
        self.stages.iter().rposition(Option::is_some)
    }

    /// When it reached a stage, if that was told.
    pub fn reached_at(&self, stage: usize) -> Option<Timestamp> {
        self.stages[stage].map(|moment| moment.at)
    }

    /// What it carries.
    pub fn attribute(&self, place: usize) -> Option<&Carried> {
        self.attributes[place].as_ref().map(|(_, carried)| carried)
    }

    /// What a prediction is made of.
    pub fn facts(&self) -> Facts {
        let attributes = self.attributes.iter().map(|attribute| attribute.as_ref().map(|(_, carried)| carried.clone()));
        let reached_at = self.stages.iter().map(|moment| moment.map(|moment| moment.at));
        Facts { attributes: attributes.collect(), reached_at: reached_at.collect() }
    }

    /// How it has ended.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.map(|(ending, _)| ending)
    }

    /// When it ended: when the event that tells of it happened, or when it was given up.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let (ending, heard_at) = self.ending?;
        let moment = match ending {
            Ending::Closed => self.stages.last().copied().flatten(),
            Ending::Ended(place) => self.ends[place],
            Ending::Lost => None,
        };
        Some(moment.map_or(heard_at, |moment| moment.at))
    }

    /// When the first event of it happened that tells of a stage.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.stages.iter().flatten().map(|moment| moment.at).min()
    }

    /// Until when somebody has heard of it, by the clock of the log.
    pub(crate) fn heard_until(&self) -> Timestamp {
        self.ending.map_or(self.since, |(_, at)| at)
    }

    /// What the events say of an end: the earliest one counts.
    pub(crate) fn told_ending(&self) -> Option<Ending> {
        let closed = self.stages.last().copied().flatten().map(|moment| (moment, Ending::Closed));
        let ended = self.ends.iter().enumerate().filter_map(|(place, moment)| Some(((*moment)?, Ending::Ended(place))));
        closed.into_iter().chain(ended).min_by_key(|(moment, _)| *moment).map(|(_, ending)| ending)
    }

    /// The event that told of a stage.
    pub(super) fn trigger(&self, stage: usize) -> Option<Trigger> {
        self.stages[stage].map(|moment| Trigger::Reached { stage, identity: moment.identity })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(MARK);
        writer.word(self.since.0.cast_unsigned());
        let (kind, place, heard_at) = match self.ending {
            None => (0, 0, 0),
            Some((Ending::Closed, at)) => (1, 0, at.0),
            Some((Ending::Ended(place), at)) => (2, place as u64, at.0),
            Some((Ending::Lost, at)) => (3, 0, at.0),
        };
        [kind, place, heard_at.cast_unsigned()].into_iter().for_each(|word| writer.word(word));
        [self.next_at, self.promise_at].into_iter().for_each(|at| write_instant(&mut writer, at));
        for moments in [&self.stages, &self.ends] {
            writer.word(moments.len() as u64);
            moments.iter().for_each(|moment| write_moment(&mut writer, *moment));
        }
        writer.word(self.attributes.len() as u64);
        for attribute in &self.attributes {
            write_moment(&mut writer, attribute.as_ref().map(|(moment, _)| *moment));
            match attribute.as_ref().map(|(_, carried)| carried) {
                None => {}
                Some(Carried::Text(text)) => {
                    writer.word(0);
                    writer.key(text);
                }
                Some(Carried::Value(Value::Float(number))) => {
                    writer.word(1);
                    writer.word(number.to_bits());
                }
                Some(Carried::Value(Value::Integer(number))) => {
                    writer.word(2);
                    writer.word(number.cast_unsigned());
                }
            }
        }
        writer.finish().0
    }

    /// Reads what was written for a case of this form.
    pub fn decode(case: &Case, bytes: &[u8]) -> Result<Self, StateFault> {
        let mut reader = Reader::new(MARK, bytes)?;
        let mut life = Self::new(case, Timestamp(reader.word()?.cast_signed()));
        let [kind, place, heard_at] = [reader.word()?, reader.word()?, reader.word()?];
        let ending = match kind {
            0 => None,
            1 => Some(Ending::Closed),
            2 => Some(Ending::Ended(usize::try_from(place).ok().filter(|place| *place < case.ends.len()).ok_or(OTHER)?)),
            3 => Some(Ending::Lost),
            _ => return Err(StateFault::Damaged("it ended in no known way")),
        };
        life.ending = ending.map(|ending| (ending, Timestamp(heard_at.cast_signed())));
        life.next_at = read_instant(&mut reader)?;
        life.promise_at = read_instant(&mut reader)?;
        for moments in [&mut life.stages, &mut life.ends] {
            fits(reader.count(MOMENT_BYTES_MIN)?, moments.len())?;
            for moment in moments {
                *moment = read_moment(&mut reader)?;
            }
        }
        fits(reader.count(MOMENT_BYTES_MIN)?, life.attributes.len())?;
        for attribute in &mut life.attributes {
            let Some(moment) = read_moment(&mut reader)? else { continue };
            let carried = match reader.word()? {
                0 => Carried::Text(reader.key()?.into()),
                1 => Carried::Value(Value::Float(f64::from_bits(reader.word()?))),
                2 => Carried::Value(Value::Integer(reader.word()?.cast_signed())),
                _ => return Err(StateFault::Damaged("an attribute is of no known kind")),
            };
            *attribute = Some((moment, carried));
        }
        reader.finish()?;
        Ok(life)
    }
}

const OTHER: StateFault = StateFault::Foreign("case of this pipeline");

fn fits(count: usize, expected: usize) -> Result<(), StateFault> {
    if count == expected { Ok(()) } else { Err(OTHER) }
}

/// Keeps the earlier one. Whether that is the new one.
fn is_earlier(known: &mut Option<Moment>, moment: Moment) -> bool {
    let is_earlier = known.is_none_or(|known| moment < known);
    if is_earlier {
        *known = Some(moment);
    }
    is_earlier
}

fn write_instant(writer: &mut Writer, at: Option<Timestamp>) {
    writer.word(u64::from(at.is_some()));
    writer.word(at.map_or(0, |at| at.0.cast_unsigned()));
}

fn read_instant(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, StateFault> {
    let (is_some, at) = (reader.word()? != 0, Timestamp(reader.word()?.cast_signed()));
    Ok(is_some.then_some(at))
}

fn write_moment(writer: &mut Writer, moment: Option<Moment>) {
    writer.word(u64::from(moment.is_some()));
    if let Some(Moment { at, identity }) = moment {
        writer.word(at.0.cast_unsigned());
        writer.word(identity as u64);
        writer.word((identity >> 64) as u64);
    }
}

fn read_moment(reader: &mut Reader<'_>) -> Result<Option<Moment>, StateFault> {
    if reader.word()? == 0 {
        return Ok(None);
    }
    let at = Timestamp(reader.word()?.cast_signed());
    let (low, high) = (reader.word()?, reader.word()?);
    Ok(Some(Moment { at, identity: u128::from(low) | u128::from(high) << 64 }))
}
