//! Why a feature has the value that it has: recomputed from the log, with the records behind it.
//!
//! Needs no running engine and disturbs none: it reads as a tool does, beside every group of the log.

mod render;
mod told;

use dataplane::{features::Plan, past};
use domain::{Span, Timestamp};
use features::{Engine, Trace, Wanted};
use pipeline::{Column, Group, Pipeline, SourceKind, reach};
use ports::Log;

pub use self::told::{Entry, Explanation, Missed, Part, Place, Tile, Window};
use crate::{Error, feed::BATCH_RECORDS_MAX, past::Past, replay::of_source};

/// Bytes of letters that are read at once.
const LETTER_BYTES: usize = 1 << 20;

/// One value: of which entity, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Index of the group.
    pub group: usize,
    /// The entity's key.
    pub key: String,
    /// Name of the column.
    pub column: String,
    /// The instant: what had arrived before it counts.
    pub at: Timestamp,
}

impl Question {
    /// From what a person writes: `store:42` and `prep_mean_15m`.
    pub fn new(pipeline: &Pipeline, entity: &str, column: &str, at: Timestamp) -> Result<Self, Error> {
        let Some((kind, key)) = entity.split_once(':').filter(|(_, key)| !key.is_empty()) else {
            return Err(Error::setting(format!("`{entity}` names no entity"), "write its type and key, such as store:42"));
        };
        let of_column = |group: &&Group| group.columns().iter().any(|known| known.name == column);
        let Some(group) = pipeline.groups.iter().position(|group| of_column(&group)) else {
            let known: Vec<String> = (pipeline.groups.iter())
                .filter(|group| group.entity == kind)
                .flat_map(|group| group.columns().into_iter().map(|column| column.name))
                .collect();
            let help = format!("the features of a {kind} are: {}", known.join(", "));
            return Err(Error::setting(format!("there is no feature `{column}` in {}", pipeline.id), help));
        };
        let expected = &pipeline.groups[group].entity;
        if expected != kind {
            let message = format!("`{column}` is a feature of a {expected} and not of a {kind}");
            return Err(Error::setting(message, format!("ask for {expected}:<key>")));
        }
        Ok(Self { group, key: key.to_owned(), column: column.to_owned(), at })
    }
}

/// Explains one value.
pub async fn explain<L: Log>(log: &L, plan: &Plan, question: &Question) -> Result<Explanation, Error> {
    let pipeline = &*plan.pipeline;
    let group = &pipeline.groups[question.group];
    let columns = group.columns();
    let column = columns.iter().find(|column| column.name == question.column).ok_or_else(|| {
        let message = format!("group {} has no column `{}`", group.name, question.column);
        Error::setting(message, "make the question with Question::new")
    })?;
    let Some(base) = pipeline.base_of(group.source) else { return of_file(plan, question, column) };
    let topic = topic_of(plan, base);
    let as_of = stands_still_at(log, plan, base, &topic, group, question.at).await?;
    let wanted = Wanted { group: question.group, column, key: &question.key, at: as_of };
    let Some(mut trace) = Trace::new(pipeline, wanted, plan.partitions)? else { return of_file(plan, question, column) };
    let from = begin(pipeline, group, column, as_of);
    let records = follow(log, plan, &mut trace, &topic, from, question.at).await?;
    let mut told = told::told(pipeline, question, column, &topic, &trace, as_of);
    told.read = records;
    told.read_from = from.map(|from| from.to_string());
    told.incomplete = incomplete(log, plan, &topic, group, column, as_of).await?;
    told.dropped = dropped(log, plan, group, &question.key, from, question.at).await?;
    Ok(told)
}

/// The value of a row in a file has no records.
fn of_file(plan: &Plan, question: &Question, column: &Column) -> Result<Explanation, Error> {
    let mut engine = Engine::new(plan.pipeline.clone(), features::Config::default())?;
    for (source, lines) in &plan.files {
        engine.load_file(*source, lines, question.at);
    }
    let group = &plan.pipeline.groups[question.group];
    let place = group.columns().iter().position(|known| known.name == column.name);
    let vector = engine.vector(question.group, &question.key);
    let value = vector.zip(place).and_then(|(vector, place)| vector.values[place]);
    Ok(told::of_file(&plan.pipeline, question, column, value))
}

fn topic_of(plan: &Plan, base: usize) -> std::sync::Arc<str> {
    let read = plan.topics.inputs().iter().find(|(_, sources)| sources.contains(&base));
    read.map(|(name, _)| name.clone()).unwrap_or_else(|| panic!("each stream is read from the topic that it declares"))
}

