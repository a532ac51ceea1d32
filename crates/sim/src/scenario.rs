//! What may be out of the ordinary in the city, and the figures that each scenario changes. A scenario changes figures only:
//! the rules are the same in all of them, so that what is learned in one means something in another.

use std::{fmt, str::FromStr};

use crate::Error;

/// How the days of a city are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Ordinary days: some rain, enough riders except in the peaks.
    #[default]
    Calm,
    /// It rains most of the time: slower riders, more orders.
    Rain,
    /// A third of the riders does not come, and those who do refuse more.
    RiderShortage,
    /// Dishes take half as long again.
    SlowKitchens,
    /// Ordinary days, until a district opens that nobody has a history of.
    NewArea,
}

/// The figures of a scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// The share of time in which the sky is not dry.
    pub(crate) wet_share: f64,
    /// The probability that a rider comes on a day.
    pub(crate) attendance: f64,
    /// The probability that a rider refuses an order.
    pub(crate) refusals: f64,
    /// A factor on the time of each dish.
    pub(crate) dish_factor: f64,
    /// Whether a district opens while the city runs.
    pub(crate) opens_area: bool,
}

const ORDINARY: Figures = Figures { wet_share: 0.15, attendance: 0.92, refusals: 0.05, dish_factor: 1.0, opens_area: false };

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Calm, Self::Rain, Self::RiderShortage, Self::SlowKitchens, Self::NewArea];

    /// The name by which a command line knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Rain => "rain",
            Self::RiderShortage => "rider-shortage",
            Self::SlowKitchens => "slow-kitchens",
            Self::NewArea => "new-area",
        }
    }

    pub(crate) fn figures(self) -> Figures {
        match self {
            Self::Calm => ORDINARY,
            Self::Rain => Figures { wet_share: 0.75, ..ORDINARY },
            Self::RiderShortage => Figures { attendance: 0.64, refusals: 0.12, ..ORDINARY },
            Self::SlowKitchens => Figures { dish_factor: 1.5, ..ORDINARY },
            Self::NewArea => Figures { opens_area: true, ..ORDINARY },
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scenario {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|scenario| scenario.name() == name).ok_or(Error::Scenario { name: name.to_owned(), known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_known_by_its_name() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let error = "fog".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains("`fog`") && error.contains("rider-shortage"), "{error}");
    }
}
