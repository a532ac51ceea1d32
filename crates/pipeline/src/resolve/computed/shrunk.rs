//! Values that are shrunk towards broader ones: each level is an expression with a count and a strength, and the broadest ends the list.

use super::super::expressions::report_all;
use super::syntax;
use crate::document::Path;
use crate::expression::{Expr, Function, Type};
use crate::raw::{RawEvidence, RawShrunk};
use crate::report::Report;
use crate::sql::{self, Scope, Syntax, phrase};

/// A value needs something to be shrunk towards.
const LEVELS_MIN: usize = 2;
/// A store, its category, its area, its city, its country, and everybody.
const LEVELS_MAX: usize = 6;
/// More observations than anybody waits for.
const STRENGTH_MAX: f64 = 1e9;

/// One of the values.
pub(super) struct Level {
    value: (Path, Syntax),
    /// None where it counts whenever it is known.
    count: Option<(Path, Syntax)>,
    /// 0 for the broadest, which is shrunk towards nothing.
    strength: f64,
}

impl Level {
    pub(super) fn expressions(&self) -> impl Iterator<Item = (&Path, &Syntax)> {
        [Some(&self.value), self.count.as_ref()].into_iter().flatten().map(|(path, syntax)| (path, syntax))
    }
}

/// Reads the words of all levels; none when one of them is at fault.
pub(super) fn parse(raw: &RawShrunk, path: &Path, report: &mut Report<'_>) -> Option<Vec<Level>> {
    let levels = raw.shrink.as_ref()?;
    if !(LEVELS_MIN..=LEVELS_MAX).contains(&levels.len()) {
        let message = format!("{} values are named; a value is shrunk over {LEVELS_MIN} to {LEVELS_MAX}", levels.len());
        let help = "write the value first, and then one or more broader ones, such as that of an area and that of everybody";
        report.value(path, "wrong_length", message).suggest(help);
        return None;
    }
    let last = levels.len() - 1;
    let read = |(place, raw): (usize, &RawEvidence)| level(raw, &path.index(place), place == last, report);
    let read: Vec<Option<Level>> = levels.iter().enumerate().map(read).collect();
    read.into_iter().collect()
}

fn level(raw: &RawEvidence, path: &Path, is_broadest: bool, report: &mut Report<'_>) -> Option<Level> {
    let (value_path, count_path) = (path.key("value"), path.key("count"));
    let value = raw.value.as_ref().and_then(|text| syntax(&value_path, text, report));
    let count = raw.count.as_ref().map(|text| syntax(&count_path, text, report));
    let strength = strength(raw, path, is_broadest, report);
    if !is_broadest {
        report.missing(path, "count", "how many observations the value is made of");
    }
    let count = match count {
        Some(syntax) => Some((count_path, syntax?)),
        None if is_broadest => None,
        None => return None,
    };
    Some(Level { value: (value_path, value?), count, strength: strength? })
}

fn strength(raw: &RawEvidence, path: &Path, is_broadest: bool, report: &mut Report<'_>) -> Option<f64> {
    let written = path.key("strength");
    if is_broadest {
        if report.is_written(&written) {
            let message = "nothing is broader than the last value, so nothing holds it back";
            report.key(&written, "misplaced_key", message).suggest("remove it, or add a broader value");
        }
        return Some(0.0);
    }
    report.missing(path, "strength", "with so many observations the value and what is broader weigh the same");
    let strength = raw.strength?;
    if strength > 0.0 && strength <= STRENGTH_MAX {
        return Some(strength);
    }
    let message = format!("{strength} is no strength; it is above 0 and at most {STRENGTH_MAX}");
    let help = "write after how many observations you would go halfway towards the value";
    report.value(&written, "out_of_range", message).suggest(help);
    None
}

/// The expression of them all: each is shrunk towards the next, and the broadest towards nothing.
pub(super) fn expr(levels: &[Level], scope: &Scope, report: &mut Report<'_>) -> Option<Expr> {
    let mut typed = |level: &Level| {
        let value = number(&level.value, scope, report);
        let count = match &level.count {
            Some(count) => number(count, scope, report),
            None => Some(Expr::Number(1.0)),
        };
        Some([value?, count?, Expr::Number(level.strength)])
    };
    // Each is looked at before anybody gives up, so that all faults are told.
    let typed: Vec<Option<[Expr; 3]>> = levels.iter().map(&mut typed).collect();
    let typed = typed.into_iter().collect::<Option<Vec<[Expr; 3]>>>()?;
    let shrunk =
        |towards: Expr, [value, count, strength]: [Expr; 3]| Expr::Call(Function::Shrunk, vec![value, count, strength, towards]);
    Some(typed.into_iter().rev().fold(Expr::Null(Type::Number), shrunk))
}

fn number((path, syntax): &(Path, Syntax), scope: &Scope, report: &mut Report<'_>) -> Option<Expr> {
    let checked = sql::check(syntax, scope).map_err(|faults| report_all(path, faults, report)).ok()?;
    if checked.kind != Type::Number {
        let message = format!("expected a number, found {}", phrase(checked.kind));
        report.value(path, "type_mismatch", message).suggest("only numbers are shrunk; make one of it with CASE");
        return None;
    }
    Some(checked.expr)
}
