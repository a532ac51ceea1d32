//! A JSON object to the bytes of one Avro record: the other direction of `read`, for producers of ours and for tests.
//!
//! Numbers with more digits than a double keeps are given as text. Never guesses: what does not fit is said with its member's name.

use serde_json::Value;

use super::{
    decimal,
    schema::{Field, Part, Schema, Type, TypeId},
};
use crate::frame::put_zig_zag;

impl Schema {
    /// Appends the bytes of the record.
    pub(crate) fn write(&self, object: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        self.value(self.root, object, out)
    }

    fn value(&self, id: TypeId, value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        match (&self.types[id], value) {
            (Type::Null, Value::Null) => {}
            (Type::Boolean, Value::Bool(value)) => out.push(u8::from(*value)),
            (Type::Int, Value::Number(number)) => {
                let number = number.as_i64().and_then(|number| i32::try_from(number).ok());
                put_zig_zag(number.ok_or_else(|| unfit("a whole number of 32 bits", value))?.into(), out);
            }
            (Type::Long, Value::Number(number)) => {
                put_zig_zag(number.as_i64().ok_or_else(|| unfit("a whole number of 64 bits", value))?, out);
            }
            (Type::Float, Value::Number(number)) => {
                // The nearest of its text, which is nearer than that of the double.
                let number: Result<f32, _> = number.to_string().parse();
                out.extend(number.map_err(|_| unfit("a number", value))?.to_le_bytes());
            }
            (Type::Double, Value::Number(number)) => {
                out.extend(number.as_f64().ok_or_else(|| unfit("a number", value))?.to_le_bytes());
            }
            (Type::Text, Value::String(text)) => put_counted(text.as_bytes(), out),
            (Type::Decimal { size, scale }, Value::Number(_) | Value::String(_)) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                put_decimal(&text, *size, *scale, out)
                    .ok_or_else(|| unfit(&format!("a number in steps of 10^-{scale}"), value))?;
            }
            (Type::Instant(part), _) => put_instant(value, *part, out)?,
            (Type::Enum(symbols), Value::String(text)) => {
                let place = symbols.iter().position(|symbol| symbol.name == *text).and_then(|place| i64::try_from(place).ok());
                put_zig_zag(place.ok_or_else(|| unfit("one of the enum's symbols", value))?, out);
            }
            (Type::Union(branches), _) => self.union(branches, value, out)?,
            (Type::Array(kind), Value::Array(items)) => {
                put_block(items.iter(), out, |item, out| self.value(*kind, item, out))?;
            }
            (Type::Map(kind), Value::Object(entries)) => put_block(entries.iter(), out, |(key, value), out| {
                put_counted(key.as_bytes(), out);
                self.value(*kind, value, out).map_err(|why| format!("{key}: {why}"))
            })?,
            (Type::Record(fields), Value::Object(_)) => self.record(fields, value, out)?,
            (kind, _) => return Err(unfit(name_of(kind), value)),
        }
        Ok(())
    }

    fn record(&self, fields: &[Field], object: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        for field in fields {
            let value = object.get(&field.name).or(field.default.as_ref()).unwrap_or(&Value::Null);
            self.value(field.kind, value, out).map_err(|why| format!("{}: {why}", field.name))?;
        }
        Ok(())
    }

    /// The first branch that takes the value.
    fn union(&self, branches: &[TypeId], value: &Value, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        for (place, branch) in (0i64..).zip(branches) {
            put_zig_zag(place, out);
            if self.value(*branch, value, out).is_ok() {
                return Ok(());
            }
            out.truncate(start);
        }
        Err(unfit("what one of the union's branches takes", value))
    }
}

fn put_counted(bytes: &[u8], out: &mut Vec<u8>) {
    put_zig_zag(i64::try_from(bytes.len()).unwrap_or(i64::MAX), out);
    out.extend_from_slice(bytes);
}

/// All items in one block, and the empty one that ends a list.
fn put_block<I: ExactSizeIterator>(
    items: I,
    out: &mut Vec<u8>,
    mut put: impl FnMut(I::Item, &mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    if items.len() > 0 {
        put_zig_zag(i64::try_from(items.len()).unwrap_or(i64::MAX), out);
        for item in items {
            put(item, out)?;
        }
    }
    out.push(0);
    Ok(())
}

fn put_decimal(text: &str, size: Option<usize>, scale: u32, out: &mut Vec<u8>) -> Option<()> {
    let number = decimal::parse(text, scale)?;
    let bytes = decimal::shortest(number);
    match size {
        None => put_counted(&bytes, out),
        Some(size) => {
            let sign: u8 = if number < 0 { 0xFF } else { 0 };
            out.extend(std::iter::repeat_n(sign, size.checked_sub(bytes.len())?).chain(bytes));
        }
    }
    Some(())
}

/// Milliseconds since 1970, or RFC 3339.
fn put_instant(value: &Value, part: Part, out: &mut Vec<u8>) -> Result<(), String> {
    let parsed = value.as_str().and_then(domain::Timestamp::parse).map(|instant| instant.0);
    let parts = value.as_i64().or(parsed).and_then(|ms| ms.checked_mul(part.per_second() / 1000));
    put_zig_zag(parts.ok_or_else(|| unfit("an instant: milliseconds since 1970, or RFC 3339", value))?, out);
    Ok(())
}

fn name_of(kind: &Type) -> &'static str {
    match kind {
        Type::Null => "null",
        Type::Boolean => "true or false",
        Type::Int | Type::Long | Type::Float | Type::Double | Type::Decimal { .. } => "a number",
        Type::Text => "a text",
        Type::Enum(_) => "one of the enum's symbols",
        Type::Array(_) => "a list",
        Type::Map(_) | Type::Record(_) => "an object",
        _ => "a type that only other producers write",
    }
}

fn unfit(wanted: &str, value: &Value) -> String {
    // A payload may be long, and this becomes a line.
    let found: String = value.to_string().chars().take(40).collect();
    format!("its schema wants {wanted} and not {found}")
}
