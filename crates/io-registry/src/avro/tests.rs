//! What Avro's bytes become, and which bytes are refused. The bytes here are written by hand from the specification.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Schema;
use crate::{fault::Stop, form::Form, frame::put_zig_zag};

mod generated;

/// A record with one field of this type.
fn schema(kind: &Value) -> Schema {
    let text = json!({ "type": "record", "name": "Event", "fields": [{ "name": "it", "type": kind }] }).to_string();
    Schema::parse(&text, &[]).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn read(schema: &Schema, bytes: &[u8]) -> Result<String, Stop> {
    let mut out = Vec::new();
    schema.read(bytes, &mut out).map(|()| String::from_utf8(out).expect("JSON is UTF-8"))
}

/// What the only field of a record becomes.
fn check(kind: Value, bytes: &[u8], expected: &str) {
    assert_eq!(read(&schema(&kind), bytes), Ok(format!("{{\"it\":{expected}}}")), "{kind}");
}

fn refuse(kind: Value, bytes: &[u8], why: &'static str) {
    assert_eq!(read(&schema(&kind), bytes), Err(Stop::Wrong(why)), "{kind}");
}

fn logical(kind: &str, name: &str) -> Value {
    json!({ "type": kind, "logicalType": name })
}

fn long(number: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_zig_zag(number, &mut bytes);
    bytes
}

#[test]
fn primitives() {
    check(json!("null"), &[], "null");
    check(json!("boolean"), &[1], "true");
    check(json!("int"), &[0x7F], "-64");
    check(json!("long"), &long(i64::MIN), "-9223372036854775808");
    check(json!("long"), &long(9_007_199_254_740_993), "9007199254740993");
    check(json!("float"), &13.405f32.to_le_bytes(), "13.405");
    check(json!("double"), &25.9f64.to_le_bytes(), "25.9");
    check(json!("double"), &f64::NAN.to_le_bytes(), "\"NaN\"");
    check(json!("float"), &f32::NEG_INFINITY.to_le_bytes(), "\"-Infinity\"");
    check(json!("string"), b"\x06a\"b", "\"a\\\"b\"");
    check(json!("bytes"), &[4, 0xFF, 0x00], "\"/wA=\"");
    check(json!({ "type": "fixed", "name": "F", "size": 2 }), &[0xFF, 0x00], "\"/wA=\"");
    check(json!({ "type": { "type": "string", "avro.java.string": "String" } }), &[2, b'x'], "\"x\"");
}

#[test]
fn logical_types() {
    check(json!({ "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 }), &[4, 0x0A, 0x1E], "25.90");
    check(json!({ "type": "bytes", "logicalType": "decimal", "precision": 9 }), &[2, 0xFF], "-1");
    let fixed = json!({ "type": "fixed", "name": "D", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 3 });
    check(fixed, &[0xFF, 0xFF, 0xFF, 0xFE], "-0.002");
    check(logical("long", "timestamp-millis"), &long(1_795_255_200_123), "1795255200123");
    check(logical("long", "timestamp-micros"), &long(1_795_255_200_123_999), "1795255200123");
    check(logical("long", "timestamp-micros"), &long(-1), "-1");
    check(logical("long", "timestamp-nanos"), &long(1_795_255_200_123_999_999), "1795255200123");
    check(logical("long", "local-timestamp-micros"), &long(1_795_255_200_250_000), "\"2026-11-21T10:00:00.250\"");
    check(logical("long", "local-timestamp-millis"), &long(i64::MAX), "9223372036854775807");
    check(logical("int", "date"), &long(20_778), "\"2026-11-21\"");
    check(logical("int", "date"), &long(i32::MAX.into()), "2147483647");
    check(logical("int", "time-millis"), &long(36_000_000), "36000000");
    check(logical("string", "uuid"), b"\x06u-1", "\"u-1\"");
    let uuid = json!({ "type": "fixed", "name": "U", "size": 16, "logicalType": "uuid" });
    check(uuid, &[0x12; 16], "\"12121212-1212-1212-1212-121212121212\"");
}

#[test]
fn a_logical_type_that_does_not_fit_is_left_out() {
    check(json!({ "type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3 }), &[2, 1], "\"AQ==\"");
    check(json!({ "type": "bytes", "logicalType": "decimal" }), &[2, 1], "\"AQ==\"");
    check(logical("int", "timestamp-millis"), &[2], "1");
    check(logical("string", "something-new"), &[2, b'x'], "\"x\"");
}

#[test]
fn complex_types() {
    check(json!(["null", "string"]), &[0], "null");
    check(json!(["null", "string"]), &[2, 2, b'x'], "\"x\"");
    check(json!({ "type": "enum", "name": "E", "symbols": ["A", "B"] }), &[2], "\"B\"");
    check(json!({ "type": "array", "items": "int" }), &[4, 2, 4, 0], "[1,2]");
    check(json!({ "type": "array", "items": "int" }), &[0], "[]");
    // Two blocks, the second of them with its length.
    check(json!({ "type": "array", "items": "int" }), &[2, 2, 3, 4, 4, 6, 0], "[1,2,3]");
    check(json!({ "type": "map", "values": "int" }), &[4, 2, b'a', 2, 2, b'b', 4, 0], "{\"a\":1,\"b\":2}");
    let inner =
        json!({ "type": "record", "name": "I", "fields": [{ "name": "a", "type": "int" }, { "name": "b", "type": "int" }] });
    check(inner, &[2, 4], "{\"a\":1,\"b\":2}");
    check(json!({ "type": "record", "name": "Empty", "fields": [] }), &[], "{}");
}

#[test]
fn names_are_found_where_they_belong() {
    let text = json!({
        "type": "record", "name": "Order", "namespace": "shop", "fields": [
            { "name": "a", "type": { "type": "enum", "name": "Kind", "symbols": ["A"] } },
            { "name": "b", "type": "shop.Kind" },
            { "name": "c", "type": { "type": "record", "name": "other.Place", "fields": [
                { "name": "d", "type": { "type": "fixed", "name": "Mark", "size": 1 } },
                { "name": "e", "type": "Mark" },
                { "name": "f", "type": "shop.Kind" },
            ] } },
            { "name": "g", "type": ["null", "other.Mark"] },
        ],
    });
    let schema = Schema::parse(&text.to_string(), &[]).expect("sound");
    let expected = r#"{"a":"A","b":"A","c":{"d":"AQ==","e":"Ag==","f":"A"},"g":"Aw=="}"#;
    assert_eq!(read(&schema, &[0, 0, 1, 2, 0, 2, 3]).as_deref(), Ok(expected));
}

#[test]
fn types_of_other_subjects_are_known_by_their_names() {
    let place = r#"{"type":"record","name":"geo.Place","fields":[{"name":"lat","type":"int"}]}"#;
    let store = r#"{"type":"record","name":"Store","fields":[{"name":"at","type":"geo.Place"}]}"#;
    let order = r#"{"type":"record","name":"Order","fields":[{"name":"to","type":"geo.Place"},{"name":"from","type":"Store"}]}"#;
    let schema = Schema::parse(order, &[place, store]).expect("sound");
    assert_eq!(read(&schema, &[2, 4]).as_deref(), Ok(r#"{"to":{"lat":1},"from":{"at":{"lat":2}}}"#));
    let why = Schema::parse(order, &[place]).map(drop).expect_err("Store is missing");
    assert_eq!(why, "the type Store is not declared: add a reference to the subject that declares it");
}

#[test]
fn one_topic_may_carry_several_records() {
    let text = r#"["null",{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]},
        {"type":"record","name":"B","fields":[{"name":"b","type":["null","string"]},{"name":"a","type":"string"}]}]"#;
    let schema = Schema::parse(text, &[]).expect("sound");
    assert_eq!(read(&schema, &[2, 2]).as_deref(), Ok(r#"{"a":1}"#));
    assert_eq!(read(&schema, &[4, 0, 2, b'x']).as_deref(), Ok(r#"{"b":null,"a":"x"}"#));
    assert_eq!(read(&schema, &[0]), Err(Stop::Wrong("it is not a record but another branch of the union")));
    assert_eq!(schema.forms("a"), Some(vec![Form::Small, Form::Text]));
    assert_eq!(schema.forms("b"), Some(vec![Form::Null, Form::Text]));
    assert_eq!(schema.forms("c"), None);
}

#[test]
fn wrong_bytes_are_refused() {
    refuse(json!("string"), &[8, b'x'], "it ends too early");
    refuse(json!("string"), &long(i64::MAX), "it ends too early");
    refuse(json!("string"), &[1], "a length is negative");
    refuse(json!("string"), &[2, 0xFF], "a text is not UTF-8");
    refuse(json!("boolean"), &[2], "a boolean is neither 0 nor 1");
    refuse(json!("int"), &long(1 << 40), "an int has more than 32 bits");
    refuse(json!("long"), &[0xFF; 11], "a number is cut off or too long");
    refuse(json!(["null"]), &[2], "a union has no such branch");
    refuse(json!({ "type": "enum", "name": "E", "symbols": ["A"] }), &[1], "an enum has no such symbol");
    refuse(json!("int"), &[2, 2], "bytes follow the end of the record");
    refuse(json!("double"), &[0; 7], "it ends too early");
}

#[test]
fn a_few_bytes_do_not_become_many() {
    // A billion items of no bytes at all.
    let bytes = long(1 << 30);
    for items in [json!("null"), json!({ "type": "record", "name": "Empty", "fields": [] })] {
        assert_eq!(read(&schema(&json!({ "type": "array", "items": items })), &bytes), Err(Stop::TooLarge));
    }
    let bytes = long(i64::MIN);
    assert_eq!(read(&schema(&json!({ "type": "array", "items": "null" })), &[&bytes[..], &[0]].concat()), Err(Stop::TooLarge));
}

#[test]
fn types_within_themselves_have_an_end() {
    let list = json!({ "type": "record", "name": "Node", "fields": [{ "name": "next", "type": ["null", "Node"] }] });
    let deep = |levels: usize| [vec![2; levels], vec![0]].concat();
    check(list.clone(), &deep(2), r#"{"next":{"next":{"next":null}}}"#);
    refuse(list, &deep(1 << 20), "it is nested more than 64 deep");
    // This one takes no bytes for a level.
    let endless = json!({ "type": "record", "name": "Again", "fields": [{ "name": "again", "type": "Again" }] });
    refuse(endless, &[], "it is nested more than 64 deep");
}

#[test]
fn senseless_schemas_are_refused() {
    let event = |kind: Value| json!({ "type": "record", "name": "E", "fields": [{ "name": "a", "type": kind }] }).to_string();
    let mut deep = json!("int");
    (0..100).for_each(|_| deep = json!({ "type": "array", "items": deep }));
    for (text, word) in [
        ("{".to_owned(), "not JSON"),
        ("string".into(), "has to be a record"),
        (r#"["null","string"]"#.into(), "has to be a record"),
        (event(json!("Unknown")), "not declared"),
        (event(json!({ "type": "array" })), "`items`"),
        (event(json!({ "type": "fixed", "name": "F", "size": -1 })), "`size`"),
        (event(json!({ "type": "record", "name": "E", "fields": [] })), "declared twice"),
        (event(json!(7)), "is no type"),
        (event(deep), "deep"),
        (
            r#"{"type":"record","name":"E","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#.into(),
            "field a is declared twice",
        ),
        (event(json!(vec![Value::from("int"); 10_001])), "more than 10000 types"),
    ] {
        let why = Schema::parse(&text, &[]).map(drop).expect_err("senseless");
        assert!(why.contains(word), "{why}");
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    let write = |kind: Value, value: Value| schema(&kind).write(&json!({ "it": value }), &mut Vec::new());
    for (kind, value) in [
        (json!("int"), json!(1i64 << 40)),
        (json!("string"), json!(1)),
        (json!(["null", "int"]), json!("x")),
        (json!({ "type": "enum", "name": "E", "symbols": ["A"] }), json!("B")),
        (json!({ "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 1 }), json!(0.25)),
        (json!({ "type": "fixed", "name": "F", "size": 1, "logicalType": "decimal", "precision": 2 }), json!(200)),
        (logical("long", "timestamp-millis"), json!("yesterday")),
    ] {
        let why = write(kind.clone(), value.clone()).expect_err("it does not fit");
        assert!(why.starts_with("it: its schema wants"), "{kind} {value}: {why}");
    }
}

#[test]
fn what_is_left_out_is_written_as_its_default() {
    let text = json!({ "type": "record", "name": "E", "fields": [
        { "name": "a", "type": "int", "default": 7 }, { "name": "b", "type": ["null", "int"] }, { "name": "at", "type": logical("long", "timestamp-micros") },
    ] });
    let schema = Schema::parse(&text.to_string(), &[]).expect("sound");
    let mut bytes = Vec::new();
    schema.write(&json!({ "at": "2026-11-21T10:00:00.250Z", "unknown": 1 }), &mut bytes).expect("it fits");
    assert_eq!(read(&schema, &bytes).as_deref(), Ok(r#"{"a":7,"b":null,"at":1795255200250}"#));
}

proptest! {
    #[test]
    fn what_was_written_is_read((kind, value) in generated::typed()) {
        let schema = schema(&kind);
        let mut bytes = Vec::new();
        schema.write(&json!({ "it": value }), &mut bytes).expect("it fits");
        let text = read(&schema, &bytes).expect("it was just written");
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).expect("JSON")["it"], &value, "{}", kind);
        // Whatever is cut off or added is noticed.
        prop_assert!(bytes.is_empty() || read(&schema, &bytes[..bytes.len() - 1]).is_err());
        prop_assert!(read(&schema, &[&bytes[..], &[0]].concat()).is_err());
    }
}
