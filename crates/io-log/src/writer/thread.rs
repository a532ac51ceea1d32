//! The writer's thread: validates, gives offsets and times, writes one frame, makes it visible. Never waits for a reader.

use std::{collections::HashMap, io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use domain::Timestamp;
use ports::TopicSpec;
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::{CommitJob, Reply, Request, WriteJob};
use crate::{
    Error, Sync,
    block::Draft,
    frame::{self, BlockHead, Entry},
    housekeeper::Housekeeper,
    retention::Retention,
    segment::Active,
    shared::Shared,
    state::{Place, State},
};

/// What goes into one frame unless a single request is larger: more makes the first of them wait and the disk no faster.
const FRAME_BYTES_MAX: usize = 4 << 20;
/// Blocks whose places are in memory only; with them, a restart reads a segment again in any case.
const UNSAVED_BLOCKS_MAX: usize = 100_000;
/// Requests that retention lets go before its own next step, however many wait: a step takes as long as some ten of them.
const REQUESTS_PER_STEP: usize = 64;
/// After the index could not be written, this much more is written before it is tried again.
const RETRY_BYTES: u64 = 1 << 20;

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) active: Active,
    housekeeper: Housekeeper,
    retention: Retention,
    /// Retention has more to do, and this many requests were answered since it did something.
    unfinished: Option<usize>,
    /// The index is not written before the segment is this long.
    save_from: u64,
}

/// A request whose entries are in the frame that is being made.
struct Accepted {
    reply: Reply,
    commit: Option<CommitJob>,
    drafts: Vec<Draft>,
}

