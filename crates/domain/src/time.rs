//! Instants and spans in whole milliseconds, and their text forms. Pure arithmetic: this file never reads a clock.

use std::fmt;

/// The earliest instant that an event may carry: 2000-01-01T00:00:00Z.
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000);
/// The first instant that is too far in the future: 2100-01-01T00:00:00Z.
pub const LATEST: Timestamp = Timestamp(4_102_444_800_000);

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 text such as `2026-03-01T18:30:00.250+01:00`. Digits beyond milliseconds are cut off.
    /// None when it is anything else, a leap second included.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 20 || bytes[4] != b'-' || bytes[7] != b'-' || bytes[13] != b':' || bytes[16] != b':' {
            return None;
        }
        if !matches!(bytes[10], b'T' | b't' | b' ') {
            return None;
        }
        let (year, month, day) = (digits(&bytes[0..4])?, digits(&bytes[5..7])?, digits(&bytes[8..10])?);
        let (hour, minute, second) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?);
        let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        if !valid || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction_ms, rest) = fraction(&bytes[19..])?;
        let offset_ms = offset(rest)?;
        let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms;
        Some(Self(days_from_civil(year, month, day) * DAY_MS + of_day - offset_ms))
    }

    /// This instant and a span later, or the last representable one.
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant and a span earlier, or the first representable one.
    pub fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second, ms) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(DAY_MS, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
        match units.iter().find(|(length, _)| self.0 != 0 && self.0 % length == 0) {
            Some((length, unit)) => write!(formatter, "{}{unit}", self.0 / length),
            None => write!(formatter, "{}ms", self.0),
        }
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// The milliseconds of `.123456` and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(after) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let ms = (0..3).fold(0, |ms, place| ms * 10 + if place < length { i64::from(after[place] - b'0') } else { 0 });
    Some((ms, &after[length..]))
}

fn offset(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (digits(&rest[0..2])?, digits(&rest[3..5])?);
            let ms = (hours * 60 + minutes) * 60_000;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -ms } else { ms })
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in years that begin in March, so that
/// the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = Timestamp::parse(text).map_or("none".to_owned(), |time| time.to_string());
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn texts_become_instants_and_back() {
        check("2026-03-01T18:30:00Z", "2026-03-01T18:30:00.000Z");
        check("2026-03-01T18:30:00.25+01:00", "2026-03-01T17:30:00.250Z");
        check("2024-02-29t23:59:59.999999-00:30", "2024-03-01T00:29:59.999Z");
        check("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
        check("2100-01-01 00:00:00Z", "2100-01-01T00:00:00.000Z");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "now", "2026-03-01", "2026-03-01T18:30:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z"] {
            check(text, "none");
        }
        for text in ["2026-03-01T24:00:00Z", "2026-03-01T18:30:60Z", "2026-03-01T18:30:00.Z", "2026-03-01T18:30:00+0100"] {
            check(text, "none");
        }
        check("2026-03-01T18:30:00é", "none");
    }

    #[test]
    fn every_day_survives_the_round_trip() {
        for day in -800_000..800_000 {
            let (year, month, of_month) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, of_month), day);
        }
    }

    #[test]
    fn spans_are_shown_in_their_largest_whole_unit() {
        let shown: Vec<String> = [0, 1500, 90_000, 900_000, 86_400_000].iter().map(|ms| Span(*ms).to_string()).collect();
        assert_eq!(shown, ["0ms", "1500ms", "90s", "15m", "1d"]);
    }
}
