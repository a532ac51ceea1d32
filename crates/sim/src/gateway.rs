//! The way from a world to a log. Takes records in the order in which they happen and gives them back in the order in which they
//! arrive, with the faults that were asked for, and counts each of them. Keeps what is on its way, and nothing else.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use domain::{Span, Timestamp};

use crate::{
    Error, FaultCounts, Faults, Record,
    chance::{Chance, Stream},
    record::{AREAS, ORDERS},
};

/// As long as a time, so that it fits into the place of one.
const NO_TIME: &[u8; 24] = b"yesterday around evening";

/// Records on their way.
#[derive(Clone, Debug)]
pub struct Gateway {
    faults: Faults,
    seed: u64,
    chance: Chance,
    under_way: BinaryHeap<Reverse<Parcel>>,
    counts: FaultCounts,
    sent: u64,
}

#[derive(Clone, Debug)]
struct Parcel {
    number: u64,
    record: Record,
}

impl Gateway {
    /// A gateway with these faults.
    pub fn new(faults: Faults, seed: u64) -> Result<Self, Error> {
        faults.check()?;
        let chance = Chance::new(seed, Stream::Faults);
        Ok(Self { faults, seed, chance, under_way: BinaryHeap::new(), counts: FaultCounts::default(), sent: 0 })
    }

    /// Takes a record that has just happened: none that come later happened before it.
    pub fn take(&mut self, mut record: Record) {
        self.counts.taken += 1;
        let happened_at = record.at;
        record.at = record.at.plus(self.delay());
        self.stamp(&mut record);
        if self.chance.happens(self.faults.malformed) {
            self.damage(&mut record);
        } else if self.chance.happens(self.faults.duplicates) {
            let mut again = record.clone();
            again.at = record.at.plus(self.up_to(Span(0), self.faults.duplicates_within));
            self.counts.duplicates += 1;
            self.send(happened_at, again);
        }
        self.send(happened_at, record);
    }

    /// When the next record arrives, of those that were taken.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.under_way.peek().map(|Reverse(parcel)| parcel.record.at)
    }

    /// The next record to arrive.
    pub fn arrive(&mut self) -> Option<Record> {
        let Reverse(parcel) = self.under_way.pop()?;
        self.counts.arrived += 1;
        Some(parcel.record)
    }

    /// What was done so far.
    pub fn counts(&self) -> FaultCounts {
        self.counts
    }

    fn delay(&mut self) -> Span {
        let (disorder_up_to, late_up_to) = (self.faults.disorder_up_to, self.faults.late_up_to);
        let lot = self.chance.share();
        if lot < self.faults.late {
            self.counts.late += 1;
            self.up_to(disorder_up_to, late_up_to)
        } else if lot < self.faults.late + self.faults.disorder {
            self.counts.disordered += 1;
            self.up_to(Span(0), disorder_up_to)
        } else {
            self.up_to(Span(0), self.faults.delay_up_to)
        }
    }

    fn up_to(&mut self, from: Span, to: Span) -> Span {
        Span(self.chance.between(from.0 as f64, to.0 as f64) as i64)
    }

    /// Devices keep their clocks; the services of orders and weather have good ones.
    fn stamp(&mut self, record: &mut Record) {
        if self.faults.skewed == 0.0 || [ORDERS, AREAS].contains(&record.topic) {
            return;
        }
        // A device has the same clock for ever, without being remembered.
        let mut lot = Chance::new(self.seed ^ number_of(&record.key), Stream::Faults);
        if lot.happens(self.faults.skewed) {
            let most = self.faults.skew_up_to.0 as f64;
            record.stamp(record.occurred_at.plus(Span(lot.between(-most, most) as i64)));
            self.counts.skewed += 1;
        }
    }

    fn damage(&mut self, record: &mut Record) {
        match self.chance.below(3) {
            0 => {
                record.payload.truncate(record.payload.len() / 2);
                self.counts.cut += 1;
            }
            1 => {
                record.rename_time();
                self.counts.unnamed += 1;
            }
            _ => {
                record.write_time(NO_TIME);
                self.counts.undated += 1;
            }
        }
    }

    /// Puts a record on its way, unless it is lost.
    fn send(&mut self, happened_at: Timestamp, mut record: Record) {
        if let Some(silence) = &self.faults.silence {
            let is_stopped = record.topic == silence.topic && (silence.from..silence.until).contains(&record.at);
            if is_stopped && silence.is_lossy {
                self.counts.lost += 1;
                return;
            } else if is_stopped {
                self.counts.held += 1;
                record.at = silence.until;
            }
        }
        debug_assert!(record.at >= happened_at, "a record arrived before it happened");
        // Records that arrive at one instant keep the order in which they happened.
        self.sent += 1;
        self.under_way.push(Reverse(Parcel { number: self.sent, record }));
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.record.at, self.number).cmp(&(other.record.at, other.number))
    }
}

/// A number that is always the same for a key, and different for most others (FNV-1a).
fn number_of(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests;
