//! A real registry: what is registered is read, what is missing is a fault of the record, and what is away is tried again.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use domain::Timestamp;
use io_registry::{
    Definition, Encoder, Error, Fault, Format, Kind, Login, Reference, Registry, Roots, SchemaId, Secret, Settings, Wanted,
};
use ports::{Clock, ErrorKind, clock_fn};
use serde_json::{Value, json};
use testkit::servers::{self, Own};

const AVRO: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"order_id","type":"string"},
    {"name":"occurred_at","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"basket","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}],"default":null}]}"#;

const PROTOBUF: &str = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto";
    message Order { string order_id = 1; google.protobuf.Timestamp occurred_at = 2; int64 items = 3; }"#;

/// Names that no other test takes, in this run or another.
fn subject(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}/{}-{}-value", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn still() -> Clock {
    clock_fn(1.0, || Timestamp(1_795_255_200_000))
}

fn open(url: &str) -> Registry {
    open_with(&Settings::new(url))
}

fn open_with(settings: &Settings) -> Registry {
    Registry::open(settings, still()).expect("sound settings")
}

fn shared() -> Registry {
    open(&servers::shared("registry"))
}

/// The record as the registry's schema reads it.
async fn read(registry: &Registry, record: &[u8]) -> Result<Value, Fault> {
    let decoder = registry.prepare(SchemaId::of(record)).await.expect("the registry answers");
    decoder.json(record).map(|json| serde_json::from_slice(&json).expect("JSON"))
}

async fn round_trip(format: Format, text: &str, object: Value, expected: Value) {
    let (registry, subject, definition) = (shared(), subject("round"), Definition::new(format, text));
    let id = registry.register(&subject, &definition).await.expect("it is taken");
    assert_eq!(registry.register(&subject, &definition).await.expect("it is taken again"), id, "the same schema keeps its id");
    let record = Encoder::new(id, &definition).and_then(|encoder| encoder.encode(&object)).expect("it fits");
    assert_eq!(read(&registry, &record).await, Ok(expected.clone()));
    // Somebody who did not register it.
    assert_eq!(read(&shared(), &record).await, Ok(expected));
}

#[tokio::test]
async fn avro_is_read_with_its_writer_s_schema() {
    let object = json!({ "order_id": "o1", "occurred_at": "2026-11-21T10:00:00.250Z", "basket": 25.9 });
    let expected = json!({ "order_id": "o1", "occurred_at": 1_795_255_200_250i64, "basket": 25.90 });
    round_trip(Format::Avro, AVRO, object, expected).await;
}

#[tokio::test]
async fn protobuf_is_read_with_its_writer_s_schema() {
    let object = json!({ "order_id": "o1", "occurred_at": "2026-11-21T10:00:00.250Z", "items": i64::MAX });
    let expected = json!({ "order_id": "o1", "occurred_at": "2026-11-21T10:00:00.250Z", "items": i64::MAX });
    round_trip(Format::Protobuf, PROTOBUF, object, expected).await;
}

#[tokio::test]
async fn json_passes() {
    let schema = r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#;
    round_trip(Format::Json, schema, json!({ "a": 1 }), json!({ "a": 1 })).await;
}

