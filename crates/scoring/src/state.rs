//! States in bytes: what calibration and corrector write down, and how both are named. Little-endian words between a mark with the
//! version and a digest, which is the state's id. Reading never panics, and never allocates more than the bytes justify.

use std::fmt;

/// Keys are ids of areas and cases; whoever has longer ones did not mean them.
const KEY_BYTES_MAX: usize = 1024;

/// Names one state: the digest of its bytes. Equal states have equal ids, on any machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub u64);

impl fmt::Display for StateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Bytes that are no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateFault {
    /// Another mark or version.
    #[error("these bytes are no {0} of this version: start with an empty state, which learns from the orders that close next")]
    Foreign(&'static str),
    /// The digest does not fit, or the content makes no sense.
    #[error("the state is damaged ({0}): take an older snapshot, or start with an empty state")]
    Damaged(&'static str),
}

/// What a state is: four letters with the version as the last.
pub type Mark = (&'static [u8; 4], &'static str);

/// Writes a state.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins with the mark.
    pub fn new((mark, _): Mark) -> Self {
        Self(mark.to_vec())
    }

    /// Appends a word.
    pub fn word(&mut self, word: u64) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    /// Appends a number.
    pub fn number(&mut self, number: f64) {
        self.word(number.to_bits());
    }

    /// Appends a text.
    pub fn key(&mut self, key: &str) {
        self.bytes(key.as_bytes());
    }

    /// Appends bytes, such as another state.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// The bytes with their digest, and the digest.
    pub fn finish(mut self) -> (Vec<u8>, StateId) {
        let id = digest(&self.0);
        self.word(id.0);
        (self.0, id)
    }
}

/// Reads a state.
#[derive(Debug)]
pub struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// Checks mark and digest.
    pub fn new((mark, what): Mark, bytes: &'b [u8]) -> Result<Self, StateFault> {
        let content = bytes.strip_prefix(mark).ok_or(StateFault::Foreign(what))?;
        let (content, id) = content.split_last_chunk().ok_or(StateFault::Damaged("it is cut off"))?;
        if digest(&bytes[..bytes.len() - 8]).0 != u64::from_le_bytes(*id) {
            return Err(StateFault::Damaged("its digest does not fit"));
        }
        Ok(Self(content))
    }

    /// The next word.
    pub fn word(&mut self) -> Result<u64, StateFault> {
        let (word, rest) = self.0.split_first_chunk().ok_or(StateFault::Damaged("it is cut off"))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*word))
    }

    /// A number that is finite.
    pub fn number(&mut self) -> Result<f64, StateFault> {
        let number = f64::from_bits(self.word()?);
        if number.is_finite() { Ok(number) } else { Err(StateFault::Damaged("a number is not finite")) }
    }

    /// How many items follow, each of at least so many bytes.
    pub fn count(&mut self, bytes_min: usize) -> Result<usize, StateFault> {
        let count = usize::try_from(self.word()?).unwrap_or(usize::MAX);
        if count > self.0.len() / bytes_min { Err(StateFault::Damaged("it is cut off")) } else { Ok(count) }
    }

    /// The next bytes.
    pub fn bytes(&mut self) -> Result<&'b [u8], StateFault> {
        let length = self.count(1)?;
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(bytes)
    }

    /// The next text.
    pub fn key(&mut self) -> Result<String, StateFault> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| StateFault::Damaged("a key is no text"))
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), StateFault> {
        if self.0.is_empty() { Ok(()) } else { Err(StateFault::Damaged("it goes on")) }
    }
}

/// Whether a state may keep something under this key.
pub(crate) fn is_key(key: &str) -> bool {
    key.len() <= KEY_BYTES_MAX
}

fn digest(bytes: &[u8]) -> StateId {
    StateId(xxhash_rust::xxh3::xxh3_64(bytes))
}
