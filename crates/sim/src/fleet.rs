//! A fleet of scooters: rides, batteries that fall and are changed, and a check-in every morning that some devices miss. Tells
//! events as the scooter pipeline declares them; who really missed a check-in is kept apart.
//!
//! Like a city it never does I/O and never reads a clock. What it keeps is bounded by the number of devices.

mod settings;

use std::collections::VecDeque;

use domain::Timestamp;

pub use self::settings::{FleetScenario, FleetSettings};
use crate::{
    Error, Record,
    agenda::Agenda,
    chance::{Chance, Law, Stream},
    demand::{self, Local},
    place::{Place, Plan},
    record::{Body, FLEET_TOPIC},
};

/// Absences that wait to be taken; a caller that never takes them gets the last ones: a year of the default fleet, 10 MB.
pub const ABSENCES_MAX: usize = 100_000;
/// Metres for each percent of a battery: 30 km with a full one.
const PERCENT_METRES: f64 = 300.0;
/// What a parked battery loses in a day, in percent.
const PARKED_PERCENT: f64 = 4.0;
/// Nobody can begin a ride with less, in percent.
const RIDE_PERCENT: f64 = 12.0;
/// From then on somebody comes with another battery, in percent, …
const SWAP_PERCENT: f64 = 18.0;
/// … after a while.
const SWAP: Law = Law::Exponential { mean_ms: 4.0 * 3_600_000.0 };
/// How far a ride goes, in metres.
const RIDE_METRES: f64 = 1500.0;
const RIDE_SPREAD: f64 = 0.6;
/// Between pedestrians and the open street, in metres a second.
const SPEEDS: [f64; 2] = [2.8, 6.6];
/// The morning is planned at this local hour, …
const MORNING_HOUR: i64 = 5;
/// … and check-ins come in the hours after the next.
const CHECK_IN: Law = Law::Uniform { from_ms: 3_600_000.0, to_ms: 5.0 * 3_600_000.0 };
/// The share of devices that miss it.
const MISSES: f64 = 0.015;
/// In a roll-call everybody reports within this time.
const ROLL_CALL: Law = Law::Uniform { from_ms: 0.0, to_ms: 59_000.0 };
/// Rides at night, as a share of the busiest hour, and the mean over the week of `bustle` and this.
const NIGHT_RIDES: f64 = 0.1;
const RIDES_MEAN: f64 = 0.49;
const HOUR_MS: f64 = 3_600_000.0;

/// A seeded fleet. As an iterator it never ends.
#[derive(Clone, Debug)]
pub struct Fleet {
    settings: FleetSettings,
    plan: Plan,
    now: Timestamp,
    agenda: Agenda<Task>,
    chance: Chance,
    devices: Vec<Device>,
    events: u64,
    out: VecDeque<Record>,
    absences: VecDeque<Absence>,
}

/// A check-in that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// As in the events.
    pub device_id: String,
    /// The morning: five o'clock local time.
    pub morning: Timestamp,
}

#[derive(Clone, Debug)]
struct Device {
    id: String,
    place: Place,
    /// Percent.
    battery: f64,
    ride: Option<Ride>,
    is_swap_planned: bool,
}

#[derive(Clone, Copy, Debug)]
struct Ride {
    from: Place,
    to: Place,
    began: Timestamp,
    ends: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Somebody may want to ride.
    Rent,
    /// Void in another ride.
    Report {
        device: usize,
        ride_began: Timestamp,
    },
    Park(usize),
    Swap(usize),
    Morning,
    CheckIn(usize),
    RollCall,
}

impl Fleet {
    /// A fleet at its first instant. The same settings and seed give the same fleet to the last byte.
    pub fn new(settings: FleetSettings, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        let mut chance = Chance::new(seed, Stream::Fleet);
        let plan = Plan::new(settings.latitude, settings.longitude, settings.areas as usize);
        let device = |number: u32| Device {
            id: format!("d{}", number + 1),
            place: Place { x: plan.side() * chance.share(), y: plan.side() * chance.share() },
            battery: chance.between(SWAP_PERCENT, 100.0),
            ride: None,
            is_swap_planned: false,
        };
        let devices = (0..settings.devices).map(device).collect();
        let (out, absences, now) = (VecDeque::new(), VecDeque::new(), settings.start);
        let mut fleet = Self { settings, plan, now, agenda: Agenda::new(), chance, devices, events: 0, out, absences };
        fleet.plan_task(fleet.local().until_hour(MORNING_HOUR), Task::Morning);
        fleet.plan_task(Law::seconds(1), Task::Rent);
        if fleet.settings.scenario == FleetScenario::RollCall {
            fleet.plan_task(Law::Fixed { ms: fleet.settings.roll_call_after.0 }, Task::RollCall);
        }
        Ok(fleet)
    }

    /// Lives on until this instant, and answers all events before it, in their order.
    pub fn advance(&mut self, until: Timestamp) -> Vec<Record> {
        while self.agenda.next_at().is_some_and(|at| at < until) {
            self.step();
        }
        self.out.drain(..).collect()
    }

    /// The check-ins that did not come since this was last asked: at most `ABSENCES_MAX` of them, the last.
    pub fn take_absences(&mut self) -> Vec<Absence> {
        std::mem::take(&mut self.absences).into()
    }

    fn step(&mut self) {
        let Some((at, task)) = self.agenda.pop() else { return };
        self.now = at;
        match task {
            Task::Rent => self.rent(),
            Task::Report { device, ride_began } => self.report(device, ride_began),
            Task::Park(device) => self.park(device),
            Task::Swap(device) => self.swap(device),
            Task::Morning => self.morning(),
            Task::CheckIn(device) => self.tell(device, "check_in"),
            Task::RollCall => (0..self.devices.len()).for_each(|device| self.plan_task(ROLL_CALL, Task::CheckIn(device))),
        }
    }

