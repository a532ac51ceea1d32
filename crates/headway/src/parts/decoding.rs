//! A log whose topics in Avro and Protobuf come with their JSON beside the payload, for those who read JSON.
//!
//! Everything else of a record stays what it was: payload, key, headers, offset and time. A record that cannot be read is marked with
//! the reason and goes on as the others do; a registry that does not answer keeps the records until it does. Knows nothing of
//! pipelines: which topics are encoded it is told.

mod member;
mod piece;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use domain::Timestamp;
use io_registry::Registry;
use ports::{Assignment, Bounds, Clock, Error, ErrorKind, Log, Membership, Outgoing, Record, TopicSpec};

use crate::settings::Servers;
pub(crate) use member::DecodingMember;
use piece::{decode, piece};

/// A log with a schema registry beside it.
#[derive(Clone, Debug)]
pub(crate) struct Decoding<L> {
    log: L,
    /// None when none was named; then no topic is encoded.
    registry: Option<Registry>,
    topics: EncodedTopics,
}

/// The topics that are encoded, by full name.
#[derive(Clone, Debug, Default)]
struct EncodedTopics(Arc<RwLock<BTreeSet<Arc<str>>>>);

impl EncodedTopics {
    fn contain(&self, topic: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }
}

impl<L> Decoding<L> {
    /// Asks nobody as yet, and decodes nothing before it was told what to.
    pub(crate) fn new(log: L, servers: &Servers, clock: &Clock) -> Result<Self, Error> {
        let registry = servers.registry.as_ref().map(|settings| Registry::open(settings, clock.clone())).transpose()?;
        Ok(Self { log, registry, topics: EncodedTopics::default() })
    }

    /// The log as it is, for those who look at no payload, and for what only one kind of log can tell.
    pub(crate) fn beneath(&self) -> &L {
        &self.log
    }

    /// Who knows the schemas.
    pub(crate) fn registry(&self) -> Option<&Registry> {
        self.registry.as_ref()
    }

    /// From now on these topics are encoded, and no others.
    pub(crate) fn decode_only(&self, topics: BTreeSet<Arc<str>>) {
        *self.topics.0.write().unwrap_or_else(PoisonError::into_inner) = topics;
    }

    fn registry_for(&self, topic: &str) -> Option<&Registry> {
        self.registry.as_ref().filter(|_| self.topics.contain(topic))
    }
}

/// The registry has answered at the start, so whatever is wrong with it now may be mended while records wait.
fn waits(error: io_registry::Error) -> Error {
    let kind = if error.kind() == ErrorKind::Bug { ErrorKind::Bug } else { ErrorKind::Transient };
    Error::new(kind, error.to_string())
}

impl<L: Log> Log for Decoding<L> {
    type Member = DecodingMember<L::Member>;

    async fn create(&self, topics: &[TopicSpec]) -> Result<(), Error> {
        self.log.create(topics).await
    }

    async fn append(&self, records: Vec<Outgoing>) -> Result<(), Error> {
        self.log.append(records).await
    }

    async fn join(&self, membership: Membership) -> Result<Self::Member, Error> {
        let member = self.log.join(membership).await?;
        Ok(DecodingMember::new(member, self.registry.clone(), self.topics.clone()))
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
        let mut records = self.log.read(topic, partition, from, bytes_max).await?;
        let Some(registry) = self.registry_for(topic) else { return Ok(records) };
        let mut rest = &mut records[..];
        while !rest.is_empty() {
            let (length, ids) = piece(rest);
            let decoder = registry.prepare(ids).await.map_err(waits)?;
            let (head, tail) = rest.split_at_mut(length);
            decode(head, &decoder);
            rest = tail;
        }
        Ok(records)
    }

    async fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, Error> {
        self.log.bounds(topic, partition).await
    }

    async fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, Error> {
        self.log.offset_at(topic, partition, at).await
    }

    async fn committed(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, Error> {
        self.log.committed(group, topics).await
    }

    async fn progress(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, Error> {
        self.log.progress(group, topics).await
    }
}
