//! Bytes of snapshots and shuffle blocks: little-endian words, variable-length integers, length-prefixed texts.
//! Reading never panics and never allocates more than the input justifies.

use domain::{EARLIEST, LATEST};

/// Instants of a clock lie within this many milliseconds of 1970, so that adding spans and counting tiles cannot overflow.
const INSTANT_MS_MAX: u64 = 1 << 53;
/// Numbers that only ever count up stay below, so that there is room to go on.
const COUNTED_MAX: u64 = 1 << 62;

/// Bytes that no writer of this version wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are damaged or from another version: {0}")]
pub struct Broken(pub &'static str);

/// Appends to a buffer.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn word(&mut self, word: u64) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    pub(crate) fn words(&mut self, words: &[u64]) {
        self.0.reserve(8 * words.len());
        words.iter().for_each(|word| self.word(*word));
    }

    pub(crate) fn signed(&mut self, number: i64) {
        self.word(number.cast_unsigned());
    }

    pub(crate) fn identity(&mut self, identity: u128) {
        self.0.extend_from_slice(&identity.to_le_bytes());
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.varint(count as u64);
    }

    pub(crate) fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

/// Takes from the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Broken> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn word(&mut self) -> Result<u64, Broken> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Broken> {
        self.word().map(u64::cast_signed)
    }

    pub(crate) fn identity(&mut self) -> Result<u128, Broken> {
        self.array().map(u128::from_le_bytes)
    }

    /// An instant of a clock, or `i64::MIN` before there is one.
    pub(crate) fn instant(&mut self) -> Result<i64, Broken> {
        let ms = self.signed()?;
        let known = ms == i64::MIN || ms.unsigned_abs() <= INSTANT_MS_MAX;
        if known { Ok(ms) } else { Err(Broken("an instant is out of reach of every clock")) }
    }

    /// The time of an event.
    pub(crate) fn time(&mut self) -> Result<i64, Broken> {
        let ms = self.signed()?;
        if (EARLIEST.0..LATEST.0).contains(&ms) { Ok(ms) } else { Err(Broken("a time that no event may have")) }
    }

    /// A number that grows by steps from 0.
    pub(crate) fn counted(&mut self) -> Result<u64, Broken> {
        let number = self.varint()?;
        if number <= COUNTED_MAX { Ok(number) } else { Err(Broken("a number that nothing counts up to")) }
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken("an integer is too long"))
    }

    /// A number of items that take at least `bytes_each`: never more than the rest can hold.
    pub(crate) fn count(&mut self, bytes_each: usize) -> Result<usize, Broken> {
        let count = usize::try_from(self.varint()?).map_err(|_| Broken("a count is too large"))?;
        if count.saturating_mul(bytes_each) > self.0.len() {
            Err(Broken("a count is larger than what follows"))
        } else {
            Ok(count)
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let count = self.count(1)?;
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Broken("a text is not UTF-8"))
    }

    pub(crate) fn words(&mut self, count: usize) -> Result<Vec<u64>, Broken> {
        if count.saturating_mul(8) > self.0.len() {
            return Err(Broken("fewer words than announced"));
        }
        (0..count).map(|_| self.word()).collect()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(Broken("the end came early"))?;
        self.0 = rest;
        Ok(*array)
    }
}
