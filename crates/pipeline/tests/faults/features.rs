//! Faults of features.

use expect_test::expect;

use super::{check, check_feature};

#[test]
fn features() {
    check_feature(
        r#"slow = { windows = ["1h"] }"#,
        expect![[r#"
        error[missing_aggregator]: `slow` does not say how it aggregates
          --> pipelines/kitchen/pipeline.toml:27:1
           |
        27 | slow = { windows = ["1h"] }
           | ^^^^
           = help: add one of `count`, `rate`, `sum`, `mean`, `min`, `max`, `std`, `first`, `last`, `ewma`, `quantile`, `distinct`, `top`, `open_count`, `travel`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds", max = "seconds", windows = ["1h"] }"#,
        expect![[r#"
        error[two_aggregators]: `slow` has 2 aggregators: `mean`, `max`
          --> pipelines/kitchen/pipeline.toml:27:1
           |
        27 | slow = { mean = "seconds", max = "seconds", windows = ["1h"] }
           | ^^^^
           = help: make a feature of each

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds" }"#,
        expect![[r#"
        error[missing_key]: `windows` is missing: only `first` and `last` look at the whole past
          --> pipelines/kitchen/pipeline.toml:27:1
           |
        27 | slow = { mean = "seconds" }
           | ^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds", windows = [] }"#,
        expect![[r#"
        error[missing_key]: this list of windows is empty
          --> pipelines/kitchen/pipeline.toml:27:38
           |
        27 | slow = { mean = "seconds", windows = [] }
           |                                      ^^
           = help: write ["15m", "1h"], or leave it out for the whole past

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds", windows = ["1h", "60m"] }"#,
        expect![[r#"
        error[duplicate_name]: a window of 1h is listed twice
          --> pipelines/kitchen/pipeline.toml:27:45
           |
        27 | slow = { mean = "seconds", windows = ["1h", "60m"] }
           |                                             ^^^^^
           = help: remove one of the two

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { sum = "store_id", windows = ["1h"] }"#,
        expect![[r#"
        error[type_mismatch]: `sum` takes decimals and integers, and this is a text
          --> pipelines/kitchen/pipeline.toml:27:16
           |
        27 | slow = { sum = "store_id", windows = ["1h"] }
           |                ^^^^^^^^^^
           = help: count its values with `distinct`, or compare it and use `count`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { last = "store_id" }"#,
        expect![[r#"
        error[type_mismatch]: `last` takes decimals, integers, conditions, times and categories, and this is a text
          --> pipelines/kitchen/pipeline.toml:27:17
           |
        27 | slow = { last = "store_id" }
           |                 ^^^^^^^^^^
           = help: declare the field as a category, { category = ["…", "…"] }, or use `distinct`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { quantile = 1.0, of = "seconds", windows = ["1h"] }"#,
        expect![[r#"
        error[out_of_range]: a quantile lies between 0 and 1, and 1 does not
          --> pipelines/kitchen/pipeline.toml:27:21
           |
        27 | slow = { quantile = 1.0, of = "seconds", windows = ["1h"] }
           |                     ^^^
           = help: write 0.9 for the value that nine of ten stay below; for the ends there are min and max

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { quantile = 0.9, windows = ["1h"] }"#,
        expect![[r#"
        error[missing_key]: `of` is missing: the number that the quantile is of
          --> pipelines/kitchen/pipeline.toml:27:1
           |
        27 | slow = { quantile = 0.9, windows = ["1h"] }
           | ^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds / 60", windows = ["1h"] }"#,
        expect![[r#"
        error[missing_step]: a computed number needs a `step` that it is rounded to
          --> pipelines/kitchen/pipeline.toml:27:17
           |
        27 | slow = { mean = "seconds / 60", windows = ["1h"] }
           |                 ^^^^^^^^^^^^^^
           = help: add step = "0.01" to the feature, or use a bare field

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds", step = "0.01", windows = ["1h"] }"#,
        expect![[r#"
        error[misplaced_key]: `step` is for computed numbers; this value has its own step
          --> pipelines/kitchen/pipeline.toml:27:28
           |
        27 | slow = { mean = "seconds", step = "0.01", windows = ["1h"] }
           |                            ^^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { mean = "seconds", per = "1m", windows = ["1h"] }"#,
        expect![[r#"
        error[misplaced_key]: `per` says nothing about `mean`
          --> pipelines/kitchen/pipeline.toml:27:28
           |
        27 | slow = { mean = "seconds", per = "1m", windows = ["1h"] }
           |                            ^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { rate = "*", per = "0s", windows = ["1h"] }"#,
        expect![[r#"
        error[out_of_range]: `per` has to be longer than nothing
          --> pipelines/kitchen/pipeline.toml:27:28
           |
        27 | slow = { rate = "*", per = "0s", windows = ["1h"] }
           |                            ^^^^
           = help: write "1m", for instance

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { top = "seconds", k = 20, windows = ["1h"] }"#,
        expect![[r#"
        error[type_mismatch]: `top` takes integers, conditions and categories, and this is a decimal
          --> pipelines/kitchen/pipeline.toml:27:16
           |
        27 | slow = { top = "seconds", k = 20, windows = ["1h"] }
           |                ^^^^^^^^^

        error[out_of_range]: 20 is out of range; it must be at least 1 and at most 16
          --> pipelines/kitchen/pipeline.toml:27:31
           |
        27 | slow = { top = "seconds", k = 20, windows = ["1h"] }
           |                               ^^

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check_feature(
        r#"slow = { top = "seconds", k = 2, windows = ["1h"] }"#,
        expect![[r#"
        error[type_mismatch]: `top` takes integers, conditions and categories, and this is a decimal
          --> pipelines/kitchen/pipeline.toml:27:16
           |
        27 | slow = { top = "seconds", k = 2, windows = ["1h"] }
           |                ^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { travel = ["lat"], windows = ["1h"] }"#,
        expect![[r#"
        error[wrong_length]: this list needs exactly 2 items and has 1
          --> pipelines/kitchen/pipeline.toml:27:19
           |
        27 | slow = { travel = ["lat"], windows = ["1h"] }
           |                   ^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { open_count = "*" }"#,
        expect![[r#"
        error[wrong_source]: `open_count` counts the rows of a table, and `preparation` is none
          --> pipelines/kitchen/pipeline.toml:27:10
           |
        27 | slow = { open_count = "*" }
           |          ^^^^^^^^^^
           = help: make a table of it: table = { from = …, key = …, longest = … }

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn tables_have_no_windows() {
    let table = (
        "[group.store]",
        "[source.open]\ntable = { from = \"orders\", key = \"order_id\", longest = \"1h\" }\n[group.open]\nentity = \"shop\"\nkey = \"store_id\"\nsource = \"open\"\n[group.open.features]\nFEATURE\n[group.store]",
    );
    check(
        &[table, ("FEATURE", "open = { open_count = \"*\" }")],
        expect![[r#"
        no faults
    "#]],
    );
    check(
        &[table, ("FEATURE", "open = { open_count = \"*\", windows = [\"1h\"] }")],
        expect![[r#"
        error[missing_key]: `hop` is missing: the grain of the windows' tails, such as "1m"
          --> pipelines/kitchen/pipeline.toml:22:8
           |
        22 | [group.open]
           |        ^^^^

        error[misplaced_key]: `open_count` over the table `open` reads the rows of now and has no windows
          --> pipelines/kitchen/pipeline.toml:27:38
           |
        27 | open = { open_count = "*", windows = ["1h"] }
           |                                      ^^^^^^
           = help: remove `windows`

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        &[table, ("FEATURE", "basket = { last = \"basket\" }")],
        expect![[r#"
        error[wrong_source]: `last` reads the one row of an entity, so the group's key has to be the table's, `order_id`
          --> pipelines/kitchen/pipeline.toml:27:12
           |
        27 | basket = { last = "basket" }
           |            ^^^^
           = help: write key = "order_id" in the group, or count rows with open_count

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[table, ("FEATURE", "basket = { sum = \"basket\", windows = [\"1h\"] }")],
        expect![[r#"
        error[missing_key]: `hop` is missing: the grain of the windows' tails, such as "1m"
          --> pipelines/kitchen/pipeline.toml:22:8
           |
        22 | [group.open]
           |        ^^^^

        error[wrong_source]: `sum` needs events, and `open` is a table of rows
          --> pipelines/kitchen/pipeline.toml:27:12
           |
        27 | basket = { sum = "basket", windows = ["1h"] }
           |            ^^^
           = help: use `open_count`, `first` and `last`, or a group over a stream

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}
