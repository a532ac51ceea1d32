//! When stores open and close: by their hours, when something breaks, and when they cannot keep up.

use super::{City, Task};
use crate::{chance::Law, store::Doors};

/// An oven breaks, a till fails, the police comes: for each store about twice a month.
const BREAKDOWN: Law = Law::Exponential { mean_ms: 15.0 * 86_400_000.0 };
/// So long until somebody has mended it.
const REPAIR: Law = Law::Uniform { from_ms: 20.0 * 60_000.0, to_ms: 70.0 * 60_000.0 };
/// A cook is ill on such a share of the days, where there are several.
const ILLNESS: f64 = 0.08;

impl City {
    /// A store tells of itself for the first time.
    pub(super) fn begin_store(&mut self, store: usize) {
        let local = self.local();
        let is_open = self.stores[store].is_open_at(local.of_day_ms);
        self.tell_store("store.settings_changed", store);
        self.set_doors(store, if is_open { Doors::Open } else { Doors::Closed });
        if !is_open {
            self.tell_store("store.closed", store);
        }
        let [opens, closes] = self.stores[store].hours;
        self.plan_task(local.until_hour(opens), Task::Opening(store));
        self.plan_task(local.until_hour(closes), Task::Closing(store));
        self.plan_task(BREAKDOWN, Task::Breakdown(store));
    }

    pub(super) fn opening(&mut self, store: usize) {
        let usual = self.stores[store].cooks_usual;
        let is_ill = self.chances.kitchen.happens(ILLNESS) && usual > 1;
        let cooks = (usual - usize::from(is_ill)).max(self.stores[store].cooking);
        if cooks != self.stores[store].cooks {
            self.stores[store].cooks = cooks;
            self.tell_store("store.settings_changed", store);
        }
        self.set_doors(store, Doors::Open);
        self.plan_task(self.local().until_hour(self.stores[store].hours[0]), Task::Opening(store));
    }

    pub(super) fn closing(&mut self, store: usize) {
        self.set_doors(store, Doors::Closed);
        self.plan_task(self.local().until_hour(self.stores[store].hours[1]), Task::Closing(store));
    }

    pub(super) fn breakdown(&mut self, store: usize) {
        if self.stores[store].is_taking_orders() {
            self.set_doors(store, Doors::Broken);
            self.plan_task(REPAIR, Task::Repair(store));
        }
        self.plan_task(BREAKDOWN, Task::Breakdown(store));
    }

    pub(super) fn repair(&mut self, store: usize) {
        if self.stores[store].doors == Doors::Broken {
            self.set_doors(store, Doors::Open);
        }
    }

    /// Opens or closes, and tells it when it is news to customers.
    pub(super) fn set_doors(&mut self, store: usize, doors: Doors) {
        let before = std::mem::replace(&mut self.stores[store].doors, doors);
        if before == doors {
            return;
        }
        match doors {
            Doors::Open => self.tell_store("store.opened", store),
            Doors::Busy => self.tell_store("store.busy", store),
            Doors::Broken => self.tell_store("store.closed", store),
            Doors::Closed if before != Doors::Broken => self.tell_store("store.closed", store),
            Doors::Closed => (),
        }
    }
}
