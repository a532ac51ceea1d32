//! The benchmark's input is what its page says it is, and its answer is the same every time.

use super::*;
use crate::Unseen;

fn bench(events: u64) -> EngineBench {
    let windows = ["5m", "30m", "1h"].map(String::from);
    EngineBench {
        pipeline: Arc::new(orders_pipeline(&windows).expect("a good spec")),
        input: None,
        events,
        minutes: 120,
        seed: 1,
    }
}

fn generate(events: u64) -> Vec<(Timestamp, String)> {
    let mut orders = Orders::new(events, 120, 1);
    let mut payload = Vec::new();
    let mut all = Vec::new();
    while let Some(time) = orders.next_into(&mut payload) {
        all.push((time, String::from_utf8(payload.clone()).expect("text")));
    }
    all
}

#[test]
fn windows_are_the_ones_asked_for() {
    let pipeline = orders_pipeline(&["7m".to_owned()]).expect("a good spec");
    let names: Vec<String> = pipeline.groups[0].columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["orders_7m", "basket_sum_7m", "basket_mean_7m", "basket_max_7m"]);
}

#[test]
fn events_are_as_long_and_as_disordered_as_promised() {
    let events = generate(50_000);
    let bytes: usize = events.iter().map(|(_, payload)| payload.len()).sum();
    assert!((171..=173).contains(&(bytes / events.len())), "{} bytes on average", bytes / events.len());
    let mut latest = events[0].0;
    let behind = events.iter().filter(|(time, _)| {
        let is_behind = *time < latest;
        latest = latest.max(*time);
        is_behind
    });
    let behind = behind.count();
    let share = behind as f64 / events.len() as f64;
    assert!((0.19..0.21).contains(&share), "{share} of the events are behind others");
    let covered = events.iter().map(|(time, _)| time.0).max().unwrap_or(0) - events[0].0.0;
    assert!((7_160_000..=7_230_000).contains(&covered), "{covered} ms are covered");
}

#[test]
fn the_first_store_has_twice_the_orders_of_the_second() {
    let events = generate(200_000);
    let count = |store: &str| events.iter().filter(|(_, payload)| payload.contains(store)).count() as f64;
    let ratio = count("\"s0000\"") / count("\"s0001\"");
    assert!((1.9..2.1).contains(&ratio), "{ratio}");
}

#[test]
fn every_event_is_taken_and_two_runs_agree() {
    let [one, other] = [(); 2].map(|()| bench_engine(&bench(40_000), &Unseen).expect("a run"));
    assert_eq!((one.events, &one.refused), (40_000, &BTreeMap::new()));
    assert!(one.vectors > 5000, "{}", one.vectors);
    assert_eq!((one.vectors, one.checksum), (other.vectors, other.checksum));
}

#[test]
fn a_file_gives_what_memory_gives() {
    let scratch = crate::scratch::Scratch::new();
    let path = scratch.path().join("orders.jsonl");
    write_orders(&path, 20_000, 120, 1, &Unseen).expect("a written file");
    let from_file = bench_engine(&EngineBench { input: Some(path), ..bench(0) }, &Unseen).expect("a run");
    let generated = bench_engine(&bench(20_000), &Unseen).expect("a run");
    assert_eq!(from_file.checksum, generated.checksum);
}
