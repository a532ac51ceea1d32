//! The letters of late events, and the originals that they name. A letter may keep the payload to itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use dataplane::{features::Plan, past};
use domain::{Span, Timestamp};
use features::Reading;
use ports::{Log, Record};

use crate::Error;

/// Late events that are looked up; more are counted. A hundred thousand reads take a minute or two, and their identities and
/// entities some dozen megabytes.
pub(super) const LOOKED_UP_MAX: usize = 100_000;
/// Originals that are read in one batch: enough for the kernel, and few enough to hold.
const BATCH: usize = 4096;
/// Bytes of letters that are read at once.
const LETTER_BYTES: usize = 1 << 20;

/// What the letters of a period say.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// By source and identity.
    pub(super) late: HashMap<(usize, u128), Late>,
    /// Groups and entities that they are about.
    pub(super) touched: BTreeSet<(usize, String)>,
    /// Parts of events that found no place, by reason.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Different records that were late, looked up or not.
    pub(super) count: u64,
    /// Those of which the topic has no original any more.
    pub(super) gone: u64,
    /// Those that were not looked up, being too many.
    pub(super) not_looked_up: u64,
    /// Letters that name no source or record of this pipeline.
    pub(super) strange: u64,
}

/// One late event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// From its time to its arrival.
    pub(super) age: Span,
    /// By how much it missed the lateness of its source.
    pub(super) beyond: Span,
}

/// A record by source, topic, partition and offset.
type Named = (usize, Arc<str>, u32, u64);

impl Letters {
    pub(super) async fn read<L: Log>(log: &L, plan: &Plan, since: Timestamp, until: Timestamp) -> Result<Self, Error> {
        let mut letters = Self::default();
        let mut named: BTreeSet<Named> = BTreeSet::new();
        let topic = plan.topics.late();
        for partition in 0..plan.partitions {
            if past::bounds(log, &topic, partition).await?.is_none() {
                continue;
            }
            let mut next = log.offset_at(&topic, partition, since).await?;
            let end = log.offset_at(&topic, partition, until).await?;
            while next < end {
                let records = log.read(&topic, partition, next, LETTER_BYTES).await?;
                next = records.last().map_or(end, |last| last.offset + 1);
                for letter in records.iter().filter(|letter| letter.offset < end) {
                    letters.sort(plan, letter, &mut named);
                }
            }
        }
        letters.count = named.len() as u64 + letters.not_looked_up;
        letters.look_up(log, plan, named).await?;
        Ok(letters)
    }

    /// Two generations write a letter each for one record.
    fn sort(&mut self, plan: &Plan, letter: &Record, named: &mut BTreeSet<Named>) {
        let reason = header(letter, "reason").unwrap_or_default();
        if reason != features::Reason::Late.code() {
            *self.dropped.entry(reason.to_owned()).or_default() += 1;
            return;
        }
        match origin(plan, letter) {
            None => self.strange += 1,
            Some(origin) if named.len() < LOOKED_UP_MAX || named.contains(&origin) => _ = named.insert(origin),
            Some(_) => self.not_looked_up += 1,
        }
    }

    async fn look_up<L: Log>(&mut self, log: &L, plan: &Plan, named: BTreeSet<Named>) -> Result<(), Error> {
        let mut reading = Reading::new(plan.pipeline.clone());
        let mut batch: Vec<(usize, Record)> = Vec::new();
        for (source, topic, partition, offset) in named {
            let original = log.read(&topic, partition, offset, 1).await?.into_iter().next();
            // What retention took is answered with the oldest record that is left.
            let Some(original) = original.filter(|record| record.offset == offset) else {
                self.gone += 1;
                continue;
            };
            if batch.len() == BATCH || batch.first().is_some_and(|(first, _)| *first != source) {
                self.note(plan, &mut reading, &batch);
                batch.clear();
            }
            batch.push((source, original));
        }
        self.note(plan, &mut reading, &batch);
        Ok(())
    }

    /// All of one source.
    fn note(&mut self, plan: &Plan, reading: &mut Reading, batch: &[(usize, Record)]) {
        let Some((source, _)) = batch.first() else { return };
        let lateness = match &plan.pipeline.sources[*source].kind {
            pipeline::SourceKind::Stream(stream) => stream.lateness,
            _ => Span(0),
        };
        let payloads: Vec<&[u8]> = batch.iter().map(|(_, record)| &**record.json()).collect();
        for ((_, record), seen) in batch.iter().zip(reading.read(*source, &payloads)) {
            let Ok(seen) = seen else {
                self.strange += 1;
                continue;
            };
            let age = Span(record.append_at.0 - seen.time.0);
            let late = Late { age, beyond: Span(age.0 - lateness.0) };
            // Of several copies the first one counts, as it would have.
            self.late.entry((*source, seen.identity)).or_insert(late);
            self.touched.extend(seen.entities);
        }
    }
}

/// The record that a letter is about.
fn origin(plan: &Plan, letter: &Record) -> Option<Named> {
    let source = header(letter, "source")?;
    let source = plan.pipeline.sources.iter().position(|known| known.name == source)?;
    let topic = header(letter, "topic")?;
    let (topic, _) = plan.topics.inputs().iter().find(|(known, sources)| **known == *topic && sources.contains(&source))?;
    Some((source, topic.clone(), header(letter, "partition")?.parse().ok()?, header(letter, "offset")?.parse().ok()?))
}

/// A header as text.
pub(crate) fn header<'a>(letter: &'a Record, name: &str) -> Option<&'a str> {
    let header = letter.headers.iter().find(|header| header.name == name)?;
    std::str::from_utf8(&header.value).ok()
}
