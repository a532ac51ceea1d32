//! One micro-batch to partials: evaluate, group by (entity, tile), fold. What comes out no longer knows single events.
//!
//! Polars evaluates the expressions and finds the groups; folding a group's values into partials is ours, since only ours
//! merge exactly in any order.

mod keys;

use pipeline::{Expr, Field, FieldKind, Input, InputKind};
use polars::prelude::*;

pub(crate) use self::keys::Keys;
use crate::{
    columns::{Columns, FieldColumn, NULL},
    evaluate::{Evaluator, Values},
    layout::Layout,
    partial::Occurrence,
    ring::Row,
    sketch::{Sketch, text_hash},
};

/// What a group sees of some rows: conditions decided, values taken.
pub(crate) struct Prepared {
    /// Rows of the columns that belong to the group, with the place of their key.
    pub(crate) rows: Vec<u32>,
    pub(crate) key_of: Vec<u32>,
    pub(crate) keys: Keys,
    conditions: Vec<Vec<bool>>,
    inputs: Vec<Vec<i64>>,
}

/// Partials of one micro-batch.
#[derive(Debug, Default)]
pub(crate) struct Tiled {
    /// Place of the key, tile number and latest event time of each partial.
    pub(crate) heads: Vec<(u32, i64, i64)>,
    /// Words of the tile and those without a window, for each partial.
    pub(crate) words: Vec<u64>,
    /// Sketches of each partial.
    pub(crate) sketches: Vec<Sketch>,
}

impl Prepared {
    /// Evaluates everything the group needs of these rows.
    pub(crate) fn new(layout: &Layout, fields: &[Field], columns: &Columns, rows: &[u32]) -> Self {
        let filtered = layout.group.filter.as_ref().map(|filter| {
            let holds = Evaluator::new(fields, columns, rows).holds(filter);
            rows.iter().zip(holds).filter(|(_, holds)| *holds).map(|(row, _)| *row).collect::<Vec<u32>>()
        });
        let (keys, key_of, rows) = Keys::of(&layout.group.key, fields, columns, filtered.as_deref().unwrap_or(rows));
        let evaluator = Evaluator::new(fields, columns, &rows);
        Self {
            conditions: layout.conditions.iter().map(|condition| evaluator.holds(condition)).collect(),
            inputs: layout.inputs.iter().map(|input| units(input, &evaluator, columns, &rows, fields)).collect(),
            rows,
            key_of,
            keys,
        }
    }

    /// The row as rings of derived sources take it.
    pub(crate) fn row(&self, columns: &Columns, at: usize) -> Row {
        let bits = self.conditions.iter().enumerate();
        let row = self.rows[at] as usize;
        Row {
            time: columns.times[row],
            identity: columns.identities[row],
            conditions: bits.fold(0, |bits, (bit, holds)| bits | u64::from(holds[at]) << bit),
            values: self.inputs.iter().map(|values| values[at]).collect(),
        }
    }

    /// Partials for each (entity, tile).
    pub(crate) fn tile(&self, layout: &Layout, columns: &Columns) -> Tiled {
        let mut tiled = Tiled::default();
        let times = |at: usize| columns.times[self.rows[at] as usize];
        let Some(first) = (0..self.rows.len()).map(|at| layout.tile_of(times(at))).min() else { return tiled };
        let packed = |at: usize| u64::from(self.key_of[at]) << 32 | (layout.tile_of(times(at)) - first).cast_unsigned();
        let packed: Vec<u64> = (0..self.rows.len()).map(packed).collect();
        let packed = UInt64Chunked::from_vec(PlSmallStr::EMPTY, packed);
        // By first row, so that what follows has one order in every run.
        let groups = packed.group_tuples(false, true).unwrap_or_else(|error| panic!("numbers can always be grouped: {error}"));
        let (empty, empty_always) = (layout.empty_words(), layout.empty_always());
        for members in groups.iter() {
            let members: &[IdxSize] = match &members {
                GroupsIndicator::Idx((_, members)) => members,
                GroupsIndicator::Slice(slice) => panic!("unsorted numbers are grouped by index and not by {slice:?}"),
            };
            let one = members[0] as usize;
            let latest = members.iter().map(|at| times(*at as usize)).max().unwrap_or(i64::MIN);
            tiled.heads.push((self.key_of[one], layout.tile_of(times(one)), latest));
            let start = tiled.words.len();
            tiled.words.extend_from_slice(&empty);
            tiled.words.extend_from_slice(&empty_always);
            self.fold_words(layout, columns, members, &mut tiled.words[start..]);
            self.fold_sketches(layout, columns, members, &mut tiled.sketches);
        }
        tiled
    }

