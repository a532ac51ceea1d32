//! Faults of values that are shrunk towards broader ones.

use expect_test::{Expect, expect};

use super::check;

fn check_shrink(levels: &str, expected: Expect) {
    let shrunk = format!("held = {{ shrink = [{levels}] }}\nprep_minutes = \"held / 60\"\nother_minutes = ");
    check(&[("prep_minutes = ", &shrunk)], expected);
}

const STORE: &str = "{ value = \"prep_mean_15m\", count = \"prep_mean_1h\", strength = 20 }";

#[test]
fn a_value_is_shrunk_towards_broader_ones() {
    check_shrink(
        &format!("{STORE}, {{ value = \"prep_mean_1h\", count = \"7\" }}"),
        expect![[r#"
        no faults
    "#]],
    );
    check_shrink(
        &format!("{STORE}, {STORE}, {{ value = \"600\" }}"),
        expect![[r#"
        no faults
    "#]],
    );
}

#[test]
fn there_is_something_to_be_shrunk_towards_and_not_too_much() {
    check_shrink(
        "",
        expect![[r#"
        error[wrong_length]: 0 values are named; a value is shrunk over 2 to 6
          --> pipelines/kitchen/pipeline.toml:30:19
           |
        30 | held = { shrink = [] }
           |                   ^^
           = help: write the value first, and then one or more broader ones, such as that of an area and that of everybody

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_shrink(
        STORE,
        expect![[r#"
        error[wrong_length]: 1 values are named; a value is shrunk over 2 to 6
          --> pipelines/kitchen/pipeline.toml:30:19
           |
        30 | held = { shrink = [{ value = "prep_mean_15m", count = "prep_mean_1h", strength = 20 }] }
           |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = help: write the value first, and then one or more broader ones, such as that of an area and that of everybody

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_shrink(
        &["{ value = \"1\" }"; 7].join(", "),
        expect![[r#"
        error[wrong_length]: 7 values are named; a value is shrunk over 2 to 6
          --> pipelines/kitchen/pipeline.toml:30:19
           |
        30 | held = { shrink = [{ value = "1" }, { value = "1" }, { value = "1" }, { value = "1" }, { value = "1" }, { value = "1" }, { value = "1" }] }
           |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = help: write the value first, and then one or more broader ones, such as that of an area and that of everybody

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn all_but_the_broadest_have_a_count_and_a_strength() {
    check_shrink(
        "{ value = \"prep_mean_15m\" }, { value = \"600\", strength = 5 }",
        expect![[r#"
        error[missing_key]: `strength` is missing: with so many observations the value and what is broader weigh the same
          --> pipelines/kitchen/pipeline.toml:30:20
           |
        30 | held = { shrink = [{ value = "prep_mean_15m" }, { value = "600", strength = 5 }] }
           |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error[missing_key]: `count` is missing: how many observations the value is made of
          --> pipelines/kitchen/pipeline.toml:30:20
           |
        30 | held = { shrink = [{ value = "prep_mean_15m" }, { value = "600", strength = 5 }] }
           |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error[misplaced_key]: nothing is broader than the last value, so nothing holds it back
          --> pipelines/kitchen/pipeline.toml:30:66
           |
        30 | held = { shrink = [{ value = "prep_mean_15m" }, { value = "600", strength = 5 }] }
           |                                                                  ^^^^^^^^
           = help: remove it, or add a broader value

        pipelines/kitchen/pipeline.toml: 3 faults
    "#]],
    );
    check_shrink(
        "{ value = \"prep_mean_15m\", count = \"3\", strength = 0 }, { value = \"600\" }",
        expect![[r#"
        error[out_of_range]: 0 is no strength; it is above 0 and at most 1000000000
          --> pipelines/kitchen/pipeline.toml:30:71
           |
        30 | held = { shrink = [{ value = "prep_mean_15m", count = "3", strength = 0 }, { value = "600" }] }
           |                                                                       ^
           = help: write after how many observations you would go halfway towards the value

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_shrink(
        "{ count = \"3\", strength = 1e10 }, { value = \"600\" }",
        expect![[r#"
        error[missing_key]: `value` is missing: a number: a SQL expression like any other
          --> pipelines/kitchen/pipeline.toml:30:20
           |
        30 | held = { shrink = [{ count = "3", strength = 1e10 }, { value = "600" }] }
           |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error[out_of_range]: 10000000000 is no strength; it is above 0 and at most 1000000000
          --> pipelines/kitchen/pipeline.toml:30:46
           |
        30 | held = { shrink = [{ count = "3", strength = 1e10 }, { value = "600" }] }
           |                                              ^^^^
           = help: write after how many observations you would go halfway towards the value

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}

#[test]
fn values_and_counts_are_numbers_that_are_known() {
    check_shrink(
        "{ value = \"prep_mean_15m > 3\", count = \"prep_men_1h\", strength = 2 }, { value = \"'600'\" }",
        expect![[r#"
            error[type_mismatch]: expected a number, found a condition
              --> pipelines/kitchen/pipeline.toml:30:30
               |
            30 | held = { shrink = [{ value = "prep_mean_15m > 3", count = "prep_men_1h", strength = 2 }, { value = "'600'" }] }
               |                              ^^^^^^^^^^^^^^^^^^^
               = help: only numbers are shrunk; make one of it with CASE

            error[unknown_field]: there is no `prep_men_1h` among the feature columns
              --> pipelines/kitchen/pipeline.toml:30:60
               |
            30 | held = { shrink = [{ value = "prep_mean_15m > 3", count = "prep_men_1h", strength = 2 }, { value = "'600'" }] }
               |                                                            ^^^^^^^^^^^
               = help: did you mean `prep_mean_1h`?

            error[type_mismatch]: expected a number, found a text
              --> pipelines/kitchen/pipeline.toml:30:100
               |
            30 | held = { shrink = [{ value = "prep_mean_15m > 3", count = "prep_men_1h", strength = 2 }, { value = "'600'" }] }
               |                                                                                                    ^^^^^^^
               = help: only numbers are shrunk; make one of it with CASE

            pipelines/kitchen/pipeline.toml: 3 faults
        "#]],
    );
    check_shrink(
        "{ value = \"prep_mean_15m +\", count = \"held\", strength = 2 }, { value = \"600\" }",
        expect![[r#"
        error[bad_expression]: expected a field, a literal or a parenthesis, found the end
          --> pipelines/kitchen/pipeline.toml:30:46
           |
        30 | held = { shrink = [{ value = "prep_mean_15m +", count = "held", strength = 2 }, { value = "600" }] }
           |                                              ^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_shrink(
        "{ value = \"prep_minutes\", count = \"3\", strength = 2 }, { value = \"600\" }",
        expect![[r#"
        error[cyclic_transform]: these transforms use each other: held → prep_minutes → held
          --> pipelines/kitchen/pipeline.toml:30:1
           |
        30 | held = { shrink = [{ value = "prep_minutes", count = "3", strength = 2 }, { value = "600" }] }
           | ^^^^
           = help: compute one of them from feature columns alone

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn it_is_an_expression_or_this() {
    check(
        &[("prep_minutes = ", "held = { shrunk = [] }\nother = 5\nprep_minutes = ")],
        expect![[r#"
        error[unknown_key]: `shrunk` is no key of this table
          --> pipelines/kitchen/pipeline.toml:30:10
           |
        30 | held = { shrunk = [] }
           |          ^^^^^^
           = help: did you mean `shrink`?

        error[wrong_type]: expected a text in quotes or a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:31:9
           |
        31 | other = 5
           |         ^
           = help: this is a SQL expression, or a value that is shrunk towards broader ones

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}
