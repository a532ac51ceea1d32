//! One member of a group: asks its consumer, which has a thread of its own, and commits by transactions of its own.

mod fetches;
mod job;
mod orphans;
mod outbox;
mod places;
mod poller;
mod rebalances;

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    thread::Thread,
    time::Duration,
};

use ports::{Commit, ErrorKind, Event, Membership, Position};
use rdkafka::consumer::BaseConsumer;

use self::{
    job::Job,
    orphans::Orphans,
    outbox::Outbox,
    places::Places,
    poller::{Command, Poller},
    rebalances::Rebalances,
};
use crate::{Error, KafkaLog, deadline::Deadline, error::code, transactions::Transactions};

/// How far apart transactions begin at least. Each is several requests, however little it has in it: without a rest a quiet worker makes as
/// many as its broker can answer, and an event waits no less for it.
const REST: Duration = Duration::from_millis(25);

/// A member of a group. Dropping it is like dying: its partitions wait for its return until its session is over.
pub struct KafkaMember {
    log: KafkaLog,
    name: String,
    group: String,
    topics: Arc<[Arc<str>]>,
    consumer: Arc<BaseConsumer<Rebalances>>,
    transactions: Arc<Transactions>,
    outbox: Arc<Outbox>,
    commands: mpsc::Sender<Command>,
    poller: Thread,
    /// Partitions that are the member's, with what is committed of them.
    owned: Places,
    /// Revoked, and the member's until it asks for the next event.
    going: BTreeSet<u32>,
    /// A commit has shown that another has its place.
    fenced: bool,
    /// How long no records are taken after a transaction has begun, and until when that is.
    rests: Duration,
    rests_until: Option<Deadline>,
}

impl KafkaMember {
    /// Waits for brokers.
    pub(crate) fn join(log: KafkaLog, membership: Membership) -> Result<Self, Error> {
        let Membership { group, member, topics, patience } = membership;
        let partitions = cut_alike(&log, &group, &topics)?;
        let topics: Arc<[Arc<str>]> = topics.into();
        let (settings, names) = (&log.inner.settings, &log.inner.names);
        // First, so that what the one before left open is not waited for.
        let transactions = Transactions::open(settings, &names.transactions(&group, &member))?;
        let places = topics.len() * partitions as usize;
        let consumer = rebalances::consumer(settings, (&names.outside(&group), &member), places, patience)?;
        let outbox = Arc::new(Outbox::default());
        let (commands, heard) = mpsc::channel();
        let (of_group, of_topic) = (names.outside(&group).into_owned(), names.outside(&topics[0]).into_owned());
        let orphans = Orphans::new(settings, of_group, of_topic, partitions);
        let poller = Poller::start(consumer, log.inner.clone(), topics.clone(), outbox.clone(), heard, orphans)?;
        Ok(Self {
            consumer: poller.consumer,
            transactions: Arc::new(transactions),
            commands,
            poller: poller.thread,
            owned: Places::new(topics.clone()),
            going: BTreeSet::new(),
            fenced: false,
            rests: patience.max(REST),
            rests_until: None,
            name: member,
            log,
            group,
            topics,
            outbox,
        })
    }

    fn tell(&self, command: Command) {
        // A poller that is gone has said why, and that is the next thing to be heard.
        let _ = self.commands.send(command);
        self.poller.unpark();
    }

    fn note_change(&mut self, event: &Event) {
        match event {
            Event::Assigned(assignments) => assignments.iter().for_each(|assignment| self.owned.add(assignment)),
            Event::Revoked(partitions) => self.going.extend(partitions),
            Event::Lost(partitions) => self.owned.remove(partitions),
            Event::Records { .. } | Event::Idle => {}
        }
    }

    fn fenced(&self, why: &str) -> Error {
        let Self { group, name, .. } = self;
        Error::Fenced(format!("member {name} of group {group} {why}: drop what is not committed and join again."))
    }

    /// What can be seen to be wrong before anything is written.
    fn check(&self, commit: &Commit) -> Result<(), Error> {
        if commit.note.len() > Commit::NOTE_BYTES_MAX {
            let (length, most) = (commit.note.len(), Commit::NOTE_BYTES_MAX);
            let partition = commit.partition;
            return Err(Error::Request(format!(
                "a note of {length} bytes with a commit of partition {partition}, at most {most} fit: keep the rest elsewhere."
            )));
        }
        if let Some(position) = commit.positions.iter().find(|position| self.owned.place(&position.topic).is_none()) {
            let (group, topic) = (&self.group, &position.topic);
            return Err(Error::Request(format!("group {group} does not read topic {topic:?}: commit only what it joined for.")));
        }
        commit.outputs.iter().try_for_each(|output| self.log.inner.check(&output.topic, output.partition))?;
        if self.owned.has(commit.partition) {
            Ok(())
        } else {
            Err(self.fenced(&format!("does not own partition {}", commit.partition)))
        }
    }

