//! One run: a log, stores and workers in paused time, producers who repeat themselves, and somebody who kills.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dataplane::{
    Topics,
    features::{Counts, Parts, Plan, Settings, Watch, Worker},
};
use domain::{Schema, Span, Timestamp};
use pipeline::{Pipeline, Window};
use ports::{Log, Outgoing, clock_fn};
use testkit::{
    Mode, Oracle, Record,
    fake::{MemoryArtifacts, MemoryLog, MemoryOnlineStore},
    generate, pipelines,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{
    auditor::{Auditor, topic_of},
    chaos::Chaos,
    reader::Reader,
};

/// A column that never falls: its window is longer than any run.
pub(crate) const EVER: &str = "ever_24h";

pub(crate) type Key = (usize, String);
type Ports = Parts<MemoryLog, MemoryOnlineStore, MemoryArtifacts>;

/// What a seed decides once.
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) schemas: Vec<Schema>,
    pub(crate) plan: Plan,
    workers: usize,
}

pub(crate) struct World {
    setting: Arc<Setting>,
    chaos: Chaos,
    parts: Ports,
    watch: Watch,
    records: Vec<Vec<Record>>,
    lives: u64,
    /// No vector is of an instant before this one.
    fence: Arc<AtomicI64>,
    outcome: Outcome,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) records: u64,
    pub(crate) crashes: u64,
    pub(crate) stops: u64,
    pub(crate) fenced: u64,
    pub(crate) refills: u64,
    pub(crate) snapshots: u64,
    pub(crate) replayed: u64,
    pub(crate) superseded: u64,
    pub(crate) letters: u64,
    pub(crate) compared: u64,
    pub(crate) reads: u64,
    pub(crate) built: u64,
    pub(crate) drained_after_ms: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.crashes += other.crashes;
        self.stops += other.stops;
        self.fenced += other.fenced;
        self.refills += other.refills;
        self.snapshots += other.snapshots;
        self.replayed += other.replayed;
        self.superseded += other.superseded;
        self.letters += other.letters;
        self.compared += other.compared;
        self.reads += other.reads;
        self.built += other.built;
        self.drained_after_ms = self.drained_after_ms.max(other.drained_after_ms);
    }

    fn count(&mut self, counts: &Counts) {
        self.refills += counts.refills;
        self.snapshots += counts.snapshots;
        self.replayed += counts.replayed;
        self.superseded += counts.superseded;
    }
}

