//! Vectors as the library takes them: one block of bytes for each call, so that neither side handles them one argument at a time.
//!
//! Of each vector, little endian: place of its field among the arguments (2 bytes), position (8), as_of (8), until when its key is
//! kept (4, seconds), length of the key (4), key, length of the value (4), value. The value is the packed vector and after it,
//! once more, until when its key is kept: so a later write knows without asking whether that is long enough.

use domain::{Header, unpack_header};
use ports::{Share, VectorWrite};

use crate::{
    Error,
    library::Task,
    map::{Map, Place},
    names::Names,
    node::Call,
};

/// Bytes after the packed vector.
pub(crate) const TRAILER_BYTES: usize = 4;
/// A call of 512 vectors takes a server 1.5 ms, during which it answers nobody else: a tenth of what a quote may take.
const CALL_VECTORS_MAX: usize = 512;
/// So that vectors of 512 columns, thirty times as long as others, do not make a call thirty times as long.
const CALL_BYTES_MAX: usize = 256 << 10;
/// Arguments of a writing call before the fields, counted from 1 as Lua does.
const FIELDS_FROM: u16 = 5;
/// A key is kept this part of its time longer at most, and in return told to the server once in that time and not with each vector.
const LONGER_BY: i64 = 32;

/// Everything that has to be called at each place. Each is called at least once, since only so it tells whether it is marked.
pub(crate) fn calls(map: &Map, names: &Names, share: Share, batch: &[VectorWrite<'_>]) -> Result<Vec<Vec<Call>>, Error> {
    let mut blocks: Vec<Block<'_>> = map.places.iter().map(|_| Block::default()).collect();
    let mut calls: Vec<Vec<Call>> = map.places.iter().map(|_| Vec::new()).collect();
    let mark = Names::mark(share);
    let mut key = Vec::with_capacity(64);
    for write in batch {
        let header = header(write)?;
        key.clear();
        names.key(&mut key, &write.at);
        let place = map.place(&key)?;
        let block = &mut blocks[place];
        block.push(&header, &key, write)?;
        if block.vectors >= CALL_VECTORS_MAX || block.bytes.len() >= CALL_BYTES_MAX {
            calls[place].push(std::mem::take(block).into_call(&map.places[place], &mark));
        }
    }
    for ((block, calls), place) in blocks.into_iter().zip(&mut calls).zip(&map.places) {
        if block.vectors > 0 || calls.is_empty() {
            calls.push(block.into_call(place, &mark));
        }
    }
    Ok(calls)
}

/// Whoever writes something else has gone wrong.
pub(crate) fn header(write: &VectorWrite<'_>) -> Result<Header, Error> {
    let header = unpack_header(write.packed).map_err(|error| {
        let at = write.at;
        Error::Broken(format!(
            "the vector of {}:{} and group {} is not packed ({error}): this is a bug",
            at.entity, at.key, at.group
        ))
    })?;
    Ok(header.0)
}

#[derive(Default)]
struct Block<'a> {
    bytes: Vec<u8>,
    /// Group and generation. Few, so a look at each is quicker than a hash.
    fields: Vec<(&'a str, u32)>,
    vectors: usize,
}

impl<'a> Block<'a> {
    fn push(&mut self, header: &Header, key: &[u8], write: &VectorWrite<'a>) -> Result<(), Error> {
        let until_at = until_at(header, write).to_le_bytes();
        if self.bytes.is_empty() {
            self.bytes.reserve(CALL_VECTORS_MAX * (30 + key.len() + write.packed.len()));
        }
        let field = self.field((write.at.group, write.at.generation))?;
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(&field.to_le_bytes());
        bytes.extend_from_slice(&header.position.to_le_bytes());
        bytes.extend_from_slice(&header.as_of.0.to_le_bytes());
        bytes.extend_from_slice(&until_at);
        bytes.extend_from_slice(&length(key.len())?.to_le_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(&length(write.packed.len() + TRAILER_BYTES)?.to_le_bytes());
        bytes.extend_from_slice(write.packed);
        bytes.extend_from_slice(&until_at);
        self.vectors += 1;
        Ok(())
    }

    fn field(&mut self, field: (&'a str, u32)) -> Result<u16, Error> {
        let place = self.fields.iter().position(|known| *known == field).unwrap_or_else(|| {
            self.fields.push(field);
            self.fields.len() - 1
        });
        // There are no more fields than vectors in a call.
        let place =
            u16::try_from(place).map_err(|_| Error::Broken("a call has more fields than vectors: this is a bug".into()))?;
        Ok(place + FIELDS_FROM)
    }

    fn into_call(self, place: &Place, mark: &str) -> Call {
        let first = [place.marks.as_bytes(), place.slots.as_bytes(), mark.as_bytes()];
        let mut arguments: Vec<Vec<u8>> = first.map(<[u8]>::to_vec).into();
        arguments.push(self.bytes);
        arguments.extend(self.fields.iter().map(|(group, generation)| Names::field(group, *generation).into_bytes()));
        Call { task: Task::Write, arguments }
    }
}

fn length(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| Error::Broken("a key is a few bytes, not four gigabytes: this is a bug".into()))
}

/// In whole seconds, rounded up so that the vectors of a while have the same.
fn until_at(header: &Header, write: &VectorWrite<'_>) -> u32 {
    let (expires_at, as_of) = (write.expires_at.0, header.as_of.0);
    let keep_seconds = expires_at.saturating_sub(as_of).max(0) / 1000;
    let step = 1_u64 << (keep_seconds / LONGER_BY).max(1).ilog2();
    let seconds = expires_at.max(0) / 1000 + i64::from(expires_at % 1000 > 0);
    let rounded = seconds.cast_unsigned().next_multiple_of(step);
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use domain::{NEVER, Timestamp};
    use ports::VectorKey;

    use super::*;

    fn check(as_of: i64, expires_at: i64, seconds: u32) {
        let (as_of, valid_until) = (Timestamp(as_of), NEVER);
        let header =
            Header { schema: 1, generation: 1, position: 1, as_of, valid_until, source_seen_at: None, source_silent: false };
        let at = VectorKey { entity: "store", key: "42", group: "orders", generation: 1 };
        let write = VectorWrite { at, packed: &[], expires_at: Timestamp(expires_at) };
        assert_eq!(until_at(&header, &write), seconds);
    }

    #[test]
    fn a_key_is_kept_a_little_longer_and_never_shorter() {
        check(0, 1, 1);
        check(0, 31_000, 31);
        // An hour: by 64 seconds.
        check(0, 3_600_000, 3_648);
        check(47_000, 3_647_000, 3_648);
        check(48_001, 3_648_001, 3_712);
        // What was over before it began.
        check(5_000, -7, 0);
        check(5_000, 0, 0);
        check(0, i64::MAX, u32::MAX);
        check(i64::MIN, i64::MAX, u32::MAX);
    }
}
