//! The port. What the client library does by waiting is done on threads that may wait.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use domain::Timestamp;
use ports::{Assignment, Bounds, Clock, Membership, Outgoing, Record, TopicSpec};
use rdkafka::{
    Offset, TopicPartitionList, consumer::Consumer, error::KafkaError, metadata::MetadataTopic, types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, KafkaMember, Settings, TopicPlan, TopicThere,
    append::Appender,
    asking::{Asking, Transactions},
    committed,
    create::Topics,
    names::Names,
    read::Readers,
    tail::Tails,
};

/// How often it is looked whether a topic that was made is there.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A log on a cluster.
#[derive(Clone)]
pub struct KafkaLog {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Arc<Settings>,
    pub(crate) names: Names,
    pub(crate) clock: Clock,
    pub(crate) asking: Asking,
    pub(crate) topics: Topics,
    appender: Appender,
    readers: Readers,
    tails: Tails,
    /// One for each group, and one more where somebody has to be sure: a few for each pipeline.
    groups: Mutex<HashMap<(String, Transactions), Arc<Asking>>>,
    /// How many partitions topics have, which never changes.
    partitions: Mutex<HashMap<String, u32>>,
    /// Behind which offset the last record of a partition lies, by topic and partition, as long as its end is still this.
    ends: Mutex<HashMap<(String, u32), (u64, u64)>>,
}

