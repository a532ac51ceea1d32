//! The built-in functions.

use domain::{Evidence, shrunk_towards};
use pipeline::{Expr, Function};
use polars::prelude::*;

use super::{Evaluator, Values, choose, finite};

pub(super) fn call(evaluator: &Evaluator<'_>, function: Function, arguments: &[Expr]) -> Values {
    let values = |place: usize| evaluator.values(&arguments[place]);
    match function {
        Function::Abs => number(values(0), f64::abs),
        Function::Floor => number(values(0), f64::floor),
        Function::Ceil => number(values(0), f64::ceil),
        Function::Round => number(values(0), f64::round),
        Function::Sqrt => number(values(0), f64::sqrt),
        Function::Least => extreme(evaluator, arguments, f64::min),
        Function::Greatest => extreme(evaluator, arguments, f64::max),
        Function::Coalesce => coalesce(evaluator, arguments),
        Function::NullIf => null_if(evaluator, arguments),
        Function::Lower => text(values(0), str::to_lowercase),
        Function::Upper => text(values(0), str::to_uppercase),
        Function::StartsWith => affix(values(0), values(1), |text, affix| text.starts_with(affix)),
        Function::EndsWith => affix(values(0), values(1), |text, affix| text.ends_with(affix)),
        Function::Shrunk => shrunk(evaluator, arguments),
    }
}

fn number(values: Values, apply: impl Fn(f64) -> f64 + Copy) -> Values {
    let Values::Number(numbers) = values else { panic!("the resolver promised a number and not {values:?}") };
    Values::Number(finite(&numbers.apply_values(apply)))
}

fn text(values: Values, apply: impl Fn(&str) -> String) -> Values {
    let Values::Text(texts) = values else { panic!("the resolver promised a text and not {values:?}") };
    Values::Text(texts.iter().map(|text| text.map(&apply)).collect())
}

fn affix(texts: Values, affixes: Values, test: impl Fn(&str, &str) -> bool) -> Values {
    let (Values::Text(texts), Values::Text(affixes)) = (&texts, &affixes) else { panic!("the resolver promised two texts") };
    Values::Boolean(texts.iter().zip(affixes.iter()).map(|(text, affix)| Some(test(text?, affix?))).collect())
}

fn extreme(evaluator: &Evaluator<'_>, arguments: &[Expr], pick: impl Fn(f64, f64) -> f64) -> Values {
    let pick = |left: Option<f64>, right: Option<f64>| match (left, right) {
        (Some(left), Some(right)) => Some(pick(left, right)),
        (left, right) => left.or(right),
    };
    let best = |best: Float64Chunked, other: Float64Chunked| -> Float64Chunked {
        best.iter().zip(other.iter()).map(|(best, other)| pick(best, other)).collect()
    };
    let columns = arguments.iter().map(|argument| evaluator.number(argument));
    Values::Number(columns.reduce(best).unwrap_or_else(|| panic!("the resolver refuses a call without arguments")))
}

fn shrunk(evaluator: &Evaluator<'_>, arguments: &[Expr]) -> Values {
    let [value, n, strength, prior] = [0, 1, 2, 3].map(|place| evaluator.number(&arguments[place]));
    let rows = value.iter().zip(n.iter()).zip(strength.iter()).zip(prior.iter());
    let shrunk = rows.map(|(((value, n), strength), prior)| {
        let evidence = Evidence { value, n: n.unwrap_or(0.0), strength: strength.unwrap_or(0.0) };
        shrunk_towards(evidence, prior)
    });
    Values::Number(shrunk.collect())
}

fn coalesce(evaluator: &Evaluator<'_>, arguments: &[Expr]) -> Values {
    let (last, before) = arguments.split_last().unwrap_or_else(|| panic!("the resolver refuses a call without arguments"));
    before.iter().rev().fold(evaluator.values(last), |otherwise, argument| {
        choose(&!&evaluator.is_null(argument), evaluator.values(argument), otherwise)
    })
}

fn null_if(evaluator: &Evaluator<'_>, arguments: &[Expr]) -> Values {
    let equal = evaluator.compare(pipeline::Comparison::Equal, &arguments[0], &arguments[1]);
    let mask: BooleanChunked = equal.iter().map(|equal| Some(equal == Some(true))).collect();
    let value = evaluator.values(&arguments[0]);
    let kind = match &value {
        Values::Number(_) => pipeline::Type::Number,
        Values::Text(_) => pipeline::Type::Text,
        Values::Boolean(_) => pipeline::Type::Boolean,
        Values::Time(_) => pipeline::Type::Time,
    };
    choose(&mask, evaluator.null(kind), value)
}
