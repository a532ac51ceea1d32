//! A rider: the shift, the stops ahead and the way to the next one. The city decides how long things take; this file keeps what
//! a rider may do at once.

use std::collections::VecDeque;

use domain::Timestamp;

use crate::place::Place;

/// Orders in one bag: more than two, and the first one gets cold.
pub(crate) const BATCH_MAX: usize = 2;

/// What a rider does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Off,
    Idle,
    /// Looks at an order that was offered.
    Considering,
    Riding,
    /// At the store, for an order that is not ready.
    Waiting,
    PickingUp,
    HandingOver,
}

/// Where a rider goes, and for which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Store(u64),
    Door(u64),
}

/// A part of a way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) began: Timestamp,
    pub(crate) ends: Timestamp,
}

/// A rider.
#[derive(Clone, Debug)]
pub(crate) struct Rider {
    pub(crate) id: String,
    pub(crate) home: Place,
    /// A factor on the speed, for life.
    pub(crate) pace: f64,
    /// Where the rider is, or where the present hop began.
    pub(crate) place: Place,
    pub(crate) hop: Option<Hop>,
    /// How far the telephone believes to be from there; its error wanders instead of jumping.
    pub(crate) astray: Place,
    pub(crate) doing: Doing,
    /// The shift is over as soon as nothing is left to deliver.
    pub(crate) is_leaving: bool,
    pub(crate) stops: VecDeque<Stop>,
    /// Counts changes of mind: what was decided under another number is void.
    pub(crate) turn: u32,
}

impl Stop {
    pub(crate) fn order(self) -> u64 {
        match self {
            Self::Store(order) | Self::Door(order) => order,
        }
    }
}

impl Rider {
    pub(crate) fn is_on_shift(&self) -> bool {
        self.doing != Doing::Off
    }

    pub(crate) fn is_free(&self) -> bool {
        self.doing == Doing::Idle && !self.is_leaving
    }

    /// How many orders the rider has to bring to a door.
    pub(crate) fn load(&self) -> usize {
        self.stops.iter().filter(|stop| matches!(stop, Stop::Door(_))).count()
    }

    /// The one order whose store is still ahead, when there is room for another one from near by.
    pub(crate) fn open_for_more(&self) -> Option<u64> {
        let on_the_way = matches!(self.doing, Doing::Riding | Doing::Waiting) && !self.is_leaving;
        match self.stops.front() {
            Some(Stop::Store(order)) if on_the_way && self.load() < BATCH_MAX => Some(*order),
            _ => None,
        }
    }

    /// Where the rider is at an instant.
    pub(crate) fn place_at(&self, now: Timestamp) -> Place {
        let Some(hop) = self.hop else { return self.place };
        let length_ms = (hop.ends.0 - hop.began.0).max(1) as f64;
        hop.from.between(hop.to, ((now.0 - hop.began.0) as f64 / length_ms).clamp(0.0, 1.0))
    }

    /// Stops on the spot; what was under way is void.
    pub(crate) fn halt(&mut self, now: Timestamp) {
        self.place = self.place_at(now);
        self.hop = None;
        self.turn += 1;
    }

    /// Forgets an order. True when the rider was just doing something for it.
    pub(crate) fn drop_order(&mut self, order: u64) -> bool {
        let was_first = self.stops.front().is_some_and(|stop| stop.order() == order);
        self.stops.retain(|stop| stop.order() != order);
        was_first
    }
}
