//! One client of the fake broker. It may be a zombie without knowing; the broker knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ports::{Commit, Error, ErrorKind, Event, Position};
use tokio::time::Instant;

use super::{Fault, MemoryLog, Operation, State, group::Notice, position_of, store::invalid};

/// What one event carries at most: little, so that a simulation sees many.
const EVENT_BYTES_MAX: usize = 4096;

/// A member of a group of a `MemoryLog`. Dropped without leaving, it is missed only when its session is over.
pub struct MemoryMember {
    log: MemoryLog,
    group: String,
    name: String,
    seat: u64,
    topics: Vec<Arc<str>>,
    cursors: BTreeMap<u32, Cursor>,
    turn: usize,
    replaced: bool,
}

#[derive(Default)]
struct Cursor {
    next: Option<Vec<u64>>,
    /// Places of topics.
    paused: BTreeSet<usize>,
}

impl MemoryMember {
    pub(super) fn new(log: MemoryLog, group: String, name: String, seat: u64, topics: Vec<Arc<str>>) -> Self {
        Self { log, group, name, seat, topics, cursors: BTreeMap::new(), turn: 0, replaced: false }
    }

    /// What there is to hear at this instant, and when to look again even if nothing changes.
    fn look(&mut self) -> Result<(Option<Event>, Option<Instant>), Error> {
        let log = self.log.clone();
        let mut state = log.inner.lock();
        let again_at = state.groups.expire(&self.group, Instant::now());
        let event = match state.groups.notice(&self.group, &self.name, self.seat) {
            Some(Notice::Assigned(assignments)) => {
                self.cursors.extend(assignments.iter().map(|assignment| (assignment.partition, Cursor::default())));
                Some(Event::Assigned(assignments))
            }
            Some(Notice::Revoked(partitions)) => {
                self.cursors.retain(|partition, _| !partitions.contains(partition));
                Some(Event::Revoked(partitions))
            }
            Some(Notice::Replaced) if self.replaced => return Err(self.fenced("was replaced by another of the same name")),
            Some(Notice::Replaced) => {
                self.replaced = true;
                Some(self.lost())
            }
            Some(Notice::Expired) => {
                let partitions = state.store.same_partitions(&self.topics)?;
                self.seat = state.groups.join(&self.group, &self.name, partitions)?;
                Some(self.lost())
            }
            None => self.deliver(&state)?,
        };
        Ok((event, again_at))
    }

    fn place(&self, topic: &str) -> Option<usize> {
        self.topics.iter().position(|known| **known == *topic)
    }

    fn lost(&mut self) -> Event {
        Event::Lost(std::mem::take(&mut self.cursors).into_keys().collect())
    }

    fn deliver(&mut self, state: &State) -> Result<Option<Event>, Error> {
        let places = self.cursors.len() * self.topics.len();
        for place in (0..places).map(|step| (self.turn + step) % places) {
            let (at, number) = (place / self.topics.len(), place % self.topics.len());
            let Some((partition, cursor)) = self.cursors.iter_mut().nth(at) else { continue };
            let Some(next) = cursor.next.as_mut().filter(|_| !cursor.paused.contains(&number)) else { continue };
            let topic = &self.topics[number];
            let log = state.store.partition(topic, *partition)?;
            let end = log.bounds().next;
            if next[number] >= end {
                continue;
            }
            let records = log.read(next[number], EVENT_BYTES_MAX);
            // Retention may have taken what there was: then that is the news.
            next[number] = records.last().map_or(end, |last| last.offset + 1);
            let more = next[number] < log.bounds().next;
            self.turn = place + 1;
            return Ok(Some(Event::Records { topic: topic.clone(), partition: *partition, records, more }));
        }
        Ok(None)
    }

    /// Does to the group what the plan asks for, and answers whether to fail.
    async fn suffer(&self, operation: Operation<'_>) -> Fault {
        let fault = self.log.inner.lock().plan.decide(&operation);
        match fault {
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Lose => self.log.inner.lock().groups.leave(&self.group, &self.name, self.seat),
            Fault::Rebalance => self.log.inner.lock().groups.rebalance(&self.group),
            Fault::None | Fault::ErrorBefore | Fault::ErrorAfter => return fault,
        }
        self.log.inner.announce();
        fault
    }

