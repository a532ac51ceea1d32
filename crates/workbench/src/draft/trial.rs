//! The engine's own word on a draft: what it refuses of the file, and which values the first events have.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use domain::{EARLIEST, Span, Timestamp, Value, ValueKind};
use features::{Config, Engine, Reason, Record};
use pipeline::{Pipeline, SourceKind};

use super::{file::Line, outline::Outline, words::quoted};
use crate::{
    Error,
    feed::{BATCH_RECORDS_MAX, Feed},
    history::Event,
};

/// Few enough to be followed by hand.
const CASE_EVENTS_MAX: usize = 20;
/// Longer lines would make a test that nobody reads.
const CASE_LINE_BYTES_MAX: usize = 4096;
/// Values of one entity that are worth a line.
const CASE_VALUES_MAX: usize = 8;

/// What became of the lines.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// By reason: how many, and the first line.
    pub(super) refused: BTreeMap<&'static str, (u64, u64)>,
    /// Parts of accepted events that a group could not keep.
    pub(super) dropped: BTreeMap<&'static str, u64>,
}

/// A test of the pipeline: events and what they come to.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) events: String,
    pub(super) count: usize,
    pub(super) at: Timestamp,
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// Entity, then columns and values as TOML.
    pub(super) expect: Vec<(String, Vec<(String, String)>)>,
}

/// Feeds all lines to an engine.
pub(super) fn run(pipeline: &Arc<Pipeline>, outline: &Outline, lines: &[Line]) -> Result<Tried, Error> {
    let mut engine = Engine::new(Arc::clone(pipeline), Config::default())?;
    let mut tried = Tried::default();
    for batch in events(pipeline, outline, lines).chunks(BATCH_RECORDS_MAX) {
        let Some(last) = batch.last() else { continue };
        let records: Vec<Record<'_>> = batch.iter().map(Event::record).collect();
        let out = engine.ingest(&records, last.append_at.plus(Span(1)));
        for refused in &out.refused {
            tried.refused.entry(refused.reason.code()).or_insert((0, refused.offset)).0 += 1;
        }
        for dropped in &out.dropped {
            *tried.dropped.entry(dropped.reason.code()).or_default() += 1;
        }
    }
    Ok(tried)
}

/// A case of the first events, with the values that an engine has after them.
pub(super) fn case(pipeline: &Arc<Pipeline>, outline: &Outline, lines: &[Line]) -> Result<Option<Case>, Error> {
    let short = |line: &&Line| line.bytes.len() <= CASE_LINE_BYTES_MAX && line.members.is_some();
    let first: Vec<Line> = lines.iter().filter(short).take(CASE_EVENTS_MAX).map(Line::again).collect();
    let events = events(pipeline, outline, &first);
    let Some(last) = events.last() else { return Ok(None) };
    // A whole second that is later than all events reads better than the last event and a millisecond.
    let at = Timestamp((last.append_at.0 / 1000 + 1) * 1000);
    let mut engine = Engine::new(Arc::clone(pipeline), Config::default())?;
    let records: Vec<Record<'_>> = events.iter().map(Event::record).collect();
    engine.ingest(&records, last.append_at.plus(Span(1)));
    engine.tick(at);
    let chosen = chosen(pipeline, &engine);
    // The pipeline has no files, so the folder is not looked at.
    let mut feed = Feed::new(pipeline, Path::new(""))?;
    events.into_iter().for_each(|event| feed.push(event));
    feed.settle(at);
    let expect = chosen.into_iter().map(|(kind, key)| {
        let entity = format!("{kind}:{key}");
        (entity, values(pipeline, &feed, &kind, &key))
    });
    let expect = expect.collect();
    let refused = feed.counts().refused.clone();
    let text: String = first.iter().map(|line| format!("{}\n", String::from_utf8_lossy(&line.bytes))).collect();
    Ok(Some(Case { events: text, count: first.len(), at, refused, expect }))
}

impl Line {
    fn again(&self) -> Self {
        Self { number: self.number, bytes: self.bytes.clone(), members: self.members.clone() }
    }
}

