//! `headway run`: everything in one process, until it is told to stop.

use std::time::Duration;

use dataplane::Topics;
use sim::Faults;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    arguments::Run,
    city::{self, Producer, World},
    console::Console,
    failure::Failure,
    host::{Host, Options, Pace, Status, control},
    http,
    settings::Servers,
    telemetry::{Gatherer, Telemetry},
    view::{Summary, View},
};

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
    let on_screen = console.has_screen() && !arguments.headless;
    let mut telemetry = Telemetry::start(&arguments.telling, console, on_screen)?;
    let outcome = told(arguments, console, &mut telemetry).await;
    telemetry.close().await;
    let (ended, summary) = outcome?;
    ended?;
    console.result(|| summary.object(), || summary.words())?;
    Ok(())
}

/// What came of a run that began: why it ended, and what it did until then.
type Outcome = (Result<(), Failure>, Ended);

/// From the start to the stop of the workers.
async fn told(arguments: &Run, console: &Console, telemetry: &mut Telemetry) -> Result<Outcome, Failure> {
    let world = arguments.city.as_deref().map(World::named).transpose()?;
    let options = Options {
        folder: arguments.folder.clone(),
        pipelines: arguments.pipelines.clone(),
        partitions: arguments.partitions,
        workers: usize::from(arguments.workers),
        pace: Pace::Runs(arguments.speed),
        snapshot_every: Some(Duration::from_millis(arguments.snapshot_every.0.unsigned_abs())),
        servers: Servers::resolve(&arguments.servers)?,
        replica: arguments.replica.clone(),
        shared: arguments.shared.clone(),
        trust: arguments.trust.clone(),
    };
    let host = Host::open(options).await?;
    let gatherer = Gatherer::new(host.clone());
    let listening = http::listen(&host, gatherer.clone(), arguments.telling.listen).await?;
    telemetry.follow(&host, &gatherer);
    // Whoever finds it by its socket may tell it to stop.
    let stopped = stopped()?;
    control::listen(host.clone())?;
    if let (Some(world), Some(at)) = (world, arguments.at) {
        host.pass_until(world.next(at, host.clock().now()));
    }
    let producer = world.map(|world| Producer::new(world, host.clock().now(), arguments.seed, Faults::EVERYDAY)).transpose()?;
    let prefix = prefix(&host, world.is_some())?;
    let (figures, seen) = watch::channel(None);
    let mut city = tokio::spawn(match producer {
        Some(producer) => futures_or_never(Some(city::beside(host.clone(), prefix, producer, figures))),
        None => futures_or_never(None),
    });
    let mut view = View::open(host.clone(), *console, arguments.headless, seen);
    let ended = tokio::select! {
        failure = host.failure() => Err(failure),
        ended = &mut city => Err(ended.map_or_else(|error| Failure::failed(format!("the simulation broke down: {error}")), |ended| ended.err().unwrap_or_else(|| Failure::failed("the simulation ended")))),
        ended = until_told(arguments, &host, stopped) => ended,
        shown = view.show() => shown.map(|()| End::Told),
    };
    city.abort();
    // Whoever asked it to stop sees at once that it heard.
    view.close();
    // Why it ended is worth more than what could be asked of it then.
    let status = match (host.status().await, &ended) {
        (Ok(status), _) => status,
        (Err(_), Err(_)) => Status::default(),
        (Err(failure), Ok(_)) => return Err(failure),
    };
    listening.stop().await;
    let until = Instant::now() + GRACE;
    let in_time = timeout_at(until, host.stop()).await;
    let clean = !matches!(in_time, Ok(Err(_)) | Err(_));
    host.fold(until.saturating_duration_since(Instant::now())).await;
    let summary = view.summary();
    let _ = std::fs::remove_file(Host::socket(&host.options.folder));
    // Since then workers may have had something to say to each other.
    let caught_up = matches!(ended, Ok(End::CaughtUp));
    Ok((ended.map(|_| ()), Ended { summary, status, clean, caught_up }))
}

/// Why a run ended that could have gone on.
enum End {
    /// A signal, the view, or its time was over.
    Told,
    /// There was nothing left to take.
    CaughtUp,
}

/// How it ended.
struct Ended {
    summary: Summary,
    status: Status,
    clean: bool,
    caught_up: bool,
}

impl Ended {
    fn object(&self) -> serde_json::Value {
        self.summary.object(&self.status, self.clean)
    }

    fn words(&self) -> String {
        let what = if self.caught_up { "Caught up" } else { "Stopped" };
        self.summary.words(what, &self.status, self.clean)
    }
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
        (true, [one]) => Ok(Topics::prefix(&one.id)),
        (true, several) => {
            Err(Failure::failed(format!("a simulation feeds one pipeline, and {} are running: name one.", several.len())))
        }
    }
}

/// What ends when a signal comes that asks to stop. It is listened for from the call on, whenever the end is waited for.
pub(super) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let signals = |error| Failure::failed(format!("cannot listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    // A terminal that was closed, and one that would be left as it is.
    let mut hangup = signal(SignalKind::hangup()).map_err(signals)?;
    let mut quit = signal(SignalKind::quit()).map_err(signals)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = quit.recv() => {}
        }
    })
}

/// Until a signal comes, the time is over, or there is nothing left to do.
async fn until_told(arguments: &Run, host: &Host, stopped: impl Future<Output = ()>) -> Result<End, Failure> {
    let lasting = arguments.lasting.map(|span| Duration::from_millis(span.0.unsigned_abs()));
    tokio::select! {
        () = stopped => Ok(End::Told),
        () = tokio::time::sleep(lasting.unwrap_or(Duration::MAX)) => Ok(End::Told),
        ended = caught_up(arguments.until_caught_up, host) => ended.map(|()| End::CaughtUp),
    }
}

async fn caught_up(wanted: bool, host: &Host) -> Result<(), Failure> {
    if !wanted {
        std::future::pending::<()>().await;
    }
    host.settled(Duration::from_secs(86_400)).await
}
