//! Numbers and texts as bytes, and back. Knows nothing of what they mean, and never trusts a length.

use bytes::Bytes;

/// Writes little-endian numbers and byte strings behind each other.
pub(crate) trait Put {
    fn put_u32(&mut self, value: u32);
    fn put_u64(&mut self, value: u64);
    /// Seven bits a byte, the low ones first.
    fn put_short(&mut self, value: usize);
    /// Its length, then the bytes.
    fn put_bytes(&mut self, bytes: &[u8]);
}

impl Put for Vec<u8> {
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn put_short(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_short(bytes.len());
        self.extend_from_slice(bytes);
    }
}

/// Reads what `Put` wrote; none as soon as the bytes say something impossible.
pub(crate) struct Take<'b> {
    bytes: &'b Bytes,
    at: usize,
}

impl<'b> Take<'b> {
    pub(crate) fn new(bytes: &'b Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.exactly::<4>().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.exactly::<8>().map(u64::from_le_bytes)
    }

    pub(crate) fn short(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Shares the memory of the whole.
    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let length = self.short()?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let piece = if length == 0 { Bytes::new() } else { self.bytes.slice(self.at..end) };
        self.at = end;
        Some(piece)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// Goes past a byte string without looking at it.
    pub(crate) fn skip(&mut self) -> Option<()> {
        let length = self.short()?;
        self.at = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        Some(())
    }

    fn exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        let piece = self.bytes.get(self.at..self.at.checked_add(N)?)?;
        self.at += N;
        piece.try_into().ok()
    }
}
