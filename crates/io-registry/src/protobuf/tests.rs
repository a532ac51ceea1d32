//! What Protobuf's messages become, and which bytes are refused. Messages are written by the library, hostile ones by hand.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use prost_reflect::{DynamicMessage, MapKey, Value, prost::Message};
use serde_json::json;

use super::Schema;
use crate::{fault::Stop, form::Form};

const ORDER: &str = r#"
    syntax = "proto3";
    package shop;
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/wrappers.proto";
    import "google/protobuf/duration.proto";
    import "google/protobuf/struct.proto";
    import "confluent/meta.proto";
    import "confluent/type/decimal.proto";
    import "google/type/decimal.proto";
    enum Kind { KIND_UNSPECIFIED = 0; PLACED = 1; READY = 2; }
    message Order {
        string order_id = 1 [(confluent.field_meta) = { doc: "who" }];
        int64 number = 2;
        optional int32 items = 3;
        Kind kind = 4;
        google.protobuf.Timestamp occurred_at = 5;
        google.protobuf.DoubleValue rating = 6;
        oneof way { string pickup = 7; Place place = 8; }
        repeated int32 lines = 9;
        map<string, double> weights = 10;
        confluent.type.Decimal basket = 11;
        google.type.Decimal tip = 12;
        google.protobuf.Duration took = 13;
        google.protobuf.Struct extra = 14;
        bytes mark = 15;
        bool express = 16;
        float lat = 17;
        uint64 large = 18;
        double lon = 19;
        Order again = 20;
        repeated Kind kinds = 21;
        message Place { int32 floor = 1; message Door { string name = 1; } }
    }
    message Rider { string rider_id = 1; }
"#;

fn order() -> Schema {
    Schema::compile(ORDER, &[]).expect("sound")
}

fn read(schema: &Schema, record: &[u8]) -> Result<serde_json::Value, Stop> {
    let mut out = Vec::new();
    schema.read(record, &mut out)?;
    Ok(serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&out))))
}

/// The members of an order with these set, without those that are always there.
fn check(set: impl FnOnce(&mut DynamicMessage), expected: serde_json::Value) {
    let schema = order();
    let mut message = DynamicMessage::new(schema.message(&[0]).expect("an order"));
    set(&mut message);
    let record = [&[0][..], &message.encode_to_vec()].concat();
    let mut found = read(&schema, &record).expect("sound");
    let always = always();
    let members = found.as_object_mut().expect("an object");
    members.retain(|name, value| always.get(name) != Some(value));
    assert_eq!(found, expected);
}

/// What a message has that nobody set.
fn always() -> serde_json::Value {
    json!({ "order_id": "", "number": 0, "kind": "KIND_UNSPECIFIED", "mark": "", "express": false, "lat": 0.0, "large": 0, "lon": 0.0 })
}

fn inner(message: &mut DynamicMessage, field: &str, set: &[(u32, Value)]) {
    let inner = message.get_field_by_name_mut(field).and_then(Value::as_message_mut).expect("a message");
    set.iter().for_each(|(number, value)| inner.set_field_by_number(*number, value.clone()));
}

#[test]
fn what_nobody_set_is_zero_or_left_out() {
    assert_eq!(read(&order(), &[0]), Ok(always()));
    check(|order| order.set_field_by_name("items", Value::I32(0)), json!({ "items": 0 }));
    check(|order| order.set_field_by_name("pickup", Value::String(String::new())), json!({ "pickup": "" }));
}