    async fn write(&mut self, commits: Vec<Commit>) -> Result<(), ports::Error> {
        let checks = commits.iter().map(|commit| (commit.partition, self.check(commit)));
        for (_, checked) in checks {
            checked?;
        }
        let (positions, after) = self.owned.written(&commits, &self.log.inner.names)?;
        let job = Job {
            transactions: self.transactions.clone(),
            consumer: Arc::downgrade(&self.consumer),
            names: self.log.inner.names.clone(),
            outbox: self.outbox.clone(),
            partitions: commits.iter().map(|commit| commit.partition).collect(),
            outputs: commits.into_iter().flat_map(|commit| commit.outputs).collect(),
            positions,
            patience: self.log.inner.settings.session_max,
        };
        self.rests_until = Some(Deadline::after(self.rests));
        let written = job.done().await.map_err(ports::Error::from);
        match &written {
            Ok(()) => self.owned.committed(after),
            // The group would tell it with the next heartbeat; until then nothing would come of going on.
            Err(error) => self.fenced |= error.kind() == ErrorKind::Fenced,
        }
        written
    }
}

impl ports::Member for KafkaMember {
    async fn next(&mut self, wait: Duration) -> Result<Event, ports::Error> {
        if !self.going.is_empty() {
            let going = std::mem::take(&mut self.going);
            self.owned.remove(&going);
            self.tell(Command::Release(going));
        }
        if self.fenced {
            let lost = self.owned.take();
            return if lost.is_empty() { Err(self.fenced("has been replaced").into()) } else { Ok(Event::Lost(lost)) };
        }
        let given = tokio::time::sleep(wait);
        tokio::pin!(given);
        loop {
            let outbox = self.outbox.clone();
            let news = outbox.news();
            tokio::pin!(news);
            // What comes from here on is heard.
            news.as_mut().enable();
            let rest = self.rests_until.map_or(Duration::ZERO, |until| until.left());
            if let Some(event) = self.outbox.take(&self.topics, rest.is_zero()) {
                self.poller.unpark();
                let event = event?;
                self.note_change(&event);
                // What was fetched of a partition that has gone since is nobody's.
                match event {
                    Event::Records { partition, .. } if !self.owned.has(partition) => continue,
                    event => return Ok(event),
                }
            }
            tokio::select! {
                biased;
                () = &mut news => {}
                () = &mut given => return Ok(Event::Idle),
                () = tokio::time::sleep(rest), if !rest.is_zero() => {}
            }
        }
    }

    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), ports::Error> {
        if let Some(Position { topic, .. }) = positions.iter().find(|position| self.owned.place(&position.topic).is_none()) {
            let group = &self.group;
            return Err(
                Error::Request(format!("group {group} does not read topic {topic:?}: start only what it joined for.")).into()
            );
        }
        if !self.owned.has(partition) {
            return Err(self.fenced(&format!("does not own partition {partition}")).into());
        }
        let next_of = |topic: &Arc<str>| positions.iter().find(|position| position.topic == *topic).map(|position| position.next);
        let from: Vec<Option<u64>> = self.topics.iter().map(next_of).collect();
        let turn = self.outbox.shut(partition);
        self.tell(Command::Start { partition, turn, from });
        Ok(())
    }

    fn pause(&mut self, topic: &str, partition: u32) {
        if let Some(place) = self.owned.place(topic) {
            self.outbox.pause(partition, place, true);
        }
    }

    fn resume(&mut self, topic: &str, partition: u32) {
        if let Some(place) = self.owned.place(topic) {
            self.outbox.pause(partition, place, false);
        }
    }

    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), ports::Error> {
        self.write(commits).await
    }

    async fn leave(self) -> Result<(), ports::Error> {
        Ok(())
    }
}

impl Drop for KafkaMember {
    fn drop(&mut self) {
        self.tell(Command::Close(self.transactions.clone()));
    }
}

/// How many partitions the topics of a membership have, all of them.
fn cut_alike(log: &KafkaLog, group: &str, topics: &[Arc<str>]) -> Result<u32, Error> {
    let Some(first) = topics.first() else {
        return Err(Error::Request(format!("a member of group {group} joins for no topic: name one.")));
    };
    let partitions = log.inner.partitions(first)?;
    for topic in topics {
        let count = log.inner.partitions(topic)?;
        if count != partitions {
            return Err(Error::Request(format!(
                "the topics of group {group} have different numbers of partitions: {first:?} has {partitions} and {topic:?} has \
                 {count}. Join for topics that are cut alike."
            )));
        }
    }
    Ok(partitions)
}

/// Whether a consumer can never be used again since another has its name.
fn is_replaced(error: &rdkafka::error::KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    matches!(code(error), Some(Code::Fenced | Code::FencedInstanceId | Code::Fatal))
}
