//! One record by itself: what it says of time and identity, and which entities it is about.
//!
//! For those who ask about single records, accepted or not: the same decoder, filters and keys as everywhere, a batch at a
//! time. Never decides whether a record is taken. `reading/told.rs` says what it tells of a case.

mod told;

use std::sync::Arc;

use domain::Timestamp;
use pipeline::{Group, Pipeline, Source, SourceKind};

pub use self::told::{CaseReading, Told};

use crate::{
    Reason,
    columns::{Columns, Scalar},
    decode::{Decoder, Scratch},
    evaluate::Evaluator,
    tiling::Keys,
};

/// Reads records of a pipeline's streams.
#[derive(Debug)]
pub struct Reading {
    payloads: Payloads,
}

/// Payloads of a pipeline's streams, and what is kept of them.
#[derive(Debug)]
struct Payloads {
    pipeline: Arc<Pipeline>,
    used: Vec<Vec<bool>>,
    /// By source; none where there is no stream.
    decoders: Vec<Option<Decoder>>,
}

/// Some decoded payloads.
struct Decoded {
    /// Those that could be decoded, in their order.
    columns: Columns,
    /// Of each payload.
    results: Vec<Result<(), Reason>>,
}

impl Payloads {
    fn new(pipeline: Arc<Pipeline>, used: Vec<Vec<bool>>) -> Self {
        let decoder = |source: &Source| match &source.kind {
            SourceKind::Stream(stream) => Some(Decoder::new(source, stream)),
            _ => None,
        };
        let decoders = pipeline.sources.iter().map(decoder).collect();
        Self { pipeline, used, decoders }
    }

    fn decode(&mut self, source: usize, payloads: &[&[u8]]) -> Decoded {
        let mut columns = Columns::new(&self.pipeline.sources[source].fields, &self.used[source]);
        let results = match &mut self.decoders[source] {
            Some(decoder) => payloads.iter().map(|payload| decoder.decode(payload, &mut Scratch::new(), &mut columns)).collect(),
            None => vec![Err(Reason::Malformed); payloads.len()],
        };
        Decoded { columns, results }
    }
}

impl Decoded {
    /// What was made of each payload, out of what was made of each that could be decoded.
    fn each<T>(self, rows: impl IntoIterator<Item = T>) -> Vec<Result<T, Reason>> {
        let mut rows = rows.into_iter();
        let mut next = || rows.next().unwrap_or_else(|| panic!("every decoded payload is a row"));
        self.results.into_iter().map(|result| result.map(|()| next())).collect()
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The event's time.
    pub time: Timestamp,
    /// Two records with the same one are the same event.
    pub identity: u128,
    /// Groups and keys, as far as this record alone tells them: a row of a derived source may take its key from another one.
    pub entities: Vec<(usize, String)>,
}

impl Reading {
    /// For the groups of this pipeline.
    pub fn new(pipeline: Arc<Pipeline>) -> Self {
        let used = crate::usage::used_fields(&pipeline);
        Self { payloads: Payloads::new(pipeline, used) }
    }

    /// Reads payloads of one stream, in their order.
    pub fn read(&mut self, source: usize, payloads: &[&[u8]]) -> Vec<Result<Seen, Reason>> {
        let decoded = self.payloads.decode(source, payloads);
        let columns = &decoded.columns;
        let seen = |(row, entities)| Seen { time: Timestamp(columns.times[row]), identity: columns.identities[row], entities };
        let rows: Vec<Seen> = self.entities(source, columns).into_iter().enumerate().map(seen).collect();
        decoded.each(rows)
    }

    /// For each row, the entities of the groups that are fed by it.
    fn entities(&self, base: usize, columns: &Columns) -> Vec<Vec<(usize, String)>> {
        let mut entities = vec![Vec::new(); columns.len()];
        let fed = self.payloads.pipeline.groups.iter().enumerate();
        for (index, group) in fed.filter(|(_, group)| self.payloads.pipeline.base_of(group.source) == Some(base)) {
            for (row, key) in self.keys(group, base, columns) {
                entities[row as usize].push((index, key));
            }
        }
        entities
    }

    fn keys(&self, group: &Group, base: usize, columns: &Columns) -> Vec<(u32, String)> {
        let (source, base) = (&self.payloads.pipeline.sources[group.source], &self.payloads.pipeline.sources[base]);
        let rows = relevant(source, base, columns);
        let pseudo;
        // A row of a derived source that is made of this event alone.
        let (columns, filter) = match source.kind {
            SourceKind::Stream(_) => (columns, group.filter.as_ref()),
            _ => {
                pseudo = alone(source, base, columns, &self.payloads.used[group.source]);
                (&pseudo, None)
            }
        };
        let rows = match filter {
            Some(filter) => kept(&rows, &Evaluator::new(&source.fields, columns, &rows).holds(filter)),
            None => rows,
        };
        let (keys, key_of, rows) = Keys::of(&group.key, &source.fields, columns, &rows);
        rows.into_iter().zip(key_of).map(|(row, place)| (row, keys.text(place).to_owned())).collect()
    }
}

/// The events that a source is made of.
pub(crate) fn relevant(source: &Source, base: &Source, columns: &Columns) -> Vec<u32> {
    let rows: Vec<u32> = (0..columns.len() as u32).collect();
    let evaluator = Evaluator::new(&base.fields, columns, &rows);
    match &source.kind {
        SourceKind::Pair(pair) => {
            let (starts, ends) = (evaluator.holds(&pair.start), evaluator.holds(&pair.end));
            let either: Vec<bool> = starts.into_iter().zip(ends).map(|(starts, ends)| starts || ends).collect();
            kept(&rows, &either)
        }
        SourceKind::Table(table) => match &table.filter {
            Some(filter) => kept(&rows, &evaluator.holds(filter)),
            None => rows,
        },
        SourceKind::Absence(_) | SourceKind::Stream(_) | SourceKind::File { .. } => rows,
    }
}

fn kept(rows: &[u32], holds: &[bool]) -> Vec<u32> {
    rows.iter().zip(holds).filter(|(_, holds)| **holds).map(|(row, _)| *row).collect()
}

/// Rows of a derived source with the fields of single events.
fn alone(source: &Source, base: &Source, columns: &Columns, used: &[bool]) -> Columns {
    let of_base = |field: &pipeline::Field| base.fields.iter().position(|other| other.name == field.name);
    let from_base: Vec<Option<usize>> = source.fields.iter().map(of_base).collect();
    let mut rows = Columns::new(&source.fields, used);
    for at in 0..columns.len() {
        let row = columns.row(at);
        let scalar = |field: &Option<usize>| field.map_or(Scalar::Null, |field| row[field].clone());
        let row: Vec<Scalar> = from_base.iter().map(scalar).collect();
        rows.push_row(columns.times[at], columns.identities[at], &row);
    }
    rows
}