/// A frame in the making.
#[derive(Default)]
struct Plan {
    entries: Vec<Entry>,
    accepted: Vec<Accepted>,
    next: HashMap<(u32, u32), u64>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, active: Active, housekeeper: Housekeeper) -> Self {
        let retention = Retention::new(shared.clock.now(), shared.settings.retention_every);
        Self { shared, active, housekeeper, retention, unfinished: None, save_from: 0 }
    }

    /// Works until nobody is left who could ask for something.
    pub(crate) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut waiting = None;
        while let Some(request) = waiting.take().or_else(|| self.next(&mut requests)) {
            match request {
                Request::Retain(reply) => drop(reply.send(self.retain())),
                Request::Create(topics, reply) => drop(reply.send(self.create(&topics))),
                Request::Write(first) => {
                    let mut bytes = first.bytes();
                    let mut jobs = vec![first];
                    while bytes < FRAME_BYTES_MAX && waiting.is_none() {
                        match requests.try_recv() {
                            Ok(Request::Write(job)) => {
                                bytes += job.bytes();
                                jobs.push(job);
                            }
                            Ok(other) => waiting = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.write(jobs);
                }
            }
        }
        // What fails here is done again when the folder is opened the next time.
        let _ = self.save();
    }

    /// The next request; while nobody has one, retention goes on with what it did not finish.
    fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Option<Request> {
        while let Some(answered) = self.unfinished {
            if answered < REQUESTS_PER_STEP {
                match requests.try_recv() {
                    Ok(request) => {
                        self.unfinished = Some(answered + 1);
                        return Some(request);
                    }
                    Err(TryRecvError::Disconnected) => return None,
                    Err(TryRecvError::Empty) => {}
                }
            }
            // What fails is tried again at the next reminder, and told to those who ask for it.
            let _ = self.retain_some();
        }
        requests.blocking_recv()
    }

    fn write(&mut self, jobs: Vec<WriteJob>) {
        let plan = self.plan(jobs);
        let drafts = || plan.accepted.iter().flat_map(|job| &job.drafts).map(|draft| draft.bytes.as_slice());
        let done = if plan.accepted.is_empty() { Ok(()) } else { self.put(plan.entries, drafts()) };
        {
            let mut groups = self.shared.groups();
            for CommitJob { seat, partition, .. } in plan.accepted.iter().filter_map(|job| job.commit.as_ref()) {
                groups.end(seat, *partition);
            }
        }
        self.shared.announce();
        for Accepted { reply, .. } in plan.accepted {
            // Whoever no longer waits for the answer finds out by looking.
            let _ = reply.send(done.as_ref().map_err(again).copied());
        }
        self.save_when_due();
    }

    /// Answers what cannot be done, and gives offsets and times to the rest.
    fn plan(&self, jobs: Vec<WriteJob>) -> Plan {
        let (state, mut groups) = (self.shared.state(), self.shared.groups());
        let now = self.shared.clock.now();
        let mut plan = Plan::default();
        for WriteJob { drafts, commit, reply, .. } in jobs {
            let known = known(&state, &drafts, commit.as_ref()).and_then(|known| match &commit {
                Some(CommitJob { seat, partition, .. }) if !groups.owns(seat, *partition) => Err(not_owned(commit.as_ref())),
                _ => Ok(known),
            });
            let (ids, positions) = match known {
                Ok(known) => known,
                Err(error) => {
                    let _ = reply.send(Err(error));
                    continue;
                }
            };
            for (draft, id) in drafts.iter().zip(ids) {
                plan.append(&state, draft, id, now);
            }
            if let Some(CommitJob { seat, partition, note, .. }) = &commit {
                groups.begin(seat, *partition);
                let (group, note) = (seat.group.clone(), note.clone());
                plan.entries.push(Entry::Commit { group, partition: *partition, positions, note });
            }
            plan.accepted.push(Accepted { reply, commit, drafts });
        }
        plan
    }

    /// Writes a frame and makes it visible.
    pub(crate) fn put<'b>(&mut self, entries: Vec<Entry>, blocks: impl Iterator<Item = &'b [u8]> + Clone) -> Result<(), Error> {
        self.housekeeper.healthy()?;
        let sequence = self.shared.state().sequence + 1;
        let data_bytes: usize = blocks.clone().map(<[u8]>::len).sum();
        let frame = frame::encode(sequence, &entries, blocks);
        let at = self.active.length;
        self.active.append(&frame)?;
        match self.shared.settings.sync {
            Sync::Always => self.active.sync().inspect_err(|_| self.active.take_back(frame.len()))?,
            Sync::Every(_) => self.housekeeper.written(),
        }
        let data_at = frame.len() - data_bytes;
        let place = Place { segment: self.active.id, at: at + data_at as u64 };
        self.shared.state_mut().apply(sequence, entries, place, &Bytes::from(frame), data_at);
        Ok(())
    }

    fn create(&mut self, topics: &[TopicSpec]) -> Result<(), Error> {
        let entries = new_topics(&self.shared.state(), topics)?;
        if !entries.is_empty() {
            self.put(entries, std::iter::empty())?;
            self.shared.announce();
        }
        Ok(())
    }

    fn save_when_due(&mut self) {
        let full = self.active.length >= self.shared.settings.segment_bytes;
        let crowded = self.shared.state().unsaved.blocks >= UNSAVED_BLOCKS_MAX;
        if (full || crowded) && self.active.length >= self.save_from && self.save().is_err() {
            // Nothing is lost by it but time at the next start: the segments have everything.
            self.save_from = self.active.length + RETRY_BYTES;
        }
    }

    /// Writes the index, after the next segment was begun if this one is full.
    pub(crate) fn save(&mut self) -> Result<(), Error> {
        self.active.sync()?;
        if self.active.length >= self.shared.settings.segment_bytes {
            self.active = self.shared.segments.active(self.active.id + 1, 0)?;
            self.housekeeper.turn_to(&self.active);
            self.save_from = 0;
        }
        let applied = Place { segment: self.active.id, at: self.active.length };
        self.shared.index.save(&self.shared.state(), applied)?;
        self.shared.state_mut().saved();
        Ok(())
    }

    fn retain(&mut self) -> Result<(), Error> {
        self.housekeeper.healthy()?;
        self.retention.look(self.shared.clock.now());
        self.retain_some()
    }

    fn retain_some(&mut self) -> Result<(), Error> {
        let more = self.retention.step(self);
        self.unfinished = more.as_ref().is_ok_and(|more| *more).then_some(0);
        self.shared.announce();
        more.map(|_| ())
    }
}

