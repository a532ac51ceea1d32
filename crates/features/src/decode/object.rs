//! The members of one JSON object as raw tokens.
//!
//! Two readers of the same language: [`flat`] walks the common object - no nesting, no escapes - in one pass, and gives up on
//! anything else; [`any`] is `serde_json` and decides what is JSON. A fuzz target holds them equal.

mod lead;
mod plain;

use std::borrow::Cow;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use self::lead::Lead;
use self::plain::string_end;

/// Objects nested deeper than this are refused.
const DEPTH_MAX: usize = 64;

/// The value of one member, not yet interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// The text of a number.
    Number(&'a str),
    /// The text between quotes, escapes resolved.
    Text(Cow<'a, str>),
    /// A text in which an escape stands for half a character: JSON by its grammar, and nothing that a field can hold.
    HalfCharacter,
    /// An array or an object.
    Nested,
}

/// The payload is not one JSON object, or `take` refused a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Who takes the members of an object.
pub(super) trait Taker<'a> {
    /// How the next member begins if it is the expected one.
    fn lead(&self) -> Option<&Lead>;

    /// Takes the expected member; false when it was there before.
    fn take_expected(&mut self, token: Token<'a>) -> bool;

    /// Takes a member by its name; false when it was there before.
    fn take_named(&mut self, name: &str, token: Token<'a>) -> bool;
}

/// Hands each member of the object to its taker.
pub(super) fn members<'a>(text: &'a str, taker: &mut impl Taker<'a>) -> Result<(), Malformed> {
    match flat(text, taker) {
        Walk::Done => Ok(()),
        Walk::Refused => Err(Malformed),
        Walk::Unusual { taken } => {
            // The members taken so far are the first ones of the same object: skip them.
            let mut at = 0;
            any(text, |name, token| {
                at += 1;
                at <= taken || taker.take_named(name, token)
            })
        }
    }
}

enum Walk {
    Done,
    Refused,
    /// Something else than plain members follows these.
    Unusual {
        taken: usize,
    },
}

fn flat<'a>(text: &'a str, taker: &mut impl Taker<'a>) -> Walk {
    let mut walker = Walker { text, bytes: text.as_bytes(), at: 0 };
    let mut taken = 0;
    loop {
        let expected = taker.lead().and_then(|lead| lead.length_in(&walker.bytes[walker.at..]));
        let name = match expected {
            Some(length) => {
                walker.at += length;
                None
            }
            None => match walker.name(taken == 0) {
                Name::Is(name) => Some(name),
                Name::End => return Walk::Done,
                Name::Unusual => return Walk::Unusual { taken },
            },
        };
        let Some(token) = walker.value() else { return Walk::Unusual { taken } };
        let is_new = match name {
            Some(name) => taker.take_named(name, token),
            None => taker.take_expected(token),
        };
        if !is_new {
            return Walk::Refused;
        }
        taken += 1;
    }
}

struct Walker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// What stands where a member may begin.
enum Name<'a> {
    Is(&'a str),
    End,
    Unusual,
}

impl<'a> Walker<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes this byte if it is the next one that is not white space.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// After the closing bracket.
    fn end(&mut self) -> Name<'a> {
        self.skip_space();
        if self.at == self.bytes.len() { Name::End } else { Name::Unusual }
    }

    /// The separator, the name and the colon of the first or another member.
    fn name(&mut self, first: bool) -> Name<'a> {
        if first {
            if !self.eat(b'{') {
                return Name::Unusual;
            }
            if self.eat(b'}') {
                return self.end();
            }
        } else if !self.eat(b',') {
            return if self.eat(b'}') { self.end() } else { Name::Unusual };
        }
        let name = if self.eat(b'"') { self.string() } else { None };
        name.filter(|_| self.eat(b':')).map_or(Name::Unusual, Name::Is)
    }

    /// The rest of a string without escapes and control characters.
    #[inline(always)]
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        let end = start + string_end(&self.bytes[start..]);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    // A token is larger than two registers: where this is not inlined, each one goes through memory twice more.
    #[inline(always)]
    fn value(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string().map(|text| Token::Text(Cow::Borrowed(text)))
            }
            b't' => self.literal("true", Token::Boolean(true)),
            b'f' => self.literal("false", Token::Boolean(false)),
            b'n' => self.literal("null", Token::Null),
            _ => self.number(),
        }
    }

    #[inline]
    fn literal(&mut self, word: &str, token: Token<'a>) -> Option<Token<'a>> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            token
        })
    }

    /// A number without exponent.
    #[inline]
    fn number(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits();
        let leading_zero = self.bytes[self.at - whole..].first() == Some(&b'0');
        if whole == 0 || whole > 1 && leading_zero {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        let ended = matches!(self.peek(), Some(b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
        ended.then(|| Token::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }
}

fn any<'a>(text: &'a str, take: impl FnMut(&str, Token<'a>) -> bool) -> Result<(), Malformed> {
    if depth(text) > DEPTH_MAX {
        return Err(Malformed);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let taken = deserializer.deserialize_map(Members(take)).and_then(|()| deserializer.end());
    taken.map_err(|_| Malformed)
}

/// The deepest nesting of brackets outside strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Members<F>(F);

impl<'a, F: FnMut(&str, Token<'a>) -> bool> Visitor<'a> for Members<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        use serde::de::Error;
        while let Some((key, raw)) = map.next_entry::<&RawValue, &RawValue>()? {
            // A name with half a character is not a declared one.
            let Ok(key) = serde_json::from_str::<Key<'_>>(key.get()) else { continue };
            let raw = raw.get();
            let token = match raw.as_bytes().first() {
                Some(b'n') => Token::Null,
                Some(b't') => Token::Boolean(true),
                Some(b'f') => Token::Boolean(false),
                Some(b'{' | b'[') => Token::Nested,
                Some(b'"') => serde_json::from_str::<Key<'_>>(raw).map_or(Token::HalfCharacter, |text| Token::Text(text.0)),
                _ => Token::Number(raw),
            };
            if !(self.0)(&key.0, token) {
                return Err(A::Error::custom("a field stands twice"));
            }
        }
        Ok(())
    }
}

/// A text that borrows where it can.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
