//! Feeding an engine with events of the past, up to one instant after another.
//!
//! Knows how large batches may be and what "now" is for each; never decides which events there are.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use domain::{EARLIEST, Span, Timestamp, Value};
use features::{AbsenceChange, Config, Engine, Output, Reason, Record};
use pipeline::{Aggregator, Column, Group, Pipeline, SourceKind};

use crate::{Error, history::Event};

/// Polars needs some ten thousand rows to be fast, and memory grows with every one.
pub(crate) const BATCH_RECORDS_MAX: usize = 16_384;

/// How many records there were, and what became of those that are not in the features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were read.
    pub records: u64,
    /// Refused records by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Parts of accepted records that a group could not keep, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

/// An engine and the events that it has yet to take.
#[derive(Debug)]
pub(crate) struct Feed {
    engine: Engine,
    batch: Vec<Event>,
    counts: Counts,
    /// Whether the events were admitted elsewhere.
    admitted: bool,
    /// The values of empty windows, by group.
    empty: Vec<Vec<Option<Value>>>,
    /// What was told of absences, when somebody listens.
    told: Option<Vec<AbsenceChange>>,
}

impl Counts {
    /// Counts one refused record.
    pub(crate) fn refuse(&mut self, reason: Reason) {
        *self.refused.entry(reason.code()).or_default() += 1;
    }

    /// Counts what came out of a step.
    pub(crate) fn note(&mut self, out: &Output) {
        for refused in &out.refused {
            self.refuse(refused.reason);
        }
        for dropped in &out.dropped {
            *self.dropped.entry(dropped.reason.code()).or_default() += 1;
        }
    }
}

impl Feed {
    /// For events that are yet to be admitted.
    pub(crate) fn new(pipeline: &Arc<Pipeline>, folder: &Path) -> Result<Self, Error> {
        let mut engine = Engine::new(Arc::clone(pipeline), Config::default())?;
        load_files(&mut engine, pipeline, folder)?;
        let empty = pipeline.groups.iter().map(empty_values).collect();
        Ok(Self { engine, batch: Vec::new(), counts: Counts::default(), admitted: false, empty, told: None })
    }

    /// For events that were admitted already.
    pub(crate) fn admitted(pipeline: &Arc<Pipeline>, folder: &Path) -> Result<Self, Error> {
        Ok(Self { admitted: true, ..Self::new(pipeline, folder)? })
    }

    /// For events that were admitted already, with the text of the pipeline's tables at hand.
    pub(crate) fn over(pipeline: &Arc<Pipeline>, files: &[(usize, Arc<str>)]) -> Result<Self, Error> {
        let mut engine = Engine::new(Arc::clone(pipeline), Config::default())?;
        for (source, lines) in files {
            // Lines that cannot be read were reported when the plan was made.
            engine.load_file(*source, lines, EARLIEST);
        }
        let empty = pipeline.groups.iter().map(empty_values).collect();
        Ok(Self { engine, batch: Vec::new(), counts: Counts::default(), admitted: true, empty, told: None })
    }

    /// The same engine, with somebody who listens to what it tells of absences.
    pub(crate) fn listened_to(self) -> Self {
        Self { told: Some(Vec::new()), ..self }
    }

    /// What was told of absences so far.
    pub(crate) fn told(&self) -> &[AbsenceChange] {
        self.told.as_deref().unwrap_or_default()
    }

    /// Takes one event, not earlier than the one before it.
    pub(crate) fn push(&mut self, event: Event) {
        if self.batch.len() == BATCH_RECORDS_MAX {
            self.flush();
        }
        self.batch.push(event);
    }

    /// Brings the engine to an instant that is later than all events so far.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        self.flush();
        let out = self.engine.tick(now);
        self.note(out);
    }

    fn note(&mut self, out: Output) {
        self.counts.note(&out);
        if let Some(told) = &mut self.told {
            told.extend(out.absences);
        }
    }

    fn flush(&mut self) {
        let Some(last) = self.batch.last() else { return };
        let now = last.append_at.plus(Span(1));
        let records: Vec<Record<'_>> = self.batch.iter().map(Event::record).collect();
        let out = match self.admitted {
            true => self.engine.ingest_accepted(&records, now),
            false => self.engine.ingest(&records, now),
        };
        self.counts.records += records.len() as u64;
        self.note(out);
        self.batch.clear();
    }

    /// The values of an entity at the engine's clock, and whether the engine holds anything of it. What it does not hold has
    /// had no event or has been forgotten: all windows are empty, as the last vector that a reader got says.
    pub(crate) fn values(&self, group: usize, key: &str) -> (Vec<Option<Value>>, bool) {
        match self.engine.vector(group, key) {
            Some(vector) => (vector.values, true),
            None => (self.empty[group].clone(), false),
        }
    }

    /// The entities of a group that the engine holds.
    pub(crate) fn keys(&self, group: usize) -> impl Iterator<Item = &str> {
        self.engine.keys(group)
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// The values of a group's columns over no events at all; see the table in `docs/semantics.md`.
fn empty_values(group: &Group) -> Vec<Option<Value>> {
    let value = |column: &Column| match group.features[column.feature].aggregator {
        Aggregator::Count | Aggregator::Distinct | Aggregator::OpenCount => Some(Value::Integer(0)),
        Aggregator::Rate { .. } | Aggregator::Sum | Aggregator::Travel => Some(Value::Float(0.0)),
        // Values are at even places, their counts at odd ones, the overflow at the end.
        Aggregator::Top { k } => (column.part % 2 == 1 || column.part == 2 * usize::from(k)).then_some(Value::Integer(0)),
        Aggregator::Mean
        | Aggregator::Std
        | Aggregator::Min
        | Aggregator::Max
        | Aggregator::First
        | Aggregator::Last
        | Aggregator::Ewma { .. }
        | Aggregator::Quantile { .. } => None,
    };
    group.columns().iter().map(value).collect()
}

/// Gives the engine the pipeline's own tables.
fn load_files(engine: &mut Engine, pipeline: &Pipeline, folder: &Path) -> Result<(), Error> {
    for (place, source) in pipeline.sources.iter().enumerate() {
        let SourceKind::File { path, .. } = &source.kind else { continue };
        let path = folder.join(path);
        let lines = fs::read_to_string(&path).map_err(Error::reading(&path))?;
        let out = engine.load_file(place, &lines, EARLIEST);
        if let Some(refused) = out.refused.first() {
            let message = format!("this row of the table `{}` is refused: {}", source.name, refused.reason.code());
            let help = "correct it; the reasons stand in docs/semantics.md";
            return Err(Error::content(&path, refused.offset, message, help));
        }
    }
    Ok(())
}
