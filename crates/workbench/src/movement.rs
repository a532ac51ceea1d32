//! By how much values differ, column by column. Knows pairs of values and nothing of why they differ.

use std::collections::BTreeSet;

use domain::Value;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::dice::Dice;

/// Movements of a column that are kept for its median: enough for two digits of it.
const KEPT_MAX: usize = 4096;
/// Entities that are looked at in a group when there are more: a share of them is known to within one in a hundred.
pub(crate) const ENTITIES_MAX: usize = 10_000;
/// The same entities are chosen every time.
const SEED: u64 = 0x5eed;

/// How the values of one column move. Medians and maxima are over the vectors in which both values are there and differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnMovement {
    /// The group.
    pub group: String,
    /// The column.
    pub column: String,
    /// Vectors that were compared.
    pub vectors: u64,
    /// Those in which the value differs.
    pub changed: u64,
    /// `changed` ÷ `vectors`.
    pub share_changed: f64,
    /// Those in which a value became null or was null before; they have no size.
    pub nulls: u64,
    /// In the unit of the column; none when no value moved, and for texts and categories.
    pub median_absolute: Option<f64>,
    /// See `median_absolute`.
    pub max_absolute: Option<f64>,
    /// As a share of the value before, where that is not 0.
    pub median_relative: Option<f64>,
    /// See `median_relative`.
    pub max_relative: Option<f64>,
}

/// Counts the differences of one column.
#[derive(Debug)]
pub(crate) struct Meter {
    group: String,
    column: String,
    vectors: u64,
    changed: u64,
    nulls: u64,
    absolute: Sizes,
    relative: Sizes,
    /// Whether a difference of two values has a meaning.
    measures: bool,
}

impl Meter {
    pub(crate) fn new(group: &str, column: &str, kind: &domain::ValueKind) -> Self {
        let measures = !matches!(kind, domain::ValueKind::Category(_));
        let (group, column) = (group.to_owned(), column.to_owned());
        Self { group, column, vectors: 0, changed: 0, nulls: 0, absolute: Sizes::new(), relative: Sizes::new(), measures }
    }

    pub(crate) fn note(&mut self, before: Option<Value>, after: Option<Value>) {
        self.vectors += 1;
        let (before, after) = match (before, after) {
            (None, None) => return,
            (Some(before), Some(after)) => (number(before), number(after)),
            _ => {
                self.changed += 1;
                self.nulls += 1;
                return;
            }
        };
        if before.to_bits() == after.to_bits() {
            return;
        }
        self.changed += 1;
        let moved = (after - before).abs();
        if self.measures {
            self.absolute.take(moved);
            if before != 0.0 {
                self.relative.take(moved / before.abs());
            }
        }
    }

    pub(crate) fn told(self) -> ColumnMovement {
        ColumnMovement {
            group: self.group,
            column: self.column,
            vectors: self.vectors,
            changed: self.changed,
            share_changed: if self.vectors == 0 { 0.0 } else { self.changed as f64 / self.vectors as f64 },
            nulls: self.nulls,
            max_absolute: self.absolute.max(),
            median_absolute: self.absolute.median(),
            max_relative: self.relative.max(),
            median_relative: self.relative.median(),
        }
    }
}

/// Integers of values are far below 2^53, but for hashes, which nobody subtracts.
fn number(value: Value) -> f64 {
    match value {
        Value::Float(float) => float,
        Value::Integer(integer) => integer as f64,
    }
}

/// Sizes of which the largest is known, and a fair sample.
#[derive(Debug)]
struct Sizes {
    kept: Vec<f64>,
    seen: u64,
    max: f64,
    dice: Dice,
}

impl Sizes {
    fn new() -> Self {
        Self { kept: Vec::new(), seen: 0, max: 0.0, dice: Dice::new(SEED) }
    }

    fn take(&mut self, size: f64) {
        self.seen += 1;
        self.max = self.max.max(size);
        if self.kept.len() < KEPT_MAX {
            return self.kept.push(size);
        }
        let place = self.dice.below(self.seen) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = size;
        }
    }

    fn max(&self) -> Option<f64> {
        (self.seen > 0).then_some(self.max)
    }

    fn median(mut self) -> Option<f64> {
        self.kept.sort_by(f64::total_cmp);
        let half = self.kept.len() / 2;
        match self.kept.len() {
            0 => None,
            count if count % 2 == 1 => Some(self.kept[half]),
            _ => Some((self.kept[half - 1] + self.kept[half]) / 2.0),
        }
    }
}

/// Some of these keys, the same ones whatever others there are: those with the smallest hashes.
pub(crate) fn sample<'a>(keys: impl Iterator<Item = &'a str>) -> BTreeSet<(u64, &'a str)> {
    let mut chosen = BTreeSet::new();
    for key in keys {
        chosen.insert((xxh3_64_with_seed(key.as_bytes(), SEED), key));
        if chosen.len() > ENTITIES_MAX {
            chosen.pop_last();
        }
    }
    chosen
}

/// The columns that moved most, as lines; those that did not move are counted.
pub(crate) fn page(columns: &[ColumnMovement], shown_max: usize) -> String {
    let mut moved: Vec<&ColumnMovement> = columns.iter().filter(|column| column.changed > 0).collect();
    moved.sort_by(|one, other| other.share_changed.total_cmp(&one.share_changed));
    let mut page = format!("{} of {} columns move\n", moved.len(), columns.len());
    if moved.is_empty() {
        return page;
    }
    page.push_str(&format!(
        "  {:<32} {:>8} {:>7} {:>12} {:>12} {:>8} {:>8}\n",
        "column", "changed", "nulls", "median", "max", "median", "max"
    ));
    let number = |size: Option<f64>| size.map_or("-".to_owned(), |size| format!("{size:.3}"));
    let share = |size: Option<f64>| size.map_or("-".to_owned(), |size| format!("{:.1}%", size * 100.0));
    for column in moved.iter().take(shown_max) {
        page.push_str(&format!(
            "  {:<32} {:>8} {:>7} {:>12} {:>12} {:>8} {:>8}\n",
            column.column,
            share(Some(column.share_changed)),
            column.nulls,
            number(column.median_absolute),
            number(column.max_absolute),
            share(column.median_relative),
            share(column.max_relative)
        ));
    }
    if moved.len() > shown_max {
        page.push_str(&format!("  and {} more\n", moved.len() - shown_max));
    }
    page
}

#[cfg(test)]
mod tests;
