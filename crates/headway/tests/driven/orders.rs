//! Orders beside the scooters, in a pipeline that predicts them: what is sent of them, and what must have been said of each in the
//! end. What is expected is counted from the events alone, without the code that predicts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dataplane::scorer::Served;
use domain::Timestamp;
use ports::{Cell, Day, Log, Record, Warehouse};
use serde_json::{Value, json};

use super::{PARTITIONS, Sent};

pub(crate) const TOPIC: &str = "headway.driven-orders.orders";
const PREDICTIONS: &str = "headway.driven-orders.eta";
const ROWS: &str = "headway.driven-orders.feature-log";
const OUTCOMES: &str = "headway.driven-orders.outcomes";
const CASES: &str = "headway.driven-orders.cases";
/// Whatever is killed, somebody learns from what became of the predictions.
const CASE: &str = "label = [\"1s\", \"1h\"]\ncorrector = {}\ncalibration = {}";
/// In their order; the last is never predicted.
const STAGES: [&str; 4] = ["placed", "accepted", "ready", "delivered"];
/// Of predictions and of outcomes.
const TABLES: [(&str, &str); 2] = [("driven_orders_predictions", PREDICTIONS), ("driven_orders_outcomes", OUTCOMES)];
/// Orders under way at a time: enough for every partition.
const UNDER_WAY: usize = 24;

/// The pipeline in a folder of its own.
pub(crate) fn write_spec(folder: &Path) -> PathBuf {
    let spec = folder.join("driven-orders");
    fs::create_dir_all(&spec).expect("a folder");
    fs::write(spec.join("pipeline.toml"), testkit::pipelines::predicted(CASE, "10s")).expect("a spec");
    spec
}

/// Orders that are under way.
#[derive(Default)]
pub(crate) struct Orders {
    placed: u64,
    under_way: Vec<(u64, usize)>,
    before: Vec<Sent>,
}

impl Orders {
    /// What happens next, and now and then once more what has happened already.
    pub(crate) fn events(&mut self, now: i64, mut between: impl FnMut(u64, u64) -> u64) -> Vec<Sent> {
        while self.under_way.len() < UNDER_WAY {
            self.placed += 1;
            self.under_way.push((self.placed, 0));
        }
        let mut events = Vec::new();
        for _ in 0..between(1, 6) {
            let place = between(0, self.under_way.len() as u64 - 1) as usize;
            let (order, stage) = self.under_way[place];
            let is_cancelled = stage > 0 && stage < 3 && between(0, 19) == 0;
            let what = if is_cancelled { "cancelled" } else { STAGES[stage] };
            match stage {
                3 => drop(self.under_way.swap_remove(place)),
                _ if is_cancelled => drop(self.under_way.swap_remove(place)),
                _ => self.under_way[place].1 += 1,
            }
            let event = sent(order, what, now);
            if between(0, 9) == 0 {
                events.push(event.clone());
            }
            self.before.push(event.clone());
            events.push(event);
            if between(0, 9) == 0 {
                let again = between(0, self.before.len() as u64 - 1) as usize;
                events.push(self.before[again].clone());
            }
            // Nobody sends again what happened long ago.
            if self.before.len() > 200 {
                self.before.remove(0);
            }
        }
        events
    }
}

