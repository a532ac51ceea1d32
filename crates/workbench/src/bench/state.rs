//! What a million live entities cost: memory, and the time to save and restore them while events keep coming.

use std::sync::Arc;

use domain::{Span, Timestamp};
use features::{Config, Engine, Record, SnapshotKind};

use super::{
    pings::{Pings, pings_pipeline},
    stopwatch, usage,
};
use crate::{Error, Progress, feed::BATCH_RECORDS_MAX};

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
    let pipeline = Arc::new(pings_pipeline()?);
    let before = usage::resident_memory_bytes();
    let mut engine = Engine::new(Arc::clone(&pipeline), Config::default())?;
    let mut feed = Feed { pings: Pings::new(entities, START), payloads: Vec::new() };
    progress.begin("filling", feed.pings.filling());
    while feed.pings.sent() < feed.pings.filling() {
        feed.give(&mut engine, BATCH_RECORDS_MAX);
        progress.at(feed.pings.sent());
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
    let (began, sent) = (stopwatch(), feed.pings.sent());
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
    measured.events_beside = feed.pings.sent() - sent;
    snapshot
}

/// Pings, given to an engine.
struct Feed {
    pings: Pings,
    payloads: Vec<Vec<u8>>,
}

impl Feed {
    fn give(&mut self, engine: &mut Engine, count: usize) {
        self.payloads.resize_with(count, Vec::new);
        let mut at = START;
        for payload in &mut self.payloads {
            at = self.pings.due();
            self.pings.next_into(at, payload);
        }
        let records = self.payloads.iter().map(|payload| Record { source: 0, offset: 0, append_at: at, payload });
        let records: Vec<Record<'_>> = records.collect();
        engine.ingest(&records, at.plus(Span(1)));
    }
}

fn seconds_since(began: u64) -> f64 {
    (stopwatch() - began) as f64 / 1e9
}
