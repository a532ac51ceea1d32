//! One worker of the scorer role: a member of a group of the log that owns partitions, and performs what falls due in them. What was
//! taken of a partition, what is predicted and how its cases have changed are one commit, which is made at once where something is
//! predicted and a moment later where nothing is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use domain::Timestamp;
use features::CaseReading;
use ports::{Assignment, Clock, Commit, Event as LogEvent, Log, Member, Membership, OnlineStore, Outgoing, Position};
use scoring::{Predictor, Question, Remembered, Row, Work};
use tokio::{sync::watch::Receiver, time::Instant};

use super::{
    Asked, Due, Plan, Prediction, Rules, Watch, asked,
    partition::Partition,
    restart,
    served::Columns,
    shadow::{Challengers, Heard},
    vectors::Vectors,
};
use crate::{
    Error,
    membership::{Role, Taken, belong, gather},
};

/// Records in one step at most: a few milliseconds of work.
const BATCH_MAX: usize = 8_192;
/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);

/// How long a partition waits for its commit in which nothing was predicted. Nobody waits for it, and on a server each partition that is
/// written to makes the commit of the others longer.
const LATER: Duration = Duration::from_millis(200);

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
    vectors: Vectors<O>,
    work: Work,
    challengers: Challengers,
    /// The columns of the rows that the latest predictor makes.
    columns: Option<(Arc<Predictor>, Columns)>,
    /// Ends of cases that are not committed.
    ends: AllDue,
    /// When everything is committed that was taken; none when everything is.
    later: Option<Instant>,
    watch: Watch,
}

/// What fell due in one step, by partition.
type AllDue = Vec<(u32, Due)>;

