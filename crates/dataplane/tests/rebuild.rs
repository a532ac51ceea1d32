//! A state that cannot go on from its snapshots is made again from the log, and whoever asks hears of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dataplane::{
    Topics,
    features::{Note, Parts, Plan, Rebuild, Settings, Watch, Worker},
};
use domain::{Span, Timestamp, Value, unpack};
use pipeline::Window;
use ports::{Artifacts, Log, OnlineStore, Outgoing, VectorKey, clock_fn};
use testkit::{
    fake::{Hook, MemoryArtifacts, MemoryLog, MemoryOnlineStore},
    pipelines,
};
use tokio::{sync::watch, time::Instant};

const START: Timestamp = Timestamp(1_760_000_000_000);
/// How long records are kept, shorter than what a window needs.
const RETENTION: Span = Span(10 * 60_000);

/// A log and stores that outlive their workers.
struct Scene {
    parts: Parts<MemoryLog, MemoryOnlineStore, MemoryArtifacts>,
    plan: Plan,
    lives: u64,
}

impl Scene {
    async fn new() -> Self {
        let mut pipeline = pipelines::minimal();
        // Totals and averages stay as they are for as long as a test lasts; counts decay and keep timers going.
        let day = Window { label: "24h".into(), width: Span(86_400_000) };
        pipeline.groups[0].features[1..].iter_mut().for_each(|feature| feature.windows = vec![day.clone()]);
        let pipeline = Arc::new(pipeline);
        let topics = Topics::new(&pipeline);
        let plan = Plan { pipeline, generation: 1, partitions: 1, topics, files: Vec::new(), quiet_until: None };
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || Timestamp(START.0 + begun.elapsed().as_millis() as i64));
        let parts = Parts {
            log: MemoryLog::new(clock.clone()),
            online: MemoryOnlineStore::new(Hook::default()),
            artifacts: MemoryArtifacts::new(Hook::default()),
            clock,
        };
        parts.log.create(&plan.topics.specs(1, 1, RETENTION)).await.expect("topics");
        Self { parts, plan, lives: 0 }
    }

    /// One reading of each of three sensors, a minute after those before.
    async fn produce(&self, number: i64) {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let at = self.parts.clock.now();
        let record = |sensor: i64| {
            let value = format!(
                r#"{{"id":"{number}-{sensor}","source":"s","at":"{at}","sensor":"{sensor}","amount":{}.5}}"#,
                number * 10 + sensor
            );
            let topic = self.plan.topics.inputs()[0].0.clone();
            Outgoing { topic, partition: 0, key: Bytes::new(), value: Bytes::from(value), headers: Vec::new() }
        };
        self.parts.log.append((0..3).map(record).collect()).await.expect("a log that works");
    }

    /// A worker takes what there is and is killed when it has written a snapshot of it.
    async fn live(&mut self) -> (Vec<Rebuild>, u64) {
        self.lives += 1;
        let settings = Settings { snapshot_records: 1, ..Settings::default() };
        let watch = Watch::default();
        let (_stop, stopped) = watch::channel(false);
        let worker = Worker::new(self.plan.clone(), settings, self.parts.clone(), watch.clone(), "w".into(), self.lives);
        let task = tokio::spawn(worker.run(stopped));
        let next = self.parts.log.bounds(&self.plan.topics.inputs()[0].0, 0).await.expect("a topic").next;
        // A commit names the snapshot when the first timer runs out, in little more than a minute.
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let committed = self.plan.committed(&self.parts.log).await.expect("a group");
            let saved = committed.iter().any(|partition| {
                let note = Note::decode(&partition.note).expect("a note");
                let anew = watch.total().rebuilds > 0;
                note.positions.first() == Some(&next) && (!anew || note.snapshots.iter().all(|stored| stored.life == self.lives))
            });
            let counts = watch.counts();
            if saved && counts.values().any(|counts| counts.written) {
                task.abort();
                let rebuilds = watch.take_rebuilds();
                assert_eq!(watch.total().rebuilds, rebuilds.len() as u64);
                return (rebuilds, watch.total().replayed);
            }
        }
        panic!("not done after three minutes: {:?}", watch.counts());
    }

    /// Totals and averages of all sensors.
    async fn values(&self) -> Vec<Vec<Option<Value>>> {
        let schema = &features::schemas(&self.plan.pipeline)[0];
        let key = |key| VectorKey { entity: "sensor", key, group: "sensor", generation: 1 };
        let read = self.parts.online.read(&["0", "1", "2"].map(key)).await.expect("a store");
        read.iter().flatten().map(|packed| unpack(packed, schema).expect("a vector").values.split_off(2)).collect()
    }
}

