//! The city: everything that lives in it, and the loop that lets the next thing happen. How each part behaves stands in the
//! files of this folder; this one only keeps them together and in order.
//!
//! A city never does I/O, never reads a clock and never draws a number that its seed does not decide. What it keeps is bounded by
//! what is alive - stores, riders, open orders - and by the truths that nobody has taken yet.

mod build;
mod customers;
mod dispatch;
mod doors;
mod fork;
mod kitchens;
mod riding;
mod shifts;
mod sky;
mod voice;

use std::collections::{BTreeMap, VecDeque};

use domain::Timestamp;

pub(crate) use self::voice::order_name;
use crate::{
    Error, Record, Settings, StoreFact, Summary, Truth,
    agenda::Agenda,
    chance::{Chance, Law, Stream},
    demand::{Kind, Local},
    order::Order,
    place::{Place, Plan},
    rider::Rider,
    scenario::Figures,
    store::Store,
    streets::Streets,
    summary::Tally,
    weather::Weather,
};

/// Truths that wait to be taken. A caller that never takes them gets the last ones: half a year of the default city, 200 MB.
pub const TRUTHS_MAX: usize = 1_000_000;

/// A seeded city. As an iterator it never ends.
#[derive(Clone, Debug)]
pub struct City {
    settings: Settings,
    figures: Figures,
    plan: Plan,
    districts: Vec<District>,
    stations: Vec<Station>,
    now: Timestamp,
    agenda: Agenda<Task>,
    chances: Chances,
    /// Over the region; the districts follow.
    sky: Weather,
    streets: Streets,
    stores: Vec<Store>,
    riders: Vec<Rider>,
    orders: BTreeMap<u64, Order>,
    orders_placed: u64,
    events: u64,
    out: VecDeque<Record>,
    truths: VecDeque<Truth>,
    tally: Tally,
    /// Nobody listens: nothing is written and no position is reported.
    is_muted: bool,
}

/// A part of the city.
#[derive(Clone, Debug)]
struct District {
    kind: Kind,
    /// How many of the orders come from here, all founded districts together being 1.
    weight: f64,
    weather: Weather,
    is_founded: bool,
}

/// Where weather is measured.
#[derive(Clone, Debug)]
struct Station {
    id: String,
    place: Place,
    district: usize,
}

/// Each part draws from its own numbers: another number of riders does not change the weather.
#[derive(Clone, Debug)]
struct Chances {
    sky: Chance,
    demand: Chance,
    kitchen: Chance,
    street: Chance,
    noise: Chance,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Task {
    /// Somebody may be hungry.
    Customer,
    /// A customer has second thoughts.
    Remorse(u64),
    /// A customer has waited enough.
    Impatience(u64),
    /// A store answers.
    Answer(u64),
    DishDone {
        store: usize,
        order: u64,
    },
    Packed(u64),
    Opening(usize),
    Closing(usize),
    Breakdown(usize),
    Repair(usize),
    Hour,
    Found,
    Sky,
    /// The sky reaches a district.
    Front(usize),
    Streets,
    Measure(usize),
    Dispatch,
    Roster,
    ShiftStart {
        rider: usize,
        ends_at: Timestamp,
    },
    ShiftEnd(usize),
    Ping(usize),
    /// What a rider does is done. Void under another turn.
    Rider {
        rider: usize,
        turn: u32,
    },
    /// A rider has waited enough. Void under another turn.
    GiveUp {
        rider: usize,
        turn: u32,
    },
}

impl City {
    /// A city at its first instant. The same settings and seed give the same city to the last byte.
    pub fn new(settings: Settings, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        Ok(build::build(settings, seed, false))
    }

    /// A city that nobody listens to: much faster, and there is nothing but its truth.
    pub(crate) fn muted(settings: Settings, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        Ok(build::build(settings, seed, true))
    }

    /// Lives on until this instant, and answers all events before it, in their order. An hour of the default city has up to 40,000
    /// of them, 12 MB: whoever has to mind the memory takes short steps.
    pub fn advance(&mut self, until: Timestamp) -> Vec<Record> {
        while self.agenda.next_at().is_some_and(|at| at < until) {
            self.step();
        }
        self.out.drain(..).collect()
    }

