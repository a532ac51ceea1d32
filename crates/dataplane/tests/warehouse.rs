//! A warehouse that is away while predictions are made: what waits for it is bounded, nobody ends, and then each record has one row.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dataplane::{
    Topics,
    warehouse::{Counts, Parts, Table, Tables, Watch, Worker},
};
use domain::{Span, Timestamp};
use ports::{Cell, Clock, Log, Outgoing, clock_fn};
use testkit::{
    fake::{Fault, Hook, MemoryLog, MemoryWarehouse},
    pipelines::predicted,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

const START: Timestamp = Timestamp(1_795_348_800_000);
const PARTITIONS: u32 = 2;
/// Several times what may wait.
const PREDICTIONS: u64 = 120_000;
/// As long as records are in earnest.
const PAD: usize = 500;
/// What a worker may hold of them: 4 MiB of each of two partitions in records of more than 500 bytes, and two steps more.
const WAITING_MAX: u64 = 2 * 8_000 + 2 * 8_192;

struct Scene {
    log: MemoryLog,
    topics: Topics,
    warehouse: MemoryWarehouse,
    is_away: Arc<AtomicBool>,
}

impl Scene {
    async fn new() -> Self {
        let pipeline = pipeline::parse("test", &predicted("", "5m")).unwrap_or_else(|faults| panic!("{faults}"));
        let begun = Instant::now();
        let clock: Clock = clock_fn(1.0, move || Timestamp(START.0 + begun.elapsed().as_millis() as i64));
        let (log, topics) = (MemoryLog::new(clock), Topics::new(&pipeline));
        log.create(&topics.case_specs(&pipeline, PARTITIONS, Span(86_400_000))).await.expect("topics");
        let is_away = Arc::new(AtomicBool::new(false));
        let away = is_away.clone();
        let fault = move |_: &'static str| if away.load(Ordering::Relaxed) { Fault::Before } else { Fault::None };
        Self { log, topics, warehouse: MemoryWarehouse::new(Hook::new(fault)), is_away }
    }

    fn start(&self, writer: &str, watch: &Watch) -> (JoinHandle<Result<(), dataplane::Error>>, watch::Sender<bool>) {
        let (stop, stopped) = watch::channel(false);
        let parts = Parts { log: self.log.clone(), warehouse: self.warehouse.clone(), writer: writer.into() };
        let worker = Worker::new("test", &self.topics, parts, watch.clone(), "one".into());
        (tokio::spawn(worker.run(stopped)), stop)
    }

    /// Appends predictions by their numbers.
    async fn predict(&self, numbers: std::ops::Range<u64>) {
        let record = |number: u64| Outgoing {
            topic: self.topics.predictions(),
            partition: (number % u64::from(PARTITIONS)) as u32,
            key: Bytes::from(format!("o{number}")),
            value: Bytes::from(format!(
                r#"{{"id":"{number}","at":"2026-11-22T12:00:00.000Z","p50":{number},"pad":"{}"}}"#,
                "x".repeat(PAD)
            )),
            headers: Vec::new(),
        };
        for first in numbers.clone().step_by(10_000) {
            let last = (first + 10_000).min(numbers.end);
            self.log.append((first..last).map(record).collect()).await.expect("appended");
        }
    }

    /// The numbers of all rows, in order.
    fn rows(&self) -> Vec<u64> {
        let number = |row: Vec<Cell>| match &row[1] {
            Cell::Text(id) => id.parse().expect("a number"),
            other => panic!("{other:?} is no id"),
        };
        let mut rows: Vec<u64> =
            self.warehouse.rows(&Tables::new("test").name(Table::Predictions)).into_iter().map(number).collect();
        rows.sort_unstable();
        rows
    }
}

/// Lets time pass until it is so.
async fn until(watch: &Watch, what: &str, is_so: impl Fn(&Counts) -> bool) {
    for _ in 0..7_200 {
        if is_so(&watch.counts()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("not within an hour: {what}; {:?}", watch.counts());
}

#[tokio::test(start_paused = true)]
async fn while_it_is_away_records_wait_in_the_log_and_then_each_has_one_row() {
    let (scene, watch) = (Scene::new().await, Watch::default());
    let (task, stop) = scene.start("a", &watch);
    scene.predict(0..1000).await;
    until(&watch, "the first rows are written", |counts| counts.rows.get(&Table::Predictions) == Some(&1000)).await;
    scene.is_away.store(true, Ordering::Relaxed);
    scene.predict(1000..PREDICTIONS).await;
    until(&watch, "it is tried again and again", |counts| counts.failures > 20).await;
    let counts = watch.counts();
    assert!(counts.waiting > 10_000 && counts.waiting < WAITING_MAX, "{counts:?}");
    assert!(counts.fault.is_some() && watch.take_words().is_some_and(|words| words.contains("wait in the log")));
    assert_eq!(watch.take_words(), None, "it is said once");
    assert_eq!(scene.rows().len(), 1000);
    scene.is_away.store(false, Ordering::Relaxed);
    until(&watch, "all rows are written", |counts| counts.rows.get(&Table::Predictions) == Some(&PREDICTIONS)).await;
    assert!(watch.counts().fault.is_none() && watch.take_words().is_some());
    stop.send_replace(true);
    task.await.expect("no panic").expect("it stops when it is told to");
    assert_eq!(scene.rows(), (0..PREDICTIONS).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_written_before_a_stop_and_a_stop_does_not_wait_for_a_warehouse_that_is_away() {
    let (scene, watch) = (Scene::new().await, Watch::default());
    let mut begin = 0;
    for is_away in [false, true, false] {
        scene.is_away.store(is_away, Ordering::Relaxed);
        let (task, stop) = scene.start("a", &watch);
        let before = scene.rows().len() as u64;
        scene.predict(begin..begin + 100).await;
        begin += 100;
        until(&watch, "they are taken", |counts| counts.waiting == begin - before).await;
        stop.send_replace(true);
        task.await.expect("no panic").expect("it stops when it is told to");
        assert_eq!(scene.rows().len() as u64, if is_away { before } else { begin });
    }
    assert_eq!(scene.rows(), (0..begin).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn another_writer_goes_on_with_numbers_of_its_own() {
    let (scene, watch) = (Scene::new().await, Watch::default());
    for (begin, writer) in [(0, "a"), (100, "b"), (200, "a")] {
        let (task, stop) = scene.start(writer, &watch);
        scene.predict(begin..begin + 100).await;
        let written = begin + 100;
        until(&watch, "they are written", |counts| counts.rows.get(&Table::Predictions) == Some(&written)).await;
        stop.send_replace(true);
        task.await.expect("no panic").expect("it stops when it is told to");
    }
    assert_eq!(scene.rows(), (0..300).collect::<Vec<_>>());
}