fn sent(order: u64, what: &str, now: i64) -> Sent {
    let (id, key) = (format!("o{order}-{what}"), format!("o{order}"));
    let payload = json!({
        "id": id, "source": "orders", "at": Timestamp(now).to_string(), "type": what, "order_id": key, "store": format!("s{}", order % 7),
    });
    Sent { topic: TOPIC, id, key, payload: payload.to_string() }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Audited {
    pub(crate) stages: usize,
    pub(crate) timers: usize,
    pub(crate) outcomes: usize,
}

/// Each trigger has made one prediction, each prediction of an order that is over has one outcome, nothing that was acknowledged is
/// missing, and what is written of the cases is as the events have it. Reads what is committed and nothing else.
pub(crate) async fn audit(log: &impl Log, acknowledged: &BTreeSet<String>) -> Audited {
    let mut audited = Audited { stages: 0, timers: 0, outcomes: 0 };
    let (mut ids, mut there) = (BTreeSet::new(), BTreeSet::new());
    for partition in 0..PARTITIONS {
        let mut open: BTreeMap<String, Told> = BTreeMap::new();
        for event in all(log, TOPIC, partition).await {
            there.insert(text(&event, "id"));
            open.entry(text(&event, "order_id")).or_default().hear(&text(&event, "type"));
        }
        let expected =
            open.iter().flat_map(|(order, told)| told.triggers.iter().map(|stage| (order.clone(), (*stage).to_owned())));
        let expected: BTreeSet<(String, String)> = expected.collect();
        let (mut found, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for prediction in all(log, PREDICTIONS, partition).await {
            if open.get(&text(&prediction, "order")).is_some_and(|told| told.is_over) {
                ended.insert(text(&prediction, "id"));
            }
            assert!(ids.insert(text(&prediction, "id")), "this prediction is there twice: {prediction}");
            let (order, trigger) = (text(&prediction, "order"), text(&prediction, "trigger"));
            if trigger == "time" {
                assert!(open.contains_key(&order), "nobody placed the order of {prediction}");
                audited.timers += 1;
            } else {
                assert!(found.insert((order, trigger)), "this trigger has made two predictions: {prediction}");
            }
        }
        let missing: Vec<_> = expected.difference(&found).collect();
        let needless: Vec<_> = found.difference(&expected).collect();
        assert!(missing.is_empty() && needless.is_empty(), "partition {partition}: missing {missing:?}, needless {needless:?}");
        // Time goes on making predictions while this is read: what was there before has to be among what is there now, and so on.
        let before = rows(log, partition).await;
        let said: BTreeSet<u128> = read(log, PREDICTIONS, partition).await.iter().map(|record| id_of(&record.value)).collect();
        let after = rows(log, partition).await;
        assert!(before.is_subset(&said) && said.is_subset(&after), "partition {partition}: each prediction has its row");
        audited.stages += found.len();
        audited.outcomes += ended.len();
        assert_eq!(
            outcomes(log, partition).await,
            ended,
            "partition {partition}: outcomes, and predictions of orders that are over"
        );
        let bounds = log.bounds(CASES, partition).await.expect("the topic of cases");
        assert_eq!(bounds.next > 0, !open.is_empty(), "partition {partition}: cases are written down where there are some");
    }
    let lost: Vec<&String> = acknowledged.iter().filter(|id| id.starts_with('o') && !there.contains(*id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(audited.stages > 0 && audited.outcomes > 0, "nothing was predicted, or nothing came of it");
    audited
}

/// The predictions of which a row was logged, each once.
async fn rows(log: &impl Log, partition: u32) -> BTreeSet<u128> {
    let records = read(log, ROWS, partition).await.into_iter().filter(|record| !record.key.is_empty());
    let mut rows = BTreeSet::new();
    for record in records {
        let id = Served::decode(&record.value).expect("a whole row").id;
        assert!(rows.insert(id), "partition {partition}: two rows of prediction {id:032x}");
    }
    rows
}

/// The predictions that have an outcome, each once.
async fn outcomes(log: &impl Log, partition: u32) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for outcome in all(log, OUTCOMES, partition).await.into_iter().filter(|outcome| outcome["kind"] == "outcome") {
        assert!(ids.insert(text(&outcome, "id")), "partition {partition}: this prediction has two outcomes: {outcome}");
    }
    ids
}

/// Rows of the warehouse are those of the first records of each partition, each once. How many there are: the last may not be written yet.
pub(crate) async fn audit_rows(log: &impl Log, warehouse: &impl Warehouse, days: impl IntoIterator<Item = Day>) -> usize {
    let mut rows: BTreeMap<u32, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for day in days {
        for (table, topic) in TABLES {
            for row in warehouse.scan(table, day).await.expect("rows") {
                let [_, Cell::Text(id), Cell::Text(order), ..] = &row[..] else { panic!("{row:?} names no prediction") };
                let partition = domain::partition_of(order.as_bytes(), PARTITIONS);
                rows.entry(partition).or_default().entry(topic).or_default().push(id.clone());
            }
        }
    }
    let mut count = 0;
    for (partition, tables) in rows {
        for (topic, mut rows) in tables {
            let records = all(log, topic, partition).await.into_iter();
            let records = records.filter(|record| topic == PREDICTIONS || record["kind"] == "outcome");
            let mut first: Vec<String> = records.take(rows.len()).map(|record| text(&record, "id")).collect();
            first.sort();
            rows.sort();
            assert_eq!(rows, first, "partition {partition} of {topic}");
            count += rows.len();
        }
    }
    count
}

/// What the events of one order have told so far.
#[derive(Default)]
struct Told {
    reached: Option<usize>,
    is_over: bool,
    triggers: Vec<&'static str>,
}

impl Told {
    fn hear(&mut self, what: &str) {
        let stage = STAGES.iter().position(|stage| *stage == what);
        if self.is_over || stage.is_some_and(|stage| self.reached.is_some_and(|reached| stage <= reached)) {
            return;
        }
        match stage {
            Some(stage) if stage < 3 => {
                self.reached = Some(stage);
                self.triggers.push(STAGES[stage]);
            }
            _ => self.is_over = true,
        }
    }
}

async fn all(log: &impl Log, topic: &str, partition: u32) -> Vec<Value> {
    let records = read(log, topic, partition).await;
    records.iter().map(|record| serde_json::from_slice::<Value>(&record.value).expect("JSON")).collect()
}

async fn read(log: &impl Log, topic: &str, partition: u32) -> Vec<Record> {
    let (mut all, mut next) = (Vec::new(), 0);
    loop {
        let records = log.read(topic, partition, next, 1 << 20).await.expect("a whole log");
        let Some(last) = records.last() else { return all };
        next = last.offset + 1;
        all.extend(records);
    }
}

fn id_of(prediction: &[u8]) -> u128 {
    let prediction: Value = serde_json::from_slice(prediction).expect("JSON");
    u128::from_str_radix(&text(&prediction, "id"), 16).expect("hexadecimal digits")
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_else(|| panic!("{of} has no {name}")).to_owned()
}
