//! The shell: a member of the group, the shards that it owns, and the performance of what they ask for.
//!
//! One step at a time for each partition: stored, committed, published, and only then the next. Between two steps nothing is
//! half done, so a partition can be given away, a worker stopped or killed at any of its waits.

mod taking;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::Timestamp;
use futures_util::future::{join_all, try_join_all};
use ports::{Artifacts, Assignment, Clock, Commit, Event as LogEvent, Log, Member, Membership, OnlineStore, Record};
use tokio::sync::{Barrier, watch::Receiver};
use tracing::Instrument;

use super::{
    Linker, Plan, Settings,
    convoy::Convoy,
    inbox::Inbox,
    pieces,
    publish::publish,
    recovery::Recovery,
    shard::{Action, Chunk, Event, Shard},
    snapshots::Part,
    spans,
    watch::Watch,
};
use crate::{
    Error,
    membership::{Role, belong},
};

/// A prediction is made of what was true a moment ago in any case, and a step costs the same for one record as for some hundred.
const PATIENCE: Duration = Duration::from_millis(40);
/// How often somebody who is ahead of the others looks where they are.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(5);

/// The outside world of a worker.
#[derive(Clone, Debug)]
pub struct Parts<L, O, A> {
    /// Where records come from and go to.
    pub log: L,
    /// Where vectors are read.
    pub online: O,
    /// Where snapshots are kept.
    pub artifacts: A,
    /// What time it is.
    pub clock: Clock,
}

/// One worker of the feature role.
pub struct Worker<L: Log, O, A> {
    plan: Arc<Plan>,
    /// The topics of the plan, named once.
    reads: Arc<[Arc<str>]>,
    settings: Arc<Settings>,
    parts: Parts<L, O, A>,
    watch: Watch,
    /// Its name in the group, the same after a restart.
    member: String,
    /// Different after each restart.
    life: u64,
    linker: Option<Linker>,
    /// With whom it joins for the first time.
    together: Option<Arc<Barrier>>,
    shards: BTreeMap<u32, Owned>,
    convoy: Convoy,
}

struct Owned {
    shard: Shard,
    inbox: Inbox,
    probed_at: Timestamp,
}

impl Owned {
    /// When it has something to do although nothing comes. Until a partition has caught up, time passes with its records.
    fn timer(&self) -> Option<Timestamp> {
        self.shard.next_timer().filter(|at| self.inbox.is_present() || *at <= self.shard.clock())
    }
}

/// What a partition takes in one step.
struct Work {
    partition: u32,
    chunks: Vec<Chunk>,
    now: Timestamp,
}

/// What the shard of a partition asks for.
struct Asked {
    partition: u32,
    action: Action,
}

impl<L: Log, O: OnlineStore, A: Artifacts> Worker<L, O, A> {
    /// A worker that has not joined yet. `life` must differ from that of every other life of this member.
    pub fn new(plan: Plan, settings: Settings, parts: Parts<L, O, A>, watch: Watch, member: String, life: u64) -> Self {
        let reads = plan.reads().into();
        Self {
            plan: Arc::new(plan),
            reads,
            settings: Arc::new(settings),
            parts,
            watch,
            member,
            life,
            linker: None,
            together: None,
            shards: BTreeMap::new(),
            convoy: Convoy::new(),
        }
    }

    /// The same, with the spans of its steps linked to the traces in which their records were made.
    pub fn linked_by(self, linker: Linker) -> Self {
        Self { linker: Some(linker), ..self }
    }

    /// The same, and when all have joined each begins with its share: who begins with everything recovers what it gives away.
    pub fn joining_with(self, others: Arc<Barrier>) -> Self {
        Self { together: Some(others), ..self }
    }

    /// Works until it is told to stop. Everything that was taken is then committed and published.
    pub async fn run(mut self, stop: Receiver<bool>) -> Result<(), Error> {
        let group = self.plan.topics.features_group(self.plan.generation);
        let membership = Membership::new(group, &self.member, self.reads.to_vec()).patient(PATIENCE);
        let (log, together) = (self.parts.log.clone(), self.together.take());
        belong(&log, membership, together, &mut self, stop).await
    }

    async fn change(&mut self, member: &mut L::Member, event: LogEvent) -> Result<(), Error> {
        match event {
            LogEvent::Assigned(assignments) => {
                for assignment in assignments {
                    self.begin(member, assignment).await?;
                }
            }
            // Between two steps everything is committed and published.
            LogEvent::Revoked(partitions) | LogEvent::Lost(partitions) => {
                partitions.into_iter().for_each(|partition| self.drop(partition))
            }
            LogEvent::Records { .. } | LogEvent::Idle => {}
        }
        Ok(())
    }

