//! Faults of what is said without a model, and of how predictions are promised, corrected and calibrated.

use expect_test::{Expect, expect};

use super::cases::check;

fn check_fallback(from: &str, to: &str, expected: Expect) {
    check(&[(from, to)], expected);
}

fn check_rules(rules: &str, expected: Expect) {
    check(&[("[[case.fallback]]", &format!("{rules}\n[[case.fallback]]"))], expected);
}

#[test]
fn fallbacks() {
    check_fallback(
        "\"35 * 60\"",
        "\"prep_1h\"",
        expect![[r#"
            error[out_of_range]: the last fallback is what is said when nothing is known, and this is no positive number of seconds
              --> pipelines/kitchen/pipeline.toml:80:11
               |
            80 | seconds = "prep_1h"
               |           ^^^^^^^^^
               = help: write a number of seconds, such as "2100", or add a further [[case.fallback]] that has one

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check_fallback(
        "\"35 * 60\"",
        "\"1 / 0\"",
        expect![[r#"
            error[out_of_range]: the last fallback is what is said when nothing is known, and this is no positive number of seconds
              --> pipelines/kitchen/pipeline.toml:80:11
               |
            80 | seconds = "1 / 0"
               |           ^^^^^^^
               = help: write a number of seconds, such as "2100", or add a further [[case.fallback]] that has one

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check_fallback(
        "\"35 * 60\"",
        "\"TRUE\"",
        expect![[r#"
        error[type_mismatch]: expected a number of seconds, found a condition
          --> pipelines/kitchen/pipeline.toml:80:11
           |
        80 | seconds = "TRUE"
           |           ^^^^^^
           = help: write the median in seconds, such as "prep_mean_1h + 900"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "\"prep_1h + 900\"",
        "\"prep_1h + pace_1h\"",
        expect![[r#"
        error[foreign_column]: `pace_1h` is a value of `rider`, and the case has no key of one: it would always be null
          --> pipelines/kitchen/pipeline.toml:75:22
           |
        75 | seconds = "prep_1h + pace_1h"
           |                      ^^^^^^^
           = help: add rider = "ATTRIBUTE" to `entities` with the attribute that has its key, or leave it out

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "\"prep_1h + 900\"",
        "\"prep_1h +\"",
        expect![[r#"
        error[bad_expression]: expected a field, a literal or a parenthesis, found the end
          --> pipelines/kitchen/pipeline.toml:75:21
           |
        75 | seconds = "prep_1h +"
           |                     ^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "name = \"anywhere\"",
        "name = \"store\"",
        expect![[r#"
        error[duplicate_name]: another fallback is called `store`
          --> pipelines/kitchen/pipeline.toml:79:8
           |
        79 | name = "store"
           |        ^^^^^^^
           = help: say what this one goes by

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn spreads() {
    check_fallback(
        "[0.7, 1.0, 1.3, 1.6]",
        "[0.7, 1.0, 1.6, 1.3]",
        expect![[r#"
        error[out_of_range]: a spread ascends
          --> pipelines/kitchen/pipeline.toml:76:10
           |
        76 | spread = [0.7, 1.0, 1.6, 1.3]
           |          ^^^^^^^^^^^^^^^^^^^^
           = help: write what stays below 10, 50, 80 and 90 in a hundred as multiples of the median, such as [0.7, 1.0, 1.3, 1.6]

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "[0.7, 1.0, 1.3, 1.6]",
        "[0, 1.0, 1.3, 1.6]",
        expect![[r#"
        error[out_of_range]: a spread is made of positive numbers
          --> pipelines/kitchen/pipeline.toml:76:10
           |
        76 | spread = [0, 1.0, 1.3, 1.6]
           |          ^^^^^^^^^^^^^^^^^^
           = help: write what stays below 10, 50, 80 and 90 in a hundred as multiples of the median, such as [0.7, 1.0, 1.3, 1.6]

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "[0.7, 1.0, 1.3, 1.6]",
        "[0.7, 1.1, 1.3, 1.6]",
        expect![[r#"
        error[out_of_range]: the second number of a spread is the median itself, 1.0
          --> pipelines/kitchen/pipeline.toml:76:10
           |
        76 | spread = [0.7, 1.1, 1.3, 1.6]
           |          ^^^^^^^^^^^^^^^^^^^^
           = help: write what stays below 10, 50, 80 and 90 in a hundred as multiples of the median, such as [0.7, 1.0, 1.3, 1.6]

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_fallback(
        "[0.7, 1.0, 1.3, 1.6]",
        "[0.7, 1.0, 1.3]",
        expect![[r#"
        error[wrong_length]: this list needs exactly 4 items and has 3
          --> pipelines/kitchen/pipeline.toml:76:10
           |
        76 | spread = [0.7, 1.0, 1.3]
           |          ^^^^^^^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn rules_of_predictions() {
    check_rules(
        "[case.promise]\nquantile = 0.95\nlater_cost = 20\nround_to = \"2h\"",
        expect![[r#"
        error[out_of_range]: `quantile` is 0.95; declare a value from 0.5 to 0.9
          --> pipelines/kitchen/pipeline.toml:74:12
           |
        74 | quantile = 0.95
           |            ^^^^
           = help: write a value in this range, or leave it out for the usual one

        error[out_of_range]: `later_cost / earlier_cost` is 20; declare a value from 1 to 9
          --> pipelines/kitchen/pipeline.toml:75:14
           |
        75 | later_cost = 20
           |              ^^
           = help: write a value in this range, or leave it out for the usual one

        error[out_of_range]: `round_to` is 2h; declare a value from 1s to 1h
          --> pipelines/kitchen/pipeline.toml:76:12
           |
        76 | round_to = "2h"
           |            ^^^^
           = help: write a value in this range, or leave it out for the usual one

        pipelines/kitchen/pipeline.toml: 3 faults
    "#]],
    );
    check_rules(
        "[case.corrector]\nhalf_life = \"1m\"\nstrength = 0\nadjustment_max = \"3h\"",
        expect![[r#"
        error[out_of_range]: `half_life` is 1m; declare a value from 90m to 3h
          --> pipelines/kitchen/pipeline.toml:74:13
           |
        74 | half_life = "1m"
           |             ^^^^
           = help: write a value in this range, or leave it out for the usual one

        error[out_of_range]: `strength` is 0; declare a value from 1 to 100000
          --> pipelines/kitchen/pipeline.toml:75:12
           |
        75 | strength = 0
           |            ^
           = help: write a value in this range, or leave it out for the usual one

        error[out_of_range]: `adjustment_max` is 3h; declare a value from 0ms to 2h
          --> pipelines/kitchen/pipeline.toml:76:18
           |
        76 | adjustment_max = "3h"
           |                  ^^^^
           = help: write a value in this range, or leave it out for the usual one

        pipelines/kitchen/pipeline.toml: 3 faults
    "#]],
    );
    check_rules(
        "[case.calibration]\nstep_first = \"1m\"\nstep_last = \"50ms\"\noffset_max = \"30s\"\nstrenght = 3",
        expect![[r#"
        error[out_of_range]: `step_last` is 50ms; declare a value from 100ms to 1m
          --> pipelines/kitchen/pipeline.toml:75:13
           |
        75 | step_last = "50ms"
           |             ^^^^^^
           = help: write a value in this range, or leave it out for the usual one

        error[out_of_range]: `offset_max` is 30s; declare a value from 1m to 1d
          --> pipelines/kitchen/pipeline.toml:76:14
           |
        76 | offset_max = "30s"
           |              ^^^^^
           = help: write a value in this range, or leave it out for the usual one

        error[unknown_key]: `strenght` is no key of this table
          --> pipelines/kitchen/pipeline.toml:77:1
           |
        77 | strenght = 3
           | ^^^^^^^^
           = help: did you mean `strength`?

        pipelines/kitchen/pipeline.toml: 3 faults
    "#]],
    );
}
