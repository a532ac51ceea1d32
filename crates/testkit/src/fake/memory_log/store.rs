//! Topics and records in lists. Nothing here can fail but a request that names what does not exist.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::Timestamp;
use ports::{Bounds, Error, ErrorKind, Outgoing, Record, TopicSpec};

#[derive(Default)]
pub(super) struct Store {
    topics: BTreeMap<Arc<str>, Topic>,
}

struct Topic {
    spec: TopicSpec,
    partitions: Vec<Partition>,
}

#[derive(Clone)]
pub(super) struct Partition {
    first: u64,
    records: VecDeque<Record>,
    appended_at: Timestamp,
}

impl Store {
    pub(super) fn create(&mut self, topics: &[TopicSpec]) -> Result<(), Error> {
        for spec in topics {
            if let Some(old) = self.topics.get(&spec.name).filter(|old| old.spec.partitions != spec.partitions) {
                return Err(invalid(format!(
                    "topic {:?} has {} partitions, not {}",
                    spec.name, old.spec.partitions, spec.partitions
                )));
            }
        }
        for spec in topics {
            let fresh = Partition { first: 0, records: VecDeque::new(), appended_at: Timestamp(i64::MIN) };
            let topic = self.topics.entry(spec.name.clone());
            let topic = topic.or_insert_with(|| Topic { spec: spec.clone(), partitions: vec![fresh; spec.partitions as usize] });
            topic.spec = spec.clone();
        }
        Ok(())
    }

    /// Whether all these records can be taken.
    pub(super) fn check(&self, records: &[Outgoing]) -> Result<(), Error> {
        records.iter().try_for_each(|record| self.partition(&record.topic, record.partition).map(|_| ()))
    }

    pub(super) fn append(&mut self, records: Vec<Outgoing>, now: Timestamp) {
        for Outgoing { topic, partition, key, value, headers } in records {
            let found = self.topics.get_mut(&topic).and_then(|topic| topic.partitions.get_mut(partition as usize));
            let found = found.expect("the records were checked");
            found.appended_at = found.appended_at.max(now);
            let (offset, append_at) = (found.first + found.records.len() as u64, found.appended_at);
            found.records.push_back(Record { offset, append_at, key, value, headers, decoded: None });
        }
    }

    pub(super) fn partition(&self, topic: &str, partition: u32) -> Result<&Partition, Error> {
        let found = self.topics.get(topic).ok_or_else(|| invalid(format!("there is no topic {topic:?}")))?;
        found.partitions.get(partition as usize).ok_or_else(|| invalid(format!("topic {topic:?} has no partition {partition}")))
    }

    /// How many partitions each of these topics has.
    pub(super) fn same_partitions(&self, topics: &[Arc<str>]) -> Result<u32, Error> {
        let mut partitions = None;
        for topic in topics {
            let found = self.topics.get(topic).ok_or_else(|| invalid(format!("there is no topic {topic:?}")))?;
            if *partitions.get_or_insert(found.spec.partitions) != found.spec.partitions {
                return Err(invalid("topics of one group have the same number of partitions".to_owned()));
            }
        }
        partitions.ok_or_else(|| invalid("a group reads at least one topic".to_owned()))
    }

    pub(super) fn retain(&mut self, now: Timestamp) {
        for Topic { spec, partitions } in self.topics.values_mut() {
            let before = spec.retention.map_or(Timestamp(i64::MIN), |retention| now.minus(retention));
            partitions.iter_mut().for_each(|partition| partition.retain(before, spec.retention_bytes.unwrap_or(u64::MAX)));
        }
    }
}

impl Partition {
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { first: self.first, next: self.first + self.records.len() as u64 }
    }

    pub(super) fn read(&self, from: u64, bytes_max: usize) -> Vec<Record> {
        let mut bytes = 0;
        let skipped = from.saturating_sub(self.first).min(self.records.len() as u64);
        let fits = |record: &&Record| {
            let first = bytes == 0;
            bytes += bytes_of(record) + 1;
            first || bytes <= bytes_max
        };
        self.records.range(skipped as usize..).take_while(fits).cloned().collect()
    }

    pub(super) fn offset_at(&self, at: Timestamp) -> u64 {
        self.first + self.records.partition_point(|record| record.append_at < at) as u64
    }

    fn retain(&mut self, before: Timestamp, bytes_max: u64) {
        let mut bytes: u64 = self.records.iter().map(|record| bytes_of(record) as u64).sum();
        while self.records.len() > 1 && (self.records[0].append_at < before || bytes > bytes_max) {
            bytes -= self.records.pop_front().map_or(0, |record| bytes_of(&record) as u64);
            self.first += 1;
        }
    }
}

fn bytes_of(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    record.key.len() + record.value.len() + headers
}

pub(super) fn invalid(what: String) -> Error {
    Error::new(ErrorKind::Invalid, format!("{what}: look for a slip in the settings."))
}
