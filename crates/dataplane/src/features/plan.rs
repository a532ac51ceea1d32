//! What a feature worker is there for: one generation of a pipeline's groups over a number of partitions.

use std::sync::Arc;

use domain::Timestamp;
use pipeline::Pipeline;
use ports::{Assignment, Log, Share};

use crate::Topics;

/// One generation: groups that were built together and share a group of the log, a topic of partials and an engine by partition.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The groups and their sources.
    pub pipeline: Arc<Pipeline>,
    /// Stamped on every vector.
    pub generation: u32,
    /// How many partitions each topic has.
    pub partitions: u32,
    /// Names of topics.
    pub topics: Topics,
    /// Sources that are files, with their text.
    pub files: Vec<(usize, Arc<str>)>,
    /// While a generation is built that readers do not read yet: when it was asked for. What was appended before is taken without a
    /// vector being written or an absence told, which the generation before has done. Always the same instant for a generation,
    /// so that one that has begun to write never falls silent again.
    pub quiet_until: Option<Timestamp>,
}

impl Plan {
    /// The topics that are read, in the order of a note's positions: those of events, then the partials.
    pub fn reads(&self) -> Vec<Arc<str>> {
        let inputs = self.topics.inputs().iter().map(|(name, _)| name.clone());
        inputs.chain([self.topics.partials(self.generation)]).collect()
    }

    /// What its workers have committed, by partition.
    pub async fn committed<L: Log>(&self, log: &L) -> Result<Vec<Assignment>, ports::Error> {
        log.committed(&self.topics.features_group(self.generation), &self.reads()).await
    }

    /// What is written to the online store by the worker of a partition.
    pub(super) fn share(&self, partition: u32) -> Share {
        Share { generation: self.generation, partition }
    }

    /// The sources that read a topic, by its place; none for the partials.
    pub fn sources(&self, topic: usize) -> Option<&[usize]> {
        self.topics.inputs().get(topic).map(|(_, sources)| &**sources)
    }
}