    async fn begin(&mut self, member: &mut L::Member, assignment: Assignment) -> Result<(), Error> {
        let recovery = Recovery {
            plan: &self.plan,
            settings: &self.settings,
            log: &self.parts.log,
            artifacts: &self.parts.artifacts,
            clock: &self.parts.clock,
            watch: &self.watch,
            life: self.life,
        };
        let span = spans::recover(&self.plan, assignment.partition);
        let mut shard = recovery.shard(&assignment).instrument(span.clone()).await?;
        spans::recovered(&span, shard.counts_mut());
        let inbox = self.inbox(&assignment).await?;
        member.start(assignment.partition, &assignment.positions)?;
        // The first probe comes with the first tick.
        self.shards.insert(assignment.partition, Owned { shard, inbox, probed_at: Timestamp(i64::MIN) });
        Ok(())
    }

    /// Lets time pass for the partitions whose time has come.
    async fn tick(&mut self, member: &mut L::Member) -> Result<(), Error> {
        self.go_on(member).await?;
        let wall = self.parts.clock.now();
        let due = |(partition, owned): (&u32, &Owned)| {
            let now = if owned.inbox.is_present() { wall } else { owned.shard.clock() };
            owned.timer().is_some_and(|at| at <= now).then_some((*partition, now))
        };
        let due =
            self.shards.iter().filter_map(due).map(|(partition, now)| Work { partition, chunks: Vec::new(), now }).collect();
        self.step(member, due).await?;
        let every = self.settings.probe_every.as_millis() as i64;
        let stale = |owned: &Owned| owned.probed_at.0.saturating_add(every) <= wall.0;
        let stale: Vec<u32> = self.shards.iter().filter(|(_, owned)| stale(owned)).map(|(partition, _)| *partition).collect();
        let probe = |partition: &u32| Asked { partition: *partition, action: Action::Publish(features::Vectors::default()) };
        self.perform(member, stale.iter().map(probe).collect()).await?;
        stale.into_iter().for_each(|partition| self.tell(partition));
        Ok(())
    }

    /// One step of each of these partitions, with one commit for all.
    async fn step(&mut self, member: &mut L::Member, work: Vec<Work>) -> Result<(), Error> {
        let mut asked = Vec::new();
        let span = spans::step(&self.plan, work.iter().map(|work| &*work.chunks));
        spans::link(self.linker.as_ref(), &span, work.iter().flat_map(|work| &work.chunks));
        for Work { partition, chunks, now } in &work {
            let Some(owned) = self.shards.get_mut(partition) else { continue };
            let actions = span.in_scope(|| owned.shard.step(Event::Step(chunks), *now));
            asked.extend(actions.into_iter().map(|action| Asked { partition: *partition, action }));
        }
        self.perform(member, asked).instrument(span).await?;
        let now = self.parts.clock.now();
        for Work { partition, chunks, .. } in &work {
            if let Some(owned) = self.shards.get_mut(partition) {
                let counts = owned.shard.counts_mut();
                for records in chunks.iter().map(|chunk| &chunk.records) {
                    let waited = now.0.saturating_sub(oldest(records).0).max(0).unsigned_abs();
                    counts.freshness.note(waited, records.len() as u64);
                }
            }
            self.tell(*partition);
        }
        Ok(())
    }

    fn tell(&mut self, partition: u32) {
        if let Some(owned) = self.shards.get_mut(&partition) {
            self.watch.put(self.plan.generation, partition, owned.shard.counts_mut());
        }
    }

