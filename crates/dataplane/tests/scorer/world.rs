//! Orders that live in paused time, workers that predict them, and somebody who kills: what the tests beside it share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use dataplane::{
    Topics,
    scorer::{Parts, Plan, Watch, Worker},
};
use domain::{Header, NEVER, Timestamp, pack, partition_of};
use pipeline::Pipeline;
use ports::{Clock, Log, OnlineStore, Outgoing, Record, Serving, Share, TopicSpec, VectorKey, VectorWrite, clock_fn};
use scoring::{
    Limits, Package, Predictor,
    package::{Files, MANIFEST, MODEL, Signer, sign},
};
use serde_json::Value;
use testkit::{
    fake::{Hook, MemoryLog, MemoryOnlineStore},
    model::Linear,
    pipelines::predicted,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::chaos::Chaos;

pub(crate) const START: Timestamp = Timestamp(1_795_348_800_000);
const PARTITIONS: u32 = 3;
const ORDERS: u64 = 20;
pub(crate) const STAGES: [&str; 4] = ["placed", "accepted", "ready", "delivered"];
/// What models of the pipeline take.
const INPUTS: [&str; 2] = ["orders_5m", "since_placed"];

/// A log that outlives its workers.
pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) parts: Parts<MemoryLog, MemoryOnlineStore>,
    pub(crate) plan: Plan,
    pub(crate) predictors: watch::Sender<Arc<Predictor>>,
    pub(crate) watch: Watch,
    chaos: Chaos,
    pub(crate) clock: Clock,
    pub(crate) crashes: u64,
}

/// A worker, and how it is told to stop.
pub(crate) struct Running(JoinHandle<Result<(), dataplane::Error>>, watch::Sender<bool>);

/// What has to be said of each order: the stages at which it is predicted.
pub(crate) type Expected = BTreeMap<String, BTreeSet<&'static str>>;

impl World {
    /// In which everything fails now and then.
    pub(crate) async fn new(seed: u64) -> Self {
        let chaos = Chaos::new(seed);
        let hook = chaos.of_stores();
        Self::with(chaos, hook).await
    }

    /// In which only the online store fails, as this hook says.
    pub(crate) async fn calm(hook: Hook) -> Self {
        let chaos = Chaos::new(0);
        chaos.calm();
        Self::with(chaos, hook).await
    }

