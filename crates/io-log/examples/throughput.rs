//! Measures appends, reads and commits of the embedded log for a person: `cargo run --release -p io-log --example throughput`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints what it measured")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use domain::Timestamp;
use io_log::{EmbeddedLog, Settings, Sync};
use ports::{Commit, Event, Log, Member, Membership, Outgoing, Position, TopicSpec, clock_fn};

/// What an order event takes, with its key.
const RECORD_BYTES: usize = 172;
const BATCH: usize = 10_000;
const BATCHES: usize = 500;
const PARTITIONS: u32 = 8;
const COMMITS: usize = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for (name, sync) in [("in the background", Sync::Every(Duration::from_millis(50))), ("always", Sync::Always)] {
        println!("forced to the disk {name}");
        let folder = tempfile::tempdir()?;
        let settings = Settings { sync, ..Settings::new(folder.path()) };
        let log = open(settings.clone())?;
        let spec = |name: &str| TopicSpec { name: name.into(), partitions: PARTITIONS, retention: None, retention_bytes: None };
        log.create(&[spec("events"), spec("out")]).await?;
        append(&log).await?;
        let start = Instant::now();
        drop(log);
        println!("  close                  {:>9.3} ms", millis(start));
        let start = Instant::now();
        let log = open(settings.clone())?;
        println!("  open                   {:>9.3} ms", millis(start));
        read(&log).await?;
        commit(&log).await?;
    }
    Ok(())
}

fn open(settings: Settings) -> Result<EmbeddedLog, ports::Error> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    EmbeddedLog::open(settings, clock_fn(1.0, move || Timestamp(now())))
}

fn records(topic: &Arc<str>, payload: &Bytes) -> Vec<Outgoing> {
    let record = |number: usize| Outgoing {
        topic: topic.clone(),
        partition: (number % PARTITIONS as usize) as u32,
        key: payload.slice(..8),
        value: payload.slice(8 + number..number + RECORD_BYTES),
        headers: Vec::new(),
    };
    (0..BATCH).map(record).collect()
}

async fn append(log: &EmbeddedLog) -> Result<(), Box<dyn Error>> {
    let payload: Bytes = (0..RECORD_BYTES + BATCH).map(|number| (number * 7919 % 251) as u8).collect();
    let topic: Arc<str> = "events".into();
    let batches: Vec<_> = (0..BATCHES).map(|_| records(&topic, &payload)).collect();
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    for batch in batches {
        log.append(batch).await?;
    }
    print_each("append, each record", start, cpu, BATCH * BATCHES)
}

async fn read(log: &EmbeddedLog) -> Result<(), Box<dyn Error>> {
    let membership = Membership::new("readers", "one", vec!["events".into()]);
    let mut member = log.join(membership).await?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let mut count = 0;
    while count < BATCH * BATCHES {
        match member.next(Duration::from_secs(1)).await? {
            Event::Assigned(partitions) => partitions.iter().try_for_each(|found| member.start(found.partition, &[]))?,
            Event::Records { records, .. } => count += records.len(),
            other => println!("  heard {other:?}"),
        }
    }
    print_each("read, each record", start, cpu, count)?;
    Ok(member.leave().await?)
}

/// One commit after the other, each with a position, a note and 100 outputs.
async fn commit(log: &EmbeddedLog) -> Result<(), Box<dyn Error>> {
    let membership = Membership::new("writers", "one", vec!["events".into()]);
    let mut member = log.join(membership).await?;
    while !matches!(member.next(Duration::from_secs(1)).await?, Event::Assigned(_)) {}
    let payload: Bytes = vec![1; RECORD_BYTES + BATCH].into();
    let mut outputs = records(&"out".into(), &payload);
    outputs.truncate(100);
    let mut took = Vec::new();
    for next in 0..COMMITS as u64 {
        let positions = vec![Position { topic: "events".into(), next }];
        let commit = Commit { partition: 0, positions, note: Bytes::from_static(b"{}"), outputs: outputs.clone() };
        let start = Instant::now();
        member.commit(vec![commit]).await?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    println!("  commit of 100 outputs  p50 {:?}, p99 {:?}", took[COMMITS / 2], took[COMMITS * 99 / 100]);
    Ok(())
}

fn print_each(what: &str, start: Instant, cpu: f64, count: usize) -> Result<(), Box<dyn Error>> {
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    let (wall, cpu) = (each(start.elapsed().as_secs_f64()), each(cpu_seconds()? - cpu));
    println!("  {what:<22} {wall:>9.3} µs, {cpu:.3} µs of processor");
    Ok(())
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// What this process has used so far, from the system's own account in hundredths of a second.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let account = std::fs::read_to_string("/proc/self/stat")?;
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks = fields.take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}
