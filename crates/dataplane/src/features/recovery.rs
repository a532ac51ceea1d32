//! Making a shard again: its snapshots, then the records up to the last commit, silently.

use std::{collections::VecDeque, sync::Arc};

use domain::{Span, Timestamp};
use features::{Config, Engine};
use ports::{Artifacts, Assignment, Clock, ErrorKind, Log, Record};
use tracing::warn;

use super::{
    Note, Plan, Rebuild, Settings, Watch,
    inbox::{now_after, ready_at},
    note::Stored,
    shard::{Shard, Start},
    snapshots::Snapshots,
    watch::Counts,
};
use crate::{Error, past};

/// Bytes of one topic that are read ahead: a few thousand records of each.
const READ_BYTES: usize = 1 << 20;

/// What a recovery needs beside the assignment.
pub(super) struct Recovery<'a, L, A> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) log: &'a L,
    pub(super) artifacts: &'a A,
    pub(super) clock: &'a Clock,
    pub(super) watch: &'a Watch,
    pub(super) life: u64,
}

/// What a recovery begins with.
struct Begun {
    engine: Engine,
    /// The snapshots that the engine's state is made of, none when it is empty.
    chain: Vec<Stored>,
    /// The positions that they contain.
    from: Vec<u64>,
}

impl<L: Log, A: Artifacts> Recovery<'_, L, A> {
    /// The shard as the last commit left it, with everything that it has touched since its snapshot still to be written.
    pub(super) async fn shard(&self, assignment: &Assignment) -> Result<Shard, Error> {
        let partition = assignment.partition;
        let reads = self.plan.reads();
        let committed: Vec<u64> = reads.iter().map(|topic| assignment.next(topic).unwrap_or(0)).collect();
        let first_time = assignment.note.is_empty();
        let note = if first_time { Note::default() } else { self.note(assignment)? };
        let prefix = Snapshots::prefix(self.plan, partition);
        let mut counts = Counts::default();
        let begun = match self.restore(partition, &prefix, &note).await? {
            Ok(begun) => begun,
            Err(fault) => {
                counts.rebuilds = 1;
                self.watch.rebuilds(self.rebuild(partition, fault, &committed).await?);
                self.empty(partition)?
            }
        };
        let Begun { mut engine, chain, from } = begun;
        for (source, text) in &self.plan.files {
            // Lines that cannot be read were reported when the plan was made.
            engine.replay_file(*source, text, engine.clock());
        }
        let mut replay = Replay { engine: &mut engine, plan: self.plan, replayed: 0, from_nothing: chain.is_empty() };
        replay.run(self.log, &reads, partition, &from, &committed).await?;
        counts.replayed = replay.replayed;
        if !first_time {
            engine.replay(&[], note.clock);
        }
        if chain.is_empty() {
            engine.touch_all();
        }
        let mut snapshots = Snapshots::new(prefix, self.life, chain, from, self.turn(partition));
        // What was taken again is in no snapshot that can be used, and should not have to be taken a third time.
        snapshots.took(usize::try_from(counts.replayed).unwrap_or(usize::MAX));
        let quiet_until = self.quiet_until(&reads, partition).await?;
        let start = Start { positions: committed, quiet_until, snapshots, counts };
        Ok(Shard::new(self.plan.clone(), self.settings.clone(), partition, engine, start))
    }

    /// From when on a partition counts the time until its next snapshot, each from another instant: those that begin together would write
    /// theirs together, and a step waits for all of them.
    fn turn(&self, partition: u32) -> Timestamp {
        let every = self.settings.snapshot_every.as_millis() as i64;
        self.clock.now().plus(Span(every * i64::from(partition) / i64::from(self.plan.partitions.max(1))))
    }

    fn note(&self, assignment: &Assignment) -> Result<Note, Error> {
        Note::decode(&assignment.note).map_err(|fault| Error::Note { partition: assignment.partition, fault })
    }

    /// The positions at which a generation that is being built begins to write, by topic: the partials have none.
    async fn quiet_until(&self, reads: &[Arc<str>], partition: u32) -> Result<Vec<u64>, Error> {
        let mut positions = vec![0; reads.len()];
        if let Some(at) = self.plan.quiet_until {
            for (position, (topic, _)) in positions.iter_mut().zip(self.plan.topics.inputs()) {
                *position = crate::retry::insist(|| self.log.offset_at(topic, partition, at)).await?;
            }
        }
        Ok(positions)
    }

    fn config(&self, partition: u32) -> Config {
        Config { shard: partition, shards: self.plan.partitions, generation: self.plan.generation, stopwatch: None }
    }

    /// An engine that knows nothing, for a log that is read from its beginning.
    fn empty(&self, partition: u32) -> Result<Begun, Error> {
        let engine = Engine::new(self.plan.pipeline.clone(), self.config(partition));
        let engine = engine.map_err(|source| Error::State { partition, source })?;
        Ok(Begun { engine, chain: Vec::new(), from: vec![0; self.plan.reads().len()] })
    }

    /// An engine with the state of the note's snapshots, or why they cannot be used.
    async fn restore(&self, partition: u32, prefix: &str, note: &Note) -> Result<Result<Begun, String>, Error> {
        if note.snapshots.is_empty() {
            return self.empty(partition).map(Ok);
        }
        let snapshots = match self.read(prefix, &note.snapshots).await? {
            Ok(snapshots) => snapshots,
            Err(fault) => return Ok(Err(fault)),
        };
        let bytes: Vec<&[u8]> = snapshots.iter().map(Vec::as_slice).collect();
        let engine = Engine::restore(self.plan.pipeline.clone(), self.config(partition), &bytes);
        let begun = |engine| Begun { engine, chain: note.snapshots.clone(), from: note.positions.clone() };
        Ok(engine.map(begun).map_err(|fault| format!("{prefix}: {fault}")))
    }

    /// The bytes of snapshots, or which piece is missing or damaged.
    async fn read(&self, prefix: &str, stored: &[Stored]) -> Result<Result<Vec<Vec<u8>>, String>, Error> {
        let mut snapshots = Vec::with_capacity(stored.len());
        for stored in stored {
            let mut bytes = Vec::new();
            for part in 0..stored.parts {
                let name = Snapshots::name(prefix, stored, part);
                match crate::retry::insist(|| self.artifacts.get(&name)).await {
                    Ok(Some(part)) => bytes.extend_from_slice(&part),
                    Ok(None) => return Ok(Err(format!("{name} is missing"))),
                    Err(error) if error.kind() == ErrorKind::Poison => return Ok(Err(format!("{name}: {error}"))),
                    Err(error) => return Err(error.into()),
                }
            }
            snapshots.push(bytes);
        }
        Ok(Ok(snapshots))
    }

    /// What has to be told of a state that is made again.
    async fn rebuild(&self, partition: u32, fault: String, committed: &[u64]) -> Result<Rebuild, Error> {
        let (mut records, mut begins) = (0, Vec::new());
        for (topic, until) in self.plan.reads().iter().zip(committed) {
            let bounds = crate::retry::insist(|| self.log.bounds(topic, partition)).await?;
            records += until.saturating_sub(bounds.first);
            begins.push(crate::retry::insist(|| past::begins_at(self.log, topic, partition)).await?);
        }
        let incomplete = Rebuild::incomplete(self.plan, &begins, self.clock.now());
        let Plan { pipeline, generation, .. } = &**self.plan;
        Ok(Rebuild { pipeline: pipeline.id.clone(), generation: *generation, partition, fault, records, incomplete })
    }
}

