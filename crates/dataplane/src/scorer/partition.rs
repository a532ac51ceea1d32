//! One partition of the scorer: what records tell goes into its cases, and what falls due comes out. Pure; fetches and commits nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use domain::Timestamp;
use features::CaseReading;
use ports::{Outgoing, Position, Record};

use super::{Cases, Counts, Due, Rules, served::Told};

/// The state of one partition.
pub(super) struct Partition {
    pub(super) cases: Cases,
    /// By topic, the first record that was not taken.
    positions: BTreeMap<Arc<str>, u64>,
    /// Topics with records that were not delivered yet: until they are, nobody knows that something did not happen.
    behind: BTreeSet<Arc<str>>,
    /// Whether anything was taken that is not committed.
    taken: bool,
    /// What the feature log was told of columns.
    pub(super) told: Told,
}

impl Partition {
    /// After the cases of a life before were restored.
    /// `is_new` says that it begins somewhere and not where it was: that is committed even if nothing comes, so that everybody sees how far it is.
    pub(super) fn new(rules: Arc<Rules>, positions: &[Position], is_new: bool) -> Self {
        let positions = positions.iter().map(|position| (position.topic.clone(), position.next)).collect();
        Self { cases: Cases::new(rules), positions, behind: BTreeSet::new(), taken: is_new, told: Told::default() }
    }

    /// Says whether a topic has records that were not delivered.
    pub(super) fn behind(&mut self, topic: &Arc<str>, is_behind: bool) {
        if is_behind {
            self.behind.insert(topic.clone())
        } else {
            self.behind.remove(topic)
        };
    }

    /// Takes records of a topic that these sources read.
    pub(super) fn take(
        &mut self,
        (topic, sources): (&Arc<str>, &[usize]),
        records: &[Record],
        reading: &mut CaseReading,
        counts: &mut Counts,
        due: &mut Vec<Due>,
    ) {
        let Some(last) = records.last() else { return };
        self.positions.insert(topic.clone(), last.offset + 1);
        self.taken = true;
        let payloads: Vec<&[u8]> = records.iter().map(|record| &**record.json()).collect();
        for source in sources {
            for (record, told) in records.iter().zip(reading.read(*source, &payloads)) {
                match told {
                    Ok(told) => {
                        let heard = self.cases.hear(*source, &told, record.append_at, due);
                        *counts.heard.entry(heard).or_default() += 1;
                    }
                    Err(reason) => *counts.refused.entry(reason).or_default() += 1,
                }
            }
        }
    }

    /// Lets time pass, unless there is something to be heard of it first.
    pub(super) fn pass(&mut self, now: Timestamp, due: &mut Vec<Due>) {
        if self.behind.is_empty() {
            self.cases.pass(now, due);
        }
    }

    /// When time has something to do.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.cases.next_timer().filter(|_| self.behind.is_empty())
    }

    /// Whether there is anything to commit.
    pub(super) fn is_uncommitted(&self) -> bool {
        self.taken || self.cases.has_changes()
    }

    /// Positions and changes that were not committed; none when there are neither.
    pub(super) fn take_uncommitted(&mut self, topic: &Arc<str>, partition: u32) -> Option<(Vec<Position>, Vec<Outgoing>)> {
        let changes = self.cases.take_changes();
        if !std::mem::take(&mut self.taken) && changes.is_empty() {
            return None;
        }
        let position = |(topic, next): (&Arc<str>, &u64)| Position { topic: topic.clone(), next: *next };
        let change = |(key, written): (String, Option<Vec<u8>>)| Outgoing {
            topic: topic.clone(),
            partition,
            key: Bytes::from(key),
            // Nothing is written of a case that was forgotten.
            value: written.map_or_else(Bytes::new, Bytes::from),
            headers: Vec::new(),
        };
        Some((self.positions.iter().map(position).collect(), changes.into_iter().map(change).collect()))
    }
}