/// The lines as a topic would have held them.
fn events(pipeline: &Pipeline, outline: &Outline, lines: &[Line]) -> Vec<Event> {
    let mut clock = EARLIEST;
    let mut previous = 0;
    let place = |name: &str| {
        pipeline.sources.iter().position(|source| matches!(&source.kind, SourceKind::Stream(_)) && source.name == name)
    };
    let event = |line: &Line| {
        let called = line.stream().and_then(|name| outline.streams.iter().position(|stream| stream.topic == name));
        // A line that cannot be read is refused for any stream.
        let stream = called.unwrap_or(previous);
        previous = stream;
        let stream = &outline.streams[stream];
        clock = line.clock(clock, &stream.roles.time);
        let source = place(&stream.name).unwrap_or_default();
        Event { source, line: line.number, append_at: clock, payload: line.bytes.clone() }
    };
    lines.iter().map(event).collect()
}

/// Of each entity type the entity with the most events, and of those the first by name.
fn chosen(pipeline: &Pipeline, engine: &Engine) -> Vec<(String, String)> {
    let mut chosen: Vec<(String, String)> = Vec::new();
    for (place, group) in pipeline.groups.iter().enumerate() {
        if chosen.iter().any(|(kind, _)| *kind == group.entity) {
            continue;
        }
        let busy = |key: &&str| match engine.vector(place, key).and_then(|vector| vector.values.first().copied().flatten()) {
            Some(Value::Integer(count)) => count,
            _ => 0,
        };
        let mut keys: Vec<&str> = engine.keys(place).collect();
        keys.sort_unstable_by(|left, right| right.cmp(left));
        chosen.extend(keys.into_iter().max_by_key(busy).map(|key| (group.entity.clone(), key.to_owned())));
    }
    chosen
}

/// What an entity's columns hold, as TOML, of all groups of its type; nulls only when there is nothing else.
fn values(pipeline: &Pipeline, feed: &Feed, kind: &str, key: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (place, group) in pipeline.groups.iter().enumerate().filter(|(_, group)| group.entity == kind) {
        let (values, _) = feed.values(place, key);
        let columns = group.columns().into_iter().zip(values);
        all.extend(columns.map(|(column, value)| (column.name, value.and_then(|value| written(value, &column.kind)))));
    }
    let told: Vec<(String, String)> = all.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
    let nothing = || all.iter().map(|(name, _)| (name.clone(), "\"null\"".to_owned())).collect();
    let mut shown = if told.is_empty() { nothing() } else { told };
    // Zeros tell least.
    shown.sort_by_key(|(_, value)| value == "0");
    shown.truncate(CASE_VALUES_MAX);
    shown
}

fn written(value: Value, kind: &ValueKind) -> Option<String> {
    match (value, kind) {
        (Value::Float(float), _) => float.is_finite().then(|| float.to_string()),
        (Value::Integer(truth), ValueKind::Boolean) => Some((truth == 1).to_string()),
        (Value::Integer(at), ValueKind::Time) => Some(quoted(&Timestamp(at).to_string())),
        (Value::Integer(label), ValueKind::Category(labels)) => {
            usize::try_from(label).ok().and_then(|label| labels.get(label)).map(|label| quoted(label))
        }
        (Value::Integer(number), _) => Some(number.to_string()),
    }
}

/// What a reason for refusal means, for people.
pub(super) fn meaning(code: &str) -> &'static str {
    let reason = Reason::ALL.into_iter().find(|reason| reason.code() == code);
    match reason {
        Some(Reason::TooLarge) => "longer than 1 MiB",
        Some(Reason::NotUtf8) => "no UTF-8",
        Some(Reason::Malformed) => "no JSON object",
        Some(Reason::MissingField) => "without a field that identifies, dates or places it",
        Some(Reason::WrongType) => "with a value of another type than the others",
        Some(Reason::OffStep) => "with a number between two steps",
        Some(Reason::OutOfRange) => "with a number or time out of bounds",
        Some(Reason::Future) => "stamped in the future",
        Some(Reason::Late) => "much later than the others",
        Some(Reason::Duplicate) => "that came before",
        // The others are not about lines of a file.
        _ => "for another reason",
    }
}