/// Reads several topics in the order of their append times, which is close to the order of the first run.
struct Replay<'a> {
    engine: &'a mut Engine,
    plan: &'a Plan,
    replayed: u64,
    /// There is no snapshot, so the log may be long: what has left the windows is forgotten on the way, as it was the first time,
    /// and everything that is left is touched in the end.
    from_nothing: bool,
}

/// What is left of one topic.
struct Tail {
    ahead: VecDeque<Record>,
    next: u64,
    end: u64,
    of_partials: bool,
}

impl Replay<'_> {
    async fn run<L: Log>(
        &mut self,
        log: &L,
        reads: &[Arc<str>],
        partition: u32,
        from: &[u64],
        until: &[u64],
    ) -> Result<(), Error> {
        let tail = |(next, end): (&u64, &u64)| Tail { ahead: VecDeque::new(), next: *next, end: *end, of_partials: false };
        let mut tails: Vec<Tail> = from.iter().zip(until).map(tail).collect();
        tails.last_mut().into_iter().for_each(|tail| tail.of_partials = true);
        loop {
            for (tail, topic) in tails.iter_mut().zip(reads) {
                tail.fill(log, topic, partition).await?;
            }
            let head = |tail: &Tail| tail.ahead.front().map(|record| tail.ready_at(record));
            let Some((_, topic)) = (0..tails.len()).filter_map(|at| Some((head(&tails[at])?, at))).min() else { return Ok(()) };
            let others = tails.iter().enumerate().filter(|(at, _)| *at != topic);
            let before = others.filter_map(|(_, tail)| head(tail)).min().unwrap_or(Timestamp(i64::MAX));
            let run = tails[topic].take_until(before);
            self.replayed += run.len() as u64;
            let ready_at = run.iter().map(|record| tails[topic].ready_at(record)).max();
            self.feed(topic, &run, ready_at.map_or(Timestamp(i64::MIN), now_after));
        }
    }

    /// What comes out has gone out before.
    fn feed(&mut self, topic: usize, records: &[Record], now: Timestamp) {
        match self.plan.sources(topic) {
            Some(sources) => {
                let records: Vec<features::Record<'_>> = super::shard::engine_records(sources, records).collect();
                self.engine.replay(&records, now);
            }
            None => {
                for record in records {
                    // A broken block changed nothing the first time either, and its letter is written.
                    let _ = self.engine.replay_block(&record.value, now);
                }
            }
        }
        if self.from_nothing {
            self.engine.tick(now);
        }
    }
}

