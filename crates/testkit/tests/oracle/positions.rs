//! Ways along positions, and cells.

use pipeline::{Aggregator, FieldKind};
use testkit::pipelines::build::{bare, decimal, feature, field, group, pipeline, place, required, stream, value};

use crate::scene::{Scene, events, float, integer, of_features};

#[track_caller]
fn check_way(positions: &[(&str, &str)], metres: f64) {
    let inputs = [value(&events(), "lat"), value(&events(), "lon")].concat();
    let scene = of_features(vec![feature("way", Aggregator::Travel, inputs, &["1m"])]);
    let scene = positions.iter().enumerate().fold(scene, |scene, (second, (latitude, longitude))| {
        scene.event(second as i64 * 1000, &format!(r#""k":"a","lat":{latitude},"lon":{longitude}"#))
    });
    assert_eq!(scene.values("g:a", 30_000), [float(metres)]);
}

/// A degree of a great circle: 6,371,008.8 m · π ÷ 180 = 111,195.0802… m.
const DEGREE: f64 = 111_195.080;

#[test]
fn a_way_is_the_sum_of_its_legs() {
    check_way(&[("10", "20"), ("11", "20")], DEGREE);
    check_way(&[("0", "179.5"), ("0", "-179.5"), ("1", "-179.5"), ("0", "-179.5")], 3.0 * DEGREE);
    check_way(&[("90", "0"), ("90", "120")], 0.0);
}

#[test]
fn half_the_world_is_as_far_as_it_gets() {
    // R · π = 20,015,114.4420… m
    check_way(&[("0", "0"), ("0", "180")], 20_015_114.442);
}

#[test]
fn incomplete_positions_are_left_out() {
    check_way(&[("10", "20"), ("null", "40"), ("50", "null"), ("11", "20")], DEGREE);
    check_way(&[("10", "20")], 0.0);
    check_way(&[("null", "20")], 0.0);
}

#[test]
fn legs_follow_the_time_of_positions_and_begin_inside_the_window() {
    let inputs = [value(&events(), "lat"), value(&events(), "lon")].concat();
    let scene = of_features(vec![feature("way", Aggregator::Travel, inputs, &["1m"])])
        .event(20_000, r#""k":"a","lat":2,"lon":0"#)
        .arriving(20_000, 1_000, r#""k":"a","lat":0,"lon":0"#)
        .arriving(20_000, 10_000, r#""k":"a","lat":1,"lon":0"#);
    assert_eq!(scene.values("g:a", 30_000), [float(2.0 * DEGREE)]);
    assert_eq!(scene.values("g:a", 70_000), [float(DEGREE)]);
}

#[test]
fn a_cell_is_an_entity_and_null_outside_the_world() {
    let degrees = |name: &str| field(name, decimal(6, -185_000_000, 185_000_000));
    let fields = vec![required("k", FieldKind::Text), field("area", FieldKind::Text), degrees("lat"), degrees("lon")];
    let mut events = stream("events", "k", fields);
    let (latitude, longitude) = (place(&events.fields, "lat"), place(&events.fields, "lon"));
    let area = place(&events.fields, "area");
    events.fields[area].kind = FieldKind::Cell { latitude, longitude, resolution: 5 };
    let cells = group("cells", 0, bare(&events, "area"), "10s", vec![feature("n", Aggregator::Count, Vec::new(), &["1m"])]);
    let scene = Scene::new(pipeline("cells", vec![events], vec![cells]))
        .event(0, r#""k":"a","lat":37.3615593,"lon":-122.0553238"#)
        .event(0, r#""k":"a","lat":37.361559,"lon":-122.055323,"area":["whatever"],"area":1"#)
        .event(0, r#""k":"a","lat":90.000001,"lon":0"#)
        .event(0, r#""k":"a","lat":0,"lon":-180.000001"#)
        .event(0, r#""k":"a","lat":null,"lon":0"#);
    // The first has seven digits and is refused; the cell is the one of the example in the documentation of H3.
    assert_eq!(scene.values("cells:85283473fffffff", 10), [integer(1)]);
    assert_eq!(scene.entities(10), ["85283473fffffff"]);
}
