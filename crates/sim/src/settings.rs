//! What a caller decides about a city before it begins. Checked as a whole: all faults are told at once. Settings say how large
//! and where; what happens is decided by the scenario and the seed.

use domain::{EARLIEST, LATEST, Span, Timestamp};

use crate::{Error, Scenario, error::Faults};

/// A city's size and place. `Settings::default()` is one that a laptop simulates in seconds a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How the days are.
    pub scenario: Scenario,
    /// How many stores there are at the beginning.
    pub stores: u32,
    /// How many riders have a contract; not all of them ride on every day.
    pub riders: u32,
    /// Orders on a mean dry day, all of the week taken together.
    pub orders_per_day: u32,
    /// Districts of 1,250 m by 1,250 m.
    pub areas: u32,
    /// Begins all ids, so that those of several runs in one log differ.
    pub label: String,
    /// The first instant.
    pub start: Timestamp,
    /// What local clocks are ahead of UTC.
    pub utc_offset: Span,
    /// The middle of the city, in degrees.
    pub latitude: f64,
    /// The middle of the city, in degrees.
    pub longitude: f64,
    /// Between two positions of a rider on shift.
    pub ping_every: Span,
    /// When the scenario `new-area` opens its district, counted from the start.
    pub new_area_after: Span,
}

/// Choosing a store looks at all of them for each order, and so does a dispatcher at the riders: this keeps a day in minutes.
const ACTORS_MAX: u32 = 20_000;
/// Ten orders a second on average: beyond, other tools make load.
const ORDERS_PER_DAY_MAX: u32 = 1_000_000;
/// A square of 25 km.
const AREAS_MAX: u32 = 400;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A Monday at midnight, local time.
const START: Timestamp = Timestamp(1_772_406_000_000);

impl Default for Settings {
    fn default() -> Self {
        Self {
            scenario: Scenario::Calm,
            stores: 300,
            riders: 200,
            orders_per_day: 5000,
            areas: 16,
            label: String::new(),
            start: START,
            utc_offset: Span(HOUR_MS),
            latitude: 52.52,
            longitude: 13.405,
            ping_every: Span(12_000),
            new_area_after: Span(12 * HOUR_MS),
        }
    }
}

impl Settings {
    /// All faults at once, or nothing.
    pub fn check(&self) -> Result<(), Error> {
        let mut faults = Faults::default();
        faults.within("stores", self.stores, 1, ACTORS_MAX);
        faults.within("riders", self.riders, 1, ACTORS_MAX);
        faults.within("orders_per_day", self.orders_per_day, 1, ORDERS_PER_DAY_MAX);
        faults.within("areas", self.areas, 1, AREAS_MAX);
        faults.within("start", self.start.0, EARLIEST.0, LATEST.0 - 1);
        faults.within("utc_offset", self.utc_offset.0, -14 * HOUR_MS, 14 * HOUR_MS);
        // Nearer to a pole a district would have no width in degrees.
        faults.within("latitude", self.latitude, -80.0, 80.0);
        faults.within("longitude", self.longitude, -179.0, 179.0);
        faults.within("ping_every", self.ping_every.0, 1000, 10 * MINUTE_MS);
        faults.within("new_area_after", self.new_area_after.0, 1, 366 * 24 * HOUR_MS);
        faults.unless(self.stores >= self.areas, "there are fewer `stores` than `areas`, and each area has at least one");
        faults.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Settings), expected: &[&str]) {
        let mut settings = Settings::default();
        change(&mut settings);
        let faults = match settings.check() {
            Err(Error::Settings { faults }) => faults,
            _ => Vec::new(),
        };
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, name) in faults.iter().zip(expected) {
            assert!(fault.contains(name), "{fault:?} does not name {name}");
        }
    }

    #[test]
    fn defaults_are_sound() {
        check(|_| (), &[]);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        check(
            |settings| {
                settings.riders = 0;
                settings.latitude = f64::NAN;
                settings.ping_every = Span(10);
                settings.areas = 400;
            },
            &["riders", "latitude", "ping_every", "stores"],
        );
    }
}
