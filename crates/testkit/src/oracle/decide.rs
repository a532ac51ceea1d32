//! What becomes of every record of one partition, in its order. The only state is what the page names: for each source a
//! clock, and the slices in which identities were accepted.

use std::collections::BTreeMap;

use domain::Timestamp;
use pipeline::{Pipeline, SourceKind, Stream};
use xxhash_rust::xxh3::xxh3_128;

use super::decode::decode;
use super::event::{Content, Row, text_of};
use crate::record::{Decision, Record};

/// A record and what was decided.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) source: usize,
    pub(crate) append_at: Timestamp,
    pub(crate) decision: Decision,
    /// Of accepted records only.
    pub(crate) event: Option<Row>,
}

/// Decides about the records of one partition.
///
/// # Panics
/// When a record names a source that is no stream: a fixture that the test has got wrong.
pub(crate) fn decide(pipeline: &Pipeline, records: &[Record]) -> Vec<Decided> {
    let mut decided = Vec::new();
    let mut clocks: BTreeMap<usize, i64> = BTreeMap::new();
    let mut slices_accepted: BTreeMap<(usize, String, String), Vec<i64>> = BTreeMap::new();
    for record in records {
        let SourceKind::Stream(stream) = &pipeline.sources[record.source].kind else {
            panic!("record of source {}, which is no stream: give records of streams only", record.source);
        };
        let clock = clocks.entry(record.source).or_insert(record.append_at.0);
        *clock = record.append_at.0.max(*clock);
        let outcome = event(pipeline, record, stream).and_then(|(source_text, id_text, event)| {
            let slices = slices_accepted.entry((record.source, source_text, id_text)).or_default();
            let slice = clock.div_euclid(stream.dedup.0);
            if event.from > *clock + stream.skew.0 {
                Err("future")
            } else if event.from < *clock - stream.lateness.0 {
                Err("late")
            } else if slices.contains(&slice) || slices.contains(&(slice - 1)) {
                Err("duplicate")
            } else {
                slices.push(slice);
                Ok(event)
            }
        });
        let (decision, event) = match outcome {
            Ok(event) => (Decision::Accepted, Some(event)),
            Err(reason) => (Decision::Refused(reason), None),
        };
        decided.push(Decided { source: record.source, append_at: record.append_at, decision, event });
    }
    decided
}

/// The event of a record with the two texts of its identity.
pub(crate) fn event(pipeline: &Pipeline, record: &Record, stream: &Stream) -> Result<(String, String, Row), &'static str> {
    let source = &pipeline.sources[record.source];
    let contents = decode(source, &record.payload)?;
    let text = |field: usize| contents[field].as_ref().map(|content| text_of(&source.fields[field], content));
    let (Some(source_text), Some(id_text)) = (text(stream.identity_source), text(stream.identity_id)) else {
        return Err("missing_field");
    };
    let Some(Content::Units(time)) = contents[stream.time] else { return Err("missing_field") };
    let identity = xxh3_128(&[source_text.as_bytes(), &[0x1f], id_text.as_bytes()].concat());
    Ok((source_text, id_text, Row { from: time, end: None, identity, contents }))
}
