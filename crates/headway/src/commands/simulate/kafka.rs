//! A world that writes to Kafka as producers do: keyed, idempotent, in real time, until it is told to stop or its time is over.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dataplane::Topics;
use domain::{Timestamp, partition_of};
use io_kafka::{KafkaLog, Owner};
use pipeline::Pipeline;
use ports::{ErrorKind, Log, Outgoing, clock_fn};
use serde_json::json;
use sim::{FLEET_TOPIC, Faults, Record};
use tokio::runtime::Runtime;
use workbench::Progress;

use super::CALM;
use crate::{
    arguments::Simulate,
    city::{self, Producer, Taker, World},
    commands::run,
    console::Console,
    failure::Failure,
    host::{Host, PARTITIONS_OF_KAFKA, wall_clock},
    settings::Servers,
    table::grouped,
};

/// What happens among scooters where nobody says.
const QUIET: &str = "quiet";
/// A broker that is away is back in seconds; events are repeated this often until then.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) fn feed(
    arguments: &Simulate,
    scenario: Option<&str>,
    faults: Faults,
    servers: Servers,
    fed: &Path,
    console: &Console,
) -> Result<(), Failure> {
    if arguments.truth.is_some() || arguments.skill {
        return Err(Failure::usage_of("--truth and --skill are for files: name one by --out"));
    }
    let pipeline = pipeline::load(fed)?;
    let topics = Topics::new(&pipeline);
    let reads_fleet = topics.inputs().iter().any(|(name, _)| **name == *topics.input(FLEET_TOPIC));
    let world = World::named(scenario.unwrap_or(if reads_fleet { QUIET } else { CALM }))?;
    let runtime: Runtime = run::runtime(2)?;
    runtime.block_on(async {
        let mut sink = Sink::open(servers, &pipeline).await?;
        let from = wall_clock();
        sink.end = from.plus(arguments.lasting);
        let mut producer = Producer::new(world, from, arguments.seed, faults)?;
        console.line(&format!("Writing to Kafka from {from} to {}; interrupt to stop.", sink.end))?;
        tokio::spawn(stop(sink.stopped.clone()));
        let marker = console.marker();
        marker.begin("writing to Kafka", (arguments.lasting.0 / 1000).max(1).unsigned_abs());
        let lived = city::live(&mut sink, &mut producer, |_| marker.at(marker.seconds() as u64)).await;
        marker.end();
        // What was acknowledged is worth telling, however it ended.
        console.result(|| sink.object(from), || sink.words(from))?;
        lived
    })
}

async fn stop(stopped: Arc<AtomicBool>) {
    // Where signals cannot be heard they end the process, which is as well.
    if let Ok(told) = run::stopped() {
        told.await;
        stopped.store(true, Ordering::Relaxed);
    }
}

/// Topics that take events, by what the world calls them: name inside, and partitions.
type Open = BTreeMap<String, (Arc<str>, u32)>;

/// Takes events to the topics of a pipeline.
struct Sink {
    log: KafkaLog,
    topics: Open,
    end: Timestamp,
    over: bool,
    stopped: Arc<AtomicBool>,
    acknowledged: BTreeMap<String, u64>,
    /// Written again since nobody knew whether they had been written; their ids are the same.
    repeated: u64,
    unacknowledged: u64,
}

impl Sink {
    async fn open(servers: Servers, pipeline: &Pipeline) -> Result<Self, Failure> {
        let servers = servers.reading([pipeline])?;
        let settings = servers.kafka.ok_or_else(|| Failure::configuration("no brokers are named: name some by --kafka."))?;
        let log = KafkaLog::open(settings, clock_fn(1.0, wall_clock)).map_err(ports::Error::from)?;
        let topics = Topics::new(pipeline);
        let inputs: Vec<Arc<str>> = topics.inputs().iter().map(|(name, _)| name.clone()).collect();
        // How many partitions there should be does not matter: as many as there are get events.
        let mut specs = topics.specs(1, PARTITIONS_OF_KAFKA, Host::retention());
        specs.retain(|spec| inputs.contains(&spec.name));
        let mut open = Open::new();
        for topic in log.plan(&specs).await?.topics {
            let name = &topic.name;
            let Some(there) = &topic.there else {
                return Err(Failure::configuration(format!(
                    "topic {name} is not there: `headway topics apply` makes it, and so does the start of `headway run`."
                )));
            };
            if topic.owner == Owner::Others {
                return Err(Failure::configuration(format!(
                    "topic {name} belongs to somebody else, who expects no simulated events there: leave out [kafka.topics], or name \
                     another cluster."
                )));
            }
            let declared = topic.topic.trim_start_matches(&Topics::prefix(&pipeline.id)).to_owned();
            open.insert(declared, (topic.topic.clone(), there.partitions));
        }
        Ok(Self {
            log,
            topics: open,
            end: Timestamp(0),
            over: false,
            stopped: Arc::default(),
            acknowledged: BTreeMap::new(),
            repeated: 0,
            unacknowledged: 0,
        })
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// None for what the pipeline does not read.
    fn outgoing(&self, record: &Record) -> Option<Outgoing> {
        let (topic, partitions) = self.topics.get(record.topic)?;
        let (key, value) = (Bytes::from(record.key.clone()), Bytes::from(record.payload.clone()));
        let partition = partition_of(&key, *partitions);
        Some(Outgoing { topic: topic.clone(), partition, key, value, headers: Vec::new() })
    }

    fn total(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    fn object(&self, from: Timestamp) -> serde_json::Value {
        json!({
            "acknowledged": self.total(), "topics": self.acknowledged, "repeated": self.repeated,
            "unacknowledged": self.unacknowledged, "from": from.to_string(), "to": wall_clock().min(self.end).to_string(),
        })
    }

    fn words(&self, from: Timestamp) -> String {
        let topics: Vec<String> = self.acknowledged.iter().map(|(topic, count)| format!("{topic} {}", grouped(*count))).collect();
        let mut words = format!(
            "{} events acknowledged by Kafka from {from} to {}: {}",
            grouped(self.total()),
            wall_clock().min(self.end),
            topics.join(", ")
        );
        if self.repeated > 0 {
            words.push_str(&format!("; {} were written again, which their ids tell", grouped(self.repeated)));
        }
        if self.unacknowledged > 0 {
            words.push_str(&format!("; {} were not acknowledged", grouped(self.unacknowledged)));
        }
        words
    }
}

impl Taker for Sink {
    async fn now(&mut self) -> Result<Option<Timestamp>, Failure> {
        if self.over || self.is_stopped() {
            return Ok(None);
        }
        let now = wall_clock();
        self.over = now >= self.end;
        Ok(Some(now.min(self.end)))
    }

    async fn take(&mut self, records: &[Record]) -> Result<(), Failure> {
        let read: Vec<&Record> = records.iter().filter(|record| self.topics.contains_key(record.topic)).collect();
        let count = read.len() as u64;
        while !self.is_stopped() {
            let outgoing = read.iter().filter_map(|record| self.outgoing(record)).collect();
            match self.log.append(outgoing).await {
                Ok(()) => {
                    for record in &read {
                        *self.acknowledged.entry(record.topic.to_owned()).or_default() += 1;
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Transient => {
                    tracing::warn!(%error, "events are written again");
                    self.repeated += count;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => {
                    self.unacknowledged += count;
                    return Err(error.into());
                }
            }
        }
        self.unacknowledged += count;
        Ok(())
    }
}
