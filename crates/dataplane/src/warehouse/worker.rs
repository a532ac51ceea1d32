//! The worker of the warehouse role: a member of a group of the log that owns partitions of predictions and of what became of them. Rows
//! are written first and positions are committed afterwards; what was written and not committed is written again under the same numbers,
//! and counts once.
//!
//! A warehouse that takes no rows is asked again, less and less often. Nothing but a fault of ours ends the worker: predictions do not
//! wait for questions about the past.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::{Assignment, Commit, ErrorKind, Event, Log, Member, Membership, Position, Warehouse};
use tokio::{sync::watch::Receiver, time::Instant};

use super::{
    Table, Tables, Watch,
    partition::{Partition, TOPICS},
};
use crate::{
    Error, Topics,
    membership::{Role, Taken, belong, gather},
    retry::insist,
};

/// Records in one step at most.
const BATCH_MAX: usize = 8_192;
/// Rows are gathered for longer in any case.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);
/// How long rows are gathered, if they are not many: each append waits for a disk or a server, and nobody asks about the last seconds.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// After the first failure it is tried again after this, after each further one after twice as long,
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// and never after more than this, since somebody who has made room on a disk looks whether that helped.
const AGAIN_LONGEST: Duration = Duration::from_secs(30);

/// The outside world of the warehouse role.
#[derive(Clone, Debug)]
pub struct Parts<L, W> {
    /// Where records come from.
    pub log: L,
    /// Where rows go.
    pub warehouse: W,
    /// Who writes them: the same for all processes whose warehouse is the same.
    pub writer: String,
}

/// One worker that writes rows.
pub struct Worker<L, W> {
    /// Of predictions and outcomes.
    topics: [Arc<str>; TOPICS],
    group: String,
    tables: Tables,
    parts: Parts<L, W>,
    member: String,
    owned: BTreeMap<u32, Partition>,
    /// Whether the tables are known to be as they should be.
    are_made: bool,
    written_at: Instant,
    /// When it is tried again, and how long to wait after the next failure.
    again_at: Option<Instant>,
    again_after: Duration,
    watch: Watch,
}

/// Why rows were not written.
enum Unwritten {
    /// They are tried again.
    For(ports::Error),
    Never(Error),
}

impl<L: Log, W: Warehouse> Worker<L, W> {
    /// A worker that has not joined yet, for the predictions of a pipeline.
    pub fn new(pipeline: &str, topics: &Topics, parts: Parts<L, W>, watch: Watch, member: String) -> Self {
        Self {
            topics: [topics.predictions(), topics.outcomes()],
            group: topics.warehouse_group(),
            tables: Tables::new(pipeline),
            parts,
            member,
            owned: BTreeMap::new(),
            are_made: false,
            written_at: Instant::now(),
            again_at: None,
            again_after: AGAIN_FIRST,
            watch,
        }
    }

