//! A rider with something to do: considering, riding hop by hop, waiting at the store, picking up, handing over.

use super::{City, Task};
use crate::{
    chance::Law,
    order::Ending,
    rider::{Doing, Hop, Stop},
};

/// On an empty street, in metres a second: 22 km/h, with a motor.
const SPEED: f64 = 6.0;
/// Two or three crossings; the streets are asked anew after each.
const HOP_METRES: f64 = 400.0;
const HOP_SPREAD: f64 = 0.2;
/// Finding the counter, and the bag.
const PICK_UP_SECONDS: f64 = 40.0;
/// Where the bicycle has to be left around the corner.
const NO_PARKING_SECONDS: f64 = 25.0;
const PICK_UP_SPREAD: f64 = 0.5;
/// Stairs, doorbells, gates: what no formula knows.
const HAND_OVER: Law = Law::LogNormal { median_ms: 80_000.0, spread: 0.65 };
const NOT_AT_HOME: f64 = 0.008;
/// A bad sky makes more riders refuse.
const WET_REFUSALS: f64 = 2.0;
/// How long a rider waits for a bag with another one going cold …
const WAIT_LOADED: Law = Law::Fixed { ms: 6 * 60_000 };
/// … and without.
const WAIT_ALONE: Law = Law::Fixed { ms: 15 * 60_000 };

impl City {
    /// What the rider was doing is done.
    pub(super) fn rider_done(&mut self, rider: usize) {
        match (self.riders[rider].doing, self.riders[rider].stops.front().copied()) {
            (Doing::Considering, Some(stop)) => self.consider(rider, stop.order()),
            (Doing::Riding, Some(_)) => {
                if let Some(hop) = self.riders[rider].hop.take() {
                    self.riders[rider].place = hop.to;
                }
                self.ride(rider);
            }
            (Doing::PickingUp, Some(Stop::Store(order))) => self.picked_up(rider, order),
            (Doing::HandingOver, Some(Stop::Door(order))) => self.handed_over(rider, order),
            (doing, stop) => panic!("{} cannot be done with {doing:?} at {stop:?}", self.riders[rider].id),
        }
    }

    fn consider(&mut self, rider: usize, order: u64) {
        let district = self.plan.district(self.riders[rider].place);
        let sky = if self.districts[district].weather.is_wet() { WET_REFUSALS } else { 1.0 };
        if self.chances.street.happens(self.figures.refusals * sky) {
            self.take_away(rider, order);
        } else {
            self.set_off(rider);
        }
    }

    /// The rider turns to the next stop, or to nothing.
    pub(super) fn set_off(&mut self, place: usize) {
        let rider = &mut self.riders[place];
        rider.turn += 1;
        match rider.stops.front().copied() {
            None => {
                rider.doing = Doing::Idle;
                if rider.is_leaving {
                    self.go_home(place);
                }
            }
            Some(Stop::Store(order)) => {
                self.tell_rider("rider.to_store", place, Some(order));
                self.ride(place);
            }
            Some(Stop::Door(order)) => {
                self.tell_rider("rider.to_customer", place, Some(order));
                self.ride(place);
            }
        }
    }

    /// The next part of the way, or the end of it.
    fn ride(&mut self, place: usize) {
        let Some(stop) = self.riders[place].stops.front().copied() else { return };
        let order = &self.orders[&stop.order()];
        let target = if matches!(stop, Stop::Store(_)) { self.stores[order.store].place } else { order.customer };
        let rider = &self.riders[place];
        let metres = rider.place.metres_to(target).min(HOP_METRES);
        if metres < 1.0 {
            self.arrive(place, stop);
            return;
        }
        let to = rider.place.towards(target, metres);
        let district = self.plan.district(rider.place);
        let slowness = self.streets.slowness(district) * self.districts[district].weather.slowness();
        let seconds = metres / (SPEED * rider.pace) * slowness;
        let (from, turn, began) = (rider.place, rider.turn, self.now);
        let ends = self.plan_task(Law::about(seconds, HOP_SPREAD), Task::Rider { rider: place, turn });
        let rider = &mut self.riders[place];
        rider.doing = Doing::Riding;
        rider.hop = Some(Hop { from, to, began, ends });
    }

