//! What is predicted changes no feature: a declared case leaves the schema of every group, and so its generation, as it was.

use std::sync::Arc;

use domain::Timestamp;
use features::{Config, Engine, Record, SnapshotKind, schemas};

const SPEC: &str = include_str!("../../../pipelines/delivery-eta/pipeline.toml");

/// One minute after the events below.
const LATER: Timestamp = Timestamp(1_795_176_060_000);

/// Riders are there for the case alone: no group is made of them.
const RIDERS_FOR_THE_CASE: &str = r#"
[source.orders]
topic = "orders"
key = "order"
time = "at"
skew = "0s"
lateness = "1h"
fields = { store = "string" }
[source.riders]
topic = "riders"
key = "order"
time = "at"
skew = "0s"
lateness = "1h"
[group.store]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
entities = 10
features = { orders = { count = "*", windows = ["1h"] } }
[case]
entity = "order"
longest = "6h"
stages = { placed = { source = "orders" }, delivered = { source = "riders" } }
fallback = [{ name = "anywhere", seconds = "2100", spread = [0.5, 1, 2, 3] }]
"#;

/// The spec without its case.
fn without(spec: &str) -> String {
    let (before, rest) = spec.split_once("[case]").expect("the spec has a case");
    let after = rest.find("[[test]]").map_or("", |place| &rest[place..]);
    format!("{before}{after}")
}

#[test]
fn groups_mean_the_same_with_another_case_or_none() {
    let read = |spec: &str| pipeline::parse("delivery-eta", spec).unwrap_or_else(|faults| panic!("{faults}"));
    let (with, without) = (read(SPEC), read(&without(SPEC)));
    let other = read(&SPEC.replace("longest = \"6h\"\narea", "longest = \"5h\"\narea"));
    assert_ne!(with.case.as_ref().map(|case| case.longest), other.case.as_ref().map(|case| case.longest));
    assert!(with.case.is_some() && without.case.is_none());
    for changed in [&without, &other] {
        let same = schemas(&with).iter().zip(schemas(changed)).all(|(one, other)| one.id == other.id);
        assert!(same && changed.groups.len() == with.groups.len());
    }
}

#[test]
fn a_stream_that_only_a_case_reads_does_not_disturb_the_engine() {
    let pipeline = Arc::new(pipeline::parse("p", RIDERS_FOR_THE_CASE).unwrap_or_else(|faults| panic!("{faults}")));
    let mut engine = Engine::new(pipeline.clone(), Config::default()).expect("a spec without faults");
    let place = |name: &str| pipeline.sources.iter().position(|source| source.name == name).expect("it is declared");
    let order = r#"{"source":"s","id":"e1","order":"o1","at":1795176000000,"store":"42"}"#;
    let rider = r#"{"source":"s","id":"e2","order":"o1","at":1795176000000}"#;
    let append_at = Timestamp(1_795_176_000_000);
    let records = [(place("orders"), order), (place("riders"), rider)];
    let records = records.map(|(source, payload)| Record { source, offset: 0, append_at, payload: payload.as_bytes() });
    let out = engine.ingest(&records, LATER);
    assert_eq!(out.refused, []);
    let mut bytes = Vec::new();
    engine.begin_snapshot(SnapshotKind::Full);
    while engine.write_snapshot(100, &mut bytes) {}
    assert!(Engine::restore(pipeline, Config::default(), &[&bytes]).is_ok());
}
