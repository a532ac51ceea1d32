//! What a change costs: bytes of vectors, bytes of the engine, records to be read, and what the log cannot give any more.

use dataplane::{features::Plan, past};
use domain::{HEADER_BYTES, Timestamp};
use pipeline::{Pipeline, reach};
use ports::Log;

use super::{Change, Engines, GroupCost, Moving, Shortfall, Side, Sides};
use crate::Error;

/// The vectors of one group on both sides.
pub(super) fn of_group(change: &Change, sides: &Sides<'_>) -> GroupCost {
    let entities = |side: &Side<'_>| side.group(&change.name).map_or(0, |group| side.replay.keys(group).count() as u64);
    let vector = |columns: &Option<Vec<pipeline::Column>>| columns.as_ref().map_or(0, |columns| packed_bytes(columns.len()));
    let (entities_before, entities_after) = (entities(&sides.before), entities(&sides.after));
    let (vector_before, vector_after) = (vector(&change.before), vector(&change.after));
    GroupCost {
        group: change.name.clone(),
        fate: match (&change.before, &change.after) {
            (None, _) => Moving::Added,
            (_, None) => Moving::Removed,
            _ => Moving::Rebuilt,
        },
        entities_before,
        entities_after,
        vector_bytes_before: vector_before,
        vector_bytes_after: vector_after,
        total_bytes_before: entities_before * vector_before,
        total_bytes_after: entities_after * vector_after,
    }
}

/// Bytes of a packed vector with so many columns.
fn packed_bytes(columns: usize) -> u64 {
    (HEADER_BYTES + columns.div_ceil(8) + 8 * columns) as u64
}

/// What the engines may take at most, by the arithmetic of the specs.
pub(super) fn engines(before: &Pipeline, after: &Pipeline) -> Engines {
    let (before, after) = (pipeline::memory(before), pipeline::memory(after));
    Engines { bytes_before: before.total(), bytes_after: after.total(), arithmetic: after.arithmetic() }
}

/// Records that a rebuild reads: all that the log has of the topics.
pub(super) async fn records<L: Log>(log: &L, after: &Plan, changes: &[Change]) -> Result<u64, Error> {
    let mut records = 0;
    if changes.iter().all(|change| change.after.is_none()) {
        return Ok(records);
    }
    for (topic, _) in after.topics.inputs() {
        for partition in 0..after.partitions {
            records += past::bounds(log, topic, partition).await?.map_or(0, |bounds| bounds.next - bounds.first);
        }
    }
    Ok(records)
}

/// The groups that are built and that the log can only give in part.
pub(super) async fn shortfalls<L: Log>(
    log: &L,
    after: &Plan,
    changes: &[Change],
    at: Timestamp,
) -> Result<Vec<Shortfall>, Error> {
    let mut shortfalls = Vec::new();
    let built = |name: &str| changes.iter().any(|change| change.name == name && change.after.is_some());
    for group in after.pipeline.groups.iter().filter(|group| built(&group.name)) {
        let Some(reach) = reach(&after.pipeline, group, None) else { continue };
        let base = after.pipeline.base_of(group.source);
        let topic = after.topics.inputs().iter().find(|(_, sources)| base.is_some_and(|base| sources.contains(&base)));
        let Some((topic, _)) = topic else { continue };
        let needed = at.minus(reach.back);
        let mut begins = None;
        for partition in 0..after.partitions {
            begins = begins.max(past::begins_at(log, topic, partition).await?);
        }
        let Some(begins) = begins.filter(|begins| *begins > needed) else { continue };
        let has = if begins == Timestamp(i64::MAX) { "is empty".to_owned() } else { format!("begins at {begins}") };
        let words = format!("{} = {needed} at the latest, and {topic} {has} since retention took what was before", reach.words);
        shortfalls.push(Shortfall {
            group: group.name.clone(),
            refused: reach.by_window,
            needed_from: needed.to_string(),
            arithmetic: format!("{at} - {words}"),
        });
    }
    Ok(shortfalls)
}
