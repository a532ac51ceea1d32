//! Expressions over a single row, seen through a `last` of their value, and quantisation.

use domain::Value;
use pipeline::{Aggregator, Arithmetic, Comparison, Expr, Function, Input, InputKind, Type};
use testkit::pipelines::build::{bare, compare, computed, feature, truth, value};

use crate::scene::{START, events, float, integer, of_features};

/// The value of an input for a row with x = 2.5, n = 7, b = true, c = green, t = Été, and without positions.
#[track_caller]
fn check(inputs: Vec<Input>, expected: Option<Value>) {
    let scene = of_features(vec![feature("f", Aggregator::Last, inputs, &["1m"])]);
    let scene = scene.event(0, r#""k":"a","x":2.5,"n":7,"b":true,"c":"green","t":"Été""#);
    assert_eq!(scene.values("g:a", 1), [expected]);
}

#[track_caller]
fn check_truth(expr: Expr, expected: Option<bool>) {
    check(truth(expr), expected.map(|truth| Value::Integer(i64::from(truth))));
}

fn of(name: &str) -> Box<Expr> {
    Box::new(bare(&events(), name))
}

fn number(number: f64) -> Box<Expr> {
    Box::new(Expr::Number(number))
}

fn text(text: &str) -> Expr {
    Expr::Text(text.into())
}

const TRUE: Expr = Expr::Boolean(true);
const FALSE: Expr = Expr::Boolean(false);
const UNKNOWN: Expr = Expr::Null(Type::Boolean);

#[test]
fn arithmetic_is_of_doubles_and_null_wins() {
    let apply = |operator, left, right| Expr::Arithmetic(operator, left, right);
    check(computed(apply(Arithmetic::Add, of("x"), of("n")), 1), float(9.5));
    check(computed(apply(Arithmetic::Subtract, of("x"), of("n")), 1), float(-4.5));
    check(computed(apply(Arithmetic::Multiply, of("x"), of("x")), 2), float(6.25));
    check(computed(apply(Arithmetic::Divide, of("n"), number(3.0)), 4), float(2.3333));
    check(computed(apply(Arithmetic::Divide, of("n"), number(0.0)), 4), None);
    let endless = apply(Arithmetic::Divide, of("n"), number(-0.0));
    check_truth(Expr::Compare(Comparison::Less, Box::new(endless), number(0.0)), None);
    check(computed(apply(Arithmetic::Add, of("x"), of("lat")), 1), None);
    check(computed(Expr::Negate(of("x")), 1), float(-2.5));
}

#[test]
fn times_are_subtracted_to_seconds_and_carried() {
    let since = Expr::Arithmetic(Arithmetic::Subtract, of("at"), of("at"));
    check(computed(since, 3), float(0.0));
    let carried = Expr::Call(Function::Coalesce, vec![Expr::Null(Type::Time), bare(&events(), "at")]);
    check(vec![Input { expr: carried, kind: InputKind::Time, units_max: i64::MAX }], integer(START));
}

#[test]
fn values_are_quantised_half_to_even_and_bounded() {
    check(computed(*number(0.25), 1), float(0.2));
    check(computed(*number(0.75), 1), float(0.8));
    check(computed(*number(-2.5), 0), float(-2.0));
    let limit = (1u64 << 48) as f64;
    check(computed(*number(limit), 0), float(limit));
    check(computed(*number(limit + 1.0), 0), None);
    check(computed(*number(limit), 1), None);
    check(computed(Expr::Arithmetic(Arithmetic::Multiply, number(1e300), number(1e300)), 0), None);
    check(value(&events(), "x"), float(2.5));
}

#[test]
fn truth_has_three_values() {
    let and = |left: Expr, right: Expr| Expr::And(Box::new(left), Box::new(right));
    let or = |left: Expr, right: Expr| Expr::Or(Box::new(left), Box::new(right));
    check_truth(and(TRUE, UNKNOWN), None);
    check_truth(and(UNKNOWN, FALSE), Some(false));
    check_truth(and(TRUE, TRUE), Some(true));
    check_truth(or(UNKNOWN, TRUE), Some(true));
    check_truth(or(FALSE, UNKNOWN), None);
    check_truth(or(FALSE, FALSE), Some(false));
    check_truth(Expr::Not(Box::new(UNKNOWN)), None);
    check_truth(Expr::Not(Box::new(FALSE)), Some(true));
    check_truth(Expr::IsNull(of("lat")), Some(true));
    check_truth(Expr::IsNull(of("b")), Some(false));
}

#[test]
fn comparisons_are_of_one_type_and_null_with_null() {
    let compared = |name: &str, comparison, literal: Expr| compare(&events(), name, comparison, literal);
    check_truth(compared("x", Comparison::Equal, *number(2.5)), Some(true));
    check_truth(compared("x", Comparison::NotEqual, *number(2.5)), Some(false));
    check_truth(compared("x", Comparison::Less, *number(2.5)), Some(false));
    check_truth(compared("x", Comparison::LessOrEqual, *number(2.5)), Some(true));
    check_truth(compared("n", Comparison::Greater, bare(&events(), "x")), Some(true));
    check_truth(compared("n", Comparison::GreaterOrEqual, *number(7.1)), Some(false));
    check_truth(compared("c", Comparison::Equal, text("green")), Some(true));
    check_truth(compared("t", Comparison::Greater, text("z")), Some(true));
    check_truth(compared("lat", Comparison::Equal, *number(1.0)), None);
    check_truth(Expr::In(of("c"), vec![text("red"), text("green")]), Some(true));
    check_truth(Expr::In(of("n"), vec![*number(1.0)]), Some(false));
    check_truth(Expr::In(of("lat"), vec![*number(1.0)]), None);
}

#[test]
fn the_first_branch_that_holds_is_taken() {
    let case = |first: Expr, second: Expr, otherwise: Expr| {
        Expr::Case(vec![(first, *number(1.0)), (second, *number(2.0))], Box::new(otherwise))
    };
    check(computed(case(TRUE, TRUE, *number(3.0)), 0), float(1.0));
    check(computed(case(UNKNOWN, TRUE, *number(3.0)), 0), float(2.0));
    check(computed(case(UNKNOWN, FALSE, *number(3.0)), 0), float(3.0));
    check(computed(case(FALSE, FALSE, Expr::Null(Type::Number)), 0), None);
}

#[test]
fn functions_of_numbers() {
    let call = |function, arguments: &[Expr]| computed(Expr::Call(function, arguments.to_vec()), 1);
    let null = Expr::Null(Type::Number);
    check(call(Function::Abs, &[*number(-1.5)]), float(1.5));
    check(call(Function::Floor, &[*number(-1.5)]), float(-2.0));
    check(call(Function::Ceil, &[*number(-1.5)]), float(-1.0));
    check(call(Function::Round, &[bare(&events(), "x")]), float(3.0));
    check(call(Function::Round, &[*number(-2.5)]), float(-3.0));
    check(call(Function::Sqrt, &[*number(6.25)]), float(2.5));
    let imaginary = Expr::Call(Function::Sqrt, vec![*number(-1.0)]);
    check_truth(Expr::Compare(Comparison::NotEqual, Box::new(imaginary), number(0.0)), None);
    check(call(Function::Abs, std::slice::from_ref(&null)), None);
    check(call(Function::Least, &[null.clone(), *number(3.0), *number(-1.0)]), float(-1.0));
    check(call(Function::Greatest, &[null.clone(), *number(3.0), *number(-1.0)]), float(3.0));
    check(call(Function::Greatest, &[null.clone(), null.clone()]), None);
    check(call(Function::Coalesce, &[null.clone(), *number(3.0), *number(-1.0)]), float(3.0));
    check(call(Function::NullIf, &[*number(3.0), *number(3.0)]), None);
    check(call(Function::NullIf, &[*number(3.0), *number(4.0)]), float(3.0));
}

#[test]
fn functions_of_texts() {
    let t = || bare(&events(), "t");
    let is = |function, literal: &str| {
        let call = Expr::Call(function, vec![t()]);
        Expr::Compare(Comparison::Equal, Box::new(call), Box::new(text(literal)))
    };
    check_truth(is(Function::Lower, "été"), Some(true));
    check_truth(is(Function::Upper, "ÉTÉ"), Some(true));
    check_truth(Expr::Call(Function::StartsWith, vec![t(), text("Ét")]), Some(true));
    check_truth(Expr::Call(Function::StartsWith, vec![t(), text("ét")]), Some(false));
    check_truth(Expr::Call(Function::EndsWith, vec![t(), text("é")]), Some(true));
    check_truth(Expr::Call(Function::EndsWith, vec![Expr::Null(Type::Text), text("é")]), None);
}

#[test]
fn keys_are_texts_or_the_shortest_texts_of_numbers() {
    let keyed = |key: Expr, entity: &str| {
        let mut scene = of_features(vec![feature("n", Aggregator::Count, Vec::new(), &["1m"])]);
        scene.pipeline.groups[0].key = key;
        let scene = scene.event(0, r#""k":"a","x":2.50,"n":7,"c":"green","lat":-0.000001"#);
        assert_eq!(scene.values(entity, 1), [integer(1)]);
    };
    keyed(*of("x"), "g:2.5");
    keyed(*of("n"), "g:7");
    keyed(*of("c"), "g:green");
    keyed(*of("lat"), "g:-0.000001");
    keyed(Expr::Arithmetic(Arithmetic::Divide, of("n"), of("x")), "g:2.8");
    keyed(Expr::Arithmetic(Arithmetic::Multiply, of("x"), number(-0.0)), "g:0");
}
