//! One run: a scorer, workers that join, learners and a log in paused time, orders that live, and somebody who kills.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use dataplane::{
    Topics,
    outcomes::{self, Follow, Learner},
    scorer, warehouse,
};
use domain::{Span, Timestamp, partition_of};
use pipeline::Pipeline;
use ports::{Clock, Log, Outgoing, TopicSpec, clock_fn};
use scoring::Predictor;
use serde_json::Value;
use testkit::{
    fake::{MemoryArtifacts, MemoryLog, MemoryOnlineStore, MemoryWarehouse},
    pipelines::predicted,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::chaos::Chaos;

pub(crate) const START: Timestamp = Timestamp(1_795_348_800_000);
pub(crate) const PARTITIONS: u32 = 3;
pub(crate) const ORDERS: u64 = 20;
pub(crate) const STAGES: [&str; 4] = ["placed", "accepted", "ready", "delivered"];

/// Two of each: scorers, workers that join, learners, and workers that write rows.
pub(crate) const PROCESSES: usize = 8;

/// A task, and how it is told to stop.
struct Running(JoinHandle<Result<(), dataplane::Error>>, watch::Sender<bool>);

/// A log that outlives its workers.
pub(crate) struct World {
    log: MemoryLog,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) topics: Topics,
    online: MemoryOnlineStore,
    artifacts: MemoryArtifacts,
    pub(crate) warehouse: MemoryWarehouse,
    predictor: watch::Receiver<Arc<Predictor>>,
    stop_following: watch::Sender<bool>,
    chaos: Chaos,
    clock: Clock,
    pub(crate) crashes: u64,
}

