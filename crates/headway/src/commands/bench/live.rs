//! `headway bench run`: the running system with its embedded parts, wired as `headway run` wires them and driven from outside.
//!
//! Three questions, each in a folder of its own: how soon an event can be read at a steady rate, how many events go through log and
//! workers when they come as fast as they are taken, and how soon a killed process with very many live entities answers again.

mod load;
mod outside;
mod pipeline;
mod predictions;
mod processes;
mod restart;
mod scratch;
mod takeover;

pub(crate) use pipeline::run as run_pipeline;
pub(crate) use takeover::run as run_takeover;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Timestamp, partition_of};
use ports::{Log, OnlineStore, Outgoing, VectorKey};
use serde_json::json;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use workbench::{Orders, Progress, orders_spec, peak_memory_bytes};

use self::scratch::Scratch;
use crate::{
    arguments::BenchRun,
    commands::run::runtime,
    console::Console,
    failure::Failure,
    host::{Host, Pace},
    marker::Marker,
    parts::AnyOnline,
    settings::Servers,
    table::{bytes, grouped},
};

/// Events of one append while everything goes as fast as it can: what a busy producer sends at once.
const APPEND_EVENTS: usize = 1024;
/// How far the producer may be ahead of the workers: events wait in the log and not in a window that time has left.
const AHEAD_MAX: u64 = 32_768;
/// How often the steady load sends what is due.
const SEND_EVERY: Duration = Duration::from_millis(5);
/// Sends that wait for an answer at the same time: more than a second's is a log that does not keep up.
const ON_THEIR_WAY_MAX: usize = 200;
/// One in so many sends carries an event whose arrival is watched.
const PROBE_EVERY: u64 = 2;
/// What the first seconds measure is pages and branches that nobody has touched.
const WARM_UP: Duration = Duration::from_secs(2);
/// A broker that has just been started compiles what it does while it does it.
const WARM_UP_OF_SERVERS: Duration = Duration::from_secs(15);
/// How often it is looked how far the workers are.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How often it is looked whether events can be read: often enough to tell milliseconds apart by the ten, and seldom enough to be a small
/// part of what the machine does.
const WATCH_EVERY: Duration = Duration::from_millis(4);
/// Slower than this is a defect and not a figure.
const PATIENCE: Duration = Duration::from_secs(900);
/// What the generated orders of the fast part cover.
const MINUTES: u64 = 120;
const SEED: u64 = 1;
const WORKERS: usize = 2;

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    events_per_second: f64,
    freshness_p50_ms: f64,
    freshness_p99_ms: f64,
    probes: usize,
    restart: restart::Restart,
    peak_rss_bytes: u64,
}

pub(crate) fn run(arguments: &BenchRun, console: &Console) -> Result<(), Failure> {
    let scratch = Scratch::create(&arguments.folder, arguments.keep, "bench".into(), Servers::default())?;
    console.line(&format!("Measuring in {}, which is removed afterwards; about two minutes.", scratch.root.display()))?;
    let runtime = runtime(WORKERS + 2)?;
    let marker = console.marker();
    let mut measured = Measured::default();
    let waits = runtime.block_on(freshness(&scratch, u64::from(arguments.rate), u64::from(arguments.seconds), &marker))?;
    measured.probes = waits.count();
    (measured.freshness_p50_ms, measured.freshness_p99_ms) = (waits.rank(0.5), waits.rank(0.99));
    measured.events_per_second = runtime.block_on(throughput(&scratch, arguments.events, &marker))?;
    // The third part holds a million entities and says itself what it takes.
    measured.peak_rss_bytes = peak_memory_bytes();
    measured.restart = runtime.block_on(restart::restart(&scratch, arguments.entities, &marker))?;
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(scratch);
    console.result(|| object(arguments, &measured), || text(arguments, &measured))?;
    Ok(())
}

/// How long the watched events took in milliseconds, from when each was due until its vector could be read.
struct Waits(Vec<f64>);

impl Waits {
    fn count(&self) -> usize {
        self.0.len()
    }

