//! Edges of windows, instants at which vectors expire, keeping and forgetting.

use domain::{NEVER, Timestamp};
use pipeline::{Aggregator, Feature};
use testkit::Mode;
use testkit::pipelines::build::{feature, span, value};

use crate::scene::{START, Scene, events, integer, of_features};

fn count(windows: &[&str]) -> Feature {
    feature("n", Aggregator::Count, Vec::new(), windows)
}

#[track_caller]
fn check_valid_until(scene: &Scene, at: i64, expected: Option<i64>) {
    let vector = scene.vector("g:a", at, Mode::Complete).expect("the entity has been seen");
    assert_eq!(vector.valid_until, expected.map_or(NEVER, |expected| Timestamp(START + expected)));
}

#[test]
fn the_head_is_exact_and_the_tail_goes_to_the_hop() {
    let scene = of_features(vec![count(&["1m"])]).event(5_000, r#""k":"a""#);
    assert!(scene.vector("g:a", 5_000, Mode::Complete).is_none(), "an event at T is not before T");
    assert_eq!(scene.values("g:a", 5_001), [integer(1)]);
    assert_eq!(scene.values("g:a", 69_999), [integer(1)]);
    assert_eq!(scene.values("g:a", 70_000), [integer(0)]);
}

#[test]
fn an_event_on_the_edge_belongs_to_the_tile_that_begins() {
    let scene = of_features(vec![count(&["1m"])]).event(9_999, r#""k":"a""#).event(10_000, r#""k":"a""#);
    assert_eq!(scene.values("g:a", 69_999), [integer(2)]);
    assert_eq!(scene.values("g:a", 70_000), [integer(1)]);
    assert_eq!(scene.values("g:a", 79_999), [integer(1)]);
    assert_eq!(scene.values("g:a", 80_000), [integer(0)]);
}

#[test]
fn a_vector_expires_when_the_first_tile_leaves_a_window() {
    let scene = of_features(vec![count(&["1m", "5m"])]).event(5_000, r#""k":"a""#).event(25_000, r#""k":"a""#);
    check_valid_until(&scene, 5_001, Some(70_000));
    check_valid_until(&scene, 69_999, Some(70_000));
    check_valid_until(&scene, 70_000, Some(90_000));
    check_valid_until(&scene, 90_000, Some(310_000));
    check_valid_until(&scene, 310_000, Some(330_000));
    check_valid_until(&scene, 330_000, None);
}

#[test]
fn an_ewma_expires_at_every_hop_while_its_window_has_events() {
    let half_life = span("1m");
    let ewma = feature("e", Aggregator::Ewma { half_life }, value(&events(), "x"), &["1m"]);
    let scene = of_features(vec![ewma, count(&["5m"])]).event(5_000, r#""k":"a","x":1"#);
    check_valid_until(&scene, 5_001, Some(10_000));
    check_valid_until(&scene, 10_000, Some(20_000));
    check_valid_until(&scene, 70_000, Some(310_000));
}

#[test]
fn an_event_within_the_skew_is_held_until_its_time_has_passed() {
    let scene = of_features(vec![count(&["1m"])]).event(0, r#""k":"a""#).arriving(0, 30_000, r#""k":"a""#);
    assert_eq!(scene.values("g:a", 30_000), [integer(1)]);
    assert_eq!(scene.values("g:a", 30_001), [integer(2)]);
}

#[test]
fn a_value_without_a_window_covers_all_that_is_kept() {
    let mut scene = of_features(vec![count(&[]), feature("m", Aggregator::Count, Vec::new(), &["1m"])]);
    scene.pipeline.groups[0].keep = span("1h");
    let scene = scene.event(0, r#""k":"a""#).event(1_800_000, r#""k":"a""#);
    assert_eq!(scene.values("g:a", 1_800_001), [integer(2), integer(1)]);
    assert_eq!(scene.values("g:a", 5_399_999), [integer(2), integer(0)]);
    let forgotten = |at: i64| scene.vector("g:a", at, Mode::Complete).map(|vector| vector.forgotten);
    assert_eq!(forgotten(5_399_999), Some(false));
    assert_eq!(scene.values("g:a", 5_400_000), [integer(0), integer(0)]);
    assert_eq!(forgotten(5_400_000), Some(true));
}

#[test]
fn what_was_forgotten_does_not_come_back_with_the_next_event() {
    let mut scene = of_features(vec![count(&[])]);
    scene.pipeline.groups[0].keep = span("1h");
    let scene = scene.event(0, r#""k":"a""#).event(3_600_000, r#""k":"a""#);
    assert_eq!(scene.values("g:a", 3_600_001), [integer(1)]);
}

#[test]
fn events_belong_to_the_entity_of_their_key() {
    let scene = of_features(vec![count(&["1m"])])
        .event(0, r#""k":"a""#)
        .event(0, r#""k":"b""#)
        .event(0, r#""k":"b""#)
        .event(0, r#""k":"""#);
    assert_eq!((scene.values("g:a", 1), scene.values("g:b", 1)), (vec![integer(1)], vec![integer(2)]));
    assert!(scene.vector("g:", 1, Mode::Complete).is_none(), "an empty text is no key");
}
