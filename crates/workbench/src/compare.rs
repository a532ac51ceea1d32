//! What a change of a spec does to the values, before it is made: both definitions over the last hours of the log.
//!
//! Runs one engine for each side, over the groups that change and no others. Memory is bounded by these two engines and the
//! sample of entities that is compared.

mod cost;
mod told;

use std::{collections::BTreeSet, sync::Arc};

use dataplane::features::Plan;
use domain::{Schema, Span, Timestamp};
use pipeline::{Group, Pipeline, reach};
use ports::Log;

pub use self::told::{Engines, GroupCost, Movement, Moving, Presence, Shortfall};
use crate::{
    Error, Progress,
    audit::{EVERY, PROGRESS_RECORDS, instants},
    movement::{ColumnMovement, Meter, sample},
    past::Past,
    replay::Replay,
};

/// Compares two plans over the hours before an instant. `retention` is for how long topics keep records by declaration.
pub async fn compare<L: Log>(
    log: &L,
    before: &Plan,
    after: &Plan,
    at: Timestamp,
    hours: u32,
    retention: Span,
    progress: &(dyn Progress + Sync),
) -> Result<Movement, Error> {
    let changes = changes(&before.pipeline, &after.pipeline);
    let mut sides = Sides::new(before, after, &changes)?;
    let mut meters: Vec<Compared> = changes.iter().filter_map(|change| Compared::new(change, &sides)).collect();
    if !changes.is_empty() {
        let since = at.minus(Span(i64::from(hours).saturating_mul(EVERY.0)));
        sides.run(log, since, at, &mut meters, progress).await?;
    }
    let costs = changes.iter().map(|change| cost::of_group(change, &sides)).collect();
    let presence = meters.iter().map(|compared| compared.presence(&sides)).collect();
    Ok(Movement {
        at: at.to_string(),
        hours,
        columns: meters.into_iter().flat_map(Compared::told).collect(),
        presence,
        costs,
        engine: cost::engines(&before.pipeline, &after.pipeline),
        records_to_read: cost::records(log, after, &changes).await?,
        shortfalls: cost::shortfalls(log, after, &changes, at, retention).await?,
    })
}

/// One group that is not the same on both sides.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    name: String,
    /// Its columns on each side.
    before: Option<Vec<pipeline::Column>>,
    after: Option<Vec<pipeline::Column>>,
}

/// The groups that differ by name or schema.
fn changes(before: &Pipeline, after: &Pipeline) -> Vec<Change> {
    let (old, new) = (features::schemas(before), features::schemas(after));
    let schema = |of: &Pipeline, schemas: &[Schema], name: &str| {
        let place = of.groups.iter().position(|group| group.name == name)?;
        Some((schemas[place].id, of.groups[place].columns()))
    };
    let names = before.groups.iter().chain(&after.groups).map(|group| group.name.clone());
    let names: BTreeSet<String> = names.collect();
    let change = |name: String| {
        let (before, after) = (schema(before, &old, &name), schema(after, &new, &name));
        let same = before.as_ref().map(|(id, _)| id) == after.as_ref().map(|(id, _)| id);
        let columns = |side: Option<(u32, Vec<pipeline::Column>)>| side.map(|(_, columns)| columns);
        (!same).then(|| Change { name, before: columns(before), after: columns(after) })
    };
    names.into_iter().filter_map(change).collect()
}

/// Both engines, each with the groups that change.
pub(crate) struct Sides<'a> {
    before: Side<'a>,
    after: Side<'a>,
}

pub(crate) struct Side<'a> {
    plan: &'a Plan,
    /// The plan's pipeline with some groups only.
    pipeline: Pipeline,
    replay: Replay,
}

impl<'a> Side<'a> {
    fn new(plan: &'a Plan, wanted: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let pipeline = plan.pipeline.with_groups(wanted);
        Ok(Self { plan, replay: Replay::new(plan, &pipeline)?, pipeline })
    }

