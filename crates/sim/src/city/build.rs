//! Builds a city at its first instant: districts, stores and riders from the settings and the seed, and the first entries of
//! the agenda. Nothing happens here yet; only the first settings and doors of the stores are told.

use std::collections::{BTreeMap, VecDeque};

use super::{Chances, City, District, Station, Task};
use crate::{
    Settings,
    agenda::Agenda,
    chance::{Chance, Law, Stream},
    demand::Kind,
    place::{Place, Plan},
    rider::{Doing, Rider},
    scenario::Scenario,
    store::{CUISINES, Doors, Store},
    streets::{STEP_SECONDS, Streets},
    summary::Tally,
    weather::Weather,
};

/// The name of the first store: the pipeline's file of facts begins there.
const FIRST_STORE: usize = 42;
/// How much stores differ in popularity: a few have a large part of the orders.
const POPULARITY_SPREAD: f64 = 1.1;
const DISTRICT_SPREAD: f64 = 0.35;
/// How much stores of one cuisine differ in speed, for good.
const COOKING_SPREAD: f64 = 0.2;
const PACE_SPREAD: f64 = 0.12;
const ACCEPT_SECONDS: f64 = 35.0;
const ACCEPT_SPREAD: f64 = 0.5;
/// The share of a day's orders that falls into its busiest hour.
const PEAK_SHARE: f64 = 0.14;
/// Dishes of a mean order.
const DISHES_MEAN: f64 = 2.6;
/// Stores keep as many cooks as the busiest hour of a mean day keeps at work, and this times its root for what chance adds. On a
/// Saturday or in the rain that is not enough.
const SPARE_COOKS: f64 = 0.45;
/// All stations have measured within this time.
const FIRST_STATION_SECONDS: i64 = 900;
/// An instant in which nothing but the beginning happens.
const SOON: Law = Law::Fixed { ms: 1 };

/// The city at its first instant.
pub(super) fn build(settings: Settings, seed: u64, is_muted: bool) -> City {
    let figures = settings.scenario.figures();
    let mut chance = Chance::new(seed, Stream::Building);
    let mut chances = Chances::new(seed);
    let founded = settings.areas as usize;
    let plan = Plan::new(settings.latitude, settings.longitude, founded + usize::from(figures.opens_area));
    let sky = Weather::any(figures.wet_share, &mut chances.sky);
    let districts = districts(&plan, founded, sky, &mut chance);
    let stores = stores(&settings, &plan, &districts, &mut chance);
    let riders = riders(&settings, &stores, &mut chance);
    let station =
        |(place, (at, district)): (usize, (Place, usize))| Station { id: format!("w{}", place + 1), place: at, district };
    let stations = plan.stations().into_iter().enumerate().map(station).collect();
    let mut city = City {
        now: settings.start,
        streets: Streets::new(districts.len()),
        settings,
        figures,
        plan,
        districts,
        stations,
        agenda: Agenda::new(),
        chances,
        sky,
        stores,
        riders,
        orders: BTreeMap::new(),
        orders_placed: 0,
        events: 0,
        out: VecDeque::new(),
        truths: VecDeque::new(),
        tally: Tally::default(),
        is_muted,
    };
    city.begin();
    city
}

impl City {
    fn begin(&mut self) {
        for store in 0..self.stores.len() {
            if self.stores[store].is_founded {
                self.begin_store(store);
            }
        }
        self.plan_task(self.sky.spell(self.figures.wet_share), Task::Sky);
        self.plan_task(SOON, Task::Streets);
        self.plan_task(Law::seconds(STEP_SECONDS), Task::Dispatch);
        self.plan_task(SOON, Task::Roster);
        self.plan_task(Law::seconds(3600), Task::Hour);
        self.plan_task(SOON, Task::Customer);
        if self.figures.opens_area {
            self.plan_task(Law::Fixed { ms: self.settings.new_area_after.0 }, Task::Found);
        }
        if !self.is_muted {
            for station in 0..self.stations.len() {
                let turn = FIRST_STATION_SECONDS * station as i64 / self.stations.len() as i64;
                self.plan_task(Law::seconds(turn), Task::Measure(station));
            }
        }
    }
}

