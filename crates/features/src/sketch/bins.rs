//! Counts in logarithmic bins with 64 bins for each power of two: quantiles within 1 %.

use crate::{
    codec::{Broken, Reader, Writer},
    decode::UNITS_MAX,
};

/// Below this magnitude every integer is its own bin.
const EXACT: u64 = 128;

/// Bins that hold something, ascending, with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bins(Vec<(i32, u32)>);

impl Bins {
    pub(crate) fn add(&mut self, units: i64) {
        let bin = bin_of(units);
        match self.0.binary_search_by_key(&bin, |(bin, _)| *bin) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(1),
            Err(at) => self.0.insert(at, (bin, 1)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (bin, count) in &other.0 {
            match self.0.binary_search_by_key(bin, |(bin, _)| *bin) {
                Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(*count),
                Err(at) => self.0.insert(at, (*bin, *count)),
            }
        }
    }

    /// The quantile in units, none when empty.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let total: u64 = self.0.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = ((q * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = |(_, count): &&(i32, u32)| {
            seen += u64::from(*count);
            seen >= rank
        };
        self.0.iter().find(reached).map(|(bin, _)| middle(*bin))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(i32, u32)>()
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.count(self.0.len());
        for (bin, count) in &self.0 {
            out.word(u64::from(bin.cast_unsigned()) << 32 | u64::from(*count));
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let count = reader.count(8)?;
        let words = reader.words(count)?;
        let bins: Vec<(i32, u32)> = words.iter().map(|word| (((word >> 32) as u32).cast_signed(), *word as u32)).collect();
        let ascending = bins.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = bins.iter().all(|(bin, _)| (-bin_of(UNITS_MAX)..=bin_of(UNITS_MAX)).contains(bin));
        if ascending && known { Ok(Self(bins)) } else { Err(Broken("bins out of order")) }
    }
}

fn bin_of(units: i64) -> i32 {
    let size = units.unsigned_abs();
    let bin = if size < EXACT {
        size as i32
    } else {
        let exponent = size.ilog2();
        let following = (size >> (exponent - 6)) & 63;
        (EXACT + u64::from(exponent - 7) * 64 + following) as i32
    };
    if units < 0 { -bin } else { bin }
}

/// The midpoint of a bin's smallest and largest unit.
fn middle(bin: i32) -> f64 {
    let place = u64::from(bin.unsigned_abs());
    let middle = if place < EXACT {
        place as f64
    } else {
        let (exponent, following) = ((place - EXACT) / 64 + 7, (place - EXACT) % 64);
        let low = (64 + following) << (exponent - 6);
        let high = low + (1 << (exponent - 6)) - 1;
        (low + high) as f64 / 2.0
    };
    if bin < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_one_percent_of_its_bins_middle() {
        let sizes = (0..2000).chain((0..49).flat_map(|power| (-3..=3).map(move |step| (1i64 << power) + step)));
        for units in sizes.flat_map(|size| [size, -size]) {
            let error = (middle(bin_of(units)) - units as f64).abs();
            assert!(error <= units.unsigned_abs() as f64 * 0.01, "{units} is shown as {}", middle(bin_of(units)));
        }
    }

    #[test]
    fn bins_ascend_with_their_values() {
        let values: Vec<i64> = (-40..40).map(|power: i64| power.signum() * (1 << power.abs())).collect();
        assert!(values.windows(2).all(|pair| bin_of(pair[0]) <= bin_of(pair[1])));
    }

    #[test]
    fn the_quantile_is_the_value_of_its_rank() {
        let mut bins = Bins::default();
        assert_eq!(bins.quantile(0.5), None);
        for units in [5, 1, 3, 2, 4] {
            bins.add(units);
        }
        let found = [0.01, 0.2, 0.21, 0.5, 0.9, 0.99].map(|q| bins.quantile(q).unwrap_or(f64::NAN));
        assert_eq!(found, [1.0, 1.0, 2.0, 3.0, 5.0, 5.0]);
    }
}