    /// Riders come as often as in the busiest hour, and some of them find that it is night, or a scooter that is taken.
    fn rent(&mut self) {
        let busiest = 1.0 + NIGHT_RIDES;
        let rides_per_day = self.settings.rides_per_day * f64::from(self.settings.devices);
        self.plan_task(Law::Exponential { mean_ms: 24.0 * HOUR_MS / (rides_per_day * busiest / RIDES_MEAN) }, Task::Rent);
        let wants = self.chance.happens((demand::bustle(self.local()) + NIGHT_RIDES) / busiest);
        let device = self.chance.below(self.devices.len());
        let Device { place: from, battery, ref ride, .. } = self.devices[device];
        if !wants || ride.is_some() || battery < RIDE_PERCENT {
            return;
        }
        let wanted = RIDE_METRES * self.chance.factor(RIDE_SPREAD);
        let to = self.destination(from, wanted);
        let metres = from.metres_to(to);
        let seconds = metres / self.chance.between(SPEEDS[0], SPEEDS[1]);
        let ends = self.plan_task_at(Law::Fixed { ms: (seconds * 1000.0) as i64 }, Task::Park(device));
        self.devices[device].ride = Some(Ride { from, to, began: self.now, ends });
        self.report(device, self.now);
    }

    /// A place in about this distance, inside the city.
    fn destination(&mut self, from: Place, metres: f64) -> Place {
        let (east, side) = (self.chance.share(), self.plan.side());
        let mut along = |metres: f64, from: f64| {
            let to = if self.chance.happens(0.5) { from + metres } else { from - metres };
            to.clamp(0.0, side)
        };
        Place { x: along(east * metres, from.x), y: along((1.0 - east) * metres, from.y) }
    }

    fn report(&mut self, device: usize, ride_began: Timestamp) {
        if self.devices[device].ride.is_some_and(|ride| ride.began == ride_began && self.now < ride.ends) {
            self.tell(device, "position");
            self.plan_task(Law::Fixed { ms: self.settings.report_every.0 }, Task::Report { device, ride_began });
        }
    }

    fn park(&mut self, place: usize) {
        let device = &mut self.devices[place];
        let Some(ride) = device.ride.take() else { return };
        device.place = ride.to;
        device.battery = (device.battery - ride.from.metres_to(ride.to) / PERCENT_METRES).max(0.0);
        self.tell(place, "position");
        self.look_after(place);
    }

    /// Calls somebody with another battery, once.
    fn look_after(&mut self, place: usize) {
        let device = &mut self.devices[place];
        if device.battery < SWAP_PERCENT && !device.is_swap_planned {
            device.is_swap_planned = true;
            self.plan_task(SWAP, Task::Swap(place));
        }
    }

    /// Somebody comes with another battery, and again later when the scooter is not there.
    fn swap(&mut self, place: usize) {
        let device = &mut self.devices[place];
        if device.ride.is_some() {
            self.plan_task(SWAP, Task::Swap(place));
            return;
        }
        device.battery = 100.0;
        device.is_swap_planned = false;
        self.tell(place, "position");
    }

    fn morning(&mut self) {
        for place in 0..self.devices.len() {
            let device = &mut self.devices[place];
            device.battery = (device.battery - PARKED_PERCENT).max(0.0);
            self.look_after(place);
            if self.chance.happens(MISSES) {
                if self.absences.len() == ABSENCES_MAX {
                    self.absences.pop_front();
                }
                self.absences.push_back(Absence { device_id: self.devices[place].id.clone(), morning: self.now });
            } else {
                self.plan_task(CHECK_IN, Task::CheckIn(place));
            }
        }
        self.plan_task(self.local().until_hour(MORNING_HOUR), Task::Morning);
    }

    fn tell(&mut self, device: usize, report: &'static str) {
        let device = &self.devices[device];
        let (mut place, mut battery, mut speed) = (device.place, device.battery, None);
        if let Some(ride) = device.ride {
            let metres = ride.from.metres_to(ride.to);
            let length_ms = (ride.ends.0 - ride.began.0) as f64;
            let ridden = ((self.now.0 - ride.began.0) as f64 / length_ms).min(1.0);
            place = ride.from.towards(ride.to, metres * ridden);
            battery = (battery - metres * ridden / PERCENT_METRES).max(0.0);
            speed = Some((metres / length_ms * 10_000.0).round() / 10.0);
        }
        let (lat, lon) = self.plan.degrees(place);
        let body = Body {
            report: Some(report),
            device_id: Some(&device.id),
            lat: Some(lat),
            lon: Some(lon),
            battery: Some(battery as u32),
            speed,
            ..Body::default()
        };
        self.events += 1;
        let payload = body.write(self.now, (&self.settings.label, self.events), "scooter-gateway");
        self.out.push_back(Record::new(FLEET_TOPIC, device.id.clone(), self.now, payload));
    }

    fn local(&self) -> Local {
        Local::of(self.now, self.settings.utc_offset)
    }

    fn plan_task(&mut self, law: Law, task: Task) {
        self.plan_task_at(law, task);
    }

    fn plan_task_at(&mut self, law: Law, task: Task) -> Timestamp {
        self.agenda.add(self.now, law, task, &mut self.chance)
    }
}

impl Iterator for Fleet {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.out.is_empty() {
            self.agenda.next_at()?;
            self.step();
        }
        self.out.pop_front()
    }
}

#[cfg(test)]
mod tests;
