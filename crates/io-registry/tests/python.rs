//! What Confluent's own serializers write, read by this crate: Avro and Protobuf from Python, values by chance among them.

use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use io_registry::{Format, Kind, Registry, SchemaId, Settings, Wanted};
use ports::clock_fn;
use serde_json::Value;
use testkit::servers;

const PRODUCER: &str = include_str!("python/producer.py");
/// As many as the program says that it writes.
const RECORDS_MIN: usize = 500;

#[tokio::test]
async fn what_other_producers_write_is_read() {
    let url = servers::shared("registry");
    let prefix = format!("python-{}", std::process::id());
    let output = Command::new(servers::python()).args(["-c", PRODUCER, &url, &prefix]).output().expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<(Vec<u8>, Value)> = String::from_utf8(output.stdout).expect("text").lines().map(line).collect();
    assert!(lines.len() >= RECORDS_MIN, "{} records", lines.len());

    let registry = Registry::open(&Settings::new(url), clock_fn(1.0, || Timestamp(0))).expect("sound settings");
    let ids = lines.iter().filter_map(|(record, _)| SchemaId::of(record));
    let decoder = registry.prepare(ids).await.expect("the registry answers");
    for (record, expected) in &lines {
        let json = decoder.json(record).unwrap_or_else(|fault| panic!("{fault}: {expected}"));
        assert_eq!(&serde_json::from_slice::<Value>(&json).expect("JSON"), expected, "{}", String::from_utf8_lossy(&json));
    }

    let wanted = [("id", Kind::Text), ("at", Kind::Time), ("basket", Kind::Decimal), ("lat", Kind::Decimal)];
    let wanted = wanted.map(|(name, kind)| Wanted { name: name.into(), kind });
    for (topic, format) in [("avro", Format::Avro), ("protobuf", Format::Protobuf)] {
        let subject = format!("{prefix}-{topic}-value");
        assert_eq!(registry.check(&subject, format, &wanted).await.expect("an answer"), [], "{subject}");
    }
}

/// A record in base64, a blank, and what it should become.
fn line(line: &str) -> (Vec<u8>, Value) {
    let (record, expected) = line.split_once(' ').expect("two columns");
    (STANDARD.decode(record).expect("base64"), serde_json::from_str(expected).expect("JSON"))
}
