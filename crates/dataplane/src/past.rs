//! What a log still has of its past, and what a pipeline can be built from it. Only reads, and belongs to no group.

use domain::{Span, Timestamp};
use pipeline::{Group, Pipeline, reach};
use ports::{Bounds, Error, ErrorKind, Log};

use crate::Topics;

/// What a partition holds; none when there is no such topic yet.
pub async fn bounds<L: Log>(log: &L, topic: &str, partition: u32) -> Result<Option<Bounds>, Error> {
    match log.bounds(topic, partition).await {
        Ok(bounds) => Ok(Some(bounds)),
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(None),
        Err(error) => Err(error),
    }
}

/// When the oldest record was appended of which something before it is gone; none when a partition still has everything.
pub async fn begins_at<L: Log>(log: &L, topic: &str, partition: u32) -> Result<Option<Timestamp>, Error> {
    let Some(Bounds { first, .. }) = bounds(log, topic, partition).await?.filter(|bounds| bounds.first > 0) else {
        return Ok(None);
    };
    Ok(Some(appended_at(log, topic, partition, first).await?.unwrap_or(Timestamp(i64::MAX))))
}

async fn appended_at<L: Log>(log: &L, topic: &str, partition: u32, offset: u64) -> Result<Option<Timestamp>, Error> {
    Ok(log.read(topic, partition, offset, 1).await?.first().map(|record| record.append_at))
}

/// Since when there are records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beginning {
    /// The append time of the oldest.
    pub at: Timestamp,
    /// Whether there were others before it, which retention has taken.
    pub cut: bool,
}

/// A group whose windows begin before the log does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The group.
    pub group: String,
    /// Since when there are records for it.
    pub begins: Beginning,
    /// From then on its windows lie behind that.
    pub until: Timestamp,
    /// How far they reach, such as `window 6h + hop 1m + lateness 10m`.
    pub words: String,
}

/// The groups whose windows reach back to before their topic begins, by the place of the topic in [`Topics::inputs`].
pub fn incomplete(
    pipeline: &Pipeline,
    topics: &Topics,
    begins: impl Fn(usize) -> Option<Beginning>,
    at: Timestamp,
) -> Vec<Incomplete> {
    let of_group = |group: &Group| {
        let reach = reach(pipeline, group, None).filter(|reach| reach.by_window)?;
        let base = pipeline.base_of(group.source)?;
        let topic = topics.inputs().iter().position(|(_, sources)| sources.contains(&base))?;
        let begins = begins(topic)?;
        // Of what is empty nothing older than this instant will ever come back.
        let begins = Beginning { at: begins.at.min(at), ..begins };
        let until = reach.whole_at(begins.at);
        (until > at).then(|| Incomplete { group: group.name.clone(), begins, until, words: reach.words })
    };
    pipeline.groups.iter().filter_map(of_group).collect()
}

/// Since when the whole log has the records of each of a pipeline's topics; none for one that has never had any.
pub async fn beginnings<L: Log>(log: &L, topics: &Topics, partitions: u32) -> Result<Vec<Option<Beginning>>, Error> {
    let mut beginnings = Vec::new();
    for (topic, _) in topics.inputs() {
        let (mut taken, mut oldest) = (None, None);
        for partition in 0..partitions {
            taken = taken.max(begins_at(log, topic, partition).await?);
            if let Some(bounds) = bounds(log, topic, partition).await?.filter(|bounds| bounds.next > bounds.first) {
                let first = appended_at(log, topic, partition, bounds.first).await?;
                oldest = oldest.into_iter().chain(first).min();
            }
        }
        // What retention has taken of one partition is missing, whatever the others have.
        let beginning = |at, cut| Beginning { at, cut };
        beginnings.push(taken.map(|at| beginning(at, true)).or(oldest.map(|at| beginning(at, false))));
    }
    Ok(beginnings)
}

/// A group that can never be built, since its topic does not keep records for as long as its windows are wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// The group.
    pub group: String,
    /// How far its windows reach back.
    pub back: Span,
    /// How that was worked out.
    pub words: String,
}

/// The groups of a pipeline whose windows reach further back than topics keep their records.
pub fn impossible(pipeline: &Pipeline, wanted: impl Fn(&str) -> bool, retention: Span) -> Vec<Impossible> {
    let of_group = |group: &Group| {
        let reach = reach(pipeline, group, None).filter(|reach| reach.by_window && reach.back > retention)?;
        Some(Impossible { group: group.name.clone(), back: reach.back, words: reach.words })
    };
    pipeline.groups.iter().filter(|group| wanted(&group.name)).filter_map(of_group).collect()
}

#[cfg(test)]
mod tests;
