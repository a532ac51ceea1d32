//! The bytes of one Avro record to JSON, in one pass and without values in between.
//!
//! Hostile bytes are the usual case here: every length is held against what is there, every level against a depth, and what is
//! written against a length, since a few bytes may announce a billion empty items.

use super::{
    decimal,
    schema::{Field, Part, Schema, Type, TypeId},
};
use crate::{
    JSON_BYTES_MAX,
    fault::Stop,
    frame::zig_zag,
    json::{self, DEPTH_MAX},
};

struct Reader<'a> {
    types: &'a [Type],
    rest: &'a [u8],
}

impl Schema {
    /// Appends the record as one JSON object.
    pub(crate) fn read(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut reader = Reader { types: &self.types, rest: record };
        let mut root = self.root;
        if let Type::Union(branches) = &self.types[root] {
            root = reader.branch(branches)?;
        }
        if !matches!(self.types[root], Type::Record(_)) {
            return Err(Stop::Wrong("it is not a record but another branch of the union"));
        }
        reader.value(root, 0, out)?;
        if reader.rest.is_empty() { Ok(()) } else { Err(Stop::Wrong("bytes follow the end of the record")) }
    }
}

impl<'a> Reader<'a> {
    fn value(&mut self, id: TypeId, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        if out.len() > JSON_BYTES_MAX {
            return Err(Stop::TooLarge);
        }
        let types = self.types;
        match &types[id] {
            Type::Null => out.extend_from_slice(b"null"),
            Type::Boolean => {
                let [byte] = self.array()?;
                out.extend_from_slice(match byte {
                    0 => b"false",
                    1 => b"true",
                    _ => return Err(Stop::Wrong("a boolean is neither 0 nor 1")),
                });
            }
            Type::Int => json::plain(&self.int()?, out)?,
            Type::Long => json::plain(&self.long()?, out)?,
            Type::Float => json::single(f32::from_le_bytes(self.array()?), out)?,
            Type::Double => json::double(f64::from_le_bytes(self.array()?), out)?,
            Type::Bytes => json::bytes(self.counted()?, out)?,
            Type::Text => json::plain(self.text()?, out)?,
            Type::Fixed(size) => json::bytes(self.take(*size)?, out)?,
            Type::Decimal { size, scale } => {
                let bytes = match size {
                    Some(size) => self.take(*size)?,
                    None => self.counted()?,
                };
                decimal::write(bytes, *scale, out)?;
            }
            Type::Uuid => uuid(self.array()?, out),
            Type::Date => day(self.int()?, out)?,
            Type::Instant(part) => json::plain(&self.long()?.div_euclid(part.per_second() / 1000), out)?,
            Type::Local(part) => local(self.long()?, *part, out)?,
            Type::Enum(symbols) => {
                let place = usize::try_from(self.int()?).ok();
                let symbol = place.and_then(|place| symbols.get(place)).ok_or(Stop::Wrong("an enum has no such symbol"))?;
                out.extend_from_slice(&symbol.json);
            }
            Type::Union(branches) => {
                let branch = self.branch(branches)?;
                self.value(branch, within(depth)?, out)?;
            }
            Type::Array(items) => self.items(*items, within(depth)?, out)?,
            Type::Map(values) => self.entries(*values, within(depth)?, out)?,
            Type::Record(fields) => self.record(fields, within(depth)?, out)?,
            Type::Open => return Err(Stop::Wrong("its schema has a type without an end")),
        }
        Ok(())
    }

    fn record(&mut self, fields: &[Field], depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        out.push(b'{');
        for (place, field) in fields.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&field.lead);
            self.value(field.kind, depth, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn items(&mut self, kind: TypeId, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        out.push(b'[');
        self.blocks(b'[', out, |reader, out| reader.value(kind, depth, out))?;
        out.push(b']');
        Ok(())
    }

    fn entries(&mut self, kind: TypeId, depth: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        out.push(b'{');
        self.blocks(b'{', out, |reader, out| {
            json::plain(reader.text()?, out)?;
            out.push(b':');
            reader.value(kind, depth, out)
        })?;
        out.push(b'}');
        Ok(())
    }

    /// Items come in blocks, each with its number, the last one empty.
    fn blocks(
        &mut self,
        opening: u8,
        out: &mut Vec<u8>,
        mut item: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // Its length in bytes is for those who want to skip it.
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                if out.last() != Some(&opening) {
                    out.push(b',');
                }
                item(self, out)?;
            }
        }
    }

    fn branch(&mut self, branches: &[TypeId]) -> Result<TypeId, Stop> {
        let place = usize::try_from(self.long()?).ok();
        place.and_then(|place| branches.get(place)).copied().ok_or(Stop::Wrong("a union has no such branch"))
    }

    fn long(&mut self) -> Result<i64, Stop> {
        let (number, rest) = zig_zag(self.rest).ok_or(Stop::Wrong("a number is cut off or too long"))?;
        self.rest = rest;
        Ok(number)
    }

    fn int(&mut self) -> Result<i32, Stop> {
        i32::try_from(self.long()?).map_err(|_| Stop::Wrong("an int has more than 32 bits"))
    }

    fn text(&mut self) -> Result<&'a str, Stop> {
        std::str::from_utf8(self.counted()?).map_err(|_| Stop::Wrong("a text is not UTF-8"))
    }

    fn counted(&mut self) -> Result<&'a [u8], Stop> {
        let length = usize::try_from(self.long()?).map_err(|_| Stop::Wrong("a length is negative"))?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(*taken)
    }
}

const CUT_OFF: Stop = Stop::Wrong("it ends too early");

fn within(depth: usize) -> Result<usize, Stop> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(Stop::Wrong("it is nested more than 64 deep")) }
}

fn uuid(bytes: [u8; 16], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.push(b'"');
}

/// A day as `2026-11-21`; beyond the years that can be written so, its number.
fn day(days: i32, out: &mut Vec<u8>) -> Result<(), Stop> {
    match json::instant(i64::from(days) * 86_400, 0) {
        Some(text) => json::plain(&text[..10], out),
        None => json::plain(&days, out),
    }
}

/// A time on some clock as `2026-11-21T10:00:00.250`; beyond the years that can be written so, its number.
fn local(parts: i64, part: Part, out: &mut Vec<u8>) -> Result<(), Stop> {
    let per_second = part.per_second();
    let nanos = i32::try_from(parts.rem_euclid(per_second) * (1_000_000_000 / per_second)).ok();
    match nanos.and_then(|nanos| json::instant(parts.div_euclid(per_second), nanos)) {
        Some(text) => json::plain(text.trim_end_matches('Z'), out),
        None => json::plain(&parts, out),
    }
}
