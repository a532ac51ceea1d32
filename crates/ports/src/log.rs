//! The event log: topics of partitions of records, read by groups whose members commit positions and outputs as one.
//!
//! Partition `p` of every topic that a group reads belongs to the same member, so that its state can be kept by partition.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Span, Timestamp};

use crate::{Decoded, Error, Unreadable};

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its full name.
    pub name: Arc<str>,
    /// How many partitions it has. Never changed for a topic that exists.
    pub partitions: u32,
    /// Records older than this may go.
    pub retention: Option<Span>,
    /// The oldest records of a partition go when it holds more than this.
    pub retention_bytes: Option<u64>,
}

/// One record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the partition. Those of records that follow each other grow, not always by one.
    pub offset: u64,
    /// When the log took it.
    pub append_at: Timestamp,
    /// Empty when it has none.
    pub key: Bytes,
    /// The payload.
    pub value: Bytes,
    /// In the order of writing.
    pub headers: Vec<Header>,
    /// What the payload says where it is not JSON. A log leaves it out.
    pub decoded: Option<Box<Decoded>>,
}

impl Record {
    /// The payload as readers of JSON take it: nothing when it cannot be read.
    pub fn json(&self) -> &Bytes {
        static NOTHING: Bytes = Bytes::new();
        match self.decoded.as_deref() {
            None => &self.value,
            Some(Decoded::Json(json)) => json,
            Some(Decoded::Unreadable(_)) => &NOTHING,
        }
    }

    /// Why the payload cannot be read.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        match self.decoded.as_deref() {
            Some(Decoded::Unreadable(unreadable)) => Some(unreadable),
            _ => None,
        }
    }
}

/// A name and a value beside the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Lower case by convention.
    pub name: String,
    /// Often a text.
    pub value: Bytes,
}

/// One record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Full name of a topic that exists.
    pub topic: Arc<str>,
    /// Chosen by the caller.
    pub partition: u32,
    /// Empty for none.
    pub key: Bytes,
    /// The payload.
    pub value: Bytes,
    /// Beside the payload.
    pub headers: Vec<Header>,
}

/// How far a topic was read in the partition at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Full name of the topic.
    pub topic: Arc<str>,
    /// Offset of the first record that was not read.
    pub next: u64,
}

/// The offsets that a partition still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The oldest record.
    pub first: u64,
    /// One after the newest record that readers may see.
    pub next: u64,
}

/// Who joins which group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Members of one group share the partitions.
    pub group: String,
    /// Stable over restarts: whoever joins under the same name takes the place of the one before, which is fenced.
    pub member: String,
    /// All with the same number of partitions.
    pub topics: Vec<Arc<str>>,
    /// How long records may wait for more of them, so that servers are asked less often. Zero where somebody waits for what becomes of them.
    pub patience: Duration,
}

impl Membership {
    /// Of somebody who takes records as soon as they come.
    pub fn new(group: impl Into<String>, member: impl Into<String>, topics: Vec<Arc<str>>) -> Self {
        Self { group: group.into(), member: member.into(), topics, patience: Duration::ZERO }
    }

    /// The same for somebody who has time.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// A partition that a member now owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Of every topic of the membership.
    pub partition: u32,
    /// What was committed; a topic without an entry was never committed.
    pub positions: Vec<Position>,
    /// What the commit before said beside its positions; empty when there was none.
    pub note: Bytes,
}

impl Assignment {
    /// The first record of a topic that was not committed; none when none ever was.
    pub fn next(&self, topic: &str) -> Option<u64> {
        self.positions.iter().find(|position| *position.topic == *topic).map(|position| position.next)
    }
}

/// Positions and outputs that become true together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The partition whose positions these are.
    pub partition: u32,
    /// Topics without an entry keep their position.
    pub positions: Vec<Position>,
    /// Kept with the positions, in place of the note before; at most [`Commit::NOTE_BYTES_MAX`].
    pub note: Bytes,
    /// Visible to readers when the commit is.
    pub outputs: Vec<Outgoing>,
}

