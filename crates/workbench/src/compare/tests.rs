//! Comparisons of small specs, computed by hand.

use super::*;
use crate::{
    Unseen,
    scripted::{Scripted, instant, orders_spec, plan, run},
};

const GROUPS: &str = r#"
[group.store]
entity = "store"
key = "store_id"
source = "orders"
hop = "1m"
entities = 1000
features = { orders = { count = "*", windows = ["6h"] }, basket_mean = { mean = "basket", windows = ["6h"] } }

[group.other]
entity = "store"
key = "store_id"
source = "orders"
hop = "1m"
entities = 1000
features = { baskets = { sum = "basket", windows = ["1h"] } }
"#;

fn parsed(groups: &str) -> Pipeline {
    pipeline::parse("small", &orders_spec(groups)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn scripted(retention: Span) -> Scripted {
    let scripted = Scripted::with_retention(parsed(GROUPS), 1, retention);
    for (id, store, basket, at) in [("1", "42", 10, "10:00"), ("2", "42", 20, "10:30"), ("3", "43", 5, "11:00")] {
        let time = format!("2026-03-01T{at}:00Z");
        scripted.order((id, store, &basket.to_string()), &time, &time);
    }
    scripted
}

fn compared(scripted: &Scripted, after: &str) -> Movement {
    compared_under(LONG, scripted, after)
}

fn compared_under(retention: Span, scripted: &Scripted, after: &str) -> Movement {
    let at = instant("2026-03-01T12:00:00Z");
    run(compare(&scripted.log, &scripted.plan, &plan(parsed(after), 1), at, 1, retention, &Unseen)).expect("a comparison")
}

const LONG: Span = Span(100 * 86_400_000);

#[test]
fn a_narrower_condition_moves_the_mean_and_not_the_count() {
    let after = GROUPS.replace("mean = \"basket\",", "mean = \"basket\", where = \"basket > 15\",");
    let moved = compared(&scripted(LONG), &after);
    let column = |name: &str| moved.columns.iter().find(|column| column.column == name).expect("a column of both");
    let (orders, mean) = (column("orders_6h"), column("basket_mean_6h"));
    // Two stores at one instant. The mean of store 42 is 15 and becomes 20; that of store 43 becomes null.
    assert_eq!((orders.vectors, orders.changed), (2, 0));
    assert_eq!((mean.vectors, mean.changed, mean.nulls), (2, 2, 1));
    assert_eq!((mean.median_absolute, mean.max_relative), (Some(5.0), Some(1.0 / 3.0)));
    assert_eq!(moved.costs.len(), 1, "the other group stays");
    let cost = &moved.costs[0];
    assert_eq!((cost.fate, cost.entities_before, cost.vector_bytes_after), (Moving::Rebuilt, 2, 44 + 1 + 16));
    assert_eq!((cost.total_bytes_after, moved.records_to_read, moved.shortfalls.len()), (122, 3, 1));
}

#[test]
fn groups_come_and_go_with_their_cost() {
    let after = GROUPS.replace("[group.other]", "[group.fresh]").replace("baskets =", "basket_total =");
    let moved = compared(&scripted(LONG), &after);
    let fates: Vec<(&str, Moving, u64, u64)> = (moved.costs.iter())
        .map(|cost| (cost.group.as_str(), cost.fate, cost.total_bytes_before, cost.total_bytes_after))
        .collect();
    let bytes = 2 * (44 + 1 + 8);
    // At noon the windows of store 42 have been empty for half an hour.
    assert_eq!(fates, [("fresh", Moving::Added, 0, bytes / 2), ("other", Moving::Removed, bytes / 2, 0)]);
    assert_eq!((moved.columns.len(), moved.presence.len()), (0, 0), "nothing is on both sides");
    assert!(moved.to_string().contains("removed  other"), "{moved}");
}

#[test]
fn other_keys_make_other_entities() {
    let after = GROUPS.replacen("key = \"store_id\"\nsource = \"orders\"", "key = \"upper(source)\"\nsource = \"orders\"", 1);
    let moved = compared(&scripted(LONG), &after);
    assert_eq!(moved.presence, [Presence { group: "store".into(), appear: 1, vanish: 2 }]);
}

#[test]
fn the_same_spec_changes_nothing() {
    let moved = compared(&scripted(LONG), GROUPS);
    assert_eq!((moved.costs.len(), moved.records_to_read), (0, 0));
    assert_eq!(moved.to_string(), "no group changes");
}

#[test]
fn windows_wider_than_the_retention_are_refused_with_their_arithmetic() {
    let hours = Span(12 * 3_600_000);
    let moved = compared_under(hours, &scripted(hours), &GROUPS.replace("windows = [\"6h\"]", "windows = [\"12h\"]"));
    let [shortfall] = &moved.shortfalls[..] else { panic!("one group: {moved}") };
    assert!(shortfall.refused && shortfall.whole_at.is_none(), "{shortfall:?}");
    assert!(shortfall.arithmetic.starts_with("window 12h + hop 1m + lateness 10m + skew 30s = "), "{shortfall:?}");
    assert!(shortfall.arithmetic.ends_with(", and topics keep records for 12h"), "{shortfall:?}");
    assert!(moved.to_string().contains("store REFUSED, it can never be built in full"), "{moved}");
}

#[test]
fn what_the_log_lacks_is_told_with_the_time_at_which_it_does_not_matter() {
    let edited = GROUPS.replace("windows = [\"6h\"]", "windows = [\"12h\"]");
    // The log is young: its first record came at ten.
    let young = compared(&scripted(LONG), &edited);
    assert_eq!(young.shortfalls[0].whole_at.as_deref(), Some("2026-03-01T22:11:30.000Z"), "{young}");
    assert!(young.shortfalls[0].arithmetic.ends_with("begins at 2026-03-01T10:00:00.000Z and nothing came before"), "{young}");
    // And now it has lost that one.
    let cut = scripted(Span(2 * 3_600_000));
    cut.retain(instant("2026-03-01T12:20:00Z"));
    let cut = compared(&cut, &edited);
    assert_eq!(cut.shortfalls[0].whole_at.as_deref(), Some("2026-03-01T22:41:30.000Z"), "{cut}");
    assert!(!cut.shortfalls[0].refused && cut.shortfalls[0].arithmetic.contains("since retention took"), "{cut}");
}
