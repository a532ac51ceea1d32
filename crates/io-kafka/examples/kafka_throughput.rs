//! Measures appends, reads and commits on a broker for a person: `cargo run --release -p io-kafka --example kafka_throughput -- HOST:PORT`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints what it measured")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use domain::Timestamp;
use io_kafka::{KafkaLog, KafkaMember, Settings};
use ports::{Commit, Event, Log, Member, Membership, Outgoing, Position, TopicSpec, clock_fn};

/// What an order event takes, with its key.
const RECORD_BYTES: usize = 172;
const BATCH: usize = 10_000;
const BATCHES: usize = 200;
const PARTITIONS: u32 = 16;
const COMMITS: usize = 300;
/// What a recovery reads at a time.
const READ_BYTES: usize = 1 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let brokers = std::env::args().nth(1).ok_or("which broker? HOST:PORT")?;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let settings = Settings { prefix: format!("throughput-{}.", now()), ..Settings::new(brokers) };
    let log = KafkaLog::open(settings, clock_fn(1.0, move || Timestamp(now())))?;
    let spec = |name: &str| TopicSpec { name: name.into(), partitions: PARTITIONS, retention: None, retention_bytes: None };
    log.create(&[spec("events"), spec("out")]).await?;
    append(&log).await?;
    consume(&log).await?;
    read(&log).await?;
    commit(&log, 1).await?;
    commit(&log, PARTITIONS).await?;
    Ok(())
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

async fn append(log: &KafkaLog) -> Result<(), Box<dyn Error>> {
    let payload: Bytes = (0..RECORD_BYTES + BATCH).map(|number| (number * 7919 % 251) as u8).collect();
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    for _ in 0..BATCHES {
        log.append(records(&"events".into(), &payload)).await?;
    }
    print_each("append", start, cpu, BATCH * BATCHES)
}

async fn join(log: &KafkaLog, group: &str) -> Result<KafkaMember, ports::Error> {
    log.join(Membership::new(group, "one", vec!["events".into()])).await
}

async fn consume(log: &KafkaLog) -> Result<(), Box<dyn Error>> {
    let mut member = join(log, "readers").await?;
    let assigned = loop {
        if let Event::Assigned(assigned) = member.next(Duration::from_secs(1)).await? {
            break assigned;
        }
    };
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    assigned.iter().try_for_each(|found| member.start(found.partition, &[]))?;
    let (mut count, mut events) = (0, 0);
    while count < BATCH * BATCHES {
        match member.next(Duration::from_secs(1)).await? {
            Event::Records { records, .. } => (count, events) = (count + records.len(), events + 1),
            other => println!("  heard {other:?}"),
        }
    }
    print_each("consume", start, cpu, count)?;
    println!("  records in an event     {:>9}", count / events);
    Ok(())
}

/// One partition after the other from its beginning, as a recovery does.
async fn read(log: &KafkaLog) -> Result<(), Box<dyn Error>> {
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let mut count = 0;
    for partition in 0..PARTITIONS {
        let mut next = 0;
        loop {
            let records = log.read("events", partition, next, READ_BYTES).await?;
            let Some(last) = records.last() else { break };
            (next, count) = (last.offset + 1, count + records.len());
        }
    }
    print_each("read in a recovery", start, cpu, count)
}

/// One commit after the other, each with a position, a note and ten outputs for each partition.
async fn commit(log: &KafkaLog, partitions: u32) -> Result<(), Box<dyn Error>> {
    let mut member = join(log, &format!("writers-{partitions}")).await?;
    while !matches!(member.next(Duration::from_secs(1)).await?, Event::Assigned(_)) {}
    let payload: Bytes = vec![1; RECORD_BYTES + BATCH].into();
    let mut outputs = records(&"out".into(), &payload);
    outputs.truncate(10);
    let mut took = Vec::new();
    for next in 0..COMMITS as u64 {
        let one = |partition| {
            let positions = vec![Position { topic: "events".into(), next }];
            Commit { partition, positions, note: Bytes::from_static(b"{}"), outputs: outputs.clone() }
        };
        let commits = (0..partitions).map(one).collect();
        let start = Instant::now();
        member.commit(commits).await?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let (half, worst) = (took[COMMITS / 2], took[COMMITS * 99 / 100]);
    println!("  commit of {partitions:>2} partitions p50 {half:?}, p99 {worst:?}");
    Ok(())
}

fn print_each(what: &str, start: Instant, cpu: f64, count: usize) -> Result<(), Box<dyn Error>> {
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let (rate, each) = (count as f64 / wall, cpu * 1e6 / count as f64);
    println!("  {what:<22} {rate:>11.0} records/s, {each:.3} µs of processor each");
    Ok(())
}

/// What this process has used so far, from the system's own account in hundredths of a second.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let account = std::fs::read_to_string("/proc/self/stat")?;
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks = fields.take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}
