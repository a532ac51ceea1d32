//! The pipeline's own tests: which events, and which values are expected of which entity.

use std::collections::{BTreeMap, BTreeSet};

use domain::ValueKind;

use super::check_file;
use crate::document::Path;
use crate::quantities;
use crate::raw::{RawExample, RawExpected, RawPipeline, RawTold};
use crate::report::Report;
use crate::resolved::{Example, Pipeline, SourceKind, ToldAbsence};
use crate::suggestion::{did_you_mean, listed};

/// Why a record can be refused, from `docs/semantics.md`.
const REASONS: [&str; 10] = [
    "too_large",
    "not_utf8",
    "malformed",
    "missing_field",
    "wrong_type",
    "off_step",
    "out_of_range",
    "future",
    "late",
    "duplicate",
];

/// Expected where a value is null.
const NULL: &str = "null";

/// Reads all tests.
pub(super) fn resolve(
    raw: &RawPipeline,
    pipeline: &Pipeline,
    broken: &[String],
    exists: &dyn Fn(&str) -> bool,
    report: &mut Report<'_>,
) -> Vec<Example> {
    let all = Path::default().key("test");
    let expectable = Expectable::new(pipeline, broken);
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for (place, raw) in raw.test.iter().enumerate() {
        let path = all.index(place);
        if let Some(name) = raw.name.as_ref().filter(|name| !names.insert((*name).clone())) {
            let message = format!("another test is called `{name}`");
            report.value(&path.key("name"), "duplicate_name", message).suggest("say what this one shows");
        }
        cases.extend(case(raw, &path, &expectable, pipeline, exists, report));
    }
    cases
}

fn case(
    raw: &RawExample,
    path: &Path,
    expectable: &Expectable<'_>,
    pipeline: &Pipeline,
    exists: &dyn Fn(&str) -> bool,
    report: &mut Report<'_>,
) -> Option<Example> {
    if let Some(events) = &raw.events {
        check_file(&path.key("events"), events, exists, report);
    }
    let at = raw.at.as_ref().and_then(|text| report.take(&path.key("at"), "bad_time", quantities::instant(text)));
    if ["expect", "refused", "absences"].iter().all(|key| !report.is_written(&path.key(key))) {
        let message = "this test expects nothing";
        report.value(path, "missing_key", message).suggest("add expect = { \"store:42\" = { … } } or refused = { late = 1 }");
    }
    let mut expect = Vec::new();
    for (entity, columns) in &raw.expect {
        let path = path.key("expect").key(entity);
        let Some(kind) = expectable.entity(entity, &path, report) else { continue };
        for (column, expected) in columns {
            let value = expectable.value(kind, column, expected, &path.key(column), report);
            expect.extend(value.map(|value| (entity.clone(), column.clone(), value)));
        }
    }
    for reason in raw.refused.iter().flat_map(BTreeMap::keys).filter(|reason| !REASONS.contains(&reason.as_str())) {
        let help = did_you_mean(reason, REASONS);
        let path = path.key("refused").key(reason);
        report.key(&path, "unknown_value", format!("`{reason}` is no reason to refuse a record")).suggest_maybe(help);
    }
    let refused = raw.refused.as_ref().map(|refused| refused.iter().map(|(reason, count)| (reason.clone(), *count)).collect());
    let place = |place: usize| path.key("absences").index(place);
    let told = |(at, raw): (usize, &RawTold)| told(raw, &place(at), pipeline, report);
    let absences = raw.absences.as_ref().map(|all| all.iter().enumerate().filter_map(told).collect());
    Some(Example { name: raw.name.clone()?, events: raw.events.clone()?, at, expect, refused, absences })
}

fn told(raw: &RawTold, path: &Path, pipeline: &Pipeline, report: &mut Report<'_>) -> Option<ToldAbsence> {
    let due = raw.due.as_ref().and_then(|text| report.take(&path.key("due"), "bad_time", quantities::instant(text)));
    let name = raw.source.as_ref()?;
    let source = pipeline.sources.iter().position(|source| source.name == *name);
    let is_absence = |place: &usize| matches!(pipeline.sources[*place].kind, SourceKind::Absence(_));
    let Some(source) = source.filter(is_absence) else {
        let absences = pipeline.sources.iter().filter(|source| matches!(source.kind, SourceKind::Absence(_)));
        let help = did_you_mean(name, absences.map(|source| source.name.as_str()));
        report.value(&path.key("source"), "unknown_source", format!("there is no absence `{name}`")).suggest_maybe(help);
        return None;
    };
    Some(ToldAbsence { source, key: raw.key.clone()?, due: due?, taken_back: raw.taken_back })
}

