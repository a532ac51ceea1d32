//! The log port over one folder. Asks the writer to change things and reads what is there; decides nothing itself.

use std::{collections::BTreeMap, sync::Arc};

use domain::Timestamp;
use ports::{Assignment, Bounds, Clock, Membership, Outgoing, Record, TopicSpec};

use crate::{
    EmbeddedMember, Error, Inspection, Recovered, Settings, block, folder, inspection, reader, recovery,
    shared::Shared,
    writer::{self, Writing},
};

/// More than this in one append makes a frame whose lengths do not fit into its header.
const APPEND_BYTES_LIMIT: usize = 1 << 30;

/// A log in a folder of its own. Clones are the same log; the last one, and the last member, wait for the writer to end.
#[derive(Clone, Debug)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    writing: Writing,
    recovered: Recovered,
}

impl EmbeddedLog {
    /// Takes the folder and opens what is in it. Waits for the disk, so not from an async task that others wait for. Append times
    /// come from the clock; within a partition they never go back, even when the clock does.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, ports::Error> {
        Ok(Self::build(settings, clock)?)
    }

    /// What had to be done to open it.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// What is in it now, for a person who looks after it. Waits for the disk.
    pub fn inspect(&self) -> Result<Inspection, ports::Error> {
        let Shared { index, settings, .. } = &*self.shared;
        Ok(Inspection { torn: None, ..inspection::of(&self.shared.state(), index, settings)? })
    }

    /// Looks at once for what retention may take, which happens by itself every `retention_every`, and takes some of it; the rest
    /// follows while nothing else is to be written. Each look believes the clock
    /// at most twice that much more than the one before, so that a clock that jumps ahead for a while takes nothing.
    pub async fn retain(&self) -> Result<(), ports::Error> {
        Ok(self.writing.retain().await?)
    }

    fn build(settings: Settings, clock: Clock) -> Result<Self, Error> {
        if settings.append_bytes_max > APPEND_BYTES_LIMIT || settings.queue_bytes_max < settings.append_bytes_max {
            return Err(Error::Request(format!(
                "`append_bytes_max` is {}: it may be at most {APPEND_BYTES_LIMIT} and at most `queue_bytes_max`, which is {}.",
                settings.append_bytes_max, settings.queue_bytes_max
            )));
        }
        let held = folder::hold(&settings.path)?;
        let opened = recovery::open(&settings)?;
        let shared = Shared::new(opened.state, opened.index, opened.segments, settings, clock);
        let shared = Arc::new(shared);
        let writing = writer::start(shared.clone(), opened.active, held)?;
        Ok(Self { shared, writing, recovered: opened.recovered })
    }
}

impl ports::Log for EmbeddedLog {
    type Member = EmbeddedMember;

    async fn create(&self, topics: &[TopicSpec]) -> Result<(), ports::Error> {
        Ok(self.writing.create(topics.to_vec()).await?)
    }

    async fn append(&self, records: Vec<Outgoing>) -> Result<(), ports::Error> {
        let drafts = block::drafts(&records, self.shared.settings.append_bytes_max)?;
        drop(records);
        Ok(self.writing.write(drafts, None).await?)
    }

    async fn join(&self, membership: Membership) -> Result<EmbeddedMember, ports::Error> {
        let Membership { group, member, topics, .. } = membership;
        let mut read = Vec::new();
        let mut partitions = None;
        for topic in topics {
            let state = self.shared.state();
            let id = state.topic_id(&topic)?;
            let count = state.topics[id as usize].spec.partitions;
            if *partitions.get_or_insert(count) != count {
                let why = format!("the topics of group {group} have different numbers of partitions: {topic:?} has {count}.");
                return Err(Error::Request(format!("{why} Join for topics that are cut alike.")).into());
            }
            read.push((topic, id));
        }
        let partitions = partitions
            .ok_or_else(|| Error::Request(format!("member {member} of group {group} joins for no topic: name one.")))?;
        let seat = self.shared.groups().join(&group, &member, partitions).map_err(|others| {
            Error::Request(format!(
                "the others of group {group} read topics of {others} partitions and member {member} wants topics of {partitions}: \
                 use another group."
            ))
        })?;
        self.shared.announce();
        Ok(EmbeddedMember::new(self.shared.clone(), self.writing.clone(), seat, read))
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, ports::Error> {
        let id = self.shared.state().partition_id(topic, partition)?;
        let mut records = reader::records(&self.shared, id, from, bytes_max).await?;
        let mut bytes = 0;
        let within = records.iter().take_while(|record| {
            let first = bytes == 0;
            bytes += record.key.len() + record.value.len() + 1;
            first || bytes <= bytes_max
        });
        let within = within.count();
        records.truncate(within);
        Ok(records)
    }

    async fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, ports::Error> {
        let state = self.shared.state();
        let id = state.partition_id(topic, partition)?;
        let partition = state.partition(id);
        Ok(Bounds { first: partition.first, next: partition.next })
    }

    async fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, ports::Error> {
        let id = self.shared.state().partition_id(topic, partition)?;
        Ok(reader::offset_at(&self.shared, id, at).await?)
    }

    async fn committed(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, ports::Error> {
        let state = self.shared.state();
        let of_group = state.committed.range((group.to_owned(), 0)..=(group.to_owned(), u32::MAX));
        let assignments: BTreeMap<u32, Assignment> = of_group
            .map(|((_, partition), committed)| {
                let mut assignment = inspection::assignment(&state, *partition, committed);
                assignment.positions.retain(|position| topics.contains(&position.topic));
                (*partition, assignment)
            })
            .collect();
        Ok(assignments.into_values().collect())
    }
}
