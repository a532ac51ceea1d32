//! JSON numbers read exactly from their text, as a whole number of steps. No floating point here.

use super::Fault;

/// Largest magnitude of a value in steps.
pub(crate) const UNITS_MAX: i64 = 1 << 48;

/// Reads the text of a valid JSON number as a multiple of `10^-digits`.
pub(super) fn decimal(text: &[u8], digits: u8, round: bool) -> Result<i64, Fault> {
    match simple(text) {
        Some((mantissa, fraction_digits)) => scaled(mantissa, fraction_digits, digits, round),
        None => general(text, digits, round),
    }
}

/// Reads the text of a valid JSON number that has neither fraction nor exponent.
pub(super) fn integer(text: &[u8]) -> Result<i64, Fault> {
    if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return Err(Fault::WrongType);
    }
    decimal(text, 0, false)
}

/// Mantissa and number of digits after the point, of a text without exponent and with at most 18 digits.
fn simple(text: &[u8]) -> Option<(i64, u32)> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.len() > 18 {
        return None;
    }
    let (mut mantissa, mut point) = (0i64, None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
            b'.' => point = Some(at),
            _ => return None,
        }
    }
    let fraction_digits = point.map_or(0, |at| text.len() - at - 1);
    Some((if negative { -mantissa } else { mantissa }, u32::try_from(fraction_digits).ok()?))
}

fn scaled(mantissa: i64, fraction_digits: u32, digits: u8, round: bool) -> Result<i64, Fault> {
    let digits = u32::from(digits);
    if fraction_digits <= digits {
        let units = mantissa.checked_mul(10i64.pow(digits - fraction_digits)).ok_or(Fault::OutOfRange)?;
        return in_range(units);
    }
    let divisor = 10i64.pow(fraction_digits - digits);
    let (quotient, remainder) = (mantissa / divisor, mantissa % divisor);
    if remainder == 0 {
        return in_range(quotient);
    }
    if !round {
        return Err(Fault::OffStep);
    }
    let up = match (2 * remainder.unsigned_abs()).cmp(&divisor.unsigned_abs()) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Less => false,
    };
    in_range(quotient + if up { mantissa.signum() } else { 0 })
}

/// Any valid JSON number, of any length and exponent, on its decimal digits.
fn general(text: &[u8], digits: u8, round: bool) -> Result<i64, Fault> {
    let negative = text.first() == Some(&b'-');
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])),
        None => (text, 0),
    };
    let fraction = mantissa.iter().position(|byte| *byte == b'.').map_or(0, |at| mantissa.len() - at - 1);
    let significant: Vec<u8> =
        mantissa.iter().filter(|byte| byte.is_ascii_digit()).skip_while(|byte| **byte == b'0').map(|byte| byte - b'0').collect();
    if significant.is_empty() {
        return Ok(0);
    }
    // The number is 0.d1d2d3… × 10^point, in units.
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let point =
        length(significant.len()).saturating_sub(length(fraction)).saturating_add(exponent).saturating_add(i64::from(digits));
    if point > 18 {
        // What is too large may be between two steps as well, and that is looked at first.
        let beyond = usize::try_from(point).ok().and_then(|whole| significant.get(whole..)).unwrap_or(&[]);
        let off_step = !round && beyond.iter().any(|digit| *digit != 0);
        return Err(if off_step { Fault::OffStep } else { Fault::OutOfRange });
    }
    let whole = usize::try_from(point).unwrap_or(0);
    let digit_at = |place: usize| significant.get(place).copied().unwrap_or(0);
    let units = (0..whole).fold(0i64, |units, place| units * 10 + i64::from(digit_at(place)));
    let rest = if point >= 0 { significant.get(whole..).unwrap_or(&[]) } else { &significant[..] };
    let off_step = rest.iter().any(|digit| *digit != 0);
    if off_step && !round {
        return Err(Fault::OffStep);
    }
    // Below zero, at least one zero stands between the point and the first digit: less than a half.
    let first = if point >= 0 { rest.first().copied().unwrap_or(0) } else { 0 };
    let beyond = rest.iter().skip(1).any(|digit| *digit != 0);
    let up = off_step && (first > 5 || first == 5 && (beyond || units % 2 != 0));
    let units = units + i64::from(up);
    in_range(if negative { -units } else { units })
}

/// The exponent's value, saturated: past a million it makes no difference.
fn exponent(text: &[u8]) -> i64 {
    let negative = text.first() == Some(&b'-');
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0i64, |size, byte| (size * 10 + i64::from(byte - b'0')).min(100_000_000));
    if negative { -size } else { size }
}

fn in_range(units: i64) -> Result<i64, Fault> {
    if units.unsigned_abs() <= UNITS_MAX.unsigned_abs() { Ok(units) } else { Err(Fault::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, digits: u8, round: bool, expected: Result<i64, Fault>) {
        assert_eq!(decimal(text.as_bytes(), digits, round), expected, "{text} with {digits} digits");
        if !text.contains(['e', 'E']) {
            assert_eq!(general(text.as_bytes(), digits, round), expected, "{text} digit by digit");
        }
    }

    #[test]
    fn exact_multiples_are_taken() {
        check("12.5", 2, false, Ok(1250));
        check("-0", 2, false, Ok(0));
        check("1.500", 1, false, Ok(15));
        check("1e2", 0, false, Ok(100));
        check("125E-1", 1, false, Ok(125));
        check("0.000000000000000000000000000000", 0, false, Ok(0));
        check("281474976710656", 0, false, Ok(1 << 48));
    }

    #[test]
    fn others_are_refused_or_rounded_to_even() {
        check("12.345", 2, false, Err(Fault::OffStep));
        check("12.345", 2, true, Ok(1234));
        check("12.355", 2, true, Ok(1236));
        check("-12.3450000000000000000000001", 2, true, Ok(-1235));
        check("0.5", 0, true, Ok(0));
        check("0.05", 0, true, Ok(0));
        check("1.5", 0, true, Ok(2));
        check("5e-400", 9, true, Ok(0));
        check("5e-400", 9, false, Err(Fault::OffStep));
        check("0.30000000000000004", 2, true, Ok(30));
    }

    #[test]
    fn what_is_too_large_is_out_of_range() {
        check("281474976710657", 0, false, Err(Fault::OutOfRange));
        check("99999999999999999999999999", 0, false, Err(Fault::OutOfRange));
        check("1e400", 0, true, Err(Fault::OutOfRange));
        check("1e99999999999999999999", 0, true, Err(Fault::OutOfRange));
        check("999999999999999999", 9, true, Err(Fault::OutOfRange));
    }

    #[test]
    fn integers_have_neither_fraction_nor_exponent() {
        assert_eq!(integer(b"17"), Ok(17));
        assert_eq!(integer(b"17.0"), Err(Fault::WrongType));
        assert_eq!(integer(b"1e1"), Err(Fault::WrongType));
    }
}
