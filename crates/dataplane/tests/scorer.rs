//! The scorer role on ports that fail: however often its workers are killed, fenced, cut off or woken up too late, each trigger makes one
//! prediction. Time is tokio's paused clock and chance comes from the seed: a seed is a run. `HEADWAY_SEED=n` runs one alone,
//! `HEADWAY_SEEDS=n` more of them.

#[path = "simulation/chaos.rs"]
#[allow(dead_code, reason = "the feature role needs more of it")]
mod chaos;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chaos::Chaos;
use dataplane::{
    Topics,
    scorer::{Parts, Plan, Served, Watch, Worker},
};
use domain::{Timestamp, partition_of};
use pipeline::Pipeline;
use ports::{Clock, Log, Outgoing, Record, TopicSpec, clock_fn};
use scoring::Predictor;
use testkit::{
    fake::{MemoryLog, MemoryOnlineStore},
    pipelines::predicted,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

const SEEDS: u64 = 40;
const START: Timestamp = Timestamp(1_795_348_800_000);
const PARTITIONS: u32 = 3;
const ORDERS: u64 = 20;
const STAGES: [&str; 4] = ["placed", "accepted", "ready", "delivered"];

/// A log that outlives its workers.
struct World {
    log: MemoryLog,
    parts: Parts<MemoryLog, MemoryOnlineStore>,
    plan: Plan,
    predictor: watch::Receiver<Arc<Predictor>>,
    watch: Watch,
    chaos: Chaos,
    clock: Clock,
    crashes: u64,
}

/// A worker, and how it is told to stop.
struct Running(JoinHandle<Result<(), dataplane::Error>>, watch::Sender<bool>);

/// What has to be said of each order: the stages at which it is predicted.
type Expected = BTreeMap<String, BTreeSet<&'static str>>;

impl World {
    async fn new(seed: u64) -> Self {
        let pipeline: Arc<Pipeline> = Arc::new(
            pipeline::parse("test", &predicted("label = [\"1m\", \"1h\"]", "5m")).unwrap_or_else(|faults| panic!("{faults}")),
        );
        let begun = Instant::now();
        let clock = clock_fn(1.0, move || Timestamp(START.0 + begun.elapsed().as_millis() as i64));
        let chaos = Chaos::new(seed);
        let log = MemoryLog::with_faults(clock.clone(), chaos.of_log());
        let topics = Topics::new(&pipeline);
        let predictor = Predictor::new(&pipeline, features::schemas(&pipeline), None).expect("no model").expect("a case");
        let (_, predictor) = watch::channel(Arc::new(predictor));
        let online = MemoryOnlineStore::new(chaos.of_stores());
        let names = [topics.inputs()[0].0.clone(), topics.predictions(), topics.feature_log(), topics.cases()];
        let spec = |name| TopicSpec { name, partitions: PARTITIONS, retention: None, retention_bytes: None };
        log.create(&names.map(spec)).await.expect("topics");
        let parts = Parts { log: log.clone(), online, clock: clock.clone() };
        Self { log, parts, plan: Plan { pipeline, topics }, predictor, watch: Watch::default(), chaos, clock, crashes: 0 }
    }

    fn start(&self, name: usize) -> Running {
        let (stop, stopped) = watch::channel(false);
        let worker =
            Worker::new(self.plan.clone(), self.parts.clone(), self.predictor.clone(), self.watch.clone(), format!("w{name}"));
        Running(tokio::spawn(worker.expect("a case").run(stopped)), stop)
    }

    async fn tell(&self, order: &str, what: &str, at: Timestamp) {
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
    async fn live(&mut self) -> Expected {
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
        for Running(task, stop) in workers {
            stop.send_replace(true);
            task.await.expect("no panic").expect("it stops when it is told to");
        }
        expected
    }

    async fn read(&self, topic: &str) -> Vec<Record> {
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
}

/// One seed: how often a worker died, and how many predictions there are by trigger.
async fn run(seed: u64) -> (u64, BTreeMap<String, u64>) {
    let mut world = World::new(seed).await;
    let expected = world.live().await;
    let (mut ids, mut found, mut counts) = (BTreeSet::new(), Expected::new(), BTreeMap::new());
    for record in world.read(&world.plan.topics.predictions()).await {
        let prediction: serde_json::Value = serde_json::from_slice(&record.value).expect("JSON");
        let text = |name: &str| prediction[name].as_str().unwrap_or_else(|| panic!("{name} of {prediction}")).to_owned();
        assert!(ids.insert(text("id")), "seed {seed}: {prediction} is there twice");
        assert_eq!(text("order").as_bytes(), &*record.key);
        let at = Timestamp::parse(&text("at")).expect("a time");
        assert!(Timestamp::parse(&text("promise_at")).is_some_and(|promised| promised > at));
        *counts.entry(text("trigger")).or_default() += 1;
        if let Some(stage) = STAGES.into_iter().find(|stage| *stage == text("trigger")) {
            assert!(found.entry(text("order")).or_default().insert(stage), "seed {seed}: {stage} twice: {prediction}");
        }
    }
    let expected: Expected = expected.into_iter().filter(|(_, stages)| !stages.is_empty()).collect();
    assert_eq!(found, expected, "seed {seed}");
    let (mut columns, mut served) = (BTreeMap::new(), BTreeSet::new());
    for record in world.read(&world.plan.topics.feature_log()).await {
        if record.key.is_empty() {
            let told: serde_json::Value = serde_json::from_slice(&record.value).expect("JSON");
            columns.insert(told["schema"].as_u64(), told["columns"].as_array().map(Vec::len));
            continue;
        }
        let row = Served::decode(&record.value).expect("a whole row");
        assert_eq!(columns.get(&Some(row.schema.into())), Some(&Some(row.words.len())), "its columns were told before");
        assert!(served.insert(format!("{:032x}", row.id)), "seed {seed}: a row is there twice");
    }
    assert_eq!(served, ids, "seed {seed}: each prediction has the row that it was made of");
    let mut left: BTreeMap<Bytes, bool> = BTreeMap::new();
    for record in world.read(&world.plan.topics.cases()).await {
        left.insert(record.key, !record.value.is_empty());
    }
    assert_eq!(left.values().filter(|is_known| **is_known).count(), 0, "seed {seed}: all of them are over and forgotten");
    (world.crashes, counts)
}

#[test]
fn each_trigger_makes_one_prediction_whatever_fails() {
    let asked = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match asked("HEADWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("HEADWAY_SEEDS").unwrap_or(SEEDS),
    };
    let (mut crashes, mut counts) = (0, BTreeMap::new());
    for seed in seeds.clone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let (died, by_trigger) = runtime.block_on(run(seed));
        crashes += died;
        by_trigger.into_iter().for_each(|(trigger, count)| *counts.entry(trigger).or_insert(0) += count);
    }
    println!("{crashes} crashes; {counts:?}");
    if seeds.end - seeds.start >= SEEDS {
        assert!(crashes > 200 && counts["time"] > 200, "what the seeds do not exercise they do not prove");
    }
}
