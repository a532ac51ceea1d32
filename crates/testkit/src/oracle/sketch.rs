//! The three sketches, as the page describes them, over plain lists of values.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::event::Content;

/// Different hashes up to which a count is exact.
const EXACT_MAX: usize = 256;
/// 2^11.
const REGISTERS: usize = 2048;
/// Different values that a `top` keeps.
const KEPT_MAX: usize = 1024;

/// The r-th smallest of the units; r = ceil(q · n), at least 1. None when there are none.
pub(crate) fn exact_quantile(units: &[i64], q: f64) -> Option<i64> {
    let mut sorted = units.to_vec();
    sorted.sort_unstable();
    let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
    sorted.get(rank - 1).copied()
}

/// The midpoint of the bin that holds the exact quantile. Bins keep the order of values, so the r-th smallest value lies
/// in the bin in which counting through the bins would end.
pub(crate) fn binned_quantile(units: &[i64], q: f64) -> Option<f64> {
    exact_quantile(units, q).map(midpoint)
}

/// (low + high) ÷ 2 of the bin of a number of units.
fn midpoint(units: i64) -> f64 {
    let magnitude = units.abs();
    if magnitude < 128 {
        return units as f64;
    }
    // With the leading one, seven bits are looked at; the others make the width of the bin.
    let width = 1i64 << (magnitude.ilog2() - 6);
    let low = magnitude / width * width;
    let high = low + width - 1;
    let middle = (low + high) as f64 / 2.0;
    if units < 0 { -middle } else { middle }
}

/// The XXH3-64 hash of a text's bytes, or of units as eight bytes.
pub(crate) fn hash(content: &Content) -> u64 {
    match content {
        Content::Text(text) => xxh3_64(text.as_bytes()),
        Content::Units(units) => xxh3_64(&units.to_le_bytes()),
    }
}

/// The number of different hashes, estimated when there are many.
pub(crate) fn distinct(contents: &[Content]) -> i64 {
    let hashes = contents.iter().map(hash).collect::<BTreeSet<u64>>();
    if hashes.len() <= EXACT_MAX {
        return hashes.len() as i64;
    }
    let mut registers = [0u32; REGISTERS];
    for hash in hashes {
        let index = (hash >> 53) as usize;
        let rank = ((hash << 11).leading_zeros() + 1).min(54);
        registers[index] = registers[index].max(rank);
    }
    let m = REGISTERS as f64;
    let mut sum = 0.0;
    for register in registers {
        sum += 1.0 / (1u64 << register) as f64;
    }
    let alpha = 0.7213 / (1.0 + 1.079 / m);
    let raw = alpha * m * m / sum;
    let zeros = registers.iter().filter(|register| **register == 0).count();
    let estimate = if raw < 2.5 * m && zeros > 0 { m * libm::log(m / zeros as f64) } else { raw };
    estimate.round() as i64
}

/// The values that `top` keeps with their counts, most frequent first, and the number of events of others.
pub(crate) fn top(units: &[i64]) -> (Vec<(i64, i64)>, i64) {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for units in units {
        *counts.entry(*units).or_default() += 1;
    }
    let mut by_hash = counts.into_iter().collect::<Vec<_>>();
    by_hash.sort_by_key(|(value, _)| hash(&Content::Units(*value)));
    let others = by_hash.split_off(by_hash.len().min(KEPT_MAX));
    let mut kept = by_hash;
    kept.sort_by_key(|(value, count)| (-count, *value));
    (kept, others.iter().map(|(_, count)| count).sum())
}