    /// Performs what shards ask for, in the order of what has to be true before what: stored, committed, published, and then what
    /// follows from that.
    async fn perform(&mut self, member: &mut L::Member, asked: Vec<Asked>) -> Result<(), Error> {
        let (mut parts, mut commits, mut publishes, mut rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Asked { partition, action } in asked {
            match action {
                Action::Store(part) => parts.push((partition, part)),
                Action::Commit(commit) => commits.push(commit),
                Action::Publish(vectors) => publishes.push((partition, vectors)),
                other => rest.push(Asked { partition, action: other }),
            }
        }
        rest.extend(self.store(parts).await);
        rest.extend(self.commit(member, commits).await?);
        rest.extend(self.publish(publishes).await?);
        for Asked { partition, action } in rest {
            self.follow(partition, action).await?;
        }
        Ok(())
    }

    /// Side by side: each waits for a disk.
    async fn store(&mut self, parts: Vec<(u32, Part)>) -> Vec<Asked> {
        let (artifacts, plan) = (&self.parts.artifacts, &self.plan);
        let store = |(partition, part)| async move { (partition, pieces::store(artifacts, plan, partition, part).await) };
        let stored = join_all(parts.into_iter().map(store)).await;
        stored.into_iter().flat_map(|(partition, stored)| self.tell_shard(partition, Event::Stored(stored))).collect()
    }

    async fn commit(&mut self, member: &mut L::Member, commits: Vec<Commit>) -> Result<Vec<Asked>, Error> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let partitions: Vec<u32> = commits.iter().map(|commit| commit.partition).collect();
        // Whoever sees the commit must not believe that its vectors are there.
        partitions.iter().for_each(|partition| self.watch.owes(self.plan.generation, *partition));
        let span = spans::commit(&self.plan, &commits);
        member.commit(commits).instrument(span).await?;
        Ok(partitions.into_iter().flat_map(|partition| self.tell_shard(partition, Event::Committed)).collect())
    }

    /// Side by side: whoever keeps vectors on a server has it work while the next ones are made ready.
    async fn publish(&mut self, publishes: Vec<(u32, features::Vectors)>) -> Result<Vec<Asked>, Error> {
        let (online, plan, max) = (&self.parts.online, &self.plan, self.settings.publish_max);
        let all = publishes.iter().map(|(partition, vectors)| {
            publish(online, plan, *partition, vectors, max).instrument(spans::publish(plan, *partition, vectors.len()))
        });
        let written = try_join_all(all).await?;
        let mut asked = Vec::new();
        for ((partition, _), written) in publishes.iter().zip(written) {
            let published = Event::Published { marked: written.marked, superseded: written.refused };
            asked.extend(self.tell_shard(*partition, published));
            if let Some(owned) = self.shards.get_mut(partition) {
                owned.probed_at = self.parts.clock.now();
            }
        }
        Ok(asked)
    }

    /// What may be done when everything that it rests on is true, and asks for nothing more.
    async fn follow(&mut self, partition: u32, action: Action) -> Result<(), Error> {
        match action {
            Action::Mark => {
                let share = self.plan.share(partition);
                crate::retry::insist(|| self.parts.online.mark(share)).await?;
            }
            Action::RemoveBelow(number) => pieces::remove_below(&self.parts.artifacts, &self.plan, partition, number).await,
            Action::Store(_) | Action::Commit(_) | Action::Publish(_) => {
                unreachable!(
                    "nothing that follows from a step is a step: a shard asks for a piece, a commit or a publication only with records or time"
                )
            }
        }
        Ok(())
    }

    fn tell_shard(&mut self, partition: u32, event: Event<'_>) -> Vec<Asked> {
        let now = self.parts.clock.now();
        let Some(owned) = self.shards.get_mut(&partition) else { return Vec::new() };
        owned.shard.step(event, now).into_iter().map(|action| Asked { partition, action }).collect()
    }

    fn drop(&mut self, partition: u32) {
        self.shards.remove(&partition);
        self.watch.gone(self.plan.generation, partition);
    }
}

impl<L: Log, O: OnlineStore, A: Artifacts> Role<L> for Worker<L, O, A> {
    /// Until the next timer of any partition, and no longer than the bound.
    fn wait(&self) -> Duration {
        let timers = self.shards.values().filter_map(Owned::timer);
        let wall = self.parts.clock.now();
        let waits = self.shards.values().any(|owned| owned.inbox.wants(wall).is_some());
        let most = if waits { self.settings.idle.min(WAIT_FOR_OTHERS) } else { self.settings.idle };
        timers.min().map_or(most, |at| self.parts.clock.until(at).min(most))
    }

    async fn handle(&mut self, member: &mut L::Member, event: Result<LogEvent, ports::Error>) -> Result<(), Error> {
        match event? {
            records @ LogEvent::Records { .. } => self.take(member, records).await?,
            other => self.change(member, other).await?,
        }
        self.tick(member).await
    }

    fn drop_all(&mut self) {
        let all: Vec<u32> = self.shards.keys().copied().collect();
        all.into_iter().for_each(|partition| self.drop(partition));
    }
}

fn oldest(records: &[Record]) -> Timestamp {
    records.iter().map(|record| record.append_at).min().unwrap_or_default()
}