    fn fold_words(&self, layout: &Layout, columns: &Columns, members: &[IdxSize], words: &mut [u64]) {
        let (tile, always) = words.split_at_mut(layout.words);
        let windowed = layout.fixed.iter().map(|op| (op, true));
        for (op, windowed) in windowed.chain(layout.always.iter().map(|op| (op, false))) {
            let words =
                if windowed { &mut tile[op.at..op.at + op.kind.words()] } else { &mut always[op.at..op.at + op.kind.words()] };
            if op.condition.is_none() && op.input.is_none() {
                words[0] += members.len() as u64;
                continue;
            }
            let condition = op.condition.map(|condition| &self.conditions[condition]);
            let values = op.input.map(|input| &self.inputs[input]);
            for at in members.iter().map(|at| *at as usize) {
                let value = values.map_or(0, |values| values[at]);
                if value != NULL && condition.is_none_or(|condition| condition[at]) {
                    let row = self.rows[at] as usize;
                    op.kind.add(words, Occurrence { time: columns.times[row], identity: columns.identities[row], value });
                }
            }
        }
    }

    fn fold_sketches(&self, layout: &Layout, columns: &Columns, members: &[IdxSize], sketches: &mut Vec<Sketch>) {
        for op in &layout.sketched {
            let mut sketch = op.kind.empty();
            for at in members.iter().map(|at| *at as usize) {
                if op.condition.is_some_and(|condition| !self.conditions[condition][at]) {
                    continue;
                }
                if let Some((value, second)) = layout.sketch_value(op, |input| self.inputs[input][at]) {
                    let row = self.rows[at] as usize;
                    let one = Occurrence { time: columns.times[row], identity: columns.identities[row], value };
                    sketch.add(one, second, layout.scale(op));
                }
            }
            sketches.push(sketch);
        }
    }
}

/// The units of an input: those of the field when it is a bare one, else the expression's value quantised.
fn units(input: &Input, evaluator: &Evaluator<'_>, columns: &Columns, rows: &[u32], fields: &[Field]) -> Vec<i64> {
    if let Expr::Field(field) = &input.expr {
        match (&columns.fields[*field], &fields[*field].kind) {
            (FieldColumn::Units(units), _) => return rows.iter().map(|row| units[*row as usize]).collect(),
            (FieldColumn::Text(texts), FieldKind::Text | FieldKind::Cell { .. }) => {
                return rows.iter().map(|row| texts.get(*row as usize).map_or(NULL, text_hash)).collect();
            }
            (column, kind) => panic!("a field of kind {kind:?} is not held as {column:?}"),
        }
    }
    match evaluator.values(&input.expr) {
        Values::Number(numbers) => {
            let scale = input.kind.scale();
            numbers.iter().map(|number| number.and_then(|number| quantised(number, scale)).unwrap_or(NULL)).collect()
        }
        Values::Boolean(truths) => truths.iter().map(|truth| truth.map_or(NULL, i64::from)).collect(),
        Values::Time(times) => times.iter().map(|time| time.unwrap_or(NULL)).collect(),
        Values::Text(texts) => {
            let labelled = |text: &str| match &input.kind {
                InputKind::Category(labels) => labels.iter().position(|label| label == text).map_or(NULL, |place| place as i64),
                _ => text_hash(text),
            };
            texts.iter().map(|text| text.map_or(NULL, labelled)).collect()
        }
    }
}

/// The nearest whole number of steps, ties to even; none beyond the bounds of units.
fn quantised(number: f64, scale: f64) -> Option<i64> {
    let units = (number * scale).round_ties_even();
    (units.abs() <= crate::decode::UNITS_MAX as f64).then_some(units as i64)
}
