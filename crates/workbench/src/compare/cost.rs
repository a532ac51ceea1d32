//! What a change costs: bytes of vectors, bytes of the engine, records to be read, and what the log cannot give any more.

use dataplane::{
    features::Plan,
    past::{self, Impossible, Incomplete},
};
use domain::{HEADER_BYTES, Span, Timestamp};
use pipeline::Pipeline;
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
    retention: Span,
) -> Result<Vec<Shortfall>, Error> {
    let built = |name: &str| changes.iter().any(|change| change.name == name && change.after.is_some());
    let refused = past::impossible(&after.pipeline, built, retention);
    let begins = past::beginnings(log, &after.topics, after.partitions).await?;
    let incomplete = past::incomplete(&after.pipeline, &after.topics, |topic| begins[topic], at);
    let incomplete = incomplete.into_iter().filter(|group| built(&group.group));
    let incomplete = incomplete.filter(|group| refused.iter().all(|refused| refused.group != group.group));
    let lacking = |Incomplete { group, begins, until, words }: Incomplete| {
        let why = if begins.cut { "since retention took what was before" } else { "and nothing came before" };
        let arithmetic = format!("{words}, and the log begins at {} {why}", begins.at);
        Shortfall { group, refused: false, whole_at: Some(until.to_string()), arithmetic }
    };
    let impossible = refused.iter().map(|Impossible { group, back, words }| Shortfall {
        group: group.clone(),
        refused: true,
        whole_at: None,
        arithmetic: format!("{words} = {back}, and topics keep records for {retention}"),
    });
    Ok(impossible.chain(incomplete.map(lacking)).collect())
}
