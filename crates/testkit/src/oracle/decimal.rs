//! Decimal numbers, read exactly from their text: digits are moved, never computed with.

/// A number in units of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    /// A whole number of steps; numbers beyond 30 digits are cut down to the ends of the type.
    Whole(i128),
    /// Between two steps, and rounding was not asked for.
    OffStep,
}

/// The number of a JSON text in units of `10^-digits`, rounded half to even if asked for.
pub(crate) fn units(number: &str, digits: u8, round: bool) -> Units {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // From here on the number is `figures` × 10^power steps, without zeros at either end of the figures.
    let written = format!("{whole}{fraction}");
    let without_front = written.trim_start_matches('0');
    let figures = without_front.trim_end_matches('0');
    if figures.is_empty() {
        return Units::Whole(0);
    }
    let zeros_cut = (without_front.len() - figures.len()) as i128;
    let power = bounded(exponent) - fraction.len() as i128 + zeros_cut + i128::from(digits);
    if power >= 0 {
        let zeros = "0".repeat(power.min(31) as usize);
        return Units::Whole(signed(negative, &format!("{figures}{zeros}")));
    }
    if !round {
        return Units::OffStep;
    }
    let padding = "0".repeat((-power - figures.len() as i128).clamp(0, 31) as usize);
    let padded = format!("{padding}{figures}");
    let cut_off = usize::try_from(-power).unwrap_or(usize::MAX).min(padded.len());
    let (kept, dropped) = padded.split_at(padded.len() - cut_off);
    let below = signed(false, kept);
    // `dropped` reads as 0.dropped and ends in a figure that is not 0, so "5" alone is the only tie.
    let up = if dropped == "5" { below % 2 == 1 } else { dropped >= "5" };
    let rounded = below.saturating_add(i128::from(up));
    Units::Whole(if negative { -rounded } else { rounded })
}

/// An exponent far beyond any payload's length is as good as any other.
fn bounded(exponent: &str) -> i128 {
    let magnitude = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    let magnitude = if magnitude.len() > 18 { 10i128.pow(18) } else { magnitude.parse().unwrap_or(0) };
    if exponent.starts_with('-') { -magnitude } else { magnitude }
}

fn signed(negative: bool, figures: &str) -> i128 {
    let figures = figures.trim_start_matches('0');
    let magnitude = if figures.len() > 30 { i128::MAX } else { figures.parse().unwrap_or(0) };
    if negative { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::{Units, units};

    #[track_caller]
    fn check(number: &str, digits: u8, exact: Option<i128>, rounded: i128) {
        assert_eq!(units(number, digits, false), exact.map_or(Units::OffStep, Units::Whole), "exactly");
        assert_eq!(units(number, digits, true), Units::Whole(rounded), "rounded");
    }

    #[test]
    fn numbers_on_a_step_are_exact() {
        check("12.34", 2, Some(1234), 1234);
        check("-12.3400", 2, Some(-1234), -1234);
        check("1.5e1", 0, Some(15), 15);
        check("1200E-2", 0, Some(12), 12);
        check("-0.0", 2, Some(0), 0);
        check("0e999999999999999999999999", 2, Some(0), 0);
        check("1e3", 9, Some(1_000_000_000_000), 1_000_000_000_000);
    }

    #[test]
    fn numbers_between_steps_round_half_to_even() {
        check("0.005", 2, None, 0);
        check("0.015", 2, None, 2);
        check("-0.025", 2, None, -2);
        check("0.0050001", 2, None, 1);
        check("0.00499999999999999999999999", 2, None, 0);
        check("99.995", 2, None, 10_000);
        check("5e-1", 0, None, 0);
        check("1.5", 0, None, 2);
        check("0.05", 0, None, 0);
        check("9e-40", 2, None, 0);
        check("1e-999999999999999999999999", 2, None, 0);
    }

    #[test]
    fn numbers_beyond_everything_stay_large() {
        check("1e999999999999999999999999", 2, Some(i128::MAX), i128::MAX);
        check("-1e400", 2, Some(-i128::MAX), -i128::MAX);
        check("123456789012345678901234567890123.5", 0, None, i128::MAX);
    }
}
