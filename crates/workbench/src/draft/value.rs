//! One line as a list of typed members. Reads what is written and judges nothing.

use std::borrow::Cow;

use domain::{EARLIEST, LATEST, Timestamp};
use serde_json::value::RawValue;

use crate::members::Members;

/// The member that says which stream an event belongs to; written around the event, like the next one.
pub(super) const STREAM: &str = "_source";
/// The member that says when it arrived.
pub(super) const ARRIVAL: &str = "_at";

/// What a member holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Number(Number),
    Boolean(bool),
    /// An object or a list.
    Nested,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: f64,
    /// Digits after the point that say something.
    pub(super) digits: u8,
    /// Written without fraction and exponent.
    pub(super) is_whole: bool,
}

/// The members of an object in their order; none when the line is no JSON object or names a member twice.
pub(super) fn members(line: &[u8]) -> Option<Vec<(String, Value)>> {
    let Members(written) = serde_json::from_slice::<Members<&RawValue>>(line).ok()?;
    let members: Vec<(String, Value)> = written.into_iter().map(|(name, value)| (name, read(value.get()))).collect();
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let is_clear = names.windows(2).all(|two| two[0] != two[1]);
    is_clear.then_some(members)
}

/// The value of a member.
pub(super) fn member<'m>(members: &'m [(String, Value)], name: &str) -> Option<&'m Value> {
    members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

impl Value {
    /// The instant that the engine would read.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        let instant = match self {
            Self::Text(text) => Timestamp::parse(text)?,
            Self::Number(number) if number.is_whole => Timestamp(number.value as i64),
            _ => return None,
        };
        (EARLIEST..LATEST).contains(&instant).then_some(instant)
    }

    /// A key as groups write it; none for what cannot be one.
    pub(super) fn key(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
            Self::Number(number) if number.is_whole => Some(Cow::Owned(number.value.to_string())),
            _ => None,
        }
    }
}

fn read(written: &str) -> Value {
    match written.as_bytes().first() {
        // A text that cannot be decoded, such as half a surrogate, is as good as none.
        Some(b'"') => serde_json::from_str(written).map_or(Value::Null, Value::Text),
        Some(b'{' | b'[') => Value::Nested,
        Some(b't') => Value::Boolean(true),
        Some(b'f') => Value::Boolean(false),
        Some(b'n') | None => Value::Null,
        Some(_) => Value::Number(number(written)),
    }
}

fn number(written: &str) -> Number {
    let (mantissa, exponent) = written.split_once(['e', 'E']).map_or((written, 0), |(mantissa, exponent)| {
        // Beyond any exponent that makes a difference.
        (mantissa, exponent.trim_start_matches('+').parse::<i64>().unwrap_or(1_000))
    });
    let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction.trim_end_matches('0'));
    let digits = (i64::try_from(fraction.len()).unwrap_or(i64::MAX)).saturating_sub(exponent).clamp(0, i64::from(u8::MAX));
    Number {
        value: written.parse().unwrap_or(f64::NAN),
        digits: u8::try_from(digits).unwrap_or(u8::MAX),
        is_whole: !written.contains(['.', 'e', 'E']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_say_something_are_counted() {
        let digits = |text: &str| (number(text).digits, number(text).is_whole);
        assert_eq!(
            ["7", "7.0", "12.50", "5e-3", "1.25E1", "1e400"].map(digits),
            [(0, true), (0, false), (1, false), (3, false), (1, false), (0, false)]
        );
    }

    #[test]
    fn only_clear_objects_have_members() {
        assert_eq!(members(b"{\"a\":1,\"a\":2}"), None);
        assert_eq!(members(b"[1]"), None);
        let read = members(br#"{"b":null,"a":"x","c":{"d":1}}"#).expect("members");
        assert_eq!(read.iter().map(|(name, _)| name.as_str()).collect::<Vec<&str>>(), ["b", "a", "c"]);
        assert_eq!((member(&read, "a"), member(&read, "c")), (Some(&Value::Text("x".into())), Some(&Value::Nested)));
    }
}
