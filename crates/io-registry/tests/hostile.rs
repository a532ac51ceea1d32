//! Bytes that nobody meant: by chance, and sound records after damage. Whatever comes, the decoder answers with JSON or a fault, and
//! with no more than it may take.

use io_registry::{Decoder, Definition, Encoder, Fault, Format, JSON_BYTES_MAX, RECORD_BYTES_MAX, SchemaId};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// A failure is found again with the same seed.
const SEED: u64 = 20_261_121;
const ROUNDS: u32 = 60_000;

const AVRO: &str = r#"{ "type": "record", "name": "Everything", "fields": [
    { "name": "id", "type": "string" },
    { "name": "at", "type": { "type": "long", "logicalType": "timestamp-micros" } },
    { "name": "day", "type": { "type": "int", "logicalType": "date" } },
    { "name": "here", "type": { "type": "long", "logicalType": "local-timestamp-nanos" } },
    { "name": "basket", "type": ["null", { "type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9 }] },
    { "name": "tax", "type": { "type": "fixed", "name": "Tax", "size": 20, "logicalType": "decimal", "precision": 38, "scale": 2 } },
    { "name": "mark", "type": ["null", "bytes", { "type": "fixed", "name": "Mark", "size": 16, "logicalType": "uuid" }] },
    { "name": "kind", "type": { "type": "enum", "name": "Kind", "symbols": ["A", "B"] } },
    { "name": "nothings", "type": { "type": "array", "items": "null" } },
    { "name": "lat", "type": "double" }, { "name": "lon", "type": "float" }, { "name": "express", "type": "boolean" },
    { "name": "names", "type": { "type": "map", "values": "string" } },
    { "name": "parts", "type": { "type": "array", "items": "Everything" } }
] }"#;

const PROTOBUF: &str = r#"syntax = "proto3";
    import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/any.proto";
    import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto"; import "confluent/type/decimal.proto";
    message Everything {
        string id = 1; google.protobuf.Timestamp at = 2; sint64 number = 3; double lat = 4; float lon = 5; bool express = 6;
        confluent.type.Decimal basket = 7; google.protobuf.Struct extra = 8; google.protobuf.Any any = 9; bytes mark = 10;
        repeated sint32 lines = 11; map<string, Everything> named = 12; repeated Everything parts = 13; oneof way { string a = 14; uint32 b = 15; }
        google.protobuf.Duration took = 16; google.protobuf.BytesValue wrapped = 17; fixed64 fixed = 18; google.protobuf.Value free = 19;
    }
    message Other { map<int32, bool> m = 1; }"#;

fn records() -> [(Definition, Value); 2] {
    let part = |parts: Value| {
        json!({
            "id": "e1", "at": 1_795_255_200_123i64, "day": 1, "here": 1, "basket": "25.90", "tax": -1, "mark": null, "kind": "B",
            "nothings": [null, null], "lat": 52.5, "lon": 13.4, "express": true, "names": { "a": "b" }, "parts": parts,
        })
    };
    // The encoder writes neither days nor local times; the readers of plain numbers stand at the same places.
    let text =
        AVRO.replace("\"logicalType\": \"date\"", "\"x\": 0").replace("\"logicalType\": \"local-timestamp-nanos\"", "\"x\": 0");
    let avro = (Definition::new(Format::Avro, text), part(json!([part(json!([]))])));
    let protobuf = json!({
        "id": "e1", "at": 1_795_255_200_123i64, "number": -7, "lat": 52.5, "lon": 13.4, "express": true, "lines": [1, 2, 3], "a": "x",
        "parts": [{ "id": "e2", "parts": [{ "b": 7 }] }], "fixed": 1,
    });
    [avro, (Definition::new(Format::Protobuf, PROTOBUF), protobuf)]
}

/// Reads the bytes; what comes out has to be one JSON object within its bound.
fn check(decoder: &Decoder, record: &[u8]) -> Result<(), Fault> {
    let json = decoder.json(record)?;
    assert!(json.len() <= JSON_BYTES_MAX);
    let object: Result<serde_json::Map<String, Value>, _> = serde_json::from_slice(&json);
    assert!(object.is_ok(), "{record:?} became {}", String::from_utf8_lossy(&json));
    Ok(())
}

/// How many of the damaged records could be read.
fn damaged(decoder: &Decoder, sound: &[u8], chance: &mut ChaCha8Rng) -> u32 {
    let mut read = 0;
    for _ in 0..ROUNDS {
        let mut record = sound.to_vec();
        for _ in 0..chance.random_range(1..4) {
            let place = chance.random_range(5..record.len());
            match chance.random_range(0..4) {
                0 => record[place] = chance.random(),
                1 => record[place] ^= 1 << chance.random_range(0..8),
                2 => record.truncate(place.max(6)),
                _ => record.insert(place, chance.random()),
            }
        }
        read += u32::from(check(decoder, &record).is_ok());
    }
    read
}

#[test]
fn damaged_records_are_read_or_refused() {
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    for (definition, object) in records() {
        let decoder = Decoder::of([(SchemaId(7), &definition)]).expect("sound");
        let sound = Encoder::new(SchemaId(7), &definition).and_then(|encoder| encoder.encode(&object)).expect("it fits");
        assert_eq!(check(&decoder, &sound), Ok(()));
        let read = damaged(&decoder, &sound, &mut chance);
        // Damage within a text is not noticed, damage to a length is: both kinds have to be among them.
        assert!(read > ROUNDS / 100 && read < ROUNDS, "{read} of {ROUNDS} {:?} records", definition.format);
    }
}

#[test]
fn bytes_by_chance_are_read_or_refused() {
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    let avro = Definition::new(Format::Avro, AVRO);
    let protobuf = Definition::new(Format::Protobuf, PROTOBUF);
    let decoder = Decoder::of([(SchemaId(0), &avro), (SchemaId(1), &protobuf)]).expect("sound");
    for round in 0..ROUNDS {
        let mut record = vec![0; chance.random_range(5..200)];
        chance.fill_bytes(&mut record[5..]);
        record[..5].copy_from_slice(&[0, 0, 0, 0, u8::from(round % 2 == 0)]);
        if let Some(index) = record.get_mut(5).filter(|_| round % 2 == 0) {
            *index = 0;
        }
        drop(check(&decoder, &record));
    }
}

#[test]
fn each_fault_has_its_reason() {
    let avro = Definition::new(Format::Avro, r#"{"type":"record","name":"A","fields":[{"name":"a","type":"bytes"}]}"#);
    let json = Definition::new(Format::Json, "{}");
    let decoder = Decoder::of([(SchemaId(1), &avro), (SchemaId(2), &json)]).expect("sound");
    let reason = |record: &[u8]| decoder.json(record).map_err(|fault| fault.reason());
    assert_eq!(reason(b""), Err("not_framed"));
    assert_eq!(reason(br#"{"a":1}"#), Err("not_framed"));
    assert_eq!(reason(&[0, 0, 0, 0, 1, 7]), Err("undecodable"));
    assert_eq!(reason(&[0, 0, 0, 0, 3]), Err("not_prepared"));
    assert_eq!(reason(&vec![0; RECORD_BYTES_MAX + 1]), Err("too_large"));
    assert_eq!(reason(&[&[0, 0, 0, 0, 2][..], br#"{"a":1}"#].concat()), Ok(br#"{"a":1}"#.to_vec()), "JSON passes");
    // Base64 takes four characters for three bytes.
    let length = u32::try_from(JSON_BYTES_MAX / 4 * 3 + 3).expect("small");
    let mut long = vec![0, 0, 0, 0, 1];
    let mut rest = length << 1;
    while rest >= 0x80 {
        long.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    long.push(rest.to_le_bytes()[0]);
    long.resize(long.len() + length as usize, 1);
    assert_eq!(reason(&long), Err("too_large"));
}
