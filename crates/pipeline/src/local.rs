//! Local time as texts: names of zones, days and times of day. The one place that says which texts name a zone or a day.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::resolved::LocalTime;

/// The largest distance from UTC that a text may say, in minutes: that of the Line Islands.
const OFFSET_MINUTES_MAX: i32 = 14 * 60;
/// No name in the database is longer than 32 bytes; a longer text need not be looked up.
const NAME_BYTES_MAX: usize = 64;

/// A century of holidays, two in each week, is no list that somebody keeps by hand.
pub const HOLIDAYS_MAX: usize = 10_000;

/// The zone that a text names: an IANA name such as `Europe/Vienna`, or an offset such as `+05:30`. Names come from the database
/// that is part of the program, so that every machine agrees.
pub fn time_zone(text: &str) -> Option<TimeZone> {
    if text.starts_with(['+', '-']) {
        return offset(text).map(TimeZone::fixed);
    }
    let is_name = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.is_ascii();
    TimeZoneDatabase::bundled().get(text).ok().filter(|_| is_name)
}

/// The day that a text names, such as `2026-12-25`. Only this plain form: what else would be read as a day, such as an instant, was
/// hardly meant.
pub fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.to_string() == text)
}

/// `-03:30`
fn offset(text: &str) -> Option<Offset> {
    let (sign, clock) = text.split_at_checked(1)?;
    let minutes = i32::from(minute_of_day(clock)?);
    let minutes = if sign == "-" { -minutes } else { minutes };
    (minutes.abs() <= OFFSET_MINUTES_MAX).then(|| Offset::from_seconds(60 * minutes).ok()).flatten()
}

/// `06:30`, or a sentence for people.
pub fn time_of_day(text: &str) -> Result<LocalTime, String> {
    let wrong = || format!("`{text}` is no time of day; write hours and minutes, \"00:00\" to \"23:59\"");
    minute_of_day(text).map(|minute| LocalTime { minute }).ok_or_else(wrong)
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let part = |digits: &str, below: u16| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|number| is_number && *number < below)
    };
    Some(60 * part(hours, 24)? + part(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::{day, time_of_day, time_zone};
    use crate::resolved::LocalTime;

    #[test]
    fn zones() {
        for known in ["UTC", "Europe/Vienna", "America/Argentina/ComodRivadavia", "+05:45", "-03:30", "+14:00", "+00:00"] {
            assert!(time_zone(known).is_some(), "{known}");
        }
        let long = "Europe/Vienna".repeat(10);
        for unknown in ["", "Europe", "Europe/Wien", "+5:45", "+14:01", "+24:00", "+05:60", "+0530", "−03:30", "CET ", &long] {
            assert!(time_zone(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn days() {
        assert_eq!(day("2026-12-25").map(|day| day.day()), Some(25));
        for wrong in ["", "2026-02-29", "25.12.2026", "2026-12-25T00:00:00", "20261225", "2026-12-25 "] {
            assert!(day(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn times_of_day() {
        assert_eq!(time_of_day("00:00"), Ok(LocalTime { minute: 0 }));
        assert_eq!(time_of_day("23:59"), Ok(LocalTime { minute: 1439 }));
        for wrong in ["", "6:30", "24:00", "12:60", "12", "12:00:00", "+1:00", "１２:00"] {
            assert!(time_of_day(wrong).is_err(), "{wrong}");
        }
    }
}
