//! Messages that mean something else than their members: instants, spans, wrappers, free JSON, decimals.

use prost_reflect::{DynamicMessage, ReflectMessage};

use super::read;
use crate::{avro::decimal, fault::Stop, json};

/// What a message stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Instant,
    Span,
    Wrapper,
    Struct,
    Value,
    List,
    /// Two's complement and a scale.
    ConfluentDecimal,
    /// A text.
    GoogleDecimal,
}

impl Known {
    pub(super) fn of(full_name: &str) -> Option<Self> {
        Some(match full_name {
            "google.protobuf.Timestamp" => Self::Instant,
            "google.protobuf.Duration" => Self::Span,
            "google.protobuf.Struct" => Self::Struct,
            "google.protobuf.Value" => Self::Value,
            "google.protobuf.ListValue" => Self::List,
            "confluent.type.Decimal" => Self::ConfluentDecimal,
            "google.type.Decimal" => Self::GoogleDecimal,
            "google.protobuf.DoubleValue"
            | "google.protobuf.FloatValue"
            | "google.protobuf.Int64Value"
            | "google.protobuf.UInt64Value"
            | "google.protobuf.Int32Value"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.BoolValue"
            | "google.protobuf.StringValue"
            | "google.protobuf.BytesValue" => Self::Wrapper,
            _ => return None,
        })
    }
}

/// Writes what the message stands for; false when it has no such form and is an object like others.
pub(super) fn write(known: Known, message: &DynamicMessage, depth: usize, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let number = |field: u32| message.get_field_by_number(field).and_then(|value| value.as_i64()).unwrap_or(0);
    let small = |field: u32| message.get_field_by_number(field).and_then(|value| value.as_i32()).unwrap_or(0);
    match known {
        Known::Instant => match json::instant(number(1), small(2)) {
            Some(text) => json::plain(&text, out)?,
            None => return Ok(false),
        },
        Known::Span => match span(number(1), small(2)) {
            Some(text) => json::plain(&text, out)?,
            None => return Ok(false),
        },
        Known::Wrapper | Known::Struct | Known::List => return first(message, depth, out),
        Known::Value => free(message, depth, out)?,
        Known::ConfluentDecimal => {
            let Some(value) = message.get_field_by_number(1) else { return Ok(false) };
            let scale = u32::try_from(small(3)).ok().filter(|scale| *scale <= decimal::SCALE_MAX);
            let (Some(bytes), Some(scale)) = (value.as_bytes(), scale) else { return Ok(false) };
            decimal::write(bytes, scale, out)?;
        }
        Known::GoogleDecimal => {
            let Some(value) = message.get_field_by_number(1) else { return Ok(false) };
            match value.as_str().filter(|text| is_number(text)) {
                Some(text) => out.extend_from_slice(text.as_bytes()),
                None => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// The only member of a message, in place of the message.
fn first(message: &DynamicMessage, depth: usize, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let Some(value) = message.get_field_by_number(1) else { return Ok(false) };
    let Some(field) = message.descriptor().get_field(1) else { return Ok(false) };
    read::member(&field, &value, depth, out)?;
    Ok(true)
}

/// One of null, number, text, boolean, object and list: the member that is there.
fn free(message: &DynamicMessage, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    match message.fields().next() {
        Some((field, value)) if field.number() != 1 => read::member(&field, value, depth, out),
        _ => {
            out.extend_from_slice(b"null");
            Ok(())
        }
    }
}

/// Seconds with the digits that are needed, as `1.5s`.
fn span(seconds: i64, nanos: i32) -> Option<String> {
    let one_sign = seconds.signum() * i64::from(nanos.signum()) >= 0;
    if !one_sign || nanos.unsigned_abs() >= 1_000_000_000 {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = format!(".{:09}", nanos.unsigned_abs());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    Some(format!("{sign}{}{fraction}s", seconds.unsigned_abs()))
}

/// Whether a text is a number of JSON.
fn is_number(text: &str) -> bool {
    // The parser goes over white space, which a number does not have.
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}
