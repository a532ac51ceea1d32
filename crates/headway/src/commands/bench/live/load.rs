//! The events of a backlog: orders of the built-in pipeline, or the life of a large city for a pipeline of a folder.
//!
//! A log on servers stamps what it takes by its own clock, so a day of the city has to lie within the minutes that its pipeline lets
//! an event be late: the city lives faster, and what happened in it keeps its order and its proportions.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use dataplane::Topics;
use domain::{Span, Timestamp, partition_of};
use pipeline::{Pipeline, SourceKind};
use ports::{Clock, Outgoing};
use sim::{City, FLEET_TOPIC, Faults, Feed, Fleet, FleetSettings, Gateway, Record, Settings};
use workbench::{Orders, orders_spec};

use super::{SEED, Scratch};
use crate::failure::Failure;

/// How much of the world's time goes into the minutes of the backlog: from a midnight to the evening after, with both meals.
const WORLD_LASTS: Span = Span(20 * 3_600_000);
/// When it is noon there, and most of what happens is about orders.
const NOON: Span = Span(11 * 3_600_000 + 1_800_000);
/// Ten times the city that `headway simulate` plays, which is about five million events in that time.
const STORES: u32 = 3_000;
const RIDERS: u32 = 2_000;
const ORDERS_PER_DAY: u32 = 50_000;
const AREAS: u32 = 100;
/// Of a fleet; as many events.
const SCOOTERS: u32 = 5_000;

/// Which pipeline is measured.
pub(super) enum Subject {
    BuiltIn,
    Folder(Box<Pipeline>),
}

impl Subject {
    pub(super) fn named(folder: Option<&Path>) -> Result<Self, Failure> {
        Ok(match folder {
            Some(folder) => Self::Folder(Box::new(pipeline::load(folder)?)),
            None => Self::BuiltIn,
        })
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::BuiltIn => "orders, built in",
            Self::Folder(pipeline) => &pipeline.id,
        }
    }

    /// The same pipeline under a name that nothing else in the servers has.
    pub(super) fn place(scratch: &Scratch, folder: Option<&Path>, part: &str) -> Result<PathBuf, Failure> {
        let placed = scratch.pipeline(part, orders_spec())?;
        if let Some(folder) = folder {
            copy(folder, &placed)?;
        }
        Ok(placed)
    }
}

/// Events, as producers key them.
pub(super) struct Load {
    made: Made,
    /// By what the pipeline calls them.
    topics: BTreeMap<String, Arc<str>>,
    partitions: u32,
    left: u64,
}

enum Made {
    Orders { orders: Box<Orders>, clock: Clock },
    World { records: Box<dyn Iterator<Item = Record> + Send>, times: Times },
}

/// When what happens in a world has happened.
enum Times {
    /// A day of it lies within the time that it covers.
    Covers { begun_at: Timestamp, covers: Span },
    /// When it is sent.
    Now(Clock),
}

impl Load {
    /// So many events, none of them later than this clock.
    pub(super) fn new(subject: &Subject, topics: &Topics, partitions: u32, events: u64, clock: Clock) -> Result<Self, Failure> {
        let made = match subject {
            // Their pipeline lets them be late by no more than a minute, so they happen when they are written and not before.
            Subject::BuiltIn => Made::Orders { orders: Box::new(Orders::new(events, 0, SEED)), clock },
            Subject::Folder(pipeline) => {
                // As much again for the time that it takes to write them.
                let covers = Span(lateness(pipeline)?.0 / 2);
                let times = Times::Covers { begun_at: clock.now().minus(covers), covers };
                Made::World { records: world(pipeline)?, times }
            }
        };
        Ok(Self::of(made, topics, partitions, events))
    }

    /// Events of a world from its noon on and without an end, for somebody who sends them one by one: each happens when it is sent.
    pub(super) fn steady(pipeline: &Pipeline, topics: &Topics, partitions: u32, clock: Clock) -> Result<Self, Failure> {
        let noon = sim::Settings::default().start.plus(NOON);
        let mut records = world(pipeline)?;
        let first = records.find(|record| record.at >= noon);
        let made = Made::World { records: Box::new(first.into_iter().chain(records)), times: Times::Now(clock) };
        Ok(Self::of(made, topics, partitions, u64::MAX))
    }

    fn of(made: Made, topics: &Topics, partitions: u32, left: u64) -> Self {
        let prefix = topics.input("");
        let topics = topics.inputs().iter().map(|(topic, _)| (topic.trim_start_matches(&prefix).to_owned(), topic.clone()));
        Self { made, topics: topics.collect(), partitions, left }
    }

