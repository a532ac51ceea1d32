//! Where a string without escapes ends. Knows bytes, not JSON: any quote, backslash or control character ends it.

use wide::u8x16;

/// The place of the first quote, backslash or control character; the length when there is none.
#[inline]
pub(super) fn string_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(sixteen) = bytes[at..].first_chunk::<16>() {
        let ends = ends(sixteen);
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += 16;
    }
    let is_end = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes[at..].iter().position(is_end).map_or(bytes.len(), |more| at + more)
}

/// A bit for each byte that ends a string.
#[inline]
fn ends(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    let control = bytes.min(u8x16::splat(0x1F)).simd_eq(bytes);
    let (quote, backslash) = (bytes.simd_eq(u8x16::splat(b'"')), bytes.simd_eq(u8x16::splat(b'\\')));
    (control | quote | backslash).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_the_first_byte_that_is_not_plain() {
        let plain: Vec<u8> = (0u8..=255).filter(|byte| *byte >= 0x20 && !matches!(byte, b'"' | b'\\')).collect();
        assert_eq!(string_end(&plain), plain.len());
        for place in 0..40 {
            for end in (0..0x20).chain([b'"', b'\\']) {
                let mut bytes = plain[place..place + 60].to_vec();
                bytes[place] = end;
                bytes[place + 5] = b'"';
                assert_eq!(string_end(&bytes), place, "byte {end} at {place}");
            }
        }
    }
}
