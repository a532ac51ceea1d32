//! Feeding an engine with events of the past, up to one instant after another.
//!
//! Knows how large batches may be and what "now" is for each; never decides which events there are.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use domain::{EARLIEST, FeatureVector, Span, Timestamp};
use features::{Config, Engine, Output, Reason, Record};
use pipeline::{Pipeline, SourceKind};

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
        Ok(Self { engine, batch: Vec::new(), counts: Counts::default(), admitted: false })
    }

    /// For events that were admitted already.
    pub(crate) fn admitted(pipeline: &Arc<Pipeline>, folder: &Path) -> Result<Self, Error> {
        Ok(Self { admitted: true, ..Self::new(pipeline, folder)? })
    }

    /// Takes one event, not earlier than the one before it.
    pub(crate) fn push(&mut self, event: Event) {
        let now = event.append_at.plus(Span(1));
        self.batch.push(event);
        if self.batch.len() == BATCH_RECORDS_MAX {
            self.settle(now);
        }
    }

    /// Brings the engine to an instant that is later than all events so far.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let records: Vec<Record<'_>> = self.batch.iter().map(Event::record).collect();
        let ingest = if self.admitted { Engine::ingest_accepted } else { Engine::ingest };
        let out = ingest(&mut self.engine, &records, now);
        self.counts.note(&out);
        self.counts.records += records.len() as u64;
        self.batch.clear();
    }

    /// See [`Engine::vector`].
    pub(crate) fn vector(&self, group: usize, key: &str) -> Option<FeatureVector> {
        self.engine.vector(group, key)
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
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
