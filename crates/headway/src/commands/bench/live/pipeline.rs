//! `headway bench pipeline`: the same wiring with servers in place of embedded parts, all of them on the machine that measures.
//!
//! A server's clock cannot be hurried, so the events of the fast part wait in the log when the workers begin, and are a few seconds
//! old. What it leaves behind in the servers has a name that no other measurement has.

use std::time::Duration;

use serde_json::json;
use workbench::{Orders, Progress, cpu_seconds, orders_spec, peak_memory_bytes};

use super::{APPEND_EVENTS, PATIENCE, SEED, Scratch, WORKERS, Waits, begin, freshness, order, seconds_since};
use crate::{
    arguments::BenchPipeline,
    commands::run::runtime,
    console::Console,
    failure::Failure,
    host::{Pace, wall_clock},
    marker::Marker,
    settings::Servers,
    table::{bytes, grouped},
};

/// What the events of the fast part cover, by their own times: they all come at once.
const MINUTES: u64 = 1;

/// What was measured.
struct Measured {
    events_per_second: f64,
    cpu_us_per_event: f64,
    peak_rss_bytes: u64,
    steady: Waits,
    half_rate: u64,
    half: Waits,
}

pub(crate) fn run(arguments: &BenchPipeline, console: &Console) -> Result<(), Failure> {
    let servers = Servers::resolve(&arguments.servers)?;
    let id = format!("bench-{:x}", wall_clock().0);
    let scratch = Scratch::create(&arguments.folder, false, id, servers)?;
    console.line(&format!("Measuring in {}, which is removed afterwards, and in the servers.", scratch.root.display()))?;
    let runtime = runtime(WORKERS + 2)?;
    let marker = console.marker();
    let measured = runtime.block_on(measure(&scratch, arguments, &marker))?;
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(scratch);
    console.result(|| object(arguments, &measured), || text(arguments, &measured))?;
    Ok(())
}

async fn measure(scratch: &Scratch, arguments: &BenchPipeline, marker: &Marker) -> Result<Measured, Failure> {
    let seconds = u64::from(arguments.seconds);
    let steady = freshness(scratch, u64::from(arguments.rate), seconds, marker).await?;
    let (events_per_second, cpu_us_per_event) = backlog(scratch, arguments.events, marker).await?;
    let peak_rss_bytes = peak_memory_bytes();
    let half_rate = (events_per_second / 2.0) as u64;
    let half = freshness(scratch, half_rate, seconds, marker).await?;
    Ok(Measured { events_per_second, cpu_us_per_event, peak_rss_bytes, steady, half_rate, half })
}

/// Events a second from the first that is taken until everything can be read, and what one costs of the processor here.
async fn backlog(scratch: &Scratch, events: u64, progress: &Marker) -> Result<(f64, f64), Failure> {
    let host = scratch.host("backlog", orders_spec(), Pace::Runs(1.0)).await?;
    // Makes the topics, and lets the workers go before there is anything to do.
    host.stop().await?;
    let mut orders = Orders::new(events, MINUTES, SEED).starting(host.clock().now().minus(domain::Span(60_000)));
    progress.begin("filling the log", events);
    let mut sent = 0;
    loop {
        let batch: Vec<_> =
            std::iter::from_fn(|| order(&mut orders, &host)).take(APPEND_EVENTS * 8).map(|(_, event)| event).collect();
        if batch.is_empty() {
            break;
        }
        sent += batch.len() as u64;
        ports::Log::append(&host.parts.log, batch).await?;
        progress.at(sent);
    }
    progress.end();
    drop(host);
    progress.begin("as fast as it goes", events);
    let (begun, cpu) = (begin(), cpu_seconds());
    let host = scratch.host("backlog", orders_spec(), Pace::Runs(1.0)).await?;
    let mut first = None;
    loop {
        let taken = host.counts().records;
        if taken > 0 && first.is_none() {
            first = Some(begin());
        }
        progress.at(taken);
        if taken >= events {
            break;
        }
        if let Some(why) = host.has_failed() {
            return Err(Failure::failed(why));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    host.settled(PATIENCE).await?;
    let (seconds, cpu) = (seconds_since(first.unwrap_or(begun)), cpu_seconds() - cpu);
    progress.end();
    host.stop().await?;
    Ok((events as f64 / seconds, cpu * 1e6 / events as f64))
}

fn object(arguments: &BenchPipeline, measured: &Measured) -> serde_json::Value {
    json!({
        "events": arguments.events,
        "events_per_second": measured.events_per_second,
        "cpu_us_per_event": measured.cpu_us_per_event,
        "peak_rss_bytes": measured.peak_rss_bytes,
        "rate": arguments.rate,
        "freshness_p50_ms": measured.steady.rank(0.5),
        "freshness_p99_ms": measured.steady.rank(0.99),
        "half_rate": measured.half_rate,
        "half_freshness_p50_ms": measured.half.rank(0.5),
        "half_freshness_p99_ms": measured.half.rank(0.99),
        "probes": measured.steady.count() + measured.half.count(),
    })
}

fn text(arguments: &BenchPipeline, measured: &Measured) -> String {
    let steady = |rate: u64, waits: &Waits| {
        format!(
            "at {} events a second an event could be read after {:.1} ms at the median, {:.1} ms for the slowest in a hundred ({} watched)",
            grouped(rate),
            waits.rank(0.5),
            waits.rank(0.99),
            grouped(waits.count() as u64),
        )
    };
    format!(
        "{} events a second out of a backlog of {}, {:.2} µs of a processor for each, memory at most {}\n{}\n{}",
        grouped(measured.events_per_second as u64),
        grouped(arguments.events),
        measured.cpu_us_per_event,
        bytes(measured.peak_rss_bytes),
        steady(u64::from(arguments.rate), &measured.steady),
        steady(measured.half_rate, &measured.half),
    )
}
