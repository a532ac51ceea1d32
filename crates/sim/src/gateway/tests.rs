//! Each fault does what it says, as often as it says, and the counts agree with what arrives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::{City, Feed, Settings, Silence, Truth};

const HOUR_MS: i64 = 3_600_000;

fn noon() -> Timestamp {
    Settings::default().start.plus(Span(12 * HOUR_MS))
}

/// Records of two hours, what was done to them, and the truth of the orders.
fn check(faults: Faults, seed: u64) -> (Vec<Record>, FaultCounts, Vec<Truth>) {
    let settings = Settings { stores: 30, riders: 30, orders_per_day: 700, areas: 4, start: noon(), ..Settings::default() };
    let mut feed = Feed::new(City::new(settings, 8).unwrap(), Gateway::new(faults, seed).unwrap());
    let records = feed.advance(noon().plus(Span(2 * HOUR_MS)));
    assert!(records.iter().map(|record| record.at).is_sorted(), "records are not in the order of their arrival");
    let counts = feed.gateway().counts();
    assert_eq!(counts.arrived, records.len() as u64);
    assert_eq!(counts.arrived + feed.gateway().under_way.len() as u64, counts.taken + counts.duplicates - counts.lost);
    feed.world().advance(noon().plus(Span(3 * HOUR_MS)));
    (records, counts, feed.world().take_truths())
}

fn share(count: u64, counts: FaultCounts) -> f64 {
    count as f64 / counts.taken as f64
}

#[test]
fn a_good_network_changes_nothing() {
    let (records, counts, _) = check(Faults::NONE, 1);
    let plain = FaultCounts { taken: counts.taken, arrived: counts.arrived, ..FaultCounts::default() };
    assert_eq!(counts, plain);
    assert!(records.len() > 5000 && records.iter().all(|record| record.at == record.occurred_at));
}

#[test]
fn the_truth_does_not_depend_on_faults() {
    let everything = Faults { malformed: 0.2, duplicates: 0.2, late: 0.2, disorder: 0.3, skewed: 0.5, ..Faults::EVERYDAY };
    let (plain, broken) = (check(Faults::NONE, 1), check(everything.clone(), 1));
    assert_eq!(plain.2, broken.2);
    assert!(broken.0 == check(everything.clone(), 1).0 && broken.0 != check(everything, 2).0, "faults have a seed of their own");
}

#[test]
fn records_come_twice() {
    let (records, counts, _) = check(Faults { duplicates: 0.1, ..Faults::NONE }, 3);
    let mut times: BTreeMap<&[u8], u64> = BTreeMap::new();
    records.iter().for_each(|record| *times.entry(&record.payload).or_default() += 1);
    let twice = times.values().filter(|times| **times == 2).count() as u64;
    assert!(times.values().all(|times| *times <= 2));
    // The last ones are still under way.
    assert!(twice <= counts.duplicates && twice + 50 > counts.duplicates, "{twice} of {counts:?}");
    assert!((0.08..0.12).contains(&share(counts.duplicates, counts)), "{counts:?}");
}

#[test]
fn records_are_overtaken_and_late_within_their_bounds() {
    let faults = Faults { disorder: 0.1, late: 0.02, ..Faults::NONE };
    let (records, counts, _) = check(faults.clone(), 4);
    let delays = || records.iter().map(|record| record.at.0 - record.occurred_at.0);
    assert!(delays().all(|ms| ms <= faults.late_up_to.0));
    let late = delays().filter(|ms| *ms >= faults.disorder_up_to.0).count() as u64;
    let overtaken = delays().filter(|ms| (1..faults.disorder_up_to.0).contains(ms)).count() as u64;
    assert!(late > 0 && late <= counts.late && overtaken > 0 && overtaken <= counts.disordered, "{late} {overtaken} {counts:?}");
    assert!((0.08..0.12).contains(&share(counts.disordered, counts)) && (0.01..0.03).contains(&share(counts.late, counts)));
    assert!(!records.iter().map(|record| record.occurred_at).is_sorted());
}

