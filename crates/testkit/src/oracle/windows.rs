//! Which rows belong to which entity, which of them lie in a window, and when a vector stops being right.

use std::collections::BTreeMap;

use domain::{NEVER, Timestamp};
use pipeline::{Aggregator, Feature, Group, Pipeline, Source, SourceKind};

use super::OracleVector;
use super::aggregate::{Scope, parts};
use super::event::Row;
use super::expression::holds;
use super::quantise::key_text;

/// The visible rows of each entity of a group.
pub(crate) fn entities(pipeline: &Pipeline, group: &Group, rows: Vec<Row>) -> BTreeMap<String, Vec<Row>> {
    let fields = &pipeline.sources[group.source].fields;
    let mut entities: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        if holds(group.filter.as_ref(), fields, &row)
            && let Some(key) = key_text(&group.key, fields, &row)
        {
            entities.entry(key).or_default().push(row);
        }
    }
    entities
}

/// The vector of an entity from all of its rows before the instant.
pub(crate) fn vector(pipeline: &Pipeline, group: &Group, rows: &[Row], at: Timestamp, silent: bool) -> OracleVector {
    let source = &pipeline.sources[group.source];
    let (mut values, mut exact) = (Vec::new(), Vec::new());
    for column in group.columns() {
        let feature = &group.features[column.feature];
        let width = column.window.map(|window| feature.windows[window].width.0);
        let scope = Scope { fields: &source.fields, hop: group.hop.0, width, at: at.0 };
        let parts = parts(feature, &scope, &rows_for(source, group, feature, width, rows, at.0));
        values.push(parts.values[column.part]);
        exact.push(parts.exact);
    }
    let forgotten = group.features.iter().all(|feature| {
        let widths = feature.windows.iter().map(|window| Some(window.width.0));
        let widths = if feature.windows.is_empty() { vec![None] } else { widths.collect() };
        widths.iter().all(|width| rows_for(source, group, feature, *width, rows, at.0).is_empty())
    });
    OracleVector { as_of: at, valid_until: valid_until(group, rows, at.0), silent, forgotten, values, exact }
}

/// The rows that a feature looks at, whatever its condition says of them.
fn rows_for<'r>(source: &Source, group: &Group, feature: &Feature, width: Option<i64>, rows: &'r [Row], at: i64) -> Vec<&'r Row> {
    let is_table = matches!(source.kind, SourceKind::Table(_) | SourceKind::File { .. });
    let reads_open_rows = match feature.aggregator {
        Aggregator::OpenCount => true,
        Aggregator::First | Aggregator::Last => is_table && width.is_none(),
        _ => false,
    };
    if reads_open_rows {
        return rows.iter().filter(|row| row.end.is_some_and(|end| end >= at)).collect();
    }
    match width {
        Some(width) => in_window(rows, width, group.hop.0, at),
        None if matches!(source.kind, SourceKind::File { .. }) => rows.iter().collect(),
        None => kept(rows, group.keep.0, at),
    }
}

/// `[floor((T − W) / h) · h, T)`.
fn in_window(rows: &[Row], width: i64, hop: i64, at: i64) -> Vec<&Row> {
    let begin = (at - width).div_euclid(hop) * hop;
    rows.iter().filter(|row| begin <= row.from && row.from < at).collect()
}

/// What a value without a window still covers: everything back to the first gap that was as long as `keep`.
fn kept(rows: &[Row], keep: i64, at: i64) -> Vec<&Row> {
    let mut newest_first = rows.iter().filter(|row| row.from < at).collect::<Vec<_>>();
    newest_first.sort_by_key(|row| std::cmp::Reverse(row.from));
    let mut kept: Vec<&Row> = Vec::new();
    for row in newest_first {
        let next = kept.last().map_or(at, |next| next.from);
        if next - row.from >= keep {
            break;
        }
        kept.push(row);
    }
    kept
}

/// The smallest instant after T at which a tile with rows leaves one of the windows that cover it.
fn valid_until(group: &Group, rows: &[Row], at: i64) -> Timestamp {
    let hop = group.hop.0;
    let mut candidates = Vec::new();
    for feature in &group.features {
        for window in &feature.windows {
            let inside = in_window(rows, window.width.0, hop, at);
            candidates.extend(inside.iter().map(|row| (row.from.div_euclid(hop) + 1) * hop + window.width.0));
        }
        let widths = feature.windows.iter().map(|window| window.width.0);
        if matches!(feature.aggregator, Aggregator::Ewma { .. }) {
            let covered = widths.into_iter().any(|width| !in_window(rows, width, hop, at).is_empty());
            let without_window = feature.windows.is_empty() && !kept(rows, group.keep.0, at).is_empty();
            if covered || without_window {
                candidates.push((at.div_euclid(hop) + 1) * hop);
            }
        }
    }
    candidates.into_iter().min().map_or(NEVER, Timestamp)
}
