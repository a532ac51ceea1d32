//! One worker of the scorer role: a member of a group of the log that owns partitions, and performs what falls due in them. What was
//! taken, what is predicted and how the cases have changed are one commit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use domain::Timestamp;
use features::CaseReading;
use pipeline::Pipeline;
use ports::{
    Assignment, Clock, Commit, ErrorKind, Event as LogEvent, Log, Member, Membership, OnlineStore, Outgoing, Serving, VectorKey,
};
use scoring::Work;
use tokio::{
    sync::watch::Receiver,
    time::{Instant, timeout},
};
use tracing::warn;

use super::{
    Asked, Due, Predictor, Rules,
    partition::{Counts, Partition},
    restart,
};
use crate::{Backoff, Error, Topics};

/// Records in one step at most: a few milliseconds of work.
const BATCH_MAX: usize = 8_192;
/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);
/// A prediction that is later than this because of the online store is worth less than one without it.
const FETCH_MAX: Duration = Duration::from_millis(500);
/// How often it is looked which generations readers read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Vectors in one round trip.
const FETCH_KEYS_MAX: usize = 4_096;

/// What a scorer is there for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is predicted, and from what.
    pub pipeline: Arc<Pipeline>,
    /// Names of topics.
    pub topics: Topics,
}

/// The outside world of a scorer.
#[derive(Clone, Debug)]
pub struct Parts<L, O> {
    /// Where records come from and go to.
    pub log: L,
    /// Where vectors are read.
    pub online: O,
    /// What time it is.
    pub clock: Clock,
}

/// One worker of the scorer role.
pub struct Worker<L, O> {
    plan: Plan,
    rules: Arc<Rules>,
    reading: CaseReading,
    /// The topics that it reads, with their sources.
    reads: Vec<(Arc<str>, Vec<usize>)>,
    parts: Parts<L, O>,
    predictor: Receiver<Arc<Predictor>>,
    member: String,
    owned: BTreeMap<u32, Partition>,
    serving: Vec<Serving>,
    looked_at: Option<Instant>,
    work: Work,
    counts: Arc<Mutex<Counts>>,
}

/// Why a membership ended.
enum End {
    Stopped,
    Rejoin,
}

/// What fell due in one step, by partition.
type AllDue = Vec<(u32, Due)>;

impl<L: Log, O: OnlineStore> Worker<L, O> {
    /// A worker that has not joined yet; none where nothing is predicted. Predictions are made by the latest predictor.
    pub fn new(plan: Plan, parts: Parts<L, O>, predictor: Receiver<Arc<Predictor>>, member: String) -> Option<Self> {
        let rules = Arc::new(Rules::new(&plan.pipeline)?);
        let reading = CaseReading::new(plan.pipeline.clone())?;
        let tells = reading.sources();
        let of = |(topic, sources): &(Arc<str>, Vec<usize>)| {
            let sources: Vec<usize> = sources.iter().copied().filter(|source| tells.contains(source)).collect();
            (!sources.is_empty()).then(|| (topic.clone(), sources))
        };
        let reads = plan.topics.inputs().iter().filter_map(of).collect();
        Some(Self {
            plan,
            rules,
            reading,
            reads,
            parts,
            predictor,
            member,
            owned: BTreeMap::new(),
            serving: Vec::new(),
            looked_at: None,
            work: Work::default(),
            counts: Arc::default(),
        })
    }

    /// What it has done, for whoever asks at any time.
    pub fn counts(&self) -> Arc<Mutex<Counts>> {
        self.counts.clone()
    }

