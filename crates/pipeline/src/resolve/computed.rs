//! Values computed by expressions over a row and over each other, in any order: transforms and the inputs of a case.

mod shrunk;

use std::collections::BTreeMap;

use domain::ValueKind;

use super::check_name;
use super::expressions::report_all;
use crate::document::Path;
use crate::expression::{Expr, Type};
use crate::raw::{RawComputed, Sql};
use crate::report::Report;
use crate::resolved::Transform;
use crate::sql::{self, Scope, ScopeName, Syntax};

/// More computed values than this are no pipeline that anybody reads.
const COMPUTED_MAX: usize = 512;

/// What computed values are called in messages.
pub(super) struct Noun {
    /// `a transform`
    pub(super) one: &'static str,
    /// `transforms`
    pub(super) many: &'static str,
}

/// The values that could be read, each after those that it uses.
#[derive(Default)]
pub(super) struct Computed {
    pub(super) values: Vec<Transform>,
    /// Names of those at fault.
    pub(super) broken: Vec<String>,
}

/// One value whose words make sense.
pub(super) struct Parsed {
    name: String,
    path: Path,
    body: Body,
}

/// How it is computed.
enum Body {
    Sql(Syntax),
    Shrunk(Vec<shrunk::Level>),
}

/// What expressions see: the columns of a row, and the values computed so far.
pub(super) struct Row {
    scope: Scope,
    kinds: Vec<ValueKind>,
}

/// Reads the words of all expressions of a table, in the order of the spec; those at fault are named in `broken`.
pub(super) fn parse(
    written: &BTreeMap<String, RawComputed>,
    all: &Path,
    noun: &Noun,
    broken: &mut Vec<String>,
    report: &mut Report<'_>,
) -> Vec<Parsed> {
    let names = report.document().keys(all);
    if names.len() > COMPUTED_MAX {
        let message = format!("{} {} are declared; {COMPUTED_MAX} are allowed", names.len(), noun.many);
        report.key(all, "too_many_columns", message).suggest("split the pipeline");
        broken.extend(names);
        return Vec::new();
    }
    let mut parsed = Vec::new();
    for name in names {
        let path = all.key(&name);
        check_name(&path, &name, report);
        let body = match written.get(&name) {
            Some(RawComputed::Sql(text)) => syntax(&path, text, report).map(Body::Sql),
            Some(RawComputed::Shrunk(shrunk)) => shrunk::parse(shrunk, &path.key("shrink"), report).map(Body::Shrunk),
            None => None,
        };
        match body {
            Some(body) => parsed.push(Parsed { name, path, body }),
            None => broken.push(name),
        }
    }
    parsed
}

/// The words of one expression.
fn syntax(path: &Path, text: &Sql, report: &mut Report<'_>) -> Option<Syntax> {
    sql::parse(&text.0).map_err(|fault| report_all(path, vec![fault], report)).ok()
}

impl Parsed {
    /// The expressions that it is made of.
    pub(super) fn expressions(&self) -> Vec<(&Path, &Syntax)> {
        match &self.body {
            Body::Sql(syntax) => vec![(&self.path, syntax)],
            Body::Shrunk(levels) => levels.iter().flat_map(shrunk::Level::expressions).collect(),
        }
    }
}

/// Gives expressions their types, and the row their values.
pub(super) fn in_order(mut waiting: Vec<Parsed>, row: &mut Row, noun: &Noun, report: &mut Report<'_>) -> Computed {
    let mut result = Computed::default();
    while !waiting.is_empty() {
        // The first in the order of the spec whose own values are all there.
        let ready = waiting.iter().position(|parsed| waits_for(parsed, &waiting).is_none());
        let Some(ready) = ready else {
            report_cycle(&waiting, noun, report);
            result.broken.extend(waiting.drain(..).map(|parsed| parsed.name));
            break;
        };
        let parsed = waiting.remove(ready);
        match row.computed(&parsed, noun, report) {
            Some(value) => result.values.push(value),
            None => {
                row.scope.broken.push(parsed.name.clone());
                result.broken.push(parsed.name);
            }
        }
    }
    result
}

impl Row {
    /// A row of columns. Whoever uses a broken one is not blamed.
    pub(super) fn new(noun: &str, columns: impl IntoIterator<Item = (String, ValueKind)>, broken: Vec<String>) -> Self {
        let scope = Scope { noun: noun.into(), names: Vec::new(), broken };
        let mut row = Self { scope, kinds: Vec::new() };
        columns.into_iter().for_each(|(name, kind)| row.add(name, kind));
        row
    }

    /// What expressions over the row see.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The type of a column.
    pub(super) fn kind(&self, place: usize) -> &ValueKind {
        &self.kinds[place]
    }

    /// Whoever uses one of these names from now on is not blamed.
    pub(super) fn forgive(&mut self, broken: Vec<String>) {
        self.scope.broken.extend(broken);
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

    fn computed(&mut self, parsed: &Parsed, noun: &Noun, report: &mut Report<'_>) -> Option<Transform> {
        let (expr, kind) = match &parsed.body {
            Body::Sql(syntax) => self.of_sql(&parsed.path, syntax, noun, report)?,
            Body::Shrunk(levels) => (shrunk::expr(levels, &self.scope, report)?, ValueKind::Float),
        };
        self.add(parsed.name.clone(), kind.clone());
        Some(Transform { name: parsed.name.clone(), expr, kind })
    }

    fn of_sql(&self, path: &Path, syntax: &Syntax, noun: &Noun, report: &mut Report<'_>) -> Option<(Expr, ValueKind)> {
        let checked = sql::check(syntax, &self.scope).map_err(|faults| report_all(path, faults, report)).ok()?;
        let kind = match (&checked.expr, checked.kind) {
            (Expr::Field(place), _) => self.kinds[*place].clone(),
            (_, Type::Number) => ValueKind::Float,
            (_, Type::Boolean) => ValueKind::Boolean,
            (_, Type::Time) => ValueKind::Time,
            (_, Type::Text) => {
                let message = format!("{} gives a number, a time or a condition, not a text", noun.one);
                report.value(path, "type_mismatch", message).suggest("compare the text with something");
                return None;
            }
        };
        Some((checked.expr, kind))
    }
}

/// The first value that another uses and that is still waiting.
fn waits_for<'p>(parsed: &Parsed, waiting: &'p [Parsed]) -> Option<&'p Parsed> {
    let expressions = parsed.expressions();
    let names: Vec<&str> = expressions.iter().flat_map(|(_, syntax)| syntax.names()).map(|(name, _)| name).collect();
    waiting.iter().find(|other| names.contains(&&*other.name))
}

/// Every waiting value waits for another, so following them comes back to one that was passed.
fn report_cycle(waiting: &[Parsed], noun: &Noun, report: &mut Report<'_>) {
    let mut way: Vec<&Parsed> = Vec::new();
    let mut at = waiting.first();
    while let Some(parsed) = at {
        if let Some(start) = way.iter().position(|passed| passed.name == parsed.name) {
            let names: Vec<&str> = way[start..].iter().chain([&parsed]).map(|passed| passed.name.as_str()).collect();
            let message = format!("these {} use each other: {}", noun.many, names.join(" → "));
            report.value(&parsed.path, "cyclic_transform", message).suggest("compute one of them from feature columns alone");
            return;
        }
        way.push(parsed);
        at = waits_for(parsed, waiting);
    }
}
