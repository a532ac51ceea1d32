//! What each scenario is there for has to be visible in the means over a few seeds.

use domain::{Span, Timestamp};
use sim::{City, Scenario, Settings, Truth};

const SEEDS: u64 = 4;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Means over days of small cities.
#[derive(Debug)]
struct Means {
    orders: f64,
    delivery: f64,
    preparation: f64,
    /// From being ready or accepted, whichever is later, until a rider has it.
    without_rider: f64,
}

fn settings(scenario: Scenario) -> Settings {
    // Positions are not looked at.
    Settings {
        scenario,
        stores: 60,
        riders: 40,
        orders_per_day: 1000,
        areas: 9,
        ping_every: Span(600_000),
        ..Settings::default()
    }
}

fn day(settings: &Settings, seed: u64) -> Vec<Truth> {
    let mut city = City::new(settings.clone(), seed).expect("sound settings");
    city.advance(settings.start.plus(Span(DAY_MS)));
    city.take_truths()
}

fn means(scenario: Scenario) -> Means {
    let truths: Vec<Truth> = (0..SEEDS).flat_map(|seed| day(&settings(scenario), seed)).collect();
    let span = |from: Option<Timestamp>, to: Option<Timestamp>| Some((to?.0 - from?.0) as f64 / 60_000.0);
    let mean = |of: &dyn Fn(&Truth) -> Option<f64>| {
        let values: Vec<f64> = truths.iter().filter_map(of).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    Means {
        orders: truths.len() as f64 / SEEDS as f64,
        delivery: mean(&|truth| truth.delivery_seconds().map(|seconds| seconds / 60.0)),
        preparation: mean(&|truth| span(truth.stages.accepted_at, truth.stages.ready_at)),
        without_rider: mean(&|truth| span(truth.stages.accepted_at, truth.stages.assigned_at)),
    }
}

#[test]
fn scenarios_do_what_they_say() {
    let calm = means(Scenario::Calm);
    assert!((15.0..40.0).contains(&calm.delivery) && (700.0..1100.0).contains(&calm.orders), "{calm:?}");
    let rain = means(Scenario::Rain);
    assert!(rain.orders > calm.orders * 1.05 && rain.delivery > calm.delivery * 1.1, "{rain:?} after {calm:?}");
    let shortage = means(Scenario::RiderShortage);
    assert!(shortage.without_rider > calm.without_rider * 1.3, "{shortage:?} after {calm:?}");
    let slow = means(Scenario::SlowKitchens);
    assert!(slow.preparation > calm.preparation * 1.3, "{slow:?} after {calm:?}");
}

#[test]
fn a_new_area_has_no_history_and_then_orders() {
    let settings = Settings { new_area_after: Span(12 * HOUR_MS), ..settings(Scenario::NewArea) };
    let opened_at = settings.start.plus(settings.new_area_after);
    let truths = day(&settings, 2);
    let from_there: Vec<&Truth> = truths.iter().filter(|truth| truth.district == settings.areas as usize).collect();
    assert!(from_there.len() > 10, "{} orders from the new area", from_there.len());
    assert!(from_there.iter().all(|truth| truth.placed_at >= opened_at));
    let facts = City::new(settings.clone(), 2).expect("sound settings").store_facts();
    let new: Vec<_> = facts.iter().filter(|fact| fact.since == opened_at).collect();
    assert!(!new.is_empty() && facts.len() == settings.stores as usize + new.len());
    let is_new = |truth: &Truth| new.iter().any(|fact| fact.store_id == truth.store_id);
    assert!(truths.iter().any(is_new) && truths.iter().filter(|truth| is_new(truth)).all(|truth| truth.placed_at >= opened_at));
}

#[test]
fn weekends_are_not_working_days() {
    let saturday = settings(Scenario::Calm).start.plus(Span(5 * DAY_MS));
    let share_at_noon = |start: Timestamp| {
        let days = (0..SEEDS).flat_map(|seed| day(&Settings { start, ..settings(Scenario::Calm) }, seed));
        let truths: Vec<Truth> = days.collect();
        truths.iter().filter(|truth| truth.hour == 12).count() as f64 / truths.len() as f64
    };
    let (workday, weekend) = (share_at_noon(settings(Scenario::Calm).start), share_at_noon(saturday));
    assert!(workday > weekend * 1.2, "{workday} and {weekend}");
}
