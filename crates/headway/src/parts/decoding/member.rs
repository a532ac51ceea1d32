//! A member whose records come with their JSON. What waits for a schema waits here, one batch of one topic, and is asked for again
//! and again beside whatever else the process does. Meanwhile nothing else is delivered, so that no topic overtakes another.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use dataplane::Backoff;
use io_registry::{Decoder, Registry, SchemaId};
use ports::{Commit, Error, ErrorKind, Event, Member, Position, Record};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{
    EncodedTopics,
    piece::{decode, piece},
    waits,
};

/// A member of a group of the log beneath.
pub(crate) struct DecodingMember<M> {
    member: M,
    registry: Option<Registry>,
    topics: EncodedTopics,
    /// Delivered and not handed on; the first of them waits for its schemas. No more is taken while there is one.
    queue: VecDeque<Batch>,
    /// Those of topics that were paused meanwhile: one for each at most, since nothing more comes of a paused topic.
    parked: Vec<Batch>,
    /// Asks for the schemas of the first batch; ends with the member.
    asking: JoinSet<Result<Decoder, Error>>,
}

/// Records of one topic and partition.
struct Batch {
    topic: Arc<str>,
    partition: u32,
    records: Vec<Record>,
    more: bool,
}

impl<M: Member> DecodingMember<M> {
    pub(super) fn new(member: M, registry: Option<Registry>, topics: EncodedTopics) -> Self {
        Self { member, registry, topics, queue: VecDeque::new(), parked: Vec::new(), asking: JoinSet::new() }
    }

    /// The next piece of the first batch when its schemas are there; idle when they are not in time.
    async fn hand_on(&mut self, registry: &Registry, wait: Duration) -> Result<Event, Error> {
        let Some(first) = self.queue.front() else { return Ok(Event::Idle) };
        let (length, ids) = piece(&first.records);
        let decoder = match registry.prepared(ids.iter().copied()) {
            Some(decoder) => {
                // Somebody else has asked for the same; what is still on its way is not for the batches that follow.
                self.asking = JoinSet::new();
                decoder
            }
            None => {
                if self.asking.is_empty() {
                    self.asking.spawn(ask(registry.clone(), first.topic.clone(), ids.into_iter().collect()));
                }
                match tokio::time::timeout(wait, self.asking.join_next()).await {
                    Ok(Some(Ok(decoder))) => decoder?,
                    Ok(Some(Err(error))) => {
                        return Err(Error::new(ErrorKind::Bug, format!("asking for schemas did not come to its end: {error}")));
                    }
                    Err(_) | Ok(None) => return Ok(Event::Idle),
                }
            }
        };
        let Some(Batch { topic, partition, mut records, more }) = self.queue.pop_front() else { return Ok(Event::Idle) };
        let rest = records.split_off(length);
        decode(&mut records, &decoder);
        let more_follows = more || !rest.is_empty();
        if !rest.is_empty() {
            self.queue.push_front(Batch { topic: topic.clone(), partition, records: rest, more });
        }
        Ok(Event::Records { topic, partition, records, more: more_follows })
    }

    /// Drops or puts aside what waits; what is asked for is then no longer for the first batch.
    fn take_out(&mut self, out: impl Fn(&Batch) -> bool) -> Vec<Batch> {
        let (taken, kept): (Vec<Batch>, Vec<Batch>) = self.queue.drain(..).partition(out);
        self.queue = kept.into();
        if !taken.is_empty() {
            self.asking = JoinSet::new();
        }
        taken
    }

    fn forget(&mut self, partitions: &[u32]) {
        self.take_out(|batch| partitions.contains(&batch.partition));
        self.parked.retain(|batch| !partitions.contains(&batch.partition));
    }
}

/// Until the registry says something that can be worked with.
async fn ask(registry: Registry, topic: Arc<str>, ids: Vec<SchemaId>) -> Result<Decoder, Error> {
    let (mut backoff, mut told) = (Backoff::default(), false);
    loop {
        match registry.prepare(ids.iter().copied()).await.map_err(waits) {
            Err(error) if error.kind() == ErrorKind::Transient => {
                if !std::mem::replace(&mut told, true) {
                    warn!(%topic, %error, "records wait for their schemas");
                }
                backoff.wait().await;
            }
            other => {
                if told {
                    info!(%topic, "records wait no longer for their schemas");
                }
                return other;
            }
        }
    }
}

impl<M: Member> Member for DecodingMember<M> {
    async fn next(&mut self, wait: Duration) -> Result<Event, Error> {
        let Some(registry) = self.registry.clone() else { return self.member.next(wait).await };
        if self.queue.is_empty() {
            match self.member.next(wait).await? {
                Event::Records { topic, partition, records, more } if !records.is_empty() && self.topics.contain(&topic) => {
                    self.queue.push_back(Batch { topic, partition, records, more });
                }
                other => {
                    if let Event::Revoked(partitions) | Event::Lost(partitions) = &other {
                        self.forget(partitions);
                    }
                    return Ok(other);
                }
            }
        }
        self.hand_on(&registry, wait).await
    }

    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), Error> {
        self.forget(&[partition]);
        self.member.start(partition, positions)
    }

    fn pause(&mut self, topic: &str, partition: u32) {
        let paused = self.take_out(|batch| *batch.topic == *topic && batch.partition == partition);
        self.parked.extend(paused);
        self.member.pause(topic, partition);
    }

    fn resume(&mut self, topic: &str, partition: u32) {
        let resumed = |batch: &mut Batch| *batch.topic == *topic && batch.partition == partition;
        self.queue.extend(self.parked.extract_if(.., resumed));
        self.member.resume(topic, partition);
    }

    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), Error> {
        self.member.commit(commits).await
    }

    async fn leave(self) -> Result<(), Error> {
        self.member.leave().await
    }
}
