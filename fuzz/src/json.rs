//! Other spellings of one JSON object, which mean the same to whoever reads JSON. Written with `serde_json`, which is not what
//! the engine reads ordinary objects with.

use std::fmt::Write;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object as they are written: quoted name, value.
pub(crate) type Members<'a> = Vec<(&'a str, &'a str)>;

/// The members of a text that is one JSON object; none when `serde_json` says that it is not.
pub(crate) fn members(text: &str) -> Option<Members<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Collect).ok()?;
    deserializer.end().ok().map(|()| members)
}

struct Collect;

impl<'a> Visitor<'a> for Collect {
    type Value = Members<'a>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push((name.get(), value.get()));
        }
        Ok(members)
    }
}

/// The object in other words, each of which has to come out the same.
pub(crate) fn spellings(members: &Members<'_>) -> [String; 3] {
    let escaped = members.iter().rev().map(|(name, value)| format!("\t{} \n:\r {} ", escaped(name), escaped(value)));
    let plain = members.iter().map(|(name, value)| format!("{}:{}", plain(name), plain(value)));
    // An undeclared member with an escape and a list: whoever looks for the ordinary gives up at the first byte.
    let unusual = [r#""\u005f":[]"#.to_owned()].into_iter().chain(members.iter().map(|(name, value)| format!("{name}:{value}")));
    [object(escaped), object(plain), object(unusual)]
}

fn object(members: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", members.collect::<Vec<String>>().join(","))
}

/// A quoted text with every character as an escape; other values as they are.
fn escaped(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return value.to_owned() };
    let mut out = String::from("\"");
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            // An escape stays, with the letter that follows; the digits of \u do as well.
            let kind = letters.next().unwrap_or('\\');
            out.extend(['\\', kind]);
            out.extend(letters.by_ref().take(if kind == 'u' { 4 } else { 0 }));
            continue;
        }
        letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04X}"));
    }
    out + "\""
}

/// A quoted text with as few escapes as it needs; other values, and texts with half a character, as they are.
fn plain(value: &str) -> String {
    let text = Some(value).filter(|value| value.starts_with('"')).and_then(|value| serde_json::from_str::<String>(value).ok());
    text.and_then(|text| serde_json::to_string(&text).ok()).unwrap_or_else(|| value.to_owned())
}
