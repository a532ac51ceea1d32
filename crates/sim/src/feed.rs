//! A world and its gateway together: records in the order of their arrival. Works for every world that tells its records in the
//! order in which they happen.

use domain::Timestamp;

use crate::{Gateway, Record};

/// Records as a log would get them.
#[derive(Clone, Debug)]
pub struct Feed<W> {
    world: W,
    gateway: Gateway,
    /// What happens next, and is not under way yet.
    ahead: Option<Record>,
}

impl<W: Iterator<Item = Record>> Feed<W> {
    /// Sends a world's records through a gateway.
    pub fn new(world: W, gateway: Gateway) -> Self {
        Self { world, gateway, ahead: None }
    }

    /// All records that arrive before this instant and were not given before.
    pub fn advance(&mut self, until: Timestamp) -> Vec<Record> {
        let mut records = Vec::new();
        while self.next_at().is_some_and(|at| at < until) {
            records.extend(self.gateway.arrive());
        }
        records
    }

    /// When the next record arrives.
    pub fn next_at(&mut self) -> Option<Timestamp> {
        loop {
            if self.ahead.is_none() {
                self.ahead = self.world.next();
            }
            let arrives_at = self.gateway.next_at();
            // Nothing arrives before it happens, so what is ahead can only overtake what arrives later than that.
            match self.ahead.take_if(|record| arrives_at.is_none_or(|at| at > record.at)) {
                Some(record) => self.gateway.take(record),
                None => return arrives_at,
            }
        }
    }

    /// The world, for its truth and its figures. Not to be stepped past the feed.
    pub fn world(&mut self) -> &mut W {
        &mut self.world
    }

    /// The gateway, for its counts.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }
}

impl<W: Iterator<Item = Record>> Iterator for Feed<W> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.next_at()?;
        self.gateway.arrive()
    }
}
