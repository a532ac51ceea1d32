//! Types and names: what fits, what does not, and what is said about it.

use super::super::{Scope, ScopeName, SqlFault, compile};
use crate::expression::Type;
use expect_test::{Expect, expect};

fn check(text: &str, expected: Expect) {
    let name = |name: &str, kind, labels: Option<&[&str]>| ScopeName {
        name: name.into(),
        kind,
        labels: labels.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect()),
    };
    let names = vec![
        name("seconds", Type::Number, None),
        name("store_id", Type::Text, None),
        name("busy", Type::Boolean, None),
        name("at", Type::Time, None),
        name("weather", Type::Text, Some(&["clear", "rain"])),
    ];
    let scope = Scope { noun: "the fields".into(), names, broken: vec!["basket".into()] };
    expected.assert_eq(&match compile(text, &scope) {
        Ok(checked) => format!("{:?}: {:?}\n", checked.kind, checked.expr),
        Err(faults) if faults.is_empty() => "silent\n".into(),
        Err(faults) => faults.iter().map(|fault| show(fault, text)).collect(),
    });
}

fn show(fault: &SqlFault, text: &str) -> String {
    let help = fault.suggestion.as_ref().map(|help| format!("  help: {help}\n")).unwrap_or_default();
    format!("{} at `{}`\n  {}\n{help}", fault.code, &text[fault.span.clone()], fault.message)
}

