//! Faults of groups, names, transforms and the pipeline's own tests.

use expect_test::expect;

use super::{check, check_feature};

#[test]
fn names() {
    check(
        &[("prep_minutes", "prep_mean_1h")],
        expect![[r#"
        error[duplicate_name]: the column `prep_mean_1h` is made by `group.store.features.prep_mean` already
          --> pipelines/kitchen/pipeline.toml:30:1
           |
        30 | prep_mean_1h = "prep_mean_15m / 60"
           | ^^^^^^^^^^^^
           = help: rename one of the two

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[group.store.features]", "[group.store.features]\n\"Prep Mean\" = { count = \"*\", windows = [\"1h\"] }")],
        expect![[r#"
            error[bad_name]: `Prep Mean` is no name
              --> pipelines/kitchen/pipeline.toml:27:1
               |
            27 | "Prep Mean" = { count = "*", windows = ["1h"] }
               | ^^^^^^^^^^^
               = help: names are lower-case letters, digits and `_`, begin with a letter and have at most 64

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check_feature(
        r#"prep = { count = "*", windows = ["1h"] }
prep_1h = { last = "seconds" }"#,
        expect![[r#"
            error[duplicate_name]: the column `prep_1h` is made by `group.store.features.prep` already
              --> pipelines/kitchen/pipeline.toml:28:1
               |
            28 | prep_1h = { last = "seconds" }
               | ^^^^^^^
               = help: rename one of the two features

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
}

#[test]
fn groups() {
    check(
        &[("hop = \"1m\"\n", "")],
        expect![[r#"
        error[missing_key]: `hop` is missing: the grain of the windows' tails, such as "1m"
          --> pipelines/kitchen/pipeline.toml:20:8
           |
        20 | [group.store]
           |        ^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = \"2d\"")],
        expect![[r#"
        error[out_of_range]: a hop of 2d is out of range
          --> pipelines/kitchen/pipeline.toml:24:7
           |
        24 | hop = "2d"
           |       ^^^^
           = help: choose 1s to 1d; 1m suits windows below some hours

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = \"1m\"\nkeep = \"30m\"")],
        expect![[r#"
        error[keep_too_short]: `keep` is 30m, shorter than the widest window, 1h
          --> pipelines/kitchen/pipeline.toml:25:8
           |
        25 | keep = "30m"
           |        ^^^^^
           = help: write "1h" or more

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = \"1m\"\nkeep = \"1m\""), ("windows = [\"15m\", \"1h\"]", "windows = [\"1m\"]")],
        expect![[r#"
            error[keep_too_short]: `keep` is 1m, shorter than the source's lateness and skew together, 630s
              --> pipelines/kitchen/pipeline.toml:25:8
               |
            25 | keep = "1m"
               |        ^^^^
               = help: write "630s" or more

            error[unknown_field]: there is no `prep_mean_15m` among the feature columns
              --> pipelines/kitchen/pipeline.toml:31:17
               |
            31 | prep_minutes = "prep_mean_15m / 60"
               |                 ^^^^^^^^^^^^^
               = help: did you mean `prep_mean_1m`?

            error[unknown_column]: there is no column `prep_mean_15m`
              --> pipelines/kitchen/pipeline.toml:36:27
               |
            36 | expect = { "store:42" = { prep_mean_15m = 600.0, prep_mean_1h = "null" } }
               |                           ^^^^^^^^^^^^^
               = help: did you mean `prep_mean_1m`?

            error[unknown_column]: there is no column `prep_mean_1h`
              --> pipelines/kitchen/pipeline.toml:36:50
               |
            36 | expect = { "store:42" = { prep_mean_15m = 600.0, prep_mean_1h = "null" } }
               |                                                  ^^^^^^^^^^^^
               = help: did you mean `prep_mean_1m`?

            pipelines/kitchen/pipeline.toml: 4 faults
        "#]],
    );
    check(
        &[("windows = [\"15m\", \"1h\"]", "windows = [\"28d\"]")],
        expect![[r#"
        error[too_many_hops]: a window of 28d has 40320 hops of 1m; 2000 are allowed
          --> pipelines/kitchen/pipeline.toml:27:44
           |
        27 | prep_mean = { mean = "seconds", windows = ["28d"] }
           |                                            ^^^^^
           = help: put long windows into a group of their own, with a hop of minutes for hours and of hours for weeks

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    let many: Vec<String> =
        (0..200).map(|n| format!("f{n} = {{ count = \"*\", windows = [\"1m\", \"2m\", \"3m\"] }}\n")).collect();
    check(
        &[("prep_mean = {", &(many.concat() + "prep_mean = {"))],
        expect![[r#"
        error[too_many_columns]: this group has 602 columns; 512 are allowed
          --> pipelines/kitchen/pipeline.toml:26:14
           |
        26 | [group.store.features]
           |              ^^^^^^^^
           = help: split it into several groups

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn transforms() {
    check(
        &[("prep_minutes =", "a = \"b + 1\"\nb = \"c\"\nc = \"a * 2\"\nprep_minutes =")],
        expect![[r#"
        error[cyclic_transform]: these transforms use each other: a → b → c → a
          --> pipelines/kitchen/pipeline.toml:30:5
           |
        30 | a = "b + 1"
           |     ^^^^^^^
           = help: compute one of them from feature columns alone

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("prep_mean_15m / 60", "prep_mean_20m / 60")],
        expect![[r#"
        error[unknown_field]: there is no `prep_mean_20m` among the feature columns
          --> pipelines/kitchen/pipeline.toml:30:17
           |
        30 | prep_minutes = "prep_mean_20m / 60"
           |                 ^^^^^^^^^^^^^
           = help: did you mean `prep_mean_15m`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("prep_mean_15m / 60", "CASE WHEN prep_mean_15m > 60 THEN 'long' END")],
        expect![[r#"
        error[type_mismatch]: a transform gives a number, a time or a condition, not a text
          --> pipelines/kitchen/pipeline.toml:30:16
           |
        30 | prep_minutes = "CASE WHEN prep_mean_15m > 60 THEN 'long' END"
           |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = help: compare the text with something

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn tests_of_the_pipeline() {
    check(
        &[("prep_mean_15m = 600.0", "prep_mean = 600.0")],
        expect![[r#"
        error[unknown_column]: there is no column `prep_mean`
          --> pipelines/kitchen/pipeline.toml:35:27
           |
        35 | expect = { "store:42" = { prep_mean = 600.0, prep_mean_1h = "null" } }
           |                           ^^^^^^^^^
           = help: did you mean `prep_mean_1h`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("\"store:42\"", "\"stor:42\"")],
        expect![[r#"
        error[unknown_entity]: no group has the entity type `stor`
          --> pipelines/kitchen/pipeline.toml:35:12
           |
        35 | expect = { "stor:42" = { prep_mean_15m = 600.0, prep_mean_1h = "null" } }
           |            ^^^^^^^^^
           = help: did you mean `store`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("\"store:42\"", "store")],
        expect![[r#"
        error[unknown_entity]: `store` is no entity
          --> pipelines/kitchen/pipeline.toml:35:12
           |
        35 | expect = { store = { prep_mean_15m = 600.0, prep_mean_1h = "null" } }
           |            ^^^^^
           = help: write type and key, such as "store:42"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("600.0", "\"ten\"")],
        expect![[r#"
        error[wrong_value]: this column holds numbers; write a number or "null"
          --> pipelines/kitchen/pipeline.toml:35:43
           |
        35 | expect = { "store:42" = { prep_mean_15m = "ten", prep_mean_1h = "null" } }
           |                                           ^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("tests/one.jsonl", "../one.jsonl")],
        expect![[r#"
        error[path_escapes]: `../one.jsonl` does not lie in the pipeline's folder
          --> pipelines/kitchen/pipeline.toml:34:10
           |
        34 | events = "../one.jsonl"
           |          ^^^^^^^^^^^^^^
           = help: write a path below the folder, such as "tests/one_order.jsonl"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("events =", "at = \"noon\"\nrefused = { lat = 1 }\nevents =")],
        expect![[r#"
        error[bad_time]: `noon` is no RFC 3339 time with an offset, such as "2026-11-21T10:00:00Z"
          --> pipelines/kitchen/pipeline.toml:34:6
           |
        34 | at = "noon"
           |      ^^^^^^

        error[unknown_value]: `lat` is no reason to refuse a record
          --> pipelines/kitchen/pipeline.toml:35:13
           |
        35 | refused = { lat = 1 }
           |             ^^^
           = help: did you mean `late`?

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}
