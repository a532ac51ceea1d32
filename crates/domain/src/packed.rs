//! The packed form of a vector: fixed width, little endian, one header, a bitmap of nulls, eight bytes a value.
//! The layout is part of the contract with readers and stands in `docs/reference/packed-vector.md`.

use crate::{FeatureVector, Schema, Timestamp, Value, ValueKind};

/// Version in the first byte.
pub const PACKED_VERSION: u8 = 1;
/// Bytes before the bitmap.
pub const HEADER_BYTES: usize = 44;

const SILENT: u8 = 1;
const SEEN: u8 = 2;

/// Everything before the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// See [`FeatureVector`], for this and all others.
    pub schema: u32,
    /// Counts the rebuilds of the group.
    pub generation: u32,
    /// Records taken.
    pub position: u64,
    /// The instant of the values.
    pub as_of: Timestamp,
    /// Until when they hold.
    pub valid_until: Timestamp,
    /// When the source was last heard.
    pub source_seen_at: Option<Timestamp>,
    /// Whether time stood still.
    pub source_silent: bool,
}

/// Why bytes are not a vector of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// Too short for what its header says, or longer.
    #[error("a packed vector of {expected} bytes was expected, {found} were found")]
    Length {
        /// By header and schema.
        expected: usize,
        /// In the input.
        found: usize,
    },
    /// Written by another version of the format.
    #[error("packed version {0} is not known, this reader knows version {PACKED_VERSION}")]
    Version(u8),
    /// Written under another schema.
    #[error("schema {found:08x} was found where {expected:08x} was expected: read the schema again")]
    Schema {
        /// The reader's.
        expected: u32,
        /// The writer's.
        found: u32,
    },
    /// A flag or value that no writer writes.
    #[error("the packed vector is damaged: {0}")]
    Damaged(&'static str),
}

/// Appends header and values to `out`. Values are given as their eight bytes, none being null.
pub fn pack(out: &mut Vec<u8>, header: &Header, values: &[Option<u64>]) {
    let flags = u8::from(header.source_silent) * SILENT + u8::from(header.source_seen_at.is_some()) * SEEN;
    let seen = header.source_seen_at.unwrap_or_default();
    let mut head = [0; HEADER_BYTES];
    head[0] = PACKED_VERSION;
    head[1] = flags;
    let count = u16::try_from(values.len()).unwrap_or_else(|_| panic!("a group has at most 512 columns, not {}", values.len()));
    head[2..4].copy_from_slice(&count.to_le_bytes());
    head[4..8].copy_from_slice(&header.schema.to_le_bytes());
    head[8..12].copy_from_slice(&header.generation.to_le_bytes());
    head[12..20].copy_from_slice(&header.position.to_le_bytes());
    head[20..28].copy_from_slice(&header.as_of.0.to_le_bytes());
    head[28..36].copy_from_slice(&header.valid_until.0.to_le_bytes());
    head[36..44].copy_from_slice(&seen.0.to_le_bytes());
    out.extend_from_slice(&head);
    for eight in values.chunks(8) {
        let bits = eight.iter().enumerate().fold(0, |bits, (place, value)| bits | u8::from(value.is_none()) << place);
        out.push(bits);
    }
    for value in values {
        out.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
    }
}

/// Reads the header alone, whatever the schema.
pub fn unpack_header(bytes: &[u8]) -> Result<(Header, usize), PackedError> {
    let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Err(PackedError::Length { expected: HEADER_BYTES, found: bytes.len() });
    };
    if head[0] != PACKED_VERSION {
        return Err(PackedError::Version(head[0]));
    }
    if head[1] & !(SILENT | SEEN) != 0 {
        return Err(PackedError::Damaged("an unknown flag is set"));
    }
    let count = usize::from(u16::from_le_bytes([head[2], head[3]]));
    let expected = HEADER_BYTES + count.div_ceil(8) + 8 * count;
    if bytes.len() != expected {
        return Err(PackedError::Length { expected, found: bytes.len() });
    }
    let seen = Timestamp(i64_at(head, 36));
    let header = Header {
        schema: u32_at(head, 4),
        generation: u32_at(head, 8),
        position: i64_at(head, 12).cast_unsigned(),
        as_of: Timestamp(i64_at(head, 20)),
        valid_until: Timestamp(i64_at(head, 28)),
        source_seen_at: (head[1] & SEEN != 0).then_some(seen),
        source_silent: head[1] & SILENT != 0,
    };
    Ok((header, count))
}