#[test]
fn types_follow_the_operators() {
    check(
        "seconds > 30 AND NOT busy",
        expect![[r#"
        Boolean: And(Compare(Greater, Field(0), Number(30.0)), Not(Field(2)))
    "#]],
    );
    check(
        "at - at",
        expect![[r#"
        Number: Arithmetic(Subtract, Field(3), Field(3))
    "#]],
    );
    check(
        "at + 1",
        expect![[r#"
        type_mismatch at `at`
          expected a number, found a time
    "#]],
    );
    check(
        "seconds AND store_id",
        expect![[r#"
        type_mismatch at `seconds`
          expected a condition, found a number
        type_mismatch at `store_id`
          expected a condition, found a text
    "#]],
    );
    check(
        "store_id = 3",
        expect![[r#"
        type_mismatch at `store_id = 3`
          a text and a number do not go together
    "#]],
    );
    check(
        "busy < TRUE",
        expect![[r#"
        type_mismatch at `busy < TRUE`
          true and false have no order
          help: compare them with = or <>
    "#]],
    );
}

#[test]
fn words_of_sql_are_rewritten() {
    check(
        "seconds NOT BETWEEN 1 AND 2",
        expect![[r#"
        Boolean: Not(And(Compare(GreaterOrEqual, Field(0), Number(1.0)), Compare(LessOrEqual, Field(0), Number(2.0))))
    "#]],
    );
    check(
        "CASE weather WHEN 'rain' THEN 1 END",
        expect![[r#"
        Number: Case([(Compare(Equal, Field(4), Text("rain")), Number(1.0))], Null(Number))
    "#]],
    );
    check(
        "seconds IS NOT NULL",
        expect![[r#"
        Boolean: Not(IsNull(Field(0)))
    "#]],
    );
    check(
        "store_id IN ('a', 'b')",
        expect![[r#"
        Boolean: In(Field(1), [Text("a"), Text("b")])
    "#]],
    );
}

#[test]
fn null_takes_the_type_of_its_place() {
    check(
        "coalesce(NULL, seconds)",
        expect![[r#"
        Number: Call(Coalesce, [Null(Number), Field(0)])
    "#]],
    );
    check(
        "CASE WHEN busy THEN NULL ELSE store_id END",
        expect![[r#"
        Text: Case([(Field(2), Null(Text))], Field(1))
    "#]],
    );
    check(
        "seconds = NULL",
        expect![[r#"
        null_comparison at `seconds = NULL`
          a comparison with NULL never holds
          help: write IS NULL or IS NOT NULL
    "#]],
    );
    check(
        "NULL",
        expect![[r#"
        type_mismatch at `NULL`
          a bare NULL says nothing
    "#]],
    );
    check(
        "coalesce(NULL, NULL)",
        expect![[r#"
        type_mismatch at `NULL`
          these are all NULL
    "#]],
    );
    check(
        "store_id IN ('a', NULL)",
        expect![[r#"
        type_mismatch at `NULL`
          a list holds numbers, texts, TRUE or FALSE only
          help: write the value itself, or compare with = and OR
    "#]],
    );
}

#[test]
fn names_are_looked_up() {
    check(
        "secnds + strore_id",
        expect![[r#"
        unknown_field at `secnds`
          there is no `secnds` among the fields
          help: did you mean `seconds`?
        unknown_field at `strore_id`
          there is no `strore_id` among the fields
          help: did you mean `store_id`?
    "#]],
    );
    check(
        "basket > 3",
        expect![[r#"
        silent
    "#]],
    );
    check(
        "basket > 3 AND nothing = 1",
        expect![[r#"
        unknown_field at `nothing`
          there is no `nothing` among the fields
          help: known are `seconds`, `store_id`, `busy`, `at`, `weather`
    "#]],
    );
    check(
        r#"store_id = "a b""#,
        expect![[r#"
        unknown_field at `"a b"`
          there is no `a b` among the fields
          help: texts stand in single quotes: 'a b'
    "#]],
    );
    check(
        "absolute(seconds)",
        expect![[r#"
        unknown_function at `absolute`
          there is no function `absolute`
          help: known are `abs`, `floor`, `ceil`, `round`, `sqrt`, `least`, `greatest`, `coalesce`, `nullif`, `lower` and 3 more
    "#]],
    );
}

#[test]
fn functions_check_their_arguments() {
    check(
        "LEAST(seconds, 3)",
        expect![[r#"
        Number: Call(Least, [Field(0), Number(3.0)])
    "#]],
    );
    check(
        "abs(seconds, 1)",
        expect![[r#"
        type_mismatch at `abs(seconds, 1)`
          `abs` does not take 2 arguments
          help: write abs(number)
    "#]],
    );
    check(
        "abs(store_id)",
        expect![[r#"
        type_mismatch at `store_id`
          expected a number, found a text
    "#]],
    );
    check(
        "starts_with(store_id, 'a')",
        expect![[r#"
        Boolean: Call(StartsWith, [Field(1), Text("a")])
    "#]],
    );
    check(
        "starts_with(store_id, weather)",
        expect![[r#"
        type_mismatch at `weather`
          the second argument of `starts_with` is a text literal
          help: write it in single quotes
    "#]],
    );
    check(
        "nullif(seconds, 'a')",
        expect![[r#"
        type_mismatch at `seconds, 'a'`
          a number and a text do not go together
    "#]],
    );
}

#[test]
fn categories_know_their_values() {
    check(
        "weather = 'rian'",
        expect![[r#"
        unknown_category at `'rian'`
          the category has no value 'rian'
          help: did you mean `rain`?
    "#]],
    );
    check(
        "weather IN ('rain', 'snow')",
        expect![[r#"
        unknown_category at `'snow'`
          the category has no value 'snow'
          help: known are `clear`, `rain`
    "#]],
    );
    check(
        "'clear' <> weather",
        expect![[r#"
        Boolean: Compare(NotEqual, Text("clear"), Field(4))
    "#]],
    );
    check(
        "CASE weather WHEN 'fog' THEN 1 ELSE 0 END",
        expect![[r#"
        unknown_category at `'fog'`
          the category has no value 'fog'
          help: known are `clear`, `rain`
    "#]],
    );
}

#[test]
fn repetition_is_bounded() {
    let mut nested = "seconds".to_owned();
    for _ in 0..20 {
        nested = format!("CASE WHEN {nested} BETWEEN 1 AND 2 THEN 1 END");
    }
    check(
        &nested,
        expect![[r#"
        expression_too_large at `CASE WHEN CASE WHEN CASE WHEN CASE WHEN CASE WHEN CASE WHEN CASE WHEN seconds BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2 THEN 1 END BETWEEN 1 AND 2`
          this amounts to more than 2000 operations
          help: BETWEEN and CASE x repeat their operand; nest them less
    "#]],
    );
}
