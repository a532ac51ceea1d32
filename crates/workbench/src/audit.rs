//! What the events that came too late would have changed.
//!
//! Reads the letters of late events and their originals, and runs the engine twice over the period: as it was, and with the late
//! events admitted. Memory is bounded by two engines, the letters, and the entities that are compared.

mod letters;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataplane::features::Plan;
use domain::{Span, Timestamp};
use pipeline::reach;
use ports::Log;

use self::letters::Letters;
pub(crate) use self::letters::header;
pub use self::told::{LateReport, Lateness};
use crate::{
    Error, Progress,
    movement::{ColumnMovement, ENTITIES_MAX, Meter, sample},
    past::Past,
    replay::{Replay, of_source, with_lateness},
};

/// Time between two instants at which values are compared.
pub(crate) const EVERY: Span = Span(3_600_000);
/// Late events of a greater age are counted and not admitted: state has to be kept open for as long as the oldest may come.
pub const AGE_MAX: Span = Span(24 * 3_600_000);
/// Records between two signs of progress.
pub(crate) const PROGRESS_RECORDS: u64 = 4096;

/// Audits the late events whose letters were written from one instant to another.
pub async fn late<L: Log>(
    log: &L,
    plan: &Plan,
    since: Timestamp,
    until: Timestamp,
    progress: &(dyn Progress + Sync),
) -> Result<LateReport, Error> {
    progress.begin("reading letters", 0);
    let letters = Letters::read(log, plan, since, until).await?;
    progress.end();
    let movements = if letters.late.is_empty() { Vec::new() } else { moved(log, plan, &letters, since, until, progress).await? };
    Ok(LateReport::new(plan, &letters, movements, since, until))
}

/// Runs both engines and compares the entities that the late events are about.
async fn moved<L: Log>(
    log: &L,
    plan: &Plan,
    letters: &Letters,
    since: Timestamp,
    until: Timestamp,
    progress: &(dyn Progress + Sync),
) -> Result<Vec<ColumnMovement>, Error> {
    let pipeline = &*plan.pipeline;
    let age = letters.late.values().map(|late| late.age).filter(|age| *age <= AGE_MAX).max().unwrap_or_default();
    let mut both = Both {
        as_it_was: Replay::new(plan, pipeline)?,
        with_late: Replay::new(plan, &with_lateness(pipeline, age.max(Span(0))))?,
        late: letters.late.iter().filter(|(_, late)| late.age <= AGE_MAX).map(|(event, _)| (*event, false)).collect(),
        reading: features::Reading::new(std::sync::Arc::new(pipeline.with_groups(|_| false))),
        since,
    };
    let mut meters = Meters::new(plan, &letters.touched);
    let back = pipeline.groups.iter().filter_map(|group| reach(pipeline, group, None)).map(|reach| reach.replay()).max();
    let from = since.minus(back.unwrap_or_default());
    let topics: Vec<_> = plan.topics.inputs().iter().map(|(name, _)| name.clone()).collect();
    let mut past = Past::open(log, &topics, plan.partitions, from, until).await?;
    progress.begin("running both engines", past.total());
    for at in instants(since, until) {
        while let Some(item) = past.next_before(at).await? {
            both.take(&topics[item.topic], item.partition, &item.record);
            if past.done().is_multiple_of(PROGRESS_RECORDS) {
                progress.at(past.done());
            }
        }
        both.as_it_was.settle(at);
        both.with_late.settle(at);
        meters.compare(&both.as_it_was, &both.with_late);
    }
    progress.end();
    Ok(meters.told())
}

/// The full hours inside a period, and its end.
pub(crate) fn instants(since: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let first = since.0.div_euclid(EVERY.0) + 1;
    let hours = (first..).map(|hour| Timestamp(hour.saturating_mul(EVERY.0))).take_while(|at| *at < until);
    hours.chain([until]).collect()
}

/// The engine as it was, and the one that takes late events.
struct Both {
    as_it_was: Replay,
    with_late: Replay,
    /// Late events by source and identity, and whether one of that identity was taken: a late copy is still a copy.
    late: HashMap<(usize, u128), bool>,
    reading: features::Reading,
    since: Timestamp,
}

impl Both {
    fn take(&mut self, topic: &str, partition: u32, record: &ports::Record) {
        for source in self.as_it_was.sources(topic) {
            let record = of_source(source, record);
            let decided = self.as_it_was.decide(partition, &record);
            if decided.is_err_and(|reason| reason != features::Reason::Late) {
                continue;
            }
            let seen = self.reading.read(source, &[record.payload]).pop().and_then(Result::ok);
            let taken = seen.and_then(|seen| self.late.get_mut(&(source, seen.identity)));
            if decided.is_ok() {
                taken.into_iter().for_each(|taken| *taken = true);
                self.as_it_was.push(&record);
                self.with_late.push(&record);
            } else if let Some(taken) = taken.filter(|taken| !**taken && record.append_at >= self.since) {
                *taken = true;
                self.with_late.push(&record);
            }
        }
    }
}

/// The columns of all groups that late events are about, and the entities that are looked at.
struct Meters {
    /// By group: its entities, and one meter for each column.
    groups: BTreeMap<usize, (Vec<String>, Vec<Meter>)>,
}

impl Meters {
    fn new(plan: &Plan, touched: &BTreeSet<(usize, String)>) -> Self {
        let mut groups = BTreeMap::new();
        for (index, group) in plan.pipeline.groups.iter().enumerate() {
            let keys = touched.range((index, String::new())..(index + 1, String::new())).map(|(_, key)| key.as_str());
            let keys: Vec<String> = sample(keys).into_iter().map(|(_, key)| key.to_owned()).collect();
            let meters = group.columns().iter().map(|column| Meter::new(&group.name, &column.name, &column.kind)).collect();
            if !keys.is_empty() {
                groups.insert(index, (keys, meters));
            }
        }
        Self { groups }
    }

    fn compare(&mut self, before: &Replay, after: &Replay) {
        for (group, (keys, meters)) in &mut self.groups {
            for key in keys {
                let (before, after) = (before.values(*group, key).0, after.values(*group, key).0);
                for ((meter, before), after) in meters.iter_mut().zip(before).zip(after) {
                    meter.note(before, after);
                }
            }
        }
    }

    fn told(self) -> Vec<ColumnMovement> {
        self.groups.into_values().flat_map(|(_, meters)| meters).map(Meter::told).collect()
    }
}

/// How many entities of one group are compared at most.
pub const COMPARED_MAX: usize = ENTITIES_MAX;

#[cfg(test)]
mod tests;
