//! Fallbacks: what is said when no model can be asked. The last one is always known.

use std::collections::BTreeSet;

use super::row::CaseRow;
use crate::document::Path;
use crate::expression::{Arithmetic, Expr, Type};
use crate::raw::{RawFallback, Sql};
use crate::report::Report;
use crate::resolve::check_name;
use crate::resolve::expressions::report_all;
use crate::resolved::Fallback;
use crate::sql::{self, phrase};

/// More steps than this are no order that anybody remembers.
const FALLBACKS_MAX: usize = 16;

/// Reads all fallbacks.
pub(super) fn fallbacks(raw: Option<&[RawFallback]>, path: &Path, row: &mut CaseRow, report: &mut Report<'_>) -> Vec<Fallback> {
    let Some(raw) = raw else { return Vec::new() };
    if raw.is_empty() {
        let message = "nothing can be said when the model cannot be asked";
        report.value(path, "missing_key", message).suggest("add one with a number: [[case.fallback]] and seconds = \"2100\"");
    }
    if raw.len() > FALLBACKS_MAX {
        let message = format!("{} fallbacks are declared; {FALLBACKS_MAX} are allowed", raw.len());
        report.value(&path.index(FALLBACKS_MAX), "out_of_range", message).suggest("leave out those that are hardly ever reached");
    }
    let mut names = BTreeSet::new();
    let mut fallbacks = Vec::new();
    for (place, raw) in raw.iter().enumerate() {
        let path = path.index(place);
        if let Some(name) = &raw.name {
            check_name(&path.key("name"), name, report);
            if !names.insert(name) {
                let message = format!("another fallback is called `{name}`");
                report.value(&path.key("name"), "duplicate_name", message).suggest("say what this one goes by");
            }
        }
        fallbacks.extend(fallback(raw, &path, row, report));
    }
    check_last(raw, &fallbacks, path, report);
    fallbacks
}

fn fallback(raw: &RawFallback, path: &Path, row: &mut CaseRow, report: &mut Report<'_>) -> Option<Fallback> {
    if let Some(spread) = &raw.spread {
        check_spread(spread, &path.key("spread"), report);
    }
    let seconds = raw.seconds.as_ref().and_then(|text| seconds(text, &path.key("seconds"), row, report));
    Some(Fallback { name: raw.name.clone()?, seconds: seconds?, spread: raw.spread? })
}

fn seconds(text: &Sql, path: &Path, row: &mut CaseRow, report: &mut Report<'_>) -> Option<Expr> {
    let syntax = sql::parse(&text.0).map_err(|fault| report_all(path, vec![fault], report)).ok()?;
    row.check_names(path, &syntax, report);
    let checked = sql::check(&syntax, row.scope()).map_err(|faults| report_all(path, faults, report)).ok()?;
    if checked.kind != Type::Number {
        let message = format!("expected a number of seconds, found {}", phrase(checked.kind));
        report.value(path, "type_mismatch", message).suggest("write the median in seconds, such as \"prep_mean_1h + 900\"");
        return None;
    }
    Some(checked.expr)
}

fn check_spread(spread: &[f64; 4], path: &Path, report: &mut Report<'_>) {
    let [low, median, ..] = *spread;
    let help = "write what stays below 10, 50, 80 and 90 in a hundred as multiples of the median, such as [0.7, 1.0, 1.3, 1.6]";
    let problem = if low <= 0.0 {
        "a spread is made of positive numbers"
    } else if !spread.is_sorted() {
        "a spread ascends"
    } else if median != 1.0 {
        "the second number of a spread is the median itself, 1.0"
    } else {
        return;
    };
    report.value(path, "out_of_range", problem).suggest(help);
}

/// Whatever is missing, something is said.
fn check_last(raw: &[RawFallback], fallbacks: &[Fallback], path: &Path, report: &mut Report<'_>) {
    let (Some(place), Some(last)) = (raw.len().checked_sub(1), fallbacks.last()) else { return };
    // Where the last one is at fault, the one before it is not to blame.
    if fallbacks.len() < raw.len() || constant(&last.seconds).is_some_and(|seconds| seconds > 0.0) {
        return;
    }
    let message = "the last fallback is what is said when nothing is known, and this is no positive number of seconds";
    let help = "write a number of seconds, such as \"2100\", or add a further [[case.fallback]] that has one";
    report.value(&path.index(place).key("seconds"), "out_of_range", message).suggest(help);
}

/// The value of an expression that is made of numbers alone.
fn constant(expr: &Expr) -> Option<f64> {
    let value = match expr {
        Expr::Number(number) => *number,
        Expr::Negate(value) => -constant(value)?,
        Expr::Arithmetic(operator, left, right) => {
            let (left, right) = (constant(left)?, constant(right)?);
            match operator {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
            }
        }
        _ => return None,
    };
    value.is_finite().then_some(value)
}