    /// The next event; none when there are enough.
    pub(super) fn next(&mut self) -> Result<Option<Outgoing>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        let event = match &mut self.made {
            Made::Orders { orders, clock } => {
                orders.start_at(clock.now());
                let mut payload = Vec::new();
                let topic = self.topics.values().next().cloned();
                let made = orders.next_into(&mut payload);
                made.and(topic).map(|topic| (topic, orders.store(), payload))
            }
            Made::World { records, times } => {
                let read = |record: Record| Some((self.topics.get(record.topic)?.clone(), record));
                let Some((topic, mut record)) = records.find_map(read) else { return Err(too_many(self.left)) };
                let happened_at = match times {
                    Times::Now(clock) => clock.now(),
                    Times::Covers { begun_at, covers } => {
                        let lived = record.at.0 - sim::Settings::default().start.0;
                        if lived > WORLD_LASTS.0 {
                            return Err(too_many(self.left));
                        }
                        begun_at.plus(Span(lived * covers.0 / WORLD_LASTS.0))
                    }
                };
                record.stamp(happened_at);
                Some((topic, record.key, record.payload))
            }
        };
        self.left -= 1;
        Ok(event.map(|(topic, key, payload)| {
            let key = Bytes::from(key);
            let partition = partition_of(&key, self.partitions);
            Outgoing { topic, partition, key, value: payload.into(), headers: Vec::new() }
        }))
    }
}

fn too_many(left: u64) -> Failure {
    Failure::failed(format!("the simulated day has {left} events fewer than were asked for: name fewer by --events."))
}

/// A folder with everything in it: a spec is only sound beside the files that it names.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let reading = |error| Failure::reading(from, &error);
    for entry in std::fs::read_dir(from).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let (path, placed) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            std::fs::create_dir_all(&placed).map_err(|error| Failure::writing(&placed, &error))?;
            copy(&path, &placed)?;
        } else {
            std::fs::copy(&path, &placed).map_err(|error| Failure::writing(&placed, &error))?;
        }
    }
    Ok(())
}

/// How late an event of any source may be.
fn lateness(pipeline: &Pipeline) -> Result<Span, Failure> {
    let all = pipeline.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::Stream(stream) => Some(stream.lateness),
        _ => None,
    });
    all.min().ok_or_else(|| Failure::failed(format!("{} reads no stream, so there is nothing to measure", pipeline.id)))
}

/// Who produces what a pipeline reads.
fn world(pipeline: &Pipeline) -> Result<Box<dyn Iterator<Item = Record> + Send>, Failure> {
    let gateway = Gateway::new(Faults::NONE, SEED)?;
    let topics = Topics::new(pipeline);
    let reads = |declared: &str| topics.inputs().iter().any(|(topic, _)| **topic == *topics.input(declared));
    if reads(FLEET_TOPIC) {
        let settings = FleetSettings { devices: SCOOTERS, start: Settings::default().start, ..FleetSettings::default() };
        return Ok(Box::new(Feed::new(Fleet::new(settings, SEED)?, gateway)));
    }
    if !sim::CITY_TOPICS.iter().any(|topic| reads(topic)) {
        let id = &pipeline.id;
        return Err(Failure::failed(format!(
            "no simulated world produces what {id} reads: measure it with a history, by `headway bench engine --pipeline`."
        )));
    }
    let (stores, riders, orders_per_day, areas) = (STORES, RIDERS, ORDERS_PER_DAY, AREAS);
    let settings = Settings { stores, riders, orders_per_day, areas, ..Settings::default() };
    Ok(Box::new(Feed::new(City::new(settings, SEED)?, gateway)))
}

#[cfg(test)]
mod tests {
    use ports::clock_fn;

    use super::*;

    #[test]
    fn orders_happen_when_they_are_written() {
        let pipeline = workbench::orders_pipeline(&["5m".to_owned()]).expect("a pipeline");
        let now = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1_800_000_000_000));
        let clock = clock_fn(1.0, {
            let now = now.clone();
            move || Timestamp(now.load(std::sync::atomic::Ordering::Relaxed))
        });
        let mut load = Load::new(&Subject::BuiltIn, &Topics::new(&pipeline), 16, 1_000, clock).expect("a load");
        while let Some(event) = load.next().expect("orders enough") {
            let payload: serde_json::Value = serde_json::from_slice(&event.value).expect("JSON");
            let at = payload["occurred_at"].as_str().and_then(Timestamp::parse).expect("a time");
            // The log takes a quarter of an hour for them.
            let wall = now.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed);
            assert!(at.0 <= wall && at.0 >= wall - 30_000, "{at} at {wall}");
        }
    }

    #[test]
    fn what_a_city_does_in_a_day_is_no_later_than_its_pipeline_allows() {
        let pipeline = pipeline::load(Path::new("../../pipelines/delivery-eta")).expect("the pipeline of the repository");
        let (topics, now) = (Topics::new(&pipeline), Timestamp(1_800_000_000_000));
        let mut load =
            Load::new(&Subject::Folder(Box::new(pipeline)), &topics, 16, 20_000, clock_fn(1.0, move || now)).expect("a load");
        let (mut count, mut before, mut seen) = (0, Timestamp(0), BTreeMap::new());
        while let Some(event) = load.next().expect("events enough") {
            let payload: serde_json::Value = serde_json::from_slice(&event.value).expect("JSON");
            let at = payload["occurred_at"].as_str().and_then(Timestamp::parse).expect("a time");
            assert!(at >= before && at <= now && at >= now.minus(Span(300_000)), "{at} at {now}");
            assert_eq!(event.partition, partition_of(&event.key, 16));
            (count, before) = (count + 1, at);
            *seen.entry(event.topic).or_insert(0) += 1;
        }
        assert_eq!(count, 20_000);
        assert_eq!(seen.len(), 4, "all topics get events: {seen:?}");
    }
}
