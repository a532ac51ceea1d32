//! The members of one JSON object as raw tokens.
//!
//! Two readers of the same language: [`flat`] walks the common object - no nesting, no escapes - in one pass, and gives up on
//! anything else; [`any`] is `serde_json` and decides what is JSON. A fuzz target holds them equal.

use std::borrow::Cow;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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

/// Hands each member of the object to `take`, which answers false to a member it has seen before.
pub(super) fn members<'a>(text: &'a str, mut take: impl FnMut(&str, Token<'a>) -> bool) -> Result<(), Malformed> {
    let mut taken = 0;
    let walked = flat(text, |key, token| {
        taken += 1;
        take(key, token)
    });
    match walked {
        Walk::Done => Ok(()),
        Walk::Refused => Err(Malformed),
        Walk::Unusual => {
            // The members taken so far are the first ones of the same object: skip them.
            let mut at = 0;
            any(text, |key, token| {
                at += 1;
                at <= taken || take(key, token)
            })
        }
    }
}

enum Walk {
    Done,
    Refused,
    Unusual,
}

fn flat<'a>(text: &'a str, mut take: impl FnMut(&'a str, Token<'a>) -> bool) -> Walk {
    let mut walker = Walker { text, bytes: text.as_bytes(), at: 0 };
    if !walker.eat(b'{') {
        return Walk::Unusual;
    }
    if walker.eat(b'}') {
        return if walker.at_end() { Walk::Done } else { Walk::Unusual };
    }
    loop {
        let Some(key) = walker.string() else { return Walk::Unusual };
        if !walker.eat(b':') {
            return Walk::Unusual;
        }
        let Some(token) = walker.value() else { return Walk::Unusual };
        if !take(key, token) {
            return Walk::Refused;
        }
        if walker.eat(b',') {
            continue;
        }
        return if walker.eat(b'}') && walker.at_end() { Walk::Done } else { Walk::Unusual };
    }
}

struct Walker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
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

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.at == self.bytes.len()
    }

    /// A string without escapes and control characters.
    fn string(&mut self) -> Option<&'a str> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let end = start + string_end(&self.bytes[start..]);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    fn value(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(|text| Token::Text(Cow::Borrowed(text))),
            b't' => self.literal("true", Token::Boolean(true)),
            b'f' => self.literal("false", Token::Boolean(false)),
            b'n' => self.literal("null", Token::Null),
            _ => self.number(),
        }
    }

    fn literal(&mut self, word: &str, token: Token<'a>) -> Option<Token<'a>> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            token
        })
    }

    /// A number without exponent.
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

/// Where a plain string ends: at a quote, or at a backslash or control character that makes it unusual. Eight bytes at a time.
fn string_end(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The high bit of each byte that is zero; bytes above the first such byte may be marked wrongly.
    let zeros = |word: u64| word.wrapping_sub(EACH) & !word & HIGH;
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let control = word.wrapping_sub(0x20 * EACH) & !word & HIGH;
        let ends = zeros(word ^ (u64::from(b'"') * EACH)) | zeros(word ^ (u64::from(b'\\') * EACH)) | control;
        if ends != 0 {
            return at + ends.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let ends = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes[at..].iter().position(ends).map_or(bytes.len(), |more| at + more)
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
