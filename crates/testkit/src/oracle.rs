//! The naive oracle: every vector is computed from all events with plain loops.
//!
//! Nothing here is incremental, shared between instants or fast, and nothing may become so: a reader should be able to
//! lay each file beside its section of the semantics page and see that they say the same.

mod aggregate;
mod decide;
mod decimal;
mod decode;
mod derive;
mod event;
mod expression;
mod json;
mod quantise;
mod sketch;
mod travel;
mod windows;

use std::collections::BTreeMap;

use domain::{Timestamp, Value};
use pipeline::{Pipeline, SourceKind};

use crate::record::{Decision, Mode, Record};
use decide::Decided;
use event::Row;

/// Computes what the engine should.
#[derive(Clone, Debug)]
pub struct Oracle<'p> {
    pipeline: &'p Pipeline,
    file_rows: BTreeMap<usize, Vec<Row>>,
}

/// All records of a run and what was decided about each; vectors of any instant can be asked of it.
#[derive(Clone, Debug)]
pub struct History<'o> {
    oracle: &'o Oracle<'o>,
    partitions: Vec<Vec<Decided>>,
}

/// What one group says about one entity at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct OracleVector {
    /// The instant of the values.
    pub as_of: Timestamp,
    /// `domain::NEVER` when no tile will leave a window.
    pub valid_until: Timestamp,
    /// Whether time stood still because the source was silent.
    pub silent: bool,
    /// Whether nothing is left: no event in any window, and no value without a window that is still kept.
    pub forgotten: bool,
    /// In the order of [`Group::columns`].
    pub values: Vec<Option<Value>>,
    /// In the same order: what a `quantile` or `distinct` column would be without its sketch; none elsewhere.
    pub exact: Vec<Option<f64>>,
}

/// Something that had not come in time, as it is known at one instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OracleAbsence {
    /// Index of the absence among the sources.
    pub source: usize,
    /// Of whom something is missing.
    pub key: String,
    /// The time of the last event.
    pub since: Timestamp,
    /// When it was due.
    pub due: Timestamp,
    /// The identity of the last event.
    pub identity: u128,
}

impl<'p> Oracle<'p> {
    /// For this pipeline, its file tables being empty.
    pub fn new(pipeline: &'p Pipeline) -> Self {
        Self { pipeline, file_rows: BTreeMap::new() }
    }

    /// Gives a file table the lines of its file. Empty lines are skipped.
    ///
    /// # Panics
    /// When the source is no file table or a line does not decode: a fixture that the test has got wrong.
    pub fn with_file_rows(mut self, source: usize, lines: &str) -> Self {
        self.file_rows.insert(source, derive::file_rows(&self.pipeline.sources[source], lines));
        self
    }

    /// Decides about every record of every partition. The sources of one partition have a clock each.
    pub fn decide(&self, partitions: &[Vec<Record>]) -> Vec<Vec<Decision>> {
        self.history(partitions).decisions()
    }

    /// The vectors at an instant, by index of the group and text of the entity's key; see [`History::vectors`].
    pub fn vectors(&self, partitions: &[Vec<Record>], at: Timestamp, mode: Mode) -> BTreeMap<(usize, String), OracleVector> {
        self.history(partitions).vectors(at, mode)
    }

    /// Reads and decides all records once, so that several instants can be looked at.
    pub fn history(&self, partitions: &[Vec<Record>]) -> History<'_> {
        let partitions = partitions.iter().map(|records| decide::decide(self.pipeline, records)).collect();
        History { oracle: self, partitions }
    }
}