    /// The instant of what happened last.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What really became of the orders that have ended since this was last asked: at most `TRUTHS_MAX` of them, the last.
    pub fn take_truths(&mut self) -> Vec<Truth> {
        std::mem::take(&mut self.truths).into()
    }

    /// How many orders were placed so far.
    pub fn orders_placed(&self) -> u64 {
        self.orders_placed
    }

    /// What the order of this number is called.
    pub(crate) fn order_name(&self, number: u64) -> String {
        voice::order_name(&self.settings.label, number)
    }

    /// How many orders have not ended.
    pub fn orders_open(&self) -> usize {
        self.orders.len()
    }

    /// The sky over the region, by the name that its measurements have: `clear` or `rain`.
    pub fn weather(&self) -> &'static str {
        self.sky.name()
    }

    /// What is known of all stores without any event, those included that are not founded yet.
    pub fn store_facts(&self) -> Vec<StoreFact> {
        let founded_at = |store: &Store| {
            if store.is_founded { self.settings.start } else { self.settings.start.plus(self.settings.new_area_after) }
        };
        let facts = self.stores.iter().map(|store| StoreFact {
            store_id: store.id.clone(),
            cuisine: store.cuisine,
            has_parking: store.has_parking,
            since: founded_at(store),
        });
        facts.collect()
    }

    /// The figures so far, for people.
    pub fn summary(&self) -> Summary {
        self.tally.summary()
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) {
        let Some((at, task)) = self.agenda.pop() else { return };
        self.now = at;
        match task {
            Task::Customer => self.customer(),
            Task::Remorse(order) => self.remorse(order),
            Task::Impatience(order) => self.impatience(order),
            Task::Answer(order) => self.answer(order),
            Task::DishDone { store, order } => self.dish_done(store, order),
            Task::Packed(order) => self.packed(order),
            Task::Opening(store) => self.opening(store),
            Task::Closing(store) => self.closing(store),
            Task::Breakdown(store) => self.breakdown(store),
            Task::Repair(store) => self.repair(store),
            Task::Hour => self.hour(),
            Task::Found => self.found(),
            Task::Sky => self.sky_turns(),
            Task::Front(district) => self.districts[district].weather = self.sky,
            Task::Streets => self.streets_change(),
            Task::Measure(station) => self.measure(station),
            Task::Dispatch => self.dispatch(),
            Task::Roster => self.roster(),
            Task::ShiftStart { rider, ends_at } => self.shift_start(rider, ends_at),
            Task::ShiftEnd(rider) => self.shift_end(rider),
            Task::Ping(rider) => self.ping(rider),
            Task::Rider { rider, turn } if self.riders[rider].turn == turn => self.rider_done(rider),
            Task::GiveUp { rider, turn } if self.riders[rider].turn == turn => self.give_up(rider),
            Task::Rider { .. } | Task::GiveUp { .. } => (),
        }
    }

    fn local(&self) -> Local {
        Local::of(self.now, self.settings.utc_offset)
    }

    /// Decides when something happens, by the chance of its own part of the city.
    fn plan_task(&mut self, law: Law, task: Task) -> Timestamp {
        let chances = &mut self.chances;
        let chance = match task {
            Task::Customer | Task::Remorse(_) | Task::Impatience(_) => &mut chances.demand,
            Task::Sky | Task::Front(_) | Task::Measure(_) => &mut chances.sky,
            Task::Ping(_) => &mut chances.noise,
            Task::Answer(_) | Task::DishDone { .. } | Task::Packed(_) | Task::Breakdown(_) | Task::Repair(_) => {
                &mut chances.kitchen
            }
            _ => &mut chances.street,
        };
        self.agenda.add(self.now, law, task, chance)
    }
}

impl Iterator for City {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.out.is_empty() {
            // Stores open every day, so there is always something ahead.
            self.agenda.next_at()?;
            self.step();
        }
        self.out.pop_front()
    }
}

impl Chances {
    fn new(seed: u64) -> Self {
        Self {
            sky: Chance::new(seed, Stream::Sky),
            demand: Chance::new(seed, Stream::Demand),
            kitchen: Chance::new(seed, Stream::Kitchen),
            street: Chance::new(seed, Stream::Street),
            noise: Chance::new(seed, Stream::Noise),
        }
    }
}

#[cfg(test)]
mod tests;
