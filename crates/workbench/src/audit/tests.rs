//! Audits of small periods, computed by hand.

use super::*;
use crate::{
    Unseen,
    scripted::{Scripted, instant, orders_spec, run},
};

const GROUPS: &str = r#"
[source.preparation]
pair = { from = "orders", start = "type = 'accepted'", end = "type = 'ready'", key = "order_id", longest = "3h" }

[group.store]
entity = "store"
key = "store_id"
source = "orders"
where = "type = 'accepted'"
hop = "1m"
entities = 1000
features = { orders = { count = "*", windows = ["6h"] }, basket_mean = { mean = "basket", windows = ["6h"] } }

[group.kitchen]
entity = "store"
key = "store_id"
source = "preparation"
hop = "1m"
entities = 1000
features = { prep_mean = { mean = "seconds", windows = ["6h"] } }
"#;

/// Times of 2026-03-01: of the event and of its arrival.
fn order(scripted: &Scripted, id: &str, kind: &str, basket: u32, (time, at): (&str, &str)) {
    let payload = format!(
        r#"{{"id":"{id}-{kind}","source":"s","order_id":"{id}","type":"{kind}","store_id":"42","basket":{basket},"occurred_at":"2026-03-01T{time}:00Z"}}"#
    );
    scripted.write(0, 0, instant(&format!("2026-03-01T{at}:00Z")), payload.as_bytes());
}

fn letter(scripted: &Scripted, offset: u64, at: &str) {
    scripted.letter(0, 0, offset, instant(&format!("2026-03-01T{at}:00Z")));
}

fn audit(scripted: &Scripted) -> LateReport {
    let (since, until) = (instant("2026-03-01T12:00:00Z"), instant("2026-03-01T14:30:00Z"));
    run(late(&scripted.log, &scripted.plan, since, until, &Unseen)).expect("a report")
}

fn column<'a>(report: &'a LateReport, name: &str) -> &'a ColumnMovement {
    report.columns.iter().find(|column| column.column == name).expect("a column of a touched group")
}

fn scripted() -> Scripted {
    Scripted::new(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1)
}

#[test]
fn a_late_event_moves_what_it_would_have_moved() {
    let scripted = scripted();
    order(&scripted, "a", "accepted", 10, ("12:00", "12:00"));
    order(&scripted, "b", "accepted", 60, ("12:05", "12:20"));
    letter(&scripted, 1, "12:20");
    // Another generation writes a letter of its own.
    letter(&scripted, 1, "12:21");
    order(&scripted, "c", "accepted", 20, ("12:30", "12:30"));
    // A late copy of what was taken, and one of what was late already.
    order(&scripted, "a", "accepted", 10, ("12:00", "12:31"));
    letter(&scripted, 3, "12:31");
    order(&scripted, "b", "accepted", 60, ("12:05", "13:40"));
    letter(&scripted, 4, "13:40");
    let report = audit(&scripted);
    let buckets: Vec<u64> = report.by_lateness.iter().map(|bucket| bucket.events).collect();
    assert_eq!((report.late, buckets), (3, vec![0, 1, 1, 0, 0]), "b by 5 minutes, the copy of a by 21");
    assert_eq!(report.entities.get("store"), Some(&1));
    // At 13:00, 14:00 and 14:30: two orders are three, and a mean of 15 is one of 30.
    let (orders, mean) = (column(&report, "orders_6h"), column(&report, "basket_mean_6h"));
    assert_eq!((orders.vectors, orders.changed, orders.median_absolute, orders.max_relative), (3, 3, Some(1.0), Some(0.5)));
    assert_eq!((mean.share_changed, mean.median_absolute, mean.median_relative), (1.0, Some(15.0), Some(1.0)));
    let page = report.to_string();
    assert!(page.contains("3 events came too late") && page.contains("<10m 1"), "{page}");
}

#[test]
fn a_late_beginning_makes_a_duration() {
    let scripted = scripted();
    order(&scripted, "a", "accepted", 10, ("12:00", "12:00"));
    order(&scripted, "a", "ready", 10, ("12:10", "12:10"));
    order(&scripted, "b", "ready", 10, ("12:40", "12:40"));
    order(&scripted, "b", "accepted", 10, ("12:20", "13:10"));
    letter(&scripted, 3, "13:10");
    let prep = column(&audit(&scripted), "prep_mean_6h").clone();
    // 600 s at 13:00, and 900 s instead of them at 14:00 and 14:30.
    assert_eq!((prep.vectors, prep.changed, prep.max_absolute, prep.median_relative), (3, 2, Some(300.0), Some(0.5)));
}

#[test]
fn nothing_late_moves_nothing() {
    let scripted = scripted();
    order(&scripted, "a", "accepted", 10, ("12:00", "12:00"));
    let report = audit(&scripted);
    assert_eq!((report.late, report.columns.len()), (0, 0));
}

#[test]
fn originals_that_are_gone_are_counted() {
    let scripted = Scripted::with_retention(pipeline::parse("small", &orders_spec(GROUPS)).expect("a spec"), 1, Span(1_800_000));
    order(&scripted, "a", "accepted", 10, ("11:00", "12:00"));
    order(&scripted, "b", "accepted", 10, ("14:00", "14:00"));
    letter(&scripted, 0, "14:00");
    scripted.retain(instant("2026-03-01T14:10:00Z"));
    let report = audit(&scripted);
    assert_eq!((report.late, report.gone, report.columns.len()), (1, 1, 0));
}
