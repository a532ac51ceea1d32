//! Rows of the last state of each key, from a stream and from a file.

use testkit::Mode;
use testkit::pipelines::build::{compare, span};
use testkit::pipelines::orders;

use pipeline::{Comparison, Expr, SourceKind};

use crate::scene::{Scene, float, integer};

/// Orders of the store `s`: id, type and basket with their times, in the order of arrival.
fn played(events: &[(i64, &str, &str, &str)]) -> Scene {
    let mut pipeline = orders();
    pipeline.sources.iter_mut().for_each(|source| source.silent_after = None);
    events.iter().fold(Scene::new(pipeline), |scene, (time, order, kind, basket)| {
        let members = format!(r#""order_id":"{order}","store_id":"s","type":"{kind}","basket":{basket}"#);
        scene.arriving(100_000, *time, &members)
    })
}

#[track_caller]
fn check_open(scene: &Scene, at: i64, open: i64, dear: i64) {
    let values = scene.vector("store_load:s", at, Mode::Complete).map(|vector| vector.values);
    assert_eq!(values.unwrap_or_else(|| vec![integer(0); 2]), [integer(open), integer(dear)], "at {at}");
}

#[test]
fn a_row_is_open_from_its_time_to_the_event_that_ends_it() {
    let scene = played(&[(0, "o", "placed", "5"), (1_000, "p", "placed", "20"), (3_000, "o", "delivered", "5")]);
    check_open(&scene, 0, 0, 0);
    check_open(&scene, 1, 1, 0);
    check_open(&scene, 1_001, 2, 1);
    check_open(&scene, 3_000, 2, 1);
    check_open(&scene, 3_001, 1, 1);
}

#[test]
fn a_row_without_a_successor_ends_after_the_longest() {
    let scene = played(&[(0, "o", "placed", "5")]);
    check_open(&scene, 900_000, 1, 0);
    check_open(&scene, 900_001, 0, 0);
}

#[test]
fn a_change_replaces_the_row() {
    let scene = played(&[(0, "o", "placed", "5"), (2_000, "o", "changed", "15"), (4_000, "o", "changed", "null")]);
    check_open(&scene, 2_000, 1, 0);
    check_open(&scene, 2_001, 1, 1);
    check_open(&scene, 4_001, 1, 0);
}

#[test]
fn an_event_that_comes_late_is_taken_at_its_time() {
    let scene = played(&[(0, "o", "placed", "5"), (4_000, "o", "delivered", "5"), (2_000, "o", "changed", "15")]);
    check_open(&scene, 3_000, 1, 1);
    check_open(&scene, 4_001, 0, 0);
    // After the end, too: the row is there again.
    let scene = played(&[(0, "o", "placed", "5"), (4_000, "o", "delivered", "5"), (4_001, "o", "changed", "15")]);
    check_open(&scene, 5_000, 1, 1);
}

#[test]
fn among_equal_times_the_last_identity_stays() {
    let scene = played(&[(0, "o", "placed", "5"), (0, "o", "placed", "20"), (0, "o", "placed", "7")]);
    let mut by_identity = [(1, 0), (2, 1), (3, 0)];
    by_identity.sort_by_key(|(id, _)| xxhash_rust::xxh3::xxh3_128(format!("t\u{1f}{id}").as_bytes()));
    check_open(&scene, 1, 1, by_identity[2].1);
    // The others are no rows, so what they name is not heard of.
    let named = |scene: Scene, id: i64| scene.event(0, &format!(r#""order_id":"o","store_id":"s{id}","type":"placed""#));
    let scene = (1..=3).fold(Scene::new(orders()), named);
    let known = scene.entities(1).into_iter().filter(|key| key.starts_with('s')).collect::<Vec<_>>();
    let last = format!("s{}", by_identity[2].0);
    assert_eq!(known.iter().filter(|key| **key == last).count(), 2, "in store_load and store_events");
    assert_eq!(known.len(), 4, "the other two only in store_events");
}

#[test]
fn last_reads_the_open_row() {
    let scene = played(&[(0, "o", "placed", "5"), (2_000, "o", "changed", "15"), (4_000, "o", "delivered", "1")]);
    assert_eq!(scene.values("order:o", 1), [float(5.0)]);
    assert_eq!(scene.values("order:o", 2_001), [float(15.0)]);
    assert_eq!(scene.values("order:o", 4_001), [None]);
    let scene = played(&[(0, "o", "placed", "5"), (2_000, "o", "changed", "null")]);
    assert_eq!(scene.values("order:o", 2_001), [None], "a null of the open row is not looked for elsewhere");
    assert!(scene.vector("order:o", 902_001, Mode::Complete).is_some_and(|vector| vector.forgotten));
}

#[test]
fn events_outside_the_condition_are_no_part_of_the_table() {
    let mut scene = played(&[(0, "o", "placed", "5"), (2_000, "o", "changed", "90"), (3_000, "o", "delivered", "95")]);
    let small = compare(&scene.pipeline.sources[0], "basket", Comparison::Less, Expr::Number(80.0));
    let SourceKind::Table(table) = &mut scene.pipeline.sources[2].kind else { panic!("source 2 is the table") };
    table.filter = Some(small);
    table.longest = span("5s");
    check_open(&scene, 3_001, 1, 0);
    check_open(&scene, 5_001, 0, 0);
}

#[test]
fn the_last_line_of_a_key_is_its_row_for_ever() {
    let lines = "{\"store_id\":\"s\",\"capacity\":3}\n\n{\"store_id\":\"z\"}\n{\"store_id\":\"s\",\"capacity\":5}\n";
    let scene = Scene::new(orders()).file(3, lines);
    assert_eq!(scene.values("store:s", 0), [integer(5)]);
    assert_eq!(scene.values("store:s", 1_000_000_000_000), [integer(5)]);
    assert_eq!(scene.values("store:z", -1_000_000), [None]);
    assert!(scene.vector("store:q", 0, Mode::Complete).is_none());
}
