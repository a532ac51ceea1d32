//! Making a shard again: its snapshots, then the records up to the last commit, silently.

use std::{collections::VecDeque, sync::Arc};

use domain::{Span, Timestamp};
use features::{Config, Engine};
use ports::{Artifacts, Assignment, Clock, Log, Record};

use super::{Note, Plan, Settings, note::Stored, shard::Shard, snapshots::Snapshots};
use crate::Error;

/// Bytes of one topic that are read ahead: a few thousand records of each.
const READ_BYTES: usize = 1 << 20;

/// What a recovery needs beside the assignment.
pub(super) struct Recovery<'a, L, A> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) log: &'a L,
    pub(super) artifacts: &'a A,
    pub(super) clock: &'a Clock,
    pub(super) life: u64,
}

impl<L: Log, A: Artifacts> Recovery<'_, L, A> {
    /// The shard as the last commit left it, with everything that it has touched since its snapshot still to be written.
    pub(super) async fn shard(&self, assignment: &Assignment) -> Result<Shard, Error> {
        let partition = assignment.partition;
        let reads = self.plan.reads();
        let committed = |topic: &Arc<str>| assignment.positions.iter().find(|position| position.topic == *topic);
        let committed: Vec<u64> = reads.iter().map(|topic| committed(topic).map_or(0, |position| position.next)).collect();
        let first_time = assignment.note.is_empty();
        let note = if first_time { Note::default() } else { self.note(assignment)? };
        let prefix = Snapshots::prefix(self.plan, partition);
        let (mut engine, chain, from) = self.restore(partition, &prefix, &note).await?;
        for (source, text) in &self.plan.files {
            // Lines that cannot be read were reported when the plan was made.
            engine.replay_file(*source, text, engine.clock());
        }
        let mut replay = Replay { engine: &mut engine, plan: self.plan, replayed: 0 };
        replay.run(self.log, &reads, partition, &from, &committed).await?;
        let replayed = replay.replayed;
        if !first_time {
            engine.replay(&[], note.clock);
        }
        let snapshots = Snapshots::new(prefix, self.life, chain, from, self.clock.now());
        Ok(Shard::new(self.plan.clone(), self.settings.clone(), partition, engine, committed, snapshots, replayed))
    }

    fn note(&self, assignment: &Assignment) -> Result<Note, Error> {
        Note::decode(&assignment.note).map_err(|fault| Error::Note { partition: assignment.partition, fault })
    }

    /// An engine with the state of the note's snapshots, and the positions that it contains. One that cannot be read is left
    /// out, and the log is read from its beginning.
    async fn restore(&self, partition: u32, prefix: &str, note: &Note) -> Result<(Engine, Vec<Stored>, Vec<u64>), Error> {
        let config = Config { shard: partition, shards: self.plan.partitions, generation: self.plan.generation, stopwatch: None };
        let state = |source| Error::State { partition, source };
        if let Some(snapshots) = self.read(prefix, &note.snapshots).await?
            && !snapshots.is_empty()
        {
            let bytes: Vec<&[u8]> = snapshots.iter().map(Vec::as_slice).collect();
            if let Ok(engine) = Engine::restore(self.plan.pipeline.clone(), config, &bytes) {
                return Ok((engine, note.snapshots.clone(), note.positions.clone()));
            }
        }
        let engine = Engine::new(self.plan.pipeline.clone(), config).map_err(state)?;
        Ok((engine, Vec::new(), vec![0; self.plan.reads().len()]))
    }

    /// The bytes of snapshots, none when a piece is missing or damaged.
    async fn read(&self, prefix: &str, stored: &[Stored]) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let mut snapshots = Vec::with_capacity(stored.len());
        for stored in stored {
            let mut bytes = Vec::new();
            for part in 0..stored.parts {
                let name = Snapshots::name(prefix, stored, part);
                match crate::retry::insist(|| self.artifacts.get(&name)).await {
                    Ok(Some(part)) => bytes.extend_from_slice(&part),
                    Ok(None) => return Ok(None),
                    Err(error) if error.kind() == ports::ErrorKind::Poison => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
            snapshots.push(bytes);
        }
        Ok(Some(snapshots))
    }
}

/// Reads several topics in the order of their append times, which is close to the order of the first run.
struct Replay<'a> {
    engine: &'a mut Engine,
    plan: &'a Plan,
    replayed: u64,
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
            self.feed(topic, &run, ready_at.unwrap_or_default().plus(Span(1)));
        }
    }

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
    }
}

impl Tail {
    async fn fill<L: Log>(&mut self, log: &L, topic: &str, partition: u32) -> Result<(), Error> {
        while self.ahead.is_empty() && self.next < self.end {
            let from = self.next;
            let records = crate::retry::insist(|| log.read(topic, partition, from, READ_BYTES)).await?;
            let Some(last) = records.last() else {
                // Retention took what was left.
                self.next = self.end;
                return Ok(());
            };
            self.next = last.offset + 1;
            let end = self.end;
            self.ahead.extend(records.into_iter().filter(|record| record.offset < end));
        }
        Ok(())
    }

    /// When a record has its turn, as in the first run.
    fn ready_at(&self, record: &Record) -> Timestamp {
        super::inbox::ready_at(record, self.of_partials)
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
