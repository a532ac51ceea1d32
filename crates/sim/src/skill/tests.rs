//! The report on a small city: whoever knows more is better, nobody is good, and the futures are spread as reality is.

use super::*;

fn small() -> Settings {
    Settings { stores: 40, riders: 26, orders_per_day: 650, areas: 4, ..Settings::default() }
}

#[test]
fn knowing_helps_and_is_not_enough() {
    let question = Question { sample: 250, continuations: 25, history_days: 2 };
    let found = report(&small(), 11, &question).unwrap();
    assert!(found.orders > 150, "{found}");
    assert!(found.knowing.mean_absolute < 0.9 * found.area_hour.mean_absolute, "{found}");
    assert!(found.knowing.mean_absolute < 0.8 * found.overall.mean_absolute, "{found}");
    assert!(found.knowing.mean_absolute > 100.0, "a formula would do: {found}");
    assert!((0.68..0.92).contains(&found.coverage), "the futures are not spread as reality is: {found}");
    assert!(found.knowing.bias.abs() < 120.0, "{found}");
}

#[test]
fn a_report_is_the_same_twice_and_about_the_same_orders_as_the_events() {
    let question = Question { sample: 10, continuations: 5, history_days: 1 };
    let found = report(&small(), 3, &question).unwrap();
    assert_eq!(Ok(&found), report(&small(), 3, &question).as_ref());
    let mut city = City::new(small(), 3).unwrap();
    city.advance(small().start.plus(Span(2 * DAY_MS)).plus(HORIZON));
    let truths = city.take_truths();
    assert!(!found.predictions.is_empty());
    for said in &found.predictions {
        let truth = truths.iter().find(|truth| truth.order_id == said.order_id).unwrap();
        assert_eq!(truth.delivery_seconds(), Some(said.real_seconds));
        let line: serde_json::Value = serde_json::from_slice(&said.line()).unwrap();
        assert_eq!(line["p50_seconds"], said.p50_seconds);
    }
}

#[test]
fn a_question_without_a_number_is_refused() {
    let error = report(&small(), 3, &Question { sample: 0, continuations: 0, history_days: 0 }).unwrap_err();
    assert!(matches!(error, Error::Settings { faults } if faults.len() == 3));
}

#[test]
fn scores_are_what_they_say() {
    let score = Score::of(vec![-30.0, 10.0, 20.0, 40.0]);
    assert_eq!((score.mean_absolute, score.p50_absolute, score.p90_absolute, score.bias), (25.0, 20.0, 40.0, 10.0));
    assert_eq!(Score::of(Vec::new()), Score::default());
}

/// A copy that forgot too much or too little would be wrong in one direction, day after day.
#[test]
fn futures_are_right_on_average() {
    let question = Question { sample: 1, continuations: 9, history_days: 1 };
    let day = |seed: u64| {
        let mut city = City::muted(small(), seed).unwrap();
        city.advance(small().start.plus(Span(DAY_MS)));
        let (sampled, truths) = sample(&mut city, small().start.plus(Span(2 * DAY_MS)), 8, &question, seed);
        let mean = |futures: &[f64]| futures.iter().sum::<f64>() / futures.len() as f64;
        let error = |sampled: &Sampled| {
            let truth = truths.iter().find(|truth| truth.order_id == sampled.order_id)?;
            Some(mean(&sampled.futures) - truth.delivery_seconds()?)
        };
        let errors: Vec<f64> = sampled.iter().filter(|sampled| !sampled.futures.is_empty()).filter_map(error).collect();
        mean(&errors)
    };
    let days: Vec<f64> = (0..10).map(day).collect();
    // One day goes wrong by three quarters of a minute as a whole, so the mean of ten by a quarter.
    assert!((days.iter().sum::<f64>() / days.len() as f64).abs() < 40.0, "{days:?}");
}