#[test]
fn scalars_keep_their_names_and_all_their_bits() {
    check(|order| order.set_field_by_name("number", Value::I64(i64::MIN)), json!({ "number": i64::MIN }));
    check(|order| order.set_field_by_name("large", Value::U64(u64::MAX)), json!({ "large": u64::MAX }));
    check(|order| order.set_field_by_name("lat", Value::F32(13.405)), json!({ "lat": 13.405 }));
    check(|order| order.set_field_by_name("lon", Value::F64(f64::INFINITY)), json!({ "lon": "Infinity" }));
    check(|order| order.set_field_by_name("mark", Value::Bytes(vec![0xFF, 0].into())), json!({ "mark": "/wA=" }));
    check(|order| order.set_field_by_name("kind", Value::EnumNumber(2)), json!({ "kind": "READY" }));
    check(|order| order.set_field_by_name("kind", Value::EnumNumber(9)), json!({ "kind": 9 }));
    check(
        |order| order.set_field_by_name("lines", Value::List(vec![Value::I32(1), Value::I32(-1)])),
        json!({ "lines": [1, -1] }),
    );
    let kinds = Value::List(vec![Value::EnumNumber(1), Value::EnumNumber(2)]);
    check(|order| order.set_field_by_name("kinds", kinds), json!({ "kinds": ["PLACED", "READY"] }));
    let weights = [("b", 1.5), ("a", 2.5)].map(|(key, value)| (MapKey::String(key.into()), Value::F64(value)));
    check(|order| order.set_field_by_name("weights", Value::Map(weights.into())), json!({ "weights": { "a": 2.5, "b": 1.5 } }));
    check(|order| inner(order, "place", &[(1, Value::I32(3))]), json!({ "place": { "floor": 3 } }));
}

#[test]
fn what_google_knows_has_its_json_form() {
    let seconds = |seconds, nanos| [(1, Value::I64(seconds)), (2, Value::I32(nanos))];
    check(
        |order| inner(order, "occurred_at", &seconds(1_795_255_200, 250_000_000)),
        json!({ "occurred_at": "2026-11-21T10:00:00.250Z" }),
    );
    check(|order| inner(order, "occurred_at", &seconds(0, 0)), json!({ "occurred_at": "1970-01-01T00:00:00Z" }));
    check(
        |order| inner(order, "occurred_at", &seconds(i64::MAX, -1)),
        json!({ "occurred_at": { "seconds": i64::MAX, "nanos": -1 } }),
    );
    check(|order| inner(order, "took", &seconds(-1, -500_000_000)), json!({ "took": "-1.5s" }));
    check(|order| inner(order, "took", &seconds(3, 0)), json!({ "took": "3s" }));
    check(|order| inner(order, "rating", &[]), json!({ "rating": 0.0 }));
    check(|order| inner(order, "rating", &[(1, Value::F64(4.5))]), json!({ "rating": 4.5 }));
    check(|order| inner(order, "extra", &[]), json!({ "extra": {} }));
    let free = |order: &mut DynamicMessage| {
        let extra = order.get_field_by_name_mut("extra").and_then(Value::as_message_mut).expect("a struct");
        let kind = extra.get_field_by_number_mut(1).map(|_| ()).and_then(|()| {
            prost_reflect::ReflectMessage::descriptor(extra)
                .get_field(1)?
                .kind()
                .as_message()
                .map(|entry| entry.map_entry_value_field().kind())
        });
        let mut value = DynamicMessage::new(kind.expect("a kind").as_message().expect("a value").clone());
        value.set_field_by_name("bool_value", Value::Bool(true));
        extra.set_field_by_number(1, Value::Map([(MapKey::String("a".into()), Value::Message(value))].into()));
    };
    check(free, json!({ "extra": { "a": true } }));
}

#[test]
fn decimals_are_numbers() {
    let basket = [(1, Value::Bytes(vec![0x0A, 0x1E].into())), (3, Value::I32(2))];
    check(|order| inner(order, "basket", &basket), json!({ "basket": 25.90 }));
    check(|order| inner(order, "tip", &[(1, Value::String("-1.5".into()))]), json!({ "tip": -1.5 }));
    check(|order| inner(order, "tip", &[(1, Value::String(" 1".into()))]), json!({ "tip": { "value": " 1" } }));
    check(|order| inner(order, "tip", &[(1, Value::String("1,2".into()))]), json!({ "tip": { "value": "1,2" } }));
    let text = |bytes: &[u8]| {
        let mut out = Vec::new();
        order().read(bytes, &mut out).map(|()| String::from_utf8(out).expect("text"))
    };
    // 9007199254740993.01, which no double is.
    let exact = [&[0, 0x5A, 0x0C, 0x0A, 0x08][..], &900_719_925_474_099_301i64.to_be_bytes(), &[0x18, 0x02]].concat();
    assert!(text(&exact).expect("sound").contains("\"basket\":9007199254740993.01,"));
}

