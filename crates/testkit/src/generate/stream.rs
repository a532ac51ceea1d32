//! A partition's worth of records: when each is appended, what time it carries and whether it is a copy or broken.

use domain::{Span, Timestamp};
use pipeline::{Pipeline, SourceKind};

use super::dice::Dice;
use super::fault::broken;
use super::hints::{Hints, hints};
use super::payload::{Identity, payload};
use crate::record::Record;

/// The knobs of a stream. Shares are from 0 to 1 and of records, unless they say of fields.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Records, over all streams of the pipeline.
    pub events: usize,
    /// Different keys of each key field.
    pub keys: usize,
    /// Different free texts of each text field.
    pub variety: usize,
    /// Append time of the first record, about.
    pub start_at: Timestamp,
    /// From the first to the last append time, about.
    pub span: Span,
    /// How far event times lie behind the append time.
    pub disorder: Span,
    /// Events that are older than their source's lateness allows.
    pub late_share: f64,
    /// Events that are further in the future than their source's skew allows.
    pub future_share: f64,
    /// Events in the future, but within the skew.
    pub held_share: f64,
    /// Events with the time of an earlier event, if that is not late yet.
    pub equal_time_share: f64,
    /// Events exactly on the edge between two tiles of a group.
    pub edge_share: f64,
    /// Copies of earlier records; one in four has the identity in common and nothing else.
    pub duplicate_share: f64,
    /// Payloads that are broken as a whole.
    pub malformed_share: f64,
    /// Fields that are null or absent, among those that may be.
    pub null_share: f64,
    /// Fields with values at or beyond the edge of what they take.
    pub extreme_share: f64,
}

impl Default for Stream {
    /// Half an hour with a little of everything.
    fn default() -> Self {
        Self {
            events: 400,
            keys: 8,
            variety: 40,
            start_at: Timestamp(1_780_000_000_000),
            span: Span(1_800_000),
            disorder: Span(60_000),
            late_share: 0.02,
            future_share: 0.02,
            held_share: 0.03,
            equal_time_share: 0.05,
            edge_share: 0.05,
            duplicate_share: 0.1,
            malformed_share: 0.02,
            null_share: 0.1,
            extreme_share: 0.003,
        }
    }
}

impl Stream {
    /// The same number of records, none of which is a copy, broken, late, in the future or extreme.
    pub fn calm() -> Self {
        Self {
            late_share: 0.0,
            future_share: 0.0,
            held_share: 0.0,
            duplicate_share: 0.0,
            malformed_share: 0.0,
            extreme_share: 0.0,
            ..Self::default()
        }
    }
}

/// Records of all streams of a pipeline, with append times that never fall.
///
/// # Panics
/// When the pipeline has no stream.
pub fn records(pipeline: &Pipeline, knobs: &Stream, seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    let mut streams = Vec::new();
    for (index, source) in pipeline.sources.iter().enumerate() {
        if let SourceKind::Stream(declared) = &source.kind {
            streams.push(Feed { pipeline, source: index, declared, hints: hints(pipeline, index), sent: Vec::new() });
        }
    }
    assert!(!streams.is_empty(), "pipeline {} has no stream to generate records for", pipeline.id);
    let pause_max = 2 * knobs.span.0 / (knobs.events.max(1) as i64);
    let mut append_at = knobs.start_at.0;
    let mut records = Vec::new();
    for number in 0..knobs.events {
        append_at += dice.between(0, pause_max);
        let chosen = dice.place(streams.len());
        let feed = &mut streams[chosen];
        let payload = feed.next(knobs, number, append_at, &mut dice);
        records.push(Record { source: feed.source, append_at: Timestamp(append_at), payload });
    }
    records
}

/// One stream and what it has sent.
struct Feed<'p> {
    pipeline: &'p Pipeline,
    source: usize,
    declared: &'p pipeline::Stream,
    hints: Hints,
    sent: Vec<Sent>,
}

struct Sent {
    identity: Identity,
    event_time: i64,
    payload: Vec<u8>,
}

impl Feed<'_> {
    fn next(&mut self, knobs: &Stream, number: usize, now: i64, dice: &mut Dice) -> Vec<u8> {
        let copied = (!self.sent.is_empty() && dice.chance(knobs.duplicate_share)).then(|| dice.place(self.sent.len()));
        if let Some(copied) = copied
            && dice.chance(0.75)
        {
            return self.sent[copied].payload.clone();
        }
        let identity = match copied {
            Some(copied) => self.sent[copied].identity.clone(),
            None => Identity { source: (*dice.pick(&["app", "gate", "härte"])).into(), id: format!("e{number}") },
        };
        let event_time = self.event_time(knobs, now, dice);
        let mut payload = payload(self.pipeline, self.source, &self.hints, knobs, &identity, event_time, dice);
        if dice.chance(knobs.malformed_share) {
            payload = broken(payload, dice);
        }
        self.sent.push(Sent { identity, event_time, payload: payload.clone() });
        payload
    }

    fn event_time(&self, knobs: &Stream, now: i64, dice: &mut Dice) -> i64 {
        let (skew, lateness) = (self.declared.skew.0, self.declared.lateness.0);
        let beyond = 1 + if dice.chance(0.3) { 0 } else { dice.between(0, lateness) };
        if dice.chance(knobs.late_share) {
            return now - lateness - beyond;
        }
        if dice.chance(knobs.future_share) {
            return now + skew + beyond;
        }
        if dice.chance(knobs.held_share) {
            return now + if dice.chance(0.2) { skew } else { dice.between(0, skew) };
        }
        let oldest = now - lateness;
        let ordinary = (now - dice.between(0, knobs.disorder.0)).max(oldest);
        let chosen = if !self.sent.is_empty() && dice.chance(knobs.equal_time_share) {
            dice.pick(&self.sent).event_time
        } else if dice.chance(knobs.edge_share) {
            let hops = self.pipeline.groups.iter().map(|group| group.hop.0).collect::<Vec<_>>();
            let hop = if hops.is_empty() { 1 } else { *dice.pick(&hops) };
            ordinary.div_euclid(hop) * hop
        } else {
            ordinary
        };
        if (oldest..=now).contains(&chosen) { chosen } else { ordinary }
    }
}
