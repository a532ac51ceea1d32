//! Admission alone: which records an engine would take, without taking them.

use domain::Timestamp;
use pipeline::{Pipeline, SourceKind};

use super::{Record, stream::StreamState};
use crate::Reason;

/// Decides about the records of one partition as an engine does.
#[derive(Debug)]
pub struct Admission {
    streams: Vec<Option<StreamState>>,
}

impl Admission {
    /// Nothing seen yet.
    pub fn new(pipeline: &Pipeline) -> Self {
        let stream = |source: &pipeline::Source| match &source.kind {
            SourceKind::Stream(stream) => Some(StreamState::new(source, stream, &vec![false; source.fields.len()])),
            _ => None,
        };
        Self { streams: pipeline.sources.iter().map(stream).collect() }
    }

    /// The event's time, or why the record is refused. Records come in the order of their partition.
    pub fn decide(&mut self, record: &Record<'_>) -> Result<Timestamp, Reason> {
        let stream = self.streams.get_mut(record.source).and_then(Option::as_mut);
        stream.map_or(Err(Reason::Malformed), |stream| stream.decide(record)).map(Timestamp)
    }
}
