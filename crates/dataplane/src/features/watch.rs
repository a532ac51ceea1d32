//! What a role tells about itself: counts by partition, for metrics, the terminal and tests.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::Timestamp;
use features::{Output, Reason};

use super::Rebuild;

/// Rebuilds that wait to be told: each is a line for a person, and whoever has not asked for so long gets the newest.
const REBUILDS_MAX: usize = 256;

/// What one partition has done since its worker began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records taken, blocks of partials among them.
    pub records: u64,
    /// Records refused and parts dropped, by reason code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Blocks that could not be read.
    pub broken_blocks: u64,
    /// Vectors made.
    pub vectors: u64,
    /// Commits that are durable.
    pub commits: u64,
    /// How often the online store was found without this partition.
    pub refills: u64,
    /// Snapshots that are stored.
    pub snapshots: u64,
    /// Pieces of snapshots that could not be stored.
    pub snapshots_failed: u64,
    /// States that were made again from the log because their snapshots could not be used.
    pub rebuilds: u64,
    /// Records that were taken again after a restart.
    pub replayed: u64,
    /// Vectors that the online store had newer.
    pub superseded: u64,
    /// Whether the online store has everything that the partition knows.
    pub written: bool,
    /// Entities of all groups.
    pub entities: u64,
    /// The engine's clock.
    pub clock: Timestamp,
    /// For how long the oldest record of each of the latest steps had waited until its vectors could be read, in milliseconds.
    pub freshness: Freshness,
}

/// A histogram with bounds that double, from 1 ms to about 17 min.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    buckets: [u64; 21],
    sum_ms: u64,
}

impl Counts {
    pub(super) fn note(&mut self, out: &Output, taken: usize, broken: usize) {
        self.records += taken as u64;
        self.broken_blocks += broken as u64;
        self.vectors += out.vectors.len() as u64;
        let reasons = out.refused.iter().map(|refused| refused.reason).chain(out.dropped.iter().map(|dropped| dropped.reason));
        for reason in reasons {
            *self.refused.entry(Reason::code(reason)).or_default() += 1;
        }
    }
}

impl Counts {
    /// Counts of two sources as one. Whether everything is written is said of one partition alone, and stays what it was.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        for (reason, count) in &other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        self.broken_blocks += other.broken_blocks;
        self.vectors += other.vectors;
        self.commits += other.commits;
        self.refills += other.refills;
        self.snapshots += other.snapshots;
        self.snapshots_failed += other.snapshots_failed;
        self.rebuilds += other.rebuilds;
        self.replayed += other.replayed;
        self.superseded += other.superseded;
        self.entities += other.entities;
        self.clock = self.clock.max(other.clock);
        self.freshness.add(&other.freshness);
    }
}

impl Freshness {
    fn add(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(other.buckets).for_each(|(bucket, more)| *bucket += more);
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
    }

    /// Notes one latency of so many records.
    pub fn note(&mut self, ms: u64, records: u64) {
        let bucket = (u64::BITS - ms.leading_zeros()).min(20) as usize;
        self.buckets[bucket] += records;
        self.sum_ms = self.sum_ms.saturating_add(ms.saturating_mul(records));
    }

    /// Upper bounds in milliseconds with the number of records at or below each.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        self.buckets.iter().enumerate().scan(0, |sum, (bucket, count)| {
            *sum += count;
            Some(((1u64 << bucket) - 1, *sum))
        })
    }

    /// The bound below which this share of the records stayed; 0 when there are none.
    pub fn quantile(&self, q: f64) -> u64 {
        let all: u64 = self.buckets.iter().sum();
        let wanted = (all as f64 * q).ceil() as u64;
        self.cumulative().find(|(_, count)| *count >= wanted && *count > 0).map_or(0, |(bound, _)| bound)
    }

    /// Sum of all latencies.
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms
    }
}

/// A window into running workers. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// By generation and partition.
    owned: BTreeMap<(u32, u32), Counts>,
    /// What partitions have counted before they were given away: one entry for each that this process ever owned.
    before: BTreeMap<(u32, u32), Counts>,
    /// Not told yet.
    rebuilds: VecDeque<Rebuild>,
}

impl Watch {
    /// Counts of the partitions that are owned now, by generation and partition.
    pub fn counts(&self) -> BTreeMap<(u32, u32), Counts> {
        self.lock().owned.clone()
    }

    /// What was counted in all, by partitions that were given away too. Never falls.
    pub fn total(&self) -> Counts {
        let seen = self.lock();
        let mut total = Counts::default();
        seen.before.values().chain(seen.owned.values()).for_each(|counts| total.add(counts));
        total
    }

    /// The rebuilds that have begun since this was last asked.
    pub fn take_rebuilds(&self) -> Vec<Rebuild> {
        self.lock().rebuilds.drain(..).collect()
    }

    pub(super) fn rebuilds(&self, rebuild: Rebuild) {
        let mut seen = self.lock();
        if seen.rebuilds.len() == REBUILDS_MAX {
            seen.rebuilds.pop_front();
        }
        seen.rebuilds.push_back(rebuild);
    }

    /// What was counted since the process began, by generation and partition. Sums never fall, even when a partition moves from one
    /// worker to another; entities and clock are those of now.
    pub fn since_start(&self) -> BTreeMap<(u32, u32), Counts> {
        let seen = self.lock();
        let mut all = seen.before.clone();
        for (at, counts) in &seen.owned {
            let sum = all.entry(*at).or_default();
            sum.add(counts);
            sum.written = counts.written;
        }
        all
    }

    pub(super) fn put(&self, generation: u32, partition: u32, counts: &Counts) {
        self.lock().owned.insert((generation, partition), counts.clone());
    }

    /// The online store lacks something of a partition for a moment.
    pub(super) fn owes(&self, generation: u32, partition: u32) {
        if let Some(counts) = self.lock().owned.get_mut(&(generation, partition)) {
            counts.written = false;
        }
    }

    pub(super) fn gone(&self, generation: u32, partition: u32) {
        let mut seen = self.lock();
        if let Some(counts) = seen.owned.remove(&(generation, partition)) {
            seen.before.entry((generation, partition)).or_default().add(&Counts { entities: 0, ..counts });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A panic elsewhere leaves counts, which are never half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_go_on_when_a_partition_comes_back() {
        let watch = Watch::default();
        let counts = |records, entities| Counts { records, entities, written: true, ..Counts::default() };
        watch.put(1, 0, &counts(10, 3));
        watch.put(1, 1, &counts(5, 2));
        watch.gone(1, 0);
        assert_eq!((watch.since_start()[&(1, 0)].records, watch.since_start()[&(1, 0)].entities), (10, 0));
        watch.put(1, 0, &counts(1, 4));
        let seen = watch.since_start();
        assert_eq!((seen[&(1, 0)].records, seen[&(1, 0)].entities, seen[&(1, 0)].written), (11, 4, true));
        assert_eq!((watch.total().records, watch.total().entities), (16, 6));
    }
}