impl History<'_> {
    /// One decision for each record, in the shape of the partitions.
    pub fn decisions(&self) -> Vec<Vec<Decision>> {
        self.partitions.iter().map(|records| records.iter().map(|record| record.decision).collect()).collect()
    }

    /// The vectors of every group and every entity that has had an event or row before the instant. An entity whose
    /// windows are all empty is still listed, with the values of empty windows and `forgotten` set.
    pub fn vectors(&self, at: Timestamp, mode: Mode) -> BTreeMap<(usize, String), OracleVector> {
        let pipeline = self.oracle.pipeline;
        let mut vectors = BTreeMap::new();
        for (index, group) in pipeline.groups.iter().enumerate() {
            let (instant, silent) = self.standing_still(group.source, at, mode);
            let rows = self.rows_before(group.source, instant, mode);
            for (entity, rows) in windows::entities(pipeline, group, rows) {
                vectors.insert((index, entity), windows::vector(pipeline, group, &rows, instant, silent));
            }
        }
        vectors
    }

    /// What is missing at an instant, as the records of one partition show.
    pub fn absences(&self, partition: usize, at: Timestamp, mode: Mode) -> Vec<OracleAbsence> {
        let pipeline = self.oracle.pipeline;
        let mut absences = Vec::new();
        for (source, declared) in pipeline.sources.iter().enumerate() {
            let SourceKind::Absence(absence) = &declared.kind else { continue };
            let (instant, _) = self.standing_still(source, at, mode);
            let events = events_before(&self.partitions[partition], absence.from, instant, mode);
            for (key, row) in derive::absence_rows(pipeline, source, absence, events, instant.0) {
                let Some(event::Content::Units(since)) = row.contents[absence.since] else {
                    unreachable!("since is always there")
                };
                let (since, due) = (Timestamp(since), Timestamp(row.from));
                absences.push(OracleAbsence { source, key, since, due, identity: row.identity });
            }
        }
        absences.sort();
        absences
    }

    /// The instant of a source's rows when asked for `at`, and whether its silence holds it back.
    fn standing_still(&self, source: usize, at: Timestamp, mode: Mode) -> (Timestamp, bool) {
        let pipeline = self.oracle.pipeline;
        let (Some(base), Some(silent_after)) = (pipeline.base_of(source), pipeline.sources[source].silent_after) else {
            return (at, false);
        };
        let records = self.partitions.iter().flatten().filter(|record| record.source == base);
        let heard = records.map(|record| record.append_at).filter(|append_at| may_know(mode, *append_at, at)).max();
        match heard {
            Some(heard) if at.0 > heard.0 + silent_after.0 => (Timestamp(heard.0 + silent_after.0), true),
            _ => (at, false),
        }
    }

    /// The events or rows of a source that are visible at an instant.
    fn rows_before(&self, source: usize, at: Timestamp, mode: Mode) -> Vec<Row> {
        let pipeline = self.oracle.pipeline;
        if matches!(pipeline.sources[source].kind, SourceKind::File { .. }) {
            return self.oracle.file_rows.get(&source).cloned().unwrap_or_default();
        }
        let mut rows = Vec::new();
        for partition in &self.partitions {
            let events_of = |wanted: usize| events_before(partition, wanted, at, mode);
            match &pipeline.sources[source].kind {
                SourceKind::Stream(_) => rows.extend(events_of(source)),
                SourceKind::Pair(pair) => rows.extend(derive::pair_rows(pipeline, source, pair, events_of(pair.from))),
                SourceKind::Table(table) => rows.extend(derive::table_rows(pipeline, source, table, events_of(table.from))),
                SourceKind::Absence(absence) => {
                    let found = derive::absence_rows(pipeline, source, absence, events_of(absence.from), at.0);
                    rows.extend(found.into_iter().map(|(_, row)| row));
                }
                SourceKind::File { .. } => {}
            }
        }
        rows
    }
}

/// The events of a stream in a partition that are visible at an instant.
fn events_before(partition: &[Decided], source: usize, at: Timestamp, mode: Mode) -> Vec<Row> {
    let visible = partition.iter().filter(|record| record.source == source && may_know(mode, record.append_at, at));
    visible.filter_map(|record| record.event.clone()).filter(|event| event.from < at.0).collect()
}

fn may_know(mode: Mode, append_at: Timestamp, at: Timestamp) -> bool {
    match mode {
        Mode::Available => append_at < at,
        Mode::Complete => true,
    }
}

/// What was decided about a record, as far as another arrival of it has to know.
pub(crate) enum Fate {
    /// An event with this identity and time.
    Event { identity: u128, time: i64 },
    /// Refused for this reason.
    Refused(&'static str),
}

/// The fate of each record of a partition.
pub(crate) fn fates(pipeline: &Pipeline, records: &[Record]) -> Vec<Fate> {
    let fate = |decided: Decided| match (decided.decision, decided.event) {
        (Decision::Accepted, Some(event)) => Fate::Event { identity: event.identity, time: event.from },
        (Decision::Accepted, None) => unreachable!("an accepted record has its event"),
        (Decision::Refused(reason), _) => Fate::Refused(reason),
    };
    decide::decide(pipeline, records).into_iter().map(fate).collect()
}

/// The text of the key by which producers partition, and the identity; none when the payload does not decode.
pub(crate) fn key_and_identity(pipeline: &Pipeline, record: &Record) -> Option<(String, u128)> {
    let source = &pipeline.sources[record.source];
    let SourceKind::Stream(stream) = &source.kind else { return None };
    let (_, _, event) = decide::event(pipeline, record, stream).ok()?;
    let key = event.contents[stream.key].as_ref()?;
    Some((event::text_of(&source.fields[stream.key], key), event.identity))
}
