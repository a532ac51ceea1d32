//! What an instant may know, and what silence does to it.

use domain::{Timestamp, Value};
use pipeline::Aggregator;
use testkit::Mode;
use testkit::pipelines::build::{feature, span};
use testkit::pipelines::orders;

use crate::scene::{START, Scene, integer, of_features};

#[test]
fn available_knows_only_what_was_appended_before() {
    let count = feature("n", Aggregator::Count, Vec::new(), &["1m"]);
    let scene = of_features(vec![count]).event(0, r#""k":"a""#).arriving(20_000, 1_000, r#""k":"a""#);
    let count = |at: i64, mode: Mode| scene.vector("g:a", at, mode).expect("the entity has been seen").values;
    assert_eq!(count(20_000, Mode::Available), [integer(1)]);
    assert_eq!(count(20_001, Mode::Available), [integer(2)]);
    assert_eq!(count(1_001, Mode::Complete), [integer(2)]);
    assert!(scene.vector("g:a", 0, Mode::Available).is_none());
}

#[track_caller]
fn check_silence(scene: &Scene, at: i64, mode: Mode, as_of: i64, silent: bool, events: i64) {
    let vector = scene.vector("store_events:s", at, mode).expect("the entity has been seen");
    let first: Option<Value> = vector.values[0];
    assert_eq!((vector.as_of, vector.silent, first), (Timestamp(START + as_of), silent, integer(events)));
}

#[test]
fn time_stands_still_when_the_source_is_silent() {
    let order = |id: &str| format!(r#""order_id":"{id}","type":"placed","store_id":"s""#);
    let scene = Scene::new(orders()).event(90_000, &order("o"));
    check_silence(&scene, 149_999, Mode::Available, 149_999, false, 1);
    // One minute of window and two of silence: without standing still the count would fall to zero at 160,000 and stay.
    check_silence(&scene, 210_000, Mode::Available, 210_000, false, 0);
    check_silence(&scene, 210_001, Mode::Available, 210_000, true, 0);
    let scene = scene.raw(150_000, b"noise is heard as well");
    check_silence(&scene, 210_001, Mode::Available, 210_001, false, 0);
    check_silence(&scene, 1_000_000, Mode::Available, 270_000, true, 0);
}

#[test]
fn silence_keeps_the_values_of_its_first_instant() {
    let mut pipeline = orders();
    pipeline.sources[0].silent_after = Some(span("20s"));
    let scene = Scene::new(pipeline).event(0, r#""order_id":"o","type":"placed","store_id":"s""#);
    check_silence(&scene, 20_000, Mode::Available, 20_000, false, 1);
    check_silence(&scene, 500_000, Mode::Available, 20_000, true, 1);
    // Its end is only visible to who looks back.
    let scene = scene.event(400_000, r#""order_id":"p","type":"placed","store_id":"other""#);
    check_silence(&scene, 100_000, Mode::Available, 20_000, true, 1);
    check_silence(&scene, 100_000, Mode::Complete, 100_000, false, 0);
}