#[test]
fn the_list_says_which_message_it_is() {
    let schema = order();
    assert_eq!(read(&schema, &[2, 2, 0x0A, 1, b'r']), Ok(json!({ "rider_id": "r" })));
    let nested = (0..9).find_map(|place| {
        let message = schema.message(&[0, place])?;
        (message.name() == "Place").then_some(place)
    });
    let place = u8::try_from(2 * nested.expect("it is there")).expect("small");
    assert_eq!(read(&schema, &[4, 0, place, 8, 7]), Ok(json!({ "floor": 7 })));
    assert_eq!(read(&schema, &[6, 0, place, 0, 0x0A, 1, b'd']), Ok(json!({ "name": "d" })));
    assert_eq!(read(&schema, &[2, 8]), Err(Stop::Wrong("there is no message at this place of the schema")));
}

#[test]
fn members_that_the_schema_does_not_have_pass() {
    let newer = r#"syntax = "proto3"; message Rider { string rider_id = 1; string name = 2; repeated int64 shifts = 3; }"#;
    let mut record = Vec::new();
    let newer = Schema::compile(newer, &[]).expect("sound");
    newer.write(&json!({ "rider_id": "r", "name": "n", "shifts": [1, 2] }), &mut record).expect("it fits");
    let older = Schema::compile(r#"syntax = "proto3"; message Rider { string rider_id = 1; }"#, &[]).expect("sound");
    assert_eq!(read(&older, &record), Ok(json!({ "rider_id": "r" })));
}

#[test]
fn files_import_each_other() {
    let place = r#"syntax = "proto3"; package geo; import "sub/unit.proto"; message Place { sub.Unit unit = 1; }"#;
    let unit = r#"syntax = "proto3"; package sub; message Unit { string name = 1; }"#;
    let order = r#"syntax = "proto3"; import "place.proto"; message Order { geo.Place to = 1; }"#;
    let schema = Schema::compile(order, &[("sub/unit.proto", unit), ("place.proto", place)]).expect("sound");
    assert_eq!(read(&schema, &[0, 0x0A, 5, 0x0A, 3, 0x0A, 1, b'm']), Ok(json!({ "to": { "unit": { "name": "m" } } })));
    let why = Schema::compile(order, &[]).map(drop).expect_err("a file is missing");
    assert!(why.contains("place.proto"), "{why}");
}

#[test]
fn what_a_compiler_made_of_a_file_is_as_good_as_the_file() {
    let encoded = |schema: &Schema| STANDARD.encode(schema.file.encode_to_vec());
    let unit = Schema::compile(r#"syntax = "proto3"; package sub; message Unit { string name = 1; }"#, &[]).expect("sound");
    let order = r#"syntax = "proto3"; import "unit.proto"; message Order { sub.Unit to = 1; }"#;
    let schema = Schema::compile(order, &[("unit.proto", &encoded(&unit))]).expect("sound");
    let again = Schema::compile(&encoded(&schema), &[("unit.proto", &encoded(&unit))]).expect("sound");
    for schema in [schema, again] {
        assert_eq!(read(&schema, &[0, 0x0A, 3, 0x0A, 1, b'm']), Ok(json!({ "to": { "name": "m" } })));
    }
}

#[test]
fn older_syntax_is_read_as_well() {
    let schema =
        Schema::compile(r#"syntax = "proto2"; message A { required int32 a = 1; optional string b = 2 [default = "x"]; }"#, &[]);
    let schema = schema.expect("sound");
    assert_eq!(read(&schema, &[0, 8, 7]), Ok(json!({ "a": 7 })));
    assert_eq!(read(&schema, &[0, 8, 0, 0x12, 0]), Ok(json!({ "a": 0, "b": "" })));
}

#[test]
fn senseless_schemas_are_refused() {
    for (text, word) in [
        ("message", "expected"),
        ("syntax = \"proto3\";", "no message"),
        ("syntax = \"proto3\"; message A { B b = 1; }", "B"),
        ("syntax = \"proto3\"; import \"a.proto\"; message A {}", "a.proto"),
    ] {
        let why = Schema::compile(text, &[]).map(drop).expect_err("senseless");
        assert!(why.contains(word), "{text}: {why}");
    }
}

#[test]
fn wrong_bytes_are_refused() {
    const UNREADABLE: Result<serde_json::Value, Stop> = Err(Stop::Wrong("the message cannot be read"));
    let schema = order();
    for record in [
        &[0, 0x0A, 5, b'x'][..],
        &[0, 0x0A, 1, 0xFF],
        &[0, 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        &[0, 0x08, 1],
        &[0, 0x07],
        &[0, 0x10],
        &[0, 0],
    ] {
        assert_eq!(read(&schema, record), UNREADABLE, "{record:?}");
    }
}

#[test]
fn messages_within_messages_have_an_end() {
    let schema = order();
    let deep = |levels: usize| {
        let mut bytes = Vec::new();
        for _ in 0..levels {
            let mut outer = vec![0xA2, 0x01];
            let mut length = bytes.len();
            while length >= 0x80 {
                outer.push(length.to_le_bytes()[0] | 0x80);
                length >>= 7;
            }
            outer.push(length.to_le_bytes()[0]);
            outer.append(&mut bytes);
            bytes = outer;
        }
        [vec![0], bytes].concat()
    };
    assert!(read(&schema, &deep(63)).is_ok());
    assert_eq!(read(&schema, &deep(64)), Err(Stop::Wrong("it is nested more than 64 deep")));
    assert_eq!(read(&schema, &deep(2_000)), Err(Stop::Wrong("the message cannot be read")));
    // Groups that nobody knows, one byte each.
    assert!(read(&schema, &[vec![0], vec![0xF3; 100_000]].concat()).is_err());
}

#[test]
fn shapes_of_members() {
    let schema = order();
    let check = |field: &str, expected: &[Form]| assert_eq!(schema.forms(field).as_deref(), Some(expected), "{field}");
    check("order_id", &[Form::Text]);
    check("items", &[Form::Null, Form::Small]);
    check("number", &[Form::Whole]);
    check("kind", &[Form::Labels(vec!["PLACED".into(), "READY".into()])]);
    check("occurred_at", &[Form::Null, Form::Instant { as_text: true }]);
    check("rating", &[Form::Null, Form::Fraction]);
    check("basket", &[Form::Null, Form::Fraction]);
    check("lines", &[Form::Unreadable("a repeated field")]);
    check("weights", &[Form::Unreadable("a map")]);
    check("place", &[Form::Null, Form::Unreadable("a message")]);
    assert_eq!(schema.forms("orderId"), None);
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        id: String, number: i64, items in proptest::option::of(any::<i32>()), kind in proptest::sample::select(vec!["KIND_UNSPECIFIED", "PLACED", "READY"]), ms in -60_000_000_000_000i64..200_000_000_000_000,
        lines in proptest::collection::vec(any::<i32>(), 0..5), lat: f32, large: u64, express: bool,
    ) {
        prop_assume!(lat.is_finite());
        let schema = order();
        let mut object = json!({
            "order_id": id, "number": number, "kind": kind, "occurred_at": ms, "express": express,
            "large": large, "place": { "floor": 7 }, "mark": "", "lon": 0.0, "rating": 1.5,
            "lat": lat,
        });
        let mut expect = |name: &str, value: serde_json::Value| object.as_object_mut().expect("an object").insert(name.into(), value);
        items.map(|items| expect("items", json!(items)));
        if !lines.is_empty() {
            expect("lines", json!(lines));
        }
        let mut written = object.clone();
        written.as_object_mut().expect("an object").remove("mark");
        let mut record = Vec::new();
        schema.write(&written, &mut record).expect("it fits");
        let mut found = read(&schema, &record).expect("it was just written");
        let instant = found["occurred_at"].as_str().and_then(domain::Timestamp::parse).expect("an instant");
        found["occurred_at"] = json!(instant.0);
        // Where two texts are equally short and near, anybody may choose.
        let near = found["lat"].to_string().parse::<f32>().expect("a number");
        prop_assert_eq!(near, lat);
        found["lat"] = object["lat"].clone();
        prop_assert_eq!(found, object);
    }
}
