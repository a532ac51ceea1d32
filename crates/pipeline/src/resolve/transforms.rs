//! Transforms: values computed from the joined row of features and from each other.

use domain::ValueKind;

use super::check_name;
use super::expressions::report_all;
use super::groups::Groups;
use crate::document::Path;
use crate::expression::{Expr, Type};
use crate::raw::RawPipeline;
use crate::report::Report;
use crate::resolved::Transform;
use crate::sql::{self, Scope, ScopeName, Syntax};

/// More transforms than this are no pipeline that anybody reads.
const TRANSFORMS_MAX: usize = 512;

/// The transforms that could be read, each after those that it uses.
#[derive(Default)]
pub(super) struct Transforms {
    pub(super) transforms: Vec<Transform>,
    /// Names of transforms at fault.
    pub(super) broken: Vec<String>,
}

struct Parsed {
    name: String,
    path: Path,
    syntax: Syntax,
}

/// Reads all transforms.
pub(super) fn resolve(raw: &RawPipeline, groups: &Groups, report: &mut Report<'_>) -> Transforms {
    let all = Path::default().key("transform");
    let mut result = Transforms::default();
    let mut waiting = Vec::new();
    let names = report.document().keys(&all);
    if names.len() > TRANSFORMS_MAX {
        let message = format!("{} transforms are declared; {TRANSFORMS_MAX} are allowed", names.len());
        report.key(&all, "too_many_columns", message).suggest("split the pipeline");
        return Transforms { broken: names, ..result };
    }
    for name in names {
        let path = all.key(&name);
        check_name(&path, &name, report);
        if let Some(other) = groups.columns.get(&name) {
            let message = format!("the column `{name}` is made by `{other}` already");
            report.key(&path, "duplicate_name", message).suggest("rename one of the two");
        }
        match raw.transform.get(&name).map(|text| sql::parse(&text.0)) {
            Some(Ok(syntax)) => waiting.push(Parsed { name, path, syntax }),
            Some(Err(fault)) => {
                report_all(&path, vec![fault], report);
                result.broken.push(name);
            }
            None => result.broken.push(name),
        }
    }
    let mut row = Row::new(groups, &result.broken);
    while !waiting.is_empty() {
        // The first in the order of the spec whose transforms are all there.
        let ready = waiting.iter().position(|parsed| waits_for(parsed, &waiting).is_none());
        let Some(ready) = ready else {
            report_cycle(&waiting, report);
            result.broken.extend(waiting.drain(..).map(|parsed| parsed.name));
            break;
        };
        let parsed = waiting.remove(ready);
        match row.transform(&parsed, report) {
            Some(transform) => result.transforms.push(transform),
            None => {
                row.scope.broken.push(parsed.name.clone());
                result.broken.push(parsed.name);
            }
        }
    }
    result
}

/// What transforms see: the columns of all groups and the transforms so far.
struct Row {
    scope: Scope,
    kinds: Vec<ValueKind>,
}

impl Row {
    fn new(groups: &Groups, broken: &[String]) -> Self {
        let broken = [groups.broken.as_slice(), broken].concat();
        let mut row = Self { scope: Scope { noun: "the feature columns".into(), names: Vec::new(), broken }, kinds: Vec::new() };
        for column in groups.groups.iter().flat_map(|group| group.columns()) {
            row.add(column.name, column.kind);
        }
        row
    }

    fn add(&mut self, name: String, kind: ValueKind) {
        let (seen_as, labels) = match &kind {
            ValueKind::Float | ValueKind::Integer => (Type::Number, None),
            ValueKind::Boolean => (Type::Boolean, None),
            ValueKind::Time => (Type::Time, None),
            ValueKind::Category(labels) => (Type::Text, Some(labels.clone())),
        };
        self.scope.names.push(ScopeName { name, kind: seen_as, labels });
        self.kinds.push(kind);
    }

    fn transform(&mut self, parsed: &Parsed, report: &mut Report<'_>) -> Option<Transform> {
        let checked = sql::check(&parsed.syntax, &self.scope).map_err(|faults| report_all(&parsed.path, faults, report)).ok()?;
        let kind = match (&checked.expr, checked.kind) {
            (Expr::Field(place), _) => self.kinds[*place].clone(),
            (_, Type::Number) => ValueKind::Float,
            (_, Type::Boolean) => ValueKind::Boolean,
            (_, Type::Time) => ValueKind::Time,
            (_, Type::Text) => {
                let message = "a transform gives a number, a time or a condition, not a text";
                report.value(&parsed.path, "type_mismatch", message).suggest("compare the text with something");
                return None;
            }
        };
        self.add(parsed.name.clone(), kind.clone());
        Some(Transform { name: parsed.name.clone(), expr: checked.expr, kind })
    }
}

/// The first transform that another uses and that is still waiting.
fn waits_for<'p>(parsed: &Parsed, waiting: &'p [Parsed]) -> Option<&'p Parsed> {
    let names = parsed.syntax.names();
    waiting.iter().find(|other| names.contains(&other.name.as_str()))
}

/// Every waiting transform waits for another, so following them comes back to one that was passed.
fn report_cycle(waiting: &[Parsed], report: &mut Report<'_>) {
    let mut way: Vec<&Parsed> = Vec::new();
    let mut at = waiting.first();
    while let Some(parsed) = at {
        if let Some(start) = way.iter().position(|passed| passed.name == parsed.name) {
            let names: Vec<&str> = way[start..].iter().chain([&parsed]).map(|passed| passed.name.as_str()).collect();
            let message = format!("these transforms use each other: {}", names.join(" → "));
            report.value(&parsed.path, "cyclic_transform", message).suggest("compute one of them from feature columns alone");
            return;
        }
        way.push(parsed);
        at = waits_for(parsed, waiting);
    }
}