/// Districts; those beyond `founded` are not there yet.
fn districts(plan: &Plan, founded: usize, weather: Weather, chance: &mut Chance) -> Vec<District> {
    let kinds = [Kind::Offices, Kind::Homes, Kind::Mixed, Kind::Homes];
    let mut districts: Vec<District> = (0..plan.districts())
        .map(|district| District {
            kind: kinds[chance.below(kinds.len())],
            weight: (1.4 - plan.remoteness(district)) * chance.factor(DISTRICT_SPREAD),
            weather,
            is_founded: district < founded,
        })
        .collect();
    let total: f64 = districts.iter().filter(|district| district.is_founded).map(|district| district.weight).sum();
    for district in &mut districts {
        // A new district is an ordinary one.
        district.weight = if district.is_founded { district.weight / total } else { 1.0 / founded as f64 };
    }
    districts
}

fn stores(settings: &Settings, plan: &Plan, districts: &[District], chance: &mut Chance) -> Vec<Store> {
    let founded: Vec<f64> = districts.iter().filter(|district| district.is_founded).map(|district| district.weight).collect();
    let count = settings.stores as usize;
    let new = if settings.scenario == Scenario::NewArea { count.div_ceil(founded.len()) } else { 0 };
    let mut stores: Vec<Store> = (0..count + new)
        .map(|number| {
            let district = match number {
                number if number >= count => founded.len(),
                // Each district has one at least.
                number if number < founded.len() => number,
                _ => chance.weighted(&founded).unwrap_or(0),
            };
            store(number, district, plan, chance)
        })
        .collect();
    let mean = stores.iter().take(count).map(|store| store.popularity).sum::<f64>() / count as f64;
    for store in &mut stores {
        store.popularity /= mean;
        store.is_founded = districts[store.district].is_founded;
        let orders_in_peak = f64::from(settings.orders_per_day) / f64::from(settings.stores) * store.popularity * PEAK_SHARE;
        let at_work = orders_in_peak * DISHES_MEAN * store.dish_seconds / 3600.0;
        store.cooks_usual = ((at_work + SPARE_COOKS * at_work.sqrt()).round() as usize).max(1);
        store.cooks = store.cooks_usual;
    }
    stores
}

fn store(number: usize, district: usize, plan: &Plan, chance: &mut Chance) -> Store {
    let (cuisine, minutes) = CUISINES[number % CUISINES.len()];
    let opens = if chance.happens(0.1) { 7 } else { 10 + chance.below(2) as i64 };
    let closes = if opens == 7 { 20 } else { 22 + chance.below(4) as i64 };
    Store {
        id: (FIRST_STORE + number).to_string(),
        place: plan.inside(district, chance.share(), chance.share()),
        district,
        cuisine,
        has_parking: [Some(false), None, Some(true), Some(true), Some(false)][number % CUISINES.len()],
        popularity: chance.factor(POPULARITY_SPREAD),
        dish_seconds: 60.0 * minutes * chance.factor(COOKING_SPREAD),
        accept_seconds: ACCEPT_SECONDS * chance.factor(ACCEPT_SPREAD),
        hours: [opens, closes],
        is_founded: true,
        doors: Doors::Closed,
        cooks_usual: 1,
        cooks: 1,
        cooking: 0,
        queue: VecDeque::new(),
        mood: 0.0,
    }
}

/// Riders begin their shifts near stores: nobody waits where there is no work.
fn riders(settings: &Settings, stores: &[Store], chance: &mut Chance) -> Vec<Rider> {
    let rider = |number: u32| {
        let home = stores[chance.below(settings.stores as usize)].place;
        Rider {
            id: format!("r{}", number + 1),
            home,
            pace: chance.factor(PACE_SPREAD),
            place: home,
            hop: None,
            astray: Place::default(),
            doing: Doing::Off,
            is_leaving: false,
            stops: VecDeque::new(),
            turn: 0,
        }
    };
    (0..settings.riders).map(rider).collect()
}
