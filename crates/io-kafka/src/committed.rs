//! What a group has committed, as Kafka tells it: offsets by topic and partition, and a note beside the first topic's.

use std::sync::Arc;

use bytes::Bytes;
use ports::{Assignment, Position};
use rdkafka::{Offset, TopicPartitionList};

use crate::{Error, names::Names, note};

/// What cannot be done when it fails.
pub(crate) const WHAT: &str = "what is committed cannot be read";

/// The question.
pub(crate) fn asked(names: &Names, topics: &[Arc<str>], partitions: &[u32]) -> TopicPartitionList {
    let mut asked = TopicPartitionList::new();
    for topic in topics {
        for partition in partitions {
            asked.add_partition(&names.outside(topic), partition.cast_signed());
        }
    }
    asked
}

/// The answer, by partition.
pub(crate) fn assignments(
    found: &TopicPartitionList,
    names: &Names,
    topics: &[Arc<str>],
    partitions: &[u32],
) -> Result<Vec<Assignment>, Error> {
    let assignment = |partition: &u32| {
        let mut assignment = Assignment { partition: *partition, positions: Vec::new(), note: Bytes::new() };
        for (place, topic) in topics.iter().enumerate() {
            let Some(element) = found.find_partition(&names.outside(topic), partition.cast_signed()) else { continue };
            element.error().map_err(Error::kafka(WHAT))?;
            let Offset::Offset(offset) = element.offset() else { continue };
            assignment.positions.push(Position { topic: topic.clone(), next: offset.max(0).unsigned_abs() });
            if place == 0 {
                assignment.note = note::from_text(element.metadata()).ok_or_else(|| {
                    Error::Request(format!(
                        "the note beside the position of {topic} {partition} is not Headway's: use another group."
                    ))
                })?;
            }
        }
        Ok(assignment)
    };
    partitions.iter().map(assignment).collect()
}
