//! What becomes of records that could not be taken: a letter with the reason, never silence.
//!
//! A letter names topic, partition and offset, so the original can be read for as long as the topic keeps it. It repeats the
//! payload, as it came, only when the source declares no position: where somebody was is nobody's business beyond the topic itself.

use bytes::Bytes;
use features::{Dropped, Reason, Refused};
use pipeline::{FieldKind, Pipeline};
use ports::{Header, Outgoing, Record, UnreadableReason};

use super::Plan;

/// Writes letters for one partition.
pub(super) struct Letters<'a> {
    pub(super) plan: &'a Plan,
    pub(super) partition: u32,
}

impl Letters<'_> {
    /// The letter of a refused record; none for a duplicate, which is only counted.
    pub(super) fn refused(&self, refused: &Refused, topic: &str, record: &Record) -> Option<Outgoing> {
        let to = match refused.reason {
            Reason::Duplicate => return None,
            Reason::Late => self.plan.topics.late(),
            _ => self.plan.topics.dead_letters(),
        };
        let source = &self.plan.pipeline.sources[refused.source].name;
        let mut headers = vec![header("reason", refused.reason.code()), header("source", source)];
        headers.extend(record.unreadable().map(|unreadable| header("fault", &unreadable.why)));
        headers.extend(self.origin(topic, record));
        let value = if shows_positions(&self.plan.pipeline, refused.source) { Bytes::new() } else { record.value.clone() };
        Some(Outgoing { topic: to, partition: self.partition, key: record.key.clone(), value, headers })
    }

    /// The letter of a part of an event that found no place.
    pub(super) fn dropped(&self, dropped: &Dropped) -> Outgoing {
        let group = &self.plan.pipeline.groups[dropped.group];
        let headers =
            vec![header("reason", dropped.reason.code()), header("group", &group.name), header("entity", &group.entity)];
        let key = Bytes::copy_from_slice(dropped.key.as_bytes());
        Outgoing { topic: self.plan.topics.late(), partition: self.partition, key, value: Bytes::new(), headers }
    }

    /// The letter of a block that another partition cannot have written like this.
    pub(super) fn broken(&self, topic: &str, record: &Record, fault: &features::Error) -> Outgoing {
        let mut headers = vec![header("reason", "broken_block"), header("fault", &fault.to_string())];
        headers.extend(self.origin(topic, record));
        let (key, value) = (record.key.clone(), record.value.clone());
        Outgoing { topic: self.plan.topics.dead_letters(), partition: self.partition, key, value, headers }
    }

    fn origin(&self, topic: &str, record: &Record) -> [Header; 3] {
        let (partition, offset) = (self.partition.to_string(), record.offset.to_string());
        [header("topic", topic), header("partition", &partition), header("offset", &offset)]
    }
}

/// The reason of a record that could not be read before the engine saw it.
pub(super) fn reason(unreadable: UnreadableReason) -> Reason {
    match unreadable {
        UnreadableReason::TooLarge => Reason::TooLarge,
        UnreadableReason::NotFramed => Reason::NotFramed,
        UnreadableReason::UnknownSchema => Reason::UnknownSchema,
        UnreadableReason::UnusableSchema => Reason::UnusableSchema,
        UnreadableReason::Undecodable => Reason::Undecodable,
    }
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: Bytes::copy_from_slice(value.as_bytes()) }
}

/// Whether a source says where somebody is.
fn shows_positions(pipeline: &Pipeline, source: usize) -> bool {
    pipeline.sources[source].fields.iter().any(|field| matches!(field.kind, FieldKind::Cell { .. }))
}
