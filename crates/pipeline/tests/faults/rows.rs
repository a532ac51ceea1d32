//! Faults of the row of a case: names, inputs, and what a model takes of it.

use expect_test::{Expect, expect};

use super::cases::check;

fn check_input(input: &str, expected: Expect) {
    check(&[("[case.inputs]", &format!("[case.inputs]\n{input}"))], expected);
}

fn check_model(inputs: &str, expected: Expect) {
    check(&[("[\"queue\", \"since_placed\", \"local_hour\"]", inputs)], expected);
}

#[test]
fn names_are_unique_in_the_row() {
    check_input(
        "items = \"3\"",
        expect![[r#"
        error[duplicate_name]: `items` names two values of the row: an attribute and an input
          --> pipelines/kitchen/pipeline.toml:67:1
           |
        67 | items = "3"
           | ^^^^^
           = help: rename one of the two

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_input(
        "prep_1h = \"3\"\npace_kmh = \"3\"\nsince_ready = \"3\"\nis_holiday = \"TRUE\"",
        expect![[r#"
        error[duplicate_name]: `prep_1h` names two values of the row: the column of `group.store.features.prep` and an input
          --> pipelines/kitchen/pipeline.toml:67:1
           |
        67 | prep_1h = "3"
           | ^^^^^^^
           = help: rename one of the two

        error[duplicate_name]: `pace_kmh` names two values of the row: a transform and an input
          --> pipelines/kitchen/pipeline.toml:68:1
           |
        68 | pace_kmh = "3"
           | ^^^^^^^^
           = help: rename one of the two

        error[duplicate_name]: `since_ready` names two values of the row: the seconds since the stage `ready` and an input
          --> pipelines/kitchen/pipeline.toml:69:1
           |
        69 | since_ready = "3"
           | ^^^^^^^^^^^
           = help: rename one of the two

        error[duplicate_name]: `is_holiday` names two values of the row: local time and an input
          --> pipelines/kitchen/pipeline.toml:70:1
           |
        70 | is_holiday = "TRUE"
           | ^^^^^^^^^^
           = help: rename one of the two

        pipelines/kitchen/pipeline.toml: 4 faults
    "#]],
    );
    check(
        &[
            ("pace_kmh = ", "since_placed = \"3\"\npace_kmh = "),
            ("features = { pace", "features = { local_hour = { last = \"speed\" }, pace"),
        ],
        expect![[r#"
            error[duplicate_name]: `local_hour` names two values of the row: the column of `group.rider.features.local_hour` and local time
              --> pipelines/kitchen/pipeline.toml:41:2
               |
            41 | [case]
               |  ^^^^
               = help: rename one of the two

            error[duplicate_name]: `since_placed` names two values of the row: a transform and the seconds since the stage `placed`
              --> pipelines/kitchen/pipeline.toml:51:1
               |
            51 | placed = { source = "orders", where = "type = 'placed'" }
               | ^^^^^^
               = help: rename one of the two

            error[foreign_column]: `local_hour` is a value of `rider`, and the case has no key of one: it would always be null
              --> pipelines/kitchen/pipeline.toml:72:36
               |
            72 | inputs = ["queue", "since_placed", "local_hour"]
               |                                    ^^^^^^^^^^^^
               = help: add rider = "ATTRIBUTE" to `entities` with the attribute that has its key, or leave it out

            pipelines/kitchen/pipeline.toml: 3 faults
        "#]],
    );
}

#[test]
fn inputs() {
    check_input(
        "slow = \"prep_1 > 600\"",
        expect![[r#"
        error[unknown_field]: there is no `prep_1` among the columns of the case's row
          --> pipelines/kitchen/pipeline.toml:67:9
           |
        67 | slow = "prep_1 > 600"
           |         ^^^^^^
           = help: did you mean `prep_1h`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_input(
        "slow = \"store\"",
        expect![[r#"
            error[type_mismatch]: the attribute `store` is a text, which is a key and no value
              --> pipelines/kitchen/pipeline.toml:67:9
               |
            67 | slow = "store"
               |         ^^^^^
               = help: declare its field as a category, or use columns of the entity that it is the key of

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check_input(
        "slow = \"quick\"\nquick = \"slow\"",
        expect![[r#"
        error[cyclic_transform]: these inputs use each other: slow → quick → slow
          --> pipelines/kitchen/pipeline.toml:67:8
           |
        67 | slow = "quick"
           |        ^^^^^^^
           = help: compute one of them from feature columns alone

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_input(
        "fast = \"items + pace_1h\"\nfaster = \"pace_kmh\"\nfine = \"fast + 1\"",
        expect![[r#"
        error[foreign_column]: `pace_1h` is a value of `rider`, and the case has no key of one: it would always be null
          --> pipelines/kitchen/pipeline.toml:67:17
           |
        67 | fast = "items + pace_1h"
           |                 ^^^^^^^
           = help: add rider = "ATTRIBUTE" to `entities` with the attribute that has its key, or leave it out

        error[foreign_column]: `pace_kmh` is a value of `rider`, and the case has no key of one: it would always be null
          --> pipelines/kitchen/pipeline.toml:68:11
           |
        68 | faster = "pace_kmh"
           |           ^^^^^^^^
           = help: add rider = "ATTRIBUTE" to `entities` with the attribute that has its key, or leave it out

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check_input(
        "since = \"since_delivered\"",
        expect![[r#"
        error[unknown_field]: there is no `since_delivered` among the columns of the case's row
          --> pipelines/kitchen/pipeline.toml:67:10
           |
        67 | since = "since_delivered"
           |          ^^^^^^^^^^^^^^^
           = help: known are `prep_1h`, `last_ready`, `pace_1h`, `pace_kmh`, `items`, `promised`, `since_placed`, `since_ready`, `local_hour`, `local_minute`, `local_weekday`, `is_holiday`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn what_a_model_takes() {
    check_model(
        "[\"queue\", \"que\", \"queue\", \"store\", \"promised\", \"pace_kmh\"]",
        expect![[r#"
        error[unknown_column]: there is no `que` among the columns of the case's row
          --> pipelines/kitchen/pipeline.toml:71:20
           |
        71 | inputs = ["queue", "que", "queue", "store", "promised", "pace_kmh"]
           |                    ^^^^^
           = help: known are `prep_1h`, `last_ready`, `pace_1h`, `pace_kmh`, `items`, `promised`, `since_placed`, `since_ready`, `local_hour`, `local_minute` and 3 more

        error[duplicate_name]: `queue` is listed twice
          --> pipelines/kitchen/pipeline.toml:71:27
           |
        71 | inputs = ["queue", "que", "queue", "store", "promised", "pace_kmh"]
           |                           ^^^^^^^
           = help: remove one of the two

        error[wrong_type]: `store` is a text, and a model takes numbers, conditions and categories
          --> pipelines/kitchen/pipeline.toml:71:36
           |
        71 | inputs = ["queue", "que", "queue", "store", "promised", "pace_kmh"]
           |                                    ^^^^^^^
           = help: declare its field as a category, or name columns of the entity that it is the key of

        error[wrong_type]: `promised` is a time, and a time is no number
          --> pipelines/kitchen/pipeline.toml:71:45
           |
        71 | inputs = ["queue", "que", "queue", "store", "promised", "pace_kmh"]
           |                                             ^^^^^^^^^^
           = help: subtract it from another time in [case.inputs]: that gives seconds

        error[foreign_column]: `pace_kmh` is a value of `rider`, and the case has no key of one: it would always be null
          --> pipelines/kitchen/pipeline.toml:71:57
           |
        71 | inputs = ["queue", "que", "queue", "store", "promised", "pace_kmh"]
           |                                                         ^^^^^^^^^^
           = help: add rider = "ATTRIBUTE" to `entities` with the attribute that has its key, or leave it out

        pipelines/kitchen/pipeline.toml: 5 faults
    "#]],
    );
    check_model(
        "[]",
        expect![[r#"
        error[missing_key]: a model that takes nothing says the same of every case
          --> pipelines/kitchen/pipeline.toml:71:10
           |
        71 | inputs = []
           |          ^^
           = help: name columns of the row, or leave [case.model] out

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    let names = (0..16_001).map(|place| format!("\"x{place}\"")).collect::<Vec<_>>().join(",");
    let faults = super::cases::faults(&[("[\"queue\", \"since_placed\", \"local_hour\"]", &format!("[{names}]"))]);
    assert_eq!(faults.all().len(), 1);
    assert_eq!(faults.all()[0].message, "16001 inputs are listed; 16000 are allowed");
    check(
        &[("name = \"eta\"", "name = \"eta model\"")],
        expect![[r#"
        error[bad_name]: `eta model` is no name of a model
          --> pipelines/kitchen/pipeline.toml:70:8
           |
        70 | name = "eta model"
           |        ^^^^^^^^^^^
           = help: use 1 to 100 letters, digits, dots, dashes and underscores

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}
