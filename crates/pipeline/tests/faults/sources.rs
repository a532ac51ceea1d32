//! Faults of sources and their fields.

use expect_test::expect;

use super::check;

#[test]
fn sources() {
    check(
        &[("lateness = \"10m\"\n", "lateness = \"10m\"\ndedup = \"10m\"\n")],
        expect![[r#"
        error[dedup_too_short]: `dedup` is 10m, and an event can come 630s apart from its repetition (lateness + skew)
         --> pipelines/kitchen/pipeline.toml:8:9
          |
        8 | dedup = "10m"
          |         ^^^^^
          = help: write "630s" or more, or leave it out

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("source = \"preparation\"", "source = \"prepration\"")],
        expect![[r#"
        error[unknown_source]: there is no source `prepration`
          --> pipelines/kitchen/pipeline.toml:23:10
           |
        23 | source = "prepration"
           |          ^^^^^^^^^^^^
           = help: did you mean `preparation`?

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[(
            "[group.store]",
            "[source.riders]\ntopic = \"riders\"\nkey = \"rider_id\"\ntime = \"at\"\nskew = \"0s\"\nlateness = \"1m\"\n[group.store]",
        )],
        expect![[r#"
            error[unused_source]: nothing uses the source `riders`
              --> pipelines/kitchen/pipeline.toml:20:9
               |
            20 | [source.riders]
               |         ^^^^^^
               = help: remove it, or make a group of it

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[("lateness = \"10m\"", "lateness = \"10 minutes\"")],
        expect![[r#"
        error[bad_span]: `10 minutes` is no length of time; write a whole number and one of ms, s, m, h, d, such as "30s"
         --> pipelines/kitchen/pipeline.toml:7:12
          |
        7 | lateness = "10 minutes"
          |            ^^^^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("lateness = \"10m\"\n", "")],
        expect![[r#"
        error[missing_key]: `lateness` is missing: how long after its time an event is still taken
         --> pipelines/kitchen/pipeline.toml:2:9
          |
        2 | [source.orders]
          |         ^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("topic = \"orders\"", "topic = \"orders\"\ntable = { from = \"orders\", key = \"order_id\", longest = \"1h\" }")],
        expect![[r#"
            error[misplaced_key]: a source has only one of `topic`, `pair`, `table` and `absence`
             --> pipelines/kitchen/pipeline.toml:2:9
              |
            2 | [source.orders]
              |         ^^^^^^
              = help: declare two sources

            error[not_a_stream]: `orders` is no stream, and pairs, tables and absences are made from streams
              --> pipelines/kitchen/pipeline.toml:19:17
               |
            19 | pair = { from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order_id", longest = "3h" }
               |                 ^^^^^^^^
               = help: name the stream with the events themselves

            pipelines/kitchen/pipeline.toml: 2 faults
        "#]],
    );
    check(
        &[("time = \"occurred_at\"", "time = \"store_id\"")],
        expect![[r#"
        error[wrong_type]: `store_id` cannot be the time: it is a string
         --> pipelines/kitchen/pipeline.toml:5:8
          |
        5 | time = "store_id"
          |        ^^^^^^^^^^
          = help: choose another field, or declare this one with another type

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn fields() {
    check(
        &[("{ decimal = \"0.01\", max = 1000 }", "{ decimal = \"0.05\" }")],
        expect![[r#"
        error[bad_step]: `0.05` is no step; steps are 1, 0.1, 0.01 and so on to 0.000000001
          --> pipelines/kitchen/pipeline.toml:12:22
           |
        12 | basket = { decimal = "0.05" }
           |                      ^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("{ decimal = \"0.01\", max = 1000 }", "{ decimal = \"0.01\", max = 10.001, min = \"many\" }")],
        expect![[r#"
        error[bad_number]: `10.001` has more than 2 digits after the point, which the step does not allow
          --> pipelines/kitchen/pipeline.toml:12:36
           |
        12 | basket = { decimal = "0.01", max = 10.001, min = "many" }
           |                                    ^^^^^^

        error[bad_number]: `many` is no number
          --> pipelines/kitchen/pipeline.toml:12:50
           |
        12 | basket = { decimal = "0.01", max = 10.001, min = "many" }
           |                                                  ^^^^^^

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        &[("{ decimal = \"0.01\", max = 1000 }", "{ max = 3 }")],
        expect![[r#"
        error[missing_key]: `basket` needs exactly one of `type`, `decimal`, `category` and `cell`
          --> pipelines/kitchen/pipeline.toml:12:1
           |
        12 | basket = { max = 3 }
           | ^^^^^^
           = help: write { decimal = "0.01" } or { type = "string" }, for instance

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("{ decimal = \"0.01\", max = 1000 }", "{ type = \"string\", max = 3 }")],
        expect![[r#"
        error[misplaced_key]: `max` says nothing about this kind of field
          --> pipelines/kitchen/pipeline.toml:12:29
           |
        12 | basket = { type = "string", max = 3 }
           |                             ^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("basket = {", "area = { cell = [\"lat\", \"store_id\"], resolution = 8 }\nbasket = {")],
        expect![[r#"
        error[wrong_type]: a cell is made of decimals; `store_id` is a string
          --> pipelines/kitchen/pipeline.toml:12:25
           |
        12 | area = { cell = ["lat", "store_id"], resolution = 8 }
           |                         ^^^^^^^^^^
           = help: declare store_id = { decimal = "0.000001", max = 180 }

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("basket = {", "area = { cell = [\"lat\", \"long\"], resolution = 16 }\nbasket = {")],
        expect![[r#"
        error[out_of_range]: 16 is out of range; it must be at least 0 and at most 15
          --> pipelines/kitchen/pipeline.toml:12:47
           |
        12 | area = { cell = ["lat", "long"], resolution = 16 }
           |                                               ^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[\"clear\", \"rain\"]", "[\"clear\", \"null\", \"clear\"]")],
        expect![[r#"
        error[bad_name]: a value cannot be empty or "null", which both mean no value
          --> pipelines/kitchen/pipeline.toml:13:34
           |
        13 | weather = { category = ["clear", "null", "clear"] }
           |                                  ^^^^^^
           = help: leave the field out where there is no value

        error[duplicate_name]: 'clear' is listed twice
          --> pipelines/kitchen/pipeline.toml:13:42
           |
        13 | weather = { category = ["clear", "null", "clear"] }
           |                                          ^^^^^^^
           = help: remove one of the two

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}

#[test]
fn derived_sources() {
    check(
        &[(", end = \"type = 'ready'\"", "")],
        expect![[r#"
        error[missing_key]: `end` is missing: condition that an ending event meets
          --> pipelines/kitchen/pipeline.toml:18:1
           |
        18 | pair = { from = "orders", start = "type = 'accepted'", key = "order_id", longest = "3h" }
           | ^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("end = \"type = 'ready'\"", "end = \"\"")],
        expect![[r#"
        error[empty_expression]: this expression is empty
          --> pipelines/kitchen/pipeline.toml:18:63
           |
        18 | pair = { from = "orders", start = "type = 'accepted'", end = "", key = "order_id", longest = "3h" }
           |                                                               ^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[(
            "[group.store]",
            "[source.late]\ntable = { from = \"preparation\", key = \"order_id\", longest = \"1h\" }\n[group.store]",
        )],
        expect![[r#"
            error[unused_source]: nothing uses the source `late`
              --> pipelines/kitchen/pipeline.toml:20:9
               |
            20 | [source.late]
               |         ^^^^
               = help: remove it, or make a group of it

            error[not_a_stream]: `preparation` is no stream, and pairs, tables and absences are made from streams
              --> pipelines/kitchen/pipeline.toml:21:18
               |
            21 | table = { from = "preparation", key = "order_id", longest = "1h" }
               |                  ^^^^^^^^^^^^^
               = help: name the stream with the events themselves

            pipelines/kitchen/pipeline.toml: 2 faults
        "#]],
    );
    check(
        &[("key = \"order_id\", longest", "key = \"order\", longest")],
        expect![[r#"
        error[unknown_field]: there is no `order` among the fields of `orders`
          --> pipelines/kitchen/pipeline.toml:18:86
           |
        18 | pair = { from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order", longest = "3h" }
           |                                                                                      ^^^^^^^
           = help: known are `basket`, `id`, `lat`, `lon`, `occurred_at`, `order_id`, `source`, `store_id`, `type`, `weather`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("longest = \"3h\" }", "longest = \"3h\" }\nlateness = \"5m\"")],
        expect![[r#"
        error[misplaced_key]: `lateness` belongs to a stream
          --> pipelines/kitchen/pipeline.toml:19:1
           |
        19 | lateness = "5m"
           | ^^^^^^^^
           = help: declare it at the stream that this source is made from

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("type = \"string\"", "type = \"string\"\nseconds = \"integer\"")],
        expect![[r#"
        error[duplicate_name]: `orders` has a field `seconds` already, which is what a pair adds
          --> pipelines/kitchen/pipeline.toml:19:1
           |
        19 | pair = { from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order_id", longest = "3h" }
           | ^^^^
           = help: rename that field

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn encodings() {
    check(
        &[("topic = \"orders\"", "topic = \"orders\"\nencoding = \"arvo\"")],
        expect![[r#"
            error[unknown_value]: `arvo` is none of `json`, `avro`, `protobuf`
             --> pipelines/kitchen/pipeline.toml:4:12
              |
            4 | encoding = "arvo"
              |            ^^^^^^
              = help: did you mean `avro`?

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[(
            "[group.store]",
            "[source.riders]\ntopic = \"orders\"\nencoding = \"avro\"\nkey = \"rider_id\"\ntime = \"at\"\nskew = \"0s\"\nlateness = \"1m\"\n\
             [group.riders]\nentity = \"rider\"\nkey = \"rider_id\"\nsource = \"riders\"\nfeatures.seen = { last = \"at\" }\n[group.store]",
        )],
        expect![[r#"
            error[two_encodings]: `orders` is read as avro here and as json by the source `orders`
              --> pipelines/kitchen/pipeline.toml:22:12
               |
            22 | encoding = "avro"
               |            ^^^^^^
               = help: a topic has one encoding: declare the same in both

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
    check(
        &[("[source.preparation]", "[source.preparation]\nencoding = \"avro\"")],
        expect![[r#"
            error[misplaced_key]: `encoding` belongs to a stream
              --> pipelines/kitchen/pipeline.toml:18:1
               |
            18 | encoding = "avro"
               | ^^^^^^^^
               = help: declare it at the stream that this source is made from

            pipelines/kitchen/pipeline.toml: 1 fault
        "#]],
    );
}