/// The instant of the values: the one that is asked for, unless the source was silent then.
async fn stands_still_at<L: Log>(
    log: &L,
    plan: &Plan,
    base: usize,
    topic: &str,
    group: &Group,
    at: Timestamp,
) -> Result<Timestamp, Error> {
    let source = &plan.pipeline.sources[group.source];
    let Some(silent_after) = source.silent_after.or(plan.pipeline.sources[base].silent_after) else { return Ok(at) };
    let mut heard = None;
    for partition in 0..plan.partitions {
        let Some(bounds) = past::bounds(log, topic, partition).await? else { continue };
        let next = log.offset_at(topic, partition, at).await?;
        if next > bounds.first {
            let last = log.read(topic, partition, next - 1, 1).await?;
            heard = heard.max(last.first().map(|record| record.append_at));
        }
    }
    Ok(heard.map_or(at, |heard| at.min(heard.plus(silent_after))))
}

/// Where the reading begins; none for the beginning of the log.
fn begin(pipeline: &Pipeline, group: &Group, column: &Column, as_of: Timestamp) -> Option<Timestamp> {
    let window = window_of(group, column);
    let is_table = matches!(pipeline.sources[group.source].kind, SourceKind::Table(_));
    // A value without a window may go on and on as long as no gap ends it.
    let bounded = window.is_some() || is_table;
    reach(pipeline, group, window).filter(|_| bounded).map(|reach| as_of.minus(reach.replay()))
}

fn window_of(group: &Group, column: &Column) -> Option<Span> {
    column.window.map(|window| group.features[column.feature].windows[window].width)
}

/// Feeds the trace and returns how many records it saw.
async fn follow<L: Log>(
    log: &L,
    plan: &Plan,
    trace: &mut Trace,
    topic: &std::sync::Arc<str>,
    from: Option<Timestamp>,
    until: Timestamp,
) -> Result<u64, Error> {
    let from = from.unwrap_or(Timestamp(i64::MIN));
    let mut past = Past::open(log, std::slice::from_ref(topic), plan.partitions, from, until).await?;
    let mut batch = Vec::new();
    while let Some(item) = past.next_before(until).await? {
        batch.push(item);
        if batch.len() == BATCH_RECORDS_MAX {
            give(trace, &batch);
            batch.clear();
        }
    }
    give(trace, &batch);
    trace.finish();
    Ok(past.done())
}

fn give(trace: &mut Trace, batch: &[crate::past::Item]) {
    let Some(last) = batch.last() else { return };
    let base = trace.base();
    let records = batch.iter().map(|item| (item.partition, of_source(base, &item.record)));
    let records: Vec<(u32, features::Record<'_>)> = records.collect();
    trace.take(&records, last.record.append_at.plus(Span(1)));
}

/// What is missing when retention took records that the value may be made of.
async fn incomplete<L: Log>(
    log: &L,
    plan: &Plan,
    topic: &str,
    group: &Group,
    column: &Column,
    as_of: Timestamp,
) -> Result<Option<String>, Error> {
    let Some(reach) = reach(&plan.pipeline, group, window_of(group, column)) else { return Ok(None) };
    let needed = as_of.minus(reach.back);
    for partition in 0..plan.partitions {
        if let Some(begins) = past::begins_at(log, topic, partition).await?.filter(|begins| *begins > needed) {
            let begins = if begins == Timestamp(i64::MAX) { "nowhere: it is empty".to_owned() } else { begins.to_string() };
            return Ok(Some(format!(
                "{topic}/{partition} begins at {begins}; the value may need records from {needed} on ({})",
                reach.words
            )));
        }
    }
    Ok(None)
}

/// Parts of events of the entity that found no place, by reason, as the letters of the time say.
async fn dropped<L: Log>(
    log: &L,
    plan: &Plan,
    group: &Group,
    key: &str,
    from: Option<Timestamp>,
    until: Timestamp,
) -> Result<std::collections::BTreeMap<String, u64>, Error> {
    let mut found = std::collections::BTreeMap::new();
    let topic = plan.topics.late();
    for partition in 0..plan.partitions {
        let Some(bounds) = past::bounds(log, &topic, partition).await? else { continue };
        let mut next = match from {
            Some(from) => log.offset_at(&topic, partition, from).await?,
            None => bounds.first,
        };
        let end = log.offset_at(&topic, partition, until).await?;
        while next < end {
            let letters = log.read(&topic, partition, next, LETTER_BYTES).await?;
            next = letters.last().map_or(end, |last| last.offset + 1);
            for letter in letters.iter().filter(|letter| letter.offset < end && *letter.key == *key.as_bytes()) {
                let header = |name: &str| crate::audit::header(letter, name);
                if header("group") == Some(&group.name) {
                    *found.entry(header("reason").unwrap_or_default().to_owned()).or_default() += 1;
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
