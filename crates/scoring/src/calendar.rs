//! The local time of an area as inputs of a row: hour, minute and day of the week on the clocks there, and whether it is a holiday.
//!
//! An instant has exactly one local time, so clocks that are put back or forward need no decision here: an hour that happens twice is
//! the same hour twice, and one that is left out never comes. The zones are those of the program, so that every machine agrees.
//! This file never asks what time it is.

use std::collections::BTreeSet;

use domain::{Timestamp, Value, ValueKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pipeline::HOLIDAYS_MAX;

/// A calendar that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// No such zone.
    #[error("`{0}` is no time zone; write an IANA name such as \"Europe/Vienna\" or an offset such as \"+05:30\"")]
    Zone(String),
    /// No such day.
    #[error("the holiday `{0}` is no day; write it as year, month and day: \"2026-12-25\"")]
    Holiday(String),
    /// Too many days.
    #[error("{0} holidays are declared; {HOLIDAYS_MAX} are allowed: leave out those that have passed")]
    TooMany(usize),
}

/// The clocks and the holidays of an area.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    holidays: BTreeSet<Date>,
}

impl Calendar {
    /// The inputs that a calendar gives, by name: Monday is 1 and Sunday 7, `local_minute` is that of the hour.
    pub const INPUTS: [(&'static str, ValueKind); 4] = [
        ("local_hour", ValueKind::Integer),
        ("local_minute", ValueKind::Integer),
        ("local_weekday", ValueKind::Integer),
        ("is_holiday", ValueKind::Boolean),
    ];

    /// The calendar of a zone, with days such as `2026-12-25`.
    pub fn new<'t>(zone: &str, holidays: impl IntoIterator<Item = &'t str>) -> Result<Self, CalendarFault> {
        let zone = pipeline::time_zone(zone).ok_or_else(|| CalendarFault::Zone(zone.into()))?;
        let day = |text: &str| pipeline::day(text).ok_or_else(|| CalendarFault::Holiday(text.into()));
        let days = holidays.into_iter().map(day).collect::<Result<Vec<Date>, CalendarFault>>()?;
        if days.len() > HOLIDAYS_MAX {
            return Err(CalendarFault::TooMany(days.len()));
        }
        Ok(Self { zone, holidays: days.into_iter().collect() })
    }

    /// The values of [`Calendar::INPUTS`] at an instant; nulls beyond the years 1 to 9999.
    pub fn values(&self, at: Timestamp) -> [Option<Value>; 4] {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return [None; 4] };
        let local = self.zone.to_datetime(instant);
        if local.year() < 1 {
            return [None; 4];
        }
        let is_holiday = self.holidays.contains(&local.date());
        let weekday = local.weekday().to_monday_one_offset();
        [i64::from(local.hour()), i64::from(local.minute()), i64::from(weekday), i64::from(is_holiday)]
            .map(|value| Some(Value::Integer(value)))
    }
}

#[cfg(test)]
mod tests {
    use domain::{Timestamp, Value};

    use super::Calendar;

    fn check(zone: &str, at: &str, expected: &str) {
        let calendar = Calendar::new(zone, ["2026-03-29", "2026-12-25", "2011-12-31"]).unwrap();
        let [hour, minute, weekday, holiday] = calendar.values(Timestamp::parse(at).unwrap()).map(|value| match value {
            Some(Value::Integer(number)) => number,
            other => panic!("{other:?}"),
        });
        assert_eq!(format!("{hour:02}:{minute:02} day {weekday} holiday {holiday}"), expected, "{zone} at {at}");
    }

    #[test]
    fn clocks_of_the_area() {
        check("Europe/Vienna", "2026-11-22T12:30:59.999Z", "13:30 day 7 holiday 0");
        check("Asia/Kathmandu", "2026-11-22T12:30:00Z", "18:15 day 7 holiday 0");
        check("+05:30", "2026-11-22T20:00:00Z", "01:30 day 1 holiday 0");
    }

    #[test]
    fn clocks_are_put_forward_and_back() {
        check("Europe/Vienna", "2026-03-29T00:59:59Z", "01:59 day 7 holiday 1");
        check("Europe/Vienna", "2026-03-29T01:00:00Z", "03:00 day 7 holiday 1");
        check("Europe/Vienna", "2026-10-25T00:30:00Z", "02:30 day 7 holiday 0");
        check("Europe/Vienna", "2026-10-25T01:30:00Z", "02:30 day 7 holiday 0");
        check("Australia/Lord_Howe", "2026-04-04T14:59:00Z", "01:59 day 7 holiday 0");
        check("Australia/Lord_Howe", "2026-04-04T15:00:00Z", "01:30 day 7 holiday 0");
    }

    #[test]
    fn holidays_begin_and_end_at_local_midnight() {
        check("America/New_York", "2026-12-25T04:59:59Z", "23:59 day 4 holiday 0");
        check("America/New_York", "2026-12-25T05:00:00Z", "00:00 day 5 holiday 1");
        check("America/New_York", "2026-12-26T04:59:59Z", "23:59 day 5 holiday 1");
        check("Asia/Tokyo", "2026-12-24T15:00:00Z", "00:00 day 5 holiday 1");
        // Samoa left out the day before this one.
        check("Pacific/Apia", "2011-12-30T09:59:59Z", "23:59 day 4 holiday 0");
        check("Pacific/Apia", "2011-12-30T10:00:00Z", "00:00 day 6 holiday 1");
    }

    #[test]
    fn a_case_calls_its_inputs_the_same() {
        assert_eq!(Calendar::INPUTS.map(|(name, _)| name), pipeline::Case::CALENDAR);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let fault = |zone, holiday| Calendar::new(zone, [holiday]).unwrap_err().to_string();
        assert!(fault("Europe/Wien", "2026-12-25").starts_with("`Europe/Wien` is no time zone"));
        for wrong in ["2026-02-29", "25.12.2026", "2026-12-25T00:00:00", "20261225", ""] {
            assert!(fault("UTC", wrong).starts_with(&format!("the holiday `{wrong}` is no day")), "{wrong}");
        }
        let fault = Calendar::new("UTC", std::iter::repeat_n("2026-12-25", 10_001)).unwrap_err().to_string();
        assert!(fault.starts_with("10001 holidays"), "{fault}");
    }

    #[test]
    fn instants_that_no_calendar_has_are_null() {
        let calendar = Calendar::new("Pacific/Kiritimati", []).unwrap();
        for beyond in [i64::MIN, i64::MAX] {
            assert_eq!(calendar.values(Timestamp(beyond)), [None; 4]);
        }
    }
}
