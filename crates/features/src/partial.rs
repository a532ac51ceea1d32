//! Fixed-width partial aggregates: a few 64-bit words each, merged exactly in any order.
//!
//! A tile is a row of such words. What a word means is known to the [`Op`] that owns it and to nobody else. Sums of real values
//! are far from the ends of their words; those of damaged ones wrap, since they are read as they come.

use crate::columns::NULL;

/// What is kept of the values of one input under one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Number of values, or of events without an input.
    Count,
    /// Sum of units that fits 64 bits for as many values as a tile can see.
    Sum,
    /// Sum of units in 128 bits.
    WideSum,
    /// Sum of squared units in 64 bits.
    Squares,
    /// Sum of squared units in 128 bits.
    WideSquares,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// The value of the smallest (time, identity).
    First,
    /// The value of the largest (time, identity).
    Last,
}

/// One value of one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrence {
    pub(crate) time: i64,
    pub(crate) identity: u128,
    pub(crate) value: i64,
}

impl Kind {
    /// Words that it takes.
    pub(crate) fn words(self) -> usize {
        match self {
            Self::Count | Self::Sum | Self::Squares | Self::Min | Self::Max => 1,
            Self::WideSum | Self::WideSquares => 2,
            Self::First | Self::Last => 4,
        }
    }

    /// The partial of no values.
    pub(crate) fn empty(self) -> &'static [u64] {
        const MAX: u64 = i64::MAX.cast_unsigned();
        const MIN: u64 = i64::MIN.cast_unsigned();
        match self {
            Self::Count | Self::Sum | Self::Squares => &[0],
            Self::WideSum | Self::WideSquares => &[0, 0],
            Self::Min => &[MAX],
            Self::Max => &[MIN],
            Self::First => &[MAX, u64::MAX, u64::MAX, MIN],
            Self::Last => &[MIN, 0, 0, MIN],
        }
    }

    /// Adds one value.
    #[inline]
    pub(crate) fn add(self, words: &mut [u64], one: Occurrence) {
        let value = one.value;
        match self {
            Self::Count => words[0] = words[0].wrapping_add(1),
            Self::Sum => words[0] = words[0].wrapping_add(value.cast_unsigned()),
            Self::Squares => words[0] = words[0].wrapping_add(value.unsigned_abs().wrapping_mul(value.unsigned_abs())),
            Self::WideSum => set_wide(words, wide(words).wrapping_add(i128::from(value))),
            Self::WideSquares => set_wide(words, wide(words).wrapping_add(i128::from(value) * i128::from(value))),
            Self::Min => words[0] = signed(words[0]).min(value).cast_unsigned(),
            Self::Max => words[0] = signed(words[0]).max(value).cast_unsigned(),
            Self::First | Self::Last => self.merge(words, &edge(one)),
        }
    }

    /// Merges another partial of this kind.
    #[inline]
    pub(crate) fn merge(self, words: &mut [u64], other: &[u64]) {
        match self {
            Self::Count | Self::Sum | Self::Squares => words[0] = words[0].wrapping_add(other[0]),
            Self::WideSum | Self::WideSquares => set_wide(words, wide(words).wrapping_add(wide(other))),
            Self::Min => words[0] = signed(words[0]).min(signed(other[0])).cast_unsigned(),
            Self::Max => words[0] = signed(words[0]).max(signed(other[0])).cast_unsigned(),
            Self::First if place(other) < place(words) => words.copy_from_slice(other),
            Self::Last if place(other) > place(words) => words.copy_from_slice(other),
            Self::First | Self::Last => {}
        }
    }

    /// Merges the partials at word `at` of many rows of `stride` words: one tight loop for each kind.
    #[inline]
    pub(crate) fn merge_rows(self, words: &mut [u64], rows: &[u64], stride: usize, at: usize) {
        let column = rows.chunks_exact(stride).map(|row| row[at]);
        match self {
            Self::Count | Self::Sum | Self::Squares => words[0] = column.fold(words[0], u64::wrapping_add),
            Self::Min => words[0] = column.fold(signed(words[0]), |least, word| least.min(signed(word))).cast_unsigned(),
            Self::Max => words[0] = column.fold(signed(words[0]), |most, word| most.max(signed(word))).cast_unsigned(),
            _ => rows.chunks_exact(stride).for_each(|row| self.merge(words, &row[at..at + self.words()])),
        }
    }
}

/// The words of a first or last value.
pub(crate) fn edge(one: Occurrence) -> [u64; 4] {
    [one.time.cast_unsigned(), one.identity as u64, (one.identity >> 64) as u64, one.value.cast_unsigned()]
}

/// The value of a first or last partial, none when it is empty.
pub(crate) fn edge_value(words: &[u64]) -> Option<i64> {
    Some(signed(words[3])).filter(|value| *value != NULL)
}

/// A sum as the nearest double, from the one or two words it takes.
pub(crate) fn total_float(words: &[u64]) -> f64 {
    if words.len() == 1 { signed(words[0]) as f64 } else { wide(words) as f64 }
}

/// A sum's 128 bits, from the one or two words it takes.
pub(crate) fn total(words: &[u64]) -> i128 {
    if words.len() == 1 { i128::from(signed(words[0])) } else { wide(words) }
}

pub(crate) fn signed(word: u64) -> i64 {
    word.cast_signed()
}

fn wide(words: &[u64]) -> i128 {
    (u128::from(words[0]) | u128::from(words[1]) << 64).cast_signed()
}

fn set_wide(words: &mut [u64], sum: i128) {
    let bits = sum.cast_unsigned();
    words[0] = bits as u64;
    words[1] = (bits >> 64) as u64;
}

fn place(words: &[u64]) -> (i64, u128) {
    (signed(words[0]), u128::from(words[1]) | u128::from(words[2]) << 64)
}
