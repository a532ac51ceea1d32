//! The pure core: one partition of one generation. Records and time in, things to be done out.
//!
//! Does no input or output and reads no clock. Its actions are performed in their order, and the next event comes when they are
//! done: a snapshot is in the store before a commit names it, and a commit is durable before its vectors are read.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Span, Timestamp};
use features::{Engine, Output, Reason, Refused, Vectors};
use ports::{Commit, Outgoing, Position, Record};

use super::{
    Note, Plan, Settings, absences,
    letters::{self, Letters},
    partials,
    snapshots::{Part, Snapshots},
    watch::Counts,
};

/// A quiet partition tells others this often how far it is.
const COMMIT_EVERY: Span = Span(10 * 60_000);

/// Records of one topic, by its place in [`Plan::reads`].
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) topic: usize,
    pub(super) records: Vec<Record>,
}

/// What happens to a shard.
pub(super) enum Event<'a> {
    /// Records in the order of each topic; none when only time has passed.
    Step(&'a [Chunk]),
    /// The commit of the step before is durable.
    Committed,
    /// All vectors of the step before were offered to the online store, which knows this partition or does not.
    Published { marked: bool, superseded: usize },
    /// The piece of a snapshot is stored, or could not be.
    Stored(bool),
}

/// What a shard asks for, in this order.
pub(super) enum Action {
    Store(Part),
    Commit(Commit),
    Publish(Vectors),
    /// Tell the online store that it has everything.
    Mark,
    /// Remove pieces of this partition's snapshots with a smaller number.
    RemoveBelow(u64),
}

/// One partition of one generation.
pub(super) struct Shard {
    plan: Arc<Plan>,
    settings: Arc<Settings>,
    reads: Arc<[Arc<str>]>,
    partition: u32,
    engine: Engine,
    /// For each topic, the first record that was not taken.
    positions: Vec<u64>,
    /// While nothing is written yet: the positions at which that begins, by topic.
    quiet_until: Option<Vec<u64>>,
    snapshots: Snapshots,
    /// The number of the newest snapshot that a commit has named, and of the oldest one that the commit under way names.
    named: u64,
    naming_from: u64,
    /// Pieces of snapshots with a smaller number are gone.
    removed_below: u64,
    /// The clock of the newest commit.
    committed_clock: Timestamp,
    /// The online store does not know the partition, and everything is being written again.
    refills: bool,
    /// The online store said that it has the partition, since when all that was written was accepted.
    known: bool,
    next_timer: Option<Timestamp>,
    /// When the other partitions are told what this one has heard since it told them last.
    sign_at: Option<Timestamp>,
    counts: Counts,
}

/// What a shard begins with beside its engine.
pub(super) struct Start {
    /// For each topic, the first record that was not taken.
    pub(super) positions: Vec<u64>,
    /// For each topic, where vectors begin to be written.
    pub(super) quiet_until: Vec<u64>,
    pub(super) snapshots: Snapshots,
    pub(super) counts: Counts,
}

impl Shard {
    pub(super) fn new(plan: Arc<Plan>, settings: Arc<Settings>, partition: u32, engine: Engine, start: Start) -> Self {
        let Start { positions, quiet_until, snapshots, counts } = start;
        let reads = plan.reads().into();
        let others = plan.partitions > 1;
        let quiet_until = is_behind(&positions, &quiet_until).then_some(quiet_until);
        let named = snapshots.chain().last().map_or(0, |stored| stored.number);
        Self {
            plan,
            settings,
            reads,
            partition,
            engine,
            positions,
            quiet_until,
            snapshots,
            named,
            naming_from: 0,
            removed_below: 0,
            committed_clock: Timestamp(i64::MIN),
            refills: false,
            known: false,
            next_timer: Some(Timestamp(i64::MIN)),
            // What the life before has heard it may not have told.
            sign_at: others.then_some(Timestamp(i64::MIN)),
            counts,
        }
    }