    fn group(&self, name: &str) -> Option<usize> {
        self.pipeline.groups.iter().position(|group| group.name == name)
    }

    fn back(&self) -> Span {
        let back = |group: &Group| reach(&self.pipeline, group, None).map(|reach| reach.replay());
        self.pipeline.groups.iter().filter_map(back).max().unwrap_or_default()
    }
}

impl<'a> Sides<'a> {
    fn new(before: &'a Plan, after: &'a Plan, changes: &[Change]) -> Result<Self, Error> {
        let changes_there = |name: &str| changes.iter().any(|change| change.name == name);
        Ok(Self { before: Side::new(before, changes_there)?, after: Side::new(after, changes_there)? })
    }

    async fn run<L: Log>(
        &mut self,
        log: &L,
        since: Timestamp,
        until: Timestamp,
        meters: &mut [Compared],
        progress: &(dyn Progress + Sync),
    ) -> Result<(), Error> {
        let read = |side: &Side<'_>| side.plan.topics.inputs().iter().map(|(name, _)| name.clone()).collect::<Vec<Arc<str>>>();
        let topics: BTreeSet<Arc<str>> = read(&self.before).into_iter().chain(read(&self.after)).collect();
        let topics: Vec<Arc<str>> = topics.into_iter().collect();
        let from = since.minus(self.before.back().max(self.after.back()));
        let mut past = Past::open(log, &topics, self.after.plan.partitions, from, until).await?;
        progress.begin("running both definitions", past.total());
        for at in instants(since, until) {
            while let Some(item) = past.next_before(at).await? {
                for side in [&mut self.before, &mut self.after] {
                    side.replay.offer(&topics[item.topic], item.partition, &item.record);
                }
                if past.done().is_multiple_of(PROGRESS_RECORDS) {
                    progress.at(past.done());
                }
            }
            self.before.replay.settle(at);
            self.after.replay.settle(at);
            meters.iter_mut().for_each(|compared| compared.compare(self));
        }
        progress.end();
        Ok(())
    }
}

/// A group that is on both sides.
struct Compared {
    name: String,
    before: usize,
    after: usize,
    /// Columns of one name: their places on both sides.
    columns: Vec<(usize, usize, Meter)>,
}

impl Compared {
    fn new(change: &Change, sides: &Sides<'_>) -> Option<Self> {
        let (before, after) = (sides.before.group(&change.name)?, sides.after.group(&change.name)?);
        let (old, new) = (change.before.as_ref()?, change.after.as_ref()?);
        let pair = |(place, column): (usize, &pipeline::Column)| {
            let was = old.iter().position(|was| was.name == column.name)?;
            Some((was, place, Meter::new(&change.name, &column.name, &column.kind)))
        };
        let columns = new.iter().enumerate().filter_map(pair).collect();
        Some(Self { name: change.name.clone(), before, after, columns })
    }

    fn compare(&mut self, sides: &Sides<'_>) {
        let (before, after) = (&sides.before.replay, &sides.after.replay);
        for (_, key) in sample(before.keys(self.before).chain(after.keys(self.after))) {
            let (old, new) = (before.values(self.before, key).0, after.values(self.after, key).0);
            for (was, is, meter) in &mut self.columns {
                meter.note(old[*was], new[*is]);
            }
        }
    }

    /// Which entities only one side knows, at the end.
    fn presence(&self, sides: &Sides<'_>) -> Presence {
        let (before, after) = (&sides.before.replay, &sides.after.replay);
        let missing = |keys: &Replay, group: usize, other: &Replay, of: usize| {
            keys.keys(group).filter(|key| !other.values(of, key).1).count() as u64
        };
        Presence {
            group: self.name.clone(),
            appear: missing(after, self.after, before, self.before),
            vanish: missing(before, self.before, after, self.after),
        }
    }

    fn told(self) -> Vec<ColumnMovement> {
        self.columns.into_iter().map(|(_, _, meter)| meter.told()).collect()
    }
}

#[cfg(test)]
mod tests;
