//! What an explanation says, as data. `render` makes the page of it.

use std::collections::BTreeMap;

use domain::{Timestamp, Value, ValueKind};
use features::{Origin, Trace, TracedRefusal, TracedRow};
use pipeline::{Aggregator, Column, Group, Pipeline, SourceKind};
use serde::Serialize;

use super::{Question, window_of};
use crate::backfill::table::cell;

/// Tiles that are told: the newest. Windows of minutes have a few hundred.
const TILES_MAX: usize = 500;

/// Why a value is what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Such as `store:42`.
    pub entity: String,
    /// The column.
    pub feature: String,
    /// Its group.
    pub group: String,
    /// Such as `mean over 15m of the durations of preparation`.
    pub meaning: String,
    /// The instant that was asked for.
    pub at: String,
    /// The instant of the value: earlier when the source was silent.
    pub as_of: String,
    /// As readers see it: a number, a truth, a label or null.
    pub value: serde_json::Value,
    /// What the value looks at; none without a window.
    pub window: Option<Window>,
    /// Events or rows inside the window.
    pub events: u64,
    /// Tiles in which something happened, oldest first; the newest when there are very many.
    pub tiles: Vec<Tile>,
    /// Older tiles that are not told.
    pub tiles_left_out: usize,
    /// What is kept when there is no window.
    pub kept: Vec<Part>,
    /// The first and the last events or rows with where they stand.
    pub records: Vec<Entry>,
    /// Events or rows between the first and the last that are not told.
    pub records_left_out: u64,
    /// Records of the entity that were refused: the first and the last.
    pub refused: Vec<Missed>,
    /// How many there were in all.
    pub refused_count: u64,
    /// Parts of its events that found no place, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Records that could not be read, by reason: nobody knows whom they concerned.
    pub unreadable: BTreeMap<String, u64>,
    /// Records that were read for this.
    pub read: u64,
    /// Where the reading began; none for the beginning of the log.
    pub read_from: Option<String>,
    /// What is missing, when retention took records that the value may be made of.
    pub incomplete: Option<String>,
}

/// What a value looks at: from `from` on and before `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first instant.
    pub from: String,
    /// The instant of the value.
    pub until: String,
    /// Such as `15m`.
    pub width: String,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tile {
    /// Its beginning.
    pub from: String,
    /// Events or rows that fell into it.
    pub events: u64,
    /// What is kept of them.
    pub parts: Vec<Part>,
}

/// One partial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Such as `count`.
    pub name: String,
    /// Null when nothing was counted.
    pub value: serde_json::Value,
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// The event's time.
    pub time: String,
    /// When the log took it.
    pub append_at: String,
    /// How long after its time that was, in milliseconds.
    pub delay_ms: i64,
}

/// An event or row that the value is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The event; of a duration the one that ends it, of an absence the last one before it.
    pub record: Place,
    /// Of an absence: when something was due.
    pub due: Option<String>,
    /// The event that a duration begins with.
    pub start: Option<Place>,
    /// Whether it counts: its condition holds and its value is not null.
    pub counts: bool,
    /// What it brings.
    pub values: Vec<serde_json::Value>,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The record.
    pub record: Place,
    /// Why.
    pub reason: &'static str,
    /// By how much it missed what is allowed, in milliseconds.
    pub beyond_ms: i64,
    /// Whether its time is inside the window.
    pub inside: bool,
}

/// What a trace says, but for what only the log knows.
pub(super) fn told(
    pipeline: &Pipeline,
    question: &Question,
    column: &Column,
    topic: &str,
    trace: &Trace,
    as_of: Timestamp,
) -> Explanation {
    let mut told = empty(pipeline, question, column, trace.value());
    let group = &pipeline.groups[question.group];
    told.as_of = as_of.to_string();
    told.window = window_of(group, column).map(|width| {
        let from = Timestamp((as_of.0 - width.0).div_euclid(group.hop.0) * group.hop.0);
        Window { from: from.to_string(), until: as_of.to_string(), width: width.to_string() }
    });
    let tiles = trace.tiles();
    told.tiles_left_out = tiles.len().saturating_sub(TILES_MAX);
    let tile = |tile: &features::TracedTile| Tile {
        from: tile.from.to_string(),
        events: tile.events,
        parts: parts(&tile.parts, &column.kind),
    };
    told.tiles = tiles[told.tiles_left_out..].iter().map(tile).collect();
    told.kept = parts(&trace.always(), &column.kind);
    (told.events, told.records_left_out) = (trace.rows().count, trace.rows().left_out());
    told.records = trace.rows().iter().map(|row| entry(row, topic)).collect();
    told.refused_count = trace.refused().count;
    told.refused = trace.refused().iter().map(|refusal| missed(refusal, topic)).collect();
    told.unreadable = trace.unreadable().iter().map(|(reason, count)| (reason.code().to_owned(), *count)).collect();
    told
}

