//! Faults inside expressions, at their place in the file.

use expect_test::expect;

use super::{check, check_feature};

#[test]
fn expressions() {
    check(
        &[("key = \"store_id\"", "key = \"stor_id\"")],
        expect![[r#"
        error[unknown_field]: there is no `stor_id` among the fields of `preparation`
          --> pipelines/kitchen/pipeline.toml:22:8
           |
        22 | key = "stor_id"
           |        ^^^^^^^
           = help: did you mean `store_id`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("key = \"store_id\"", "key = \"occurred_at\"")],
        expect![[r#"
        error[type_mismatch]: a key is a text or a number, not a time
          --> pipelines/kitchen/pipeline.toml:22:8
           |
        22 | key = "occurred_at"
           |        ^^^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { count = "seconds > 'long'", windows = ["1h"] }"#,
        expect![[r#"
        error[type_mismatch]: a number and a text do not go together
          --> pipelines/kitchen/pipeline.toml:27:19
           |
        27 | slow = { count = "seconds > 'long'", windows = ["1h"] }
           |                   ^^^^^^^^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { count = "seconds + 1", windows = ["1h"] }"#,
        expect![[r#"
        error[type_mismatch]: expected a condition, found a number
          --> pipelines/kitchen/pipeline.toml:27:18
           |
        27 | slow = { count = "seconds + 1", windows = ["1h"] }
           |                  ^^^^^^^^^^^^^
           = help: compare it with something, as in `type = 'order.ready'`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"slow = { count = "median(seconds) > 1", windows = ["1h"] }"#,
        expect![[r#"
        error[unknown_function]: there is no function `median`
          --> pipelines/kitchen/pipeline.toml:27:19
           |
        27 | slow = { count = "median(seconds) > 1", windows = ["1h"] }
           |                   ^^^^^^
           = help: known are `abs`, `floor`, `ceil`, `round`, `sqrt`, `least`, `greatest`, `coalesce`, `nullif`, `lower` and 3 more

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"wet = { mean = "weather = 'rian'", windows = ["1h"] }"#,
        expect![[r#"
        error[unknown_category]: the category has no value 'rian'
          --> pipelines/kitchen/pipeline.toml:27:27
           |
        27 | wet = { mean = "weather = 'rian'", windows = ["1h"] }
           |                           ^^^^^^
           = help: did you mean `rain`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_feature(
        r#"wet = { mean = "type = \"wet\" AND secnds > 1", windows = ["1h"] }"#,
        expect![[r#"
        error[unknown_field]: there is no `wet` among the fields of `preparation`
          --> pipelines/kitchen/pipeline.toml:27:24
           |
        27 | wet = { mean = "type = \"wet\" AND secnds > 1", windows = ["1h"] }
           |                        ^^^^^^^
           = help: texts stand in single quotes: 'wet'

        error[unknown_field]: there is no `secnds` among the fields of `preparation`
          --> pipelines/kitchen/pipeline.toml:27:36
           |
        27 | wet = { mean = "type = \"wet\" AND secnds > 1", windows = ["1h"] }
           |                                    ^^^^^^
           = help: did you mean `seconds`?

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}
