//! Number of different values: their hashes up to a cap, then HyperLogLog registers. Which of the two it is depends only on
//! the set of values, so merging is free of order.

use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{Broken, Reader, Writer};

const CAP: usize = 256;
const INDEX_BITS: u32 = 11;
const REGISTERS: usize = 1 << INDEX_BITS;
const RANK_MAX: u8 = 54;

/// A set of hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distinct {
    /// All of them, ascending.
    Exact(Vec<u64>),
    /// The largest rank for each register.
    Sketched(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

/// The hash that stands for a text.
pub(crate) fn text_hash(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}

/// The hash that stands for a number.
pub(crate) fn units_hash(units: i64) -> i64 {
    xxh3_64(&units.to_le_bytes()).cast_signed()
}

impl Distinct {
    /// Adds a value by its hash.
    pub(crate) fn add(&mut self, hash: i64) {
        let hash = hash.cast_unsigned();
        match self {
            Self::Exact(hashes) => {
                if let Err(at) = hashes.binary_search(&hash) {
                    hashes.insert(at, hash);
                    self.settle();
                }
            }
            Self::Sketched(registers) => note(registers, hash),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Exact(hashes), Self::Exact(others)) => {
                hashes.extend_from_slice(others);
                hashes.sort_unstable();
                hashes.dedup();
                self.settle();
            }
            (Self::Exact(hashes), Self::Sketched(others)) => {
                let mut registers = others.clone();
                hashes.iter().for_each(|hash| note(&mut registers, *hash));
                *self = Self::Sketched(registers);
            }
            (Self::Sketched(registers), Self::Exact(others)) => others.iter().for_each(|hash| note(registers, *hash)),
            (Self::Sketched(registers), Self::Sketched(others)) => {
                registers.iter_mut().zip(others).for_each(|(register, other)| *register = (*register).max(*other));
            }
        }
    }

    fn settle(&mut self) {
        if let Self::Exact(hashes) = self
            && hashes.len() > CAP
        {
            let mut registers = vec![0; REGISTERS].into_boxed_slice();
            hashes.iter().for_each(|hash| note(&mut registers, *hash));
            *self = Self::Sketched(registers);
        }
    }

    /// The number, exact or estimated.
    pub(crate) fn estimate(&self) -> i64 {
        match self {
            Self::Exact(hashes) => i64::try_from(hashes.len()).unwrap_or(i64::MAX),
            Self::Sketched(registers) => estimate(registers),
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Exact(hashes) => hashes.capacity() * 8,
            Self::Sketched(registers) => registers.len(),
        }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Exact(hashes) => {
                out.count(hashes.len());
                out.words(hashes);
            }
            Self::Sketched(registers) => {
                out.count(CAP + 1);
                out.0.extend_from_slice(registers);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let count = reader.count(1)?;
        if count > CAP {
            let registers = (0..REGISTERS).map(|_| reader.byte()).collect::<Result<Box<[u8]>, Broken>>()?;
            let known = registers.iter().all(|rank| *rank <= RANK_MAX);
            return if known { Ok(Self::Sketched(registers)) } else { Err(Broken("a register is too large")) };
        }
        let hashes = reader.words(count)?;
        let ascending = hashes.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending { Ok(Self::Exact(hashes)) } else { Err(Broken("hashes out of order")) }
    }
}

fn note(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - INDEX_BITS)) as usize;
    let rank = ((hash << INDEX_BITS).leading_zeros() + 1).min(u32::from(RANK_MAX)) as u8;
    registers[index] = registers[index].max(rank);
}

fn estimate(registers: &[u8]) -> i64 {
    let count = registers.len() as f64;
    let sum: f64 = registers.iter().map(|rank| libm::exp2(-f64::from(*rank))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
    let zeros = registers.iter().filter(|rank| **rank == 0).count();
    let estimate = if raw <= 2.5 * count && zeros > 0 { count * libm::log(count / zeros as f64) } else { raw };
    libm::round(estimate) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: std::ops::Range<i64>) -> Distinct {
        let mut distinct = Distinct::default();
        range.for_each(|value| distinct.add(units_hash(value)));
        distinct
    }

    #[test]
    fn exact_to_the_cap_and_within_seven_percent_beyond() {
        assert_eq!(of(0..256).estimate(), 256);
        for size in [257, 1000, 10_000, 300_000] {
            let error = (of(0..size).estimate() - size).abs() as f64 / size as f64;
            assert!(error < 0.07, "{size} is off by {error}");
        }
    }

    #[test]
    fn merging_depends_on_the_union_only() {
        for (left, right) in [(0..100, 50..200), (0..200, 100..400), (0..1000, 900..2000), (0..1000, 0..10)] {
            let whole = of(left.start..left.end.max(right.end));
            let (mut one, mut other) = (of(left.clone()), of(right.clone()));
            one.merge(&of(right));
            other.merge(&of(left));
            assert_eq!((&one, &other), (&whole, &whole));
        }
    }
}
