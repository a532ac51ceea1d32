//! Faults of what is predicted: what a case needs, its lengths of time and local time.

use expect_test::{Expect, expect};

/// A small sound spec with a case; the parts below exchange lines of it.
const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "order_id"
time = "at"
skew = "0s"
lateness = "1h"
fields = { type = "string", store_id = "string", items = "integer", promised_at = "time" }

[source.riders]
topic = "riders"
key = "rider_id"
time = "at"
skew = "0s"
lateness = "1h"
fields = { type = "string", order_id = "string", store_id = "integer", speed = { decimal = "0.1" } }

[source.preparation]
pair = { from = "orders", start = "type = 'placed'", end = "type = 'ready'", key = "order_id", longest = "3h" }

[group.store]
entity = "store"
key = "store_id"
source = "preparation"
hop = "1m"
entities = 10
features = { prep = { mean = "seconds", windows = ["1h"] }, last_ready = { last = "at" } }

[group.rider]
entity = "rider"
key = "rider_id"
source = "riders"
hop = "1m"
entities = 10
features = { pace = { mean = "speed", windows = ["1h"] } }

[transform]
pace_kmh = "pace_1h * 3.6"

[case]
entity = "order"
longest = "6h"
area = "store"
entities = { store = "store" }
label = ["1m", "4h"]
zone = "Europe/Vienna"
holidays = ["2026-12-25"]

[case.stages]
placed = { source = "orders", where = "type = 'placed'" }
ready = { source = "orders", where = "type = 'ready'" }
delivered = { source = "orders", where = "type = 'delivered'" }

[case.ends]
cancelled = { source = "orders", where = "type = 'cancelled'" }

[case.attributes]
store = "store_id"
items = "items"
promised = "promised_at"

[case.triggers]
stages = ["placed", "ready"]
every = "2m"

[case.inputs]
queue = "prep_1h * items"

[case.model]
name = "eta"
inputs = ["queue", "since_placed", "local_hour"]

[[case.fallback]]
name = "store"
seconds = "prep_1h + 900"
spread = [0.7, 1.0, 1.3, 1.6]

[[case.fallback]]
name = "anywhere"
seconds = "35 * 60"
spread = [0.6, 1.0, 1.4, 1.8]
"#;

/// Exchanges parts of the sound spec and shows what is said about the result.
pub(crate) fn check(changes: &[(&str, &str)], expected: Expect) {
    super::check_spec(&changed(changes), expected);
}

/// What is wrong when parts of the sound spec are exchanged.
pub(crate) fn faults(changes: &[(&str, &str)]) -> pipeline::Faults {
    pipeline::parse("kitchen", &changed(changes)).expect_err("the change is a fault")
}

fn changed(changes: &[(&str, &str)]) -> String {
    let mut spec = SPEC.to_owned();
    for (from, to) in changes {
        assert!(spec.contains(from), "the spec has no {from}");
        spec = spec.replacen(from, to, 1);
    }
    spec
}

#[test]
fn sound_ones() {
    let sound = || expect!["no faults\n"];
    check(&[], sound());
    check(&[("label = [\"1m\", \"4h\"]\nzone = \"Europe/Vienna\"\nholidays = [\"2026-12-25\"]\n", "")], sound());
    check(&[("[case.triggers]\nstages = [\"placed\", \"ready\"]\nevery = \"2m\"\n", "")], sound());
    check(&[("[case.model]\nname = \"eta\"\ninputs = [\"queue\", \"since_placed\", \"local_hour\"]\n", "")], sound());
    check(&[("area = \"store\"\n", "")], sound());
    check(&[("store = \"store_id\"\nitems", "store = { orders = \"store_id\" }\nitems")], sound());
    check(
        &[("[case.ends]", "[case.ends]\nlost = { source = \"riders\", key = \"rider_id\" }"), ("store_id = \"integer\", ", "")],
        sound(),
    );
    check(
        &[("[[case.fallback]]", "[case.promise]\nquantile = 0.8\n[case.corrector]\nhalf_life = \"90m\"\n[[case.fallback]]")],
        sound(),
    );
}

