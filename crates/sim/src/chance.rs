//! Chance with a seed, and the laws by which durations are drawn.
//!
//! A duration that lies in the future keeps its law beside it, so that whoever may not know the outcome can draw it again, given
//! that it has not come yet. This file never uses a function whose last bit differs between machines.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// After so many draws a log-normal that has been outlasted is continued by a short wait: its tail is then as good as spent.
const TRIES: usize = 32;
/// How long such a wait is, as a share of what has passed.
const OVERDUE_SHARE: f64 = 0.1;

/// Parts of the world that draw from numbers of their own, so that more of one does not change another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Building = 1,
    Sky,
    Demand,
    Kitchen,
    Street,
    Noise,
    Faults,
    Fleet,
    Future,
}

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Chance(ChaCha8Rng);

/// How a duration is spread. Milliseconds throughout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    /// Everybody knows when.
    Fixed { ms: i64 },
    /// Skewed to the long side, as work of people is.
    LogNormal { median_ms: f64, spread: f64 },
    /// What has no memory.
    Exponential { mean_ms: f64 },
    /// Any time in between.
    Uniform { from_ms: f64, to_ms: f64 },
}

impl Chance {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream as u64);
        Self(generator)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in [0, 1).
    pub(crate) fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The high half of a product is even enough for ends that are far below 2^64.
        ((u128::from(self.number()) * end as u128) >> 64) as usize
    }

    /// A number in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.share() * (high - low)
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A number of the standard normal distribution (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        // 1 − share is never zero, so its logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.share())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.share())
    }

    /// A factor with the median 1, skewed to the large side.
    pub(crate) fn factor(&mut self, spread: f64) -> f64 {
        libm::exp(spread * self.normal())
    }

    /// A place in a list, each as likely as its weight says; None when nothing weighs anything.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let total: f64 = weights.iter().sum();
        let mut left = self.share() * total;
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return Some(place);
            }
        }
        // Rounding may leave a crumb behind the last one.
        weights.iter().rposition(|weight| *weight > 0.0)
    }
}

impl Law {
    pub(crate) fn seconds(seconds: i64) -> Self {
        Self::Fixed { ms: seconds * 1000 }
    }

    pub(crate) fn about(median_seconds: f64, spread: f64) -> Self {
        Self::LogNormal { median_ms: median_seconds * 1000.0, spread }
    }

    pub(crate) fn draw(self, chance: &mut Chance) -> i64 {
        match self {
            Self::Fixed { ms } => ms,
            Self::LogNormal { median_ms, spread } => (median_ms * chance.factor(spread)) as i64,
            Self::Exponential { mean_ms } => (-libm::log(1.0 - chance.share()) * mean_ms) as i64,
            Self::Uniform { from_ms, to_ms } => chance.between(from_ms, to_ms) as i64,
        }
    }

    /// The duration of something that has lasted for so long already.
    pub(crate) fn draw_beyond(self, elapsed_ms: i64, chance: &mut Chance) -> i64 {
        match self {
            Self::Fixed { ms } => ms,
            Self::Exponential { .. } => elapsed_ms + self.draw(chance),
            Self::Uniform { from_ms, to_ms } => chance.between(from_ms.max(elapsed_ms as f64), to_ms) as i64,
            Self::LogNormal { .. } => {
                let drawn = (0..TRIES).map(|_| self.draw(chance)).find(|ms| *ms >= elapsed_ms);
                let overdue = Self::Exponential { mean_ms: elapsed_ms as f64 * OVERDUE_SHARE };
                drawn.unwrap_or_else(|| elapsed_ms + overdue.draw(chance))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Law; 3] = [
        Law::LogNormal { median_ms: 60_000.0, spread: 0.5 },
        Law::Exponential { mean_ms: 60_000.0 },
        Law::Uniform { from_ms: 30_000.0, to_ms: 90_000.0 },
    ];

    fn check(law: Law, elapsed_ms: i64) -> f64 {
        let mut chance = Chance::new(7, Stream::Street);
        let drawn: Vec<i64> = (0..4000).map(|_| law.draw_beyond(elapsed_ms, &mut chance)).collect();
        assert!(drawn.iter().all(|ms| *ms >= elapsed_ms), "{law:?} ended before it had lasted {elapsed_ms} ms");
        drawn.iter().sum::<i64>() as f64 / drawn.len() as f64
    }

    #[test]
    fn what_has_lasted_lasts_on() {
        for law in LAWS {
            let (fresh, halfway) = (check(law, 0), check(law, 45_000));
            assert!(halfway > fresh, "{law:?}: {fresh} and {halfway}");
        }
        assert!((check(LAWS[1], 45_000) - check(LAWS[1], 0) - 45_000.0).abs() < 5000.0, "what has no memory starts anew");
        assert!(check(LAWS[0], 3_600_000) < 4_300_000.0, "a spent tail does not go on for ever");
    }

    #[test]
    fn weights_decide_how_often() {
        let mut chance = Chance::new(7, Stream::Demand);
        let mut counts = [0; 3];
        for _ in 0..9000 {
            counts[chance.weighted(&[1.0, 0.0, 2.0]).unwrap()] += 1;
        }
        assert!(counts[1] == 0 && (5700..6300).contains(&counts[2]), "{counts:?}");
        assert_eq!(chance.weighted(&[0.0]), None);
    }

    #[test]
    fn streams_of_a_seed_differ() {
        let first = |seed, stream| Chance::new(seed, stream).number();
        assert_eq!(first(1, Stream::Sky), first(1, Stream::Sky));
        assert_ne!(first(1, Stream::Sky), first(1, Stream::Street));
        assert_ne!(first(1, Stream::Sky), first(2, Stream::Sky));
    }
}
