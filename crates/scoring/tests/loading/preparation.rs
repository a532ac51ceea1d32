//! How `delivery-eta` holds back what a kitchen takes: a store without orders, with two and with a thousand.

use std::path::Path;

use domain::{Value, ValueKind};
use scoring::Transforms;

const PIPELINE: &str = "../../pipelines/delivery-eta";
/// What all four windows of the store say, and its area, in seconds.
const STORE: f64 = 1500.0;
const AREA: f64 = 900.0;

/// What is usual for a kitchen with so many orders in each of its windows, and for its area with two hundred.
fn usual(orders: i64, area: Option<f64>, cuisine: Option<&str>) -> f64 {
    let pipeline = pipeline::load(Path::new(PIPELINE)).unwrap_or_else(|faults| panic!("{faults}"));
    let (case, columns) = (pipeline.case.clone().expect("a case"), pipeline.case_columns());
    let before = columns.len() - case.inputs.len();
    let kinds: Vec<ValueKind> = columns[..before].iter().map(|(_, kind)| kind.clone()).collect();
    let value = |(name, kind): &(String, ValueKind)| match (&**name, kind) {
        ("prep_mean_15m" | "prep_mean_6h" | "prep_mean_28d", _) => (orders > 0).then_some(Value::Float(STORE)),
        ("preps_15m" | "preps_6h" | "preps_28d", _) => (orders > 0).then_some(Value::Integer(orders)),
        ("area_prep_mean_6h", _) => area.map(Value::Float),
        ("area_preps_6h", _) => area.map(|_| Value::Integer(200)),
        ("cuisine", ValueKind::Category(labels)) => {
            let place = labels.iter().position(|label| Some(&**label) == cuisine)?;
            Some(Value::Integer(place as i64))
        }
        _ => None,
    };
    let row: Vec<Option<Value>> = columns[..before].iter().map(value).collect();
    let (transforms, mut inputs) = (Transforms::new(&kinds, &case.inputs), Vec::new());
    transforms.evaluator().append(&row, &mut inputs);
    let place = case.inputs.iter().position(|input| input.name == "prep_usual").expect("an input");
    match inputs[place] {
        Some(Value::Float(seconds)) => seconds,
        other => panic!("{other:?} is usual"),
    }
}

#[test]
fn a_store_without_orders_is_taken_for_its_area() {
    // Two hundred orders of an area beside a strength of 20: ten elevenths of the way from what its cuisine says.
    let expected = (200.0 * AREA + 20.0 * 780.0) / 220.0;
    assert!((usual(0, Some(AREA), Some("sushi")) - expected).abs() < 1e-9);
    assert_eq!((usual(0, None, Some("grocery")), usual(0, None, Some("sushi")), usual(0, None, None)), (420.0, 780.0, 780.0));
}

#[test]
fn two_orders_move_it_a_little_and_a_thousand_all_the_way() {
    let [none, two, thousand] = [0, 2, 1000].map(|orders| usual(orders, Some(AREA), Some("sushi")));
    // Each window is held back towards the wider one: by 20 of its month, 10 of its day and 3 of its quarter of an hour.
    let towards = |prior: f64, strength: f64| (2.0 * STORE + strength * prior) / (2.0 + strength);
    let expected = towards(towards(towards(none, 20.0), 10.0), 3.0);
    assert!((two - expected).abs() < 1e-9, "{two} is not {expected}");
    let share = |seconds: f64| (seconds - none) / (STORE - none);
    println!("two orders move it by {:.3}, a thousand by {:.6}", share(two), share(thousand));
    assert!(share(two) > 0.3 && share(two) < 0.7, "{}", share(two));
    assert!(share(thousand) > 0.999, "{}", share(thousand));
}
