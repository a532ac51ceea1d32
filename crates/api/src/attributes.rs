//! What a case carries, out of JSON: each attribute of the type that the pipeline declares for the field that tells it. The values are
//! those that the scorer would have of an event that says the same.

use domain::{Carried, Timestamp, Value};
use pipeline::{Case, Field, FieldKind, Pipeline};
use scoring::Facts;
use serde_json::{Map, Value as Json, json};

use crate::problem::{Fault, step};

/// A key that is longer is no key that anybody meant; the scorer takes none either.
const KEY_BYTES_MAX: usize = 1024;

/// The attributes of a pipeline's case.
#[derive(Clone, Debug)]
pub(crate) struct Attributes {
    declared: Vec<Declared>,
}

#[derive(Clone, Debug)]
struct Declared {
    name: String,
    kind: FieldKind,
}

impl Attributes {
    pub(crate) fn new(pipeline: &Pipeline, case: &Case) -> Self {
        let declared = |attribute: &pipeline::Attribute| {
            // The resolver lets no attribute pass that nothing tells, nor streams that tell it as different types.
            let field = attribute.told_by.first().map(|(source, field)| &pipeline.sources[*source].fields[*field]);
            let kind = field.map_or(FieldKind::Text, |field: &Field| field.kind.clone());
            Declared { name: attribute.name.clone(), kind }
        };
        Self { declared: case.attributes.iter().map(declared).collect() }
    }

    /// The place of an attribute.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.declared.iter().position(|declared| declared.name == name)
    }

    /// Takes the members of an object over into what is known of a case. `null` takes away what was known.
    pub(crate) fn read(&self, object: &Map<String, Json>, pointer: &str, facts: &mut Facts, faults: &mut Vec<Fault>) {
        for (name, value) in object {
            let at = || format!("{pointer}{}", step(name));
            let Some(place) = self.place(name) else {
                let names: Vec<&str> = self.declared.iter().map(|declared| &*declared.name).collect();
                faults.push(Fault::new(at(), format!("There is no such attribute; there are {}.", names.join(", "))));
                continue;
            };
            match carried(&self.declared[place].kind, value) {
                Ok(carried) => facts.attributes[place] = carried,
                Err(detail) => faults.push(Fault::new(at(), detail)),
            }
        }
    }

    /// The schema of an object of attributes.
    pub(crate) fn schema(&self) -> Json {
        let properties: Map<String, Json> =
            self.declared.iter().map(|declared| (declared.name.clone(), schema(&declared.kind))).collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}

/// The value of an attribute, or what is wrong with it.
fn carried(kind: &FieldKind, value: &Json) -> Result<Option<Carried>, String> {
    let whole = |number: i64| Ok(Some(Carried::Value(Value::Integer(number))));
    match (kind, value) {
        (_, Json::Null) => Ok(None),
        (FieldKind::Text | FieldKind::Cell { .. }, Json::String(text)) => match text.len() {
            1..=KEY_BYTES_MAX => Ok(Some(Carried::Text(text.as_str().into()))),
            0 => Err("It is empty: leave it out, or write null.".into()),
            length => Err(format!("It has {length} bytes, and {KEY_BYTES_MAX} are allowed.")),
        },
        (FieldKind::Boolean, Json::Bool(flag)) => whole(i64::from(*flag)),
        (FieldKind::Integer { min, max }, Json::Number(number)) => match number.as_i64() {
            Some(number) if (*min..=*max).contains(&number) => whole(number),
            Some(_) => Err(format!("It is not between {min} and {max}.")),
            None => Err(format!("A whole number between {min} and {max} is expected, written without point and exponent.")),
        },
        (FieldKind::Decimal { digits, min, max, round }, Json::Number(number)) => {
            let number = number.as_f64().filter(|number| number.is_finite());
            decimal(number.ok_or("It is no number that could be meant.")?, *digits, (*min, *max), *round)
        }
        (FieldKind::Time, Json::String(text)) => match Timestamp::parse(text) {
            Some(at) => whole(at.0),
            None => Err("It is no instant such as 2026-11-20T12:00:00Z.".into()),
        },
        (FieldKind::Category(labels), Json::String(text)) => match labels.iter().position(|label| label == text) {
            Some(place) => whole(place as i64),
            None => Err(format!("It is none of {}.", labels.join(", "))),
        },
        (kind, _) => Err(format!("{} is expected.", named(kind))),
    }
}