/// A worker under way.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), dataplane::Error>>,
    until: Instant,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let chaos = Chaos::new(seed);
        let pipeline = Arc::new(if seed % 4 == 3 { pipelines::orders() } else { with_ever(pipelines::minimal()) });
        let partitions = chaos.between(1, 4) as u32;
        let knobs = generate::Stream { events: 160, span: Span(600_000), ..generate::Stream::default() };
        let start = knobs.start_at.minus(Span(60_000));
        // Some generations are asked for when there is a log already, and some of these when nothing comes any more.
        let quiet_until = (seed % 5 == 1).then(|| start.plus(Span(chaos.between(120_000, 900_000) as i64)));
        let (topics, files) = (Topics::new(&pipeline), Vec::new());
        let plan = Plan { pipeline: pipeline.clone(), generation: 1, partitions, topics, files, quiet_until };
        let workers = chaos.between(1, 3) as usize;
        let schemas = features::schemas(&pipeline);
        let setting = Arc::new(Setting { seed, pipeline, schemas, plan, workers });
        let records = generate::records(&setting.pipeline, &knobs, seed);
        let records = generate::partition(&setting.pipeline, &records, partitions as usize, 0.1);
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || Timestamp(start.0 + begun.elapsed().as_millis() as i64));
        let parts = Parts {
            log: MemoryLog::with_faults(clock.clone(), chaos.of_log()),
            online: MemoryOnlineStore::new(chaos.of_stores()),
            artifacts: MemoryArtifacts::new(chaos.of_stores()),
            clock,
        };
        let outcome = Outcome::default();
        // Of a generation that is not asked for yet nothing at all may be seen.
        let fence = Arc::new(AtomicI64::new(if quiet_until.is_some() { i64::MAX } else { i64::MIN }));
        Self { setting, chaos, parts, watch: Watch::default(), records, lives: 0, fence, outcome }
    }

    pub(crate) async fn run(mut self) -> Outcome {
        let topics = self.setting.plan.topics.specs(1, self.setting.plan.partitions, Span(7 * 86_400_000));
        self.parts.log.create(&topics).await.expect("topics");
        let producers: Vec<JoinHandle<u64>> = (0..self.records.len()).map(|partition| self.produce(partition)).collect();
        let reader = self.read();
        if let Some(asked_for_at) = self.setting.plan.quiet_until {
            tokio::time::sleep(self.parts.clock.until(asked_for_at)).await;
            self.fence.store(self.newest_before(asked_for_at).await.0, Ordering::Relaxed);
            self.outcome.built += 1;
        }
        let mut running: Vec<Running> = (0..self.setting.workers).map(|worker| self.start(worker)).collect();
        while producers.iter().any(|producer| !producer.is_finished()) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            self.disturb(&mut running).await;
        }
        self.chaos.calm();
        for producer in producers {
            self.outcome.records += producer.await.expect("a producer");
        }
        let drained_at = Instant::now();
        self.drain(&mut running).await;
        self.outcome.drained_after_ms = drained_at.elapsed().as_millis() as u64;
        self.audit(&mut running).await;
        for worker in &running {
            worker.stop.send_replace(true);
        }
        for worker in running {
            worker.task.await.expect("no panic").expect("a clean end");
        }
        reader.0.send_replace(true);
        self.outcome.reads = reader.1.await.expect("a reader that saw nothing go back");
        self.counted();
        self.outcome.fenced = self.chaos.fenced();
        self.outcome
    }

    /// The newest record that every partition has before an instant. Nothing that is older may be seen of a generation which was asked
    /// for then.
    async fn newest_before(&self, at: Timestamp) -> Timestamp {
        let mut newest = at;
        for partition in 0..self.setting.plan.partitions {
            for (topic, _) in self.setting.plan.topics.inputs() {
                // A log that fails now and then is asked again.
                let last = loop {
                    let Ok(next) = self.parts.log.offset_at(topic, partition, at).await else { continue };
                    match self.parts.log.read(topic, partition, next.saturating_sub(1), 1).await {
                        Ok(last) => break last,
                        Err(_) => continue,
                    }
                };
                newest = last.first().map_or(newest, |record| newest.min(record.append_at));
            }
        }
        newest
    }

    /// Appends the records of a partition at their times, and again when it does not know whether it did.
    fn produce(&self, partition: usize) -> JoinHandle<u64> {
        let (setting, log, clock) = (self.setting.clone(), self.parts.log.clone(), self.parts.clock.clone());
        let records = self.records[partition].clone();
        tokio::spawn(async move {
            let mut appended = 0;
            for burst in records.chunk_by(|one, next| next.append_at.0 / 3000 == one.append_at.0 / 3000) {
                tokio::time::sleep(clock.until(burst[0].append_at)).await;
                for record in burst {
                    let topic = topic_of(&setting, record.source).expect("records are of streams").into();
                    let (partition, value) = (partition as u32, Bytes::from(record.payload.clone()));
                    let outgoing = Outgoing { topic, partition, key: Bytes::new(), value, headers: Vec::new() };
                    while log.append(vec![outgoing.clone()]).await.is_err() {
                        appended += 1;
                    }
                    appended += 1;
                }
            }
            appended
        })
    }

    fn read(&self) -> (watch::Sender<bool>, JoinHandle<u64>) {
        let oracle = Oracle::new(&self.setting.pipeline);
        let end = Timestamp(i64::MAX / 4);
        let keys: Vec<Key> = oracle.history(&self.records).vectors(end, Mode::Complete).into_keys().collect();
        let mut reader = Reader::new(self.setting.clone(), self.parts.online.clone(), keys, self.fence.clone());
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut reads = 0;
            while tokio::time::timeout(Duration::from_millis(1700), stopped.wait_for(|stopped| *stopped)).await.is_err() {
                reader.look().await;
                reads += 1;
            }
            reads
        });
        (stop, task)
    }

    fn start(&mut self, worker: usize) -> Running {
        self.lives += 1;
        let settings = Settings {
            batch_max: 64,
            fetch_bytes_max: 4096,
            snapshot_records: 20,
            snapshot_every: Duration::from_secs(40),
            frame_bytes: 600,
            part_bytes: 1500,
            changes_max: 3,
            publish_max: 5,
            probe_every: Duration::from_secs(5),
            sign_every: Span(5000),
            idle: Duration::from_secs(5),
        };
        let (stop, stopped) = watch::channel(false);
        let name = format!("worker-{worker}");
        let worker = Worker::new(self.setting.plan.clone(), settings, self.parts.clone(), self.watch.clone(), name, self.lives);
        let until = Instant::now() + Duration::from_millis(self.chaos.between(2_000, 240_000));
        Running { stop, task: tokio::spawn(worker.run(stopped)), until }
    }

    /// Kills or stops the workers whose time has come, and starts others in their place.
    async fn disturb(&mut self, running: &mut [Running]) {
        for (place, worker) in running.iter_mut().enumerate() {
            if worker.until > Instant::now() {
                assert!(!worker.task.is_finished(), "seed {}: a worker ended by itself", self.setting.seed);
                continue;
            }
            if self.chaos.between(0, 4) == 0 {
                worker.stop.send_replace(true);
                self.outcome.stops += 1;
                tokio::time::sleep(Duration::from_millis(self.chaos.between(0, 20_000))).await;
            }
            worker.task.abort();
            self.outcome.crashes += 1;
            tokio::time::sleep(Duration::from_millis(self.chaos.between(0, 15_000))).await;
            self.counted();
            *worker = self.start(place);
        }
    }

    /// What all workers have counted. Those of a killed one go with it.
    fn counted(&mut self) {
        self.outcome.count(&std::mem::take(&mut self.watch).total());
    }

    /// Waits until everything that is in the log was taken.
    async fn drain(&mut self, running: &mut [Running]) {
        for worker in running.iter_mut() {
            worker.until = Instant::now() + Duration::from_secs(1 << 30);
        }
        let plan = &self.setting.plan;
        let mut quiet = 0;
        for _ in 0..2000 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let committed = plan.committed(&self.parts.log).await.expect("a calm log");
            let mut behind = false;
            for partition in 0..plan.partitions {
                for topic in plan.reads() {
                    let next = self.parts.log.bounds(&topic, partition).await.expect("a calm log").next;
                    let of_partition = committed.iter().filter(|assignment| assignment.partition == partition);
                    let mut positions = of_partition.flat_map(|assignment| &assignment.positions);
                    behind |= next > 0 && !positions.any(|position| position.topic == topic && position.next == next);
                }
            }
            // Signs of life and refills come a little later than the records, and somebody may still stand still for half a minute.
            quiet = if behind { 0 } else { quiet + 1 };
            if quiet > 60 {
                return;
            }
        }
        panic!("seed {}: not drained after half an hour", self.setting.seed);
    }

    async fn audit(&mut self, running: &mut [Running]) {
        for pause in [Duration::ZERO, Duration::from_secs(185), Duration::from_secs(7200)] {
            tokio::time::sleep(pause).await;
            assert!(running.iter().all(|worker| !worker.task.is_finished()), "seed {}: a worker ended", self.setting.seed);
            let auditor = Auditor { setting: &self.setting, log: &self.parts.log, online: &self.parts.online };
            let facts = auditor.facts().await;
            self.outcome.compared += auditor.vectors(&facts, self.parts.clock.now()).await;
            self.outcome.letters = auditor.letters(&facts).await;
        }
    }
}

/// With a group whose only window is longer than any run.
fn with_ever(mut pipeline: Pipeline) -> Pipeline {
    let mut group = pipeline.groups[0].clone();
    group.name = "sensor_ever".into();
    (group.hop, group.tolerance) = (Span(3_600_000), Span(3_600_000));
    group.features.truncate(1);
    group.features[0].name = "ever".into();
    group.features[0].windows = vec![Window { label: "24h".into(), width: Span(86_400_000) }];
    pipeline.groups.push(group);
    pipeline
}
