//! Running a plan's engine over the past: admission by partition as it was, and one engine for all of them.
//!
//! One engine instead of one for each partition gives the same values, since partials merge to the same bytes in any order and
//! the events of one key of a pair or table are in one partition. No source is silent here: an audit looks at events.

use std::sync::Arc;

use dataplane::features::Plan;
use domain::{Timestamp, Value};
use features::{Admission, Reason, Record};
use pipeline::{Pipeline, SourceKind};

use crate::{Error, feed::Feed, history::Event};

/// One engine over all partitions.
#[derive(Debug)]
pub(crate) struct Replay {
    topics: Vec<(Arc<str>, Vec<usize>)>,
    admissions: Vec<Admission>,
    feed: Feed,
}

impl Replay {
    /// An engine for the groups of this pipeline, which has the plan's sources.
    pub(crate) fn new(plan: &Plan, pipeline: &Pipeline) -> Result<Self, Error> {
        let mut pipeline = pipeline.clone();
        for group in &mut pipeline.groups {
            // Each partition has room for so many.
            group.entities_max = group.entities_max.saturating_mul(u64::from(plan.partitions));
        }
        let pipeline = Arc::new(pipeline);
        Ok(Self {
            topics: plan.topics.inputs().to_vec(),
            admissions: (0..plan.partitions).map(|_| Admission::new(&pipeline)).collect(),
            feed: Feed::over(&pipeline, &plan.files)?,
        })
    }

    /// The sources that read a topic.
    pub(crate) fn sources(&self, topic: &str) -> Vec<usize> {
        let read = self.topics.iter().find(|(name, _)| **name == *topic);
        read.map_or(Vec::new(), |(_, sources)| sources.clone())
    }

    /// Whether the partition's engine takes a record; asked once for each, in their order.
    pub(crate) fn decide(&mut self, partition: u32, record: &Record<'_>) -> Result<Timestamp, Reason> {
        let admission = self.admissions.get_mut(partition as usize);
        admission.map_or(Err(Reason::Malformed), |admission| admission.decide(record))
    }

    /// Takes a record that was decided on.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        let Record { source, offset, append_at, payload } = *record;
        self.feed.push(Event { source, line: offset, append_at, payload: payload.to_vec() });
    }

    /// Decides on a record for all sources that read its topic, and takes it where it is accepted.
    pub(crate) fn offer(&mut self, topic: &str, partition: u32, record: &ports::Record) {
        for source in self.sources(topic) {
            let record = of_source(source, record);
            if self.decide(partition, &record).is_ok() {
                self.push(&record);
            }
        }
    }

    /// Brings the engine to an instant.
    pub(crate) fn settle(&mut self, at: Timestamp) {
        self.feed.settle(at);
    }

    /// The values of an entity, those of empty windows when nothing is known of it, and whether something is.
    pub(crate) fn values(&self, group: usize, key: &str) -> (Vec<Option<Value>>, bool) {
        self.feed.values(group, key)
    }

    /// The entities of a group.
    pub(crate) fn keys(&self, group: usize) -> impl Iterator<Item = &str> {
        self.feed.keys(group)
    }
}

/// A record of the log as an engine takes it.
pub(crate) fn of_source(source: usize, record: &ports::Record) -> Record<'_> {
    Record { source, offset: record.offset, append_at: record.append_at, payload: record.json() }
}

/// The pipeline with streams that take events up to this age, beside those that they take anyway.
pub(crate) fn with_lateness(pipeline: &Pipeline, lateness: domain::Span) -> Pipeline {
    let mut wide = pipeline.clone();
    for source in &mut wide.sources {
        if let SourceKind::Stream(stream) = &mut source.kind {
            stream.lateness = stream.lateness.max(lateness);
        }
    }
    wide
}
