//! One worker of the scorer role: a member of a group of the log that owns partitions, and performs what falls due in them. What was
//! taken, what is predicted and how the cases have changed are one commit.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::Timestamp;
use features::CaseReading;
use pipeline::Group;
use ports::{
    Assignment, Clock, Commit, ErrorKind, Event as LogEvent, Log, Member, Membership, OnlineStore, Outgoing, Position, Serving,
    VectorKey,
};
use scoring::{Origin, Predictor, Question, Row, Work};
use tokio::{
    sync::{Barrier, watch::Receiver},
    time::{Instant, timeout},
};

use super::{Asked, Due, Plan, Prediction, Rules, Watch, asked, partition::Partition, restart, served::Columns};
use crate::{
    Error,
    membership::{Role, Taken, belong, gather},
};

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
    /// With whom it joins for the first time.
    together: Option<Arc<Barrier>>,
    owned: BTreeMap<u32, Partition>,
    serving: Vec<Serving>,
    looked_at: Option<Instant>,
    work: Work,
    /// The columns of the rows that the latest predictor makes.
    columns: Option<(Arc<Predictor>, Columns)>,
    watch: Watch,
}

/// What fell due in one step, by partition.
type AllDue = Vec<(u32, Due)>;

impl<L: Log, O: OnlineStore> Worker<L, O> {
    /// A worker that has not joined yet; none where nothing is predicted. Predictions are made by the latest predictor.
    pub fn new(
        plan: Plan,
        parts: Parts<L, O>,
        predictor: Receiver<Arc<Predictor>>,
        watch: Watch,
        member: String,
    ) -> Option<Self> {
        let rules = Arc::new(Rules::new(&plan.pipeline)?);
        let reading = CaseReading::new(plan.pipeline.clone())?;
        let reads = plan.tells(&reading.sources());
        Some(Self {
            plan,
            rules,
            reading,
            reads,
            parts,
            predictor,
            member,
            together: None,
            owned: BTreeMap::new(),
            serving: Vec::new(),
            looked_at: None,
            work: Work::default(),
            columns: None,
            watch,
        })
    }

    /// The same, and when all have joined each begins with its share.
    pub fn joining_with(self, others: Arc<Barrier>) -> Self {
        Self { together: Some(others), ..self }
    }

