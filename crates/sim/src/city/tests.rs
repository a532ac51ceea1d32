//! What every city has to keep, whatever its seed: orders end once, nobody does two things at once, and time goes forward.

use std::collections::BTreeMap;

use domain::Span;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    Ending, Scenario,
    rider::{BATCH_MAX, Doing, Stop},
};

const HOUR_MS: i64 = 3_600_000;

/// A small city around an evening.
fn small(scenario: Scenario) -> Settings {
    let start = Settings::default().start.plus(Span(16 * HOUR_MS));
    Settings { scenario, stores: 20, riders: 16, orders_per_day: 420, areas: 4, start, ..Settings::default() }
}

/// Lives through some hours and looks at the city after each thing that happens.
fn check(settings: Settings, seed: u64, hours: i64) {
    let until = settings.start.plus(Span(hours * HOUR_MS));
    let mut city = City::new(settings, seed).unwrap();
    let mut truths = Vec::new();
    while city.agenda.next_at().unwrap() < until {
        let before = city.now;
        let leaving: Vec<(usize, usize)> = city
            .riders
            .iter()
            .enumerate()
            .filter(|(_, rider)| rider.is_leaving)
            .map(|(place, rider)| (place, rider.load()))
            .collect();
        city.step();
        assert!(city.now >= before, "time went backwards");
        for (place, load) in leaving {
            assert!(city.riders[place].load() <= load, "{} got an order after the shift", city.riders[place].id);
        }
        check_riders(&city);
        for store in &city.stores {
            assert!(store.cooking <= store.cooks, "{} cooks more dishes than it has cooks", store.id);
        }
        truths.extend(city.take_truths());
    }
    let placed = city.orders_placed();
    assert_eq!(placed, truths.len() as u64 + city.orders_open() as u64, "orders got lost");
    assert!(placed > 20, "only {placed} orders");
    let records: Vec<Record> = city.out.drain(..).collect();
    check_records(&records, &truths, placed);
    truths.iter().for_each(check_truth);
    // Every live thing has a few entries in the agenda; ended orders leave some until a customer would have lost patience.
    let alive = city.stores.len() * 4 + city.riders.len() * 6 + city.stations.len() + truths.len() * 2 + 500;
    assert!(city.agenda.len() < alive, "{} entries", city.agenda.len());
}

fn check_riders(city: &City) {
    for (place, rider) in city.riders.iter().enumerate() {
        assert!(rider.load() <= BATCH_MAX, "{} carries {:?}", rider.id, rider.stops);
        assert!(rider.is_on_shift() || rider.stops.is_empty(), "{} works at home", rider.id);
        assert_eq!(matches!(rider.doing, Doing::Off | Doing::Idle), rider.stops.is_empty(), "{rider:?}");
        assert!(rider.doing != Doing::Idle || !rider.is_leaving, "{} does not go home", rider.id);
        for stop in &rider.stops {
            let order = &city.orders[&stop.order()];
            assert_eq!(order.rider, Some(place), "{} is on the way for somebody else's order", rider.id);
            assert!(!(matches!(stop, Stop::Store(_)) && order.is_picked_up()), "{rider:?}");
        }
    }
}

fn check_truth(truth: &Truth) {
    let stages = truth.stages;
    let reached = [Some(truth.placed_at), stages.accepted_at, stages.ready_at, stages.picked_up_at, stages.at_customer_at];
    let ridden = [stages.assigned_at, stages.at_store_at, stages.picked_up_at, stages.at_customer_at, Some(truth.ended_at)];
    for way in [&reached, &ridden] {
        let times: Vec<Timestamp> = way.iter().flatten().copied().collect();
        assert!(times.is_sorted(), "{truth:?}");
    }
    let arrived = truth.ending != Ending::Cancelled;
    assert_eq!(stages.at_customer_at.is_some(), arrived, "{truth:?}");
    if arrived {
        assert!(reached.iter().chain(&ridden).all(Option::is_some) && truth.rider_id.is_some(), "{truth:?}");
    }
    assert!(arrived || stages.picked_up_at.is_none(), "a cancelled order was on its way: {truth:?}");
}

