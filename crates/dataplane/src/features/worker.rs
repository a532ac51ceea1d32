//! The shell: a member of the group, the shards that it owns, and the performance of what they ask for.
//!
//! One step at a time for each partition: stored, committed, published, and only then the next. Between two steps nothing is
//! half done, so a partition can be given away, a worker stopped or killed at any of its waits.

mod taking;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::Timestamp;
use ports::{Artifacts, Assignment, Clock, ErrorKind, Event as LogEvent, Log, Member, Membership, OnlineStore, Record};
use tokio::sync::{Barrier, watch::Receiver};
use tracing::{Instrument, warn};

use super::{
    Linker, Plan, Settings,
    convoy::Convoy,
    inbox::Inbox,
    pieces,
    publish::publish,
    recovery::Recovery,
    shard::{Action, Chunk, Event, Shard},
    spans,
    watch::Watch,
};
use crate::{Backoff, Error};

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

/// Why a membership ended.
enum End {
    Stopped,
    /// Somebody else has some of the partitions, or nobody knows whether a commit happened.
    Rejoin,
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
    pub async fn run(mut self, mut stop: Receiver<bool>) -> Result<(), Error> {
        let mut backoff = Backoff::default();
        loop {
            let membership = Membership {
                group: self.plan.topics.features_group(self.plan.generation),
                member: self.member.clone(),
                topics: self.reads.to_vec(),
            };
            let log = self.parts.log.clone();
            let mut member = crate::retry::insist(|| log.join(membership.clone())).await?;
            if let Some(together) = self.together.take() {
                let stopped = tokio::select! {
                    _ = together.wait() => false,
                    _ = stop.wait_for(|stop| *stop) => true,
                };
                if stopped {
                    return Ok(member.leave().await?);
                }
            }
            let end = self.work(&mut member, &mut stop).await;
            self.drop_all();
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

    async fn handle(&mut self, member: &mut L::Member, event: Result<LogEvent, ports::Error>) -> Result<(), Error> {
        match event? {
            records @ LogEvent::Records { .. } => self.take(member, records).await?,
            other => self.change(member, other).await?,
        }
        self.tick(member).await
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
        let due: Vec<(u32, Timestamp)> = self.shards.iter().filter_map(due).collect();
        for (partition, now) in due {
            self.step(member, partition, &[], now).await?;
        }
        let every = self.settings.probe_every.as_millis() as i64;
        let stale = |owned: &Owned| owned.probed_at.0.saturating_add(every) <= wall.0;
        let stale: Vec<u32> = self.shards.iter().filter(|(_, owned)| stale(owned)).map(|(partition, _)| *partition).collect();
        for partition in stale {
            self.perform(member, partition, Action::Publish(features::Vectors::default())).await?;
            self.tell(partition);
        }
        Ok(())
    }

    async fn step(&mut self, member: &mut L::Member, partition: u32, chunks: &[Chunk], now: Timestamp) -> Result<(), Error> {
        let span = spans::step(&self.plan, partition, chunks);
        spans::link(self.linker.as_ref(), &span, chunks);
        self.step_inside(member, partition, chunks, now).instrument(span).await
    }

    async fn step_inside(
        &mut self,
        member: &mut L::Member,
        partition: u32,
        chunks: &[Chunk],
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(owned) = self.shards.get_mut(&partition) else { return Ok(()) };
        for action in owned.shard.step(Event::Step(chunks), now) {
            self.perform(member, partition, action).await?;
        }
        if let Some(owned) = self.shards.get_mut(&partition) {
            let now = self.parts.clock.now();
            let counts = owned.shard.counts_mut();
            for records in chunks.iter().map(|chunk| &chunk.records) {
                let waited = now.0.saturating_sub(oldest(records).0).max(0).unsigned_abs();
                counts.freshness.note(waited, records.len() as u64);
            }
        }
        self.tell(partition);
        Ok(())
    }

    fn tell(&mut self, partition: u32) {
        if let Some(owned) = self.shards.get_mut(&partition) {
            self.watch.put(self.plan.generation, partition, owned.shard.counts_mut());
        }
    }

    /// Performs an action, and those that follow from its success.
    async fn perform(&mut self, member: &mut L::Member, partition: u32, action: Action) -> Result<(), Error> {
        let mut next = vec![action];
        while let Some(action) = next.pop() {
            let event = match action {
                Action::Store(part) => Event::Stored(pieces::store(&self.parts.artifacts, &self.plan, partition, part).await),
                Action::Commit(commit) => {
                    // Whoever sees the commit must not believe that its vectors are there.
                    self.watch.owes(self.plan.generation, partition);
                    let span = spans::commit(&self.plan, partition, commit.outputs.len());
                    member.commit(commit).instrument(span).await?;
                    Event::Committed
                }
                Action::Publish(vectors) => {
                    let max = self.settings.publish_max;
                    let span = spans::publish(&self.plan, partition, vectors.len());
                    let written = publish(&self.parts.online, &self.plan, partition, &vectors, max).instrument(span).await?;
                    Event::Published { marked: written.marked, superseded: written.refused }
                }
                Action::Mark => {
                    let share = self.plan.share(partition);
                    crate::retry::insist(|| self.parts.online.mark(share)).await?;
                    continue;
                }
                Action::RemoveBelow(number) => {
                    pieces::remove_below(&self.parts.artifacts, &self.plan, partition, number).await;
                    continue;
                }
            };
            let now = self.parts.clock.now();
            let Some(owned) = self.shards.get_mut(&partition) else { return Ok(()) };
            if matches!(event, Event::Published { .. }) {
                owned.probed_at = now;
            }
            next.extend(owned.shard.step(event, now));
        }
        Ok(())
    }

    /// Until the next timer of any partition, and no longer than the bound.
    fn wait(&self) -> Duration {
        let timers = self.shards.values().filter_map(Owned::timer);
        let wall = self.parts.clock.now();
        let waits = self.shards.values().any(|owned| owned.inbox.wants(wall).is_some());
        let most = if waits { self.settings.idle.min(WAIT_FOR_OTHERS) } else { self.settings.idle };
        timers.min().map_or(most, |at| self.parts.clock.until(at).min(most))
    }

    fn drop(&mut self, partition: u32) {
        self.shards.remove(&partition);
        self.watch.gone(self.plan.generation, partition);
    }

    fn drop_all(&mut self) {
        let all: Vec<u32> = self.shards.keys().copied().collect();
        all.into_iter().for_each(|partition| self.drop(partition));
    }
}

fn oldest(records: &[Record]) -> Timestamp {
    records.iter().map(|record| record.append_at).min().unwrap_or_default()
}
