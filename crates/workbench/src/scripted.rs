//! A plan and a log in memory that tests write line by line, at the instants that they choose.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use dataplane::{Topics, features::Plan};
use domain::{Span, Timestamp};
use pipeline::Pipeline;
use ports::{Header, Log, Outgoing};
use testkit::fake::MemoryLog;

/// Longer than any test unless it asks for less.
const RETENTION: Span = Span(1000 * 86_400_000);

/// A source of small orders, partitioned by their store.
const ORDERS: &str = r#"
[source.orders]
topic = "orders"
key = "store_id"
time = "occurred_at"
skew = "30s"
lateness = "10m"
fields = { order_id = "string", type = "string", store_id = "string", basket = { decimal = "0.01", max = "1000" } }
"#;

/// One log with the topics of one plan.
pub(crate) struct Scripted {
    pub(crate) log: MemoryLog,
    pub(crate) plan: Plan,
    now: Arc<AtomicI64>,
}

impl Scripted {
    pub(crate) fn new(pipeline: Pipeline, partitions: u32) -> Self {
        Self::with_retention(pipeline, partitions, RETENTION)
    }

    pub(crate) fn with_retention(pipeline: Pipeline, partitions: u32, retention: Span) -> Self {
        let now = Arc::new(AtomicI64::new(0));
        let read = now.clone();
        let log = MemoryLog::new(ports::clock_fn(1.0, move || Timestamp(read.load(Ordering::Relaxed))));
        let plan = plan(pipeline, partitions);
        run(log.create(&plan.topics.specs(1, partitions, retention))).expect("topics that can be made");
        Self { log, plan, now }
    }

    /// Writes a payload of a source.
    pub(crate) fn write(&self, source: usize, partition: u32, at: Timestamp, payload: &[u8]) {
        let (topic, _) = self.plan.topics.inputs().iter().find(|(_, sources)| sources.contains(&source)).expect("a stream");
        self.append(topic.clone(), partition, at, ("", payload), &[]);
    }

    /// Writes an order of [`orders_spec`] by its id, store and basket, with its time and that of its arrival.
    pub(crate) fn order(&self, (id, store, basket): (&str, &str, &str), time: &str, at: &str) {
        let payload = format!(r#"{{"id":"{id}","source":"s","store_id":"{store}","basket":{basket},"occurred_at":"{time}"}}"#);
        self.write(0, 0, instant(at), payload.as_bytes());
    }

    /// Writes the letter of a late record, as the feature role does.
    pub(crate) fn letter(&self, source: usize, partition: u32, offset: u64, at: Timestamp) {
        let (topic, _) = self.plan.topics.inputs().iter().find(|(_, sources)| sources.contains(&source)).expect("a stream");
        let (name, offset) = (&self.plan.pipeline.sources[source].name, offset.to_string());
        let of = partition.to_string();
        let headers = [("reason", "late"), ("source", name.as_str()), ("topic", topic), ("partition", &of), ("offset", &offset)];
        self.append(self.plan.topics.late(), partition, at, ("", b""), &headers);
    }

    /// Writes the letter of a part of an event that found no place, as the feature role does.
    pub(crate) fn dropped(&self, reason: &str, group: &str, key: &str, at: Timestamp) {
        let headers = [("reason", reason), ("group", group), ("entity", "store")];
        self.append(self.plan.topics.late(), 0, at, (key, b""), &headers);
    }

    /// Lets time pass and retention work.
    pub(crate) fn retain(&self, at: Timestamp) {
        self.now.store(at.0, Ordering::Relaxed);
        self.log.retain();
    }

    fn append(&self, topic: Arc<str>, partition: u32, at: Timestamp, (key, payload): (&str, &[u8]), headers: &[(&str, &str)]) {
        self.now.store(at.0, Ordering::Relaxed);
        let header =
            |(name, value): &(&str, &str)| Header { name: (*name).to_owned(), value: Bytes::copy_from_slice(value.as_bytes()) };
        let headers = headers.iter().map(header).collect();
        let (key, value) = (Bytes::copy_from_slice(key.as_bytes()), Bytes::copy_from_slice(payload));
        run(self.log.append(vec![Outgoing { topic, partition, key, value, headers }])).expect("a topic");
    }
}

/// A spec of orders with these groups.
pub(crate) fn orders_spec(groups: &str) -> String {
    format!("{ORDERS}{groups}")
}

/// The first generation of a pipeline.
pub(crate) fn plan(pipeline: Pipeline, partitions: u32) -> Plan {
    let topics = Topics::new(&pipeline);
    Plan { pipeline: Arc::new(pipeline), generation: 1, partitions, topics, files: Vec::new(), quiet_until: None }
}

/// Waits for what needs no waiting in memory.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(work)
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}