/// What really became of an order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    pub(crate) told: BTreeMap<&'static str, Timestamp>,
    /// Somebody says afterwards that it was cancelled before it was delivered.
    pub(crate) is_disputed: bool,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let pipeline: Arc<Pipeline> = Arc::new(
            pipeline::parse(
                "test",
                &predicted("area = \"store\"\nlabel = [\"3m\", \"1h\"]\ncorrector = {}\ncalibration = {}", "5m"),
            )
            .unwrap_or_else(|faults| panic!("{faults}")),
        );
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || Timestamp(START.0 + begun.elapsed().as_millis() as i64));
        let chaos = Chaos::new(seed);
        let log = MemoryLog::with_faults(clock.clone(), chaos.of_log());
        let topics = Topics::new(&pipeline);
        let forever = |spec| TopicSpec { retention: None, ..spec };
        let events =
            TopicSpec { name: topics.inputs()[0].0.clone(), partitions: PARTITIONS, retention: None, retention_bytes: None };
        let own = topics.case_specs(&pipeline, PARTITIONS, Span(0)).into_iter().map(forever);
        let specs: Vec<TopicSpec> = own.chain([events]).collect();
        log.create(&specs).await.expect("topics");
        let (stop_following, stopped) = watch::channel(false);
        let predictor = tuned(&pipeline, &log, &topics, stopped).await;
        let (online, artifacts) = (MemoryOnlineStore::new(chaos.of_stores()), MemoryArtifacts::new(chaos.of_stores()));
        let warehouse = MemoryWarehouse::new(chaos.of_stores());
        Self { log, pipeline, topics, online, artifacts, warehouse, predictor, stop_following, chaos, clock, crashes: 0 }
    }

    fn start(&self, process: usize) -> Running {
        let (stop, stopped) = watch::channel(false);
        let (log, clock, member) = (self.log.clone(), self.clock.clone(), format!("w{process}"));
        let (pipeline, topics) = (self.pipeline.clone(), self.topics.clone());
        let task = match process / 2 {
            0 => {
                let parts = scorer::Parts { log, online: self.online.clone(), clock };
                let plan = scorer::Plan { pipeline, topics };
                let worker =
                    scorer::Worker::new(plan, parts, self.predictor.clone(), scorer::Watch::default(), member).expect("a case");
                tokio::spawn(worker.run(stopped))
            }
            1 => {
                let worker = outcomes::Worker::new(scorer::Plan { pipeline, topics }, log, member).expect("a case");
                tokio::spawn(worker.run(stopped))
            }
            2 => {
                let parts = outcomes::Parts { log, artifacts: self.artifacts.clone(), clock };
                let learner = Learner::new(scorer::Plan { pipeline, topics }, parts, member).expect("a case");
                tokio::spawn(learner.run(stopped))
            }
            _ => {
                let parts = warehouse::Parts { log, warehouse: self.warehouse.clone(), writer: "all".into() };
                let watch = warehouse::Watch::default();
                tokio::spawn(warehouse::Worker::new(&pipeline.id, &topics, parts, watch, member).run(stopped))
            }
        };
        Running(task, stop)
    }

    async fn tell(&self, order: &str, what: &str, at: Timestamp) {
        let value =
            format!(r#"{{"id":"{order}-{what}","source":"s","at":"{at}","type":"{what}","order_id":"{order}","store":"s1"}}"#);
        let (topic, partition) = (self.topics.inputs()[0].0.clone(), partition_of(order.as_bytes(), PARTITIONS));
        let event = Outgoing { topic, partition, key: order.to_owned().into(), value: value.into(), headers: Vec::new() };
        // A producer that hears nothing sends again.
        while self.log.append(vec![event.clone()]).await.is_err() {}
    }

    /// Orders live, and now and then a worker dies without a word.
    pub(crate) async fn live(&mut self) -> BTreeMap<String, Truth> {
        let mut workers: Vec<Running> = (0..PROCESSES).map(|process| self.start(process)).collect();
        let mut truths: BTreeMap<String, Truth> = BTreeMap::new();
        let mut under_way: Vec<(String, usize)> = (0..ORDERS).map(|number| (format!("o{number}"), 0)).collect();
        while !under_way.is_empty() {
            tokio::time::sleep(Duration::from_millis(self.chaos.between(1, 20_000))).await;
            let place = self.chaos.between(0, under_way.len() as u64 - 1) as usize;
            let (order, stage) = under_way[place].clone();
            let truth = truths.entry(order.clone()).or_default();
            let chance = self.chaos.between(0, 39);
            match (stage, chance) {
                // Nobody ever hears of it again.
                (1.., 0) => drop(under_way.swap_remove(place)),
                (1..3, 1 | 2) => {
                    under_way.swap_remove(place);
                    truth.told.insert("cancelled", self.clock.now());
                    self.tell(&order, "cancelled", self.clock.now()).await;
                }
                _ => {
                    truth.told.insert(STAGES[stage], self.clock.now());
                    self.tell(&order, STAGES[stage], self.clock.now()).await;
                    match stage {
                        3 => drop(under_way.swap_remove(place)),
                        stage => under_way[place].1 = stage + 1,
                    }
                    if stage == 3 && chance < 10 {
                        truth.is_disputed = true;
                        let before = self.clock.now().minus(Span(60_000));
                        tokio::time::sleep(Duration::from_millis(self.chaos.between(1, 30_000))).await;
                        self.tell(&order, "cancelled", before).await;
                    }
                }
            }
            if self.chaos.between(0, 7) == 0 {
                let process = self.chaos.between(0, PROCESSES as u64 - 1) as usize;
                workers[process].0.abort();
                workers[process] = self.start(process);
                self.crashes += 1;
            }
        }
        self.chaos.calm();
        // What nobody hears of again is lost, and with the next order of each partition its hours are over.
        tokio::time::sleep(Duration::from_secs(4 * 3600)).await;
        let mut partitions: BTreeSet<u32> = (0..PARTITIONS).collect();
        for order in (0..).map(|number| format!("last{number}")) {
            if partitions.remove(&partition_of(order.as_bytes(), PARTITIONS)) {
                truths.entry(order.clone()).or_default().told.insert("placed", self.clock.now());
                self.tell(&order, "placed", self.clock.now()).await;
            }
            if partitions.is_empty() {
                break;
            }
        }
        tokio::time::sleep(Duration::from_secs(3 * 3600)).await;
        for Running(task, stop) in workers {
            stop.send_replace(true);
            task.await.expect("no panic").expect("it stops when it is told to");
        }
        self.stop_following.send_replace(true);
        truths
    }

    /// All records of a topic, with their partitions.
    pub(crate) async fn read(&self, topic: &str, partitions: u32) -> Vec<(u32, Bytes)> {
        let mut all = Vec::new();
        for partition in 0..partitions {
            let mut from = 0;
            loop {
                let records = self.log.read(topic, partition, from, 1 << 20).await.expect("a calm log");
                let Some(last) = records.last() else { break };
                from = last.offset + 1;
                all.extend(records.into_iter().map(|record| (partition, record.value)));
            }
        }
        all
    }

    pub(crate) async fn read_json(&self, topic: &str) -> Vec<(u32, Value)> {
        let parse = |(partition, value): (u32, Bytes)| (partition, serde_json::from_slice(&value).expect("JSON"));
        self.read(topic, PARTITIONS).await.into_iter().map(parse).collect()
    }
}

/// A predictor that hears of what was learned.
async fn tuned(
    pipeline: &Pipeline,
    log: &MemoryLog,
    topics: &Topics,
    stopped: watch::Receiver<bool>,
) -> watch::Receiver<Arc<Predictor>> {
    let predictor = Predictor::new(pipeline, features::schemas(pipeline), None).expect("no model").expect("a case");
    let begun = Follow::begin(log.clone(), topics.adjustments(), predictor.case().clone()).await;
    let (follow, _) = begun.unwrap_or_else(|error| panic!("{error}"));
    let (tell, predictors) = watch::channel(Arc::new(predictor.clone()));
    let tell = move |tuning| drop(tell.send_replace(Arc::new(predictor.with_tuning(tuning))));
    tokio::spawn(follow.run(tell, stopped));
    predictors
}
