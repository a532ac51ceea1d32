//! Shapes of trees: what binds tighter, what is refused.

use super::super::syntax::{Node, Syntax};
use super::parse;
use expect_test::{Expect, expect};

/// Draws the tree with parentheses around everything.
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&match parse(text) {
        Ok(syntax) => draw(&syntax) + "\n",
        Err(fault) => format!("{:?}: {} ({})\n", fault.span, fault.message, fault.code),
    });
}

fn draw(syntax: &Syntax) -> String {
    let all = |items: &[Syntax]| items.iter().map(draw).collect::<Vec<_>>().join(", ");
    let not = |negated: &bool| if *negated { "not " } else { "" };
    match &syntax.node {
        Node::Name { name, .. } => name.clone(),
        Node::Number(number) => number.to_string(),
        Node::Text(text) => format!("'{text}'"),
        Node::Boolean(truth) => truth.to_string(),
        Node::Null => "null".into(),
        Node::Negate(value) => format!("(-{})", draw(value)),
        Node::Not(value) => format!("(not {})", draw(value)),
        Node::Binary(operator, left, right) => format!("({} {operator:?} {})", draw(left), draw(right)),
        Node::In { value, list, negated } => format!("({} {}in {})", draw(value), not(negated), all(list)),
        Node::Between { value, low, high, negated } => {
            format!("({} {}between {} and {})", draw(value), not(negated), draw(low), draw(high))
        }
        Node::IsNull { value, negated } => format!("({} is {}null)", draw(value), not(negated)),
        Node::Case { subject, arms, otherwise } => {
            let arms: Vec<String> = arms.iter().map(|(when, then)| format!("{} -> {}", draw(when), draw(then))).collect();
            let subject = subject.as_ref().map(|subject| draw(subject)).unwrap_or_default();
            format!("case {subject}[{}; {}]", arms.join(", "), otherwise.as_ref().map(|inner| draw(inner)).unwrap_or_default())
        }
        Node::Call { name, arguments, .. } => format!("{name}({})", all(arguments)),
    }
}

#[test]
fn arithmetic_binds_tighter_than_comparison_than_logic() {
    check(
        "a + b * c < d AND NOT e = f OR g",
        expect![[r#"
        ((((a Add (b Multiply c)) Less d) And (not (e Equal f))) Or g)
    "#]],
    );
    check(
        "a - b - c / d / e",
        expect![[r#"
        ((a Subtract b) Subtract ((c Divide d) Divide e))
    "#]],
    );
    check(
        "-a * b",
        expect![[r#"
        ((-a) Multiply b)
    "#]],
    );
    check(
        "NOT a AND b",
        expect![[r#"
        ((not a) And b)
    "#]],
    );
    check(
        "(a OR b) and c",
        expect![[r#"
        ((a Or b) And c)
    "#]],
    );
}

#[test]
fn between_and_in_take_their_own_words() {
    check(
        "a BETWEEN 1 AND 2 AND b",
        expect![[r#"
        ((a between 1 and 2) And b)
    "#]],
    );
    check(
        "a not between b + 1 and c * 2 or d",
        expect![[r#"
        ((a not between (b Add 1) and (c Multiply 2)) Or d)
    "#]],
    );
    check(
        "a NOT IN ('x', 'it''s', -1)",
        expect![[r#"
        (a not in 'x', 'it's', -1)
    "#]],
    );
    check(
        "a IS NOT NULL AND b IS NULL",
        expect![[r#"
        ((a is not null) And (b is null))
    "#]],
    );
}

#[test]
fn case_has_two_forms() {
    check(
        "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END + 1",
        expect![[r#"
        (case [a -> 1, b -> 2; 3] Add 1)
    "#]],
    );
    check(
        "CASE a WHEN 'x' THEN 1 END",
        expect![[r#"
        case a['x' -> 1; ]
    "#]],
    );
    check(
        "CASE a END",
        expect![[r#"
        7..10: expected WHEN, found `END` (bad_expression)
    "#]],
    );
}

#[test]
fn names_are_quoted_when_they_are_keywords() {
    check(
        r#""end" - "Start""#,
        expect![[r#"
        (end Subtract Start)
    "#]],
    );
    check(
        "end - start",
        expect![[r#"
        0..3: expected a field, a literal or a parenthesis, found `end` (bad_expression)
    "#]],
    );
    check(
        "coalesce(a, abs(-b), 0)",
        expect![[r#"
        coalesce(a, abs((-b)), 0)
    "#]],
    );
    check(
        "f()",
        expect![[r#"
        f()
    "#]],
    );
}

#[test]
fn refuses_what_it_does_not_know() {
    check(
        "a < b < c",
        expect![[r#"
        6..7: comparisons do not chain (bad_expression)
    "#]],
    );
    check(
        "a == b",
        expect![[r#"
        2..4: `==` is no operator (bad_expression)
    "#]],
    );
    check(
        "a LIKE 'x'",
        expect![[r#"
        2..6: `LIKE` cannot follow here (bad_expression)
    "#]],
    );
    check(
        "a && b",
        expect![[r#"
        2..3: `&` has no meaning here (bad_expression)
    "#]],
    );
    check(
        "(a",
        expect![[r#"
        2..2: expected `)`, found the end (bad_expression)
    "#]],
    );
    check(
        "a b",
        expect![[r#"
        2..3: expected an operator or the end, found `b` (bad_expression)
    "#]],
    );
    check(
        "a IN ()",
        expect![[r#"
        0..7: this IN list is empty (bad_expression)
    "#]],
    );
    check(
        "a NOT",
        expect![[r#"
        5..5: the end cannot follow here (bad_expression)
    "#]],
    );
    check(
        "a +",
        expect![[r#"
        3..3: expected a field, a literal or a parenthesis, found the end (bad_expression)
    "#]],
    );
    check(
        "",
        expect![[r#"
        0..0: this expression is empty (empty_expression)
    "#]],
    );
    check(
        ")",
        expect![[r#"
        0..1: expected a field, a literal or a parenthesis, found `)` (bad_expression)
    "#]],
    );
}

#[test]
fn depth_is_bounded_whatever_the_shape() {
    for deep in
        ["(".repeat(200) + "a" + &")".repeat(200), "-".repeat(3_000) + "a", "NOT ".repeat(900) + "a", vec!["a"; 900].join(" + ")]
    {
        assert_eq!(parse(&deep).map_err(|fault| fault.code), Err("expression_too_large"));
    }
    assert!(parse(&vec!["a"; 60].join(" OR ")).is_ok());
    assert!(parse(&"a".repeat(5_000)).is_err());
}