impl WriteJob {
    fn bytes(&self) -> usize {
        self.drafts.iter().map(|draft| draft.bytes.len()).sum()
    }
}

impl Plan {
    fn append(&mut self, state: &State, draft: &Draft, id: (u32, u32), now: Timestamp) {
        let partition = state.partition(id);
        let next = self.next.entry(id).or_insert(partition.next);
        self.entries.push(Entry::Block(BlockHead {
            topic: id.0,
            partition: id.1,
            first: *next,
            count: draft.count,
            length: draft.bytes.len() as u32,
            append_at: now.max(partition.appended_at),
            checksum: draft.checksum,
        }));
        *next += u64::from(draft.count);
    }
}

type Known = (Vec<(u32, u32)>, Vec<(u32, u64)>);

/// The ids of everything that a request names.
fn known(state: &State, drafts: &[Draft], commit: Option<&CommitJob>) -> Result<Known, Error> {
    let ids = drafts.iter().map(|draft| state.partition_id(&draft.topic, draft.partition)).collect::<Result<_, _>>()?;
    let position = |job: &CommitJob, position: &ports::Position| {
        state.partition_id(&position.topic, job.partition).map(|(topic, _)| (topic, position.next))
    };
    let positions = commit.map_or(Ok(Vec::new()), |job| job.positions.iter().map(|at| position(job, at)).collect())?;
    Ok((ids, positions))
}

fn not_owned(commit: Option<&CommitJob>) -> Error {
    let what = commit.map_or_else(String::new, |CommitJob { seat, partition, .. }| {
        format!("partition {partition} is not owned by member {} of group {} any more: ", seat.member, seat.group)
    });
    Error::Fenced(format!("{what}drop what is not committed and join again."))
}

/// Entries for the topics that are missing or change their retention.
fn new_topics(state: &State, topics: &[TopicSpec]) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut ids: HashMap<&str, (u32, u32)> = HashMap::new();
    for spec in topics {
        if spec.name.is_empty() || spec.partitions == 0 {
            return Err(Error::Request(format!(
                "topic {:?} of {} partitions: give it a name and at least one.",
                spec.name, spec.partitions
            )));
        }
        let old = state.names.get(&spec.name).map(|id| (*id, &state.topics[*id as usize].spec));
        let fresh = state.names.len() as u32 + ids.values().filter(|(id, _)| *id >= state.names.len() as u32).count() as u32;
        let (id, partitions) = old
            .map(|(id, old)| (id, old.partitions))
            .or_else(|| ids.get(&*spec.name).copied())
            .unwrap_or((fresh, spec.partitions));
        if partitions != spec.partitions {
            return Err(Error::Request(format!(
                "topic {:?} has {partitions} partitions and cannot have {}: take another name and move what is in it.",
                spec.name, spec.partitions
            )));
        }
        ids.insert(&spec.name, (id, partitions));
        if old.is_none_or(|(_, old)| old != spec) {
            entries.push(Entry::Topic { id, spec: spec.clone() });
        }
    }
    Ok(entries)
}

/// The same error for everybody who was in the frame.
fn again(error: &Error) -> Error {
    match error {
        Error::Write { path, source } => {
            Error::Write { path: path.clone(), source: io::Error::new(source.kind(), source.to_string()) }
        }
        Error::Broken { path, reason } => Error::Broken { path: path.clone(), reason: reason.clone() },
        other => Error::Write { path: PathBuf::from("the log"), source: io::Error::other(other.to_string()) },
    }
}