    /// Works until it is told to stop. Everything that was taken is then written, if the warehouse takes it.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let membership = Membership::new(&self.group, &self.member, self.topics.to_vec()).patient(PATIENCE);
        let log = self.parts.log.clone();
        belong(&log, membership, None, &mut self, stop).await
    }

    fn is_due(&self) -> bool {
        if self.again_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        let is_time = self.written_at.elapsed() >= WRITE_EVERY && self.owned.values().any(Partition::has_taken);
        is_time || self.owned.values().any(Partition::is_enough)
    }

    /// Writes what waits and commits it, if it is time to.
    async fn perform(&mut self, member: &mut L::Member) -> Result<(), Error> {
        if self.is_due() {
            match self.write(member).await {
                Ok(()) => {
                    (self.again_at, self.again_after, self.written_at) = (None, AGAIN_FIRST, Instant::now());
                    self.watch.succeeded();
                }
                Err(Unwritten::For(error)) => {
                    self.again_at = Some(Instant::now() + self.again_after);
                    self.again_after = (self.again_after * 2).min(AGAIN_LONGEST);
                    self.watch.failed(error.to_string());
                }
                Err(Unwritten::Never(error)) => return Err(error),
            }
        }
        for (partition, owned) in &mut self.owned {
            let Some(paused) = owned.change() else { continue };
            for topic in &self.topics {
                match paused {
                    true => member.pause(topic, *partition),
                    false => member.resume(topic, *partition),
                }
            }
        }
        let waiting = self.owned.values().map(Partition::rows).sum();
        self.watch.count(|counts| counts.waiting = waiting);
        Ok(())
    }

    async fn write(&mut self, member: &mut L::Member) -> Result<(), Unwritten> {
        if !self.are_made {
            for table in self.tables.specs() {
                self.parts.warehouse.create(&table).await?;
            }
            self.are_made = true;
        }
        let Self { owned, tables, parts: Parts { warehouse, writer, .. }, .. } = self;
        for (partition, owned) in owned.iter_mut().filter(|(_, owned)| owned.has_taken()) {
            let stream = partition.to_string();
            if owned.first(Table::Predictions).is_none() {
                let mut there = Table::ALL.map(|_| 0);
                for (there, table) in there.iter_mut().zip(Table::ALL) {
                    *there = warehouse.next_row(&tables.name(table), &stream).await?;
                }
                if let Some((positions, note)) = owned.begin(writer, there) {
                    let note = Bytes::from(note.write());
                    let commit = Commit { partition: *partition, positions, note, outputs: Vec::new() };
                    member.commit(vec![commit]).await.map_err(|error| Unwritten::Never(error.into()))?;
                }
            }
            for table in Table::ALL {
                let (first, rows) = (owned.first(table).unwrap_or_default(), owned.rows_of(table));
                if !rows.is_empty() {
                    warehouse.append(&tables.name(table), &stream, first, rows.to_vec()).await?;
                }
            }
        }
        self.commit(member).await.map_err(|error| Unwritten::Never(error.into()))
    }

    /// What is written is committed, of all partitions at once.
    async fn commit(&mut self, member: &mut L::Member) -> Result<(), ports::Error> {
        let (mut commits, mut rows) = (Vec::new(), BTreeMap::<Table, u64>::new());
        for (partition, owned) in self.owned.iter_mut().filter(|(_, owned)| owned.has_taken()) {
            for table in Table::ALL {
                *rows.entry(table).or_default() += owned.rows_of(table).len() as u64;
            }
            let (positions, note) = owned.written(&self.parts.writer, &self.topics);
            commits.push(Commit { partition: *partition, positions, note: Bytes::from(note.write()), outputs: Vec::new() });
        }
        member.commit(commits).await?;
        self.watch.count(|counts| rows.into_iter().for_each(|(table, rows)| *counts.rows.entry(table).or_default() += rows));
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: &Assignment) -> Result<(), Error> {
        let (partition, mut begun) = (assignment.partition, Vec::new());
        for topic in &self.topics {
            let next = match assignment.next(topic) {
                Some(next) => next,
                None => insist(|| self.parts.log.bounds(topic, partition)).await?.first,
            };
            begun.push(Position { topic: topic.clone(), next });
        }
        member.start(partition, &begun)?;
        let owned = Partition::new(begun, &assignment.note).map_err(|fault| Error::Note { partition, fault })?;
        self.owned.insert(partition, owned);
        Ok(())
    }
}

impl<L: Log, W: Warehouse> Role<L> for Worker<L, W> {
    fn wait(&self) -> Duration {
        IDLE
    }

    async fn handle(&mut self, member: &mut L::Member, first: Result<Event, ports::Error>) -> Result<(), Error> {
        let (topics, owned, mut refused) = (&self.topics, &mut self.owned, 0);
        let take = |Taken { topic, partition, records, .. }| {
            let place = topics.iter().position(|known| *known == topic);
            if let Some((owned, place)) = owned.get_mut(&partition).zip(place) {
                refused += owned.take(place, &records);
            }
        };
        let last = gather(member, first, BATCH_MAX, take).await?;
        self.watch.count(|counts| counts.refused += refused);
        self.perform(member).await?;
        match last {
            Event::Assigned(assignments) => {
                for assignment in &assignments {
                    self.begin(member, assignment).await?;
                }
            }
            // What waits is taken again by whoever has them now.
            Event::Revoked(partitions) | Event::Lost(partitions) => {
                partitions.iter().for_each(|partition| drop(self.owned.remove(partition)));
            }
            Event::Records { .. } | Event::Idle => {}
        }
        Ok(())
    }

    async fn finish(&mut self, member: &mut L::Member) -> Result<(), Error> {
        if !self.owned.values().any(Partition::has_taken) {
            return Ok(());
        }
        match self.write(member).await {
            // It is written by whoever takes it next.
            Ok(()) | Err(Unwritten::For(_)) => Ok(()),
            Err(Unwritten::Never(error)) => Err(error),
        }
    }

    fn drop_all(&mut self) {
        self.owned.clear();
        self.watch.count(|counts| counts.waiting = 0);
    }
}

impl From<ports::Error> for Unwritten {
    fn from(error: ports::Error) -> Self {
        match error.kind() {
            ErrorKind::Bug => Self::Never(error.into()),
            ErrorKind::Transient | ErrorKind::Invalid | ErrorKind::Poison | ErrorKind::Fenced => Self::For(error),
        }
    }
}
