//! The things that exist: what they are called, where they are, how fast they are, when they are free.

use std::collections::BTreeMap;

use super::script::{Middle, Pool};
use crate::dice::Dice;

/// Length of a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_195.0;

/// A position in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) lat: f64,
    pub(super) lon: f64,
}

/// One thing.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) name: String,
    pub(super) position: Position,
    /// What its durations are multiplied with.
    pub(super) pace: f64,
    /// Milliseconds; free from then on.
    pub(super) free_at: i64,
}

/// All things, by pool.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) pools: BTreeMap<String, Vec<Thing>>,
}

impl Position {
    /// Somewhere within so many metres.
    pub(super) fn near(self, within: f64, dice: &mut Dice) -> Self {
        let mut offset = || (dice.share() + dice.share() - 1.0) * within / METRES_PER_DEGREE;
        let (north, east) = (offset(), offset());
        Self { lat: self.lat + north, lon: self.lon + east / narrowing(self.lat) }
    }

    /// Metres to another position, as the crow flies over a few kilometres.
    pub(super) fn metres_to(self, other: Self) -> f64 {
        let north = (other.lat - self.lat) * METRES_PER_DEGREE;
        let east = (other.lon - self.lon) * METRES_PER_DEGREE * narrowing(self.lat);
        libm::hypot(north, east)
    }

    /// A part of the way to another position.
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        Self { lat: self.lat + (other.lat - self.lat) * share, lon: self.lon + (other.lon - self.lon) * share }
    }
}

impl Stage {
    pub(super) fn new(middle: Middle, pools: &BTreeMap<String, Pool>, dice: &mut Dice) -> Self {
        let middle_position = Position { lat: middle.lat, lon: middle.lon };
        let mut thing = |pool: &Pool, number: usize| Thing {
            name: pool.name.replace("{}", &(pool.first + number).to_string()),
            position: middle_position.near(middle.within, dice),
            pace: dice.factor(pool.pace),
            free_at: i64::MIN,
        };
        let mut things = |pool: &Pool| (0..pool.size.max(1)).map(|number| thing(pool, number)).collect();
        Self { pools: pools.iter().map(|(name, pool)| (name.clone(), things(pool))).collect() }
    }

    /// The place of a thing that can do something now: a free one, or else the one that is free first.
    pub(super) fn pick(&self, pool: &str, now: i64, dice: &mut Dice) -> usize {
        let things = &self.pools[pool];
        let start = dice.below(things.len() as u64) as usize;
        let from_start = (start..things.len()).chain(0..start);
        from_start.min_by_key(|place| things[*place].free_at.max(now)).unwrap_or(start)
    }
}

/// How much shorter a degree of longitude is.
fn narrowing(lat: f64) -> f64 {
    libm::cos(lat.to_radians()).max(0.01)
}
