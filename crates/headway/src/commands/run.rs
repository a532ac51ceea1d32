//! `headway run`: everything in one process, until it is told to stop.

use std::{sync::Arc, time::Duration};

use dataplane::features::Freshness;
use serde_json::{Value, json};
use sim::Faults;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::Instant,
};

use crate::{
    arguments::Run,
    city::{self, Producer, World},
    console::Console,
    failure::Failure,
    host::{Host, Options, Status, control},
    table::grouped,
};

/// How often a line is printed.
const LINE_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether everything was taken.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Whoever interrupts should not wait longer than this; what was not done in time is done after the next start.
const GRACE: Duration = Duration::from_millis(1500);

pub(super) fn run(arguments: &Run, console: &Console) -> Result<(), Failure> {
    let runtime = runtime(usize::from(arguments.workers) + 2)?;
    let outcome = runtime.block_on(live(arguments, console));
    // Whatever still waits for a disk or a reader must not hold the process back.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// Threads for everything that waits.
pub(super) fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    built.map_err(|error| Failure::failed(format!("cannot start threads: {error}")))
}

async fn live(arguments: &Run, console: &Console) -> Result<(), Failure> {
    let world = arguments.city.as_deref().map(World::named).transpose()?;
    let options = Options {
        folder: arguments.folder.clone(),
        pipelines: arguments.pipelines.clone(),
        partitions: arguments.partitions,
        workers: usize::from(arguments.workers),
        speed: arguments.speed,
    };
    let host = Host::open(options).await?;
    control::listen(host.clone())?;
    let mut view = View::new(host.clone());
    for announcement in host.take_announcements() {
        console.line(&announcement)?;
    }
    let producer = world.map(|world| Producer::new(world, host.clock().now(), arguments.seed, Faults::EVERYDAY)).transpose()?;
    let prefix = prefix(&host, world.is_some())?;
    let mut city = tokio::spawn(match producer {
        Some(producer) => futures_or_never(Some(city::live(host.clone(), prefix, producer))),
        None => futures_or_never(None),
    });
    let ended = tokio::select! {
        failure = host.failure() => Err(failure),
        ended = &mut city => Err(ended.map_or_else(|error| Failure::failed(format!("the simulation broke down: {error}")), |ended| ended.err().unwrap_or_else(|| Failure::failed("the simulation ended")))),
        ended = until_told(arguments, &host) => ended,
        shown = view.lines(console) => shown,
    };
    city.abort();
    let status = host.status().await?;
    let stopped = tokio::time::timeout(GRACE, host.stop()).await;
    let clean = !matches!(stopped, Ok(Err(_)) | Err(_));
    let summary = view.summary(&status, clean);
    let _ = std::fs::remove_file(Host::socket(&host.options.folder));
    ended?;
    console.result(|| summary.clone(), || view.words(&status, clean))?;
    Ok(())
}

/// A simulation, or nothing that never ends.
async fn futures_or_never(city: Option<impl Future<Output = Result<(), Failure>>>) -> Result<(), Failure> {
    match city {
        Some(city) => city.await,
        None => std::future::pending().await,
    }
}

/// What the names of the simulated topics begin with.
fn prefix(host: &Host, simulates: bool) -> Result<String, Failure> {
    match (simulates, &host.hosted()[..]) {
        (false, _) => Ok(String::new()),
        (true, [one]) => Ok(format!("headway.{}.", one.id)),
        (true, several) => {
            Err(Failure::failed(format!("a simulation feeds one pipeline, and {} are running: name one.", several.len())))
        }
    }
}

/// Until a signal comes, the time is over, or there is nothing left to do.
async fn until_told(arguments: &Run, host: &Host) -> Result<(), Failure> {
    let signals = |error| Failure::failed(format!("cannot listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let lasting = arguments.lasting.map(|span| Duration::from_millis(span.0.unsigned_abs()));
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        () = tokio::time::sleep(lasting.unwrap_or(Duration::MAX)) => Ok(()),
        ended = caught_up(arguments.until_caught_up, host) => ended,
    }
}

async fn caught_up(wanted: bool, host: &Host) -> Result<(), Failure> {
    if !wanted {
        std::future::pending::<()>().await;
    }
    host.settled(Duration::from_secs(86_400)).await
}

/// What is shown while it runs.
struct View {
    host: Arc<Host>,
    begun: Instant,
    last: (Instant, u64),
}

impl View {
    fn new(host: Arc<Host>) -> Self {
        let begun = Instant::now();
        Self { host, begun, last: (begun, 0) }
    }

    /// A line now and then, for ever.
    async fn lines(&mut self, console: &Console) -> Result<(), Failure> {
        let mut shown = Instant::now() - LINE_EVERY;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let told = self.host.take_announcements().into_iter().chain(self.host.clock_jump());
            for announcement in told {
                console.line(&announcement)?;
            }
            if shown.elapsed() >= LINE_EVERY {
                shown = Instant::now();
                let line = self.line().await?;
                console.line(&line)?;
            }
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let status = self.host.status().await?;
        let (now, records) = (Instant::now(), status.counts.records);
        let seconds = now.duration_since(self.last.0).as_secs_f64();
        let rate = (records.saturating_sub(self.last.1)) as f64 / seconds.max(f64::EPSILON);
        self.last = (now, records);
        let fresh = self.quantile(&status.counts.freshness, 0.99);
        Ok(format!(
            "{}  {:>9} events/s  readable within {:>4} ms  {:>8} behind  {:>9} entities  {} refused",
            self.host.clock().now(),
            grouped(rate as u64),
            fresh,
            grouped(status.lag_records),
            grouped(status.counts.entities),
            grouped(status.counts.refused.values().sum()),
        ))
    }

    /// In real milliseconds, whatever the speed of the clock.
    fn quantile(&self, freshness: &Freshness, q: f64) -> u64 {
        (freshness.quantile(q) as f64 / self.host.options.speed).ceil() as u64
    }

    fn summary(&self, status: &Status, clean: bool) -> Value {
        let seconds = self.begun.elapsed().as_secs_f64();
        let counts = &status.counts;
        json!({
            "seconds": seconds,
            "records": counts.records,
            "events_per_second": counts.records as f64 / seconds,
            "freshness_p50_ms": self.quantile(&counts.freshness, 0.5),
            "freshness_p99_ms": self.quantile(&counts.freshness, 0.99),
            "lag_records": status.lag_records,
            "entities": counts.entities,
            "vectors": counts.vectors,
            "refused": counts.refused,
            "commits": counts.commits,
            "snapshots": counts.snapshots,
            "replayed": counts.replayed,
            "peak_rss_bytes": workbench::peak_memory_bytes(),
            "stopped_cleanly": clean,
        })
    }

    fn words(&self, status: &Status, clean: bool) -> String {
        let counts = &status.counts;
        let how = if clean {
            "Everything that was taken is committed."
        } else {
            "Stopped in the middle of a step; the next start goes on from the last commit."
        };
        format!(
            "Stopped after {:.1} s: {} records taken, {} vectors written, {} entities live. {how}",
            self.begun.elapsed().as_secs_f64(),
            grouped(counts.records),
            grouped(counts.vectors),
            grouped(counts.entities)
        )
    }
}
