//! `headway bench pipeline`: the same wiring with servers in place of embedded parts, all of them on the machine that measures.
//!
//! A server's clock cannot be hurried, so the events of the fast part wait in the log when the workers begin, and are a few seconds
//! or minutes old. What it leaves behind in the servers has a name that no other measurement has. A figure counts only when nothing
//! was refused.

use std::{collections::BTreeMap, path::Path, time::Duration};

use ports::clock_fn;
use serde_json::json;
use workbench::{Progress, cpu_seconds, peak_memory_bytes};

use super::{
    LOOK_EVERY, PATIENCE, Scratch, WORKERS, begin,
    freshness::{Freshness, Waits, freshness},
    load::{Load, Subject},
    outside::{Outside, fill},
    predictions::predictions,
    processes::{Process, all_settled},
    seconds_since,
};
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

/// What was measured.
struct Measured {
    backlog: Backlog,
    /// Of the built-in pipeline: at the rate that was asked for, and at half of what was measured at most.
    freshness: Option<(Freshness, u64, Freshness)>,
    /// Of a pipeline in a folder that predicts.
    predictions: Option<Waits>,
}

/// How a backlog went.
struct Backlog {
    events_per_second: f64,
    /// Not known of other processes.
    cpu_us_per_event: Option<f64>,
    peak_rss_bytes: u64,
}

pub(crate) fn run(arguments: &BenchPipeline, console: &Console) -> Result<(), Failure> {
    let servers = Servers::resolve(&arguments.servers)?;
    let subject = Subject::named(arguments.pipeline.as_deref())?;
    let id = format!("bench-{:x}", wall_clock().0);
    let scratch = Scratch::create(&arguments.folder, false, id, servers)?;
    console.line(&format!("Measuring in {}, which is removed afterwards, and in the servers.", scratch.root.display()))?;
    let runtime = runtime(WORKERS + 2)?;
    let marker = console.marker();
    let measured = runtime.block_on(measure(&scratch, &subject, arguments, &marker))?;
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(scratch);
    console.result(|| object(arguments, &subject, &measured), || text(arguments, &subject, &measured))?;
    Ok(())
}

async fn measure(scratch: &Scratch, subject: &Subject, arguments: &BenchPipeline, marker: &Marker) -> Result<Measured, Failure> {
    let folder = Subject::place(scratch, arguments.pipeline.as_deref(), "backlog")?;
    let (rate, seconds) = (u64::from(arguments.rate), u64::from(arguments.seconds));
    // An event that is watched is one of an unknown store, of which only the built-in pipeline is sure to make a vector.
    let watches = matches!(subject, Subject::BuiltIn) && arguments.processes.is_none();
    let steady = if watches { Some(freshness(scratch, rate, seconds, marker).await?) } else { None };
    let predictions = match (subject, arguments.processes) {
        (Subject::Folder(pipeline), None) => {
            let placed = Subject::place(scratch, arguments.pipeline.as_deref(), "predictions")?;
            predictions(scratch, pipeline, &placed, (rate, seconds), marker).await?
        }
        _ => None,
    };
    let backlog = match arguments.processes {
        Some(processes) => shared(scratch, subject, arguments, &folder, processes, marker).await?,
        None => backlog(scratch, subject, &folder, arguments.events, marker).await?,
    };
    let half_rate = (backlog.events_per_second / 2.0) as u64;
    let freshness = match steady {
        Some(steady) => Some((steady, half_rate, freshness(scratch, half_rate, seconds, marker).await?)),
        None => None,
    };
    Ok(Measured { backlog, freshness, predictions })
}