impl KafkaLog {
    /// A log on the cluster of these settings. Connects when it is used.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, Error> {
        settings.security.check()?;
        let settings = Arc::new(settings);
        let inner = Inner {
            names: Names::new(&settings),
            clock,
            asking: Asking::new(&settings, None, Transactions::Awaited)?,
            topics: Topics::new(&settings)?,
            appender: Appender::new(&settings)?,
            readers: Readers::new(settings.clone()),
            tails: Tails::new(settings.clone()),
            groups: Mutex::default(),
            partitions: Mutex::default(),
            ends: Mutex::default(),
            settings,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is there of these topics, and what would have to change so that they are as they should be. Changes nothing.
    pub async fn plan(&self, topics: &[TopicSpec]) -> Result<TopicPlan, ports::Error> {
        let mut there = BTreeMap::new();
        for topic in topics {
            let name = topic.name.clone();
            if let Some(found) = self.wait(move |inner| inner.fetch_topic(&name, Leaders::Optional)).await? {
                there.insert(topic.name.clone(), found);
            }
        }
        Ok(self.inner.topics.plan(topics, &there).await?)
    }

    /// Does what a plan of these topics says, or nothing when a part of it cannot be done.
    pub async fn apply(&self, topics: &[TopicSpec], plan: &TopicPlan) -> Result<(), ports::Error> {
        self.inner.topics.apply(topics, plan).await?;
        self.await_topics(topics).await
    }

    /// A topic that was made has no leaders for a moment.
    async fn await_topics(&self, topics: &[TopicSpec]) -> Result<(), ports::Error> {
        let looking = async {
            for topic in topics {
                loop {
                    let name = topic.name.clone();
                    if self.wait(move |inner| inner.fetch_topic(&name, Leaders::Optional)).await?.is_some() {
                        break;
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
            Ok(())
        };
        let late = Error::Ended("a topic that was made has no leader yet: look at the brokers, and try again.");
        tokio::time::timeout(self.inner.settings.answer_max, looking).await.unwrap_or(Err(late.into()))
    }

    /// Does on a thread that may wait what waits for brokers.
    pub(crate) async fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ports::Error> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        Ok(done.unwrap_or(Err(Error::Ended("the process is ending")))?)
    }
}

/// What becomes of a question for a topic that has no leader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaders {
    /// There is none for a moment, since brokers have come or gone: it is asked again.
    Awaited,
    /// The topic counts as missing.
    Optional,
}

fn is_without_leader(found: &MetadataTopic) -> bool {
    let is_of_one = found.partitions().iter().any(|partition| partition.leader() < 0);
    is_of_one || found.error().map(Code::from) == Some(Code::LeaderNotAvailable)
}

impl Inner {
    /// What there is of a topic; none when there is no such topic, or it has no leaders and none are awaited.
    fn fetch_topic(&self, topic: &str, leaders: Leaders) -> Result<Option<TopicThere>, Error> {
        let name = self.names.outside(topic);
        let what = format!("topic {name} cannot be looked up");
        let metadata = self.asking.ask(what.clone(), |asking, wait| {
            let metadata = asking.fetch_metadata(Some(&name), wait)?;
            match metadata.topics().iter().any(|found| found.name() == name && is_without_leader(found)) {
                true if leaders == Leaders::Awaited => Err(KafkaError::MetadataFetch(Code::LeaderNotAvailable)),
                _ => Ok(metadata),
            }
        })?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == name) else { return Ok(None) };
        if let Some(Code::TopicAuthorizationFailed) = found.error().map(Code::from) {
            return Err(Error::Kafka { what, source: KafkaError::MetadataFetch(Code::TopicAuthorizationFailed) });
        }
        let partitions = found.partitions();
        if found.error().is_some() || partitions.is_empty() || is_without_leader(found) {
            return Ok(None);
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(TopicThere {
            partitions: count(partitions.len()),
            replicas: count(partitions.iter().map(|partition| partition.replicas().len()).min().unwrap_or(0)),
            behind: count(partitions.iter().filter(|partition| partition.isr().len() < partition.replicas().len()).count()),
            ..TopicThere::default()
        }))
    }

    pub(crate) fn partitions(&self, topic: &str) -> Result<u32, Error> {
        let known = || self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = known().get(topic).copied() {
            return Ok(count);
        }
        let found = self.fetch_topic(topic, Leaders::Awaited)?.ok_or_else(|| {
            Error::Request(format!(
                "there is no topic {:?} in the cluster: `headway topics apply` makes those of a pipeline.",
                self.names.outside(topic)
            ))
        })?;
        let count = found.partitions;
        known().insert(topic.to_owned(), count);
        Ok(count)
    }

    pub(crate) fn check(&self, topic: &str, partition: u32) -> Result<(), Error> {
        let count = self.partitions(topic)?;
        if partition < count {
            return Ok(());
        }
        Err(Error::Request(format!("topic {topic:?} has {count} partitions, so there is none with number {partition}.")))
    }

    fn knows(&self, topic: &str) -> bool {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).contains_key(topic)
    }

    fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, Error> {
        self.check(topic, partition)?;
        let name = self.names.outside(topic);
        let what = format!("the ends of partition {partition} of {name} are not known");
        let ends = self.asking.ask(what, |asking, wait| asking.fetch_watermarks(&name, partition.cast_signed(), wait))?;
        let (first, end) = (ends.0.max(0).unsigned_abs(), ends.1.max(0).unsigned_abs());
        let known = || self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (topic.to_owned(), partition);
        if let Some((_, next)) = known().get(&at).copied().filter(|(then, _)| *then == end) {
            // Retention may have taken the last record meanwhile.
            return Ok(Bounds { first, next: next.max(first) });
        }
        let bounds = self.tails.bounds(&name, partition, first, end)?;
        known().insert(at, (end, bounds.next));
        Ok(bounds)
    }

    fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, Error> {
        self.check(topic, partition)?;
        let name = self.names.outside(topic);
        let what = || format!("an instant cannot be looked up in partition {partition} of {name}");
        let mut asked = TopicPartitionList::new();
        let instant = Offset::Offset(at.0.max(0));
        asked.add_partition_offset(&name, partition.cast_signed(), instant).map_err(Error::kafka(what()))?;
        let found = self.asking.ask(what(), |asking, wait| asking.offsets_for_times(asked.clone(), wait))?;
        let Some(element) = found.find_partition(&name, partition.cast_signed()) else {
            return Err(Error::Ended("an instant was looked up and nothing was answered"));
        };
        element.error().map_err(Error::kafka(what()))?;
        // The ends of transactions have times, too.
        let next = self.bounds(topic, partition)?.next;
        match element.offset() {
            Offset::Offset(offset) => Ok(next.min(offset.max(0).unsigned_abs())),
            _ => Ok(next),
        }
    }

