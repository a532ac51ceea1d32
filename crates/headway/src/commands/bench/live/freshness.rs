//! How soon an event can be read at a steady rate: open loop, whatever became of the events before, with an eye on some of them.
//!
//! A wait is told twice: from when the event was due, which has everything in it that its producer waits for, and from when the log took
//! it, by the log's own stamp. The stamps are looked up afterwards, so that the machine does nothing else meanwhile.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use domain::{Span, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};
use ports::{Clock, Log, OnlineStore, Outgoing, VectorKey};
use serde_json::json;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use workbench::{Orders, Progress, orders_spec};

use super::{ON_THEIR_WAY_MAX, PATIENCE, SEED, Scratch, order, orders_topic, outgoing};
use crate::{
    failure::Failure,
    host::{Host, Pace},
    marker::Marker,
    parts::AnyOnline,
};

/// Events in a second whose arrival is watched.
const PROBES_PER_SECOND: f64 = 100.0;
/// How often it is looked whether events can be read: often enough to tell milliseconds apart by the ten, and seldom enough to be a small
/// part of what the machine does.
const WATCH_EVERY: Duration = Duration::from_millis(4);
/// What stores are called whose events are watched.
const PROBE: &str = "probe-";
/// Bytes of one partition that are read at once when stamps are looked up.
const READ_BYTES: usize = 1 << 20;
/// Partitions that are read side by side.
const SIDE_BY_SIDE: usize = 4;

/// Waits in milliseconds, from the shortest to the longest.
pub(super) struct Waits(Vec<f64>);

