//! Partials as people name them. Only here do the words of a tile get names.

use domain::{Value, ValueKind};
use pipeline::{Aggregator, Input, InputKind};

use crate::{
    columns::NULL,
    layout::{Layout, Merged, Op},
    partial::{Kind, edge_value, signed, total},
    sketch::Sketch,
};

/// One partial of a tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Such as `count` or `sum`.
    pub name: String,
    /// In the unit of the value; none when nothing was counted.
    pub value: Option<Value>,
}

/// The partials behind one column: fixed ones by name, a sketch as the value that it would give for its tile alone.
pub(super) fn parts(layout: &Layout, column: usize, tile: i64, words: &[u64], sketches: &[Sketch]) -> Vec<Part> {
    if layout.sketched.is_empty() {
        return layout.fixed.iter().map(|op| part(layout, op, words)).collect();
    }
    let hop_ms = layout.group.hop.0;
    let mut row = vec![tile.cast_unsigned()];
    row.extend_from_slice(words);
    let merged = Merged { words, sketches, width_ms: hop_ms, rows: &row, now_tile: tile, hop_ms };
    let value = layout.columns[column].value(&merged);
    let (_, kind) = &layout.schema.columns[column];
    vec![Part { name: named(layout.group.features[0].aggregator).to_owned(), value: value.map(|word| read(kind, word)) }]
}

/// The partials of what has no window.
pub(super) fn always(layout: &Layout, words: &[u64]) -> Vec<Part> {
    if words.is_empty() { Vec::new() } else { layout.always.iter().map(|op| part(layout, op, words)).collect() }
}

/// The eight bytes of a value.
pub(super) fn read(kind: &ValueKind, word: u64) -> Value {
    match kind {
        ValueKind::Float => Value::Float(f64::from_bits(word)),
        _ => Value::Integer(signed(word)),
    }
}

/// Units as the value that they stand for; none for null, and for texts, of which only a hash is known.
pub(super) fn value(input: &Input, units: i64) -> Option<Value> {
    match input.kind {
        _ if units == NULL => None,
        InputKind::Text => None,
        InputKind::Decimal { .. } => Some(Value::Float(units as f64 / input.kind.scale())),
        _ => Some(Value::Integer(units)),
    }
}

fn part(layout: &Layout, op: &Op<Kind>, words: &[u64]) -> Part {
    let words = &words[op.at..op.at + op.kind.words()];
    let input = op.input.map(|input| &layout.inputs[input]);
    let of_units = |units: i64| input.and_then(|input| value(input, units));
    let scale = input.map_or(1.0, |input| input.kind.scale());
    let (name, value) = match op.kind {
        Kind::Count => ("count", Some(Value::Integer(signed(words[0])))),
        Kind::Sum | Kind::WideSum => ("sum", Some(Value::Float(total(words) as f64 / scale))),
        Kind::Squares | Kind::WideSquares => ("sum of squares", Some(Value::Float(total(words) as f64 / scale / scale))),
        Kind::Min => ("min", (words != op.kind.empty()).then(|| of_units(signed(words[0]))).flatten()),
        Kind::Max => ("max", (words != op.kind.empty()).then(|| of_units(signed(words[0]))).flatten()),
        Kind::First => ("first", edge_value(words).and_then(of_units)),
        Kind::Last => ("last", edge_value(words).and_then(of_units)),
    };
    Part { name: name.to_owned(), value }
}

fn named(aggregator: Aggregator) -> &'static str {
    match aggregator {
        Aggregator::Quantile { .. } => "quantile",
        Aggregator::Distinct => "distinct",
        Aggregator::Top { .. } => "most frequent",
        Aggregator::Travel => "metres",
        _ => "value",
    }
}
