//! What it costs to turn a record into JSON: the order event in Avro and Protobuf, beside JSON that passes. Nanoseconds for one record.
//!
//! `cargo run --release -p io-registry --example decoding`

#![expect(clippy::print_stdout, reason = "it is for a person")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::{error::Error, hint::black_box, time::Instant};

use io_registry::{Decoder, Definition, Encoder, Format, SchemaId};
use serde_json::json;

const RECORDS: u32 = 200_000;
/// The fastest of some runs is the least disturbed.
const RUNS: usize = 7;

const AVRO: &str = r#"{ "type": "record", "name": "Order", "namespace": "shop", "fields": [
    { "name": "id", "type": "string" }, { "name": "source", "type": "string" },
    { "name": "type", "type": { "type": "enum", "name": "Kind", "symbols": ["order_placed", "order_accepted", "order_ready"] } },
    { "name": "occurred_at", "type": { "type": "long", "logicalType": "timestamp-millis" } },
    { "name": "order_id", "type": "string" }, { "name": "store_id", "type": "string" },
    { "name": "lat", "type": "double" }, { "name": "lon", "type": "double" },
    { "name": "basket", "type": ["null", { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 }] },
    { "name": "items", "type": ["null", "int"] }
] }"#;

const PROTOBUF: &str = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto";
    enum Kind { unspecified = 0; order_placed = 1; order_accepted = 2; order_ready = 3; }
    message Order {
        string id = 1; string source = 2; Kind type = 3; google.protobuf.Timestamp occurred_at = 4; string order_id = 5;
        string store_id = 6; double lat = 7; double lon = 8; double basket = 9; int32 items = 10;
    }"#;

fn main() -> Result<(), Box<dyn Error>> {
    let order = json!({
        "id": "e-000000017", "source": "order-service", "type": "order_placed", "occurred_at": "2026-11-20T12:00:00.250Z",
        "order_id": "o-000000017", "store_id": "42", "lat": 52.52, "lon": 13.405, "basket": 25.5, "items": 3,
    });
    for (format, text) in [(Format::Json, "{}"), (Format::Avro, AVRO), (Format::Protobuf, PROTOBUF)] {
        let definition = Definition::new(format, text);
        let record = Encoder::new(SchemaId(1), &definition)?.encode(&order)?;
        let decoder = Decoder::of([(SchemaId(1), &definition)])?;
        let json = decoder.json(&record)?;
        let fastest = (0..RUNS).map(|_| run(&decoder, &record)).fold(f64::INFINITY, f64::min);
        println!("{format:?}: {} bytes to {} bytes of JSON, {fastest:.0} ns", record.len(), json.len());
    }
    Ok(())
}

fn run(decoder: &Decoder, record: &[u8]) -> f64 {
    let began = Instant::now();
    for _ in 0..RECORDS {
        drop(black_box(decoder.json(black_box(record))));
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS)
}
