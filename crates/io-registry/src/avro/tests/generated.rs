//! Types by chance, each with a value that it takes and gives back as it was.

use std::collections::BTreeMap;

use proptest::{collection, option, prelude::*};
use serde_json::{Value, json};

/// A type and a value of it, in which every name is declared once.
pub(super) fn typed() -> impl Strategy<Value = (Value, Value)> {
    leaf()
        .prop_recursive(4, 24, 4, |inner| {
            prop_oneof![array(inner.clone()), map(inner.clone()), nullable(inner.clone()), record(inner)]
        })
        .prop_map(|(mut kind, value)| {
            rename(&mut kind, &mut 0);
            (kind, value)
        })
}

fn leaf() -> BoxedStrategy<(Value, Value)> {
    let of = |kind: Value| move |value: Value| (kind.clone(), value);
    prop_oneof![
        any::<bool>().prop_map(Value::from).prop_map(of(json!("boolean"))),
        any::<i32>().prop_map(Value::from).prop_map(of(json!("int"))),
        any::<i64>().prop_map(Value::from).prop_map(of(json!("long"))),
        any::<f64>()
            .prop_filter("JSON has no others", |value| value.is_finite())
            .prop_map(Value::from)
            .prop_map(of(json!("double"))),
        any::<String>().prop_map(Value::from).prop_map(of(json!("string"))),
        any::<i64>()
            .prop_map(|ms| Value::from(ms / 1_000_000))
            .prop_map(of(json!({ "type": "long", "logicalType": "timestamp-nanos" }))),
        // Twelve digits are the same as a double and as a text.
        (-999_999_999_999i64..=999_999_999_999).prop_map(|units| (
            json!({ "type": "fixed", "name": "", "size": 9, "logicalType": "decimal", "precision": 20, "scale": 2 }),
            format!("{}{}.{:02}", if units < 0 { "-" } else { "" }, units.abs() / 100, units.abs() % 100)
                .parse()
                .expect("a number"),
        )),
        Just((json!({ "type": "enum", "name": "", "symbols": ["A", "B"] }), json!("B"))),
    ]
    .boxed()
}

/// Items of one type: the same value, some times.
fn array(inner: impl Strategy<Value = (Value, Value)>) -> impl Strategy<Value = (Value, Value)> {
    (inner, 0..4usize).prop_map(|((kind, value), count)| (json!({ "type": "array", "items": kind }), json!(vec![value; count])))
}

fn map(inner: impl Strategy<Value = (Value, Value)>) -> impl Strategy<Value = (Value, Value)> {
    (inner, collection::btree_set(any::<String>(), 0..4)).prop_map(|((kind, value), keys)| {
        let entries: BTreeMap<String, Value> = keys.into_iter().map(|key| (key, value.clone())).collect();
        (json!({ "type": "map", "values": kind }), json!(entries))
    })
}

/// A union directly within another is no type.
fn nullable(inner: impl Strategy<Value = (Value, Value)>) -> impl Strategy<Value = (Value, Value)> {
    (inner, option::of(Just(())))
        .prop_filter("no union within a union", |((kind, _), _)| !kind.is_array())
        .prop_map(|((kind, value), there)| (json!(["null", kind]), there.map_or(Value::Null, |()| value)))
}

fn record(inner: impl Strategy<Value = (Value, Value)>) -> impl Strategy<Value = (Value, Value)> {
    collection::vec(inner, 0..4).prop_map(|members| {
        let name = |place: usize| format!("f{place}");
        let fields: Vec<Value> =
            members.iter().enumerate().map(|(place, (kind, _))| json!({ "name": name(place), "type": kind })).collect();
        let values: BTreeMap<String, Value> =
            members.into_iter().enumerate().map(|(place, (_, value))| (name(place), value)).collect();
        (json!({ "type": "record", "name": "", "fields": fields }), json!(values))
    })
}

fn rename(kind: &mut Value, count: &mut usize) {
    match kind {
        Value::Array(branches) => branches.iter_mut().for_each(|branch| rename(branch, count)),
        Value::Object(object) => {
            if object.get("name") == Some(&json!("")) {
                *count += 1;
                object.insert("name".into(), format!("T{count}").into());
            }
            object.values_mut().for_each(|value| rename(value, count));
        }
        _ => {}
    }
}
