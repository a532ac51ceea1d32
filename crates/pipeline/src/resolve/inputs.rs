//! Inputs: the values that an aggregator takes, and what their units mean.

use domain::LATEST;

use super::expressions::value;
use crate::document::Path;
use crate::expression::{Expr, Type};
use crate::quantities::{self, UNITS_MAX};
use crate::raw::{Sql, StepText};
use crate::report::Report;
use crate::resolved::{Field, FieldKind, Input, InputKind, Source};
use crate::sql::Scope;

/// The kinds of value that an aggregator takes.
#[derive(Clone, Copy)]
pub(super) struct Accepts {
    pub(super) decimals: bool,
    pub(super) integers: bool,
    pub(super) booleans: bool,
    pub(super) times: bool,
    pub(super) categories: bool,
    pub(super) texts: bool,
}

impl Accepts {
    const NOTHING: Self =
        Self { decimals: false, integers: false, booleans: false, times: false, categories: false, texts: false };
    /// Decimals and integers.
    pub(super) const NUMBERS: Self = Self { decimals: true, integers: true, ..Self::NOTHING };
    /// Decimals, for positions.
    pub(super) const DECIMALS: Self = Self { decimals: true, ..Self::NOTHING };
    /// Whatever a vector can hold.
    pub(super) const CARRIED: Self = Self { booleans: true, times: true, categories: true, ..Self::NUMBERS };
    /// What is counted value by value.
    pub(super) const LISTED: Self = Self { integers: true, booleans: true, categories: true, ..Self::NOTHING };

    fn takes(&self, kind: &InputKind) -> bool {
        match kind {
            InputKind::Decimal { .. } => self.decimals,
            InputKind::Integer => self.integers,
            InputKind::Boolean => self.booleans,
            InputKind::Time => self.times,
            InputKind::Category(_) => self.categories,
            InputKind::Text => self.texts,
        }
    }

    fn phrase(&self) -> String {
        let kinds = [
            (self.decimals, "decimals"),
            (self.integers, "integers"),
            (self.booleans, "conditions"),
            (self.times, "times"),
            (self.categories, "categories"),
            (self.texts, "texts"),
        ];
        let kinds: Vec<&str> = kinds.into_iter().filter(|(taken, _)| *taken).map(|(_, kind)| kind).collect();
        match kinds.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => kinds.concat(),
        }
    }
}

/// Reads one value of a feature. `step` comes with the path of the feature, beside whose keys it stands.
pub(super) fn input(
    aggregator: &str,
    path: &Path,
    text: &Sql,
    step: (Option<&StepText>, &Path),
    accepts: &Accepts,
    (scope, source): (&Scope, &Source),
    report: &mut Report<'_>,
) -> Option<Input> {
    let step_path = step.1.key("step");
    let digits = step.0.map(|step| report.take(&step_path, "bad_step", quantities::step(&step.0)));
    let checked = value(path, text, scope, report)?;
    let bare = match checked.expr {
        Expr::Field(place) => source.fields.get(place),
        _ => None,
    };
    let (kind, units_max) = match (bare, checked.kind) {
        (Some(field), _) => of_field(field),
        (None, Type::Boolean) => (InputKind::Boolean, 1),
        (None, Type::Time) => (InputKind::Time, LATEST.0),
        (None, Type::Text) => (InputKind::Text, 0),
        (None, Type::Number) => (InputKind::Decimal { digits: digits.flatten().unwrap_or(0) }, UNITS_MAX),
    };
    if !accepts.takes(&kind) {
        let message = format!("`{aggregator}` takes {}, and this is {}", accepts.phrase(), phrase(&kind));
        report.value(path, "type_mismatch", message).suggest_maybe(advice(aggregator, &kind, accepts));
        return None;
    }
    let computed_number = bare.is_none() && checked.kind == Type::Number;
    if computed_number && digits.is_none() && !report.is_written(&step_path) {
        let message = "a computed number needs a `step` that it is rounded to";
        report.value(path, "missing_step", message).suggest("add step = \"0.01\" to the feature, or use a bare field");
        return None;
    }
    if !computed_number && digits.is_some() {
        let message = "`step` is for computed numbers; this value has its own step";
        report.key(&step_path, "misplaced_key", message).suggest("remove it");
        return None;
    }
    if computed_number && digits.flatten().is_none() {
        return None;
    }
    Some(Input { expr: checked.expr, kind, units_max })
}

fn of_field(field: &Field) -> (InputKind, i64) {
    match &field.kind {
        FieldKind::Text | FieldKind::Cell { .. } => (InputKind::Text, 0),
        FieldKind::Integer { min, max } => (InputKind::Integer, min.abs().max(max.abs())),
        FieldKind::Decimal { digits, min, max, .. } => (InputKind::Decimal { digits: *digits }, min.abs().max(max.abs())),
        FieldKind::Boolean => (InputKind::Boolean, 1),
        FieldKind::Time => (InputKind::Time, LATEST.0),
        FieldKind::Category(labels) => (InputKind::Category(labels.clone()), labels.len() as i64 - 1),
    }
}

fn phrase(kind: &InputKind) -> &'static str {
    match kind {
        InputKind::Decimal { .. } => "a decimal",
        InputKind::Integer => "an integer",
        InputKind::Boolean => "a condition",
        InputKind::Time => "a time",
        InputKind::Category(_) => "a category",
        InputKind::Text => "a text",
    }
}

fn advice(aggregator: &str, kind: &InputKind, accepts: &Accepts) -> Option<String> {
    match kind {
        InputKind::Text if accepts.categories => {
            Some("declare the field as a category, { category = [\"…\", \"…\"] }, or use `distinct`".into())
        }
        InputKind::Text | InputKind::Category(_) => {
            Some("count its values with `distinct`, or compare it and use `count`".into())
        }
        InputKind::Boolean => Some("use `count` for how often it holds, or `mean` for its share".into()),
        InputKind::Time => Some("subtract two times for seconds, or use `first`, `last`, `min` or `max`".into()),
        InputKind::Integer if aggregator == "travel" => Some("declare the coordinates as decimals".into()),
        InputKind::Integer | InputKind::Decimal { .. } => None,
    }
}