/// A whole number of steps that was written as a number.
fn decimal(number: f64, digits: u8, (min, max): (i64, i64), round: bool) -> Result<Option<Carried>, String> {
    let scale = 10f64.powi(i32::from(digits));
    let units = (number * scale).round_ties_even();
    let value = units / scale;
    // Units divided by a power of ten are the double that is nearest to what was written, if it was written in steps.
    if !round && value != number {
        return Err(format!("It is no multiple of {}.", 1.0 / scale));
    }
    if !(min as f64..=max as f64).contains(&units) {
        return Err(format!("It is not between {} and {}.", min as f64 / scale, max as f64 / scale));
    }
    Ok(Some(Carried::Value(Value::Float(value))))
}

fn named(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text | FieldKind::Cell { .. } | FieldKind::Category(_) => "A text",
        FieldKind::Integer { .. } => "A whole number",
        FieldKind::Decimal { .. } => "A number",
        FieldKind::Boolean => "true or false",
        FieldKind::Time => "An instant as a text",
    }
}

fn schema(kind: &FieldKind) -> Json {
    match kind {
        FieldKind::Text | FieldKind::Cell { .. } => {
            json!({ "type": ["string", "null"], "minLength": 1, "maxLength": KEY_BYTES_MAX })
        }
        FieldKind::Integer { min, max } => json!({ "type": ["integer", "null"], "minimum": min, "maximum": max }),
        FieldKind::Decimal { digits, min, max, round } => {
            let scale = 10f64.powi(i32::from(*digits));
            let mut schema =
                json!({ "type": ["number", "null"], "minimum": *min as f64 / scale, "maximum": *max as f64 / scale });
            if !round {
                schema["multipleOf"] = json!(1.0 / scale);
            }
            schema
        }
        FieldKind::Boolean => json!({ "type": ["boolean", "null"] }),
        FieldKind::Time => json!({ "type": ["string", "null"], "format": "date-time" }),
        FieldKind::Category(labels) => {
            let labels: Vec<Json> = labels.iter().map(|label| json!(label)).chain([Json::Null]).collect();
            json!({ "enum": labels })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &FieldKind, json: &str, expected: Result<Option<Value>, &str>) {
        let value: Json = serde_json::from_str(json).expect("JSON");
        match (carried(kind, &value), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected.map(Carried::Value), "{json}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{json}: {found}"),
            (found, expected) => panic!("{json}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn values_are_those_of_an_event() {
        let money = FieldKind::Decimal { digits: 2, min: 0, max: 10_000, round: false };
        check(&money, "25.90", Ok(Some(Value::Float(2590.0 / 100.0))));
        check(&money, "1e1", Ok(Some(Value::Float(10.0))));
        check(&money, "100", Ok(Some(Value::Float(100.0))));
        check(&FieldKind::Decimal { digits: 2, min: 0, max: 100, round: true }, "0.259", Ok(Some(Value::Float(0.26))));
        check(&FieldKind::Integer { min: 0, max: 9 }, "9", Ok(Some(Value::Integer(9))));
        check(&FieldKind::Boolean, "true", Ok(Some(Value::Integer(1))));
        check(&FieldKind::Category(vec!["a".into(), "b".into()]), "\"b\"", Ok(Some(Value::Integer(1))));
        check(&FieldKind::Time, "\"2026-11-22T12:00:00Z\"", Ok(Some(Value::Integer(1_795_348_800_000))));
        check(&FieldKind::Text, "null", Ok(None));
    }

    #[test]
    fn what_no_event_could_say_is_refused() {
        let money = FieldKind::Decimal { digits: 2, min: 0, max: 10_000, round: false };
        check(&money, "25.905", Err("multiple of 0.01"));
        check(&money, "-0.01", Err("between 0 and 100"));
        check(&money, "1e300", Err("between 0 and 100"));
        check(&money, "\"25.90\"", Err("A number is expected"));
        let whole = FieldKind::Integer { min: 0, max: 9 };
        for json in ["3.0", "1e0", "99999999999999999999"] {
            check(&whole, json, Err("whole number"));
        }
        check(&whole, "10", Err("between 0 and 9"));
        check(&whole, "[]", Err("A whole number is expected"));
        check(&FieldKind::Boolean, "1", Err("true or false"));
        check(&FieldKind::Time, "\"yesterday\"", Err("no instant"));
        check(&FieldKind::Category(vec!["a".into()]), "\"A\"", Err("none of a"));
        check(&FieldKind::Text, "\"\"", Err("empty"));
        check(&FieldKind::Text, "5", Err("A text is expected"));
        check(&FieldKind::Text, &format!("{:?}", "x".repeat(1025)), Err("1025 bytes"));
    }
}