    /// Somebody who asks what a group has committed without being of it.
    fn group(&self, group: String, open: Transactions) -> Result<Arc<Asking>, Error> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let asking = match groups.entry((group, open)) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let asking = Arc::new(Asking::new(&self.settings, Some(&place.key().0), open)?);
                place.insert(asking)
            }
        };
        Ok(asking.clone())
    }

    fn committed(&self, group: &str, topics: &[Arc<str>], open: Transactions) -> Result<Vec<Assignment>, Error> {
        let mut partitions = 0;
        for topic in topics {
            partitions = self.partitions(topic)?.max(partitions);
        }
        let all: Vec<u32> = (0..partitions).collect();
        let asked = committed::asked(&self.names, topics, &all);
        let asking = self.group(self.names.outside(group).into_owned(), open)?;
        let found = asking.ask(committed::WHAT, |asking, wait| asking.committed_offsets(asked.clone(), wait))?;
        let found = committed::assignments(&found, &self.names, topics, &all)?;
        Ok(found.into_iter().filter(|assignment| !assignment.positions.is_empty()).collect())
    }
}

/// Clients end by waiting for brokers, which is not for whoever happens to need a log the last.
impl Drop for KafkaLog {
    fn drop(&mut self) {
        if Arc::strong_count(&self.inner) == 1 {
            let last = self.inner.clone();
            // Where no thread can be had it is done here.
            let _ = thread::Builder::new().name("kafka-end".into()).spawn(move || drop(last));
        }
    }
}

impl ports::Log for KafkaLog {
    type Member = KafkaMember;

    async fn create(&self, topics: &[TopicSpec]) -> Result<(), ports::Error> {
        let plan = self.plan(topics).await?;
        self.apply(topics, &plan).await
    }

    async fn append(&self, records: Vec<Outgoing>) -> Result<(), ports::Error> {
        let inner = self.inner.clone();
        if let Some(unknown) = records.iter().map(|record| &record.topic).find(|topic| !inner.knows(topic)).cloned() {
            self.wait(move |inner| inner.partitions(&unknown)).await?;
        }
        records.iter().try_for_each(|record| inner.check(&record.topic, record.partition))?;
        Ok(self.inner.appender.append(&records, &inner.names).await?)
    }

    async fn join(&self, membership: Membership) -> Result<KafkaMember, ports::Error> {
        let log = self.clone();
        self.wait(move |_| KafkaMember::join(log, membership)).await
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, ports::Error> {
        let topic = topic.to_owned();
        self.wait(move |inner| {
            inner.check(&topic, partition)?;
            inner.readers.read(&inner.names.outside(&topic), partition, from, bytes_max)
        })
        .await
    }

    async fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, ports::Error> {
        let topic = topic.to_owned();
        self.wait(move |inner| inner.bounds(&topic, partition)).await
    }

    async fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, ports::Error> {
        let topic = topic.to_owned();
        self.wait(move |inner| inner.offset_at(&topic, partition, at)).await
    }

    async fn committed(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, ports::Error> {
        let (group, topics) = (group.to_owned(), topics.to_vec());
        self.wait(move |inner| inner.committed(&group, &topics, Transactions::Awaited)).await
    }

    async fn progress(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, ports::Error> {
        let (group, topics) = (group.to_owned(), topics.to_vec());
        self.wait(move |inner| inner.committed(&group, &topics, Transactions::Overlooked)).await
    }
}