    async fn with(chaos: Chaos, hook: Hook) -> Self {
        let case = format!("label = [\"1m\", \"1h\"]\nmodel = {{ name = \"eta\", inputs = {INPUTS:?} }}");
        let pipeline: Arc<Pipeline> =
            Arc::new(pipeline::parse("test", &predicted(&case, "5m")).unwrap_or_else(|faults| panic!("{faults}")));
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || Timestamp(START.0 + begun.elapsed().as_millis() as i64));
        let log = MemoryLog::with_faults(clock.clone(), chaos.of_log());
        let topics = Topics::new(&pipeline);
        let predictor = predictor(&pipeline, None);
        let online = MemoryOnlineStore::new(hook);
        let names = [topics.inputs()[0].0.clone(), topics.predictions(), topics.shadow(), topics.feature_log(), topics.cases()];
        let spec = |name| TopicSpec { name, partitions: PARTITIONS, retention: None, retention_bytes: None };
        log.create(&names.map(spec)).await.expect("topics");
        let parts = Parts { log: log.clone(), online, clock: clock.clone() };
        let (predictors, _) = watch::channel(Arc::new(predictor));
        Self { log, parts, plan: Plan { pipeline, topics }, predictors, watch: Watch::default(), chaos, clock, crashes: 0 }
    }

    /// A vector of a store with so many orders, for readers that read it from now on.
    pub(crate) async fn write(&self, store: &str, orders: u64) {
        self.write_as(store, self.header(), orders).await;
    }

    /// What stands before the values of a vector that is as it should be.
    pub(crate) fn header(&self) -> Header {
        let (schema, as_of) = (features::schemas(&self.plan.pipeline).remove(0).id, self.clock.now());
        Header { schema, generation: 1, position: 1, as_of, valid_until: NEVER, source_seen_at: None, source_silent: false }
    }

    /// The same for a vector that is not.
    pub(crate) async fn write_as(&self, store: &str, header: Header, orders: u64) {
        let group = &self.plan.pipeline.groups[0];
        let mut packed = Vec::new();
        pack(&mut packed, &header, &[Some(orders)]);
        let at = VectorKey { entity: &group.entity, key: store, group: &group.name, generation: 1 };
        let write = VectorWrite { at, packed: &packed, expires_at: Timestamp(i64::MAX) };
        let (online, serving) = (&self.parts.online, Serving { group: group.name.clone(), generation: 1 });
        while online.write(Share { generation: 1, partition: 0 }, &[write]).await.is_err() {}
        while online.serve(std::slice::from_ref(&serving)).await.is_err() {}
    }

    pub(crate) fn start(&self, name: usize) -> Running {
        let (stop, stopped) = watch::channel(false);
        let (plan, parts) = (self.plan.clone(), self.parts.clone());
        let worker = Worker::new(plan, parts, self.predictors.subscribe(), self.watch.clone(), format!("w{name}"));
        Running(tokio::spawn(worker.expect("a case").run(stopped)), stop)
    }

    pub(crate) async fn tell(&self, order: &str, what: &str, at: Timestamp) {
        let value =
            format!(r#"{{"id":"{order}-{what}","source":"s","at":"{at}","type":"{what}","order_id":"{order}","store":"s1"}}"#);
        let topic = self.plan.topics.inputs()[0].0.clone();
        let partition = partition_of(order.as_bytes(), PARTITIONS);
        let event =
            Outgoing { topic, partition, key: Bytes::from(order.to_owned()), value: Bytes::from(value), headers: Vec::new() };
        // A producer that hears nothing sends again.
        while self.log.append(vec![event.clone()]).await.is_err() {}
    }

    /// Orders live, and now and then a worker dies without a word.
    pub(crate) async fn live(&mut self) -> Expected {
        let mut workers: Vec<Running> = (0..2).map(|name| self.start(name)).collect();
        let mut expected = Expected::new();
        let mut under_way: Vec<(String, usize)> = (0..ORDERS).map(|number| (format!("o{number}"), 0)).collect();
        let mut told_before: Vec<(String, &str, Timestamp)> = Vec::new();
        while !under_way.is_empty() {
            tokio::time::sleep(Duration::from_millis(self.chaos.between(1, 20_000))).await;
            let place = self.chaos.between(0, under_way.len() as u64 - 1) as usize;
            let (order, stage) = under_way[place].clone();
            let is_cancelled = self.chaos.between(0, 19) == 0;
            let told = expected.entry(order.clone()).or_default();
            match stage {
                3 => drop(under_way.swap_remove(place)),
                _ if is_cancelled => drop(under_way.swap_remove(place)),
                stage => {
                    told.insert(STAGES[stage]);
                    under_way[place].1 += 1;
                }
            }
            let event = (order, if is_cancelled && stage < 3 { "cancelled" } else { STAGES[stage] }, self.clock.now());
            self.tell(&event.0, event.1, event.2).await;
            told_before.push(event);
            // And now and then an event comes again that came some time ago.
            let again = self.chaos.between(0, told_before.len() as u64 - 1) as usize;
            self.tell(&told_before[again].0, told_before[again].1, told_before[again].2).await;
            if self.chaos.between(0, 9) == 0 {
                let name = self.chaos.between(0, 1) as usize;
                workers[name].0.abort();
                workers[name] = self.start(name);
                self.crashes += 1;
            }
        }
        self.chaos.calm();
        // Whatever is left falls due, and is forgotten in the end.
        tokio::time::sleep(Duration::from_secs(4 * 3600)).await;
        for worker in workers {
            worker.stop().await;
        }
        expected
    }

    /// All records of a topic.
    pub(crate) async fn read(&self, topic: &str) -> Vec<Record> {
        let mut all = Vec::new();
        for partition in 0..PARTITIONS {
            let mut from = 0;
            loop {
                let records = self.log.read(topic, partition, from, 1 << 20).await.expect("a calm log");
                let Some(last) = records.last() else { break };
                from = last.offset + 1;
                all.extend(records);
            }
        }
        all
    }

    /// The same as objects.
    pub(crate) async fn read_json(&self, topic: &str) -> Vec<Value> {
        self.read(topic).await.iter().map(|record| serde_json::from_slice(&record.value).expect("JSON")).collect()
    }
}

impl Running {
    pub(crate) async fn stop(self) {
        self.1.send_replace(true);
        self.0.await.expect("no panic").expect("it stops when it is told to");
    }
}

pub(crate) fn predictor(pipeline: &Pipeline, model: Option<Arc<Package>>) -> Predictor {
    Predictor::new(pipeline, features::schemas(pipeline), model).expect("it fits").expect("a case")
}

/// A model that says so many seconds, and a minute more for each order of the store.
pub(crate) fn package(version: &str, seconds: f32) -> Arc<Package> {
    package_of(version, seconds, 60.0)
}

/// The same with so much for each order.
pub(crate) fn package_of(version: &str, seconds: f32, per_order: f32) -> Arc<Package> {
    let inputs = INPUTS.map(str::to_owned);
    let model = Linear { version, inputs: &inputs, seconds, weight: Some(("orders_5m", per_order)) };
    let mut files = Files::from([(MODEL.to_owned(), model.onnx()), (MANIFEST.to_owned(), model.manifest().into_bytes())]);
    let signer = Signer::from_secret(&[1; 32]);
    sign(&mut files, &signer);
    Arc::new(Package::load(&files, &[signer.key()], &Limits::default()).expect("a package"))
}