impl Tail {
    async fn fill<L: Log>(&mut self, log: &L, topic: &str, partition: u32) -> Result<(), Error> {
        while self.ahead.is_empty() && self.next < self.end {
            let from = self.next;
            let records = crate::retry::insist(|| log.read(topic, partition, from, READ_BYTES)).await?;
            let Some(last) = records.last() else {
                self.skip(log, topic, partition).await?;
                continue;
            };
            self.next = last.offset + 1;
            let end = self.end;
            self.ahead.extend(records.into_iter().filter(|record| record.offset < end));
        }
        Ok(())
    }

    /// Nothing came although something was committed: goes on behind what is gone, and behind nothing else.
    async fn skip<L: Log>(&mut self, log: &L, topic: &str, partition: u32) -> Result<(), Error> {
        let bounds = crate::retry::insist(|| log.bounds(topic, partition)).await?;
        if bounds.first > self.next {
            // Retention takes the oldest.
            self.next = bounds.first;
        } else if bounds.next > self.next {
            let what = format!("{topic} {partition} does not give what it has from record {} on: recovers once more", self.next);
            return Err(ports::Error::new(ErrorKind::Transient, what).into());
        } else {
            // A topic that was made anew has nothing of the one before.
            warn!(topic, partition, next = self.next, committed = self.end, "a log ends before what was committed of it");
            self.next = self.end;
        }
        Ok(())
    }

    /// When a record has its turn, as in the first run.
    fn ready_at(&self, record: &Record) -> Timestamp {
        ready_at(record, self.of_partials)
    }

    /// The first record and those after it that came no later than an instant.
    fn take_until(&mut self, before: Timestamp) -> Vec<Record> {
        let mut run: Vec<Record> = self.ahead.pop_front().into_iter().collect();
        while let Some(record) = self.ahead.front().filter(|record| self.ready_at(record) <= before) {
            run.push(record.clone());
            self.ahead.pop_front();
        }
        run
    }
}
