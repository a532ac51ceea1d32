//! How what happens becomes records. The only place of the city that writes events; a muted city writes none.

use super::City;
use crate::{
    place::Place,
    record::{AREAS, Body, ORDERS, RIDERS, Record, STORES},
};

/// What of a position's error is left at the next event.
const ASTRAY_LEFT: f64 = 0.95;
/// The deviation of what is new in it, in metres; together a telephone is wrong by 5 m to each side. An error that were new each
/// time would make every rider who waits ride a kilometre an hour.
const ASTRAY_SPREAD: f64 = 1.6;

impl City {
    /// An order event; `facts` are the basket in cents and the items, told once.
    pub(super) fn tell_order(&mut self, kind: &'static str, number: u64, facts: Option<(u32, u32)>) {
        let Some(order) = self.orders.get(&number).filter(|_| !self.is_muted) else { return };
        let (lat, lon) = self.plan.degrees(order.customer);
        let id = order_name(&self.settings.label, number);
        let body = Body {
            kind: Some(kind),
            order_id: Some(id.clone()),
            store_id: Some(&self.stores[order.store].id),
            lat: Some(lat),
            lon: Some(lon),
            basket: facts.map(|(cents, _)| f64::from(cents) / 100.0),
            items: facts.map(|(_, items)| items),
            ..Body::default()
        };
        self.events += 1;
        self.out.push_back(Record::new(
            ORDERS,
            id,
            self.now,
            body.write(self.now, (&self.settings.label, self.events), "order-service"),
        ));
    }

    /// A rider event, where the rider is now.
    pub(super) fn tell_rider(&mut self, kind: &'static str, rider: usize, order: Option<u64>) {
        if self.is_muted {
            return;
        }
        let rider = &mut self.riders[rider];
        let place = rider.place_at(self.now);
        rider.astray.x = ASTRAY_LEFT * rider.astray.x + ASTRAY_SPREAD * self.chances.noise.normal();
        rider.astray.y = ASTRAY_LEFT * rider.astray.y + ASTRAY_SPREAD * self.chances.noise.normal();
        let (lat, lon) = self.plan.degrees(Place { x: place.x + rider.astray.x, y: place.y + rider.astray.y });
        let body = Body {
            kind: Some(kind),
            order_id: order.map(|number| order_name(&self.settings.label, number)),
            rider_id: Some(&rider.id),
            lat: Some(lat),
            lon: Some(lon),
            ..Body::default()
        };
        self.events += 1;
        self.out.push_back(Record::new(
            RIDERS,
            rider.id.clone(),
            self.now,
            body.write(self.now, (&self.settings.label, self.events), "rider-app"),
        ));
    }

    pub(super) fn tell_store(&mut self, kind: &'static str, store: usize) {
        if self.is_muted {
            return;
        }
        let store = &self.stores[store];
        let capacity = (kind == "store.settings_changed").then(|| u32::try_from(store.cooks).unwrap_or(u32::MAX));
        let body = Body { kind: Some(kind), store_id: Some(&store.id), capacity, ..Body::default() };
        self.events += 1;
        self.out.push_back(Record::new(
            STORES,
            store.id.clone(),
            self.now,
            body.write(self.now, (&self.settings.label, self.events), "store-pos"),
        ));
    }

    pub(super) fn tell_weather(&mut self, station: usize) {
        if self.is_muted {
            return;
        }
        let station = &self.stations[station];
        let (lat, lon) = self.plan.degrees(station.place);
        let body = Body {
            kind: Some("area.weather"),
            station: Some(&station.id),
            lat: Some(lat),
            lon: Some(lon),
            weather: Some(self.districts[station.district].weather.name()),
            ..Body::default()
        };
        self.events += 1;
        self.out.push_back(Record::new(
            AREAS,
            station.id.clone(),
            self.now,
            body.write(self.now, (&self.settings.label, self.events), "weather-service"),
        ));
    }
}

/// What an order is called in events and truths.
pub(crate) fn order_name(label: &str, number: u64) -> String {
    format!("{label}o{number}")
}
