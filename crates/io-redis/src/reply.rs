//! Takes answers apart. An answer of another form is no store of ours: told, never a panic.

use redis::Value;

use crate::Error;

/// The answer, unless it is an error.
pub(crate) fn sound(at: &str, value: Value) -> Result<Value, Error> {
    match value {
        Value::ServerError(error) => Err(Error::answered(at, error.code(), error.details())),
        other => Ok(other),
    }
}

pub(crate) fn bytes(at: &str, value: Value) -> Result<Vec<u8>, Error> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => Err(unexpected(at, "a text", &other)),
    }
}

pub(crate) fn text(at: &str, value: Value) -> Result<String, Error> {
    let bytes = bytes(at, value)?;
    String::from_utf8(bytes).map_err(|_| Error::Unfit { at: at.to_owned(), why: "a text that is not UTF-8".into() })
}

pub(crate) fn number(at: &str, value: &Value) -> Result<i64, Error> {
    match value {
        Value::Int(number) => Ok(*number),
        other => Err(unexpected(at, "a number", other)),
    }
}

pub(crate) fn list(at: &str, value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(unexpected(at, "a list", &other)),
    }
}

/// Pairs, as `HGETALL` and `CONFIG GET` answer.
pub(crate) fn pairs(at: &str, value: Value) -> Result<Vec<(String, String)>, Error> {
    let mut values = list(at, value)?.into_iter();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        pairs.push((text(at, name)?, text(at, value)?));
    }
    Ok(pairs)
}

fn unexpected(at: &str, expected: &str, found: &Value) -> Error {
    let kind = match found {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) => "a text",
        Value::Array(_) => "a list",
        _ => "something else",
    };
    Error::Unfit { at: at.to_owned(), why: format!("it answered {kind} where {expected} was expected") }
}
