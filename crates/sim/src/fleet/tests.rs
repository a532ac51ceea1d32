//! Every fleet: batteries within bounds, check-ins in the morning, a roll-call within its minute, and the same bytes twice.

use std::collections::{BTreeMap, BTreeSet};

use domain::Span;
use serde_json::Value;

use super::*;

const DAY_MS: i64 = 86_400_000;

fn small(scenario: FleetScenario) -> FleetSettings {
    FleetSettings { scenario, devices: 300, rides_per_day: 4.0, areas: 9, ..FleetSettings::default() }
}

/// Days of a small fleet: each record beside what it says, and the absences.
fn check(settings: &FleetSettings, days: i64) -> (Vec<(Record, Value)>, Vec<Absence>) {
    let mut fleet = Fleet::new(settings.clone(), 4).unwrap();
    let records = fleet.advance(settings.start.plus(Span(days * DAY_MS)));
    assert!(records.iter().map(|record| record.occurred_at).is_sorted());
    let read = |record: Record| {
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        assert!(event["battery"].as_u64().unwrap() <= 100, "{event}");
        assert!(event.get("speed").is_none_or(|speed| (0.0..=50.0).contains(&speed.as_f64().unwrap())), "{event}");
        assert_eq!(event["device_id"], record.key);
        (record, event)
    };
    (records.into_iter().map(read).collect(), fleet.take_absences())
}

#[test]
fn each_device_checks_in_before_ten_or_is_known_to_be_absent() {
    let settings = small(FleetScenario::Quiet);
    let (records, absences) = check(&settings, 3);
    let mut mornings: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for (record, _) in records.iter().filter(|(_, event)| event["kind"] == "check_in") {
        let local = Local::of(record.at, settings.utc_offset);
        assert!((6..10).contains(&local.hour()), "{local:?}");
        assert!(mornings.entry(local.day).or_default().insert(&record.key), "{} checked in twice", record.key);
    }
    assert_eq!(mornings.len(), 3);
    assert!(!absences.is_empty() && absences.len() < 50, "{}", absences.len());
    for (day, present) in &mornings {
        let is_of_day = |absence: &&Absence| Local::of(absence.morning, settings.utc_offset).day == *day;
        let absent: BTreeSet<&str> = absences.iter().filter(is_of_day).map(|absence| absence.device_id.as_str()).collect();
        assert!(present.is_disjoint(&absent));
        assert_eq!(present.len() + absent.len(), settings.devices as usize);
    }
}

#[test]
fn batteries_fall_while_riding_and_are_changed() {
    let (records, _) = check(&small(FleetScenario::Quiet), 3);
    let mut before: BTreeMap<&str, (bool, u64)> = BTreeMap::new();
    let (mut swaps, mut rides) = (0, 0);
    for (record, event) in &records {
        let (is_moving, battery) = (event.get("speed").is_some(), event["battery"].as_u64().unwrap());
        if let Some((was_moving, last)) = before.insert(&record.key, (is_moving, battery)) {
            swaps += u64::from(battery > last);
            rides += u64::from(is_moving && !was_moving);
            assert!(!(was_moving && battery > last && battery != 100), "a battery was filled on the way: {event}");
        }
    }
    assert!(swaps > 20, "{swaps} batteries were changed");
    // 300 scooters, 4 rides a day each; some are asked for while they are taken or empty.
    assert!((2000..3900).contains(&rides), "{rides} rides");
}

#[test]
fn in_a_roll_call_everybody_reports_within_a_minute() {
    let settings = small(FleetScenario::RollCall);
    let called_at = settings.start.plus(settings.roll_call_after);
    let minute = called_at..called_at.plus(Span(60_000));
    let count = |settings: &FleetSettings| {
        let (records, _) = check(settings, 1);
        let reports = records.iter().filter(|(record, event)| event["kind"] == "check_in" && minute.contains(&record.at));
        reports.map(|(record, _)| record.key.clone()).collect::<BTreeSet<String>>().len()
    };
    assert_eq!(count(&settings), settings.devices as usize);
    assert!(count(&small(FleetScenario::Quiet)) < 20);
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_it_is_advanced() {
    let settings = small(FleetScenario::RollCall);
    let until = settings.start.plus(Span(DAY_MS));
    let fleet = |seed| Fleet::new(settings.clone(), seed).unwrap();
    let at_once = fleet(1).advance(until);
    assert!(at_once == fleet(1).take_while(|record| record.at < until).collect::<Vec<_>>());
    assert!(at_once != fleet(2).advance(until));
}

#[test]
fn settings_are_checked_and_scenarios_have_names() {
    let settings = FleetSettings { devices: 0, rides_per_day: f64::NAN, ..FleetSettings::default() };
    assert!(matches!(settings.check(), Err(Error::Settings { faults }) if faults.len() == 2));
    for scenario in FleetScenario::ALL {
        assert_eq!(scenario.name().parse(), Ok(scenario));
    }
    assert!("calm".parse::<FleetScenario>().is_err());
}