/// Events a second from the first that is taken until everything can be read, and what one costs of the processor here.
async fn backlog(
    scratch: &Scratch,
    subject: &Subject,
    folder: &Path,
    events: u64,
    progress: &Marker,
) -> Result<Backlog, Failure> {
    let host = scratch.host_of(folder.to_owned(), "backlog", Pace::Runs(1.0)).await?;
    // Makes the topics, and lets the workers go before there is anything to do.
    host.stop().await?;
    let hosted = host.one(None)?;
    let mut load = Load::new(subject, hosted.topics(), host.partitions, events, host.clock().clone())?;
    fill(&host.parts.log, || load.next(), events, progress).await?;
    drop((hosted, host));
    progress.begin("as fast as it goes", events);
    let (begun, cpu) = (begin(), cpu_seconds());
    let host = scratch.host_of(folder.to_owned(), "backlog", Pace::Runs(1.0)).await?;
    let mut first = None;
    loop {
        let taken = host.counts().records;
        if taken > 0 && first.is_none() {
            first = Some(begin());
        }
        progress.at(taken.min(events));
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
    refuse_refused(host.counts().refused.into_iter().map(|(reason, count)| (reason.to_owned(), count)))?;
    host.stop().await?;
    Ok(Backlog {
        events_per_second: events as f64 / seconds,
        cpu_us_per_event: Some(cpu * 1e6 / events as f64),
        peak_rss_bytes: peak_memory_bytes(),
    })
}

/// The same of several processes, from the first event that any of them takes.
async fn shared(
    scratch: &Scratch,
    subject: &Subject,
    arguments: &BenchPipeline,
    folder: &Path,
    count: u16,
    progress: &Marker,
) -> Result<Backlog, Failure> {
    let events = arguments.events;
    let outside = Outside::open(&scratch.servers, folder).await?;
    let mut load = Load::new(subject, &outside.plan.topics, outside.plan.partitions, events, clock_fn(1.0, wall_clock))?;
    fill(&outside.log, || load.next(), events, progress).await?;
    progress.begin("as fast as they go", 1);
    let start = |number| Process::among(&scratch.root, number, folder, &arguments.servers);
    let mut processes = (0..count).map(start).collect::<Result<Vec<Process>, Failure>>()?;
    // The first of them to take something is among those that are up first.
    while processes[0].status().await?.records == 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let begun = begin();
    let told = all_settled(&mut processes, outside.plan.partitions).await?;
    let seconds = seconds_since(begun);
    progress.end();
    refuse_refused(told.into_iter().flat_map(|status| status.refused))?;
    Ok(Backlog {
        events_per_second: events as f64 / seconds,
        cpu_us_per_event: None,
        peak_rss_bytes: processes.iter().map(Process::peak_rss_bytes).sum(),
    })
}

/// What was refused was cheaper than what is counted.
fn refuse_refused(refused: impl Iterator<Item = (String, u64)>) -> Result<(), Failure> {
    let mut reasons = BTreeMap::new();
    refused.for_each(|(reason, count)| *reasons.entry(reason).or_insert(0) += count);
    reasons.retain(|_, count| *count > 0);
    if reasons.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = reasons.iter().map(|(reason, count)| format!("{} {reason}", grouped(*count))).collect();
    Err(Failure::failed(format!(
        "events were refused, so this is no measurement: {}. When they were late, name fewer by --events.",
        named.join(", ")
    )))
}

fn object(arguments: &BenchPipeline, subject: &Subject, measured: &Measured) -> serde_json::Value {
    let Measured { backlog, freshness, predictions } = measured;
    let mut object = json!({
        "pipeline": subject.name(),
        "events": arguments.events,
        "events_per_second": backlog.events_per_second,
        "peak_rss_bytes": backlog.peak_rss_bytes,
    });
    if let Some(processes) = arguments.processes {
        object["processes"] = json!(processes);
    }
    if let Some(cpu) = backlog.cpu_us_per_event {
        object["cpu_us_per_event"] = json!(cpu);
    }
    if let Some((steady, half_rate, half)) = freshness {
        object["rate"] = json!(arguments.rate);
        object["half_rate"] = json!(half_rate);
        for (prefix, freshness) in [("", steady), ("half_", half)] {
            for (since, waits) in [("freshness", &freshness.since_append), ("freshness_since_due", &freshness.since_due)] {
                object[format!("{prefix}{since}_p50_ms")] = json!(waits.rank(0.5));
                object[format!("{prefix}{since}_p99_ms")] = json!(waits.rank(0.99));
            }
        }
        object["probes"] = json!(steady.since_append.count() + half.since_append.count());
    }
    if let Some(waits) = predictions {
        object["rate"] = json!(arguments.rate);
        object["prediction_p50_ms"] = json!(waits.rank(0.5));
        object["prediction_p99_ms"] = json!(waits.rank(0.99));
        object["predictions"] = json!(waits.count());
    }
    object
}

fn text(arguments: &BenchPipeline, subject: &Subject, measured: &Measured) -> String {
    let Measured { backlog, freshness, predictions } = measured;
    let steady = |rate: u64, Freshness { since_append, since_due }: &Freshness| {
        format!(
            "\nat {} events a second an event could be read {:.0} ms after the log took it at the median, {:.0} ms for the slowest in a hundred \
             ({:.1} and {:.1} ms after it was due; {} watched)",
            grouped(rate),
            since_append.rank(0.5),
            since_append.rank(0.99),
            since_due.rank(0.5),
            since_due.rank(0.99),
            grouped(since_append.count() as u64),
        )
    };
    let mut text = format!(
        "{} ({}): {} events a second out of a backlog of {}, memory at most {}",
        subject.name(),
        arguments.processes.map_or("one process".to_owned(), |count| format!("processes: {count}")),
        grouped(backlog.events_per_second as u64),
        grouped(arguments.events),
        bytes(backlog.peak_rss_bytes),
    );
    if let Some(cpu) = backlog.cpu_us_per_event {
        text.push_str(&format!(", {cpu:.2} µs of a processor for each"));
    }
    if let Some((waits, half_rate, half)) = freshness {
        text.push_str(&steady(u64::from(arguments.rate), waits));
        text.push_str(&steady(*half_rate, half));
    }
    if let Some(waits) = predictions {
        text.push_str(&format!(
            "\nat {} events a second a prediction could be read {:.0} ms after the log took its event at the median, {:.0} ms for the slowest in a \
             hundred ({} of them)",
            grouped(u64::from(arguments.rate)),
            waits.rank(0.5),
            waits.rank(0.99),
            grouped(waits.count() as u64),
        ));
    }
    text
}
