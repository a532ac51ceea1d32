//! Rows of derived sources, from the visible events of one partition.

mod absence;

use std::collections::BTreeMap;

use pipeline::{Expr, Pair, Pipeline, Source, Table};

use super::decode::decode;
use super::event::{Content, Row};
use super::expression::holds;
use super::quantise::key_text;
pub(crate) use absence::absence_rows;

/// The rows of a pair: one for each start that found its end.
pub(crate) fn pair_rows(pipeline: &Pipeline, own: usize, pair: &Pair, events: Vec<Row>) -> Vec<Row> {
    let (own, base) = (&pipeline.sources[own], &pipeline.sources[pair.from]);
    let mut rows = Vec::new();
    for mut events in by_key(base, pair.key, events).into_values() {
        let starts = |event: &Row| holds(Some(&pair.start), &base.fields, event);
        let ends = |event: &Row| holds(Some(&pair.end), &base.fields, event);
        events.retain(|event| starts(event) || ends(event));
        // `false` sorts first, so events that are only a start come before the others of their time.
        events.sort_by_key(|event| (event.from, ends(event), event.identity));
        let mut open: Option<Row> = None;
        for event in events {
            if ends(&event)
                && let Some(start) = open.take()
                && event.from - start.from <= pair.longest.0
            {
                rows.push(pair_row(own, base, pair, &start, &event));
            }
            if starts(&event) {
                open = Some(event);
            }
        }
    }
    rows
}

fn pair_row(own: &Source, base: &Source, pair: &Pair, start: &Row, end: &Row) -> Row {
    let mut contents = Vec::new();
    for (index, field) in own.fields.iter().enumerate() {
        if index == pair.seconds {
            // A step of 0.001 seconds: the units are milliseconds.
            contents.push(Some(Content::Units(end.from - start.from)));
        } else {
            let place = place_of(base, &field.name);
            contents.push(end.contents[place].clone().or_else(|| start.contents[place].clone()));
        }
    }
    Row { from: end.from, end: None, identity: end.identity, contents }
}

/// The rows of a table, each with its end; a row is open at T when it ends at T or later.
pub(crate) fn table_rows(pipeline: &Pipeline, own: usize, table: &Table, mut events: Vec<Row>) -> Vec<Row> {
    let (own, base) = (&pipeline.sources[own], &pipeline.sources[table.from]);
    events.retain(|event| holds(table.filter.as_ref(), &base.fields, event));
    let mut rows = Vec::new();
    for mut events in by_key(base, table.key, events).into_values() {
        events.sort_by_key(|event| (event.from, event.identity));
        for (index, event) in events.iter().enumerate() {
            let next = events.get(index + 1).map(|next| next.from);
            let stays = next != Some(event.from);
            let gone = table.gone.as_ref().is_some_and(|gone| holds(Some(gone), &base.fields, event));
            if stays && !gone {
                let longest = event.from + table.longest.0;
                let end = next.map_or(longest, |next| next.min(longest));
                let contents = own.fields.iter().map(|field| event.contents[place_of(base, &field.name)].clone()).collect();
                rows.push(Row { from: event.from, end: Some(end), identity: event.identity, contents });
            }
        }
    }
    rows
}

/// The rows of a file: the last line of each key, from the start of time and without an end.
///
/// # Panics
/// When a line does not decode: a fixture that the test has got wrong.
pub(crate) fn file_rows(source: &Source, lines: &str) -> Vec<Row> {
    let pipeline::SourceKind::File { key, .. } = &source.kind else {
        panic!("source {} is no file table: give lines to file tables only", source.name);
    };
    let mut rows = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let contents = decode(source, line.as_bytes())
            .unwrap_or_else(|reason| panic!("line {line} of {} is refused as {reason}: mend the line", source.name));
        let row = Row { from: i64::MIN, end: Some(i64::MAX), identity: 0, contents };
        rows.insert(key_text(&Expr::Field(*key), &source.fields, &row), row);
    }
    rows.into_values().collect()
}

/// The events of each key; events without a key belong to nobody.
fn by_key(base: &Source, key: usize, events: Vec<Row>) -> BTreeMap<String, Vec<Row>> {
    let mut keys: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for event in events {
        if let Some(key) = key_text(&Expr::Field(key), &base.fields, &event) {
            keys.entry(key).or_default().push(event);
        }
    }
    keys
}

fn place_of(base: &Source, name: &str) -> usize {
    let place = base.fields.iter().position(|field| field.name == name);
    place.unwrap_or_else(|| panic!("no field {name} in {}: a derived source has the fields of its base", base.name))
}