/// Each order is placed once and ends once, and the events say the same as the truth.
fn check_records(records: &[Record], truths: &[Truth], placed: u64) {
    assert!(records.iter().map(|record| record.occurred_at).is_sorted(), "records are out of order");
    let mut ends: BTreeMap<String, (String, Timestamp)> = BTreeMap::new();
    let mut beginnings = 0;
    let mut ids = std::collections::BTreeSet::new();
    for record in records {
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "an id came twice: {event}");
        assert_eq!(event["occurred_at"], record.occurred_at.to_string());
        beginnings += u64::from(event["type"] == "order.placed");
        if let Some(kind) = ["order.delivered", "order.cancelled", "order.returned"].iter().find(|kind| event["type"] == **kind) {
            let ending = kind.trim_start_matches("order.").to_owned();
            let before = ends.insert(record.key.clone(), (ending, record.occurred_at));
            assert_eq!(before, None, "{} ended twice", record.key);
        }
    }
    assert_eq!(beginnings, placed);
    assert_eq!(ends.len(), truths.len());
    for truth in truths {
        assert_eq!(ends[&truth.order_id], (truth.ending.name().to_owned(), truth.ended_at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn nothing_is_lost_and_nobody_does_two_things_at_once(seed in any::<u64>(), scenario in 0..Scenario::ALL.len()) {
        check(small(Scenario::ALL[scenario]), seed, 5);
    }
}

#[test]
fn it_holds_for_days_and_with_hardly_anybody() {
    check(Settings { riders: 1, ..small(Scenario::RiderShortage) }, 3, 12);
    check(Settings { new_area_after: Span(20 * HOUR_MS), ..small(Scenario::NewArea) }, 4, 60);
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_it_is_advanced() {
    let settings = small(Scenario::Rain);
    let until = settings.start.plus(Span(4 * HOUR_MS));
    let at_once = City::new(settings.clone(), 5).unwrap().advance(until);
    let mut city = City::new(settings.clone(), 5).unwrap();
    let mut in_steps = Vec::new();
    for step in 1..=4 * 60 {
        in_steps.extend(city.advance(settings.start.plus(Span(step * HOUR_MS / 60))));
    }
    let one_by_one = City::new(settings.clone(), 5).unwrap().take_while(|record| record.occurred_at < until);
    assert!(at_once.len() > 1000);
    assert!(at_once == in_steps && at_once == one_by_one.collect::<Vec<_>>());
    assert!(at_once != City::new(settings, 6).unwrap().advance(until), "another seed is another city");
}

#[test]
fn listening_changes_nothing() {
    let truths = |mut city: City| {
        city.advance(small(Scenario::Calm).start.plus(Span(5 * HOUR_MS)));
        city.take_truths()
    };
    let heard = truths(City::new(small(Scenario::Calm), 9).unwrap());
    assert!(heard.len() > 50);
    assert_eq!(heard, truths(City::muted(small(Scenario::Calm), 9).unwrap()));
    let rarely = Settings { ping_every: Span(60_000), ..small(Scenario::Calm) };
    assert_eq!(heard, truths(City::new(rarely, 9).unwrap()), "how often riders report decides nothing");
}

#[test]
fn a_fork_knows_the_present_and_not_the_future() {
    let mut city = City::muted(small(Scenario::Calm), 9).unwrap();
    let evening = city.now().plus(Span(3 * HOUR_MS));
    city.advance(evening);
    let (mut one, mut same, mut other) = (city.fork(1), city.fork(1), city.fork(2));
    assert_eq!(one.orders_open(), city.orders_open());
    let night = evening.plus(Span(2 * HOUR_MS));
    let truths = |city: &mut City| {
        city.advance(night);
        city.take_truths()
    };
    let (one, same, other, real) = (truths(&mut one), truths(&mut same), truths(&mut other), truths(&mut city));
    assert_eq!(one, same);
    assert!(one != other && one != real);
    assert!(one.len() * 2 > real.len() && one.len() < real.len() * 2, "{} and {}", one.len(), real.len());
}