async fn pieces(scene: &Scene) -> Vec<String> {
    scene.parts.artifacts.list("state/").await.expect("a list")
}

fn check(scenario: impl AsyncFnOnce(&mut Scene)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { scenario(&mut Scene::new().await).await });
}

#[test]
fn snapshots_that_are_whole_are_gone_on_from_in_silence() {
    check(async |scene| {
        for number in 0..4 {
            scene.produce(number).await;
            assert_eq!(scene.live().await.0, []);
        }
    });
}

#[test]
fn a_missing_piece_is_named_and_the_log_gives_everything_back() {
    check(async |scene| {
        for number in 0..4 {
            scene.produce(number).await;
            scene.live().await;
        }
        let before = scene.values().await;
        scene.parts.online.empty();
        let pieces = pieces(scene).await;
        scene.parts.artifacts.remove(&pieces[0]).await.expect("removed");
        let (rebuilds, replayed) = scene.live().await;
        assert_eq!((rebuilds.len(), rebuilds[0].records, replayed), (1, 12, 12));
        let told = rebuilds[0].to_string();
        assert!(
            told.contains(&format!("partition 0 of generation 1 cannot go on from its snapshots: {} is missing", pieces[0])),
            "{told}"
        );
        assert_eq!(rebuilds[0].incomplete, [], "the log has everything");
        assert_eq!((before.len(), scene.values().await), (3, before));
    });
}

#[test]
fn a_damaged_piece_is_named_with_what_is_wrong() {
    check(async |scene| {
        scene.produce(0).await;
        scene.live().await;
        let piece = pieces(scene).await.pop().expect("a snapshot");
        scene.parts.artifacts.put(&piece, Bytes::from_static(b"anything else")).await.expect("written");
        let (rebuilds, _) = scene.live().await;
        assert!(rebuilds[0].fault.starts_with("state/minimal/1/0000: "), "{}", rebuilds[0].fault);
        scene.produce(1).await;
        assert_eq!(scene.live().await.0, [], "a new snapshot took its place");
    });
}

#[test]
fn what_retention_took_is_told_with_the_time_at_which_it_does_not_matter_any_more() {
    check(async |scene| {
        for number in 0..14 {
            scene.produce(number).await;
            scene.live().await;
        }
        scene.parts.log.retain();
        let piece = pieces(scene).await.remove(0);
        scene.parts.artifacts.remove(&piece).await.expect("removed");
        let (rebuilds, replayed) = scene.live().await;
        let left = scene.parts.log.read(&scene.plan.topics.inputs()[0].0, 0, 0, 1 << 20).await.expect("a log");
        assert!(left.len() < 14 * 3 && !left.is_empty(), "{} are left", left.len());
        assert_eq!((rebuilds[0].records, replayed), (left.len() as u64, left.len() as u64));
        let [incomplete] = &rebuilds[0].incomplete[..] else { panic!("one group: {rebuilds:?}") };
        assert_eq!(
            (incomplete.begins.at, incomplete.until),
            (left[0].append_at, left[0].append_at.plus(Span(86_400_000 + 640_000)))
        );
        assert!(
            rebuilds[0].to_string().contains(&format!("sensor may lack events until {}", incomplete.until)),
            "{}",
            rebuilds[0]
        );
    });
}
