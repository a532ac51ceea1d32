//! A JSON object to the bytes of the schema's first message: the other direction of `read`, for producers of ours and for tests.
//!
//! Of the messages that stand for something else only instants and wrappers are written.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value, prost::Message};
use serde_json::Value as Json;

use super::{Schema, known::Known};

impl Schema {
    /// Appends the list that says which message it is, and its bytes.
    pub(crate) fn write(&self, object: &Json, out: &mut Vec<u8>) -> Result<(), String> {
        let descriptor = self.message(&[0]).ok_or("its schema declares no message")?;
        let message = message(descriptor, object)?;
        out.push(0);
        out.extend_from_slice(&message.encode_to_vec());
        Ok(())
    }
}

fn message(descriptor: MessageDescriptor, json: &Json) -> Result<DynamicMessage, String> {
    let Json::Object(members) = json else { return Err(unfit("an object", json)) };
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, json) in members.iter().filter(|(_, json)| !json.is_null()) {
        let field = descriptor.get_field_by_name(name).ok_or_else(|| format!("{name}: its schema has no such field"))?;
        let value = member(&field, json).map_err(|why| format!("{name}: {why}"))?;
        message.try_set_field(&field, value).map_err(|_| format!("{name}: {}", unfit("another type", json)))?;
    }
    Ok(message)
}

fn member(field: &FieldDescriptor, json: &Json) -> Result<Value, String> {
    match json {
        _ if field.is_map() => Err(unfit("a map, which only other producers write", json)),
        Json::Array(items) if field.is_list() => {
            items.iter().map(|item| one(&field.kind(), item)).collect::<Result<_, _>>().map(Value::List)
        }
        other => one(&field.kind(), other),
    }
}

fn one(kind: &Kind, json: &Json) -> Result<Value, String> {
    let whole = json.as_i64();
    let value = match kind {
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => whole.and_then(|number| i32::try_from(number).ok()).map(Value::I32),
        Kind::Uint32 | Kind::Fixed32 => whole.and_then(|number| u32::try_from(number).ok()).map(Value::U32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => whole.map(Value::I64),
        Kind::Uint64 | Kind::Fixed64 => json.as_u64().map(Value::U64),
        // The nearest of its text, which is nearer than that of the double.
        Kind::Float => json.as_number().and_then(|number| number.to_string().parse().ok()).map(Value::F32),
        Kind::Double => json.as_f64().map(Value::F64),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Kind::Bytes => None,
        Kind::Enum(kind) => {
            json.as_str().and_then(|name| kind.get_value_by_name(name)).map(|value| Value::EnumNumber(value.number()))
        }
        Kind::Message(descriptor) => Some(Value::Message(nested(descriptor, json)?)),
    };
    value.ok_or_else(|| unfit(&format!("{kind:?}"), json))
}

fn nested(descriptor: &MessageDescriptor, json: &Json) -> Result<DynamicMessage, String> {
    match Known::of(descriptor.full_name()) {
        None => message(descriptor.clone(), json),
        Some(Known::Wrapper) => {
            let mut message = DynamicMessage::new(descriptor.clone());
            let field = descriptor.get_field(1).ok_or("a wrapper without a field")?;
            let value = member(&field, json)?;
            message.set_field(&field, value);
            Ok(message)
        }
        Some(Known::Instant) => {
            let parsed = json.as_str().and_then(domain::Timestamp::parse).map(|instant| instant.0);
            let ms = json.as_i64().or(parsed).ok_or_else(|| unfit("an instant: milliseconds since 1970, or RFC 3339", json))?;
            let nanos = i32::try_from(ms.rem_euclid(1000) * 1_000_000).map_err(|_| unfit("an instant", json))?;
            let mut message = DynamicMessage::new(descriptor.clone());
            message.set_field_by_number(1, Value::I64(ms.div_euclid(1000)));
            message.set_field_by_number(2, Value::I32(nanos));
            Ok(message)
        }
        Some(_) => Err(unfit("a message that only other producers write", json)),
    }
}

fn unfit(wanted: &str, json: &Json) -> String {
    // A payload may be long, and this becomes a line.
    let found: String = json.to_string().chars().take(40).collect();
    format!("its schema wants {wanted} and not {found}")
}
