//! What stands before a record: a zero byte and the schema's id, and for Protobuf which message of the schema it is.

use std::fmt;

use crate::fault::{Fault, Stop};

/// The number by which a registry knows a schema. Its meaning never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

/// Messages are declared within messages, seldom more than two deep; the parser of `.proto` files stops at 32.
const INDICES_MAX: usize = 32;

impl SchemaId {
    /// The id that a record begins with; none when it is not framed.
    pub fn of(record: &[u8]) -> Option<Self> {
        split(record).map(|(id, _)| id).ok()
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The id, and what follows it.
pub(crate) fn split(record: &[u8]) -> Result<(SchemaId, &[u8]), Fault> {
    let (head, rest) = record.split_first_chunk::<5>().ok_or(Fault::NotFramed)?;
    let [0, id @ ..] = *head else { return Err(Fault::NotFramed) };
    Ok((SchemaId(u32::from_be_bytes(id)), rest))
}

/// What stands before a record of this schema.
pub(crate) fn head(id: SchemaId) -> Vec<u8> {
    let mut head = vec![0];
    head.extend_from_slice(&id.0.to_be_bytes());
    head
}

/// The places of the message among its siblings, from the outermost on, and what follows them. One zero byte stands for the first message.
pub(crate) fn message_indices(bytes: &[u8]) -> Result<(Vec<usize>, &[u8]), Stop> {
    const WRONG: Stop = Stop::Wrong("the list that says which message it is cannot be read");
    let (count, mut rest) = zig_zag(bytes).ok_or(WRONG)?;
    if count == 0 {
        return Ok((vec![0], rest));
    }
    let count = usize::try_from(count).ok().filter(|count| *count <= INDICES_MAX).ok_or(WRONG)?;
    let mut indices = Vec::with_capacity(count);
    for _ in 0..count {
        let (index, after) = zig_zag(rest).ok_or(WRONG)?;
        indices.push(usize::try_from(index).map_err(|_| WRONG)?);
        rest = after;
    }
    Ok((indices, rest))
}

/// A number of variable length with its sign in the lowest bit, and what follows it: in Avro, and in this list.
pub(crate) fn zig_zag(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut number = 0u64;
    // Ten groups of seven bits hold 64, and the last of them only one.
    for (place, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7F);
        if place == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            let value = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

/// The same, written.
pub(crate) fn put_zig_zag(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_zero_and_four_bytes() {
        assert_eq!(split(&[0, 0, 0, 1, 2, 9]), Ok((SchemaId(258), &[9][..])));
        assert_eq!(split(&[0, 0xFF, 0xFF, 0xFF, 0xFF]), Ok((SchemaId(u32::MAX), &[][..])));
        for record in [&[][..], &[0, 0, 0, 1], &[1, 0, 0, 0, 1], b"{\"id\":\"e1\"}"] {
            assert_eq!(split(record), Err(Fault::NotFramed), "{record:?}");
        }
        assert_eq!(split(&head(SchemaId(7))), Ok((SchemaId(7), &[][..])));
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for number in [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN, 1_800_000_000_000] {
            let mut bytes = Vec::new();
            put_zig_zag(number, &mut bytes);
            bytes.push(0xAA);
            assert_eq!(zig_zag(&bytes), Some((number, &[0xAA][..])), "{number}");
        }
        assert_eq!(zig_zag(&[0x80; 12]), None, "too long");
        assert_eq!(zig_zag(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), None, "more than 64 bits");
        assert_eq!(zig_zag(&[0x80]), None, "cut off");
    }

    #[test]
    fn the_first_message_has_two_spellings() {
        assert_eq!(message_indices(&[0, 9]), Ok((vec![0], &[9][..])));
        assert_eq!(message_indices(&[2, 0, 9]), Ok((vec![0], &[9][..])));
        assert_eq!(message_indices(&[4, 2, 6, 9]), Ok((vec![1, 3], &[9][..])));
        for wrong in [&[][..], &[1], &[2], &[2, 1], &[66; 40], &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]] {
            assert!(message_indices(wrong).is_err(), "{wrong:?}");
        }
    }
}
