//! From the merged partials of a window to the value of a column. The only place where integers become doubles.

use domain::Span;
use pipeline::InputKind;

use super::Op;
use crate::{
    partial::{Kind, edge_value, signed, total, total_float},
    sketch::Sketch,
};

/// How a column is computed from the partials it needs.
#[derive(Debug)]
pub(crate) enum Finish {
    Count { count: Op<Kind> },
    Rate { count: Op<Kind>, per: Span },
    Sum { sum: Op<Kind>, scale: f64 },
    Mean { sum: Op<Kind>, count: Op<Kind>, scale: f64 },
    Std { sum: Op<Kind>, squares: Op<Kind>, count: Op<Kind>, scale: f64 },
    Ewma { sum: Op<Kind>, count: Op<Kind>, scale: f64, half_life: Span },
    Extreme { extreme: Op<Kind>, kind: InputKind },
    Edge { edge: Op<Kind>, kind: InputKind },
    Quantile { sketch: usize, q: f64, scale: f64 },
    Distinct { sketch: usize },
    Top { sketch: usize, k: usize, part: usize, kind: InputKind },
    Travel { sketch: usize },
}

/// The merged partials of one window.
pub(crate) struct Merged<'a> {
    pub(crate) words: &'a [u64],
    pub(crate) sketches: &'a [Sketch],
    /// Width of the window, in milliseconds.
    pub(crate) width_ms: i64,
    /// The rows of the window's tiles, oldest first: tile number and words.
    pub(crate) rows: &'a [u64],
    /// The tile of the instant, and the length of a tile in milliseconds.
    pub(crate) now_tile: i64,
    pub(crate) hop_ms: i64,
}

impl Finish {
    /// The value's eight bytes, none being null.
    pub(crate) fn value(&self, merged: &Merged<'_>) -> Option<u64> {
        let of = |op: &Op<Kind>| &merged.words[op.at..op.at + op.kind.words()];
        let float = |value: f64| Some(value.to_bits());
        match self {
            Self::Count { count } => Some(of(count)[0]),
            Self::Rate { count, per } => float(of(count)[0] as f64 / (merged.width_ms as f64 / per.0 as f64)),
            Self::Sum { sum, scale } => float(total_float(of(sum)) / scale),
            Self::Mean { sum, count, scale } => {
                let n = of(count)[0];
                (n > 0).then(|| (total_float(of(sum)) / n as f64 / scale).to_bits())
            }
            Self::Std { sum, squares, count, scale } => {
                let n = of(count)[0];
                (n > 0).then(|| (deviation(n, total(of(sum)), total(of(squares))) / scale).to_bits())
            }
            Self::Ewma { sum, count, scale, half_life } => {
                weighted(merged, sum, count, *half_life).map(|mean| (mean / scale).to_bits())
            }
            Self::Extreme { extreme, kind } => {
                let word = of(extreme)[0];
                (word != extreme.kind.empty()[0]).then(|| Self::carried(kind, signed(word)))
            }
            Self::Edge { edge, kind } => edge_value(of(edge)).map(|units| Self::carried(kind, units)),
            Self::Quantile { sketch, q, scale } => match &merged.sketches[*sketch] {
                Sketch::Bins(bins) => bins.quantile(*q).map(|units| (units / scale).to_bits()),
                other => panic!("a quantile is kept in bins and not in {other:?}"),
            },
            Self::Distinct { sketch } => match &merged.sketches[*sketch] {
                Sketch::Distinct(distinct) => Some(distinct.estimate().cast_unsigned()),
                other => panic!("a distinct count is kept in a set and not in {other:?}"),
            },
            Self::Top { sketch, k, part, kind } => match &merged.sketches[*sketch] {
                Sketch::Top(top) if *part == 2 * k => Some(top.overflow()),
                Sketch::Top(top) => match (top.most_frequent(*k).get(part / 2), part % 2) {
                    (Some((value, _)), 0) => Some(Self::carried(kind, *value)),
                    (Some((_, count)), _) => Some(*count),
                    (None, 0) => None,
                    (None, _) => Some(0),
                },
                other => panic!("the most frequent are kept as counts and not in {other:?}"),
            },
            Self::Travel { sketch } => match &merged.sketches[*sketch] {
                Sketch::Path(path) => float(path.length_mm() as f64 / 1000.0),
                other => panic!("a way is kept as a path and not in {other:?}"),
            },
        }
    }
}

