//! Texts with a unit or a fixed number of digits: spans, sizes, steps, bounds and instants.
//!
//! Every function answers with the value or with a sentence for people; none of them knows where the text stood.

use domain::{Span, Timestamp};

/// The largest magnitude of a value in units.
pub(crate) const UNITS_MAX: i64 = 1 << 48;

/// Ten years: longer spans are mistakes, and anything below is far from overflowing.
const SPAN_MS_MAX: i64 = 3_660 * 86_400_000;

/// `500ms`, `30s`, `15m`, `6h`, `28d`.
pub fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is no length of time; write a whole number and one of ms, s, m, h, d, such as \"30s\"");
    let (number, unit) = split_unit(text).ok_or_else(wrong)?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let whole = i64::try_from(number).ok().and_then(|number| number.checked_mul(unit_ms));
    whole.filter(|ms| *ms <= SPAN_MS_MAX).map(Span).ok_or_else(|| format!("`{text}` is longer than ten years"))
}

/// A span as a person would write it, in the largest unit that divides it.
pub(crate) fn show_span(span: Span) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.into_iter().find(|(ms, _)| span.0 != 0 && span.0 % ms == 0) {
        Some((ms, unit)) => format!("{}{unit}", span.0 / ms),
        None if span.0 == 0 => "0s".into(),
        None => format!("{}ms", span.0),
    }
}

/// `64KiB`, `4MiB`, `2GiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write a whole number and one of KiB, MiB, GiB, TiB, such as \"2GiB\"");
    let (number, unit) = split_unit(text).ok_or_else(wrong)?;
    let power = match unit {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(1 << power).ok_or_else(|| format!("`{text}` is more than any machine has"))
}

/// A size as a person would write it, with one digit after the point.
pub(crate) fn show_size(bytes: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(power, _)| bytes >> power > 0) {
        Some((power, unit)) => format!("{:.1} {unit}", bytes as f64 / (1u64 << power) as f64),
        None => format!("{bytes} B"),
    }
}

/// Number of digits of a step: 0 for `1`, 2 for `0.01`.
pub(crate) fn step(text: &str) -> Result<u8, String> {
    const STEPS: [&str; 10] =
        ["1", "0.1", "0.01", "0.001", "0.0001", "0.00001", "0.000001", "0.0000001", "0.00000001", "0.000000001"];
    let place = (0u8..).zip(STEPS).find(|(_, step)| *step == text);
    place.map(|(digits, _)| digits).ok_or_else(|| format!("`{text}` is no step; steps are 1, 0.1, 0.01 and so on to 0.000000001"))
}

/// A decimal text as a whole number of steps.
pub(crate) fn units(text: &str, digits: u8) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no number");
    let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(digits) {
        return Err(format!("`{text}` has more than {digits} digits after the point, which the step does not allow"));
    }
    let written = format!("{whole}{fraction:0<width$}", width = usize::from(digits));
    let units = written.parse::<i64>().ok().filter(|units| *units <= UNITS_MAX);
    let units = units.ok_or_else(|| format!("`{text}` is beyond the largest value of this step, 2^48 steps"))?;
    Ok(if negative { -units } else { units })
}

/// An RFC 3339 instant with an offset.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no RFC 3339 time with an offset, such as \"2026-11-21T10:00:00Z\"");
    let read: toml::value::Datetime = text.parse().map_err(|_| wrong())?;
    let (Some(date), Some(time), Some(offset)) = (read.date, read.time, read.offset) else { return Err(wrong()) };
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let seconds = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    let offset_minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let milliseconds = i64::from(time.nanosecond.unwrap_or(0)) / 1_000_000;
    Ok(Timestamp((days * 86_400 + seconds - offset_minutes * 60) * 1_000 + milliseconds))
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::{UNITS_MAX, instant, show_size, show_span, size, span, step, units};
    use domain::{EARLIEST, LATEST, Span, Timestamp};

    #[test]
    fn spans() {
        assert_eq!(span("500ms"), Ok(Span(500)));
        assert_eq!(span("15m"), Ok(Span(900_000)));
        assert_eq!(span("28d"), Ok(Span(2_419_200_000)));
        for wrong in ["", "15", "m", "1.5h", "-1s", "15 m", "15min", "99999d", "99999999999999999999s"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!([0, 1, 1_500, 60_000, 172_800_000].map(|ms| show_span(Span(ms))), ["0s", "1ms", "1500ms", "1m", "2d"]);
    }

    #[test]
    fn sizes() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("2GiB"), Ok(2_147_483_648));
        assert!(size("2GB").is_err());
        assert!(size("99999999999999TiB").is_err());
        assert_eq!(show_size(1_610_612_736), "1.5 GiB");
    }

    #[test]
    fn steps_and_units() {
        assert_eq!(step("1"), Ok(0));
        assert_eq!(step("0.001"), Ok(3));
        assert!(step("0.05").is_err());
        assert!(step("10").is_err());
        assert_eq!(units("-12.5", 2), Ok(-1_250));
        assert_eq!(units("7.00", 0), Ok(7));
        assert_eq!(units("281474976710656", 0), Ok(UNITS_MAX));
        for (wrong, digits) in [("0.001", 2), ("281474976710657", 0), ("", 0), ("1e3", 0), ("--1", 0), (".5", 1)] {
            assert!(units(wrong, digits).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instants() {
        assert_eq!(instant("2000-01-01T00:00:00Z"), Ok(EARLIEST));
        assert_eq!(instant("2100-01-01T02:00:00+02:00"), Ok(LATEST));
        assert_eq!(instant("2024-02-29T12:00:00.1239Z"), Ok(Timestamp(1_709_208_000_123)));
        assert!(instant("2026-11-21T10:00:00").is_err());
        assert!(instant("2026-11-21").is_err());
    }
}