/// The value of a file's row.
pub(super) fn of_file(pipeline: &Pipeline, question: &Question, column: &Column, value: Option<Value>) -> Explanation {
    empty(pipeline, question, column, value)
}

fn empty(pipeline: &Pipeline, question: &Question, column: &Column, value: Option<Value>) -> Explanation {
    let group = &pipeline.groups[question.group];
    Explanation {
        entity: format!("{}:{}", group.entity, question.key),
        feature: column.name.clone(),
        group: group.name.clone(),
        meaning: meaning(pipeline, group, column),
        at: question.at.to_string(),
        as_of: question.at.to_string(),
        value: cell(value, &column.kind),
        window: None,
        events: 0,
        tiles: Vec::new(),
        tiles_left_out: 0,
        kept: Vec::new(),
        records: Vec::new(),
        records_left_out: 0,
        refused: Vec::new(),
        refused_count: 0,
        dropped: BTreeMap::new(),
        unreadable: BTreeMap::new(),
        read: 0,
        read_from: None,
        incomplete: None,
    }
}

fn parts(parts: &[features::Part], kind: &ValueKind) -> Vec<Part> {
    // A first value is of the column's kind, a count is a number whatever the column is.
    let of = |part: &features::Part| match part.name.as_str() {
        "count" => cell(part.value, &ValueKind::Integer),
        _ => cell(part.value, kind),
    };
    parts.iter().map(|part| Part { name: part.name.clone(), value: of(part) }).collect()
}

fn entry(row: &TracedRow, topic: &str) -> Entry {
    let value = |value: &Option<Value>| match value {
        None => serde_json::Value::Null,
        Some(Value::Float(float)) => serde_json::Value::from(*float),
        Some(Value::Integer(integer)) => serde_json::Value::from(*integer),
    };
    Entry {
        record: place(&row.record, topic),
        due: (row.at != row.record.time).then(|| row.at.to_string()),
        start: row.start.as_ref().map(|start| place(start, topic)),
        counts: row.counts,
        values: row.values.iter().map(value).collect(),
    }
}

fn missed(refusal: &TracedRefusal, topic: &str) -> Missed {
    let TracedRefusal { record, reason, beyond_ms, inside } = refusal;
    Missed { record: place(record, topic), reason: reason.code(), beyond_ms: *beyond_ms, inside: *inside }
}

fn place(origin: &Origin, topic: &str) -> Place {
    Place {
        topic: topic.to_owned(),
        partition: origin.partition,
        offset: origin.offset,
        time: origin.time.to_string(),
        append_at: origin.append_at.to_string(),
        delay_ms: origin.append_at.0 - origin.time.0,
    }
}

/// What the column is, in words.
fn meaning(pipeline: &Pipeline, group: &Group, column: &Column) -> String {
    let feature = &group.features[column.feature];
    let aggregator = match feature.aggregator {
        Aggregator::Count => "count".to_owned(),
        Aggregator::Rate { per } => format!("number per {per}"),
        Aggregator::Sum => "sum".to_owned(),
        Aggregator::Mean => "mean".to_owned(),
        Aggregator::Std => "standard deviation".to_owned(),
        Aggregator::Min => "smallest".to_owned(),
        Aggregator::Max => "largest".to_owned(),
        Aggregator::First => "first".to_owned(),
        Aggregator::Last => "last".to_owned(),
        Aggregator::Ewma { half_life } => format!("mean that halves every {half_life}"),
        Aggregator::Quantile { q } => format!("{q} quantile"),
        Aggregator::Distinct => "number of different values".to_owned(),
        Aggregator::Top { k } => format!("{k} most frequent"),
        Aggregator::OpenCount => "number of open rows".to_owned(),
        Aggregator::Travel => "metres travelled".to_owned(),
    };
    let over = window_of(group, column).map_or(String::new(), |width| format!(" over {width}"));
    let source = &pipeline.sources[group.source];
    let of = match source.kind {
        SourceKind::Stream(_) => "events",
        SourceKind::Pair(_) => "durations",
        SourceKind::Absence(_) => "absences",
        SourceKind::Table(_) => "rows",
        SourceKind::File { .. } => "lines of the file",
    };
    format!("{aggregator}{over} of the {of} of {}", source.name)
}
