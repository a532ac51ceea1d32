//! How much slower than empty streets each district is. Every district leans towards what the hour and its weather ask for,
//! takes over some of its neighbours' trouble, and now and then an accident blocks it. Knows nothing of riders.

use crate::{chance::Chance, place::Plan};

/// Streets are looked at so often, in seconds: a jam builds up and dissolves over some of these steps.
pub(crate) const STEP_SECONDS: i64 = 300;
/// What full streets add, in the middle of the city.
const RUSH: f64 = 0.55;
/// The share of the way to what is normal that a district goes in a step.
const RETURN_SHARE: f64 = 0.2;
/// The share of the difference to its neighbours that a district takes over in a step.
const SPILL_SHARE: f64 = 0.15;
/// The deviation of what nobody can explain, a step.
const UNREST: f64 = 0.05;
/// Accidents in a district and step when the streets are full: one in twelve hours or so.
const ACCIDENTS: f64 = 0.007;
const ACCIDENT: [f64; 2] = [0.6, 1.8];
const LEVELS: [f64; 2] = [0.85, 4.0];

/// One level for each district; 1 is an empty street.
#[derive(Clone, Debug)]
pub(crate) struct Streets {
    levels: Vec<f64>,
}

impl Streets {
    pub(crate) fn new(districts: usize) -> Self {
        Self { levels: vec![1.0; districts] }
    }

    /// A factor on the time that a way takes.
    pub(crate) fn slowness(&self, district: usize) -> f64 {
        self.levels[district]
    }

    /// One step. `bustle` is how full the streets are at this hour; `weather` has a factor for each district.
    pub(crate) fn step(&mut self, plan: &Plan, bustle: f64, weather: impl Fn(usize) -> f64, chance: &mut Chance) {
        let before = self.levels.clone();
        for (district, level) in self.levels.iter_mut().enumerate() {
            let normal = 1.0 + RUSH * bustle * (1.2 - plan.remoteness(district)) * weather(district);
            let (sum, count) =
                plan.neighbours(district).fold((0.0, 0.0), |(sum, count), other| (sum + before[other], count + 1.0));
            let around = if count > 0.0 { sum / count } else { *level };
            *level += RETURN_SHARE * (normal - *level) + SPILL_SHARE * (around - *level) + UNREST * chance.normal();
            if chance.happens(ACCIDENTS * (0.2 + 0.8 * bustle) * weather(district)) {
                *level += chance.between(ACCIDENT[0], ACCIDENT[1]);
            }
            *level = level.clamp(LEVELS[0], LEVELS[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    /// The mean level after a day of such steps.
    fn check(bustle: f64, weather: f64) -> f64 {
        let (plan, mut chance) = (Plan::new(52.0, 13.0, 9), Chance::new(5, Stream::Street));
        let mut streets = Streets::new(9);
        let mut sum = 0.0;
        for _ in 0..288 {
            streets.step(&plan, bustle, |_| weather, &mut chance);
            sum += (0..9).map(|district| streets.slowness(district)).sum::<f64>() / 9.0;
        }
        sum / 288.0
    }

    #[test]
    fn streets_are_slower_in_the_rush_and_in_the_rain() {
        let (night, rush, rain) = (check(0.0, 1.0), check(1.0, 1.0), check(1.0, 1.25));
        assert!(night < 1.15 && rush > night + 0.3 && rain > rush + 0.05, "{night} {rush} {rain}");
    }

    #[test]
    fn a_jam_spills_over() {
        let plan = Plan::new(52.0, 13.0, 9);
        let after = |jam: f64| {
            let mut streets = Streets::new(9);
            streets.levels[4] = jam;
            streets.step(&plan, 0.0, |_| 1.0, &mut Chance::new(5, Stream::Street));
            streets.slowness(1)
        };
        assert!(after(3.0) > after(1.0) + 0.05);
    }
}
