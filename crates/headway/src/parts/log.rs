//! The log of a process: in its folder, or on Kafka.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use io_kafka::{KafkaLog, KafkaMember};
use io_log::{EmbeddedLog, EmbeddedMember};
use pipeline::Pipeline;
use ports::{Assignment, Bounds, Commit, Error, Event, Log, Member, Membership, Outgoing, Position, Record, TopicSpec};

/// Either log.
#[derive(Clone)]
pub(crate) enum AnyLog {
    Embedded(EmbeddedLog),
    Kafka(KafkaLog),
}

/// A member of either.
pub(crate) enum AnyMember {
    Embedded(EmbeddedMember),
    Kafka(KafkaMember),
}

/// Says the same to whichever it is.
macro_rules! either {
    ($kind:ident, $self:expr, $one:ident => $call:expr) => {
        match $self {
            $kind::Embedded($one) => $call,
            $kind::Kafka($one) => $call,
        }
    };
}

impl AnyLog {
    /// What a person should know of topics that others look after; nobody but Headway looks after those of an embedded log.
    pub(crate) async fn remarks(&self, topics: &[TopicSpec], pipeline: &Pipeline) -> Result<Vec<String>, Error> {
        match self {
            Self::Embedded(_) => Ok(Vec::new()),
            Self::Kafka(log) => Ok(crate::topics::remarks(&log.plan(topics).await?, [pipeline])),
        }
    }
}

impl Log for AnyLog {
    type Member = AnyMember;

    async fn create(&self, topics: &[TopicSpec]) -> Result<(), Error> {
        either!(AnyLog, self, log => log.create(topics).await)
    }

    async fn append(&self, records: Vec<Outgoing>) -> Result<(), Error> {
        either!(AnyLog, self, log => log.append(records).await)
    }

    async fn join(&self, membership: Membership) -> Result<AnyMember, Error> {
        match self {
            Self::Embedded(log) => log.join(membership).await.map(AnyMember::Embedded),
            Self::Kafka(log) => log.join(membership).await.map(AnyMember::Kafka),
        }
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
        either!(AnyLog, self, log => log.read(topic, partition, from, bytes_max).await)
    }

    async fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, Error> {
        either!(AnyLog, self, log => log.bounds(topic, partition).await)
    }

    async fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, Error> {
        either!(AnyLog, self, log => log.offset_at(topic, partition, at).await)
    }

    async fn committed(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, Error> {
        either!(AnyLog, self, log => log.committed(group, topics).await)
    }

    async fn progress(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, Error> {
        either!(AnyLog, self, log => log.progress(group, topics).await)
    }
}

impl Member for AnyMember {
    async fn next(&mut self, wait: Duration) -> Result<Event, Error> {
        either!(AnyMember, self, member => member.next(wait).await)
    }

    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), Error> {
        either!(AnyMember, self, member => member.start(partition, positions))
    }

    fn pause(&mut self, topic: &str, partition: u32) {
        either!(AnyMember, self, member => member.pause(topic, partition));
    }

    fn resume(&mut self, topic: &str, partition: u32) {
        either!(AnyMember, self, member => member.resume(topic, partition));
    }

    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), Error> {
        either!(AnyMember, self, member => member.commit(commits).await)
    }

    async fn leave(self) -> Result<(), Error> {
        either!(AnyMember, self, member => member.leave().await)
    }
}
