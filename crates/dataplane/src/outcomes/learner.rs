//! Who learns from outcomes: the one member of a group that owns the one partition of lessons. So there is one order of them and one
//! truth, however many processes and partitions predictions come from ([ADR 0021](../../../../docs/adr/0021-one-truth-of-what-outcomes-teach.md)).
//!
//! What was learned goes out now and then, whole; that, how far lessons were taken and which snapshot of the state that follows from are
//! one commit. Lessons after the last commit are taken again after a restart.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use domain::{Span, Timestamp};
use pipeline::Case;
use ports::{Artifacts, Assignment, Commit, Event, Log, Member, Membership, Outgoing, Position};
use scoring::{Lesson, Tuner};
use tokio::sync::watch::Receiver;
use tracing::warn;

use super::Parts;
use crate::{
    Error,
    membership::{Role, belong},
    note,
    retry::insist,
    scorer::Plan,
};

/// The only partition of lessons, and of what was learned.
pub(super) const PARTITION: u32 = 0;
/// How often what was learned goes out: a promise is rounded to minutes, and each time is a record of all areas.
const TELL_EVERY: Span = Span(10_000);
/// How often it does when only time has passed, by which open cases say more.
const TELL_QUIET_EVERY: Span = Span(60_000);
/// How often the state is kept: what came since is learned again after a restart, in a moment.
const KEEP_EVERY: Span = Span(60_000);
/// It tells nothing sooner in any case.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);
/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// The largest record that a log takes is 8 MiB; four slots of ten thousand areas are less.
const TOLD_BYTES_MAX: usize = 7 << 20;

/// What a learner has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Lessons that were heard in this life.
    pub lessons: u64,
    /// Records with what was learned.
    pub told: u64,
    /// Cases that are open, once for each slot.
    pub open: u64,
    /// Records that are no lessons.
    pub unreadable: u64,
    /// How often the state had to be learned anew because its snapshot was missing or damaged.
    pub relearned: u64,
    /// What was learned and not told since it would not fit into a record.
    pub oversized: u64,
}

/// Learns, when it is its turn.
pub struct Learner<L, A> {
    plan: Plan,
    case: Case,
    parts: Parts<L, A>,
    member: String,
    state: Option<State>,
    learned: Arc<Mutex<Learned>>,
}

struct State {
    tuner: Tuner,
    /// The first record that was not taken.
    next: u64,
    /// The lessons that were heard when what was learned went out last, and when that was.
    told: (u64, Timestamp),
    /// The same of the snapshot.
    kept: (u64, Timestamp),
    snapshot: Option<Snapshot>,
}

/// A state that is kept among artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Snapshot {
    /// The first record that is not part of it.
    next: u64,
    name: String,
}

impl<L: Log, A: Artifacts> Learner<L, A> {
    /// One that has not joined yet; none where nothing is predicted.
    pub fn new(plan: Plan, parts: Parts<L, A>, member: String) -> Option<Self> {
        let case = plan.pipeline.case.clone()?;
        Some(Self { plan, case, parts, member, state: None, learned: Arc::default() })
    }

    /// What it has done, for whoever asks at any time.
    pub fn learned(&self) -> Arc<Mutex<Learned>> {
        self.learned.clone()
    }