/// What is said in one step.
#[derive(Default)]
struct Said {
    /// With their partitions and rows.
    predictions: Vec<(u32, Prediction, Row)>,
    /// What challengers say of each of them, in the same order.
    heard: Vec<Heard>,
}

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
            vectors: Vectors::new(parts.online.clone(), plan.pipeline.clone()),
            plan,
            rules,
            reading,
            reads,
            parts,
            predictor,
            member,
            owned: BTreeMap::new(),
            work: Work::default(),
            challengers: Challengers::default(),
            columns: None,
            ends: AllDue::new(),
            later: None,
            watch,
        })
    }

    /// The same, sharing what was read last with whoever else predicts here.
    pub fn remembering(self, remembered: Arc<Remembered>) -> Self {
        Self { vectors: self.vectors.remembering(remembered), ..self }
    }

    /// Works until it is told to stop. Everything that was taken is then committed.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let topics = self.reads.iter().map(|(topic, _)| topic.clone()).collect();
        let membership = Membership::new(self.plan.topics.scorer_group(), &self.member, topics);
        let log = self.parts.log.clone();
        belong(&log, membership, None, &mut self, stop).await
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
            // Of what was lost, whoever has it next takes again what is not committed.
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
        self.ends.retain(|(of, _)| *of != partition);
        self.watch.gone(partition);
    }

    /// Predicts what is due and commits it, with what was taken of its partitions, and of all if it is time to.
    async fn perform(&mut self, member: &mut L::Member, due: AllDue, is_last: bool) -> Result<(), Error> {
        let (ends, due): (AllDue, AllDue) = due.into_iter().partition(|(_, due)| matches!(due, Due::End { .. }));
        self.ends.extend(ends);
        let is_time = is_last || self.later.is_some_and(|at| at <= Instant::now());
        let Said { predictions, heard } = self.predict(due).await?;
        let (cases, clock) = (self.plan.topics.cases(), self.parts.clock.now());
        let mut commits = Vec::new();
        let mut outputs: BTreeMap<u32, Vec<Outgoing>> = BTreeMap::new();
        let (said_to, served_to) = (self.plan.topics.predictions(), self.plan.topics.feature_log());
        let (case, shadow) = (self.rules.case(), self.plan.topics.shadow());
        for (place, (partition, prediction, row)) in predictions.iter().enumerate() {
            let outputs = outputs.entry(*partition).or_default();
            outputs.push(prediction.outgoing(case, said_to.clone(), *partition));
            let opinion = |heard: &Heard| heard.outgoing((place, prediction), case, &shadow, *partition);
            outputs.extend(heard.iter().filter_map(opinion));
            let (Some(owned), Some((_, columns))) = (self.owned.get_mut(partition), &self.columns) else { continue };
            owned.cases.promise(&prediction.key, prediction.promise_at);
            outputs.extend(owned.told.outgoing(columns, (prediction, row), (&served_to, *partition), clock));
        }
        let mut waits = false;
        for (partition, owned) in &mut self.owned {
            // Time has come for a case that goes as soon as its end is written.
            let is_due = owned.next_timer().is_some_and(|at| at <= clock);
            if !is_time && !is_due && !outputs.contains_key(partition) {
                waits |= owned.is_uncommitted();
                continue;
            }
            let Some((positions, changes)) = owned.take_uncommitted(&cases, *partition) else { continue };
            let mut outputs = outputs.remove(partition).unwrap_or_default();
            outputs.extend(changes);
            let note = Bytes::from(restart::note(clock));
            commits.push(Commit { partition: *partition, positions, note, outputs });
        }
        self.later = if waits { self.later.or_else(|| Some(Instant::now() + LATER)) } else { None };
        if commits.is_empty() {
            return Ok(());
        }
        let committed: BTreeSet<u32> = commits.iter().map(|commit| commit.partition).collect();
        member.commit(commits).await?;
        let ends = self.ends.extract_if(.., |(partition, _)| committed.contains(partition)).collect();
        self.tell(predictions, &heard, &ends);
        Ok(())
    }

    /// Tells whoever watches what was committed.
    fn tell(&self, predictions: Vec<(u32, Prediction, Row)>, heard: &[Heard], ends: &AllDue) {
        self.watch.count(|counts| heard.iter().for_each(|heard| heard.count(&mut counts.challenged)));
        self.watch.predicted(predictions.into_iter().map(|(_, prediction, _)| prediction).collect());
        for (_, due) in ends {
            if let Due::End { key, ending, .. } = due {
                self.watch.ended(key, ending.name(self.rules.case()));
            }
        }
        self.owned.iter().for_each(|(partition, owned)| self.watch.owns(*partition, owned.cases.open()));
    }

    async fn predict(&mut self, due: AllDue) -> Result<Said, Error> {
        let asked = due.into_iter().filter_map(|(partition, due)| match due {
            Due::Prediction { key, trigger, at, life } => Some((partition, Asked { key, trigger, at, life })),
            Due::End { .. } => None,
        });
        let (partitions, asked): (Vec<u32>, Vec<Asked>) = asked.unzip();
        if asked.is_empty() {
            return Ok(Said::default());
        }
        let predictor = self.predictor.borrow().clone();
        if self.columns.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, &predictor)) {
            self.columns = Some((predictor.clone(), Columns::of(&predictor)));
        }
        let mut questions: Vec<Question> = asked.iter().map(Asked::question).collect();
        self.vectors.fetch(&predictor, &mut questions, &self.parts.clock).await?;
        let mut promised: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (partition, asked) in partitions.iter().zip(&asked) {
            let known = self.owned.get(partition).and_then(|owned| owned.cases.promised(&asked.key));
            promised.extend(known.map(|at| (asked.key.clone(), at)));
        }
        let answers = predictor.answer(&questions, &mut self.work);
        self.watch.count(|counts| counts.asked(&questions, &answers));
        let heard = self.challengers.ask(&predictor, &questions, &answers).await;
        let predictions = asked::predictions(&predictor, asked, answers, &mut promised).into_iter();
        let predictions = partitions.into_iter().zip(predictions).map(|(partition, (said, row))| (partition, said, row));
        Ok(Said { predictions: predictions.collect(), heard })
    }
}

impl<L: Log, O: OnlineStore> Role<L> for Worker<L, O> {
    /// Until the next timer of any partition, and no longer than the bound.
    fn wait(&self) -> Duration {
        let timers = self.owned.values().filter_map(Partition::next_timer);
        let most = self.later.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()).min(IDLE));
        timers.min().map_or(most, |at| self.parts.clock.until(at).min(most))
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
        // What goes to somebody else goes with everything that was taken of it.
        let is_last = matches!(last, LogEvent::Revoked(_));
        self.perform(member, due, is_last).await?;
        self.change(member, last).await
    }

    async fn finish(&mut self, member: &mut L::Member) -> Result<(), Error> {
        self.perform(member, AllDue::new(), true).await
    }

    fn drop_all(&mut self) {
        let all: Vec<u32> = self.owned.keys().copied().collect();
        all.into_iter().for_each(|partition| self.drop(partition));
    }
}