    /// The wait that this share of all did not exceed.
    fn rank(&self, share: f64) -> f64 {
        let place = ((self.0.len() as f64 * share) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Sends events at a steady rate and watches some of them.
async fn freshness(scratch: &Scratch, rate: u64, seconds: u64, progress: &Marker) -> Result<Waits, Failure> {
    let host = scratch.host(&format!("freshness-{rate}"), orders_spec(), Pace::Runs(1.0)).await?;
    let warm_up = if scratch.servers.kafka.is_some() { WARM_UP_OF_SERVERS } else { WARM_UP };
    let minutes = (seconds + warm_up.as_secs()).div_ceil(60);
    let mut orders = Orders::new(rate * 60 * minutes, minutes, SEED).starting(host.clock().now());
    // What a start takes is another question.
    host.settled(PATIENCE).await?;
    let (watched, watching) = mpsc::unbounded_channel();
    let watching = tokio::spawn(watch(host.one(None)?.online.clone(), watching));
    let mut ticks = interval(SEND_EVERY);
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
        number += 1;
        if number.is_multiple_of(PROBE_EVERY) {
            let key = format!("probe-{number}");
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
    let waits = watching.await.map_err(|error| Failure::failed(error.to_string()))??;
    host.stop().await?;
    Ok(waits)
}

/// Looks for all stores that are watched together, so that a server is asked one question and not hundreds.
async fn watch(online: AnyOnline, mut watching: mpsc::UnboundedReceiver<(String, Instant)>) -> Result<Waits, Failure> {
    let (mut pending, mut waits) = (Vec::new(), Vec::new());
    while !(watching.is_closed() && watching.is_empty() && pending.is_empty()) {
        while let Ok(watched) = watching.try_recv() {
            pending.push(watched);
        }
        let keys: Vec<VectorKey<'_>> = pending
            .iter()
            .map(|(key, _): &(String, Instant)| VectorKey { entity: "store", key, group: "store_orders", generation: 1 })
            .collect();
        let found = online.read(&keys).await?;
        let mut found = found.iter().map(Option::is_some);
        pending.retain(|(_, due_at): &(String, Instant)| {
            let there = found.next().unwrap_or_default();
            if there {
                waits.push(due_at.elapsed().as_secs_f64() * 1e3);
            }
            !there
        });
        tokio::time::sleep(WATCH_EVERY).await;
    }
    waits.sort_by(f64::total_cmp);
    Ok(Waits(waits))
}

/// Events a second from the first append until everything can be read.
async fn throughput(scratch: &Scratch, events: u64, progress: &Marker) -> Result<f64, Failure> {
    // Two hours pass in some seconds.
    let host = scratch.host("throughput", orders_spec(), Pace::Driven(1000.0)).await?;
    let mut orders = Orders::new(events, MINUTES, SEED).starting(host.clock().now());
    progress.begin("as fast as it goes", events);
    let begun = begin();
    flood(&host, || order(&mut orders, &host), progress).await?;
    let seconds = seconds_since(begun);
    progress.end();
    host.stop().await?;
    Ok(events as f64 / seconds)
}

/// Appends events as fast as the workers take them, the clock following, and waits until all of them can be read.
async fn flood(host: &Host, mut next: impl FnMut() -> Option<(Timestamp, Outgoing)>, progress: &Marker) -> Result<(), Failure> {
    let mut sent = 0;
    loop {
        let batch: Vec<(Timestamp, Outgoing)> = std::iter::from_fn(&mut next).take(APPEND_EVENTS).collect();
        let Some(newest) = batch.iter().map(|(at, _)| *at).max() else { break };
        sent += batch.len() as u64;
        host.pass_until(newest);
        host.parts.log.append(batch.into_iter().map(|(_, event)| event).collect()).await?;
        let mut taken = host.counts().records;
        while sent.saturating_sub(taken) > AHEAD_MAX {
            tokio::time::sleep(LOOK_EVERY).await;
            taken = host.counts().records;
        }
        progress.at(taken);
    }
    host.settled(PATIENCE).await
}

fn order(orders: &mut Orders, host: &Host) -> Option<(Timestamp, Outgoing)> {
    let mut payload = Vec::new();
    let at = orders.next_into(&mut payload)?;
    let key = Bytes::from(orders.store());
    Some((at, outgoing(&orders_topic(host), key, payload, host)))
}

/// An order of a store that nobody else orders at.
fn probe(key: &str, host: &Host) -> Outgoing {
    let at = host.clock().now();
    let payload = json!({ "id": key, "source": "probe", "occurred_at": at.to_string(), "store_id": key, "basket": 10 });
    outgoing(&orders_topic(host), Bytes::from(key.to_owned()), payload.to_string().into_bytes(), host)
}

/// The topic of the built-in pipeline.
fn orders_topic(host: &Host) -> Arc<str> {
    let hosted = host.hosted();
    let topics = hosted.first().map(|hosted| hosted.topics().inputs()[0].0.clone());
    topics.unwrap_or_else(|| panic!("a benchmark runs one pipeline"))
}

fn outgoing(topic: &Arc<str>, key: Bytes, payload: Vec<u8>, host: &Host) -> Outgoing {
    Outgoing {
        topic: topic.clone(),
        partition: partition_of(&key, host.partitions),
        key,
        value: Bytes::from(payload),
        headers: Vec::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures; nothing that is computed depends on it")]
fn begin() -> std::time::Instant {
    std::time::Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures; nothing that is computed depends on it")]
fn seconds_since(begun: std::time::Instant) -> f64 {
    begun.elapsed().as_secs_f64()
}

fn object(arguments: &BenchRun, measured: &Measured) -> serde_json::Value {
    let restart = &measured.restart;
    json!({
        "events": arguments.events,
        "events_per_second": measured.events_per_second,
        "rate": arguments.rate,
        "freshness_p50_ms": measured.freshness_p50_ms,
        "freshness_p99_ms": measured.freshness_p99_ms,
        "probes": measured.probes,
        "peak_rss_bytes": measured.peak_rss_bytes,
        "entities": restart.entities,
        "restart_seconds": restart.seconds,
        "restart_replayed": restart.replayed,
        "restart_peak_rss_bytes": restart.peak_rss_bytes,
    })
}

fn text(arguments: &BenchRun, measured: &Measured) -> String {
    let restart = &measured.restart;
    format!(
        "{} events a second through log and workers, of {}\n\
         at {} events a second an event could be read after {:.1} ms at the median, {:.1} ms for the slowest in a hundred ({} watched)\n\
         memory at most {}\n\
         killed with {} live entities, all of them could be read again after {:.1} s ({} records replayed, memory at most {})",
        grouped(measured.events_per_second as u64),
        grouped(arguments.events),
        grouped(u64::from(arguments.rate)),
        measured.freshness_p50_ms,
        measured.freshness_p99_ms,
        grouped(measured.probes as u64),
        bytes(measured.peak_rss_bytes),
        grouped(restart.entities),
        restart.seconds,
        grouped(restart.replayed),
        bytes(restart.peak_rss_bytes),
    )
}