#[tokio::test]
async fn old_and_new_records_stand_side_by_side() {
    let (registry, subject) = (shared(), subject("evolving"));
    let newer = AVRO.replace("]}", r#",{"name":"items","type":"int","default":1}]}"#);
    let mut records = Vec::new();
    for (text, object) in [
        (AVRO, json!({ "order_id": "o1", "occurred_at": 1 })),
        (&newer, json!({ "order_id": "o2", "occurred_at": 2, "items": 3 })),
    ] {
        let definition = Definition::new(Format::Avro, text);
        let id = registry.register(&subject, &definition).await.expect("compatible");
        records.push(Encoder::new(id, &definition).and_then(|encoder| encoder.encode(&object)).expect("it fits"));
    }
    let decoder = registry.prepare(records.iter().filter_map(|record| SchemaId::of(record))).await.expect("an answer");
    let read = |place: usize| decoder.json(&records[place]).map(|json| String::from_utf8(json).expect("text"));
    assert_eq!(read(0).as_deref(), Ok(r#"{"order_id":"o1","occurred_at":1,"basket":null}"#));
    assert_eq!(read(1).as_deref(), Ok(r#"{"order_id":"o2","occurred_at":2,"basket":null,"items":3}"#));
}

#[tokio::test]
async fn schemas_build_on_those_of_other_subjects() {
    let registry = shared();
    let unit = Definition::new(Format::Protobuf, r#"syntax = "proto3"; package geo; message Unit { string name = 1; }"#);
    let place = r#"syntax = "proto3"; package geo; import "geo/unit.proto"; message Place { Unit unit = 1; int32 floor = 2; }"#;
    let order = r#"syntax = "proto3"; import "geo/place.proto"; message Order { geo.Place to = 1; }"#;
    let subjects = [subject("unit"), subject("place"), subject("order")];
    registry.register(&subjects[0], &unit).await.expect("it is taken");
    let on = |name: &str, subject: &String| vec![Reference { name: name.into(), subject: subject.clone(), version: 1 }];
    let place = Definition { references: on("geo/unit.proto", &subjects[0]), ..Definition::new(Format::Protobuf, place) };
    registry.register(&subjects[1], &place).await.expect("it is taken");
    let order = Definition { references: on("geo/place.proto", &subjects[1]), ..Definition::new(Format::Protobuf, order) };
    let SchemaId(id) = registry.register(&subjects[2], &order).await.expect("it is taken");
    let record = [&[0][..], &id.to_be_bytes(), &[0, 0x0A, 7, 0x0A, 3, 0x0A, 1, b'm', 0x10, 3]].concat();
    assert_eq!(read(&registry, &record).await, Ok(json!({ "to": { "unit": { "name": "m" }, "floor": 3 } })));

    let place = Definition::new(Format::Avro, r#"{"type":"record","name":"geo.Place","fields":[{"name":"floor","type":"int"}]}"#);
    let subjects = [subject("place"), subject("order")];
    registry.register(&subjects[0], &place).await.expect("it is taken");
    let order = r#"{"type":"record","name":"Order","fields":[{"name":"to","type":"geo.Place"}]}"#;
    let order = Definition { references: on("geo.Place", &subjects[0]), ..Definition::new(Format::Avro, order) };
    let SchemaId(id) = registry.register(&subjects[1], &order).await.expect("it is taken");
    let record = [&[0][..], &id.to_be_bytes(), &[6]].concat();
    assert_eq!(read(&registry, &record).await, Ok(json!({ "to": { "floor": 3 } })));
}

#[tokio::test]
async fn what_is_not_registered_is_a_fault_of_the_record_and_asked_again_later() {
    let now = Arc::new(AtomicI64::new(1_795_255_200_000));
    let clock = Arc::clone(&now);
    let server = Own::start(&["registry"]);
    let settings = Settings::new(server.address("registry"));
    let registry =
        Registry::open(&settings, clock_fn(1.0, move || Timestamp(clock.load(Ordering::Relaxed)))).expect("sound settings");
    // Whoever registers next gets it.
    let definition = Definition::new(Format::Avro, AVRO);
    let SchemaId(first) = registry.register("first-value", &definition).await.expect("it is taken");
    let next = Definition::new(Format::Avro, r#"{"type":"record","name":"Next","fields":[]}"#);
    let record = [&[0][..], &(first + 1).to_be_bytes()].concat();
    let fault = read(&registry, &record).await.expect_err("it is not there");
    assert_eq!(fault.reason(), "unknown_schema", "{fault}");
    assert_eq!(registry.register("next-value", &next).await.expect("it is taken"), SchemaId(first + 1));
    assert_eq!(read(&registry, &record).await, Err(fault), "it was asked just now");
    now.fetch_add(10_000, Ordering::Relaxed);
    assert_eq!(read(&registry, &record).await, Ok(json!({})));
}

#[tokio::test]
async fn a_registry_that_is_away_is_asked_again_and_what_is_known_needs_none() {
    let server = Own::start(&["registry"]);
    let definition = Definition::new(Format::Avro, AVRO);
    let mut settings = Settings::new(server.address("registry"));
    settings.respond_within = std::time::Duration::from_millis(300);
    let registry = Registry::open(&settings, still()).expect("sound settings");
    let patient = open(&server.address("registry"));
    let id = patient.register("orders-value", &definition).await.expect("it is taken");
    let object = json!({ "order_id": "o1", "occurred_at": 1 });
    let record = Encoder::new(id, &definition).and_then(|encoder| encoder.encode(&object)).expect("it fits");
    assert!(read(&patient, &record).await.is_ok());

    let away = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
        assert!(error.to_string().contains("tried again"), "{error}");
    };
    server.freeze("registry");
    away(registry.prepare([id]).await.map(drop).expect_err("it does not answer"));
    server.thaw("registry");
    server.kill("registry");
    away(registry.prepare([id]).await.map(drop).expect_err("it is gone"));
    away(registry.check("orders-value", Format::Avro, &[]).await.map(drop).expect_err("it is gone"));
    assert!(read(&patient, &record).await.is_ok(), "an id does not change its meaning");
    server.restart("registry");
    let decoder = open(&server.address("registry")).prepare([id]).await.expect("it is back");
    assert!(decoder.json(&record).is_ok());
}

#[tokio::test]
async fn a_wrong_address_is_no_missing_schema() {
    let address = servers::shared("registry");
    let (host, _) = address.split_once("/apis/").expect("a path");
    let error = open(host).prepare([SchemaId(1)]).await.map(drop).expect_err("it is no registry there");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    for url in ["localhost:8081", "ftp://h", "http://", "http://me:secret@h:1", "http://h/?a=b"] {
        let error = Registry::open(&Settings::new(url), still()).map(drop).expect_err("no URL of a registry");
        assert!(!error.to_string().contains("secret") && error.kind() == ErrorKind::Invalid, "{error}");
    }
    let login = Login { user: "me".into(), password: Secret::new("hidden words") };
    assert!(!format!("{:?}", Settings { login: Some(login), ..Settings::new("http://h") }).contains("hidden words"));
}

#[tokio::test]
async fn a_certificate_is_looked_at() {
    // This one speaks TLS and no HTTP: who trusts its certificate finds that out, and who does not never comes so far.
    let server = Own::start(&["redis-secure"]);
    let address = server.address("redis-secure");
    let port = address.rsplit(':').next().expect("a port");
    let ask = async |roots: Roots| {
        let settings = Settings { roots, ..Settings::new(format!("https://127.0.0.1:{port}")) };
        open_with(&settings).prepare([SchemaId(1)]).await.map(drop).expect_err("it is no registry")
    };
    let trusted = ask(Roots::File(server.folder("redis-secure").join("ca.pem"))).await;
    assert_eq!(trusted.kind(), ErrorKind::Transient, "{trusted}");
    let stranger = ask(Roots::System).await;
    assert!(stranger.kind() == ErrorKind::Invalid && stranger.to_string().contains("certificate"), "{stranger}");
}

#[tokio::test]
async fn all_that_a_schema_cannot_give_is_said_at_once() {
    let registry = shared();
    let wanted = |fields: &[(&str, Kind)]| -> Vec<Wanted> {
        fields.iter().map(|(name, kind)| Wanted { name: (*name).into(), kind: kind.clone() }).collect()
    };
    let faults = async |subject: &str, fields: &[(&str, Kind)]| {
        let faults = registry.check(subject, Format::Avro, &wanted(fields)).await.expect("the registry answers");
        faults.into_iter().map(|fault| fault.to_string().replace(subject, "S")).collect::<Vec<_>>()
    };
    let subject = subject("checked");
    let missing = faults(&subject, &[("a", Kind::Text)]).await;
    assert!(matches!(&missing[..], [one] if one.starts_with("S: the registry has no such subject")), "{missing:?}");

    registry.register(&subject, &Definition::new(Format::Avro, AVRO)).await.expect("it is taken");
    let sound = [("order_id", Kind::Text), ("occurred_at", Kind::Time), ("basket", Kind::Decimal)];
    assert_eq!(faults(&subject, &sound).await, Vec::<String>::new());
    let wrong = [("order_id", Kind::Integer), ("occurred_at", Kind::Time), ("basket", Kind::Integer), ("store_id", Kind::Text)];
    assert_eq!(
        faults(&subject, &wrong).await,
        [
            "S, field `order_id`: it is a text in the schema and an integer in the source: declare it as `\"string\"`, or change the schema",
            "S, field `basket`: it is a number with a fraction in the schema and an integer in the source: declare it as a decimal, or change \
             the schema",
            "S, field `store_id`: the latest schema does not have it: add it there, or take it out of the source",
        ]
    );
}