impl Waits {
    pub(super) fn new(mut waits: Vec<f64>) -> Self {
        waits.sort_by(f64::total_cmp);
        Self(waits)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The wait that this share of all did not exceed.
    pub(super) fn rank(&self, share: f64) -> f64 {
        let place = ((self.0.len() as f64 * share) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// How long the watched events took until their vectors could be read.
pub(super) struct Freshness {
    pub(super) since_due: Waits,
    pub(super) since_append: Waits,
}

/// An event that could be read.
struct Seen {
    key: String,
    waited_ms: f64,
    at: Timestamp,
}

/// Sends events at a steady rate and watches some of them.
pub(super) async fn freshness(scratch: &Scratch, rate: u64, seconds: u64, progress: &Marker) -> Result<Freshness, Failure> {
    let host = scratch.host(&format!("freshness-{rate}"), orders_spec(), Pace::Runs(1.0)).await?;
    let warm_up = scratch.warm_up();
    let minutes = (seconds + warm_up.as_secs()).div_ceil(60);
    let mut orders = Orders::new(rate * 60 * minutes, minutes, SEED).starting(host.clock().now());
    // What a start takes is another question.
    host.settled(PATIENCE).await?;
    let begins = host.clock().now();
    let (watched, watching) = mpsc::unbounded_channel();
    let watching = tokio::spawn(watch(host.one(None)?.online.clone(), host.clock().clone(), watching));
    let mut ticks = interval(scratch.send_every());
    // What the producer sends late was due all the same.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = ticks.tick().await;
    progress.begin("steady load", seconds + warm_up.as_secs());
    let (mut sent, mut number) = (0, 0u64);
    let mut on_their_way = JoinSet::new();
    loop {
        let due_at = ticks.tick().await;
        let passed = due_at - begun;
        if passed >= warm_up + Duration::from_secs(seconds) {
            break;
        }
        progress.at(passed.as_secs());
        let due = (passed.as_secs_f64() * rate as f64) as u64;
        let mut batch = Vec::new();
        while sent < due {
            let Some((_, event)) = order(&mut orders, &host) else { break };
            batch.push(event);
            sent += 1;
        }
        while number < (passed.as_secs_f64() * PROBES_PER_SECOND) as u64 {
            number += 1;
            let key = format!("{PROBE}{number}");
            batch.push(probe(&key, &host));
            if passed >= warm_up {
                // Nobody hears it when the measurement has failed meanwhile.
                let _ = watched.send((key, due_at));
            }
        }
        // As producers do: the next is sent before the brokers have answered for the one before.
        let log = host.parts.log.clone();
        while on_their_way.len() >= ON_THEIR_WAY_MAX {
            if let Some(sent) = on_their_way.join_next().await {
                sent.map_err(|error| Failure::failed(error.to_string()))??;
            }
        }
        on_their_way.spawn(async move { log.append(batch).await });
    }
    while let Some(sent) = on_their_way.join_next().await {
        sent.map_err(|error| Failure::failed(error.to_string()))??;
    }
    host.settled(PATIENCE).await?;
    progress.end();
    drop(watched);
    let seen = watching.await.map_err(|error| Failure::failed(error.to_string()))??;
    // A second before, since the clocks of log and host may be read in another order than they are set.
    let since = begins.plus(Span(warm_up.as_millis() as i64 - 1_000));
    let appended = appended(&host, since, progress).await?;
    host.stop().await?;
    of(&seen, &appended)
}

/// Both waits of each.
fn of(seen: &[Seen], appended: &HashMap<Bytes, Timestamp>) -> Result<Freshness, Failure> {
    let since_append = seen.iter().map(|seen| Some((seen.at.0 - appended.get(seen.key.as_bytes())?.0).max(0) as f64));
    let since_append: Option<Vec<f64>> = since_append.collect();
    let since_append = since_append.ok_or_else(|| Failure::failed("the log has no stamp of an event that could be read"))?;
    let since_due = seen.iter().map(|seen| seen.waited_ms).collect();
    Ok(Freshness { since_due: Waits::new(since_due), since_append: Waits::new(since_append) })
}

/// Looks for all stores that are watched together, so that a server is asked one question and not hundreds.
async fn watch(
    online: AnyOnline,
    clock: Clock,
    mut watching: mpsc::UnboundedReceiver<(String, Instant)>,
) -> Result<Vec<Seen>, Failure> {
    let (mut pending, mut seen) = (Vec::new(), Vec::new());
    while !(watching.is_closed() && watching.is_empty() && pending.is_empty()) {
        while let Ok(watched) = watching.try_recv() {
            pending.push(watched);
        }
        let at = |key| VectorKey { entity: "store", key, group: "store_orders", generation: 1 };
        let keys: Vec<VectorKey<'_>> = pending.iter().map(|(key, _): &(String, Instant)| at(key)).collect();
        let found = online.read(&keys).await?;
        let now = clock.now();
        let mut found = found.iter().map(Option::is_some);
        for (key, due_at) in pending.extract_if(.., |_| found.next().unwrap_or_default()) {
            seen.push(Seen { key, waited_ms: due_at.elapsed().as_secs_f64() * 1e3, at: now });
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
    Ok(seen)
}

/// When the log took each of the watched events since an instant, by its stamp.
async fn appended(host: &Host, since: Timestamp, progress: &Marker) -> Result<HashMap<Bytes, Timestamp>, Failure> {
    let (log, topic) = (host.parts.log.beneath(), orders_topic(host));
    progress.begin("looking up when the log took what was watched", u64::from(host.partitions));
    let one = |partition: u32| {
        let topic = topic.clone();
        async move {
            let (mut next, mut stamps) = (log.offset_at(&topic, partition, since).await?, Vec::new());
            loop {
                let records = log.read(&topic, partition, next, READ_BYTES).await?;
                let Some(last) = records.last() else { return Ok::<_, Failure>(stamps) };
                next = last.offset + 1;
                let probes = records.into_iter().filter(|record| record.key.starts_with(PROBE.as_bytes()));
                stamps.extend(probes.map(|record| (record.key, record.append_at)));
            }
        }
    };
    let mut all = stream::iter((0..host.partitions).map(one)).buffer_unordered(SIDE_BY_SIDE);
    let (mut appended, mut done) = (HashMap::new(), 0);
    while let Some(stamps) = all.try_next().await? {
        appended.extend(stamps);
        done += 1;
        progress.at(done);
    }
    progress.end();
    Ok(appended)
}

/// An order of a store that nobody else orders at.
fn probe(key: &str, host: &Host) -> Outgoing {
    let at = host.clock().now();
    let payload = json!({ "id": key, "source": "probe", "occurred_at": at.to_string(), "store_id": key, "basket": 10 });
    outgoing(&orders_topic(host), Bytes::from(key.to_owned()), payload.to_string().into_bytes(), host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_from_when_it_was_due_and_from_the_stamp() {
        let seen = |key: &str, waited_ms, at| Seen { key: key.to_owned(), waited_ms, at: Timestamp(at) };
        let all = [seen("probe-2", 45.0, 1_040), seen("probe-4", 30.0, 1_060)];
        let stamps = [("probe-2", 1_010), ("probe-4", 1_041)];
        let stamps: HashMap<Bytes, Timestamp> = stamps.into_iter().map(|(key, at)| (Bytes::from(key), Timestamp(at))).collect();
        let Freshness { since_due, since_append } = of(&all, &stamps).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!((since_due.rank(0.5), since_append.rank(0.5)), (45.0, 30.0));
        assert_eq!((since_due.rank(0.0), since_append.rank(0.0), since_append.count()), (30.0, 19.0, 2));
        assert!(of(&[seen("probe-6", 1.0, 2)], &stamps).is_err());
    }
}