    /// Works until it is told to stop. Everything that was taken is then committed.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let membership = Membership {
            group: self.plan.topics.scorer_group(),
            member: self.member.clone(),
            topics: self.reads.iter().map(|(topic, _)| topic.clone()).collect(),
        };
        let (log, together) = (self.parts.log.clone(), self.together.take());
        belong(&log, membership, together, &mut self, stop).await
    }

    fn take(&mut self, taken: &Taken, due: &mut AllDue) {
        let Taken { topic, partition, records, more } = taken;
        let Some((topic, sources)) = self.reads.iter().find(|(read, _)| read == topic) else { return };
        let Some(owned) = self.owned.get_mut(partition) else { return };
        owned.behind(topic, *more);
        let mut fallen = Vec::new();
        let reading = &mut self.reading;
        self.watch.count(|counts| owned.take((topic, sources), records, reading, counts, &mut fallen));
        due.extend(fallen.into_iter().map(|due| (*partition, due)));
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
                partitions.into_iter().for_each(|partition| self.drop(partition));
            }
            LogEvent::Records { .. } | LogEvent::Idle => {}
        }
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: Assignment) -> Result<(), Error> {
        let (log, partition) = (&self.parts.log, assignment.partition);
        let from = self.parts.clock.now().minus(self.rules.lasts_at_most());
        let positions = restart::positions(log, self.reads.iter().map(|(topic, _)| topic), &assignment, from).await?;
        let is_new = positions.len() > assignment.positions.len();
        let mut owned = Partition::new(self.rules.clone(), &positions, is_new);
        let topic = self.plan.topics.cases();
        let forgotten = restart::restore(log, &topic, &assignment, &self.rules, &mut owned.cases).await?;
        self.watch.count(|counts| {
            counts.restored += owned.cases.open() as u64;
            counts.forgotten += forgotten;
        });
        for Position { topic, next } in &positions {
            let bounds = crate::retry::insist(|| log.bounds(topic, partition)).await?;
            owned.behind(topic, bounds.next > (*next).max(bounds.first));
        }
        member.start(partition, &positions)?;
        self.watch.owns(partition, owned.cases.open());
        self.owned.insert(partition, owned);
        Ok(())
    }

    fn drop(&mut self, partition: u32) {
        self.owned.remove(&partition);
        self.watch.gone(partition);
    }

    /// Predicts what is due and commits it, with everything that was taken.
    async fn perform(&mut self, member: &mut L::Member, due: AllDue) -> Result<(), Error> {
        let (ends, due): (AllDue, AllDue) = due.into_iter().partition(|(_, due)| matches!(due, Due::End { .. }));
        let predictions = self.predict(due).await?;
        let (cases, clock) = (self.plan.topics.cases(), self.parts.clock.now());
        let mut commits = Vec::new();
        let mut outputs: BTreeMap<u32, Vec<Outgoing>> = BTreeMap::new();
        let (said_to, served_to) = (self.plan.topics.predictions(), self.plan.topics.feature_log());
        for (partition, prediction, row) in &predictions {
            let outputs = outputs.entry(*partition).or_default();
            outputs.push(prediction.outgoing(self.rules.case(), said_to.clone(), *partition));
            let (Some(owned), Some((_, columns))) = (self.owned.get_mut(partition), &self.columns) else { continue };
            owned.cases.promise(&prediction.key, prediction.promise_at);
            outputs.extend(owned.told.outgoing(columns, (prediction, row), (&served_to, *partition), clock));
        }
        for (partition, owned) in &mut self.owned {
            let Some((positions, changes)) = owned.take_uncommitted(&cases, *partition) else { continue };
            let mut outputs = outputs.remove(partition).unwrap_or_default();
            outputs.extend(changes);
            let note = Bytes::from(restart::note(clock));
            commits.push(Commit { partition: *partition, positions, note, outputs });
        }
        if commits.is_empty() {
            return Ok(());
        }
        member.commit(commits).await?;
        self.tell(predictions, &ends);
        Ok(())
    }

    /// Tells whoever watches what was committed.
    fn tell(&self, predictions: Vec<(u32, Prediction, Row)>, ends: &AllDue) {
        self.watch.predicted(predictions.into_iter().map(|(_, prediction, _)| prediction).collect());
        for (_, due) in ends {
            if let Due::End { key, ending, .. } = due {
                self.watch.ended(key, ending.name(self.rules.case()));
            }
        }
        self.owned.iter().for_each(|(partition, owned)| self.watch.owns(*partition, owned.cases.open()));
    }

    async fn predict(&mut self, due: AllDue) -> Result<Vec<(u32, Prediction, Row)>, Error> {
        let asked = due.into_iter().filter_map(|(partition, due)| match due {
            Due::Prediction { key, trigger, at, life } => Some((partition, Asked { key, trigger, at, life })),
            Due::End { .. } => None,
        });
        let (partitions, asked): (Vec<u32>, Vec<Asked>) = asked.unzip();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let predictor = self.predictor.borrow().clone();
        if self.columns.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &predictor)) {
            self.columns = Some((predictor.clone(), Columns::of(&predictor)));
        }
        let mut questions: Vec<Question> = asked.iter().map(Asked::question).collect();
        self.fetch(&predictor, &mut questions).await?;
        let mut promised: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (partition, asked) in partitions.iter().zip(&asked) {
            let known = self.owned.get(partition).and_then(|owned| owned.cases.promised(&asked.key));
            promised.extend(known.map(|at| (asked.key.clone(), at)));
        }
        let answers = predictor.answer(&questions, &mut self.work);
        let predictions = asked::predictions(&predictor, asked, answers, &mut promised);
        Ok(partitions.into_iter().zip(predictions).map(|(partition, (said, row))| (partition, said, row)).collect())
    }

    /// The vectors of all that are asked about. Without an online store there are none, and it is said.
    async fn fetch(&mut self, predictor: &Predictor, questions: &mut [Question]) -> Result<(), Error> {
        let reached = match timeout(FETCH_MAX, self.read(predictor, questions)).await {
            Ok(Ok(vectors)) => Some(vectors),
            Ok(Err(error)) if error.kind() == ErrorKind::Transient => None,
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => None,
        };
        let groups = self.plan.pipeline.groups.len();
        match reached {
            Some(vectors) => {
                let each = questions.iter_mut().zip(vectors);
                each.for_each(|(question, vectors)| (question.vectors, question.origin) = (vectors, Origin::Store));
            }
            None => questions.iter_mut().for_each(|question| question.vectors = vec![None; groups]),
        }
        Ok(())
    }

    async fn read(&mut self, predictor: &Predictor, questions: &[Question]) -> Result<Vec<Vec<Option<Arc<[u8]>>>>, ports::Error> {
        if self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.serving = self.parts.online.serving().await?;
            self.looked_at = Some(Instant::now());
        }
        let groups = &self.plan.pipeline.groups;
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        for (row, question) in questions.iter().enumerate() {
            for (group, key) in predictor.keys(&question.facts).into_iter().enumerate() {
                let Group { name, entity, .. } = &groups[group];
                let Some(at) = key.and_then(|key| VectorKey::served(&self.serving, entity, key, name)) else { continue };
                keys.push(at);
                places.push((row, group));
            }
        }
        let mut vectors = vec![vec![None; groups.len()]; questions.len()];
        for (keys, places) in keys.chunks(FETCH_KEYS_MAX).zip(places.chunks(FETCH_KEYS_MAX)) {
            let found = self.parts.online.read(keys).await?;
            for ((row, group), found) in places.iter().zip(found) {
                vectors[*row][*group] = found.map(Arc::from);
            }
        }
        Ok(vectors)
    }
}

impl<L: Log, O: OnlineStore> Role<L> for Worker<L, O> {
    /// Until the next timer of any partition, and no longer than the bound.
    fn wait(&self) -> Duration {
        let timers = self.owned.values().filter_map(Partition::next_timer);
        timers.min().map_or(IDLE, |at| self.parts.clock.until(at).min(IDLE))
    }

    /// Takes an event and what else came by now, and does what is due.
    async fn handle(&mut self, member: &mut L::Member, first: Result<LogEvent, ports::Error>) -> Result<(), Error> {
        let mut due = AllDue::new();
        let take = |taken: Taken| self.take(&taken, &mut due);
        let last = gather(member, first, BATCH_MAX, take).await?;
        let now = self.parts.clock.now();
        for (partition, owned) in &mut self.owned {
            let mut passed = Vec::new();
            owned.pass(now, &mut passed);
            due.extend(passed.into_iter().map(|due| (*partition, due)));
        }
        self.perform(member, due).await?;
        self.change(member, last).await
    }

    fn drop_all(&mut self) {
        let all: Vec<u32> = self.owned.keys().copied().collect();
        all.into_iter().for_each(|partition| self.drop(partition));
    }
}
