//! `headway bench run`: the running system with its embedded parts, wired as `headway run` wires them and driven from outside.
//!
//! Three questions, each in a folder of its own: how soon an event can be read at a steady rate, how many events go through log and
//! workers when they come as fast as they are taken, and how soon a killed process with very many live entities answers again.

mod freshness;
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
use ports::{Log, Outgoing};
use serde_json::json;
use workbench::{Orders, Progress, orders_spec, peak_memory_bytes};

use self::{freshness::freshness, scratch::Scratch};
use crate::{
    arguments::BenchRun,
    commands::run::runtime,
    console::Console,
    failure::Failure,
    host::{Host, Pace},
    marker::Marker,
    settings::Servers,
    table::{bytes, grouped},
};

/// Events of one append while everything goes as fast as it can: what a busy producer sends at once.
const APPEND_EVENTS: usize = 1024;
/// How far the producer may be ahead of the workers: events wait in the log and not in a window that time has left.
const AHEAD_MAX: u64 = 32_768;
/// How often the steady load sends what is due.
const SEND_EVERY: Duration = Duration::from_millis(5);
/// The same to a broker. This client asks once for each partition, where others ask once for all, so it gathers for longer than they do.
const SEND_TO_SERVERS_EVERY: Duration = Duration::from_millis(50);
/// Sends that wait for an answer at the same time: more than a second's is a log that does not keep up.
const ON_THEIR_WAY_MAX: usize = 200;
/// What the first seconds measure is pages and branches that nobody has touched.
const WARM_UP: Duration = Duration::from_secs(2);
/// A broker that has just been started compiles what it does while it does it.
const WARM_UP_OF_SERVERS: Duration = Duration::from_secs(15);
/// How often it is looked how far the workers are.
const LOOK_EVERY: Duration = Duration::from_millis(1);
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
    let (rate, seconds) = (u64::from(arguments.rate), u64::from(arguments.seconds));
    let waits = runtime.block_on(freshness(&scratch, rate, seconds, &marker))?.since_due;
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
