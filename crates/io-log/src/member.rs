//! One member of a group, in this process. Waits for news and never polls; owns nothing that the groups do not say it owns.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ports::{Assignment, Commit, Event, Position};
use tokio::sync::watch;

use crate::{
    Error, block,
    group::{Notice, Seat},
    reader,
    shared::Shared,
    writer::{CommitJob, Writing},
};

/// What one event carries, if a block is not larger: what a consumer decodes in a few milliseconds.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// A member of a group of an embedded log. Dropping it gives its partitions back.
#[derive(Debug)]
pub struct EmbeddedMember {
    shared: Arc<Shared>,
    writing: Writing,
    seat: Seat,
    topics: Vec<(Arc<str>, u32)>,
    cursors: BTreeMap<u32, Cursor>,
    /// Counts deliveries, so that each topic and partition has its turn.
    turn: usize,
    news: watch::Receiver<()>,
}

/// How far an owned partition has been delivered; nothing before it was started.
#[derive(Debug, Default)]
struct Cursor {
    next: Option<Vec<u64>>,
    /// Places of topics.
    paused: BTreeSet<usize>,
}

impl EmbeddedMember {
    pub(crate) fn new(shared: Arc<Shared>, writing: Writing, seat: Seat, topics: Vec<(Arc<str>, u32)>) -> Self {
        let news = shared.watch();
        Self { shared, writing, seat, topics, cursors: BTreeMap::new(), turn: 0, news }
    }

    async fn event(&mut self, wait: Duration) -> Result<Event, Error> {
        if self.shared.groups().release(&self.seat) {
            self.shared.announce();
        }
        let given = tokio::time::sleep(wait);
        tokio::pin!(given);
        loop {
            self.news.borrow_and_update();
            let notice = self.shared.groups().notice(&self.seat);
            if let Some(notice) = notice {
                return self.hear(notice);
            }
            if let Some(event) = self.deliver().await? {
                return Ok(event);
            }
            tokio::select! {
                biased;
                _ = self.news.changed() => {}
                () = &mut given => return Ok(Event::Idle),
            }
        }
    }

    fn hear(&mut self, notice: Notice) -> Result<Event, Error> {
        match notice {
            Notice::Assigned(partitions) => {
                self.cursors.extend(partitions.iter().map(|partition| (*partition, Cursor::default())));
                Ok(Event::Assigned(partitions.into_iter().map(|partition| self.assignment(partition)).collect()))
            }
            Notice::Revoked(partitions) => {
                self.cursors.retain(|partition, _| !partitions.contains(partition));
                Ok(Event::Revoked(partitions))
            }
            Notice::Lost(partitions) => {
                self.cursors.clear();
                Ok(Event::Lost(partitions))
            }
            Notice::Gone => Err(self.fenced("has been replaced by another of the same name")),
        }
    }

    fn assignment(&self, partition: u32) -> Assignment {
        let state = self.shared.state();
        let committed = state.committed.get(&(self.seat.group.clone(), partition)).cloned().unwrap_or_default();
        let known = committed.positions.iter().filter(|(id, _)| self.topics.iter().any(|(_, topic)| topic == *id));
        let positions = known.map(|(id, next)| Position { topic: state.name(*id).clone(), next: *next }).collect();
        Assignment { partition, positions, note: committed.note }
    }

    /// The next records of whoever has waited longest.
    async fn deliver(&mut self) -> Result<Option<Event>, Error> {
        let places = self.cursors.len() * self.topics.len();
        for step in 0..places {
            let place = (self.turn + step) % places;
            let (at, number) = (place / self.topics.len(), place % self.topics.len());
            let Some((partition, cursor)) = self.cursors.iter_mut().nth(at) else { continue };
            let Some(next) = cursor.next.as_mut().filter(|_| !cursor.paused.contains(&number)) else { continue };
            let (topic, id) = &self.topics[number];
            let end = self.shared.state().partition((*id, *partition)).next;
            if next[number] >= end {
                continue;
            }
            let records = reader::records(&self.shared, (*id, *partition), next[number], EVENT_BYTES_MAX).await?;
            // Retention may have taken what there was: then that is the news.
            next[number] = records.last().map_or(end, |last| last.offset + 1);
            let more = next[number] < self.shared.state().partition((*id, *partition)).next;
            self.turn = place + 1;
            return Ok(Some(Event::Records { topic: topic.clone(), partition: *partition, records, more }));
        }
        Ok(None)
    }

    fn place(&self, topic: &str) -> Option<usize> {
        self.topics.iter().position(|(known, _)| **known == *topic)
    }

    fn fenced(&self, why: &str) -> Error {
        let Seat { group, member, .. } = &self.seat;
        Error::Fenced(format!("member {member} of group {group} {why}: drop what is not committed and join again."))
    }

    async fn write(&mut self, commit: Commit) -> Result<(), Error> {
        if commit.note.len() > Commit::NOTE_BYTES_MAX {
            let (length, most) = (commit.note.len(), Commit::NOTE_BYTES_MAX);
            return Err(Error::Request(format!(
                "a note of {length} bytes with a commit of partition {}, at most {most} fit: keep the rest elsewhere.",
                commit.partition
            )));
        }
        let drafts = block::drafts(&commit.outputs, self.shared.settings.append_bytes_max)?;
        let Commit { partition, positions, note, .. } = commit;
        let job = CommitJob { seat: self.seat.clone(), partition, positions, note };
        self.writing.write(drafts, Some(job)).await
    }
}

impl ports::Member for EmbeddedMember {
    async fn next(&mut self, wait: Duration) -> Result<Event, ports::Error> {
        Ok(self.event(wait).await?)
    }

    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), ports::Error> {
        let stranger = positions.iter().find(|position| self.topics.iter().all(|(topic, _)| *topic != position.topic));
        if let Some(Position { topic, .. }) = stranger {
            let group = &self.seat.group;
            return Err(
                Error::Request(format!("group {group} does not read topic {topic:?}: start only what it joined for.")).into()
            );
        }
        let fenced = self.fenced(&format!("does not own partition {partition}"));
        let cursor = self.cursors.get_mut(&partition).ok_or(fenced)?;
        let next_of = |topic| positions.iter().find(|position| position.topic == topic).map_or(0, |position| position.next);
        cursor.next = Some(self.topics.iter().map(|(topic, _)| next_of(topic.clone())).collect());
        Ok(())
    }

    fn pause(&mut self, topic: &str, partition: u32) {
        if let (Some(place), Some(cursor)) = (self.place(topic), self.cursors.get_mut(&partition)) {
            cursor.paused.insert(place);
        }
    }

    fn resume(&mut self, topic: &str, partition: u32) {
        if let (Some(place), Some(cursor)) = (self.place(topic), self.cursors.get_mut(&partition)) {
            cursor.paused.remove(&place);
        }
    }

    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), ports::Error> {
        for commit in commits {
            self.write(commit).await?;
        }
        Ok(())
    }

    async fn leave(self) -> Result<(), ports::Error> {
        Ok(())
    }
}

impl Drop for EmbeddedMember {
    fn drop(&mut self) {
        if self.shared.groups().leave(&self.seat) {
            self.shared.announce();
        }
    }
}
