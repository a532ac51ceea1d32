//! The table that a backfill makes: its columns, how values look in it, and a glance at its first rows.

use std::collections::BTreeSet;

use domain::{Timestamp, ValueKind};
use pipeline::Pipeline;
use serde_json::Value;

use super::spine::Spine;

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Text,
    Float,
    Integer,
    Boolean,
    /// Milliseconds in memory and Parquet, RFC 3339 in text.
    Time,
}

/// Name and kind of each column: the spine's, the groups', the transforms'.
#[derive(Debug)]
pub(super) struct Columns {
    all: Vec<(String, ColumnKind)>,
    of_spine: usize,
}

/// The first rows as text, for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Names of all columns.
    pub columns: Vec<String>,
    /// How many of them come from the spine.
    pub of_spine: usize,
    /// One text a column; nulls are empty.
    pub rows: Vec<Vec<String>>,
    kinds: Vec<ColumnKind>,
    rows_max: usize,
}

impl Columns {
    pub(super) fn new(spine: &Spine, pipeline: &Pipeline) -> Self {
        let mut all: Vec<(String, ColumnKind)> =
            spine.columns.iter().enumerate().map(|(place, name)| (name.clone(), kind_of_spine(spine, place, name))).collect();
        let of_spine = all.len();
        let taken: BTreeSet<String> = spine.columns.iter().cloned().collect();
        for (name, kind) in pipeline.row_columns() {
            // The spine's own columns keep their names: they are joined by.
            let name = if taken.contains(&name) { format!("{name}_feature") } else { name };
            all.push((name, kind_of_feature(&kind)));
        }
        Self { all, of_spine }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, ColumnKind)> {
        self.all.iter().map(|(name, kind)| (name.as_str(), *kind))
    }
}

impl Preview {
    pub(super) fn new(columns: &Columns, rows_max: usize) -> Self {
        let (names, kinds) = columns.iter().map(|(name, kind)| (name.to_owned(), kind)).unzip();
        Self { columns: names, of_spine: columns.of_spine, rows: Vec::new(), kinds, rows_max }
    }

    pub(super) fn take(&mut self, rows: &[Vec<Value>]) {
        let room = self.rows_max - self.rows.len();
        let text = |row: &Vec<Value>| row.iter().zip(&self.kinds).map(|(cell, kind)| shown(cell, *kind)).collect();
        self.rows.extend(rows.iter().take(room).map(text));
    }
}

/// A value of a vector as it stands in the table.
pub(crate) fn cell(value: Option<domain::Value>, kind: &ValueKind) -> Value {
    match (value, kind) {
        (None, _) => Value::Null,
        (Some(domain::Value::Float(float)), _) => Value::from(float),
        (Some(domain::Value::Integer(integer)), ValueKind::Boolean) => Value::from(integer != 0),
        (Some(domain::Value::Integer(integer)), ValueKind::Category(labels)) => usize::try_from(integer)
            .ok()
            .and_then(|place| labels.get(place))
            .map_or(Value::Null, |label| Value::from(label.as_str())),
        (Some(domain::Value::Integer(integer)), _) => Value::from(integer),
    }
}

/// A cell as text; null is empty.
pub(super) fn text(cell: &Value, kind: ColumnKind) -> String {
    match (cell, kind) {
        (Value::Null, _) => String::new(),
        (Value::Number(ms), ColumnKind::Time) => Timestamp(ms.as_i64().unwrap_or_default()).to_string(),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    }
}

/// For a person, who wants to compare numbers rather than to read their last digits.
fn shown(cell: &Value, kind: ColumnKind) -> String {
    match (cell.as_f64(), kind) {
        (Some(float), ColumnKind::Float) => {
            let digits = if float.abs() < 100.0 { 2 } else { 0 };
            format!("{float:.digits$}")
        }
        // To the second.
        (Some(_), ColumnKind::Time) => text(cell, kind).chars().take(19).collect::<String>().replace('T', " "),
        _ => text(cell, kind),
    }
}

fn kind_of_feature(kind: &ValueKind) -> ColumnKind {
    match kind {
        ValueKind::Float => ColumnKind::Float,
        ValueKind::Integer => ColumnKind::Integer,
        ValueKind::Boolean => ColumnKind::Boolean,
        ValueKind::Time => ColumnKind::Time,
        ValueKind::Category(_) => ColumnKind::Text,
    }
}

/// The narrowest kind that all cells of a spine's column have.
fn kind_of_spine(spine: &Spine, place: usize, name: &str) -> ColumnKind {
    if Spine::is_at(name) {
        return ColumnKind::Time;
    }
    let mut kinds = spine.rows.iter().filter_map(|row| match row.cell(place) {
        Value::Null => None,
        Value::Bool(_) => Some(ColumnKind::Boolean),
        Value::Number(number) if number.is_i64() => Some(ColumnKind::Integer),
        Value::Number(_) => Some(ColumnKind::Float),
        _ => Some(ColumnKind::Text),
    });
    let first = kinds.next().unwrap_or(ColumnKind::Text);
    kinds.fold(first, |one, other| match (one, other) {
        (one, other) if one == other => one,
        (ColumnKind::Integer, ColumnKind::Float) | (ColumnKind::Float, ColumnKind::Integer) => ColumnKind::Float,
        _ => ColumnKind::Text,
    })
}
