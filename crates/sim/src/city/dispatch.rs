//! Dispatch: which rider gets which order. A dispatcher looks every few seconds at the orders that need a rider, the oldest
//! first, and takes whoever is there soonest - idle, or on the way to a store near by with room in the bag. Some get an order
//! taken away again.

use domain::Timestamp;

use super::{City, Task};
use crate::{
    chance::Law,
    order::Order,
    rider::{Doing, Rider, Stop},
};

const EVERY: Law = Law::Fixed { ms: 15_000 };
const CONSIDERING: Law = Law::LogNormal { median_ms: 9000.0, spread: 0.6 };
/// How far a rider is fetched from at once, in metres along the streets …
const RADIUS_METRES: f64 = 1800.0;
/// … and how many more after each second in which nobody was found.
const RADIUS_GROWTH: f64 = 5.0;
/// Two orders go into one bag when their stores are so near …
const STORES_METRES: f64 = 400.0;
/// … and their doors; …
const DOORS_METRES: f64 = 1800.0;
/// … both grow by as much again after so many seconds in which nobody was found: in need everything fits …
const NEED_SECONDS: f64 = 600.0;
/// … up to this factor.
const NEED_MAX: f64 = 2.5;
/// A detour is worth less than it is long, as it saves a second rider.
const BATCH_WORTH: f64 = 0.7;
/// A ready order whose rider is on the way for so long goes to somebody near by, in milliseconds …
const DELAYED_MS: i64 = 12 * 60_000;
/// … who is so near.
const RESCUE_METRES: f64 = 700.0;

impl City {
    /// One round.
    pub(super) fn dispatch(&mut self) {
        self.plan_task(EVERY, Task::Dispatch);
        self.rescue();
        let now = self.now;
        let seeking = |order: &Order| order.rider.is_none() && order.seek_at.is_some_and(|at| at <= now);
        let waiting: Vec<u64> = self.orders.iter().filter(|(_, order)| seeking(order)).map(|(number, _)| *number).collect();
        // Most riders are neither free nor open for more, and a round makes nobody so.
        let able = |rider: &Rider| rider.is_free() || rider.open_for_more().is_some();
        let able: Vec<usize> = (0..self.riders.len()).filter(|rider| able(&self.riders[*rider])).collect();
        for number in waiting {
            if let Some(rider) = self.best_rider(number, &able) {
                self.assign(number, rider);
            }
        }
    }

    /// Whoever is soonest at the store of an order, if anybody is near enough.
    fn best_rider(&self, number: u64, able: &[usize]) -> Option<usize> {
        let order = self.orders.get(&number)?;
        let store = self.stores[order.store].place;
        let sought_ms = order.seek_at.map_or(0, |at| self.now.0 - at.0);
        let sought_seconds = sought_ms as f64 / 1000.0;
        let radius = RADIUS_METRES + RADIUS_GROWTH * sought_seconds;
        let need = (1.0 + sought_seconds / NEED_SECONDS).min(NEED_MAX);
        let costs = able.iter().filter_map(|&place| {
            let rider = &self.riders[place];
            if order.refused.contains(&place) {
                None
            } else if rider.is_free() {
                Some((rider.place.metres_to(store), place))
            } else {
                let first = self.orders.get(&rider.open_for_more()?)?;
                Some((self.detour(first, order, need)?, place))
            }
        });
        let best = costs.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (best.0 <= radius).then_some(best.1)
    }

    /// What a second order costs a rider, in metres; None when the two do not go together.
    fn detour(&self, first: &Order, second: &Order, need: f64) -> Option<f64> {
        let between_stores = self.stores[first.store].place.metres_to(self.stores[second.store].place);
        let between_doors = first.customer.metres_to(second.customer);
        let fits = between_stores <= STORES_METRES * need && between_doors <= DOORS_METRES * need;
        fits.then_some(BATCH_WORTH * (between_stores + between_doors))
    }

    fn assign(&mut self, number: u64, place: usize) {
        let Some(order) = self.orders.get_mut(&number) else { return };
        order.rider = Some(place);
        order.assignments += 1;
        order.stages.assigned_at = Some(self.now);
        let rider = &mut self.riders[place];
        let stores = rider.stops.iter().filter(|stop| matches!(stop, Stop::Store(_))).count();
        rider.stops.insert(stores, Stop::Store(number));
        rider.stops.push_back(Stop::Door(number));
        self.tell_rider("rider.assigned", place, Some(number));
        let rider = &mut self.riders[place];
        if rider.doing == Doing::Idle {
            rider.doing = Doing::Considering;
            rider.turn += 1;
            let turn = rider.turn;
            self.plan_task(CONSIDERING, Task::Rider { rider: place, turn });
        }
    }

    /// Riders that do not arrive lose their order to somebody who is already there.
    fn rescue(&mut self) {
        let now = self.now;
        let is_late = |at: Timestamp| now.0 - at.0 > DELAYED_MS;
        let is_stuck = |order: &Order| {
            order.is_ready() && order.stages.at_store_at.is_none() && order.stages.assigned_at.is_some_and(is_late)
        };
        let stuck: Vec<u64> = self.orders.iter().filter(|(_, order)| is_stuck(order)).map(|(number, _)| *number).collect();
        for number in stuck {
            let order = &self.orders[&number];
            let store = self.stores[order.store].place;
            let is_near = |rider: &Rider| rider.is_free() && rider.place.metres_to(store) <= RESCUE_METRES;
            if let (Some(rider), true) = (order.rider, self.riders.iter().any(is_near)) {
                self.take_away(rider, number);
            }
        }
    }

    /// An order is not this rider's any more, and looks for another.
    pub(super) fn take_away(&mut self, rider: usize, number: u64) {
        if let Some(order) = self.orders.get_mut(&number) {
            order.lose_rider();
        }
        self.release(rider, number);
    }

    /// A rider has one order less, and turns to whatever is left.
    pub(super) fn release(&mut self, rider: usize, number: u64) {
        if self.riders[rider].drop_order(number) {
            self.riders[rider].halt(self.now);
            self.set_off(rider);
        }
    }
}
