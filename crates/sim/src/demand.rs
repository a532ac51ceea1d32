//! When people are hungry: the hours of a day, the days of a week, and the kinds of districts. Pure tables; the city draws the
//! customers.

use domain::{Span, Timestamp};

use crate::chance::Law;

/// The share of a working day's orders in each local hour: a peak at noon, a higher one in the evening.
const WORKDAY: [f64; 24] = [
    0.004, 0.001, 0.0, 0.0, 0.0, 0.0, 0.001, 0.002, 0.005, 0.009, 0.025, 0.072, 0.108, 0.083, 0.035, 0.026, 0.036, 0.079, 0.125,
    0.138, 0.108, 0.074, 0.046, 0.023,
];
/// The same at the weekend: a late breakfast, no rush at noon, a longer evening.
const WEEKEND: [f64; 24] = [
    0.014, 0.006, 0.001, 0.0, 0.0, 0.0, 0.0, 0.002, 0.005, 0.014, 0.036, 0.05, 0.066, 0.079, 0.056, 0.046, 0.054, 0.081, 0.118,
    0.126, 0.102, 0.073, 0.045, 0.026,
];
/// From Monday to Sunday, with the mean 1.
const DAYS: [f64; 7] = [0.86, 0.85, 0.91, 0.97, 1.15, 1.19, 1.07];
/// How much the streets are used in each local hour of a working day, from 0 to 1.
const STREETS: [f64; 24] = [
    0.05, 0.02, 0.0, 0.0, 0.02, 0.1, 0.35, 0.75, 0.95, 0.65, 0.45, 0.45, 0.55, 0.5, 0.5, 0.6, 0.8, 1.0, 0.9, 0.65, 0.45, 0.35,
    0.25, 0.12,
];
/// On Saturdays and Sundays people drive less, and later.
const WEEKEND_STREETS: f64 = 0.6;
const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;
const FRIDAY: usize = 4;

/// What people do in a district.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Hungry at noon.
    Offices,
    /// Hungry in the evening.
    Homes,
    /// Both.
    Mixed,
}

/// An instant as local clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    /// 0 is Monday.
    pub(crate) weekday: usize,
    /// Milliseconds since midnight.
    pub(crate) of_day_ms: i64,
}

impl Local {
    pub(crate) fn of(at: Timestamp, offset: Span) -> Self {
        let local = at.plus(offset).0;
        let day = local.div_euclid(DAY_HOURS * HOUR_MS);
        // 1970-01-01 was a Thursday.
        Self { day, weekday: (day + 3).rem_euclid(7) as usize, of_day_ms: local.rem_euclid(DAY_HOURS * HOUR_MS) }
    }

    pub(crate) fn hour(self) -> usize {
        (self.of_day_ms / HOUR_MS) as usize
    }

    pub(crate) fn is_weekend(self) -> bool {
        self.weekday > FRIDAY
    }

    /// Until local clocks show this hour again. Never now.
    pub(crate) fn until_hour(self, hour: i64) -> Law {
        let day_ms = DAY_HOURS * HOUR_MS;
        let ahead_ms = (hour * HOUR_MS - self.of_day_ms).rem_euclid(day_ms);
        Law::Fixed { ms: if ahead_ms == 0 { day_ms } else { ahead_ms } }
    }

    /// A curve given by its hours' middles, at this very moment.
    fn read(self, curve: &[f64; 24]) -> f64 {
        let middle = self.of_day_ms - HOUR_MS / 2;
        let (from, share) = (middle.div_euclid(HOUR_MS), middle.rem_euclid(HOUR_MS) as f64 / HOUR_MS as f64);
        let hour = |hour: i64| curve[hour.rem_euclid(DAY_HOURS) as usize];
        hour(from) * (1.0 - share) + hour(from + 1) * share
    }
}

/// Orders an hour, as a share of those of a mean day.
pub(crate) fn appetite(local: Local) -> f64 {
    DAYS[local.weekday] * local.read(if local.is_weekend() { &WEEKEND } else { &WORKDAY })
}

/// The largest that it gets.
pub(crate) fn appetite_max() -> f64 {
    let highest = |curve: &[f64; 24]| curve.iter().copied().fold(0.0, f64::max);
    highest(&WORKDAY).max(highest(&WEEKEND)) * DAYS.iter().copied().fold(0.0, f64::max)
}

/// How full the streets are, from 0 to 1.
pub(crate) fn bustle(local: Local) -> f64 {
    local.read(&STREETS) * if local.is_weekend() { WEEKEND_STREETS } else { 1.0 }
}

/// How a district differs from the others at this time of day.
pub(crate) fn leaning(kind: Kind, local: Local) -> f64 {
    let is_working_time = !local.is_weekend() && (8..17).contains(&local.hour());
    match (kind, is_working_time) {
        (Kind::Offices, true) => 1.9,
        (Kind::Offices, false) => 0.4,
        (Kind::Homes, true) => 0.5,
        (Kind::Homes, false) => 1.3,
        (Kind::Mixed, _) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_those_of_the_calendar() {
        let at = |text| Local::of(Timestamp::parse(text).unwrap(), Span(HOUR_MS));
        assert_eq!((at("2026-03-01T22:59:59Z").weekday, at("2026-03-01T22:59:59Z").hour()), (6, 23));
        assert_eq!((at("2026-03-01T23:00:00Z").weekday, at("2026-03-01T23:00:00Z").of_day_ms), (0, 0));
    }

    #[test]
    fn shares_add_up() {
        for (name, shares, expected) in [("workday", &WORKDAY[..], 1.0), ("weekend", &WEEKEND, 1.0), ("week", &DAYS, 7.0)] {
            let total: f64 = shares.iter().sum();
            assert!((total - expected).abs() < 1e-9, "{name} adds up to {total}");
        }
        assert!(appetite_max() >= appetite(Local { day: 0, weekday: 5, of_day_ms: 19 * HOUR_MS + HOUR_MS / 2 }));
    }
}