    fn injected(&self, what: &str) -> Error {
        let Self { group, name, .. } = self;
        Error::new(
            ErrorKind::Transient,
            format!("a fault was injected {what} of member {name} of group {group}: join again and see."),
        )
    }

    fn fenced(&self, why: &str) -> Error {
        let Self { group, name, .. } = self;
        Error::new(ErrorKind::Fenced, format!("member {name} of group {group} {why}: drop what is not committed and join again."))
    }

    fn take(&self, commit: Commit) -> Result<(), Error> {
        let Commit { partition, positions, note, outputs } = commit;
        let now = self.log.inner.clock.now();
        let mut state = self.log.inner.lock();
        if note.len() > Commit::NOTE_BYTES_MAX {
            return Err(invalid(format!("a note of {} bytes", note.len())));
        }
        state.store.check(&outputs)?;
        positions.iter().try_for_each(|position| state.store.partition(&position.topic, partition).map(|_| ()))?;
        state.groups.expire(&self.group, Instant::now());
        if !state.groups.owns(&self.group, self.seat, partition) {
            return Err(self.fenced(&format!("does not own partition {partition}")));
        }
        state.store.append(outputs, now);
        state.groups.commit(&self.group, partition, positions, note);
        Ok(())
    }

    async fn commit_one(&mut self, commit: Commit) -> Result<(), Error> {
        let operation = Operation::Commit { group: &self.group, member: &self.name, partition: commit.partition };
        let fault = self.suffer(operation).await;
        if fault == Fault::ErrorBefore {
            return Err(self.injected("before a commit"));
        }
        self.take(commit)?;
        let missed_at = Instant::now() + self.log.inner.session;
        self.log.inner.lock().groups.miss(&self.group, &self.name, self.seat, missed_at);
        self.log.inner.announce();
        if fault == Fault::ErrorAfter { Err(self.injected("after a commit")) } else { Ok(()) }
    }
}

impl ports::Member for MemoryMember {
    async fn next(&mut self, wait: Duration) -> Result<Event, Error> {
        let until = Instant::now() + wait;
        {
            let mut state = self.log.inner.lock();
            state.groups.miss(&self.group, &self.name, self.seat, until + self.log.inner.session);
            state.groups.release(&self.group, self.seat);
        }
        self.log.inner.announce();
        let fault = self.suffer(Operation::Next { group: &self.group, member: &self.name }).await;
        if matches!(fault, Fault::ErrorBefore | Fault::ErrorAfter) {
            return Err(self.injected("into the next event"));
        }
        let log = self.log.clone();
        loop {
            let news = log.inner.changed.notified();
            tokio::pin!(news);
            // What is announced from here on is heard.
            news.as_mut().enable();
            let (event, again_at) = self.look()?;
            if let Some(event) = event {
                return Ok(event);
            }
            if Instant::now() >= until {
                return Ok(Event::Idle);
            }
            let pause = again_at.map_or(until, |at| at.min(until));
            tokio::select! {
                biased;
                () = news => {}
                () = tokio::time::sleep_until(pause) => {}
            }
        }
    }

    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), Error> {
        if let Some(stranger) = positions.iter().find(|position| !self.topics.contains(&position.topic)) {
            return Err(invalid(format!("group {} does not read topic {:?}", self.group, stranger.topic)));
        }
        let fenced = self.fenced(&format!("does not own partition {partition}"));
        let next = self.topics.iter().map(|topic| position_of(positions, topic)).collect();
        self.cursors.get_mut(&partition).ok_or(fenced)?.next = Some(next);
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

    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), Error> {
        for commit in commits {
            self.commit_one(commit).await?;
        }
        Ok(())
    }

    async fn leave(self) -> Result<(), Error> {
        self.log.inner.lock().groups.leave(&self.group, &self.name, self.seat);
        self.log.inner.announce();
        Ok(())
    }
}

impl Drop for MemoryMember {
    fn drop(&mut self) {
        // Outside of a runtime there is no time that could pass; then nobody waits for it either.
        if tokio::runtime::Handle::try_current().is_ok() {
            let at = Instant::now() + self.log.inner.session;
            self.log.inner.lock().groups.miss(&self.group, &self.name, self.seat, at);
            self.log.inner.announce();
        }
    }
}
