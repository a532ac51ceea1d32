//! Order events for the benchmark: fast to make, the same for the same seed, and as uneven as life.
//!
//! Stores follow Zipf's law, and one event in five comes up to half a minute out of order. Any number of events covers the time
//! that is asked for.

use domain::{Span, Timestamp};
use pipeline::{Faults, Pipeline};

use crate::dice::Dice;

/// Features of a store over its orders, for [`Orders`]; the same that the comparison with a batch job reads.
const ORDERS_PIPELINE: &str = include_str!("../../compare/orders/pipeline.toml");
/// The windows of that pipeline, which others take the place of.
const ORDERS_WINDOWS: &str = r#"["5m", "30m", "1h"]"#;

const STORES: usize = 5000;
const OUT_OF_ORDER_SHARE: f64 = 0.2;
const OUT_OF_ORDER_MS: u64 = 30_000;
/// 2026-03-01T17:00:00Z, an evening's peak.
const START: Timestamp = Timestamp(1_772_384_400_000);
const TYPES: [&str; 4] = ["order.placed", "order.accepted", "order.ready", "order.delivered"];

/// The pipeline of the benchmark with these windows, such as `5m`.
pub fn orders_pipeline(windows: &[String]) -> Result<Pipeline, Faults> {
    pipeline::parse("bench", &ORDERS_PIPELINE.replace(ORDERS_WINDOWS, &format!("{windows:?}")))
}

/// The pipeline of the benchmark as text.
pub fn orders_spec() -> &'static str {
    ORDERS_PIPELINE
}

/// A stream of order events.
#[derive(Debug)]
pub struct Orders {
    dice: Dice,
    stores: Zipf,
    start: Timestamp,
    events: u64,
    covered_ms: u64,
    made: u64,
    /// Where the latest one was.
    store: usize,
    /// The text of the second that was written last, and which it was.
    second: (i64, String),
}

impl Orders {
    /// So many events, over so many minutes.
    pub fn new(events: u64, minutes: u64, seed: u64) -> Self {
        let (dice, stores) = (Dice::new(seed), Zipf::new(STORES));
        Self {
            dice,
            stores,
            start: START,
            events,
            covered_ms: minutes * 60_000,
            made: 0,
            store: 0,
            second: (i64::MIN, String::new()),
        }
    }

    /// The same from another instant on.
    #[must_use]
    pub fn starting(self, start: Timestamp) -> Self {
        Self { start, ..self }
    }

    /// What comes from here on is counted from this instant.
    pub fn start_at(&mut self, start: Timestamp) {
        self.start = start;
    }

    /// The store of the latest event.
    pub fn store(&self) -> String {
        format!("s{:04}", self.store)
    }

    /// Writes the next event and returns its time; none when there is no more.
    pub fn next_into(&mut self, payload: &mut Vec<u8>) -> Option<Timestamp> {
        use std::io::Write;
        payload.clear();
        if self.made == self.events {
            return None;
        }
        let in_order = u128::from(self.made) * u128::from(self.covered_ms) / u128::from(self.events);
        let mut time = self.start.plus(Span(in_order as i64));
        if self.dice.happens(OUT_OF_ORDER_SHARE) {
            time = time.minus(Span(self.dice.below(OUT_OF_ORDER_MS) as i64));
        }
        let second = time.0.div_euclid(1000);
        if self.second.0 != second {
            self.second = (second, Timestamp(second * 1000).to_string());
        }
        let at = &self.second.1[..19];
        let ms = time.0.rem_euclid(1000);
        let (id, store) = (self.made, self.stores.draw(&mut self.dice));
        let kind = TYPES[self.dice.below(TYPES.len() as u64) as usize];
        let order = self.dice.below(self.events);
        let cents = 500 + self.dice.below(4500) + self.dice.below(4500);
        let (whole, rest) = (cents / 100, cents % 100);
        // Writing into memory does not fail.
        let _ = write!(
            payload,
            "{{\"id\":\"e{id:013}\",\"source\":\"order-service\",\"type\":\"{kind}\",\"occurred_at\":\"{at}.{ms:03}Z\",\
             \"order_id\":\"o{order:012}\",\"store_id\":\"s{store:04}\",\"basket\":{whole}.{rest:02}}}"
        );
        (self.made, self.store) = (self.made + 1, store);
        Some(time)
    }
}

/// Ranks by Zipf's law with exponent 1, each drawn in constant time by Walker's alias method.
#[derive(Debug)]
struct Zipf {
    /// For each column the share of its own rank, and the rank that has the rest of the column.
    columns: Vec<(f64, usize)>,
}

impl Zipf {
    fn new(ranks: usize) -> Self {
        let total: f64 = (1..=ranks).map(|rank| 1.0 / rank as f64).sum();
        // In columns: 1 is as much as fits into one.
        let mut rest: Vec<f64> = (1..=ranks).map(|rank| ranks as f64 / (rank as f64 * total)).collect();
        let mut columns: Vec<(f64, usize)> = (0..ranks).map(|rank| (1.0, rank)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..ranks).partition(|rank| rest[*rank] < 1.0);
        while let (Some(one), Some(other)) = (small.pop(), large.pop()) {
            columns[one] = (rest[one], other);
            rest[other] -= 1.0 - rest[one];
            if rest[other] < 1.0 { small.push(other) } else { large.push(other) }
        }
        Self { columns }
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        let column = dice.below(self.columns.len() as u64) as usize;
        let (share, other) = self.columns[column];
        if dice.happens(share) { column } else { other }
    }
}
