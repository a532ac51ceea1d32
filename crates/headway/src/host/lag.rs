//! How far behind the log the workers of a pipeline are, by role, topic and partition. Reads the log beside them.

use std::sync::Arc;

use dataplane::features::Plan;
use domain::Timestamp;
use futures_util::{StreamExt, TryStreamExt, stream};
use ports::{Assignment, Bounds, Log};

use super::{Host, Hosted};
use crate::{failure::Failure, parts::AnyLog};

/// Partitions that are asked about side by side: servers answer each in some milliseconds.
const SIDE_BY_SIDE: usize = 8;

/// Whose lag it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follower {
    /// Those who make the features of this generation.
    Features(u32),
    /// Those who predict.
    Scorer,
    /// Those who join predictions with what became of them.
    Outcomes,
    /// Whoever learns from that.
    Learner,
    /// Those who write both to the warehouse.
    Warehouse,
}

/// A group of the log and what it reads.
pub(super) struct Followed {
    pub(super) group: String,
    pub(super) topics: Vec<Arc<str>>,
    pub(super) partitions: u32,
}

/// What one group has not taken of one partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) follower: Follower,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u32,
    pub(crate) records: u64,
    /// Since the oldest of them was appended, by the clock of the host.
    pub(crate) waited_ms: u64,
}

impl Follower {
    /// Whether it commits everything that it takes at once. The others do every few seconds: what is behind them says nothing of whether
    /// all is taken.
    fn commits_at_once(self) -> bool {
        match self {
            Self::Features(_) | Self::Scorer | Self::Outcomes => true,
            Self::Learner | Self::Warehouse => false,
        }
    }
}

impl Followed {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { group: plan.topics.features_group(plan.generation), topics: plan.reads(), partitions: plan.partitions }
    }

    pub(super) async fn progress(&self, log: &AnyLog) -> Result<Vec<Assignment>, Failure> {
        Ok(log.progress(&self.group, &self.topics).await?)
    }
}

impl Hosted {
    /// Every group of the pipeline.
    fn followed(&self, host: &Host) -> Vec<(Follower, Followed)> {
        let features = self.plans().into_iter().map(|plan| (Follower::Features(plan.generation), Followed::of(&plan)));
        let scorers = self.scorers.iter().map(|scorers| (Follower::Scorer, scorers.followed(host.partitions)));
        let outcomes = self.outcomes.iter().flat_map(|outcomes| outcomes.followed(host));
        let rows = self.rows.iter().map(|rows| rows.followed(host.partitions));
        features.chain(scorers).chain(outcomes).chain(rows).collect()
    }

    /// Records of the log that some worker has not taken yet.
    pub(super) async fn lag(&self, host: &Host) -> Result<u64, Failure> {
        let (mut lag, log) = (0, host.parts.log.beneath());
        for (_, followed) in self.followed(host).into_iter().filter(|(follower, _)| follower.commits_at_once()) {
            let committed = followed.progress(log).await?;
            let all = all_bounds(log, followed.topics, followed.partitions).await?;
            let left = |(topic, partition, bounds): &(Arc<str>, u32, Bounds)| {
                bounds.next.saturating_sub(position(&committed, topic, *partition))
            };
            lag += all.iter().map(left).sum::<u64>();
        }
        Ok(lag)
    }

    /// The same one by one, with how long the oldest record has waited.
    pub(crate) async fn lags(&self, host: &Host) -> Result<Vec<Lag>, Failure> {
        let mut lags = Vec::new();
        for (follower, followed) in self.followed(host) {
            lags.extend(lags_of(host, follower, followed).await?);
        }
        Ok(lags)
    }
}

async fn lags_of(host: &Host, follower: Follower, followed: Followed) -> Result<Vec<Lag>, Failure> {
    let log = host.parts.log.beneath();
    let committed = followed.progress(log).await?;
    let one = |(topic, partition, bounds): (Arc<str>, u32, Bounds)| {
        let at = position(&committed, &topic, partition).max(bounds.first);
        let records = bounds.next.saturating_sub(at);
        async move {
            let waited_ms = if records > 0 { waited_ms(host, &topic, partition, at).await? } else { 0 };
            Ok(Lag { follower, topic, partition, records, waited_ms })
        }
    };
    let all = all_bounds(log, followed.topics, followed.partitions).await?;
    stream::iter(all.into_iter().map(one)).buffered(SIDE_BY_SIDE).try_collect().await
}

/// What the partitions of some topics hold, topic by topic.
pub(super) async fn all_bounds(
    log: &AnyLog,
    topics: Vec<Arc<str>>,
    partitions: u32,
) -> Result<Vec<(Arc<str>, u32, Bounds)>, Failure> {
    let places = topics.into_iter().flat_map(|topic| (0..partitions).map(move |partition| (topic.clone(), partition)));
    let one = |(topic, partition): (Arc<str>, u32)| async move {
        let bounds = log.bounds(&topic, partition).await?;
        Ok((topic, partition, bounds))
    };
    stream::iter(places.map(one)).buffered(SIDE_BY_SIDE).try_collect().await
}

/// When the newest record of some topics was appended.
pub(super) async fn newest(log: &AnyLog, topics: Vec<Arc<str>>, partitions: u32) -> Result<Option<Timestamp>, Failure> {
    let all = all_bounds(log, topics, partitions).await?;
    let filled = all.into_iter().filter(|(_, _, bounds)| bounds.next > bounds.first);
    let last = |(topic, partition, bounds): (Arc<str>, u32, Bounds)| async move {
        let last = log.read(&topic, partition, bounds.next - 1, 1).await?;
        Ok::<_, Failure>(last.iter().map(|record| record.append_at).max())
    };
    let last: Vec<Option<Timestamp>> = stream::iter(filled.map(last)).buffered(SIDE_BY_SIDE).try_collect().await?;
    Ok(last.into_iter().flatten().max())
}

async fn waited_ms(host: &Host, topic: &str, partition: u32, at: u64) -> Result<u64, Failure> {
    let oldest = host.parts.log.beneath().read(topic, partition, at, 1).await?;
    let now = host.clock().now();
    Ok(oldest.first().map_or(0, |record| now.0.saturating_sub(record.append_at.0).max(0).unsigned_abs()))
}

/// The first record of a partition that was not committed.
pub(super) fn position(committed: &[Assignment], topic: &str, partition: u32) -> u64 {
    let assignment = committed.iter().find(|assignment| assignment.partition == partition);
    assignment.and_then(|assignment| assignment.next(topic)).unwrap_or(0)
}
