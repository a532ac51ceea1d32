//! Chance with a seed: the same seed draws the same numbers on every machine.

/// A generator of the splitmix family: one addition and three multiplications a number.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in [0, 1).
    pub(crate) fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `end`, which is at least 1.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The high half of a product is even enough for ends that are far below 2^64.
        ((u128::from(self.number()) * u128::from(end)) >> 64) as u64
    }

    /// A number in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.share() * (high - low)
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A factor around 1, skewed to the large side as durations are: the sum of twelve draws is close to normal.
    pub(crate) fn factor(&mut self, spread: f64) -> f64 {
        let normal = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        libm::exp(spread * normal)
    }
}
