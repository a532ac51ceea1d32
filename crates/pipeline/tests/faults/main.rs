//! Every fault a spec can have, as a person sees it.

mod absences;
mod cases;
mod expressions;
mod fallbacks;
mod features;
mod groups;
mod rows;
mod shrink;
mod sources;
mod stages;

use expect_test::{Expect, expect};

/// A small sound spec whose parts the tests exchange.
const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "order_id"
time = "occurred_at"
skew = "30s"
lateness = "10m"

[source.orders.fields]
type = "string"
store_id = "string"
basket = { decimal = "0.01", max = 1000 }
weather = { category = ["clear", "rain"] }
lat = { decimal = "0.000001", max = 90 }
lon = { decimal = "0.000001", max = 180 }

[source.preparation]
pair = { from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order_id", longest = "3h" }

[group.store]
entity = "store"
key = "store_id"
source = "preparation"
hop = "1m"

[group.store.features]
prep_mean = { mean = "seconds", windows = ["15m", "1h"] }

[transform]
prep_minutes = "prep_mean_15m / 60"

[[test]]
name = "ten minutes"
events = "tests/one.jsonl"
expect = { "store:42" = { prep_mean_15m = 600.0, prep_mean_1h = "null" } }
"#;

/// Exchanges parts of the sound spec and shows what is said about the result.
pub(crate) fn check(changes: &[(&str, &str)], expected: Expect) {
    let mut spec = SPEC.to_owned();
    for (from, to) in changes {
        assert!(spec.contains(from), "the spec has no {from}");
        spec = spec.replacen(from, to, 1);
    }
    check_spec(&spec, expected);
}

pub(crate) fn check_spec(spec: &str, expected: Expect) {
    expected.assert_eq(&match pipeline::parse("kitchen", spec) {
        Ok(_) => "no faults\n".to_owned(),
        Err(faults) => format!("{faults}\n"),
    });
}

/// Adds a feature to the sound spec.
pub(crate) fn check_feature(feature: &str, expected: Expect) {
    check(&[("prep_mean = {", &format!("{feature}\nprep_mean = {{"))], expected);
}

#[test]
fn the_spec_is_sound() {
    check(
        &[],
        expect![[r#"
        no faults
    "#]],
    );
}

#[test]
fn all_faults_come_at_once() {
    check(
        &[("topic =", "topc ="), ("\"10m\"", "10"), ("'ready'", "ready"), ("\"15m\"", "\"90s\""), ("/ 60", "/ 'x'")],
        expect![[r#"
            error[unknown_key]: `topc` is no key of this table
             --> pipelines/kitchen/pipeline.toml:3:1
              |
            3 | topc = "orders"
              | ^^^^
              = help: did you mean `topic`?

            error[wrong_type]: expected a text in quotes, found a whole number
             --> pipelines/kitchen/pipeline.toml:7:12
              |
            7 | lateness = 10
              |            ^^
              = help: this is a length of time: a whole number and one of ms, s, m, h, d, such as "30s"

            error[unknown_field]: there is no `ready` among the fields of `orders`
              --> pipelines/kitchen/pipeline.toml:18:70
               |
            18 | pair = { from = "orders", start = "type = 'accepted'", end = "type = ready", key = "order_id", longest = "3h" }
               |                                                                      ^^^^^
               = help: known are `basket`, `id`, `lat`, `lon`, `occurred_at`, `order_id`, `source`, `store_id`, `type`, `weather`

            error[window_not_multiple]: a window of 90s is no multiple of the group's hop, 1m
              --> pipelines/kitchen/pipeline.toml:27:44
               |
            27 | prep_mean = { mean = "seconds", windows = ["90s", "1h"] }
               |                                            ^^^^^
               = help: choose 1m or 2m, or another hop

            pipelines/kitchen/pipeline.toml: 4 faults
        "#]],
    );
}

#[test]
fn toml_itself() {
    check(
        &[("\"orders\"", "orders")],
        expect![[r#"
        error[syntax]: string values must be quoted, expected literal string
         --> pipelines/kitchen/pipeline.toml:3:9
          |
        3 | topic = orders
          |         ^^^^^^
          = help: correct the TOML here; texts are quoted

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("key = \"order_id\"", "key = \"order_id\"\nkey = \"id\"")],
        expect![[r#"
        error[duplicate_key]: `key` is written twice
         --> pipelines/kitchen/pipeline.toml:5:1
          |
        5 | key = "id"
          | ^^^
          = help: remove or rename one of the two

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn structure() {
    check(
        &[("[group.store]", "[group.store]\nwher = \"TRUE\"")],
        expect![[r#"
        error[unknown_key]: `wher` is no key of this table
          --> pipelines/kitchen/pipeline.toml:21:1
           |
        21 | wher = "TRUE"
           | ^^^^
           = help: did you mean `where`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("entity = \"store\"\n", "")],
        expect![[r#"
        error[missing_key]: `entity` is missing: the entity type: the `store` of `store:42`
          --> pipelines/kitchen/pipeline.toml:20:8
           |
        20 | [group.store]
           |        ^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = 60")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes, found a whole number
          --> pipelines/kitchen/pipeline.toml:24:7
           |
        24 | hop = 60
           |       ^^
           = help: this is a length of time: a whole number and one of ms, s, m, h, d, such as "30s"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = 2026-11-21")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes, found a date or time
          --> pipelines/kitchen/pipeline.toml:24:7
           |
        24 | hop = 2026-11-21
           |       ^^^^^^^^^^
           = help: put it in quotes

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("hop = \"1m\"", "hop = \"1m\"\nentities = 0\nwhen_outdated = \"last-good\"")],
        expect![[r#"
        error[out_of_range]: 0 is out of range; it must be at least 1
          --> pipelines/kitchen/pipeline.toml:25:12
           |
        25 | entities = 0
           |            ^

        error[unknown_value]: `last-good` is none of `serve`, `default`, `last_good`, `refuse`
          --> pipelines/kitchen/pipeline.toml:26:17
           |
        26 | when_outdated = "last-good"
           |                 ^^^^^^^^^^^
           = help: did you mean `last_good`?

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        &[("type = \"string\"", "type = \"strng\"\nx = 3")],
        expect![[r#"
        error[unknown_value]: `strng` is none of `string`, `integer`, `boolean`, `time`
          --> pipelines/kitchen/pipeline.toml:10:8
           |
        10 | type = "strng"
           |        ^^^^^^^
           = help: did you mean `string`?

        error[wrong_type]: expected a text in quotes or a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:11:5
           |
        11 | x = 3
           |     ^
           = help: this is a field's type: "string", "integer", "boolean", "time", or a table that says more

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check_spec(
        "",
        expect![[r#"
        error[missing_key]: a pipeline needs at least one group
         --> pipelines/kitchen/pipeline.toml:1:1
          = help: write [group.NAME] with entity, key, source and hop

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn memory_is_worked_out() {
    check(
        &[("[source.orders]", "[limits]\nmemory = \"64MiB\"\n[source.orders]")],
        expect![[r#"
        error[over_memory]: live state may need 211.8 MiB, and 64.0 MiB are allowed
          group.store 157.2 MiB = 100000 entities × (160 + 24 + 0 + 61 tiles × 24 B)
          source.orders 30.2 MiB = 2 slices × 1000/s × 660 s × 24 B
          source.preparation 24.4 MiB = 100000 rows × 256 B
         --> pipelines/kitchen/pipeline.toml:3:10
          |
        3 | memory = "64MiB"
          |          ^^^^^^^
          = help: raise `[limits] memory`, or lower `entities`, widen `hop` or shorten windows where most is used

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[source.orders]", "[limits]\nmemory = \"2 GB\"\n[source.orders]")],
        expect![[r#"
        error[bad_size]: `2 GB` is no size; write a whole number and one of KiB, MiB, GiB, TiB, such as "2GiB"
         --> pipelines/kitchen/pipeline.toml:3:10
          |
        3 | memory = "2 GB"
          |          ^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn faults_of_one_thing_are_not_repeated_elsewhere() {
    check(
        &[("prep_mean = { mean = \"seconds\"", "prep_mean = { mean = 3")],
        expect![[r#"
        error[wrong_type]: expected a text in quotes, found a whole number
          --> pipelines/kitchen/pipeline.toml:27:22
           |
        27 | prep_mean = { mean = 3, windows = ["15m", "1h"] }
           |                      ^
           = help: this is a SQL expression

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("windows =", "widnows =")],
        expect![[r#"
        error[unknown_key]: `widnows` is no key of this table
          --> pipelines/kitchen/pipeline.toml:27:33
           |
        27 | prep_mean = { mean = "seconds", widnows = ["15m", "1h"] }
           |                                 ^^^^^^^
           = help: did you mean `windows`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("pair = {", "pair = { form = 3,")],
        expect![[r#"
        error[unknown_key]: `form` is no key of this table
          --> pipelines/kitchen/pipeline.toml:18:10
           |
        18 | pair = { form = 3, from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order_id", longest = "3h" }
           |          ^^^^
           = help: remove it; the table has every key that it can have

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("store_id = \"string\"", "store_id = \"text\"")],
        expect![[r#"
        error[unknown_value]: `text` is none of `string`, `integer`, `boolean`, `time`
          --> pipelines/kitchen/pipeline.toml:11:12
           |
        11 | store_id = "text"
           |            ^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}
