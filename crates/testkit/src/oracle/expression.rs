//! Evaluates an expression over one row. Three-valued, numbers are doubles; the engine has its own, by columns.

use pipeline::{Arithmetic, Comparison, Expr, Field, FieldKind, Function};

use super::event::{Content, Row};

/// What an expression yields for a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Number(f64),
    Text(String),
    Boolean(bool),
    /// Milliseconds since 1970.
    Time(i64),
}

/// Whether a condition holds; an absent one always does, a null one never.
pub(crate) fn holds(condition: Option<&Expr>, fields: &[Field], row: &Row) -> bool {
    condition.is_none_or(|condition| evaluate(condition, fields, row) == Scalar::Boolean(true))
}

/// The value of an expression.
///
/// # Panics
/// When the tree is not well typed, which the resolver does not let happen.
pub(crate) fn evaluate(expr: &Expr, fields: &[Field], row: &Row) -> Scalar {
    let of = |expr: &Expr| evaluate(expr, fields, row);
    match expr {
        Expr::Field(index) => field(&fields[*index], row.contents[*index].as_ref()),
        Expr::Number(number) => Scalar::Number(*number),
        Expr::Text(text) => Scalar::Text(text.clone()),
        Expr::Boolean(truth) => Scalar::Boolean(*truth),
        Expr::Null(_) => Scalar::Null,
        Expr::Negate(inner) => number(&of(inner)).map_or(Scalar::Null, |x| Scalar::Number(-x)),
        Expr::Not(inner) => truth(&of(inner)).map_or(Scalar::Null, |truth| Scalar::Boolean(!truth)),
        Expr::Arithmetic(operator, left, right) => arithmetic(*operator, &of(left), &of(right)),
        Expr::Compare(operator, left, right) => compare(*operator, &of(left), &of(right)),
        Expr::And(left, right) => match (truth(&of(left)), truth(&of(right))) {
            (Some(false), _) | (_, Some(false)) => Scalar::Boolean(false),
            (Some(true), Some(true)) => Scalar::Boolean(true),
            _ => Scalar::Null,
        },
        Expr::Or(left, right) => match (truth(&of(left)), truth(&of(right))) {
            (Some(true), _) | (_, Some(true)) => Scalar::Boolean(true),
            (Some(false), Some(false)) => Scalar::Boolean(false),
            _ => Scalar::Null,
        },
        Expr::In(inner, list) => match of(inner) {
            Scalar::Null => Scalar::Null,
            value => Scalar::Boolean(list.iter().any(|item| of(item) == value)),
        },
        Expr::IsNull(inner) => Scalar::Boolean(of(inner) == Scalar::Null),
        Expr::Case(branches, otherwise) => {
            let chosen = branches.iter().find(|(condition, _)| of(condition) == Scalar::Boolean(true));
            of(chosen.map_or(otherwise, |(_, value)| value))
        }
        Expr::Call(function, arguments) => call(*function, &arguments.iter().map(of).collect::<Vec<_>>()),
    }
}

/// What a field is in an expression.
fn field(field: &Field, content: Option<&Content>) -> Scalar {
    match (&field.kind, content) {
        (_, None) => Scalar::Null,
        (_, Some(Content::Text(text))) => Scalar::Text(text.clone()),
        (FieldKind::Decimal { digits, .. }, Some(Content::Units(units))) => {
            Scalar::Number(*units as f64 / 10f64.powi(i32::from(*digits)))
        }
        (FieldKind::Boolean, Some(Content::Units(units))) => Scalar::Boolean(*units == 1),
        (FieldKind::Time, Some(Content::Units(units))) => Scalar::Time(*units),
        (FieldKind::Category(labels), Some(Content::Units(place))) => Scalar::Text(labels[*place as usize].clone()),
        (_, Some(Content::Units(units))) => Scalar::Number(*units as f64),
    }
}

fn number(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Number(number) => Some(*number),
        Scalar::Null => None,
        other => panic!("{other:?} where a number is asked for: the tree is not well typed"),
    }
}

fn truth(value: &Scalar) -> Option<bool> {
    match value {
        Scalar::Boolean(truth) => Some(*truth),
        Scalar::Null => None,
        other => panic!("{other:?} where a truth is asked for: the tree is not well typed"),
    }
}

fn text(value: &Scalar) -> &str {
    match value {
        Scalar::Text(text) => text,
        other => panic!("{other:?} where a text is asked for: the tree is not well typed"),
    }
}

