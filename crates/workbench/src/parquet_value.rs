//! One value of a Parquet file as JSON.

use parquet::record::Field;
use serde_json::{Number, Value};

const DAY_MS: i64 = 86_400_000;

/// Times become milliseconds, bytes become text where they are UTF-8, and what JSON cannot say becomes null.
pub(crate) fn json(field: &Field) -> Value {
    match field {
        Field::Bool(value) => Value::Bool(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) | Field::TimestampMillis(value) => Value::from(*value),
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        Field::Float16(value) => float(f64::from(*value)),
        // The shortest decimal that means this single: 0.1 stays 0.1 where a widened one would be 0.10000000149.
        Field::Float(value) => value.to_string().parse().map_or(Value::Null, float),
        Field::Double(value) => float(*value),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).map_or(Value::Null, Value::from),
        Field::Date(days) => Value::from(i64::from(*days) * DAY_MS),
        Field::TimestampMicros(micros) => Value::from(micros.div_euclid(1000)),
        Field::TimeMillis(value) => Value::from(*value),
        Field::TimeMicros(value) => Value::from(*value),
        // Decimals show themselves as plain numbers, and a JSON number is read exactly from its text.
        Field::Decimal(_) => serde_json::from_str(&field.to_string()).unwrap_or(Value::Null),
        Field::Group(row) => Value::Object(row.get_column_iter().map(|(name, field)| (name.clone(), json(field))).collect()),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(json).collect()),
        _ => Value::Null,
    }
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