#[test]
fn broken_records_are_broken_in_the_way_that_is_counted() {
    let (records, counts, _) = check(Faults { malformed: 0.05, ..Faults::NONE }, 5);
    let mut found = FaultCounts { taken: counts.taken, arrived: counts.arrived, ..FaultCounts::default() };
    for record in &records {
        match serde_json::from_slice::<Value>(&record.payload) {
            Err(_) => found.cut += 1,
            Ok(event) if event["occurred_at"].is_null() => found.unnamed += 1,
            Ok(event) => found.undated += u64::from(Timestamp::parse(event["occurred_at"].as_str().unwrap()).is_none()),
        }
    }
    assert_eq!(found, counts);
    assert!(counts.cut > 50 && counts.unnamed > 50 && counts.undated > 50, "{counts:?}");
    assert_eq!(counts.malformed(), counts.cut + counts.unnamed + counts.undated);
}

#[test]
fn a_wrong_clock_is_wrong_for_ever_and_services_have_good_ones() {
    let (records, counts, _) = check(Faults { skewed: 0.4, ..Faults::NONE }, 6);
    let mut clocks: BTreeMap<&str, i64> = BTreeMap::new();
    let mut skewed = 0;
    for record in &records {
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        assert_eq!(event["occurred_at"], record.occurred_at.to_string());
        let off_ms = record.occurred_at.0 - record.at.0;
        skewed += u64::from(off_ms != 0);
        assert!(off_ms.abs() <= Faults::NONE.skew_up_to.0);
        if ["orders", "areas"].contains(&record.topic) {
            assert_eq!(off_ms, 0);
        }
        assert_eq!(*clocks.entry(&record.key).or_insert(off_ms), off_ms, "{} changed its clock", record.key);
    }
    assert_eq!(skewed, counts.skewed);
    let wrong = clocks.values().filter(|off_ms| **off_ms != 0).count();
    assert!(wrong > 5 && wrong < clocks.len(), "{wrong} of {}", clocks.len());
}

#[test]
fn a_silent_gateway_holds_back_or_loses() {
    let at = |minutes: i64| noon().plus(Span(minutes * 60_000));
    let silence = |is_lossy| Silence { topic: "riders".to_owned(), from: at(30), until: at(50), is_lossy };
    let in_silence = |records: &[Record]| {
        let from_riders = records.iter().filter(|record| record.topic == "riders");
        from_riders.filter(|record| (at(30)..at(50)).contains(&record.at)).count()
    };
    let (plain, _, _) = check(Faults::NONE, 7);
    let stopped = in_silence(&plain);
    for is_lossy in [true, false] {
        let (records, counts, _) = check(Faults { silence: Some(silence(is_lossy)), ..Faults::NONE }, 7);
        assert_eq!(in_silence(&records), 0);
        let expected = if is_lossy { (0, stopped as u64) } else { (stopped as u64, 0) };
        assert_eq!((counts.held, counts.lost), expected);
        let burst = records.iter().filter(|record| record.at == at(50) && record.occurred_at < at(50)).count();
        assert_eq!(burst as u64, counts.held);
        assert_eq!(records.len() as u64 + counts.lost, plain.len() as u64);
    }
}

#[test]
fn all_faults_together_still_add_up() {
    let at = |minutes: i64| noon().plus(Span(minutes * 60_000));
    for is_lossy in [true, false] {
        let silence = Some(Silence { topic: "riders".to_owned(), from: at(30), until: at(50), is_lossy });
        let faults = Faults { duplicates: 0.2, disorder: 0.2, late: 0.1, malformed: 0.1, silence, ..Faults::EVERYDAY };
        let (_, counts, _) = check(faults, 9);
        assert!(counts.duplicates > 100 && counts.lost + counts.held > 100 && counts.malformed() > 100, "{counts:?}");
    }
}

#[test]
fn faults_outside_their_bounds_are_told_at_once() {
    let silence = Silence { topic: "riders".to_owned(), from: noon(), until: noon(), is_lossy: false };
    let faults = Faults { late: -0.1, disorder: 2.0, late_up_to: Span(5), silence: Some(silence), ..Faults::NONE };
    let Err(Error::Settings { faults }) = Gateway::new(faults, 1) else { panic!("these faults were taken") };
    assert_eq!(faults.len(), 5, "{faults:?}");
}
