//! Expressions as people write them, over rows as they come.

use domain::Value;
use expect_test::{Expect, expect};
use pipeline::Pipeline;

use super::Transforms;

const SPEC: &str = r#"
[source.readings]
topic = "readings"
key = "sensor"
time = "at"
skew = "30s"
lateness = "10m"
silent_after = "2m"

[source.readings.fields]
amount = { decimal = "0.01", max = 500 }
flag = "boolean"
mode = { category = ["idle", "SLOW", "fast"] }

[group.sensors]
entity = "sensor"
key = "sensor"
source = "readings"
hop = "1m"

[group.sensors.features]
mean = { mean = "amount", windows = ["5m"] }
count = { count = "*", windows = ["5m"] }
flag = { last = "flag" }
mode = { last = "mode" }
at = { last = "at" }
first_at = { first = "at" }
"#;

#[test]
fn arithmetic_is_of_doubles_and_null_when_it_is_not_finite() {
    check("mean_5m + count_5m * 2 - 1", [expect!["12.5"], expect!["null"], expect!["0.5"]]);
    check("mean_5m / (count_5m - 3)", [expect!["null"], expect!["null"], expect!["-0.5"]]);
    check("mean_5m * 1e308 * 10", [expect!["null"], expect!["null"], expect!["null"]]);
    check("sqrt(-count_5m)", [expect!["null"], expect!["null"], expect!["-0.0"]]);
    check("round(-mean_5m)", [expect!["-8.0"], expect!["null"], expect!["-2.0"]]);
}

#[test]
fn nulls_are_three_valued_and_skipped_where_that_is_the_point() {
    check("flag AND mean_5m > 100", [expect!["0"], expect!["null"], expect!["0"]]);
    check("flag OR mean_5m < 100", [expect!["1"], expect!["1"], expect!["1"]]);
    check("mean_5m IS NULL", [expect!["0"], expect!["1"], expect!["0"]]);
    check("coalesce(mean_5m, 60)", [expect!["7.5"], expect!["60.0"], expect!["1.5"]]);
    check("greatest(mean_5m, 5)", [expect!["7.5"], expect!["5.0"], expect!["5.0"]]);
    check("count_5m / nullif(count_5m, 0)", [expect!["1.0"], expect!["1.0"], expect!["null"]]);
    check("CASE WHEN mean_5m > 2 THEN 1 WHEN flag THEN 2 END", [expect!["1.0"], expect!["2.0"], expect!["null"]]);
}

#[test]
fn texts_are_compared_as_texts_whatever_their_place() {
    check("mode", [expect!["1"], expect!["null"], expect!["0"]]);
    check("mode < 'fast'", [expect!["1"], expect!["null"], expect!["0"]]);
    check("lower(mode) IN ('slow', 'fast')", [expect!["1"], expect!["null"], expect!["0"]]);
    check("starts_with(upper(mode), 'SL')", [expect!["1"], expect!["null"], expect!["0"]]);
    check("CASE mode WHEN 'idle' THEN 0 ELSE 1 END", [expect!["1.0"], expect!["1.0"], expect!["0.0"]]);
}

#[test]
fn times_become_seconds() {
    check("at - first_at", [expect!["1.5"], expect!["null"], expect!["null"]]);
    check("at >= first_at", [expect!["1"], expect!["null"], expect!["1"]]);
    check("coalesce(first_at, at)", [expect!["1000"], expect!["7"], expect!["-9223372036854775808"]]);
}

#[test]
fn later_transforms_see_earlier_ones() {
    let pipeline =
        pipeline("made = \"mean_5m + 1\"\nbusy = \"made > 5 AND mode = 'SLOW'\"\ncopy = \"mode\"\nslow = \"copy = 'SLOW'\"");
    let transforms = Transforms::of(&pipeline);
    let mut results = Vec::new();
    transforms.evaluator().append(&rows()[0], &mut results);
    let expected = [Value::Float(8.5), Value::Integer(1), Value::Integer(1), Value::Integer(1)];
    assert_eq!(results, expected.map(Some));
}

#[test]
fn what_expressions_have_in_common_is_computed_once() {
    let repeated = "made = \"(mean_5m + 1) * 2 BETWEEN 1 AND 3\"\nother = \"(mean_5m + 1) * 2 > 7\"";
    // Load, add, multiply; two comparisons and their conjunction; the comparison of the other one.
    assert_eq!(Transforms::of(&pipeline(repeated)).steps.len(), 7);
}

#[test]
#[should_panic(expected = "other columns than the transforms were compiled for")]
fn a_row_of_another_pipeline_is_refused() {
    let transforms = Transforms::of(&pipeline("made = \"mean_5m\""));
    transforms.evaluator().append(&[None], &mut Vec::new());
}

/// The value of one transform for each of three rows: full, sparse, and one that pushes limits.
fn check(expression: &str, expected: [Expect; 3]) {
    let transforms = Transforms::of(&pipeline(&format!("made = \"{expression}\"")));
    let mut evaluator = transforms.evaluator();
    for (row, expected) in rows().iter().zip(expected) {
        let mut results = Vec::new();
        evaluator.append(row, &mut results);
        let [result] = results[..] else { panic!("one transform") };
        expected.assert_eq(&match result {
            None => "null".to_owned(),
            Some(Value::Float(number)) => format!("{number:?}"),
            Some(Value::Integer(number)) => number.to_string(),
        });
    }
}

/// In the order of the columns: mean, count, flag, mode, at, first_at.
fn rows() -> [[Option<Value>; 6]; 3] {
    let [float, integer] = [|number| Some(Value::Float(number)), |number: f64| Some(Value::Integer(number as i64))];
    [
        [float(7.5), integer(3.0), integer(1.0), integer(1.0), integer(2500.0), integer(1000.0)],
        [None, integer(2.0), integer(1.0), None, integer(7.0), None],
        [float(1.5), integer(0.0), integer(0.0), integer(0.0), integer(5.0), Some(Value::Integer(i64::MIN))],
    ]
}

fn pipeline(transforms: &str) -> Pipeline {
    let spec = format!("{SPEC}\n[transform]\n{transforms}\n");
    pipeline::parse("readings", &spec).unwrap_or_else(|faults| panic!("{faults}"))
}
