//! Keeps partitions that catch up near each other.
//!
//! What partitions send each other can be taken into account for a while only: an hour, by the clock of whoever is furthest. While
//! they catch up, hours pass in milliseconds, so whoever is ahead waits for the others - with its events, and with time itself, since
//! time raises absences. One that does not move at all is waited for no longer than it takes to give it to another worker.

use std::{collections::BTreeMap, time::Duration};

use domain::{EARLIEST, Span, Timestamp};
use ports::{Assignment, Log};
use tokio::time::Instant;

use super::{Note, Plan, partials};
use crate::{Error, retry::insist};

/// How far one may be ahead of the slowest: half of what the engine can bear.
const APART_MAX: Span = Span(30 * 60_000);
/// How much further one goes before it looks again.
const STRIDE: Span = Span(10 * 60_000);
/// As long as it takes at most until a dead worker's partitions are somebody else's, and some time to restore them.
const PATIENCE: Duration = Duration::from_secs(30);

/// Up to which instant partitions may go that have not caught up.
#[derive(Debug)]
pub(super) struct Convoy {
    limit: Timestamp,
    /// Where each partition was seen, and since when it is there.
    seen: BTreeMap<u32, (Timestamp, Instant)>,
}

impl Convoy {
    pub(super) fn new() -> Self {
        Self { limit: Timestamp(i64::MIN), seen: BTreeMap::new() }
    }

    pub(super) fn limit(&self) -> Timestamp {
        self.limit
    }

    /// Somebody could go as far as `wanted`: looks how far the others are.
    pub(super) async fn look<L: Log>(&mut self, log: &L, plan: &Plan, wanted: Timestamp) -> Result<(), Error> {
        let committed = insist(|| plan.committed(log)).await?;
        let mut slowest = None;
        for partition in 0..plan.partitions {
            let committed = committed.iter().find(|assignment| assignment.partition == partition);
            let Some(at) = reached(log, plan, partition, committed).await? else { continue };
            let seen = self.seen.entry(partition).or_insert((at, Instant::now()));
            if seen.0 != at {
                *seen = (at, Instant::now());
            }
            if seen.1.elapsed() < PATIENCE {
                slowest = slowest.into_iter().chain([at]).min();
            }
        }
        self.limit = match slowest {
            Some(at) if at < wanted.minus(APART_MAX) => at.plus(APART_MAX),
            _ => wanted.plus(STRIDE),
        };
        Ok(())
    }
}

/// The instant that a partition has reached, with all partials that were meant for it; none when it has yet to hear of anything.
async fn reached<L: Log>(
    log: &L,
    plan: &Plan,
    partition: u32,
    committed: Option<&Assignment>,
) -> Result<Option<Timestamp>, Error> {
    let own = plan.topics.partials(plan.generation);
    // What nobody can read is reported by whoever owns it; a clock before all events has yet to begin.
    let note = committed.and_then(|committed| Note::decode(&committed.note).ok());
    let clock = match note.map(|note| note.clock).filter(|clock| *clock >= EARLIEST) {
        Some(clock) => Some(clock),
        None => {
            let mut first = None;
            for (topic, _) in plan.topics.inputs() {
                let records = insist(|| log.read(topic, partition, 0, 1)).await?;
                first = records.first().map(|record| record.append_at).into_iter().chain(first).min();
            }
            first
        }
    };
    let next = committed.and_then(|committed| committed.next(&own)).unwrap_or(0);
    let mut waiting = None;
    if insist(|| log.bounds(&own, partition)).await?.next > next {
        waiting = insist(|| log.read(&own, partition, next, 1)).await?.first().map(partials::clock);
    }
    // Those of a sender that has yet to hear of anything are of no time.
    Ok(clock.into_iter().chain(waiting.filter(|clock| *clock >= EARLIEST)).min())
}
