//! How events arrive: a little later than they happen, some of them much later, some twice, a few of them broken.

use std::{cmp::Reverse, collections::BinaryHeap};

use domain::{Span, Timestamp};
use pipeline::{Pipeline, SourceKind};
use serde_json::Value;

use super::play::Occurrence;
use crate::dice::Dice;

/// A network takes so long, in milliseconds.
const DELAY_MS: [f64; 2] = [50.0, 1500.0];
/// A telephone without a signal brings its events later, but in time.
const SLOW_SHARE: f64 = 0.01;
/// Or too late.
const LATE_SHARE: f64 = 0.0005;
/// Sent again because nobody confirmed.
const TWICE_SHARE: f64 = 0.002;
/// Cut off half-way.
const BROKEN_SHARE: f64 = 0.0001;
const AGAIN_AFTER_MS: f64 = 20_000.0;

/// Records on their way.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Name and lateness of each source.
    sources: Vec<(String, Span)>,
    dice: Dice,
    on_their_way: BinaryHeap<Reverse<(Timestamp, u64, String)>>,
    count: u64,
}

impl Arrivals {
    pub(super) fn new(pipeline: &Pipeline, dice: Dice) -> Self {
        let sources = pipeline.sources.iter().map(|source| match &source.kind {
            SourceKind::Stream(stream) => (source.name.clone(), stream.lateness),
            _ => (source.name.clone(), Span(0)),
        });
        Self { sources: sources.collect(), dice, on_their_way: BinaryHeap::new(), count: 0 }
    }

    pub(super) fn take(&mut self, occurrences: Vec<Occurrence>) {
        for Occurrence { time, source, members } in occurrences {
            let (name, lateness) = self.sources[source].clone();
            let mut body = String::new();
            for (name, value) in &members {
                body.push_str(&format!(",{}:{value}", Value::from(name.as_str())));
            }
            let at = time.plus(Span(self.delay(lateness.0 as f64) as i64));
            let again = self.dice.happens(TWICE_SHARE);
            if self.dice.happens(BROKEN_SHARE) {
                // In the middle of the last member.
                body.truncate(body.rfind(':').unwrap_or_default());
                self.send(at, format!("{{\"_source\":\"{name}\",\"_at\":\"{at}\"{body}\n"));
                continue;
            }
            if again {
                let later = at.plus(Span(self.dice.between(0.0, AGAIN_AFTER_MS) as i64));
                self.send(later, format!("{{\"_source\":\"{name}\",\"_at\":\"{later}\"{body}}}\n"));
            }
            self.send(at, format!("{{\"_source\":\"{name}\",\"_at\":\"{at}\"{body}}}\n"));
        }
    }

    /// The next record, if it arrives before this instant.
    pub(super) fn before(&mut self, limit: Timestamp) -> Option<(Timestamp, String)> {
        if self.on_their_way.peek()?.0.0 >= limit {
            return None;
        }
        self.on_their_way.pop().map(|Reverse((at, _, line))| (at, line))
    }

    fn delay(&mut self, lateness_ms: f64) -> f64 {
        if self.dice.happens(LATE_SHARE) {
            lateness_ms * self.dice.between(1.1, 1.5)
        } else if self.dice.happens(SLOW_SHARE) {
            lateness_ms * self.dice.between(0.01, 0.5)
        } else {
            self.dice.between(DELAY_MS[0], DELAY_MS[1])
        }
    }

    fn send(&mut self, at: Timestamp, line: String) {
        self.count += 1;
        self.on_their_way.push(Reverse((at, self.count, line)));
    }
}
