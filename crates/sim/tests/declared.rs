//! Events are exactly those that the pipelines in this repository declare: no field, type of event or value that they do not
//! know, and none of theirs that never comes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Span, Timestamp};
use serde_json::Value;
use sim::{CITY_TOPICS, City, Ending, FLEET_TOPIC, Fleet, FleetSettings, Record, Settings};
use toml::Table;

const DELIVERY: &str = include_str!("../../../pipelines/delivery-eta/pipeline.toml");
const DELIVERY_FACTS: &str = include_str!("../../../pipelines/delivery-eta/facts/stores.jsonl");
const SCOOTERS: &str = include_str!("../../../pipelines/scooter-fleet/pipeline.toml");
const TYPES: [&str; 20] = [
    "area.weather",
    "order.accepted",
    "order.cancelled",
    "order.delivered",
    "order.placed",
    "order.ready",
    "order.returned",
    "rider.assigned",
    "rider.at_customer",
    "rider.at_store",
    "rider.location",
    "rider.picked_up",
    "rider.shift_ended",
    "rider.shift_started",
    "rider.to_customer",
    "rider.to_store",
    "store.busy",
    "store.closed",
    "store.opened",
    "store.settings_changed",
];

/// Compares records with the streams of a pipeline; answers which types of events there were.
fn check(pipeline: &str, topics: &[&str], records: &[Record]) -> BTreeSet<String> {
    let spec: Table = pipeline.parse().expect("a pipeline of this repository is TOML");
    let mut missing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for topic in topics {
        let fields = spec["source"][topic]["fields"].as_table().expect("fields");
        let told = fields.iter().filter(|(_, kind)| kind.get("cell").is_none());
        missing.insert(topic, told.map(|(name, _)| name.clone()).collect());
    }
    let mut types = BTreeSet::new();
    for record in records {
        let source = &spec["source"][record.topic];
        let event: Value = serde_json::from_slice(&record.payload).expect("a record is JSON");
        assert_eq!(event[source["key"].as_str().expect("a key")], record.key, "{event}");
        for (name, value) in event.as_object().expect("an object") {
            if !["id", "source", "occurred_at"].contains(&name.as_str()) && source["key"].as_str() != Some(name) {
                check_value(&source["fields"][name], value, &event);
            }
            missing.entry(record.topic).or_default().remove(name);
        }
        types.extend(event["type"].as_str().map(str::to_owned));
    }
    assert!(missing.values().all(BTreeSet::is_empty), "never told: {missing:?}");
    types
}

fn check_value(kind: &toml::Value, value: &Value, event: &Value) {
    let text = kind.as_str().or_else(|| kind.get("type").and_then(toml::Value::as_str));
    let is_sound = match (text, kind.get("category")) {
        (_, Some(labels)) => labels.as_array().expect("labels").iter().any(|label| label.as_str() == value.as_str()),
        (Some("string"), _) => value.is_string(),
        (Some("integer"), _) => value.is_u64(),
        _ => value.is_number() && kind.get("decimal").is_some(),
    };
    let number = |name: &str| kind.get(name).and_then(|bound| bound.as_float().or(bound.as_integer().map(|bound| bound as f64)));
    let is_within = value.as_f64().is_none_or(|value| {
        value <= number("max").unwrap_or(f64::MAX) && value >= number("min").unwrap_or(f64::MIN) && is_whole(value, kind)
    });
    assert!(is_sound && is_within, "{value} is no {kind:?} in {event}");
}

/// Whether a decimal that may not be rounded is a whole number of its steps.
fn is_whole(value: f64, kind: &toml::Value) -> bool {
    let step = kind.get("decimal").and_then(toml::Value::as_str).filter(|_| kind.get("round").is_none());
    step.is_none_or(|step| value.to_string().split('.').nth(1).map_or(0, str::len) <= step.len() - 2)
}

#[test]
fn the_city_tells_what_the_delivery_pipeline_declares() {
    let settings = Settings { stores: 30, riders: 30, orders_per_day: 900, areas: 4, ..Settings::default() };
    let mut city = City::new(settings.clone(), 1).expect("sound settings");
    let records = city.advance(settings.start.plus(Span(3 * 86_400_000)));
    let types = check(DELIVERY, &CITY_TOPICS, &records);
    assert_eq!(types.iter().map(String::as_str).collect::<Vec<_>>(), TYPES);
    assert!(city.take_truths().iter().any(|truth| truth.ending == Ending::Returned));
}

#[test]
fn the_fleet_tells_what_the_scooter_pipeline_declares() {
    let settings = FleetSettings { devices: 200, ..FleetSettings::default() };
    let records = Fleet::new(settings.clone(), 1).expect("sound settings").advance(settings.start.plus(Span(86_400_000)));
    check(SCOOTERS, &[FLEET_TOPIC], &records);
    let kinds: BTreeSet<bool> =
        records.iter().map(|record| String::from_utf8_lossy(&record.payload).contains("\"check_in\"")).collect();
    assert_eq!(kinds.len(), 2, "positions and check-ins");
}

#[test]
fn the_first_stores_are_those_of_the_declared_facts() {
    let facts = City::new(Settings::default(), 1).expect("sound settings").store_facts();
    let lines = facts.iter().map(|fact| String::from_utf8(fact.line()).expect("text"));
    let read = |line: &str| serde_json::from_str::<Value>(line).expect("a line of facts");
    let declared: Vec<Value> = DELIVERY_FACTS.lines().map(read).collect();
    assert_eq!(lines.take(declared.len()).map(|line| read(&line)).collect::<Vec<_>>(), declared);
    assert_eq!(facts[0].since, Timestamp(Settings::default().start.0));
}