impl Commit {
    /// Half of what the strictest log allows beside an offset (4 KiB), since it may have to be written as text.
    pub const NOTE_BYTES_MAX: usize = 2048;
}

/// What a member hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These partitions are the member's. Nothing of them is delivered before [`Member::start`].
    Assigned(Vec<Assignment>),
    /// These partitions go to somebody else with the next call of [`Member::next`]; until then they may be committed.
    Revoked(Vec<u32>),
    /// These partitions have gone to somebody else already: nothing of them can be committed any more.
    Lost(Vec<u32>),
    /// The next records of one topic and partition, in order, and none left out but for what retention took.
    Records {
        /// Full name.
        topic: Arc<str>,
        /// Of that topic.
        partition: u32,
        /// At least one; none when a log finds out only later that there was no more.
        records: Vec<Record>,
        /// Whether the log had more of them behind these. It may be told that there is nothing more when the newest of these is
        /// less than a moment old.
        more: bool,
    },
    /// Nothing came in the time that the caller gave.
    Idle,
}

/// A durable log.
pub trait Log: Clone + Send + Sync + 'static {
    /// A reader that shares partitions with others.
    type Member: Member;

    /// Creates the topics that are missing. One that exists with another number of partitions is `Invalid`; another retention
    /// is taken over.
    fn create(&self, topics: &[TopicSpec]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Appends records outside any commit; each partition's in the order given. When it returns they survive a crash.
    fn append(&self, records: Vec<Outgoing>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Joins a group. The first event tells what is assigned, be it nothing.
    fn join(&self, membership: Membership) -> impl Future<Output = Result<Self::Member, Error>> + Send;

    /// Reads committed records from an offset on, at least one if there is any and else at most about `bytes_max`, for tools
    /// and rebuilds that belong to no group. An offset that retention took begins at the oldest record.
    fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        bytes_max: usize,
    ) -> impl Future<Output = Result<Vec<Record>, Error>> + Send;

    /// What a partition holds.
    fn bounds(&self, topic: &str, partition: u32) -> impl Future<Output = Result<Bounds, Error>> + Send;

    /// The offset of the first record that was appended at or after an instant; `bounds().next` when there is none.
    fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;

    /// What a group has committed of the topics that it reads, by partition. Waits for commits that are under way, and as long as that for
    /// one of somebody who died in the middle of it.
    fn committed(&self, group: &str, topics: &[Arc<str>]) -> impl Future<Output = Result<Vec<Assignment>, Error>> + Send;

    /// The same for whoever only looks how far a group is: waits for nobody, so what was committed a moment ago may not be in it.
    fn progress(&self, group: &str, topics: &[Arc<str>]) -> impl Future<Output = Result<Vec<Assignment>, Error>> + Send {
        self.committed(group, topics)
    }
}

/// One member of a group.
pub trait Member: Send + 'static {
    /// What happened, waiting no longer than this for something to happen. Safe to cancel: an event that was not returned is
    /// not lost.
    fn next(&mut self, wait: Duration) -> impl Future<Output = Result<Event, Error>> + Send;

    /// Begins or goes on with the delivery of an owned partition, from these positions; a topic without one begins at its
    /// oldest record. Records that were delivered before and not yet taken are dropped.
    fn start(&mut self, partition: u32, positions: &[Position]) -> Result<(), Error>;

    /// Delivers nothing of one topic of a partition until [`Member::resume`].
    fn pause(&mut self, topic: &str, partition: u32);

    /// Goes on where [`Member::pause`] stopped.
    fn resume(&mut self, topic: &str, partition: u32);

    /// Commits the positions and outputs of each partition as one, in as few round trips as the log allows. `Fenced` when a
    /// partition is no longer the member's; after any error but `Invalid` nobody knows what of it happened: join again and see.
    fn commit(&mut self, commits: Vec<Commit>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives all partitions back. Others get them at once where nothing speaks for the return of this member, and otherwise when
    /// it has been away for as long as a restart may take.
    fn leave(self) -> impl Future<Output = Result<(), Error>> + Send;
}
