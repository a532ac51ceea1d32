//! After a stop, what was missed is lived through in its order: nothing is told that the next records take back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use dataplane::{
    Topics,
    features::{Counts, Parts, Plan, Settings, Watch, Worker},
};
use domain::{Span, Timestamp, partition_of};
use ports::{Log, OnlineStore, Outgoing, VectorKey, clock_fn};
use testkit::fake::{MemoryArtifacts, MemoryLog, MemoryOnlineStore};
use tokio::{sync::watch, time::Instant};

const SPEC: &str = r#"
[source.beats]
topic = "beats"
key = "device"
time = "at"
skew = "1m"
lateness = "10m"
peak_per_second = 10
fields = { device = "string", area = "string" }

[source.doors]
topic = "doors"
key = "device"
time = "at"
skew = "1m"
lateness = "10m"
peak_per_second = 10
fields = { device = "string" }

[source.silent]
absence = { from = "beats", key = "device", within = "30m", topic = "alarms", entities = 100 }

[group.beats]
entity = "device"
key = "device"
source = "beats"
hop = "1m"
entities = 100
features = { beats = { count = "*", windows = ["1h"] } }

[group.silences]
entity = "area"
key = "area"
source = "silent"
hop = "1m"
entities = 100
features = { silences = { count = "*", windows = ["24h"] } }

[group.doors]
entity = "device"
key = "device"
source = "doors"
hop = "1m"
entities = 100
features = { doors = { count = "*", windows = ["1h"] } }
"#;
/// 2026-03-01T08:00:00Z.
const START: Timestamp = Timestamp(1_772_352_000_000);
const HOURS: u64 = 6;
const DEVICES: u64 = 40;
const AREAS: u64 = 5;

#[tokio::test(start_paused = true)]
async fn a_backlog_raises_nothing_that_it_takes_back() {
    let scene = Scene::new(1).await;
    for minute in 0..HOURS * 60 {
        // Many of the one and few of the other, so that the topics do not come in step by themselves.
        let beats = (0..DEVICES).filter(|device| minute % 10 == device % 10).map(|device| ("beats", device));
        let doors = (minute % 60 == 0).then_some(("doors", 1));
        scene.append(beats.chain(doors), minute).await;
    }
    scene.live_through().await;
    let told = scene.told("alarms").await;
    assert_eq!(told.len() as u64, DEVICES, "each device fell silent once, at the end: {told:#?}");
    assert!(told.iter().all(|alarm| alarm.contains("absence.raised")), "{told:#?}");
    let (header, _) = domain::unpack_header(&scene.vector("device", "d1", "beats").await).expect("packed");
    let passed = scene.parts.clock.now().minus(Span(8 * 3_600_000));
    assert!(header.as_of > passed, "the hours without beats have passed as well: {header:?}");
}

#[tokio::test(start_paused = true)]
async fn partitions_catch_up_side_by_side() {
    let scene = Scene::new(4).await;
    for minute in 0..HOURS * 60 {
        // In every second hour nobody is heard.
        let beats = (0..DEVICES).filter(|device| minute / 60 % 2 == 0 && minute % 10 == device % 10);
        scene.append(beats.map(|device| ("beats", device)), minute).await;
    }
    let counts = scene.live_through().await;
    assert_eq!(counts.refused, BTreeMap::new(), "nothing came too late for its tile");
    let groups = &scene.plan.pipeline.groups;
    let place = groups.iter().position(|group| group.name == "silences").expect("a group");
    let mut silences = 0;
    for area in 0..AREAS {
        let vector = scene.vector("area", &format!("a{area}"), "silences").await;
        let vector = domain::unpack(&vector, &features::schemas(&scene.plan.pipeline)[place]).expect("packed");
        let [Some(domain::Value::Integer(count))] = vector.values[..] else { panic!("one count: {vector:?}") };
        silences += count;
    }
    assert_eq!(silences as u64, DEVICES * HOURS / 2);
}

/// A log with a past, and whoever lives through it.
struct Scene {
    plan: Plan,
    parts: Parts<MemoryLog, MemoryOnlineStore, MemoryArtifacts>,
}

impl Scene {
    async fn new(partitions: u32) -> Self {
        let pipeline = Arc::new(pipeline::parse("watch", SPEC).expect("a pipeline"));
        let topics = Topics::new(&pipeline);
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || START.plus(Span(begun.elapsed().as_millis() as i64)));
        let parts = Parts {
            log: MemoryLog::new(clock.clone()),
            online: MemoryOnlineStore::default(),
            artifacts: MemoryArtifacts::default(),
            clock,
        };
        parts.log.create(&topics.specs(1, partitions, Span(7 * 86_400_000))).await.expect("topics");
        Self { plan: Plan { pipeline, generation: 1, partitions, topics, files: Vec::new(), quiet_until: None }, parts }
    }

    /// What devices say, and a minute.
    async fn append(&self, said: impl Iterator<Item = (&'static str, u64)>, minute: u64) {
        let event = |(topic, device)| event(topic, device, minute, &self.plan, self.parts.clock.now());
        self.parts.log.append(said.map(event).collect()).await.expect("appended");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }

    /// Begins after a night in which nobody was there, and ends when everything is written.
    async fn live_through(&self) -> Counts {
        tokio::time::sleep(Duration::from_secs(8 * 3600)).await;
        let watch = Watch::default();
        let (stop, stopped) = watch::channel(false);
        let worker = |number| {
            let (plan, parts) = (self.plan.clone(), self.parts.clone());
            let worker = Worker::new(plan, Settings::default(), parts, watch.clone(), format!("worker-{number}"), number);
            tokio::spawn(worker.run(stopped.clone()))
        };
        let workers: Vec<_> = (1..=2).map(worker).collect();
        let present = |counts: &Counts| counts.written && counts.clock >= self.parts.clock.now().minus(Span(60_000));
        while watch.counts().values().filter(|counts| present(counts)).count() < self.plan.partitions as usize {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        stop.send_replace(true);
        for worker in workers {
            worker.await.expect("no panic").expect("a clean end");
        }
        watch.total()
    }

    async fn told(&self, topic: &str) -> Vec<String> {
        let told = self.parts.log.read(&format!("headway.watch.{topic}"), 0, 0, 1 << 30).await.expect("readable");
        told.iter().map(|record| String::from_utf8_lossy(&record.value).into_owned()).collect()
    }

    async fn vector(&self, entity: &str, key: &str, group: &str) -> Vec<u8> {
        let key = VectorKey { entity, key, group, generation: 1 };
        self.parts.online.read(&[key]).await.expect("readable").pop().flatten().expect("known")
    }
}

fn event(topic: &str, device: u64, minute: u64, plan: &Plan, at: Timestamp) -> Outgoing {
    let (key, area) = (format!("d{device}"), (minute / 10 + device) % AREAS);
    let payload = format!(r#"{{"id":"{topic}-{device}-{minute}","source":"t","at":{},"device":"{key}","area":"a{area}"}}"#, at.0);
    Outgoing {
        topic: format!("headway.watch.{topic}").into(),
        partition: partition_of(key.as_bytes(), plan.partitions),
        key: Bytes::from(key),
        value: Bytes::from(payload),
        headers: Vec::new(),
    }
}