/// Reads a vector that was written under this schema.
pub fn unpack(bytes: &[u8], schema: &Schema) -> Result<FeatureVector, PackedError> {
    let (header, count) = unpack_header(bytes)?;
    if header.schema != schema.id {
        return Err(PackedError::Schema { expected: schema.id, found: header.schema });
    }
    if count != schema.columns.len() {
        return Err(PackedError::Damaged("the number of values is not the schema's"));
    }
    let bitmap = &bytes[HEADER_BYTES..HEADER_BYTES + count.div_ceil(8)];
    let words = &bytes[HEADER_BYTES + bitmap.len()..];
    let values = schema.columns.iter().enumerate().map(|(place, (_, kind))| {
        let null = bitmap[place / 8] >> (place % 8) & 1 == 1;
        let word = i64_at(words, 8 * place);
        (!null).then(|| match kind {
            ValueKind::Float => Value::Float(f64::from_bits(word.cast_unsigned())),
            _ => Value::Integer(word),
        })
    });
    Ok(FeatureVector {
        schema: header.schema,
        generation: header.generation,
        as_of: header.as_of,
        valid_until: header.valid_until,
        source_seen_at: header.source_seen_at,
        source_silent: header.source_silent,
        position: header.position,
        values: values.collect(),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|place| bytes[at + place]))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(std::array::from_fn(|place| bytes[at + place]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn sample() -> (Schema, Header, Vec<Option<u64>>) {
        let columns = vec![("mean".to_owned(), ValueKind::Float), ("orders".to_owned(), ValueKind::Integer)];
        let schema = Schema { id: 7, columns, tolerance: Span(60_000) };
        let header = Header {
            schema: 7,
            generation: 2,
            position: 99,
            as_of: Timestamp(5),
            valid_until: Timestamp(i64::MAX),
            source_seen_at: Some(Timestamp(4)),
            source_silent: true,
        };
        (schema, header, vec![None, Some((-3i64).cast_unsigned())])
    }

    #[test]
    fn what_was_packed_is_read_back() {
        let (schema, header, values) = sample();
        let mut bytes = Vec::new();
        pack(&mut bytes, &header, &values);
        let vector = unpack(&bytes, &schema).expect("a packed vector");
        assert_eq!(vector.values, [None, Some(Value::Integer(-3))]);
        assert_eq!((vector.position, vector.source_silent, vector.source_seen_at), (99, true, Some(Timestamp(4))));
        assert_eq!(bytes.len(), HEADER_BYTES + 1 + 16);
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        let (schema, header, values) = sample();
        let mut bytes = Vec::new();
        pack(&mut bytes, &header, &values);
        for length in 0..bytes.len() {
            assert!(matches!(unpack(&bytes[..length], &schema), Err(PackedError::Length { .. })));
        }
        let with =
            |at: usize, byte: u8| bytes.iter().enumerate().map(|(i, b)| if i == at { byte } else { *b }).collect::<Vec<u8>>();
        assert_eq!(unpack(&with(0, 9), &schema), Err(PackedError::Version(9)));
        assert_eq!(unpack(&with(4, 8), &schema), Err(PackedError::Schema { expected: 7, found: 8 }));
        assert!(matches!(unpack(&with(1, 0xF0), &schema), Err(PackedError::Damaged(_))));
    }
}
