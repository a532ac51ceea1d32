//! What a million live entities cost: memory, and the time to save and restore them while events keep coming.

use std::sync::Arc;

use domain::{Span, Timestamp};
use features::{Config, Engine, Record, SnapshotKind};
use pipeline::{Faults, Pipeline};

use super::{stopwatch, usage};
use crate::{Error, Progress, dice::Dice, feed::BATCH_RECORDS_MAX};

/// Ten features of one hour that share six partial columns.
const STATE_PIPELINE: &str = r#"
[limits]
memory = "128GiB"

[source.pings]
topic = "pings"
key = "device"
time = "at"
skew = "30s"
lateness = "60s"
dedup = "90s"
peak_per_second = 20000
fields = { device = "string", load = { decimal = "0.01", min = 0, max = 300 }, heat = { decimal = "0.1", min = 0, max = 1000 } }

[group.devices]
entity = "device"
key = "device"
source = "pings"
hop = "1m"
entities = 20000000

[group.devices.features]
load_sum = { sum = "load", windows = ["1h"] }
load_mean = { mean = "load", windows = ["1h"] }
load_std = { std = "load", windows = ["1h"] }
load_min = { min = "load", windows = ["1h"] }
load_max = { max = "load", windows = ["1h"] }
load_5m = { ewma = "load", half_life = "5m", windows = ["1h"] }
load_10m = { ewma = "load", half_life = "10m", windows = ["1h"] }
load_20m = { ewma = "load", half_life = "20m", windows = ["1h"] }
load_40m = { ewma = "load", half_life = "40m", windows = ["1h"] }
heat_max = { max = "heat", windows = ["1h"] }
"#;

/// One-minute tiles that each entity fills, one in five.
const FILLED: i64 = 12;
const EVERY_MINUTES: i64 = 5;
const MINUTE_MS: i64 = 60_000;
const START: Timestamp = Timestamp(1_772_359_200_000);
/// Size of a snapshot's frame: a millisecond or two of work.
const FRAME_BYTES: usize = 1 << 20;
/// Events between two frames while a snapshot is written.
const BATCH_BESIDE: usize = 1024;

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateMeasured {
    /// Live entities.
    pub entities: u64,
    /// Growth of the resident memory from before the first event to after the last.
    pub resident_bytes: u64,
    /// What the engine itself accounts for.
    pub ring_bytes: u64,
    /// Length of the full snapshot.
    pub snapshot_bytes: u64,
    /// From the begin of the snapshot to its last frame, events being taken between the frames.
    pub snapshot_seconds: f64,
    /// Events taken meanwhile.
    pub events_beside: u64,
    /// The longest that events waited for a frame or for the begin.
    pub pause_ms_max: f64,
    /// The longest step that took events while the snapshot was under way.
    pub ingest_ms_max: f64,
    /// From bytes to an engine that answers.
    pub restore_seconds: f64,
}

/// Fills an engine with entities, saves it while it works, restores it.
pub fn bench_state(entities: u64, progress: &dyn Progress) -> Result<StateMeasured, Error> {
    let pipeline = Arc::new(state_pipeline()?);
    let before = usage::resident_memory_bytes();
    let mut engine = Engine::new(Arc::clone(&pipeline), Config::default())?;
    let mut feed = Feed { entities, sent: 0, dice: Dice::new(7), payloads: Vec::new() };
    progress.begin("filling", entities * FILLED.unsigned_abs());
    while feed.sent < entities * FILLED.unsigned_abs() {
        feed.give(&mut engine, BATCH_RECORDS_MAX);
        progress.at(feed.sent);
    }
    progress.end();
    let mut measured = StateMeasured {
        entities: engine.load().entities as u64,
        resident_bytes: usage::resident_memory_bytes().saturating_sub(before),
        ring_bytes: engine.load().ring_bytes as u64,
        ..StateMeasured::default()
    };
    let snapshot = save(&mut engine, &mut feed, &mut measured, progress);
    drop(engine);
    progress.begin("restoring", 1);
    let began = stopwatch();
    let restored = Engine::restore(pipeline, Config::default(), &[&snapshot])?;
    measured.restore_seconds = seconds_since(began);
    progress.end();
    debug_assert_eq!(restored.load().entities as u64, measured.entities);
    Ok(measured)
}

fn save(engine: &mut Engine, feed: &mut Feed, measured: &mut StateMeasured, progress: &dyn Progress) -> Vec<u8> {
    // Its file, were it written to one, would take the bytes frame by frame: room that grows is not the engine's work.
    let mut snapshot = Vec::with_capacity(usize::try_from(measured.ring_bytes * 3 / 2).unwrap_or(0));
    progress.begin("saving", measured.ring_bytes);
    let (began, sent) = (stopwatch(), feed.sent);
    engine.begin_snapshot(SnapshotKind::Full);
    measured.pause_ms_max = seconds_since(began) * 1e3;
    loop {
        let began = stopwatch();
        let more = engine.write_snapshot(FRAME_BYTES, &mut snapshot);
        measured.pause_ms_max = measured.pause_ms_max.max(seconds_since(began) * 1e3);
        if !more {
            break;
        }
        let began = stopwatch();
        feed.give(engine, BATCH_BESIDE);
        measured.ingest_ms_max = measured.ingest_ms_max.max(seconds_since(began) * 1e3);
        progress.at(snapshot.len() as u64);
    }
    progress.end();
    measured.snapshot_seconds = seconds_since(began);
    measured.snapshot_bytes = snapshot.len() as u64;
    measured.events_beside = feed.sent - sent;
    snapshot
}

/// Events of all entities in turn, minute by minute.
struct Feed {
    entities: u64,
    sent: u64,
    dice: Dice,
    payloads: Vec<Vec<u8>>,
}

impl Feed {
    fn give(&mut self, engine: &mut Engine, count: usize) {
        self.payloads.clear();
        let mut at = START;
        for _ in 0..count {
            let round = (self.sent / self.entities).cast_signed();
            let (minute, within) = if round < FILLED {
                (round * EVERY_MINUTES, self.sent % self.entities * MINUTE_MS.unsigned_abs() / self.entities)
            } else {
                // Beside the snapshot: the minute after the last, at a pace that stays within it.
                (FILLED * EVERY_MINUTES - 4, (self.sent - self.entities * FILLED.unsigned_abs()) / 1000)
            };
            at = START.plus(Span(minute * MINUTE_MS + within.cast_signed()));
            let (load, heat) = (self.dice.below(30_000), self.dice.below(10_000));
            let device = self.sent % self.entities;
            self.payloads.push(
                format!(
                    r#"{{"source":"gate","id":"{}","at":{},"device":"dev-{device:07}","load":{}.{:02},"heat":{}.{}}}"#,
                    self.sent,
                    at.0,
                    load / 100,
                    load % 100,
                    heat / 10,
                    heat % 10
                )
                .into_bytes(),
            );
            self.sent += 1;
        }
        let records = self.payloads.iter().map(|payload| Record { source: 0, offset: 0, append_at: at, payload });
        let records: Vec<Record<'_>> = records.collect();
        engine.ingest(&records, at.plus(Span(1)));
    }
}

fn state_pipeline() -> Result<Pipeline, Faults> {
    pipeline::parse("state", STATE_PIPELINE)
}

fn seconds_since(began: u64) -> f64 {
    (stopwatch() - began) as f64 / 1e9
}