#[test]
fn a_case_needs_stages_and_fallbacks() {
    check(
        &[("entity = \"order\"\nlongest = \"6h\"\n", "")],
        expect![[r#"
        error[missing_key]: `entity` is missing: what predictions are about: the `order` of `order:o1`
          --> pipelines/kitchen/pipeline.toml:40:2
           |
        40 | [case]
           |  ^^^^

        error[missing_key]: `longest` is missing: a case that has not ended after this never will; at most 30d
          --> pipelines/kitchen/pipeline.toml:40:2
           |
        40 | [case]
           |  ^^^^

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        &[
            (
                "ready = { source = \"orders\", where = \"type = 'ready'\" }\ndelivered = { source = \"orders\", where = \"type = 'delivered'\" }\n",
                "",
            ),
            ("stages = [\"placed\", \"ready\"]\n", ""),
        ],
        expect![[r#"
            error[missing_key]: a case needs at least two stages: the first opens it, and when the last comes is predicted
              --> pipelines/kitchen/pipeline.toml:49:7
               |
            49 | [case.stages]
               |       ^^^^^^
               = help: add delivered = { source = "…", where = "…" }, for instance

            error[unknown_column]: there is no `since_placed` among the columns of the case's row
              --> pipelines/kitchen/pipeline.toml:68:20
               |
            68 | inputs = ["queue", "since_placed", "local_hour"]
               |                    ^^^^^^^^^^^^^^
               = help: known are `prep_1h`, `last_ready`, `pace_1h`, `pace_kmh`, `items`, `promised`, `local_hour`, `local_minute`, `local_weekday`, `is_holiday`, `queue`

            pipelines/kitchen/pipeline.toml: 2 faults
        "#]],
    );
    let (before, _) = SPEC.split_once("[[case.fallback]]").expect("the spec has fallbacks");
    super::check_spec(
        before,
        expect![[r#"
        error[missing_key]: `fallback` is missing: what is said when no model can be asked: the first whose value is known. The last needs no column
          --> pipelines/kitchen/pipeline.toml:40:2
           |
        40 | [case]
           |  ^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    super::check_spec(
        &before.replace("[case.stages]", "fallback = []\n[case.stages]"),
        expect![[r#"
        error[missing_key]: nothing can be said when the model cannot be asked
          --> pipelines/kitchen/pipeline.toml:49:12
           |
        49 | fallback = []
           |            ^^
           = help: add one with a number: [[case.fallback]] and seconds = "2100"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn lengths_of_time() {
    check(
        &[("longest = \"6h\"", "longest = \"31d\"")],
        expect![[r#"
        error[out_of_range]: `longest` is 31d; a case is over after 1m to 30d
          --> pipelines/kitchen/pipeline.toml:42:11
           |
        42 | longest = "31d"
           |           ^^^^^
           = help: write the time after which nobody waits for its last stage any more, such as "6h"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("longest = \"6h\"", "longest = \"0s\"")],
        expect![[r#"
        error[out_of_range]: `longest` is 0s; a case is over after 1m to 30d
          --> pipelines/kitchen/pipeline.toml:42:11
           |
        42 | longest = "0s"
           |           ^^^^
           = help: write the time after which nobody waits for its last stage any more, such as "6h"

        error[out_of_range]: `every` is 2m, and no case lasts longer than 0s
          --> pipelines/kitchen/pipeline.toml:64:9
           |
        64 | every = "2m"
           |         ^^^^
           = help: write a shorter time, or leave it out

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        &[("[\"1m\", \"4h\"]", "[\"4h\", \"4h\"]")],
        expect![[r#"
        error[out_of_range]: no time is longer than 4h and shorter than 4h
          --> pipelines/kitchen/pipeline.toml:45:9
           |
        45 | label = ["4h", "4h"]
           |         ^^^^^^^^^^^^
           = help: write the shortest and the longest time that are no mistake, such as ["1m", "4h"]

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("[\"1m\", \"4h\"]", "[\"1 minute\", \"4h\"]")],
        expect![[r#"
        error[bad_span]: `1 minute` is no length of time; write a whole number and one of ms, s, m, h, d, such as "30s"
          --> pipelines/kitchen/pipeline.toml:45:10
           |
        45 | label = ["1 minute", "4h"]
           |          ^^^^^^^^^^

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("every = \"2m\"", "every = \"9s\"")],
        expect![[r#"
        error[out_of_range]: `every` is 9s, and the shortest is 10s
          --> pipelines/kitchen/pipeline.toml:64:9
           |
        64 | every = "9s"
           |         ^^^^
           = help: write "1m" or "2m": a prediction moves no faster than its features

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        &[("every = \"2m\"", "every = \"7h\"")],
        expect![[r#"
        error[out_of_range]: `every` is 7h, and no case lasts longer than 6h
          --> pipelines/kitchen/pipeline.toml:64:9
           |
        64 | every = "7h"
           |         ^^^^
           = help: write a shorter time, or leave it out

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn local_time() {
    check(
        &[("Europe/Vienna", "Europe/Wien"), ("[\"2026-12-25\"]", "[\"25.12.2026\", \"2026-12-25\", \"2026-12-25\"]")],
        expect![[r#"
            error[unknown_zone]: there is no time zone `Europe/Wien`
              --> pipelines/kitchen/pipeline.toml:46:8
               |
            46 | zone = "Europe/Wien"
               |        ^^^^^^^^^^^^^
               = help: write an IANA name such as "Europe/Vienna", or an offset such as "+05:30"

            error[bad_time]: `25.12.2026` is no day
              --> pipelines/kitchen/pipeline.toml:47:13
               |
            47 | holidays = ["25.12.2026", "2026-12-25", "2026-12-25"]
               |             ^^^^^^^^^^^^
               = help: write year, month and day, such as "2026-12-25"

            error[duplicate_name]: 2026-12-25 is listed twice
              --> pipelines/kitchen/pipeline.toml:47:41
               |
            47 | holidays = ["25.12.2026", "2026-12-25", "2026-12-25"]
               |                                         ^^^^^^^^^^^^
               = help: remove one of the two

            pipelines/kitchen/pipeline.toml: 3 faults
        "#]],
    );
}
