//! What a caller decides about a fleet before it begins. Checked as a whole: all faults are told at once.

use std::{fmt, str::FromStr};

use domain::{EARLIEST, LATEST, Span, Timestamp};

use crate::{Error, Settings, error::Faults};

/// A fleet of a hundred large cities.
const DEVICES_MAX: u32 = 1_000_000;
/// A square of 25 km.
const AREAS_MAX: u32 = 400;
const HOUR_MS: i64 = 3_600_000;

/// How the days of a fleet are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FleetScenario {
    /// Ordinary days.
    #[default]
    Quiet,
    /// Once, all devices report within one minute.
    RollCall,
}

/// A fleet's size and place.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSettings {
    /// How the days are.
    pub scenario: FleetScenario,
    /// How many scooters there are.
    pub devices: u32,
    /// Rides of each on a mean day.
    pub rides_per_day: f64,
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
    /// Between two positions of a scooter that is ridden.
    pub report_every: Span,
    /// When the scenario `roll-call` calls, counted from the start.
    pub roll_call_after: Span,
}

impl FleetScenario {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Quiet, Self::RollCall];

    /// The name by which a command line knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::RollCall => "roll-call",
        }
    }
}

impl fmt::Display for FleetScenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for FleetScenario {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|scenario| scenario.name() == name).ok_or(Error::Scenario { name: name.to_owned(), known })
    }
}

impl Default for FleetSettings {
    fn default() -> Self {
        let Settings { start, utc_offset, latitude, longitude, .. } = Settings::default();
        Self {
            scenario: FleetScenario::Quiet,
            devices: 10_000,
            rides_per_day: 1.5,
            areas: 49,
            label: String::new(),
            start,
            utc_offset,
            latitude,
            longitude,
            report_every: Span(30_000),
            // When the check-ins of the morning come anyway.
            roll_call_after: Span(8 * HOUR_MS),
        }
    }
}

impl FleetSettings {
    /// All faults at once, or nothing.
    pub fn check(&self) -> Result<(), Error> {
        let mut faults = Faults::default();
        faults.within("devices", self.devices, 1, DEVICES_MAX);
        // A scooter that is ridden all day long is not there to be rented.
        faults.within("rides_per_day", self.rides_per_day, 0.01, 50.0);
        faults.within("areas", self.areas, 1, AREAS_MAX);
        faults.within("start", self.start, EARLIEST, Timestamp(LATEST.0 - 1));
        faults.within("utc_offset", self.utc_offset, Span(-14 * HOUR_MS), Span(14 * HOUR_MS));
        faults.within("latitude", self.latitude, -80.0, 80.0);
        faults.within("longitude", self.longitude, -179.0, 179.0);
        faults.within("report_every", self.report_every, Span(1000), Span(HOUR_MS));
        faults.within("roll_call_after", self.roll_call_after, Span(1), Span(366 * 24 * HOUR_MS));
        faults.finish()
    }
}
