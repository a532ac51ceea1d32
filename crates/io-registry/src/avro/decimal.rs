//! Exact numbers: an integer of any length in two's complement, and how many of its digits stand after the point. No floating point here.

use crate::fault::Stop;

/// Decimals of 256 bits are the longest that databases have; this is twice that.
const BYTES_MAX: usize = 64;

/// Digits that an integer of that length can have. More of them after the point would only be zeros.
pub(crate) const SCALE_MAX: u32 = 154;

/// Nine digits are split off at a time: what is left of a division by this fits into 32 bits.
const NINE_DIGITS: u64 = 1_000_000_000;

/// Writes the number as JSON, with exactly `scale` digits after the point.
pub(crate) fn write(big_endian: &[u8], scale: u32, out: &mut Vec<u8>) -> Result<(), Stop> {
    let negative = big_endian.first().is_some_and(|first| first & 0x80 != 0);
    let digits = digits(big_endian, negative)?;
    let scale = usize::try_from(scale).map_err(|_| Stop::Wrong("a decimal has too many digits after its point"))?;
    if negative {
        out.push(b'-');
    }
    // At least one digit stands before the point.
    let zeros = (scale + 1).saturating_sub(digits.len());
    let point = digits.len() + zeros - scale;
    let padded = std::iter::repeat_n(b'0', zeros).chain(digits.bytes());
    for (place, digit) in padded.enumerate() {
        if place == point {
            out.push(b'.');
        }
        out.push(digit);
    }
    Ok(())
}

/// The digits of the number without its sign.
fn digits(big_endian: &[u8], negative: bool) -> Result<String, Stop> {
    let sign: u8 = if negative { 0xFF } else { 0 };
    let significant: Vec<u8> = big_endian.iter().copied().skip_while(|byte| *byte == sign).collect();
    if significant.len() < 16 {
        let start = if negative { -1i128 } else { 0 };
        let number = significant.iter().fold(start, |number, byte| number << 8 | i128::from(*byte));
        return Ok(number.unsigned_abs().to_string());
    }
    if significant.len() > BYTES_MAX {
        return Err(Stop::Wrong("a decimal is longer than 64 bytes"));
    }
    Ok(long_digits(magnitude(&significant, sign)))
}

/// Without the sign, in pieces of 32 bits, the lowest first.
fn magnitude(significant: &[u8], sign: u8) -> Vec<u32> {
    // Of a negative number every bit is turned around, and one is added.
    let mut carry = u32::from(sign & 1);
    let mut bytes = Vec::with_capacity(significant.len() + 1);
    for byte in significant.iter().rev() {
        let sum = u32::from(byte ^ sign) + carry;
        bytes.push(sum.to_le_bytes()[0]);
        carry = sum >> 8;
    }
    bytes.push(carry.to_le_bytes()[0]);
    let piece = |chunk: &[u8]| chunk.iter().rev().fold(0u32, |piece, byte| piece << 8 | u32::from(*byte));
    bytes.chunks(4).map(piece).collect()
}

fn long_digits(mut pieces: Vec<u32>) -> String {
    let mut groups = Vec::new();
    while pieces.iter().any(|piece| *piece != 0) {
        let mut rest = 0u64;
        for piece in pieces.iter_mut().rev() {
            let part = rest << 32 | u64::from(*piece);
            // The rest is less than the divisor, so what comes out is less than 2^32.
            *piece = u32::try_from(part / NINE_DIGITS).unwrap_or(u32::MAX);
            rest = part % NINE_DIGITS;
        }
        groups.push(rest);
    }
    let mut text: String = groups.iter().rev().map(|group| format!("{group:09}")).collect();
    let leading = text.bytes().take_while(|digit| *digit == b'0').count();
    text.drain(..leading);
    text
}

/// The integer of a decimal's text at this scale; none when the text is not a plain number, has more digits after its point, or is too long.
pub(crate) fn parse(text: &str, scale: u32) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let zeros = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}{}", "0".repeat(zeros));
    digits.parse::<i128>().ok().map(|number| if negative { -number } else { number })
}

/// The shortest two's complement of a number.
pub(crate) fn shortest(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let is_sign = |place: usize| {
        let sign: u8 = if number < 0 { 0xFF } else { 0 };
        bytes[place] == sign && (bytes[place + 1] ^ sign) & 0x80 == 0
    };
    let superfluous = (0..bytes.len() - 1).take_while(|place| is_sign(*place)).count();
    bytes[superfluous..].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], scale: u32, expected: &str) {
        let mut out = Vec::new();
        write(bytes, scale, &mut out).expect("a number");
        assert_eq!(String::from_utf8(out).as_deref(), Ok(expected), "{bytes:?}");
    }

    #[test]
    fn numbers_stay_exact() {
        check(&[], 2, "0.00");
        check(&[0], 0, "0");
        check(&[0x0A, 0x1E], 2, "25.90");
        check(&[0xFF], 3, "-0.001");
        check(&[0x80], 0, "-128");
        check(&[0x00, 0x80], 1, "12.8");
        check(&i128::MIN.to_be_bytes(), 0, "-170141183460469231731687303715884105728");
        check(&[&[0][..], &u128::MAX.to_be_bytes()].concat(), 30, "340282366.920938463463374607431768211455");
        check(&[&[0xFF; 40][..], &[0xFE]].concat(), 0, "-2");
        check(&[&[1][..], &[0; 24]].concat(), 0, "6277101735386680763835789423207666416102355444464034512896");
        check(
            &[&[0x80][..], &[0; 31]].concat(),
            0,
            &format!("-{}", "57896044618658097711785492504343953926634992332820282019728792003956564819968"),
        );
        assert_eq!(write(&[0x7F; 65], 0, &mut Vec::new()), Err(Stop::Wrong("a decimal is longer than 64 bytes")));
    }

    #[test]
    fn texts_are_read_at_their_scale() {
        assert_eq!(parse("25.9", 2), Some(2590));
        assert_eq!(parse("-0.05", 2), Some(-5));
        assert_eq!(parse("7", 0), Some(7));
        for text in ["25.901", "", "-", ".5", "1e3", "٣"] {
            assert_eq!(parse(text, 2), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(number: i128, scale in 0..40u32) {
            let mut out = Vec::new();
            write(&shortest(number), scale, &mut out).expect("a number");
            let text = String::from_utf8(out).expect("digits");
            // A whole number of sixteen bytes has a text that parse can take, but for the very last one.
            prop_assume!(number != i128::MIN);
            prop_assert_eq!(parse(&text, scale), Some(number));
            // The pieces agree with the machine's own integers.
            let long = long_digits(magnitude(&number.to_be_bytes(), if number < 0 { 0xFF } else { 0 }));
            prop_assert_eq!(if number == 0 { "0".to_owned() } else { long }, number.unsigned_abs().to_string());
        }
    }
}