/// What a test may expect: by column, the entity types that have it and how its values are written.
struct Expectable<'p> {
    columns: BTreeMap<String, (BTreeSet<&'p str>, ValueKind)>,
    entities: BTreeSet<&'p str>,
    broken: &'p [String],
}

impl<'p> Expectable<'p> {
    fn new(pipeline: &'p Pipeline, broken: &'p [String]) -> Self {
        let mut owners: Vec<BTreeSet<&str>> = Vec::new();
        for group in &pipeline.groups {
            owners.extend(group.columns().iter().map(|_| BTreeSet::from([group.entity.as_str()])));
        }
        // A transform belongs to the entity types of all columns it uses: to be expected, that has to be one.
        for transform in &pipeline.transforms {
            let mut used = BTreeSet::new();
            transform.expr.each_field(&mut |place| used.extend(owners.get(place).into_iter().flatten().copied()));
            owners.push(used);
        }
        let rows = pipeline.row_columns().into_iter().zip(owners);
        let columns = rows.map(|((name, kind), owners)| (name, (owners, kind))).collect();
        Self { columns, entities: pipeline.groups.iter().map(|group| group.entity.as_str()).collect(), broken }
    }

    /// The type of an entity such as `store:42`.
    fn entity<'e>(&self, entity: &'e str, path: &Path, report: &mut Report<'_>) -> Option<&'e str> {
        let split = entity.split_once(':').filter(|(kind, key)| !kind.is_empty() && !key.is_empty());
        let Some((kind, _)) = split else {
            report
                .key(path, "unknown_entity", format!("`{entity}` is no entity"))
                .suggest("write type and key, such as \"store:42\"");
            return None;
        };
        if !self.entities.contains(kind) {
            if self.broken.is_empty() {
                let help = did_you_mean(kind, self.entities.iter().copied());
                report.key(path, "unknown_entity", format!("no group has the entity type `{kind}`")).suggest_maybe(help);
            }
            return None;
        }
        Some(kind)
    }

    fn value(
        &self,
        entity: &str,
        column: &str,
        expected: &RawExpected,
        path: &Path,
        report: &mut Report<'_>,
    ) -> Option<Option<f64>> {
        let Some((owners, kind)) = self.columns.get(column) else {
            let is_broken = self.broken.iter().any(|broken| column.starts_with(broken.as_str()));
            if !is_broken {
                let help = did_you_mean(column, self.columns.keys().map(String::as_str));
                report.key(path, "unknown_column", format!("there is no column `{column}`")).suggest_maybe(help);
            }
            return None;
        };
        if owners.len() != 1 || !owners.contains(entity) {
            let owners: Vec<&str> = owners.iter().copied().collect();
            let message = format!("`{column}` is no column of `{entity}` alone");
            report.key(path, "unknown_column", message).suggest(format!("it is made of columns of {}", listed(&owners)));
            return None;
        }
        match expected {
            RawExpected::Text(text) if text == NULL => Some(None),
            _ => report.take(path, "wrong_value", number_of(expected, kind)).map(Some),
        }
    }
}

fn number_of(expected: &RawExpected, kind: &ValueKind) -> Result<f64, String> {
    match (expected, kind) {
        (RawExpected::Number(number), ValueKind::Float | ValueKind::Integer) => Ok(*number),
        (RawExpected::Boolean(truth), ValueKind::Boolean) => Ok(f64::from(u8::from(*truth))),
        (RawExpected::Text(text), ValueKind::Time) => quantities::instant(text).map(|instant| instant.0 as f64),
        (RawExpected::Text(text), ValueKind::Category(labels)) => {
            let place = labels.iter().position(|label| label == text);
            place.map(|place| place as f64).ok_or_else(|| format!("'{text}' is none of {}", listed(labels)))
        }
        (_, ValueKind::Float | ValueKind::Integer) => Err("this column holds numbers; write a number or \"null\"".into()),
        (_, ValueKind::Boolean) => Err("this column holds true, false or \"null\"".into()),
        (_, ValueKind::Time) => Err("this column holds times; write RFC 3339 text or \"null\"".into()),
        (_, ValueKind::Category(labels)) => {
            Err(format!("this column holds a category; write one of {} or \"null\"", listed(labels)))
        }
    }
}