    fn arrive(&mut self, rider: usize, stop: Stop) {
        match stop {
            Stop::Store(number) => {
                self.tell_rider("rider.at_store", rider, Some(number));
                if let Some(order) = self.orders.get_mut(&number) {
                    order.stages.at_store_at = Some(self.now);
                }
                self.riders[rider].doing = Doing::Waiting;
                let law = if self.riders[rider].load() > 1 { WAIT_LOADED } else { WAIT_ALONE };
                self.plan_task(law, Task::GiveUp { rider, turn: self.riders[rider].turn });
                if self.orders[&number].is_ready() {
                    self.offer_bag(rider, number);
                }
            }
            Stop::Door(number) => {
                self.tell_rider("rider.at_customer", rider, Some(number));
                if let Some(order) = self.orders.get_mut(&number) {
                    order.stages.at_customer_at = Some(self.now);
                }
                self.riders[rider].doing = Doing::HandingOver;
                self.plan_task(HAND_OVER, Task::Rider { rider, turn: self.riders[rider].turn });
            }
        }
    }

    /// An order is ready; when its rider waits for it, picking up begins.
    pub(super) fn offer_bag(&mut self, place: usize, order: u64) {
        let rider = &mut self.riders[place];
        if rider.doing != Doing::Waiting || rider.stops.front() != Some(&Stop::Store(order)) {
            return;
        }
        rider.doing = Doing::PickingUp;
        rider.turn += 1;
        let turn = rider.turn;
        let has_parking = self.stores[self.orders[&order].store].has_parking == Some(true);
        let seconds = PICK_UP_SECONDS + if has_parking { 0.0 } else { NO_PARKING_SECONDS };
        self.plan_task(Law::about(seconds, PICK_UP_SPREAD), Task::Rider { rider: place, turn });
    }

    fn picked_up(&mut self, place: usize, number: u64) {
        if let Some(order) = self.orders.get_mut(&number) {
            order.stages.picked_up_at = Some(self.now);
        }
        self.tell_rider("rider.picked_up", place, Some(number));
        let rider = &mut self.riders[place];
        rider.stops.pop_front();
        if rider.stops.iter().all(|stop| matches!(stop, Stop::Door(_))) {
            // The nearest door first.
            let (from, orders) = (rider.place, &self.orders);
            let metres = |stop: &Stop| orders.get(&stop.order()).map_or(0.0, |order| from.metres_to(order.customer));
            rider.stops.make_contiguous().sort_by(|one, other| metres(one).total_cmp(&metres(other)));
        }
        self.set_off(place);
    }

    fn handed_over(&mut self, rider: usize, order: u64) {
        let is_away = self.chances.street.happens(NOT_AT_HOME);
        self.riders[rider].stops.pop_front();
        self.end(order, if is_away { Ending::Returned } else { Ending::Delivered });
        self.set_off(rider);
    }

    /// A rider has waited long enough.
    pub(super) fn give_up(&mut self, rider: usize) {
        if let (Doing::Waiting, Some(Stop::Store(order))) = (self.riders[rider].doing, self.riders[rider].stops.front().copied())
        {
            self.take_away(rider, order);
        }
    }

    /// Whether the bag is changing hands: too late to cancel.
    pub(super) fn is_being_packed(&self, number: u64) -> bool {
        let rider = self.orders.get(&number).and_then(|order| order.rider).map(|rider| &self.riders[rider]);
        rider.is_some_and(|rider| rider.doing == Doing::PickingUp && rider.stops.front() == Some(&Stop::Store(number)))
    }
}