fn arithmetic(operator: Arithmetic, left: &Scalar, right: &Scalar) -> Scalar {
    if let (Arithmetic::Subtract, Scalar::Time(left), Scalar::Time(right)) = (operator, left, right) {
        return left.checked_sub(*right).map_or(Scalar::Null, |ms| Scalar::Number(ms as f64 / 1000.0));
    }
    if *left == Scalar::Null || *right == Scalar::Null {
        return Scalar::Null;
    }
    let (Some(left), Some(right)) = (number(left), number(right)) else { return Scalar::Null };
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    };
    if result.is_finite() { Scalar::Number(result) } else { Scalar::Null }
}

fn compare(operator: Comparison, left: &Scalar, right: &Scalar) -> Scalar {
    let order = match (left, right) {
        (Scalar::Null, _) | (_, Scalar::Null) => return Scalar::Null,
        (Scalar::Number(left), Scalar::Number(right)) => left.partial_cmp(right),
        (Scalar::Text(left), Scalar::Text(right)) => left.as_bytes().partial_cmp(right.as_bytes()),
        (Scalar::Boolean(left), Scalar::Boolean(right)) => left.partial_cmp(right),
        (Scalar::Time(left), Scalar::Time(right)) => left.partial_cmp(right),
        _ => panic!("{left:?} compared with {right:?}: the tree is not well typed"),
    };
    // Without an order (NaN) only `<>` is true, as IEEE has it.
    Scalar::Boolean(match operator {
        Comparison::Equal => order.is_some_and(|order| order.is_eq()),
        Comparison::NotEqual => !order.is_some_and(|order| order.is_eq()),
        Comparison::Less => order.is_some_and(|order| order.is_lt()),
        Comparison::LessOrEqual => order.is_some_and(|order| order.is_le()),
        Comparison::Greater => order.is_some_and(|order| order.is_gt()),
        Comparison::GreaterOrEqual => order.is_some_and(|order| order.is_ge()),
    })
}

fn call(function: Function, arguments: &[Scalar]) -> Scalar {
    match function {
        Function::Coalesce => return arguments.iter().find(|value| **value != Scalar::Null).cloned().unwrap_or(Scalar::Null),
        Function::Least => return extreme(arguments, |candidate, best| candidate < best),
        Function::Greatest => return extreme(arguments, |candidate, best| candidate > best),
        Function::NullIf if arguments[1] == Scalar::Null => return arguments[0].clone(),
        Function::Shrunk => return shrunk(arguments),
        _ if arguments.contains(&Scalar::Null) => return Scalar::Null,
        _ => {}
    }
    let x = || number(&arguments[0]).unwrap_or(f64::NAN);
    match function {
        Function::Abs => Scalar::Number(x().abs()),
        Function::Floor => Scalar::Number(x().floor()),
        Function::Ceil => Scalar::Number(x().ceil()),
        Function::Round => Scalar::Number(x().round()),
        Function::Sqrt if x() < 0.0 => Scalar::Null,
        Function::Sqrt => Scalar::Number(x().sqrt()),
        Function::NullIf if arguments[0] == arguments[1] => Scalar::Null,
        Function::NullIf => arguments[0].clone(),
        Function::Lower => Scalar::Text(text(&arguments[0]).to_lowercase()),
        Function::Upper => Scalar::Text(text(&arguments[0]).to_uppercase()),
        Function::StartsWith => Scalar::Boolean(text(&arguments[0]).starts_with(text(&arguments[1]))),
        Function::EndsWith => Scalar::Boolean(text(&arguments[0]).ends_with(text(&arguments[1]))),
        Function::Coalesce | Function::Least | Function::Greatest | Function::Shrunk => unreachable!("answered above"),
    }
}

/// A value that is made of n observations, and what it is held back towards, weighed n to the strength.
fn shrunk(arguments: &[Scalar]) -> Scalar {
    let own = number(&arguments[0]).filter(|own| own.is_finite());
    let n = number(&arguments[1]).filter(|n| *n > 0.0);
    let strength = number(&arguments[2]).unwrap_or(0.0);
    let (Some(own), Some(n)) = (own, n) else { return arguments[3].clone() };
    number(&arguments[3]).map_or(Scalar::Number(own), |prior| Scalar::Number((n * own + strength * prior) / (n + strength)))
}

/// The number that no other one is better than; nulls are left out.
fn extreme(arguments: &[Scalar], better: fn(f64, f64) -> bool) -> Scalar {
    let mut best: Option<f64> = None;
    for candidate in arguments.iter().filter_map(number) {
        if best.is_none_or(|best| better(candidate, best)) {
            best = Some(candidate);
        }
    }
    best.map_or(Scalar::Null, Scalar::Number)
}
