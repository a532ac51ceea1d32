//! Faults of stages, ends and attributes, of the keys among them, and of triggers.

use expect_test::{Expect, expect};

use super::cases::check;

/// A stage between the first and the second.
fn check_stage(stage: &str, expected: Expect) {
    check(&[("ready = { source", &format!("{stage}\nready = {{ source"))], expected);
}

/// A further attribute.
fn check_attribute(attribute: &str, expected: Expect) {
    check(&[("items = \"items\"", &format!("items = \"items\"\n{attribute}"))], expected);
}

#[test]
fn stages_lie_where_the_case_is() {
    check_stage(
        "picked_up = { source = \"preparation\" }",
        expect![[r#"
        error[not_a_stream]: `preparation` is no stream, and only events move a case
          --> pipelines/kitchen/pipeline.toml:51:24
           |
        51 | picked_up = { source = "preparation" }
           |                        ^^^^^^^^^^^^^
           = help: name the stream with the events themselves

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_stage(
        "picked_up = { source = \"order\" }",
        expect![[r#"
        error[unknown_source]: there is no source `order`
          --> pipelines/kitchen/pipeline.toml:51:24
           |
        51 | picked_up = { source = "order" }
           |                        ^^^^^^^
           = help: did you mean `orders`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[case.ends]", "[case.ends]\nlost = { source = \"riders\" }"), ("store_id = \"integer\", ", "")],
        expect![[r#"
        error[not_the_topics_key]: the key of `riders` is `rider_id`, and that of the case is `order_id`
          --> pipelines/kitchen/pipeline.toml:55:19
           |
        55 | lost = { source = "riders" }
           |                   ^^^^^^^^
           = help: read a topic that is partitioned by `order_id`, or write key = "rider_id" if it is another name for the same thing

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[case.ends]", "[case.ends]\nlost = { source = \"riders\", key = \"order_id\" }"), ("store_id = \"integer\", ", "")],
        expect![[r#"
            error[not_the_topics_key]: events of one `order_id` lie in several partitions: the key of `riders` is `rider_id`
              --> pipelines/kitchen/pipeline.toml:55:35
               |
            55 | lost = { source = "riders", key = "order_id" }
               |                                   ^^^^^^^^^^
               = help: a case is followed in one partition: read a topic that is partitioned by `order_id`

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[("[case.ends]", "[case.ends]\nready = { source = \"orders\", where = \"items\" }")],
        expect![[r#"
        error[duplicate_name]: `ready` is a stage and an end
          --> pipelines/kitchen/pipeline.toml:55:1
           |
        55 | ready = { source = "orders", where = "items" }
           | ^^^^^
           = help: rename one of the two

        error[type_mismatch]: expected a condition, found a number
          --> pipelines/kitchen/pipeline.toml:55:38
           |
        55 | ready = { source = "orders", where = "items" }
           |                                      ^^^^^^^
           = help: compare it with something, as in `type = 'order.ready'`

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check_stage(
        "Picked = { source = \"orders\", where = \"type = 'picked'\" }",
        expect![[r#"
        error[bad_name]: `Picked` is no name
          --> pipelines/kitchen/pipeline.toml:51:1
           |
        51 | Picked = { source = "orders", where = "type = 'picked'" }
           | ^^^^^^
           = help: names are lower-case letters, digits and `_`, begin with a letter and have at most 64

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn attributes() {
    check_attribute(
        "rows = \"item\"",
        expect![[r#"
        error[unknown_field]: no stream of a stage or an end has a field `item`
          --> pipelines/kitchen/pipeline.toml:60:8
           |
        60 | rows = "item"
           |        ^^^^^^
           = help: did you mean `items`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_attribute(
        "rows = { riders = \"speed\", orders = \"item\" }",
        expect![[r#"
        error[unknown_source]: `riders` is no stream of a stage or an end, and only those tell attributes
          --> pipelines/kitchen/pipeline.toml:60:10
           |
        60 | rows = { riders = "speed", orders = "item" }
           |          ^^^^^^
           = help: did you mean `orders`?

        error[unknown_field]: there is no `item` among the fields of `orders`
          --> pipelines/kitchen/pipeline.toml:60:37
           |
        60 | rows = { riders = "speed", orders = "item" }
           |                                     ^^^^^^
           = help: did you mean `items`?

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check_attribute(
        "rows = {}",
        expect![[r#"
        error[missing_key]: no stream tells this attribute
          --> pipelines/kitchen/pipeline.toml:60:1
           |
        60 | rows = {}
           | ^^^^
           = help: write the name of its field, or { STREAM = "FIELD" }

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check_attribute(
        "rows = 3",
        expect![[r#"
        error[wrong_type]: expected a text in quotes or a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:60:8
           |
        60 | rows = 3
           |        ^
           = help: this is what a case carries: a field, told by every stream of a stage or end that has it, or the fields by stream where their names differ

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[case.ends]", "[case.ends]\nlost = { source = \"riders\", key = \"rider_id\" }")],
        expect![[r#"
        error[wrong_type]: `store` is a string in `orders` and an integer in `riders`
          --> pipelines/kitchen/pipeline.toml:59:9
           |
        59 | store = "store_id"
           |         ^^^^^^^^^^
           = help: declare both fields alike, or make an attribute of each

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn keys_of_entities() {
    check(
        &[
            ("entities = { store = \"store\" }", "entities = { shop = \"store\" }"),
            ("queue = \"prep_1h * items\"", "queue = \"items\""),
            ("prep_1h + 900", "900"),
        ],
        expect![[r#"
            error[unknown_entity]: no group has the entity type `shop`
              --> pipelines/kitchen/pipeline.toml:44:14
               |
            44 | entities = { shop = "store" }
               |              ^^^^
               = help: known are `rider`, `store`

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[("area = \"store\"", "area = \"district\"")],
        expect![[r#"
        error[unknown_attribute]: there is no attribute `district`
          --> pipelines/kitchen/pipeline.toml:43:8
           |
        43 | area = "district"
           |        ^^^^^^^^^^
           = help: known are `store`, `items`, `promised`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("entities = { store = \"store\" }", "entities = { store = \"items\" }")],
        expect![[r#"
        error[wrong_type]: `items` is a value, and a key is a text
          --> pipelines/kitchen/pipeline.toml:44:22
           |
        44 | entities = { store = "items" }
           |                      ^^^^^^^
           = help: name an attribute whose field is a string or a cell

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("entities = { store = \"store\" }", "entities = 3")],
        expect![[r#"
        error[wrong_type]: expected a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:44:12
           |
        44 | entities = 3
           |            ^
           = help: this is entities whose columns are part of the row, by type: the attribute that has the key of each

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn triggers() {
    check(
        &[("[\"placed\", \"ready\"]", "[\"placed\", \"redy\", \"placed\", \"delivered\"]")],
        expect![[r#"
        error[unknown_stage]: there is no stage `redy`
          --> pipelines/kitchen/pipeline.toml:63:21
           |
        63 | stages = ["placed", "redy", "placed", "delivered"]
           |                     ^^^^^^
           = help: did you mean `ready`?

        error[duplicate_name]: `placed` is listed twice
          --> pipelines/kitchen/pipeline.toml:63:29
           |
        63 | stages = ["placed", "redy", "placed", "delivered"]
           |                             ^^^^^^^^
           = help: remove one of the two

        error[out_of_range]: when `delivered` comes nothing is left to predict: it is the last stage
          --> pipelines/kitchen/pipeline.toml:63:39
           |
        63 | stages = ["placed", "redy", "placed", "delivered"]
           |                                       ^^^^^^^^^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 3 faults
    "#]],
    );
    check(
        &[("[\"placed\", \"ready\"]\nevery = \"2m\"", "[]")],
        expect![[r#"
        error[missing_key]: nothing makes a prediction
          --> pipelines/kitchen/pipeline.toml:63:10
           |
        63 | stages = []
           |          ^^
           = help: name a stage, or write every = "2m"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn faults_of_a_case_are_not_repeated() {
    check(
        &[("placed = { source = \"orders\"", "placed = { source = 3")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes, found a whole number
          --> pipelines/kitchen/pipeline.toml:50:21
           |
        50 | placed = { source = 3, where = "type = 'placed'" }
           |                     ^
           = help: this is the stream with the events; its key is the key of the case

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("items = \"items\"", "items = 3")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes or a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:59:9
           |
        59 | items = 3
           |         ^
           = help: this is what a case carries: a field, told by every stream of a stage or end that has it, or the fields by stream where their names differ

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("fields = { type = \"string\", store_id = \"string\"", "fields = { type = \"string\", store_id = \"text\"")],
        expect![[r#"
            error[unknown_value]: `text` is none of `string`, `integer`, `boolean`, `time`
             --> pipelines/kitchen/pipeline.toml:8:40
              |
            8 | fields = { type = "string", store_id = "text", items = "integer", promised_at = "time" }
              |                                        ^^^^^^

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[("[[case.fallback]]\nname = \"store\"", "[[case.fallback]]\nname = 3")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes, found a whole number
          --> pipelines/kitchen/pipeline.toml:74:8
           |
        74 | name = 3
           |        ^
           = help: this is what a prediction says of why it is one

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}
