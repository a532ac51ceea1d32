//! What happens to an order inside a store: it is accepted or not, its dishes wait for cooks, and somebody packs it.

use super::{City, Task};
use crate::{chance::Law, order::Ending, store::Doors};

/// Sold out, too far, a wrong address: stores refuse some orders …
const STORE_REFUSAL: f64 = 0.015;
/// … and more of them when they cannot keep up.
const BUSY_REFUSAL: f64 = 0.06;
const PACKING: Law = Law::LogNormal { median_ms: 50_000.0, spread: 0.5 };
/// A rider is called this long before the order is expected to be ready, in seconds.
const CALL_AHEAD_SECONDS: f64 = 480.0;

impl City {
    /// A store answers an order.
    pub(super) fn answer(&mut self, number: u64) {
        let Some(order) = self.orders.get_mut(&number) else { return };
        let place = order.store;
        let store = &mut self.stores[place];
        let refusal = if store.doors == Doors::Open { STORE_REFUSAL } else { BUSY_REFUSAL };
        if self.chances.kitchen.happens(refusal) {
            self.end(number, Ending::Cancelled);
            return;
        }
        let wait_seconds = (store.estimate_seconds(order.items) - CALL_AHEAD_SECONDS).max(0.0);
        order.stages.accepted_at = Some(self.now);
        order.seek_at = Some(self.now.plus(domain::Span((wait_seconds * 1000.0) as i64)));
        store.queue.extend((0..order.items).map(|_| number));
        self.tell_order("order.accepted", number, None);
        self.cook(place);
    }

    /// Cooks begin what they can.
    pub(super) fn cook(&mut self, place: usize) {
        while let Some(order) = self.stores[place].begin_dish() {
            let law = self.stores[place].dish(self.figures.dish_factor);
            self.plan_task(law, Task::DishDone { store: place, order });
        }
        if let Some(doors) = self.stores[place].turn() {
            self.set_doors(place, doors);
        }
    }

    pub(super) fn dish_done(&mut self, place: usize, number: u64) {
        self.stores[place].end_dish();
        // A dish of a cancelled order is thrown away.
        if let Some(order) = self.orders.get_mut(&number) {
            order.dishes_left -= 1;
            if order.dishes_left == 0 {
                self.plan_task(PACKING, Task::Packed(number));
            }
        }
        self.cook(place);
    }

    pub(super) fn packed(&mut self, number: u64) {
        let Some(order) = self.orders.get_mut(&number) else { return };
        order.stages.ready_at = Some(self.now);
        let rider = order.rider;
        self.tell_order("order.ready", number, None);
        if let Some(rider) = rider {
            self.offer_bag(rider, number);
        }
    }
}
