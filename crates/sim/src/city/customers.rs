//! Customers: when they come, where they live, what they choose, how long they wait, and how an order ends.

use super::{City, District, TRUTHS_MAX, Task, order_name};
use crate::{
    chance::Law,
    demand,
    order::{Ending, Order, Stages, Truth},
    place::Place,
    store::{Doors, Store},
    weather,
};

/// From this distance on a store is a third as attractive as next door, in metres.
const TASTE_METRES: f64 = 700.0;
/// Nobody orders from farther away, in metres along the streets.
const REACH_METRES: f64 = 4500.0;
/// A busy store says so, and loses customers.
const BUSY_TASTE: f64 = 0.45;
/// How often an order has one dish, two, and so on.
const ITEMS: [f64; 8] = [0.25, 0.33, 0.2, 0.11, 0.06, 0.03, 0.015, 0.005];
/// The price of a dish, in cents.
const PRICE: f64 = 1050.0;
const PRICE_SPREAD: f64 = 0.3;
/// A change of mind before the store has answered: about one order in a hundred.
const REMORSE: Law = Law::Exponential { mean_ms: 3_600_000.0 };
/// How long a customer waits for a rider to set off.
const IMPATIENCE: Law = Law::LogNormal { median_ms: 75.0 * 60_000.0, spread: 0.3 };
const BUSY_ANSWER: f64 = 2.0;
const ANSWER_SPREAD: f64 = 0.6;
/// The district that opens later comes on top, and with one area it is as much again.
const NEW_AREA_MAX: f64 = 1.0;
/// From so many open orders for each rider on, some customers cook themselves: …
const CROWD: f64 = 1.8;
/// … so many more of them for each further one, …
const DISCOURAGEMENT: f64 = 0.4;
/// … but never all.
const DISCOURAGED_MAX: f64 = 0.7;
const HOUR_MS: f64 = 3_600_000.0;

impl City {
    /// Customers come as often as in the hungriest hour under the worst sky, and some of them are not hungry.
    pub(super) fn customer(&mut self) {
        let highest = demand::appetite_max() * weather::APPETITE_MAX * (1.0 + NEW_AREA_MAX);
        let mean_ms = HOUR_MS / (f64::from(self.settings.orders_per_day) * highest);
        self.plan_task(Law::Exponential { mean_ms }, Task::Customer);
        let local = self.local();
        let (origins, hunger) = self.hunger();
        if !self.chances.demand.happens(demand::appetite(local) * hunger * self.confidence() / highest) {
            return;
        }
        let Some(district) = self.chances.demand.weighted(&origins) else { return };
        let home = self.plan.inside(district, self.chances.demand.share(), self.chances.demand.share());
        let tastes: Vec<f64> = self.stores.iter().map(|store| taste(store, home)).collect();
        if let Some(store) = self.chances.demand.weighted(&tastes) {
            self.place_order(store, home, district);
        }
    }

    /// Where orders come from now, and how many there are for each of a dry day.
    fn hunger(&self) -> (Vec<f64>, f64) {
        let local = self.local();
        let weight = |district: &District| if district.is_founded { district.weight } else { 0.0 };
        let leaning = |district: &District| weight(district) * demand::leaning(district.kind, local);
        let total = |of: &dyn Fn(&District) -> f64| self.districts.iter().map(of).sum::<f64>();
        let origins: Vec<f64> = self.districts.iter().map(|district| leaning(district) * district.weather.appetite()).collect();
        // Leaning only moves orders between districts; weather makes more of them.
        let hunger = total(&weight) * origins.iter().sum::<f64>() / total(&leaning);
        (origins, hunger)
    }

    /// The share of customers whom the waiting time that they are told does not send away.
    fn confidence(&self) -> f64 {
        let riders = self.riders.iter().filter(|rider| rider.is_on_shift()).count().max(1);
        let crowd = self.orders.len() as f64 / riders as f64;
        1.0 - (DISCOURAGEMENT * (crowd - CROWD)).clamp(0.0, DISCOURAGED_MAX)
    }

    fn place_order(&mut self, place: usize, customer: Place, district: usize) {
        let demand = &mut self.chances.demand;
        let items = 1 + demand.weighted(&ITEMS).unwrap_or(0) as u32;
        let cents = (f64::from(items) * PRICE * demand.factor(PRICE_SPREAD)) as u32;
        self.orders_placed += 1;
        let number = self.orders_placed;
        let store = &self.stores[place];
        let hurry = if store.doors == Doors::Busy { BUSY_ANSWER } else { 1.0 };
        let answer = Law::about(store.accept_seconds * hurry, ANSWER_SPREAD);
        let hour = self.local().hour();
        let order = Order {
            store: place,
            customer,
            district,
            metres: store.place.metres_to(customer),
            hour,
            placed_at: self.now,
            stages: Stages::default(),
            items,
            dishes_left: items,
            seek_at: None,
            rider: None,
            refused: Vec::new(),
            assignments: 0,
        };
        self.orders.insert(number, order);
        self.tally.placed(hour);
        self.tell_order("order.placed", number, Some((cents, items)));
        self.plan_task(answer, Task::Answer(number));
        self.plan_task(REMORSE, Task::Remorse(number));
        self.plan_task(IMPATIENCE, Task::Impatience(number));
    }

    pub(super) fn remorse(&mut self, number: u64) {
        if self.orders.get(&number).is_some_and(|order| order.stages.accepted_at.is_none()) {
            self.end(number, Ending::Cancelled);
        }
    }

    pub(super) fn impatience(&mut self, number: u64) {
        if self.orders.get(&number).is_some_and(|order| !order.is_picked_up()) && !self.is_being_packed(number) {
            self.end(number, Ending::Cancelled);
        }
    }

    /// The end of an order, whichever: it leaves the kitchen and the rider's list, and its truth is written down.
    pub(super) fn end(&mut self, number: u64, ending: Ending) {
        let kind = match ending {
            Ending::Delivered => "order.delivered",
            Ending::Cancelled => "order.cancelled",
            Ending::Returned => "order.returned",
        };
        self.tell_order(kind, number, None);
        let Some(order) = self.orders.remove(&number) else { return };
        if ending == Ending::Cancelled {
            self.stores[order.store].queue.retain(|waiting| *waiting != number);
            if let Some(rider) = order.rider {
                self.release(rider, number);
            }
        }
        let truth = self.truth(number, order, ending);
        self.tally.ended(&truth);
        if self.truths.len() == TRUTHS_MAX {
            self.truths.pop_front();
        }
        self.truths.push_back(truth);
    }

    fn truth(&self, number: u64, order: Order, ending: Ending) -> Truth {
        Truth {
            order_id: order_name(&self.settings.label, number),
            store_id: self.stores[order.store].id.clone(),
            rider_id: order.rider.map(|rider| self.riders[rider].id.clone()),
            metres: order.metres,
            hour: order.hour,
            district: order.district,
            assignments: order.assignments,
            placed_at: order.placed_at,
            stages: order.stages,
            ended_at: self.now,
            ending,
        }
    }
}

/// How attractive a store is to somebody who lives there.
fn taste(store: &Store, home: Place) -> f64 {
    let metres = store.place.metres_to(home);
    if !store.is_founded || !store.is_taking_orders() || metres > REACH_METRES {
        return 0.0;
    }
    let busy = if store.doors == Doors::Busy { BUSY_TASTE } else { 1.0 };
    store.popularity * busy * libm::exp(-metres / TASTE_METRES)
}
