//! Cases that hold, and what is said of those that do not.

use super::*;
use crate::scratch::Scratch;

const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "store_id"
time = "occurred_at"
skew = "30s"
lateness = "10m"
fields = { store_id = "string", kind = { category = ["small", "large"] } }

[group.store]
entity = "store"
key = "store_id"
source = "orders"
hop = "1m"
features = { orders = { count = "*", windows = ["1h"] }, size = { last = "kind" } }

[transform]
is_busy = "orders_1h > 1"
"#;

const EVENTS: &str = r#"{"id":"1","source":"s","store_id":"42","kind":"large","occurred_at":"2026-03-01T12:00:00Z"}
{"id":"2","source":"s","store_id":"42","kind":"small","occurred_at":"2026-03-01T12:05:00Z"}
{"id":"2","source":"s","store_id":"42","kind":"small","occurred_at":"2026-03-01T12:05:00Z"}
"#;

/// A source of what does not come within three minutes.
const QUIET: &str = r#"
[source.quiet]
absence = { from = "orders", key = "store_id", within = "3m", topic = "absences", entities = 10 }
"#;

fn check(case: &str, expected: &[&str]) {
    check_with("", case, expected);
}

/// The differences of one case.
fn check_with(sources: &str, case: &str, expected: &[&str]) {
    let scratch = Scratch::new();
    scratch.file("events.jsonl", EVENTS.as_bytes());
    let spec = format!("{SPEC}{sources}\n[[test]]\nname = \"it\"\nevents = \"events.jsonl\"\n{case}");
    let pipeline = Arc::new(pipeline::parse("small", &spec).unwrap_or_else(|faults| panic!("{faults}")));
    let outcomes = run_cases(&pipeline, scratch.path()).expect("cases that run");
    let found: Vec<String> = outcomes[0].differences.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
    assert_eq!(outcomes[0].holds(), expected.is_empty());
}

#[test]
fn a_case_that_holds_has_no_differences() {
    check("refused = { duplicate = 1 }\nexpect.\"store:42\" = { orders_1h = 2, size = \"small\", is_busy = true }", &[]);
}

#[test]
fn the_instant_decides_what_is_seen() {
    let before = "at = \"2026-03-01T12:05:00Z\"\nrefused = {}\n";
    check(&format!("{before}expect.\"store:42\" = {{ orders_1h = 1, size = \"large\", is_busy = false }}"), &[]);
}

#[test]
fn differences_are_told_with_both_values() {
    let case = "refused = { late = 1 }\nexpect.\"store:42\" = { orders_1h = 3, is_busy = \"null\" }";
    let expected = [
        "store:42 is_busy: expected null, found 1",
        "store:42 orders_1h: expected 3, found 2",
        "refused duplicate: expected 0, found 1",
        "refused late: expected 1, found 0",
    ];
    check(case, &expected);
}

#[test]
fn an_entity_without_events_has_empty_windows() {
    check("expect.\"store:43\" = { orders_1h = 0, size = \"null\" }", &[]);
    check("expect.\"store:43\" = { orders_1h = 1 }", &["store:43 orders_1h: expected 1, found 0 (nothing is known of store:43)"]);
}

#[test]
fn absences_are_expected_one_by_one() {
    let quiet = r#"absences = [{ source = "quiet", key = "42", due = "2026-03-01T12:03:00Z" }]"#;
    let at = "at = \"2026-03-01T12:06:00Z\"\n";
    check_with(QUIET, &format!("{at}{quiet}"), &[]);
    check_with(QUIET, &format!("{at}absences = []"), &["absences quiet of 42 due 2026-03-01T12:03:00.000Z: expected 0, found 1"]);
    let back = quiet.replace("}]", ", taken_back = true }]");
    let expected = [
        "absences quiet of 42 due 2026-03-01T12:03:00.000Z: expected 0, found 1",
        "absences quiet of 42 due 2026-03-01T12:03:00.000Z taken back: expected 1, found 0",
    ];
    check_with(QUIET, &format!("{at}{back}"), &expected);
}
