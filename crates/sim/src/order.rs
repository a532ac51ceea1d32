//! An order while it lives, and what really became of it. The truth is built when an order ends and handed to the caller; it
//! never becomes an event.

use domain::Timestamp;
use serde_json::json;

use crate::place::Place;

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The customer has it.
    Delivered,
    /// Somebody did not want it any more.
    Cancelled,
    /// Nobody was at home.
    Returned,
}

/// When each stage of an order really was; None for those that it did not reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// The store took it.
    pub accepted_at: Option<Timestamp>,
    /// It was cooked and packed.
    pub ready_at: Option<Timestamp>,
    /// The last rider got it.
    pub assigned_at: Option<Timestamp>,
    /// The last rider arrived at the store.
    pub at_store_at: Option<Timestamp>,
    /// The rider had it in hand.
    pub picked_up_at: Option<Timestamp>,
    /// The rider arrived at the door.
    pub at_customer_at: Option<Timestamp>,
}

/// What really became of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// As in the events.
    pub order_id: String,
    /// As in the events.
    pub store_id: String,
    /// The last rider that had it.
    pub rider_id: Option<String>,
    /// From the store to the customer, along the streets.
    pub metres: f64,
    /// The local hour of its placing, from 0 to 23.
    pub hour: usize,
    /// The district of the customer, counted from 0.
    pub district: usize,
    /// How many times a rider got it.
    pub assignments: u32,
    /// The beginning.
    pub placed_at: Timestamp,
    /// What was in between.
    pub stages: Stages,
    /// The end.
    pub ended_at: Timestamp,
    /// Which end.
    pub ending: Ending,
}

/// An order that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) store: usize,
    pub(crate) customer: Place,
    pub(crate) district: usize,
    pub(crate) metres: f64,
    pub(crate) hour: usize,
    pub(crate) placed_at: Timestamp,
    pub(crate) stages: Stages,
    pub(crate) items: u32,
    pub(crate) dishes_left: u32,
    /// From then on a rider is looked for.
    pub(crate) seek_at: Option<Timestamp>,
    /// Who has it now.
    pub(crate) rider: Option<usize>,
    /// Who does not get it again.
    pub(crate) refused: Vec<usize>,
    pub(crate) assignments: u32,
}

impl Ending {
    /// The word in the truth's lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}

impl Truth {
    /// How long the customer waited, in seconds; None when nothing came.
    pub fn delivery_seconds(&self) -> Option<f64> {
        (self.ending == Ending::Delivered).then(|| (self.ended_at.0 - self.placed_at.0) as f64 / 1000.0)
    }

    /// A line for a file of truths.
    pub fn line(&self) -> Vec<u8> {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let value = json!({
            "order_id": self.order_id,
            "store_id": self.store_id,
            "rider_id": self.rider_id,
            "metres": self.metres.round(),
            "assignments": self.assignments,
            "placed_at": self.placed_at.to_string(),
            "accepted_at": text(self.stages.accepted_at),
            "ready_at": text(self.stages.ready_at),
            "assigned_at": text(self.stages.assigned_at),
            "at_store_at": text(self.stages.at_store_at),
            "picked_up_at": text(self.stages.picked_up_at),
            "at_customer_at": text(self.stages.at_customer_at),
            "ended_at": self.ended_at.to_string(),
            "ending": self.ending.name(),
        });
        format!("{value}\n").into_bytes()
    }
}

impl Order {
    pub(crate) fn is_ready(&self) -> bool {
        self.stages.ready_at.is_some()
    }

    pub(crate) fn is_picked_up(&self) -> bool {
        self.stages.picked_up_at.is_some()
    }

    /// The rider is somebody else's again, or nobody's.
    pub(crate) fn lose_rider(&mut self) {
        if let Some(rider) = self.rider.take() {
            self.refused.push(rider);
        }
        self.stages.assigned_at = None;
        self.stages.at_store_at = None;
    }
}
