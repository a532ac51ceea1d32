//! Events of very many devices in turn, for measuring what many live entities cost: each fills one tile in five of an hour.

use domain::{Span, Timestamp};
use pipeline::{Faults, Pipeline};

use crate::dice::Dice;

/// Ten features of one hour that share six partial columns.
const PINGS_PIPELINE: &str = include_str!("pings.toml");

/// One-minute tiles that each device fills, one in five.
const FILLED: i64 = 12;
const EVERY_MINUTES: i64 = 5;
const MINUTE_MS: i64 = 60_000;

/// Features of a device over its pings, for [`Pings`].
pub(super) fn pings_pipeline() -> Result<Pipeline, Faults> {
    pipeline::parse("pings", PINGS_PIPELINE)
}

/// The same as text.
pub fn pings_spec() -> &'static str {
    PINGS_PIPELINE
}

/// A stream of pings: an hour in which every device is heard twelve times, and then as long as is wanted.
#[derive(Debug)]
pub struct Pings {
    entities: u64,
    start: Timestamp,
    sent: u64,
    dice: Dice,
}

impl Pings {
    /// Of so many devices, from an instant on.
    pub fn new(entities: u64, start: Timestamp) -> Self {
        Self { entities, start, sent: 0, dice: Dice::new(7) }
    }

    /// Events until each device has filled its tiles.
    pub fn filling(&self) -> u64 {
        self.entities * FILLED.unsigned_abs()
    }

    /// Events so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The device of the next event.
    pub fn device(&self) -> String {
        format!("dev-{:07}", self.sent % self.entities)
    }

    /// When the next event is due: in the hour, or in the minute after it, a million a second.
    pub fn due(&self) -> Timestamp {
        let round = (self.sent / self.entities).cast_signed();
        let (minute, within) = if round < FILLED {
            (round * EVERY_MINUTES, self.sent % self.entities * MINUTE_MS.unsigned_abs() / self.entities)
        } else {
            (FILLED * EVERY_MINUTES - 4, (self.sent - self.filling()) / 1000)
        };
        self.start.plus(Span(minute * MINUTE_MS + within.cast_signed()))
    }

    /// Writes the next event as one of this instant.
    pub fn next_into(&mut self, at: Timestamp, payload: &mut Vec<u8>) {
        use std::io::Write;
        let (load, heat) = (self.dice.below(30_000), self.dice.below(10_000));
        payload.clear();
        // Writing into memory does not fail.
        let _ = write!(
            payload,
            r#"{{"source":"gate","id":"{}","at":{},"device":"{}","load":{}.{:02},"heat":{}.{}}}"#,
            self.sent,
            at.0,
            self.device(),
            load / 100,
            load % 100,
            heat / 10,
            heat % 10
        );
        self.sent += 1;
    }
}
