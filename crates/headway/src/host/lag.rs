//! How far behind the log the workers of a pipeline are, by generation, topic and partition. Reads the log beside them.

use std::sync::Arc;

use ports::{Assignment, Log};

use super::{Host, Hosted};
use crate::failure::Failure;

/// What one generation has not taken of one partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) generation: u32,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u32,
    pub(crate) records: u64,
    /// Since the oldest of them was appended, by the clock of the host.
    pub(crate) waited_ms: u64,
}

impl Hosted {
    /// Records of the log that no worker has taken yet.
    pub(super) async fn lag(&self, host: &Host) -> Result<u64, Failure> {
        let mut lag = 0;
        for plan in self.plans() {
            let committed = plan.committed(&host.parts.log).await?;
            for topic in plan.reads() {
                for partition in 0..plan.partitions {
                    let next = host.parts.log.bounds(&topic, partition).await?.next;
                    lag += next.saturating_sub(position(&committed, &topic, partition));
                }
            }
        }
        Ok(lag)
    }

    /// The same one by one, with how long the oldest record has waited.
    pub(crate) async fn lags(&self, host: &Host) -> Result<Vec<Lag>, Failure> {
        let mut lags = Vec::new();
        for plan in self.plans() {
            let committed = plan.committed(&host.parts.log).await?;
            for topic in plan.reads() {
                for partition in 0..plan.partitions {
                    let bounds = host.parts.log.bounds(&topic, partition).await?;
                    let at = position(&committed, &topic, partition).max(bounds.first);
                    let records = bounds.next.saturating_sub(at);
                    let waited_ms = if records > 0 { waited_ms(host, &topic, partition, at).await? } else { 0 };
                    lags.push(Lag { generation: plan.generation, topic: topic.clone(), partition, records, waited_ms });
                }
            }
        }
        Ok(lags)
    }
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