    /// Works until it is told to stop. Everything that was taken is then committed.
    pub async fn run(mut self, mut stop: Receiver<bool>) -> Result<(), Error> {
        let mut backoff = Backoff::default();
        loop {
            let membership = Membership {
                group: self.plan.topics.scorer_group(),
                member: self.member.clone(),
                topics: self.reads.iter().map(|(topic, _)| topic.clone()).collect(),
            };
            let log = self.parts.log.clone();
            let mut member = crate::retry::insist(|| log.join(membership.clone())).await?;
            let end = self.work(&mut member, &mut stop).await;
            self.owned.clear();
            match end {
                Ok(End::Stopped) => return Ok(member.leave().await?),
                Ok(End::Rejoin) => backoff.wait().await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn work(&mut self, member: &mut L::Member, stop: &mut Receiver<bool>) -> Result<End, Error> {
        loop {
            let wait = self.wait();
            let event = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(End::Stopped),
                event = member.next(wait) => event,
            };
            match self.handle(member, event).await {
                Ok(()) => {}
                Err(Error::Port(error)) if matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Transient) => {
                    warn!(member = self.member, pipeline = %self.plan.pipeline.id, %error, "joins the group again");
                    return Ok(End::Rejoin);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes an event and what else came by now, and does what is due.
    async fn handle(&mut self, member: &mut L::Member, first: Result<LogEvent, ports::Error>) -> Result<(), Error> {
        let (mut due, mut count, mut next) = (AllDue::new(), 0, first?);
        let last = loop {
            match next {
                LogEvent::Records { topic, partition, records, more } => {
                    count += records.len();
                    self.take(&topic, partition, &records, more, &mut due);
                }
                other => break other,
            }
            if count >= BATCH_MAX {
                break LogEvent::Idle;
            }
            next = member.next(Duration::ZERO).await?;
        };
        let now = self.parts.clock.now();
        for (partition, owned) in &mut self.owned {
            let mut passed = Vec::new();
            owned.pass(now, &mut passed);
            due.extend(passed.into_iter().map(|due| (*partition, due)));
        }
        self.perform(member, due).await?;
        self.change(member, last).await
    }

    fn take(&mut self, topic: &Arc<str>, partition: u32, records: &[ports::Record], more: bool, due: &mut AllDue) {
        let Some((topic, sources)) = self.reads.iter().find(|(read, _)| read == topic) else { return };
        let Some(owned) = self.owned.get_mut(&partition) else { return };
        owned.behind(topic, more);
        let mut fallen = Vec::new();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        owned.take((topic, sources), records, &mut self.reading, &mut counts, &mut fallen);
        due.extend(fallen.into_iter().map(|due| (partition, due)));
    }

    async fn change(&mut self, member: &mut L::Member, event: LogEvent) -> Result<(), Error> {
        match event {
            LogEvent::Assigned(assignments) => {
                for assignment in assignments {
                    self.begin(member, assignment).await?;
                }
            }
            // Between two steps everything is committed.
            LogEvent::Revoked(partitions) | LogEvent::Lost(partitions) => {
                partitions.iter().for_each(|partition| drop(self.owned.remove(partition)));
            }
            LogEvent::Records { .. } | LogEvent::Idle => {}
        }
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: Assignment) -> Result<(), Error> {
        let mut owned = Partition::new(self.rules.clone(), &assignment);
        let topic = self.plan.topics.cases();
        let forgotten = restart::restore(&self.parts.log, &topic, &assignment, &self.rules, &mut owned.cases).await?;
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).forgotten += forgotten;
        for (topic, _) in &self.reads {
            let bounds = crate::retry::insist(|| self.parts.log.bounds(topic, assignment.partition)).await?;
            owned.behind(topic, bounds.next > assignment.next(topic).unwrap_or(0).max(bounds.first));
        }
        member.start(assignment.partition, &assignment.positions)?;
        self.owned.insert(assignment.partition, owned);
        Ok(())
    }

    /// Predicts what is due and commits it, with everything that was taken.
    async fn perform(&mut self, member: &mut L::Member, due: AllDue) -> Result<(), Error> {
        let predictions = self.predict(due).await?;
        let (cases, clock) = (self.plan.topics.cases(), self.parts.clock.now());
        let (mut commits, mut known) = (Vec::new(), 0);
        let mut outputs: BTreeMap<u32, Vec<Outgoing>> = BTreeMap::new();
        for (partition, prediction) in &predictions {
            if let Some(owned) = self.owned.get_mut(partition) {
                owned.cases.promise(&prediction.key, prediction.promise_at);
            }
            let outgoing = prediction.outgoing(self.rules.case(), self.plan.topics.predictions(), *partition);
            outputs.entry(*partition).or_default().push(outgoing);
        }
        for (partition, owned) in &mut self.owned {
            known += owned.cases.len() as u64;
            let Some((positions, changes)) = owned.to_commit(&cases, *partition) else { continue };
            let mut outputs = outputs.remove(partition).unwrap_or_default();
            outputs.extend(changes);
            let note = Bytes::from(restart::note(clock));
            commits.push(Commit { partition: *partition, positions, note, outputs });
        }
        if !commits.is_empty() {
            member.commit(commits).await?;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.cases = known;
        counts.predictions += predictions.len() as u64;
        for degraded in predictions.into_iter().filter_map(|(_, prediction)| prediction.degraded) {
            *counts.degraded.entry(degraded).or_default() += 1;
        }
        Ok(())
    }

    async fn predict(&mut self, due: AllDue) -> Result<Vec<(u32, super::Prediction)>, Error> {
        let asked = due.into_iter().filter_map(|(partition, due)| match due {
            Due::Prediction { key, trigger, at, life } => {
                Some((partition, Asked { key, trigger, at, life, vectors: Vec::new(), is_reachable: true }))
            }
            Due::End { .. } => None,
        });
        let (partitions, mut asked): (Vec<u32>, Vec<Asked>) = asked.unzip();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let predictor = self.predictor.borrow().clone();
        self.fetch(&predictor, &mut asked).await?;
        let mut promised: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (partition, asked) in partitions.iter().zip(&asked) {
            let known = self.owned.get(partition).and_then(|owned| owned.cases.promised(&asked.key));
            promised.extend(known.map(|at| (asked.key.clone(), at)));
        }
        let predictions = predictor.predict(asked, &mut promised, &mut self.work);
        Ok(partitions.into_iter().zip(predictions).collect())
    }

    /// The vectors of all that are asked about. Without an online store there are none, and it is said.
    async fn fetch(&mut self, predictor: &Predictor, asked: &mut [Asked]) -> Result<(), Error> {
        let reached = match timeout(FETCH_MAX, self.read(predictor, asked)).await {
            Ok(Ok(vectors)) => Some(vectors),
            Ok(Err(error)) if error.kind() == ErrorKind::Transient => None,
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => None,
        };
        let groups = self.plan.pipeline.groups.len();
        match reached {
            Some(vectors) => asked.iter_mut().zip(vectors).for_each(|(asked, vectors)| asked.vectors = vectors),
            None => asked.iter_mut().for_each(|asked| (asked.vectors, asked.is_reachable) = (vec![None; groups], false)),
        }
        Ok(())
    }

    async fn read(&mut self, predictor: &Predictor, asked: &[Asked]) -> Result<Vec<Vec<Option<Arc<[u8]>>>>, ports::Error> {
        if self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.serving = self.parts.online.serving().await?;
            self.looked_at = Some(Instant::now());
        }
        let groups = &self.plan.pipeline.groups;
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        for (row, asked) in asked.iter().enumerate() {
            for (group, key) in predictor.keys(&asked.life).into_iter().enumerate() {
                let served = self.serving.iter().find(|serving| serving.group == groups[group].name);
                let (Some(key), Some(served)) = (key, served) else { continue };
                let (entity, generation) = (&*groups[group].entity, served.generation);
                keys.push(VectorKey { entity, key, group: &served.group, generation });
                places.push((row, group));
            }
        }
        let mut vectors = vec![vec![None; groups.len()]; asked.len()];
        for (keys, places) in keys.chunks(FETCH_KEYS_MAX).zip(places.chunks(FETCH_KEYS_MAX)) {
            let found = self.parts.online.read(keys).await?;
            for ((row, group), found) in places.iter().zip(found) {
                vectors[*row][*group] = found.map(Arc::from);
            }
        }
        Ok(vectors)
    }

    /// Until the next timer of any partition, and no longer than the bound.
    fn wait(&self) -> Duration {
        let timers = self.owned.values().filter_map(Partition::next_timer);
        timers.min().map_or(IDLE, |at| self.parts.clock.until(at).min(IDLE))
    }
}