    /// Works until it is told to stop.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let topics = vec![self.plan.topics.lessons()];
        let membership = Membership::new(self.plan.topics.tuner_group(), &self.member, topics).patient(PATIENCE);
        let log = self.parts.log.clone();
        belong(&log, membership, None, &mut self, stop).await
    }

    fn count(&self, what: impl FnOnce(&mut Learned)) {
        what(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&mut self, records: &[ports::Record]) {
        let Some(state) = &mut self.state else { return };
        let (lessons, unreadable) = state.take(records);
        let open = state.tuner.open() as u64;
        self.count(|learned| {
            learned.lessons += lessons;
            learned.unreadable += unreadable;
            learned.open = open;
        });
    }

    /// Tells and keeps what is due, in one commit.
    async fn tell(&mut self, member: &mut L::Member) -> Result<(), Error> {
        let now = self.parts.clock.now();
        let Some(state) = &mut self.state else { return Ok(()) };
        if !state.is_due(now) {
            return Ok(());
        }
        let value = state.tuner.tuning(now).encode();
        let is_kept = state.kept.0 != state.tuner.heard() && state.kept.1.plus(KEEP_EVERY) <= now;
        if is_kept {
            let name = format!("{}{:020}", prefix(&self.plan), state.next);
            let bytes = Bytes::from(state.tuner.encode().0);
            insist(|| self.parts.artifacts.put(&name, bytes.clone())).await?;
            state.snapshot = Some(Snapshot { next: state.next, name });
            state.kept = (state.tuner.heard(), now);
        }
        let topic = self.plan.topics.adjustments();
        let fits = value.len() <= TOLD_BYTES_MAX;
        let told = Outgoing { topic, partition: PARTITION, key: Bytes::new(), value: value.into(), headers: Vec::new() };
        let positions = vec![Position { topic: self.plan.topics.lessons(), next: state.next }];
        let outputs = if fits { vec![told] } else { Vec::new() };
        let note = Bytes::from(note(state.snapshot.as_ref()));
        state.told = (state.tuner.heard(), now);
        let snapshot = state.snapshot.clone().filter(|_| is_kept);
        member.commit(vec![Commit { partition: PARTITION, positions, note, outputs }]).await?;
        self.count(|learned| *(if fits { &mut learned.told } else { &mut learned.oversized }) += 1);
        if !fits {
            warn!(pipeline = %self.plan.pipeline.id, "what was learned of all areas does not fit into a record: fewer areas are needed");
        }
        if let Some(snapshot) = snapshot {
            self.forget_before(&snapshot.name).await?;
        }
        Ok(())
    }

    /// Snapshots before the one that was committed are of no use to anybody.
    async fn forget_before(&self, name: &str) -> Result<(), Error> {
        let prefix = prefix(&self.plan);
        for older in insist(|| self.parts.artifacts.list(&prefix)).await?.into_iter().filter(|older| **older < *name) {
            insist(|| self.parts.artifacts.remove(&older)).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: Assignment) -> Result<(), Error> {
        let topic = self.plan.topics.lessons();
        let end = assignment.next(&topic).unwrap_or(0);
        let snapshot = read_note(&assignment.note).map_err(|fault| Error::Note { partition: PARTITION, fault })?;
        let kept = match &snapshot {
            Some(snapshot) => self.kept(snapshot).await?.map(|tuner| (tuner, snapshot.next)),
            None => None,
        };
        let (tuner, next) = kept.unwrap_or_else(|| (Tuner::new(&self.case), 0));
        let heard = tuner.heard();
        let now = self.parts.clock.now();
        let mut state = State { tuner, next, told: (heard, now), kept: (heard, now), snapshot };
        while state.next < end {
            let records = insist(|| self.parts.log.read(&topic, PARTITION, state.next, READ_BYTES)).await?;
            let committed = records.partition_point(|record| record.offset < end);
            if committed == 0 {
                state.next = end;
            }
            state.take(&records[..committed]);
        }
        member.start(PARTITION, &assignment.positions)?;
        self.state = Some(state);
        Ok(())
    }

    /// A state that was kept; none when it is not there or not what it was.
    async fn kept(&self, snapshot: &Snapshot) -> Result<Option<Tuner>, Error> {
        let bytes = match insist(|| self.parts.artifacts.get(&snapshot.name)).await {
            Err(error) if error.kind() == ports::ErrorKind::Poison => None,
            other => other?,
        };
        let tuner = bytes.and_then(|bytes| Tuner::decode(&self.case, &bytes).ok());
        if tuner.is_none() {
            self.count(|learned| learned.relearned += 1);
            warn!(snapshot = snapshot.name, "is missing or damaged: learns again from the lessons that the log still has");
        }
        Ok(tuner)
    }
}

impl<L: Log, A: Artifacts> Role<L> for Learner<L, A> {
    fn wait(&self) -> Duration {
        IDLE
    }

    async fn handle(&mut self, member: &mut L::Member, event: Result<Event, ports::Error>) -> Result<(), Error> {
        match event? {
            Event::Assigned(assignments) => {
                for assignment in assignments {
                    self.begin(member, assignment).await?;
                }
            }
            Event::Revoked(_) | Event::Lost(_) => self.state = None,
            Event::Records { records, .. } => self.take(&records),
            Event::Idle => {}
        }
        self.tell(member).await
    }

    fn drop_all(&mut self) {
        self.state = None;
    }
}

impl State {
    /// How many lessons the records have, and how many records have none.
    fn take(&mut self, records: &[ports::Record]) -> (u64, u64) {
        let (heard, mut unreadable) = (self.tuner.heard(), 0);
        for record in records {
            self.next = record.offset + 1;
            match Lesson::decode(&record.value) {
                Ok(lessons) => lessons.iter().for_each(|lesson| self.tuner.hear(lesson)),
                Err(_) => unreadable += 1,
            }
        }
        (self.tuner.heard() - heard, unreadable)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let (heard, at) = self.told;
        let is_news = heard != self.tuner.heard() && at.plus(TELL_EVERY) <= now;
        is_news || (self.tuner.open() > 0 && at.plus(TELL_QUIET_EVERY) <= now)
    }
}

fn prefix(plan: &Plan) -> String {
    format!("tuners/{}/", plan.pipeline.id)
}

/// What a commit says beside its position: from which snapshot the state follows.
fn note(snapshot: Option<&Snapshot>) -> String {
    note::write_or_nothing(snapshot.map(|snapshot| format!("{} {}", snapshot.next, snapshot.name)))
}

fn read_note(note: &[u8]) -> Result<Option<Snapshot>, &'static str> {
    let Some(words) = note::read_or_nothing(note)? else { return Ok(None) };
    let (next, name) = words.split_once(' ').ok_or("it names no snapshot")?;
    let next = next.parse().map_err(|_| "its snapshot has no position")?;
    Ok(Some(Snapshot { next, name: name.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let snapshot = Snapshot { next: 7, name: "tuners/a/00000000000000000007".into() };
        for snapshot in [None, Some(snapshot)] {
            assert_eq!(read_note(note(snapshot.as_ref()).as_bytes()), Ok(snapshot));
        }
        assert_eq!(read_note(b""), Ok(None));
        for (text, fault) in
            [("2 -", "its version is not 1"), ("1 x", "it names no snapshot"), ("1 x y", "its snapshot has no position")]
        {
            assert_eq!(read_note(text.as_bytes()), Err(fault));
        }
    }
}
