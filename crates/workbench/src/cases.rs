//! A pipeline's own tests: events in, expected values out.

use std::{collections::BTreeMap, fmt, path::Path, slice, sync::Arc};

use domain::{Span, Timestamp, Value};
use features::AbsenceChange;
use pipeline::{Example, Pipeline, ToldAbsence};

use crate::{
    Error,
    feed::Feed,
    history::{Event, History},
};

/// Expected numbers are written by people, with as many digits as they can bear.
const RELATIVE_TOLERANCE: f64 = 1e-9;

/// How one case went.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// The instant of the vectors.
    pub at: Timestamp,
    /// How many values were compared.
    pub compared: usize,
    /// What differs; empty when the case holds.
    pub differences: Vec<Difference>,
    /// Events that were not seen because they arrive at or after the instant.
    pub unseen: usize,
}

/// A value or count that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `store:42`, or `refused`, or `absences`.
    pub entity: String,
    /// A column, transform, reason, or what was told.
    pub column: String,
    /// None: null.
    pub expected: Option<f64>,
    /// None: null.
    pub found: Option<f64>,
    /// Whether any group of the pipeline knows the entity.
    pub is_known: bool,
}

/// Runs all tests of a pipeline.
pub fn run_cases(pipeline: &Arc<Pipeline>, folder: &Path) -> Result<Vec<Outcome>, Error> {
    pipeline.tests.iter().map(|case| run_case(pipeline, folder, case)).collect()
}

fn run_case(pipeline: &Arc<Pipeline>, folder: &Path, case: &Example) -> Result<Outcome, Error> {
    let path = folder.join(&case.events);
    let events = History::open(pipeline, slice::from_ref(&path))?.collect::<Result<Vec<Event>, Error>>()?;
    let last = events.last().map(|event| event.append_at);
    let at = case.at.or(last.map(|last| last.plus(Span(1)))).ok_or_else(|| {
        Error::content(
            &path,
            0,
            "no event and no `at`: nothing says at which instant to look",
            "add an event, or `at` to the test",
        )
    })?;
    let mut feed = Feed::new(pipeline, folder)?;
    if case.absences.is_some() {
        feed = feed.listened_to();
    }
    let unseen = events.iter().filter(|event| event.append_at >= at).count();
    let mut now = Timestamp(i64::MIN);
    for event in events.into_iter().filter(|event| event.append_at < at) {
        if case.absences.is_some() && event.append_at > now {
            // Time passes between events, and what is due before one of them is told before it. Those of one instant are one step.
            now = event.append_at;
            feed.settle(now);
        }
        feed.push(event);
    }
    feed.settle(at);
    let mut differences = Vec::new();
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for (entity, column, expected) in &case.expect {
        let row = rows.entry(entity).or_insert_with(|| Row::read(pipeline, &feed, entity));
        let found = row.values.get(column.as_str()).copied().flatten();
        if !agree(*expected, found) {
            let (entity, column) = (entity.clone(), column.clone());
            differences.push(Difference { entity, column, expected: *expected, found, is_known: row.is_known });
        }
    }
    let refused = case.refused.as_ref().map(|refused| compare_refused(refused, &feed.counts().refused));
    differences.extend(refused.into_iter().flatten());
    let absences = case.absences.as_ref().map(|expected| compare_told(pipeline, expected, feed.told()));
    differences.extend(absences.into_iter().flatten());
    let counted = |of: Option<usize>| of.map_or(0, |count| count.max(1));
    let compared =
        case.expect.len() + counted(case.refused.as_ref().map(Vec::len)) + counted(case.absences.as_ref().map(Vec::len));
    Ok(Outcome { name: case.name.clone(), at, compared, differences, unseen })
}

/// All that is known of one entity, by column and transform.
struct Row {
    values: BTreeMap<String, Option<f64>>,
    is_known: bool,
}

impl Row {
    fn read(pipeline: &Pipeline, feed: &Feed, entity: &str) -> Self {
        let (kind, key) = entity.split_once(':').unwrap_or((entity, ""));
        let mut columns: Vec<Vec<Option<Value>>> = Vec::new();
        let mut is_known = false;
        for (place, group) in pipeline.groups.iter().enumerate() {
            // Of an entity of another type a group says nothing.
            let (values, held) =
                if group.entity == kind { feed.values(place, key) } else { (vec![None; group.columns().len()], false) };
            is_known |= held;
            columns.extend(values.into_iter().map(|value| vec![value]));
        }
        columns.extend(features::transforms(pipeline, &columns));
        let names = pipeline.row_columns().into_iter().map(|(name, _)| name);
        Self { values: names.zip(columns.iter().map(|column| column[0].map(number))).collect(), is_known }
    }
}

/// Categories are their numbers, truth is 1, times are milliseconds.
fn number(value: Value) -> f64 {
    match value {
        Value::Float(float) => float,
        Value::Integer(integer) => integer as f64,
    }
}

fn agree(expected: Option<f64>, found: Option<f64>) -> bool {
    match (expected, found) {
        (Some(expected), Some(found)) => (expected - found).abs() <= RELATIVE_TOLERANCE * expected.abs().max(found.abs()),
        (None, None) => true,
        _ => false,
    }
}

fn compare_refused(expected: &[(String, u64)], found: &BTreeMap<&'static str, u64>) -> Vec<Difference> {
    let expected: BTreeMap<&str, u64> = expected.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    let mut reasons: Vec<&str> = expected.keys().copied().chain(found.keys().copied()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let counts = reasons.into_iter().map(|reason| {
        (reason, expected.get(reason).copied().unwrap_or_default(), found.get(reason).copied().unwrap_or_default())
    });
    let different = counts.filter(|(_, expected, found)| expected != found);
    let difference = |(reason, expected, found): (&str, u64, u64)| Difference {
        entity: "refused".into(),
        column: reason.into(),
        expected: Some(expected as f64),
        found: Some(found as f64),
        is_known: true,
    };
    different.map(difference).collect()
}

/// What is told of absences, however often, in any order.
fn compare_told(pipeline: &Pipeline, expected: &[ToldAbsence], found: &[AbsenceChange]) -> Vec<Difference> {
    let told = |change: &AbsenceChange| {
        let AbsenceChange { source, key, due, raised, .. } = change;
        ToldAbsence { source: *source, key: key.clone(), due: *due, taken_back: !raised }
    };
    let mut counts: BTreeMap<ToldAbsence, (u64, u64)> = BTreeMap::new();
    expected.iter().for_each(|expected| counts.entry(expected.clone()).or_default().0 += 1);
    found.iter().for_each(|found| counts.entry(told(found)).or_default().1 += 1);
    let different = counts.into_iter().filter(|(_, (expected, found))| expected != found);
    let difference = |(absence, (expected, found)): (ToldAbsence, (u64, u64))| {
        let ToldAbsence { source, key, due, taken_back } = absence;
        let taken_back = if taken_back { " taken back" } else { "" };
        Difference {
            entity: "absences".into(),
            column: format!("{} of {key} due {due}{taken_back}", pipeline.sources[source].name),
            expected: Some(expected as f64),
            found: Some(found as f64),
            is_known: true,
        }
    };
    different.map(difference).collect()
}

impl Outcome {
    /// Whether the case holds.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: Option<f64>| value.map_or("null".to_owned(), |value| value.to_string());
        let Self { entity, column, .. } = self;
        write!(formatter, "{entity} {column}: expected {}, found {}", shown(self.expected), shown(self.found))?;
        if !self.is_known {
            write!(formatter, " (nothing is known of {entity})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
