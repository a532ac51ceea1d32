//! A store: its doors, its cooks and the dishes that wait for them. A dish needs one cook; dishes of one order need not be
//! cooked together. The city decides when a dish is done.

use std::collections::VecDeque;

use domain::Timestamp;
use serde_json::json;

use crate::{
    chance::{Chance, Law},
    place::Place,
};

/// How much two dishes of one store differ.
const DISH_SPREAD: f64 = 0.35;
/// A cook with a long list hurries less than they are interrupted: what each waiting dish adds …
const CROWDING: f64 = 0.03;
/// … up to so many of them.
const CROWD_MAX: usize = 15;
/// Waiting dishes for each cook from which on a store says that it is busy …
const BUSY_FROM: usize = 6;
/// … and up to which it is not any more.
const BUSY_TO: usize = 2;
/// Waiting dishes for each cook from which on somebody is called in.
const HELP_FROM: usize = 4;
/// What of a mood is left an hour later.
const MOOD_LEFT: f64 = 0.85;
/// The deviation of what is new in a mood, as the logarithm of a factor.
const MOOD_SPREAD: f64 = 0.12;

/// Kinds of stores in the order in which they take turns, and the median minutes of a dish.
pub(crate) const CUISINES: [(&str, f64); 5] =
    [("italian", 5.5), ("sushi", 6.5), ("burger", 4.5), ("grocery", 2.0), ("indian", 6.5)];

/// Whether a customer can order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doors {
    Closed,
    Open,
    /// Open, but customers are told that it takes long.
    Busy,
    /// Closed in the middle of the day.
    Broken,
}

/// A store and its kitchen.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) district: usize,
    pub(crate) cuisine: &'static str,
    pub(crate) has_parking: Option<bool>,
    /// How much likelier than the mean store it is chosen.
    pub(crate) popularity: f64,
    /// The median of a dish on a mean day, in seconds.
    pub(crate) dish_seconds: f64,
    /// The median time until it accepts, in seconds.
    pub(crate) accept_seconds: f64,
    /// Local hours; closing may be after midnight.
    pub(crate) hours: [i64; 2],
    /// Whether its district is there yet.
    pub(crate) is_founded: bool,
    pub(crate) doors: Doors,
    pub(crate) cooks_usual: usize,
    pub(crate) cooks: usize,
    pub(crate) cooking: usize,
    /// The order of each dish that waits.
    pub(crate) queue: VecDeque<u64>,
    /// The logarithm of a factor on all dishes, drifting.
    pub(crate) mood: f64,
}

/// What is known of a store without any event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFact {
    /// As in the events.
    pub store_id: String,
    /// One of the pipeline's category.
    pub cuisine: &'static str,
    /// None when nobody has looked.
    pub has_parking: Option<bool>,
    /// When the store came to be.
    pub since: Timestamp,
}

impl StoreFact {
    /// A line for the pipeline's file of facts.
    pub fn line(&self) -> Vec<u8> {
        let mut value = json!({ "store_id": self.store_id, "cuisine": self.cuisine });
        if let Some(has_parking) = self.has_parking {
            value["has_parking"] = has_parking.into();
        }
        format!("{value}\n").into_bytes()
    }
}

impl Store {
    pub(crate) fn is_taking_orders(&self) -> bool {
        matches!(self.doors, Doors::Open | Doors::Busy)
    }

    /// The next dish that a free cook begins.
    pub(crate) fn begin_dish(&mut self) -> Option<u64> {
        if self.cooking >= self.cooks {
            return None;
        }
        let order = self.queue.pop_front()?;
        self.cooking += 1;
        Some(order)
    }

    pub(crate) fn end_dish(&mut self) {
        assert!(self.cooking > 0 && self.cooking <= self.cooks, "{} of {} cooks were at work", self.cooking, self.cooks);
        self.cooking -= 1;
    }

    /// How long a dish takes that is begun now.
    pub(crate) fn dish(&self, factor: f64) -> Law {
        let crowd = 1.0 + CROWDING * self.queue.len().min(CROWD_MAX) as f64;
        Law::about(self.dish_seconds * libm::exp(self.mood) * factor * crowd, DISH_SPREAD)
    }

    /// What somebody who knows the kitchen would say, in seconds: when so many more dishes will be done.
    pub(crate) fn estimate_seconds(&self, dishes: u32) -> f64 {
        let before = (self.queue.len() + self.cooking / 2) as f64;
        self.dish_seconds * ((before + f64::from(dishes)) / self.cooks as f64).max(1.0)
    }

    /// Whether it has just become busy, or has just caught up.
    pub(crate) fn turn(&self) -> Option<Doors> {
        match self.doors {
            Doors::Open if self.queue.len() >= BUSY_FROM * self.cooks => Some(Doors::Busy),
            Doors::Busy if self.queue.len() <= BUSY_TO * self.cooks => Some(Doors::Open),
            _ => None,
        }
    }

    pub(crate) fn drift(&mut self, chance: &mut Chance) {
        self.mood = MOOD_LEFT * self.mood + MOOD_SPREAD * chance.normal();
    }

    /// How many cooks a manager wants, who looks at the list once an hour. Nobody is sent away from the stove.
    pub(crate) fn cooks_wanted(&self) -> usize {
        if self.queue.len() >= HELP_FROM * self.cooks && self.cooks <= self.cooks_usual {
            self.cooks + 1
        } else if self.queue.is_empty() && self.cooks > self.cooks_usual {
            self.cooks_usual.max(self.cooking)
        } else {
            self.cooks
        }
    }

    /// Whether it is open by its hours at this time of day, in milliseconds since local midnight.
    pub(crate) fn is_open_at(&self, of_day_ms: i64) -> bool {
        let [opens, closes] = self.hours.map(|hour| hour * 3_600_000);
        (opens..closes).contains(&of_day_ms) || (opens..closes).contains(&(of_day_ms + 24 * 3_600_000))
    }
}
