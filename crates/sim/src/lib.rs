//! A city that produces events and knows the truth. Pure: no files, no network, no clock; a caller steps it.
//!
//! `City` is stepped and tells what happens as `Record`s, shaped as the delivery pipeline declares them; the truth about its
//! orders is taken apart from them. `Fleet` does the same for scooters. A `Feed` sends either through a `Gateway` with faults.
//! `skill` says how well anybody could predict. Knows nothing of pipelines, features or models.

mod agenda;
mod chance;
mod city;
mod demand;
mod error;
mod faults;
mod feed;
mod fleet;
mod gateway;
mod order;
mod place;
mod record;
mod rider;
mod scenario;
mod settings;
pub mod skill;
mod store;
mod streets;
mod summary;
mod weather;

pub use city::{City, TRUTHS_MAX};
pub use error::Error;
pub use faults::{FaultCounts, Faults, Silence};
pub use feed::Feed;
pub use fleet::{ABSENCES_MAX, Absence, Fleet, FleetScenario, FleetSettings};
pub use gateway::Gateway;
pub use order::{Ending, Stages, Truth};
pub use record::{CITY_TOPICS, FLEET_TOPIC, Record};
pub use scenario::Scenario;
pub use settings::Settings;
pub use store::StoreFact;
pub use summary::{HourSummary, Summary};
