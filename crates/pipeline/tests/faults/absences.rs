use expect_test::{Expect, expect};

/// A small sound spec with an absence that only a topic is told of.
const SPEC: &str = r#"
[source.scooters]
topic = "scooters"
key = "device_id"
time = "at"
skew = "0s"
lateness = "1h"
fields = { zone = "string", battery = "integer" }

[source.lost]
absence = { from = "scooters", key = "device_id", within = "30m", topic = "absences" }

[group.scooter]
entity = "scooter"
key = "device_id"
source = "scooters"
features = { battery = { last = "battery" } }
"#;

/// Exchanges the absence's rule and shows what is said about it.
fn check(rule: &str, expected: Expect) {
    super::check_spec(&SPEC.replace("key = \"device_id\", within = \"30m\"", rule), expected);
}

#[test]
fn sound_ones() {
    for rule in [
        r#"key = "device_id", within = "30m""#,
        r#"key = "device_id", within = "30m", active = ["22:00", "06:00"], zone = "+05:45", longest = "1d""#,
        r#"key = "device_id", where = "battery > 3", by = "10:00", begin = "12:00", zone = { field = "zone" }, longest = "7d""#,
    ] {
        check(rule, expect!["no faults\n"]);
    }
}

#[test]
fn rules() {
    check(
        r#"key = "device_id", within = "0s""#,
        expect![[r#"
        error[out_of_range]: `within` has to be longer than nothing
          --> pipelines/kitchen/pipeline.toml:11:60
           |
        11 | absence = { from = "scooters", key = "device_id", within = "0s", topic = "absences" }
           |                                                            ^^^^
           = help: write how long an event may take to come, such as "30m"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", longest = "1d""#,
        expect![[r#"
        error[missing_key]: `within` or `by` is missing: when an event has to be there
          --> pipelines/kitchen/pipeline.toml:11:1
           |
        11 | absence = { from = "scooters", key = "device_id", longest = "1d", topic = "absences" }
           | ^^^^^^^
           = help: write within = "30m", or by = "10:00" and longest = "7d"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", within = "1h", by = "10:00", longest = "1d""#,
        expect![[r#"
        error[misplaced_key]: an absence has only one of `within` and `by`
          --> pipelines/kitchen/pipeline.toml:11:1
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", by = "10:00", longest = "1d", topic = "absences" }
           | ^^^^^^^
           = help: declare two sources

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", by = "10:00", active = ["06:00", "22:00"]"#,
        expect![[r#"
        error[missing_key]: `longest` is missing: how long after the last event of a key its absence is still news
          --> pipelines/kitchen/pipeline.toml:11:1
           |
        11 | absence = { from = "scooters", key = "device_id", by = "10:00", active = ["06:00", "22:00"], topic = "absences" }
           | ^^^^^^^

        error[misplaced_key]: `active` belongs to an absence with `within`
          --> pipelines/kitchen/pipeline.toml:11:65
           |
        11 | absence = { from = "scooters", key = "device_id", by = "10:00", active = ["06:00", "22:00"], topic = "absences" }
           |                                                                 ^^^^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        r#"key = "device_id", by = "25:00", begin = "9", longest = "1d""#,
        expect![[r#"
        error[bad_time]: `25:00` is no time of day; write hours and minutes, "00:00" to "23:59"
          --> pipelines/kitchen/pipeline.toml:11:56
           |
        11 | absence = { from = "scooters", key = "device_id", by = "25:00", begin = "9", longest = "1d", topic = "absences" }
           |                                                        ^^^^^^^

        error[bad_time]: `9` is no time of day; write hours and minutes, "00:00" to "23:59"
          --> pipelines/kitchen/pipeline.toml:11:73
           |
        11 | absence = { from = "scooters", key = "device_id", by = "25:00", begin = "9", longest = "1d", topic = "absences" }
           |                                                                         ^^^

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
    check(
        r#"key = "device_id", within = "1d", active = ["06:00", "06:30"]"#,
        expect![[r#"
        error[out_of_range]: `within` is 1d, more than the active hours of 31 days
          --> pipelines/kitchen/pipeline.toml:11:60
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1d", active = ["06:00", "06:30"], topic = "absences" }
           |                                                            ^^^^
           = help: write at most "930m", or widen `active`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", within = "1h", active = ["06:00", "06:00"], begin = "00:00""#,
        expect![[r#"
        error[out_of_range]: these hours begin and end at once
          --> pipelines/kitchen/pipeline.toml:11:75
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", active = ["06:00", "06:00"], begin = "00:00", topic = "absences" }
           |                                                                           ^^^^^^^^^^^^^^^^^^
           = help: leave `active` out when the whole day counts

        error[misplaced_key]: `begin` belongs to an absence with `by`
          --> pipelines/kitchen/pipeline.toml:11:95
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", active = ["06:00", "06:00"], begin = "00:00", topic = "absences" }
           |                                                                                               ^^^^^
           = help: remove it

        pipelines/kitchen/pipeline.toml: 2 faults
    "#]],
    );
}

#[test]
fn zones() {
    check(
        r#"key = "device_id", within = "1h", zone = "Europe/Wien""#,
        expect![[r#"
        error[unknown_zone]: there is no time zone `Europe/Wien`
          --> pipelines/kitchen/pipeline.toml:11:73
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", zone = "Europe/Wien", topic = "absences" }
           |                                                                         ^^^^^^^^^^^^^
           = help: write an IANA name such as "Europe/Vienna", or an offset such as "+05:30"

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", within = "1h", zone = { field = "battery" }"#,
        expect![[r#"
        error[wrong_type]: a zone is named by a string; `battery` is an integer
          --> pipelines/kitchen/pipeline.toml:11:83
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", zone = { field = "battery" }, topic = "absences" }
           |                                                                                   ^^^^^^^^^
           = help: declare battery = "string", or choose another field

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    check(
        r#"key = "device_id", within = "1h", zone = 2"#,
        expect![[r#"
        error[wrong_type]: expected a text in quotes or a table, found a whole number
          --> pipelines/kitchen/pipeline.toml:11:73
           |
        11 | absence = { from = "scooters", key = "device_id", within = "1h", zone = 2, topic = "absences" }
           |                                                                         ^
           = help: this is a time zone: an IANA name such as "Europe/Vienna", an offset such as "+05:30", or the field that names one

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}

#[test]
fn keys_and_names() {
    check(
        r#"key = "zone", within = "1h""#,
        expect![[r#"
        error[not_the_topics_key]: events of one `zone` lie in several partitions: the topic's key is `device_id`
          --> pipelines/kitchen/pipeline.toml:11:38
           |
        11 | absence = { from = "scooters", key = "zone", within = "1h", topic = "absences" }
           |                                      ^^^^^^
           = help: write key = "device_id", or read a topic that is partitioned by `zone`

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    super::check_spec(
        &SPEC.replace("battery = \"integer\"", "battery = \"integer\", since = \"time\""),
        expect![[r#"
        error[duplicate_name]: `scooters` has a field `since` already, which is what an absence adds
          --> pipelines/kitchen/pipeline.toml:11:1
           |
        11 | absence = { from = "scooters", key = "device_id", within = "30m", topic = "absences" }
           | ^^^^^^^
           = help: rename that field

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    super::check_spec(
        &SPEC.replace(", topic = \"absences\"", ""),
        expect![[r#"
        error[unused_source]: nothing uses the source `lost`
          --> pipelines/kitchen/pipeline.toml:10:9
           |
        10 | [source.lost]
           |         ^^^^
           = help: remove it, or make a group of it

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
    super::check_spec(
        &SPEC.replace("topic = \"absences\"", "topic = \"a b\""),
        expect![[r#"
        error[bad_name]: `a b` is no name of a topic
          --> pipelines/kitchen/pipeline.toml:11:75
           |
        11 | absence = { from = "scooters", key = "device_id", within = "30m", topic = "a b" }
           |                                                                           ^^^^^
           = help: use letters, digits, `.`, `_` and `-`, at most 128

        pipelines/kitchen/pipeline.toml: 1 fault
    "#]],
    );
}