/// √(n·Σu² − (Σu)²) ÷ n with an exact radicand. It fits 128 bits for all but enormous windows of enormous values, where its
/// 256 bits are rounded to a double once.
fn deviation(n: u64, sum: i128, squares: i128) -> f64 {
    let narrow = squares.checked_mul(i128::from(n)).zip(sum.checked_mul(sum)).and_then(|(left, right)| left.checked_sub(right));
    let radicand =
        narrow.map(|radicand| radicand as f64).unwrap_or_else(|| wide_difference(n, sum.unsigned_abs(), squares.unsigned_abs()));
    libm::sqrt(radicand / n as f64 / n as f64)
}

/// n·squares − sum·sum, rounded to the nearest double.
fn wide_difference(n: u64, sum: u128, squares: u128) -> f64 {
    let (left_high, left_low) = wide_product(squares, u128::from(n));
    let (right_high, right_low) = wide_product(sum, sum);
    let (low, borrow) = left_low.overflowing_sub(right_low);
    // Sums that no values have may make it negative, which is none of the values' deviation either.
    let high = left_high.saturating_sub(right_high).saturating_sub(u128::from(borrow));
    if high == 0 {
        return low as f64;
    }
    // 128 leading bits, the last one standing for everything that was cut off, round like the whole number.
    let shift = 128 - high.leading_zeros();
    let (lead, cut) = if shift == 128 { (high, low) } else { (high << (128 - shift) | low >> shift, low << (128 - shift)) };
    (lead | u128::from(cut != 0)) as f64 * libm::exp2(f64::from(shift))
}

/// The high and the low half of a product.
fn wide_product(one: u128, other: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a, b, c, d) = (one >> 64, one & LOW, other >> 64, other & LOW);
    let middle = ((b * d) >> 64) + ((a * d) & LOW) + ((b * c) & LOW);
    let high = a * c + ((a * d) >> 64) + ((b * c) >> 64) + (middle >> 64);
    (high, (middle << 64) | ((b * d) & LOW))
}

fn weighted(merged: &Merged<'_>, sum: &Op<Kind>, count: &Op<Kind>, half_life: Span) -> Option<f64> {
    let (mut total_weighted, mut weights) = (0.0, 0.0);
    let stride = merged.words.len() + 1;
    for row in merged.rows.chunks_exact(stride) {
        let (tile, words) = (signed(row[0]), &row[1..]);
        let values = words[count.at];
        let age_ms = (merged.now_tile - tile) * merged.hop_ms;
        let weight = libm::exp2(-(age_ms as f64 / half_life.0 as f64));
        total_weighted += weight * total_float(&words[sum.at..sum.at + sum.kind.words()]);
        weights += weight * values as f64;
    }
    (weights > 0.0).then(|| total_weighted / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_way_agrees_with_the_narrow_one() {
        for (n, sum, squares) in
            [(3, 6i128, 14i128), (2, 0, 2), (1000, 123_456, 99_999_999), (7, -49, 343), (5, 1 << 50, 1 << 100)]
        {
            let narrow = (squares * i128::from(n) - sum * sum) as f64;
            assert_eq!(wide_difference(n, sum.unsigned_abs(), squares.unsigned_abs()), narrow);
        }
    }

    #[test]
    fn a_wide_product_has_both_halves() {
        assert_eq!(wide_product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(wide_product(1 << 100, 1 << 100), (1 << 72, 0));
    }

    #[test]
    fn enormous_values_do_not_overflow() {
        let (n, value) = (1u64 << 30, 1i128 << 48);
        let half = i128::from(n / 2);
        assert_eq!(deviation(n, 0, half * 2 * value * value), value as f64);
    }
}
