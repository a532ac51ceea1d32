//! To which slot of a cluster a key belongs. Never asks a server.

/// A cluster has this many, whatever its size.
pub(crate) const SLOTS: usize = 16_384;

/// CRC-16/XMODEM, eight bits at a time.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// Of a whole key: what is between its first braces counts alone, if there is something.
pub(crate) fn of_key(key: &[u8]) -> usize {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let inner = &key[open + 1..];
        let close = inner.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &inner[..close])
    });
    let counted = tag.unwrap_or(key);
    let sum = counted.iter().fold(0_u16, |sum, byte| (sum << 8) ^ TABLE[usize::from((sum >> 8) as u8 ^ byte)]);
    usize::from(sum) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::of_key;

    #[test]
    fn slots_are_those_of_the_server() {
        // By `CLUSTER KEYSLOT` of Redis 7.0.15.
        let known: [(&[u8], usize); 6] =
            [(b"123456789", 12739), (b"foo", 12182), (b"a{foo}b", 12182), (b"a{}foo", 16292), (b"{", 4092), (b"a{{foo}}", 13308)];
        for (key, slot) in known {
            assert_eq!(of_key(key), slot, "{}", String::from_utf8_lossy(key));
        }
    }
}
