//! Notes as Kafka keeps them: text beside an offset, of at most 4096 bytes.

use bytes::Bytes;

/// Two letters for each byte.
pub(crate) fn to_text(note: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    note.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// None for a text that nobody of ours wrote.
pub(crate) fn from_text(text: &str) -> Option<Bytes> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_text(&to_text(&all)).as_deref(), Some(&*all));
        assert_eq!(to_text(b"\x00\xff1"), "00ff31");
        assert_eq!(from_text("").as_deref(), Some(&b""[..]));
        for foreign in ["1", "zz", "+1", "ü"] {
            assert_eq!(from_text(foreign), None, "{foreign}");
        }
    }
}
