//! `headway simulate`: a world's events as a file, or into a log.

mod kafka;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use dataplane::Topics;
use domain::{Span, Timestamp};
use io_log::EmbeddedLog;
use ports::{Log, TopicSpec, clock_fn};
use serde_json::json;
use sim::{CITY_TOPICS, FLEET_TOPIC, Faults, Record, skill};
use workbench::Progress;

use crate::{
    arguments::Simulate,
    city::{self, Producer, Taker, World, event},
    console::Console,
    failure::Failure,
    host::{
        Host,
        control::{Answer, Client, Event, Request},
    },
    settings::Servers,
    table::grouped,
};

/// The simulation is stepped by this much, so that its memory does not grow with the days.
const STEP: Span = Span(60_000);

/// What happens where nobody says.
const CALM: &str = "calm";
const NOWHERE: &str = "say where the events go: --out FILE, --folder FOLDER --pipeline ID, or --kafka BROKERS PIPELINE";

pub(super) fn run(arguments: &Simulate, console: &Console) -> Result<(), Failure> {
    let faults = if arguments.flawless { Faults::NONE } else { Faults::EVERYDAY };
    let (scenario, fed) = arguments.named();
    if arguments.out.is_none() && arguments.folder.is_none() {
        let servers = Servers::resolve(&arguments.servers)?;
        let fed = fed.filter(|_| servers.kafka.is_some()).ok_or_else(|| Failure::usage_of(NOWHERE))?;
        return kafka::feed(arguments, scenario, faults, servers, fed, console);
    }
    let world = World::named(scenario.unwrap_or(CALM))?;
    if arguments.skill {
        return report(arguments, world, console);
    }
    let start = sim::Settings::default().start;
    let made = match (&arguments.out, &arguments.folder, &arguments.pipeline) {
        (Some(out), ..) => to_file(arguments, Producer::new(world, start, arguments.seed, faults)?, start, out, console)?,
        (None, Some(folder), Some(pipeline)) => to_folder(arguments, world, faults, folder, pipeline, console)?,
        _ => return Err(Failure::usage_of(NOWHERE)),
    };
    console.result(
        || json!({ "events": made.events, "from": made.from.to_string(), "to": made.to.to_string(), "truths": made.truths }),
        || format!("{} events from {} to {}{}", grouped(made.events), made.from, made.to, truths(&made)),
    )?;
    Ok(())
}

/// What was made.
struct Made {
    events: u64,
    truths: u64,
    from: Timestamp,
    to: Timestamp,
}

fn truths(made: &Made) -> String {
    if made.truths == 0 { String::new() } else { format!("; the truth about {} orders beside them", grouped(made.truths)) }
}

/// Steps through the whole time, and hands over what arrives and the lines of truth.
fn play(
    arguments: &Simulate,
    mut producer: Producer,
    start: Timestamp,
    console: &Console,
    mut take: impl FnMut(Vec<Record>) -> Result<(), Failure>,
) -> Result<Made, Failure> {
    let marker = console.marker();
    let minutes = (arguments.lasting.0 / STEP.0).max(1).unsigned_abs();
    marker.begin("simulating", minutes);
    let mut truth = arguments.truth.as_deref().map(create).transpose()?;
    let mut made = Made { events: 0, truths: 0, from: start, to: start.plus(arguments.lasting) };
    for minute in 1..=minutes {
        let records = producer.advance(Timestamp(start.0 + STEP.0 * minute as i64));
        made.events += records.len() as u64;
        take(records)?;
        for line in producer.take_truths() {
            if let (Some(out), Some(path)) = (&mut truth, &arguments.truth) {
                made.truths += 1;
                out.write_all(&line).map_err(|error| Failure::writing(path, &error))?;
            }
        }
        marker.at(minute);
    }
    if let (Some(mut out), Some(path)) = (truth, &arguments.truth) {
        out.flush().map_err(|error| Failure::writing(path, &error))?;
    }
    marker.end();
    Ok(made)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| Failure::writing(path, &error))
}

fn to_file(arguments: &Simulate, producer: Producer, start: Timestamp, out: &Path, console: &Console) -> Result<Made, Failure> {
    let mut file = create(out)?;
    let failed = |error| Failure::writing(out, &error);
    let made = play(arguments, producer, start, console, |records| {
        records.iter().try_for_each(|record| file.write_all(&record.line())).map_err(failed)
    })?;
    file.flush().map_err(failed)?;
    Ok(made)
}

