//! One engine driven by hand, and the small pipelines that tests of single behaviours share.

// Every test file uses a part of it.
#![allow(dead_code)]

use std::sync::Arc;

use domain::{FeatureVector, Timestamp, Value};
use features::{Config, Engine, Output, Record, SnapshotKind};
use pipeline::{FieldKind, Pipeline, Source};
use testkit::pipelines::build::{bare, decimal, field, group, is, pair, pipeline, required, stream};

/// 2026-11-20T12:00:00Z
pub(crate) const START: i64 = 1_795_176_000_000;
pub(crate) const MINUTE: i64 = 60_000;

/// An engine with the last thing it gave back.
pub(crate) struct Run {
    pub(crate) engine: Engine,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) out: Output,
    sent: u64,
}

impl Run {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self::shard(pipeline, Config::default())
    }

    pub(crate) fn shard(pipeline: Pipeline, config: Config) -> Self {
        let pipeline = Arc::new(pipeline);
        let engine = Engine::new(pipeline.clone(), config).expect("a fixture without faults");
        Self { engine, pipeline, out: Output::default(), sent: 0 }
    }

    /// One event with an id of its own: its time and when it was appended, in milliseconds after the start.
    pub(crate) fn event(&mut self, members: &str, time: i64, append_at: i64) -> &mut Self {
        self.sent += 1;
        let id = self.sent;
        self.named(&format!("e{id}"), members, time, append_at)
    }

    pub(crate) fn named(&mut self, id: &str, members: &str, time: i64, append_at: i64) -> &mut Self {
        self.batch(&[(id, members, time, append_at)])
    }

    /// Events as (id, members, time, append time).
    pub(crate) fn batch(&mut self, events: &[(&str, &str, i64, i64)]) -> &mut Self {
        let payload = |(id, members, time, _): &(&str, &str, i64, i64)| {
            format!(r#"{{"source":"s","id":"{id}","at":{},{members}}}"#, START + time).into_bytes()
        };
        let payloads: Vec<Vec<u8>> = events.iter().map(payload).collect();
        let appended = events.iter().map(|event| Timestamp(START + event.3));
        let records =
            payloads.iter().zip(appended).map(|(payload, append_at)| Record { source: 0, offset: 0, append_at, payload });
        let now = events.iter().map(|event| START + event.3 + 1).max().unwrap_or(START);
        self.out = self.engine.ingest(&records.collect::<Vec<Record<'_>>>(), Timestamp(now));
        self
    }

    pub(crate) fn tick(&mut self, at: i64) -> &mut Self {
        self.out = self.engine.tick(Timestamp(START + at));
        self
    }

    /// Ticks whenever the engine asks for it before an instant, and says how often that was.
    pub(crate) fn follow_timers(&mut self, until: i64) -> usize {
        let mut ticks = 0;
        while let Some(timer) = self.out.next_timer.filter(|timer| timer.0 < START + until) {
            self.out = self.engine.tick(timer);
            ticks += 1;
            assert!(ticks < 100_000, "the engine asks for a tick again and again, now for {timer:?}");
        }
        ticks
    }

    /// A snapshot of this kind; another one is a failure.
    pub(crate) fn snapshot(&mut self, kind: SnapshotKind) -> Vec<u8> {
        let (written, bytes) = self.any_snapshot(kind);
        assert_eq!(written, kind);
        bytes
    }

    pub(crate) fn any_snapshot(&mut self, kind: SnapshotKind) -> (SnapshotKind, Vec<u8>) {
        let kind = self.engine.begin_snapshot(kind);
        let mut bytes = Vec::new();
        while self.engine.write_snapshot(1 << 16, &mut bytes) {}
        (kind, bytes)
    }

    pub(crate) fn restore(&mut self, snapshots: &[&[u8]]) -> &mut Self {
        self.engine = Engine::restore(self.pipeline.clone(), Config::default(), snapshots).expect("a snapshot as it was made");
        self
    }

    pub(crate) fn vector(&self, group: usize, key: &str) -> Option<FeatureVector> {
        self.engine.vector(group, key)
    }

    /// The first value of an entity; none when it is null or nothing is known of the entity.
    pub(crate) fn value(&self, group: usize, key: &str) -> Option<Value> {
        self.vector(group, key)?.values[0]
    }
}

/// Orders with the durations from `start` to `end`, by store.
pub(crate) fn durations(features: impl Fn(&Source) -> Vec<pipeline::Feature>) -> Pipeline {
    let orders = orders_stream();
    let durations = pair("durations", &orders, 0, "order", is(&orders, "type", "start"), is(&orders, "type", "end"), "1h");
    let features = features(&durations);
    let store = group("store", 1, bare(&durations, "store"), "1m", features);
    pipeline("durations", vec![orders, durations], vec![store])
}

pub(crate) fn orders_stream() -> Source {
    let text = |name| required(name, FieldKind::Text);
    stream("orders", "order", vec![text("order"), text("store"), text("type"), field("amount", decimal(0, 0, 1_000_000))])
}

pub(crate) fn order(store: &str, order: &str, kind: &str) -> String {
    format!(r#""store":"{store}","order":"{order}","type":"{kind}""#)
}

pub(crate) fn of_two(shard: u32) -> Config {
    Config { shard, shards: 2, ..Config::default() }
}
