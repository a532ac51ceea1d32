//! One worker of the outcomes role: a member of a group of the log that owns partitions of predictions and cases. What was taken, what
//! became of predictions, and what is to be learned from it are one commit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ports::{Assignment, Clock, Commit, Event, Log, Member, Membership};
use tokio::sync::watch::Receiver;

use super::{
    lanes::LANES,
    partition::{Counts, Partition},
    restart,
};
use crate::{
    Error,
    membership::{Role, Taken, belong, gather},
    retry::insist,
    scorer::{Plan, Rules},
};

/// Records in one step at most: some ten milliseconds of work.
const BATCH_MAX: usize = 8_192;
/// What is learned is told every few seconds, and a commit costs the same for one record as for many.
const PATIENCE: Duration = Duration::from_millis(200);
/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);

/// The outside world of the outcomes role.
#[derive(Clone, Debug)]
pub struct Parts<L, A> {
    /// Where records come from and go to.
    pub log: L,
    /// Where what was learned is kept.
    pub artifacts: A,
    /// What time it is.
    pub clock: Clock,
}

/// One worker that joins predictions with what became of them.
pub struct Worker<L> {
    plan: Plan,
    rules: Arc<Rules>,
    /// Of predictions and cases.
    topics: [Arc<str>; LANES],
    log: L,
    member: String,
    owned: BTreeMap<u32, Partition>,
    counts: Arc<Mutex<Counts>>,
}

impl<L: Log> Worker<L> {
    /// A worker that has not joined yet; none where nothing is predicted.
    pub fn new(plan: Plan, log: L, member: String) -> Option<Self> {
        let rules = Arc::new(Rules::new(&plan.pipeline)?);
        let topics = [plan.topics.predictions(), plan.topics.cases()];
        Some(Self { plan, rules, topics, log, member, owned: BTreeMap::new(), counts: Arc::default() })
    }

    /// What it has done, for whoever asks at any time.
    pub fn counts(&self) -> Arc<Mutex<Counts>> {
        self.counts.clone()
    }

    /// Works until it is told to stop. Everything that was taken is then committed.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let membership = Membership::new(self.plan.topics.outcomes_group(), &self.member, self.topics.to_vec()).patient(PATIENCE);
        let log = self.log.clone();
        belong(&log, membership, None, &mut self, stop).await
    }

    async fn perform(&mut self, member: &mut L::Member) -> Result<(), Error> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut commits, mut pending) = (Vec::new(), 0);
        for (partition, owned) in &mut self.owned {
            let effects = owned.take(&mut counts);
            for (lane, paused) in owned.lanes.changes() {
                match paused {
                    true => member.pause(&self.topics[lane], *partition),
                    false => member.resume(&self.topics[lane], *partition),
                }
            }
            pending += owned.join.pending() as u64;
            let Some(positions) = owned.take_positions(&self.topics) else { continue };
            let note = Bytes::from(restart::note(owned.join.watermark()));
            let outputs = owned.outgoing(effects, &self.plan.topics, *partition);
            commits.push(Commit { partition: *partition, positions, note, outputs });
        }
        if !commits.is_empty() {
            member.commit(commits).await?;
        }
        counts.pending = pending;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: Assignment) -> Result<(), Error> {
        let mut more = [false; LANES];
        for (topic, more) in self.topics.iter().zip(&mut more) {
            let bounds = insist(|| self.log.bounds(topic, assignment.partition)).await?;
            *more = bounds.next > assignment.next(topic).unwrap_or(0).max(bounds.first);
        }
        let mut owned = Partition::new(self.rules.clone(), &self.topics, &assignment, more);
        restart::restore(&self.log, &self.topics, &assignment, &self.rules, &mut owned.join).await?;
        member.start(assignment.partition, &assignment.positions)?;
        self.owned.insert(assignment.partition, owned);
        Ok(())
    }
}

impl<L: Log> Role<L> for Worker<L> {
    fn wait(&self) -> Duration {
        IDLE
    }

    async fn handle(&mut self, member: &mut L::Member, first: Result<Event, ports::Error>) -> Result<(), Error> {
        let take = |Taken { topic, partition, records, more }| {
            let lane = self.topics.iter().position(|known| *known == topic);
            if let Some((owned, lane)) = self.owned.get_mut(&partition).zip(lane) {
                owned.lanes.give(lane, records, more);
            }
        };
        let last = gather(member, first, BATCH_MAX, take).await?;
        self.perform(member).await?;
        match last {
            Event::Assigned(assignments) => {
                for assignment in assignments {
                    self.begin(member, assignment).await?;
                }
            }
            // Between two steps everything that was taken is committed.
            Event::Revoked(partitions) | Event::Lost(partitions) => {
                partitions.iter().for_each(|partition| drop(self.owned.remove(partition)));
            }
            Event::Records { .. } | Event::Idle => {}
        }
        Ok(())
    }

    fn drop_all(&mut self) {
        self.owned.clear();
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).pending = 0;
    }
}