/// Live through the process that holds the folder; into the log at once when there is none.
fn to_folder(
    arguments: &Simulate,
    world: World,
    faults: Faults,
    folder: &Path,
    pipeline: &str,
    console: &Console,
) -> Result<Made, Failure> {
    let runtime = super::run::runtime(2)?;
    let prefix = Topics::prefix(pipeline);
    if let Some(client) = runtime.block_on(Client::connect(folder)) {
        return runtime.block_on(feed(arguments, world, faults, client, &prefix, console));
    }
    let start = sim::Settings::default().start;
    let at = Arc::new(AtomicI64::new(start.0));
    let clock = clock_fn(1.0, {
        let at = at.clone();
        move || Timestamp(at.load(Ordering::Relaxed))
    });
    std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, &error))?;
    let log = EmbeddedLog::open(io_log::Settings::new(folder.join("log")), clock)?;
    let artifacts = io_folder::Folder::open(folder).map_err(ports::Error::from)?.artifacts();
    let partitions =
        runtime.block_on(crate::host::partitions(&artifacts, arguments.partitions, crate::host::PARTITIONS_DEFAULT))?;
    runtime.block_on(log.create(&topics(&prefix, world, partitions)))?;
    let producer = Producer::new(world, start, arguments.seed, faults)?;
    play(arguments, producer, start, console, |records| {
        // Those of one instant go together, so that each is appended when it arrived.
        for together in records.chunk_by(|one, next| one.at == next.at) {
            at.store(together[0].at.0, Ordering::Relaxed);
            let events: Vec<Event> = together.iter().map(|record| event(&prefix, record)).collect();
            runtime.block_on(log.append(crate::host::control::outgoing(events, partitions).collect()))?;
        }
        Ok(())
    })
}

async fn feed(
    arguments: &Simulate,
    world: World,
    faults: Faults,
    mut client: Client,
    prefix: &str,
    console: &Console,
) -> Result<Made, Failure> {
    let start = now(&mut client).await?;
    let end = start.plus(arguments.lasting);
    let mut producer = Producer::new(world, start, arguments.seed, faults)?;
    console.line(&format!("Feeding the running process from {start} to {end}, by its clock; interrupt to stop."))?;
    let mut fed = Fed { client, prefix: prefix.to_owned(), end, over: false, events: 0 };
    city::live(&mut fed, &mut producer, |_| ()).await?;
    Ok(Made { events: fed.events, truths: 0, from: start, to: end })
}

/// A process that holds a folder.
struct Fed {
    client: Client,
    prefix: String,
    end: Timestamp,
    over: bool,
    events: u64,
}

impl Taker for Fed {
    async fn now(&mut self) -> Result<Option<Timestamp>, Failure> {
        if self.over {
            return Ok(None);
        }
        let now = now(&mut self.client).await?;
        self.over = now >= self.end;
        Ok(Some(now.min(self.end)))
    }

    async fn take(&mut self, records: &[Record]) -> Result<(), Failure> {
        let events = records.iter().map(|record| event(&self.prefix, record)).collect();
        self.client.ask(&Request::Append { events }).await?;
        self.events += records.len() as u64;
        Ok(())
    }
}

async fn now(client: &mut Client) -> Result<Timestamp, Failure> {
    match client.ask(&Request::Status).await? {
        Answer::Status { now, .. } => Timestamp::parse(&now).ok_or_else(|| Failure::failed("the other process tells no time")),
        other => Err(Failure::failed(format!("an answer to another question came: {other:?}"))),
    }
}

fn topics(prefix: &str, world: World, partitions: u32) -> Vec<TopicSpec> {
    let names: &[&str] = match world {
        World::City(_) => &CITY_TOPICS,
        World::Fleet(_) => &[FLEET_TOPIC],
    };
    let spec = |name: &&str| TopicSpec {
        name: format!("{prefix}{name}").into(),
        partitions,
        retention: Some(Host::retention()),
        retention_bytes: None,
    };
    names.iter().map(spec).collect()
}

/// How well could anybody predict?
fn report(arguments: &Simulate, world: World, console: &Console) -> Result<(), Failure> {
    let World::City(scenario) = world else {
        return Err(Failure::failed("only a city has arrivals to predict: name one of its scenarios"));
    };
    console.line("Simulating what could still happen for a sample of orders; this takes a minute or two.")?;
    let settings = sim::Settings { scenario, ..sim::Settings::default() };
    let report = skill::report(&settings, arguments.seed, &skill::Question::default())?;
    if let Some(out) = &arguments.out {
        let mut file = create(out)?;
        let written =
            report.predictions.iter().try_for_each(|prediction| file.write_all(&prediction.line())).and_then(|()| file.flush());
        written.map_err(|error| Failure::writing(out, &error))?;
    }
    let error = |of: &skill::Score| {
        let skill::Score { mean_absolute, p50_absolute, p90_absolute, bias } = *of;
        json!({ "mean_absolute_seconds": mean_absolute, "p50_seconds": p50_absolute, "p90_seconds": p90_absolute, "bias_seconds": bias })
    };
    console.result(
        || {
            json!({
                "scenario": scenario.name(), "orders": report.orders, "mean_seconds": report.mean_seconds, "coverage": report.coverage,
                "knowing": error(&report.knowing), "overall": error(&report.overall), "area_hour": error(&report.area_hour),
            })
        },
        || report.to_string(),
    )?;
    Ok(())
}
