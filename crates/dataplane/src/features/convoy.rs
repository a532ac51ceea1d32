//! Keeps partitions that catch up near each other.
//!
//! What partitions send each other can be taken into account for a while only: an hour, by the clock of whoever is furthest. While
//! they catch up, hours pass in milliseconds, so whoever is ahead waits for the others - with its events, and with time itself, since
//! time raises absences. One that does not move at all is waited for no longer than it takes to give it to another worker.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{EARLIEST, Span, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};
use ports::{Assignment, Log};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{Note, Plan, partials};
use crate::{Error, retry::insist};

/// How far one may be ahead of the slowest: half of what the engine can bear.
const APART_MAX: Span = Span(30 * 60_000);
/// How much further one goes before it looks again.
const STRIDE: Span = Span(10 * 60_000);
/// As long as it takes at most until a dead worker's partitions are somebody else's, and some time to restore them.
const PATIENCE: Duration = Duration::from_secs(30);
/// Partitions that are asked about side by side: a log on servers answers each in some milliseconds.
const SIDE_BY_SIDE: usize = 8;

/// Where partitions are, as far as they have heard of anything.
type Reached = Vec<(u32, Timestamp)>;

/// Up to which instant partitions may go that have not caught up.
#[derive(Debug)]
pub(super) struct Convoy {
    limit: Timestamp,
    /// Where each partition was seen, and since when it is there.
    seen: BTreeMap<u32, (Timestamp, Instant)>,
    /// At most one look, which nobody waits for who has something to do.
    looks: JoinSet<Result<Reached, Error>>,
}

impl Convoy {
    pub(super) fn new() -> Self {
        Self { limit: Timestamp(i64::MIN), seen: BTreeMap::new(), looks: JoinSet::new() }
    }

    pub(super) fn limit(&self) -> Timestamp {
        self.limit
    }

    /// Somebody could go as far as `wanted`: looks how far the others are. What is not known within `wait` is known at a later call.
    pub(super) async fn look<L: Log>(
        &mut self,
        log: &L,
        plan: &Arc<Plan>,
        wanted: Timestamp,
        wait: Duration,
    ) -> Result<(), Error> {
        if self.looks.is_empty() {
            let (log, plan) = (log.clone(), plan.clone());
            self.looks.spawn(async move { all_reached(&log, &plan).await });
        }
        let Ok(Some(looked)) = timeout(wait, self.looks.join_next()).await else { return Ok(()) };
        let reached = looked.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
        self.limit = match self.slowest(reached) {
            Some(at) if at < wanted.minus(APART_MAX) => at.plus(APART_MAX),
            _ => wanted.plus(STRIDE),
        };
        Ok(())
    }

    /// Where the slowest is of those that move.
    fn slowest(&mut self, reached: Reached) -> Option<Timestamp> {
        let moving = reached.into_iter().filter(|(partition, at)| {
            let seen = self.seen.entry(*partition).or_insert((*at, Instant::now()));
            if seen.0 != *at {
                *seen = (*at, Instant::now());
            }
            seen.1.elapsed() < PATIENCE
        });
        moving.map(|(_, at)| at).min()
    }
}

async fn all_reached<L: Log>(log: &L, plan: &Plan) -> Result<Reached, Error> {
    let committed = insist(|| plan.committed(log)).await?;
    let one = |partition| {
        let committed = committed.iter().find(|assignment| assignment.partition == partition);
        async move { Ok(reached(log, plan, partition, committed).await?.map(|at| (partition, at))) }
    };
    let all = stream::iter(0..plan.partitions).map(one).buffer_unordered(SIDE_BY_SIDE);
    all.try_filter_map(|found| async move { Ok(found) }).try_collect().await
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
    let waiting = insist(|| log.read(&own, partition, next, 1)).await?.first().map(partials::clock);
    // Those of a sender that has yet to hear of anything are of no time.
    Ok(clock.into_iter().chain(waiting.filter(|clock| *clock >= EARLIEST)).min())
}
