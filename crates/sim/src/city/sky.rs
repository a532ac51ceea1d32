//! What comes over the city from outside: weather, traffic, the hour, and the founding of a district.

use super::{City, Task};
use crate::{chance::Law, demand, streets::STEP_SECONDS, weather::Weather};

/// Between two measurements of a station.
const MEASURE: Law = Law::Fixed { ms: 900_000 };

impl City {
    /// The sky changes; districts follow one by one.
    pub(super) fn sky_turns(&mut self) {
        self.sky = self.sky.next(self.figures.wet_share, &mut self.chances.sky);
        self.plan_task(self.sky.spell(self.figures.wet_share), Task::Sky);
        for district in 0..self.districts.len() {
            self.plan_task(Weather::front(), Task::Front(district));
        }
    }

    pub(super) fn streets_change(&mut self) {
        let bustle = demand::bustle(self.local());
        let districts = &self.districts;
        let weather = |district: usize| districts[district].weather.slowness();
        self.streets.step(&self.plan, bustle, weather, &mut self.chances.street);
        self.tally.look(self.local().hour(), &self.riders, &self.stores);
        self.plan_task(Law::seconds(STEP_SECONDS), Task::Streets);
    }

    pub(super) fn measure(&mut self, station: usize) {
        if self.districts[self.stations[station].district].is_founded {
            self.tell_weather(station);
        }
        self.plan_task(MEASURE, Task::Measure(station));
    }

    /// Cooks have moods, and managers look at their lists.
    pub(super) fn hour(&mut self) {
        for place in 0..self.stores.len() {
            let store = &mut self.stores[place];
            store.drift(&mut self.chances.kitchen);
            let wanted = store.cooks_wanted();
            if wanted != store.cooks {
                store.cooks = wanted;
                self.tell_store("store.settings_changed", place);
                self.cook(place);
            }
        }
        self.plan_task(Law::seconds(3600), Task::Hour);
    }

    /// A district opens: its stores, its customers and its stations were never heard of before.
    pub(super) fn found(&mut self) {
        for district in &mut self.districts {
            district.is_founded = true;
        }
        for store in 0..self.stores.len() {
            if !self.stores[store].is_founded {
                self.stores[store].is_founded = true;
                self.begin_store(store);
            }
        }
    }
}