    pub(super) fn step(&mut self, event: Event<'_>, now: Timestamp) -> Vec<Action> {
        match event {
            Event::Step(chunks) => self.take(chunks, now),
            Event::Committed => self.committed(),
            Event::Published { marked, superseded } => {
                self.counts.superseded += superseded as u64;
                self.published(marked)
            }
            Event::Stored(true) => {
                self.counts.snapshots += u64::from(self.snapshots.stored());
                Vec::new()
            }
            Event::Stored(false) => {
                self.counts.snapshots_failed += 1;
                self.snapshots.give_up();
                Vec::new()
            }
        }
    }

    /// When the shard has something to do although nothing comes.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        let pressing = self.snapshots.is_writing() || self.engine.pending() > 0;
        if pressing { Some(self.engine.clock()) } else { self.next_timer.into_iter().chain(self.sign_at).min() }
    }

    /// The time that it has reached.
    pub(super) fn clock(&self) -> Timestamp {
        self.engine.clock()
    }

    pub(super) fn counts_mut(&mut self) -> &mut Counts {
        self.counts.written = self.known && self.quiet_until.is_none() && self.engine.pending() == 0;
        (self.counts.entities, self.counts.clock) = (self.engine.entities() as u64, self.engine.clock());
        &mut self.counts
    }

    fn take(&mut self, chunks: &[Chunk], now: Timestamp) -> Vec<Action> {
        // Partials bring the clock of their sender with them.
        let events = chunks.iter().filter(|chunk| self.plan.sources(chunk.topic).is_some());
        let appended = events.flat_map(|chunk| chunk.records.iter().map(|record| record.append_at.0 + 1)).max();
        let now = now.max(Timestamp(appended.unwrap_or(i64::MIN))).max(self.engine.clock());
        let (plan, partials) = (self.plan.clone(), self.reads.len() - 1);
        let (mut records, mut blocks) = (Vec::new(), Vec::new());
        for chunk in chunks {
            if let Some(last) = chunk.records.last() {
                self.positions[chunk.topic] = last.offset + 1;
            }
            match plan.sources(chunk.topic) {
                Some(sources) => records.extend(engine_records(sources, &chunk.records)),
                None => blocks.extend(chunk.records.iter()),
            }
        }
        let bytes: Vec<&[u8]> = blocks.iter().map(|block| &*block.value).collect();
        self.begin_to_write();
        let (mut out, faults) = self.engine.step(&bytes, &records, now);
        self.next_timer = out.next_timer;
        self.say_why_unreadable(&mut out.refused, chunks);
        if self.quiet_until.is_some() {
            (out.vectors, out.absences) = (Vectors::default(), Vec::new());
        }
        let taken: usize = chunks.iter().map(|chunk| chunk.records.len()).sum();
        self.counts.note(&out, taken, faults.len());
        let letters = Letters { plan: &self.plan, partition: self.partition };
        let mut outputs: Vec<Outgoing> =
            faults.iter().map(|(place, fault)| letters.broken(&self.reads[partials], blocks[*place], fault)).collect();
        let vectors = std::mem::take(&mut out.vectors);
        outputs.extend(self.outputs(out, chunks));
        outputs.extend(self.signs(!records.is_empty(), now));
        self.snapshots.took(taken);
        self.snapshots.begin_when_due(&mut self.engine, &self.positions, now, &self.settings);
        let part = self.snapshots.write_some(&mut self.engine, &self.settings);
        self.actions(part, taken > 0, outputs, vectors)
    }

    /// Once everything is taken that was there when the generation was asked for, all of it is written as into an empty store.
    fn begin_to_write(&mut self) {
        if self.quiet_until.take_if(|until| !is_behind(&self.positions, until)).is_some() {
            self.refills = true;
            self.engine.touch_all();
        }
    }

    /// Now and then, and only when there is news.
    fn signs(&mut self, heard: bool, now: Timestamp) -> Vec<Outgoing> {
        if heard && self.plan.partitions > 1 {
            self.sign_at.get_or_insert(now.plus(self.settings.sign_every));
        }
        if self.sign_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.sign_at = None;
        self.engine.signs_of_life().map(|block| self.to_partition(block)).collect()
    }

    fn to_partition(&self, block: features::Block) -> Outgoing {
        partials::outgoing(self.reads[self.reads.len() - 1].clone(), block, self.engine.clock())
    }

    fn outputs(&self, out: Output, chunks: &[Chunk]) -> Vec<Outgoing> {
        let letters = Letters { plan: &self.plan, partition: self.partition };
        let refused = out.refused.iter().filter_map(|refused| {
            let (topic, record) = self.record_of(refused, chunks)?;
            letters.refused(refused, topic, record)
        });
        let dropped = out.dropped.iter().map(|dropped| letters.dropped(dropped));
        let blocks = out.blocks.into_iter().map(|block| self.to_partition(block));
        let absences = out.absences.iter().filter_map(|change| absences::event(&self.plan, self.partition, change));
        refused.chain(dropped).chain(absences).chain(blocks).collect()
    }

    /// The engine has seen nothing of such a payload, and took that for no JSON.
    fn say_why_unreadable(&self, refused: &mut [Refused], chunks: &[Chunk]) {
        for refused in refused.iter_mut().filter(|refused| refused.reason == Reason::Malformed) {
            let record = self.record_of(refused, chunks).map(|(_, record)| record);
            if let Some(unreadable) = record.and_then(Record::unreadable) {
                refused.reason = letters::reason(unreadable.reason);
            }
        }
    }

    fn record_of<'a>(&'a self, refused: &Refused, chunks: &'a [Chunk]) -> Option<(&'a str, &'a Record)> {
        let of_source = |chunk: &&Chunk| self.plan.sources(chunk.topic).is_some_and(|all| all.contains(&refused.source));
        let mut records = chunks.iter().filter(of_source).filter_map(|chunk| {
            let place = chunk.records.binary_search_by_key(&refused.offset, |record| record.offset).ok()?;
            Some((&*self.reads[chunk.topic], &chunk.records[place]))
        });
        records.next()
    }

    fn actions(&mut self, part: Option<Part>, taken: bool, outputs: Vec<Outgoing>, vectors: Vectors) -> Vec<Action> {
        let mut actions: Vec<Action> = part.map(Action::Store).into_iter().collect();
        let newest = self.snapshots.chain().last().map_or(0, |stored| stored.number);
        let clock = self.engine.clock();
        let late = self.committed_clock.0.saturating_add(COMMIT_EVERY.0) <= clock.0;
        if taken || !outputs.is_empty() || newest != self.named || late {
            self.committed_clock = clock;
            self.named = newest;
            self.naming_from = self.snapshots.chain().first().map_or(0, |stored| stored.number);
            let note = Note { clock, positions: self.snapshots.positions().to_vec(), snapshots: self.snapshots.chain().to_vec() };
            let position = |(topic, next): (&Arc<str>, &u64)| Position { topic: topic.clone(), next: *next };
            actions.push(Action::Commit(Commit {
                partition: self.partition,
                positions: self.reads.iter().zip(&self.positions).map(position).collect(),
                note: Bytes::from(note.encode()),
                outputs,
            }));
        }
        if !vectors.is_empty() {
            actions.push(Action::Publish(vectors));
        }
        actions
    }

    /// Only now is it certain that no one will begin with an older snapshot.
    fn committed(&mut self) -> Vec<Action> {
        self.counts.commits += 1;
        let below = self.naming_from;
        if below <= self.removed_below {
            return Vec::new();
        }
        self.removed_below = below;
        vec![Action::RemoveBelow(below)]
    }

    fn published(&mut self, marked: bool) -> Vec<Action> {
        if self.quiet_until.is_some() {
            return Vec::new();
        }
        self.known |= marked;
        if !marked && !self.refills {
            (self.refills, self.known) = (true, false);
            self.engine.touch_all();
            self.counts.refills += 1;
        }
        if self.refills && self.engine.pending() == 0 {
            (self.refills, self.known) = (false, true);
            return vec![Action::Mark];
        }
        Vec::new()
    }
}

/// Whether something is left of what lies before these positions.
fn is_behind(positions: &[u64], until: &[u64]) -> bool {
    positions.iter().zip(until).any(|(position, until)| position < until)
}

pub(super) fn engine_records<'a>(sources: &'a [usize], records: &'a [Record]) -> impl Iterator<Item = features::Record<'a>> {
    sources.iter().flat_map(|source| {
        records.iter().map(|record| features::Record {
            source: *source,
            offset: record.offset,
            append_at: record.append_at,
            payload: record.json(),
        })
    })
}
