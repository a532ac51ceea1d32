//! The sky over the region and how its changes come over the districts one after the other. What weather does to people is
//! here as figures; who draws when it changes is the city.

use crate::chance::{Chance, Law};

/// One dry and one wet spell together, in milliseconds.
const CYCLE_MS: f64 = 12.0 * 3_600_000.0;
/// A front needs up to so long until the last district has it, in milliseconds.
const FRONT_MS: f64 = 25.0 * 60_000.0;

/// What the pipeline's category calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Clear,
    Clouds,
    Rain,
    Snow,
    Storm,
}

impl Weather {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Clouds => "clouds",
            Self::Rain => "rain",
            Self::Snow => "snow",
            Self::Storm => "storm",
        }
    }

    pub(crate) fn is_wet(self) -> bool {
        !matches!(self, Self::Clear | Self::Clouds)
    }

    /// A factor on the time that a way takes.
    pub(crate) fn slowness(self) -> f64 {
        match self {
            Self::Clear | Self::Clouds => 1.0,
            Self::Rain => 1.25,
            Self::Snow => 1.5,
            Self::Storm => 1.6,
        }
    }

    /// A factor on how many people do not want to go out themselves.
    pub(crate) fn appetite(self) -> f64 {
        match self {
            Self::Clear => 0.97,
            Self::Clouds => 1.03,
            Self::Rain => 1.35,
            Self::Snow => APPETITE_MAX,
            Self::Storm => 1.3,
        }
    }

    /// What may follow a spell.
    pub(crate) fn next(self, wet_share: f64, chance: &mut Chance) -> Self {
        let is_wet = if self.is_wet() { wet_share >= 1.0 } else { wet_share > 0.0 };
        Self::draw(is_wet, chance)
    }

    /// What may be found on any day.
    pub(crate) fn any(wet_share: f64, chance: &mut Chance) -> Self {
        let is_wet = chance.happens(wet_share);
        Self::draw(is_wet, chance)
    }

    /// How long it stays so.
    pub(crate) fn spell(self, wet_share: f64) -> Law {
        Law::Exponential { mean_ms: CYCLE_MS * if self.is_wet() { wet_share } else { 1.0 - wet_share } }
    }

    /// When a change reaches a district.
    pub(crate) fn front() -> Law {
        Law::Uniform { from_ms: 0.0, to_ms: FRONT_MS }
    }

    fn draw(is_wet: bool, chance: &mut Chance) -> Self {
        match (is_wet, chance.share()) {
            (false, share) if share < 0.5 => Self::Clear,
            (false, _) => Self::Clouds,
            (true, share) if share < 0.84 => Self::Rain,
            (true, share) if share < 0.94 => Self::Storm,
            (true, _) => Self::Snow,
        }
    }
}

/// The largest of `Weather::appetite`.
pub(crate) const APPETITE_MAX: f64 = 1.4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    #[test]
    fn it_is_wet_as_often_as_declared() {
        for declared in [0.15, 0.75] {
            let mut chance = Chance::new(3, Stream::Sky);
            let (mut weather, mut wet_ms, mut all_ms) = (Weather::any(declared, &mut chance), 0, 0);
            for _ in 0..20_000 {
                let spell_ms = weather.spell(declared).draw(&mut chance);
                all_ms += spell_ms;
                wet_ms += if weather.is_wet() { spell_ms } else { 0 };
                weather = weather.next(declared, &mut chance);
            }
            let found = wet_ms as f64 / all_ms as f64;
            assert!((found - declared).abs() < 0.02, "wet {found} of the time instead of {declared}");
        }
    }
}
