//! One Protobuf record to JSON: which message it is, its bytes to members by descriptors, and these to text.
//!
//! Members keep the names that the `.proto` file gives them, 64 bits stay a number, enums are names. A member that a message cannot tell
//! from one that was never set is there with its zero; one that it can is left out.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value};

use super::{Schema, known};
use crate::{
    JSON_BYTES_MAX,
    fault::Stop,
    frame::message_indices,
    json::{self, DEPTH_MAX},
};

impl Schema {
    /// Appends the message as one JSON object. The list that says which message it is stands before it.
    pub(crate) fn read(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        let (indices, rest) = message_indices(record)?;
        let descriptor = self.message(&indices).ok_or(Stop::Wrong("there is no message at this place of the schema"))?;
        let message = DynamicMessage::decode(descriptor, rest).map_err(|_| Stop::Wrong("the message cannot be read"))?;
        object(&message, 1, out)
    }

    pub(super) fn message(&self, indices: &[usize]) -> Option<MessageDescriptor> {
        let (first, inner) = indices.split_first()?;
        let outermost = self.file.messages().nth(*first)?;
        inner.iter().try_fold(outermost, |message, index| message.child_messages().nth(*index))
    }
}

fn object(message: &DynamicMessage, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    out.push(b'{');
    for field in message.descriptor().fields() {
        // An empty list says no more than none.
        if !message.has_field(&field) && (field.supports_presence() || field.is_list() || field.is_map()) {
            continue;
        }
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        json::plain(field.name(), out)?;
        out.push(b':');
        member(&field, &message.get_field(&field), depth, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// The value of a member: one, a list of them, or a map to them.
pub(super) fn member(field: &FieldDescriptor, value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    match value {
        Value::List(items) => {
            let depth = within(depth)?;
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                one(&field.kind(), item, depth, out)?;
            }
            out.push(b']');
            Ok(())
        }
        Value::Map(entries) => map(field, entries.iter().collect(), within(depth)?, out),
        other => one(&field.kind(), other, depth, out),
    }
}

/// In the order of its keys: the same record is the same text whenever it is read.
fn map(field: &FieldDescriptor, mut entries: Vec<(&MapKey, &Value)>, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    let Kind::Message(entry) = field.kind() else { return Err(Stop::Wrong("a map has no entries")) };
    let kind = entry.map_entry_value_field().kind();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (place, (key, value)) in entries.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match key {
            MapKey::String(key) => json::plain(key, out)?,
            MapKey::Bool(key) => json::plain(&key.to_string(), out)?,
            MapKey::I32(key) => json::plain(&key.to_string(), out)?,
            MapKey::I64(key) => json::plain(&key.to_string(), out)?,
            MapKey::U32(key) => json::plain(&key.to_string(), out)?,
            MapKey::U64(key) => json::plain(&key.to_string(), out)?,
        }
        out.push(b':');
        one(&kind, value, depth, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn one(kind: &Kind, value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    if out.len() > JSON_BYTES_MAX {
        return Err(Stop::TooLarge);
    }
    match value {
        Value::Bool(value) => json::plain(value, out),
        Value::I32(value) => json::plain(value, out),
        Value::I64(value) => json::plain(value, out),
        Value::U32(value) => json::plain(value, out),
        Value::U64(value) => json::plain(value, out),
        Value::F32(value) => json::single(*value, out),
        Value::F64(value) => json::double(*value, out),
        Value::String(value) => json::plain(value, out),
        Value::Bytes(value) => json::bytes(value, out),
        Value::EnumNumber(number) => match kind.as_enum().and_then(|kind| kind.get_value(*number)) {
            Some(value) => json::plain(value.name(), out),
            // A newer producer knows more values than the schema that it names.
            None => json::plain(number, out),
        },
        Value::Message(message) => {
            let depth = within(depth)?;
            let known = known::Known::of(message.descriptor().full_name());
            let is_written = known.map_or(Ok(false), |known| known::write(known, message, depth, out))?;
            if is_written { Ok(()) } else { object(message, depth, out) }
        }
        Value::List(_) | Value::Map(_) => Err(Stop::Wrong("a list within a list")),
    }
}

fn within(depth: usize) -> Result<usize, Stop> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(Stop::Wrong("it is nested more than 64 deep")) }
}
