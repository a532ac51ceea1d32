//! What small batches cost: one event alone, and a steady load in batches of fifty milliseconds.

use std::{path::PathBuf, sync::Arc};

use domain::{Span, Timestamp};
use features::{Config, Engine};
use pipeline::Pipeline;

use super::{Batch, Supply, stopwatch, usage};
use crate::{Error, Progress, history::History};

/// Events that are taken one by one after the warm-up.
const ALONE: usize = 2000;
/// Events of fifty milliseconds at 5,000 a second.
const STEADY_BATCH: usize = 250;
const STEADY_SECONDS: f64 = 0.05;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct LatencyBench {
    /// The features.
    pub pipeline: Arc<Pipeline>,
    /// Events; the first half fills the windows.
    pub input: PathBuf,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct LatencyMeasured {
    /// Events that filled the windows.
    pub warm_up_events: u64,
    /// From payload to vectors, one event at a time.
    pub alone_ms_p50: f64,
    /// The same, of the slowest in a hundred.
    pub alone_ms_p99: f64,
    /// Batches of the steady load.
    pub steady_batches: u64,
    /// Share of one core that the steady load takes.
    pub steady_core_share: f64,
}

/// Runs half of the input for warmth and measures on the other.
pub fn bench_latency(bench: &LatencyBench, progress: &dyn Progress) -> Result<LatencyMeasured, Error> {
    let mut supply = Supply::File(Box::new(History::open(&bench.pipeline, std::slice::from_ref(&bench.input))?));
    let (mut all, mut batch) = (Batch::default(), Batch::default());
    progress.begin("reading the input", 0);
    while supply.fill(&mut batch)? {
        batch.records().iter().for_each(|record| all.push(record.source, record.append_at, record.payload));
    }
    progress.end();
    let records = all.records();
    let (warm, measured) = records.split_at(records.len() / 2);
    let mut engine = Engine::new(Arc::clone(&bench.pipeline), Config::default())?;
    let mut give = |records: &[features::Record<'_>]| {
        let now = records.last().map_or(Timestamp(0), |record| record.append_at.plus(Span(1)));
        let began = stopwatch();
        engine.ingest(records, now);
        (stopwatch() - began) as f64 / 1e6
    };
    progress.begin("filling windows", warm.len() as u64);
    warm.chunks(crate::feed::BATCH_RECORDS_MAX).for_each(|records| _ = give(records));
    progress.end();
    let (alone, steady) = measured.split_at(ALONE.min(measured.len() / 2));
    let mut alone_ms: Vec<f64> = alone.chunks(1).map(&mut give).collect();
    alone_ms.sort_by(f64::total_cmp);
    let rank =
        |share: f64| alone_ms.get(((alone_ms.len() as f64 * share) as usize).min(alone_ms.len().saturating_sub(1))).copied();
    let cpu_began = usage::cpu_seconds();
    let steady_batches = steady.chunks_exact(STEADY_BATCH).map(give).count();
    let spent = usage::cpu_seconds() - cpu_began;
    Ok(LatencyMeasured {
        warm_up_events: warm.len() as u64,
        alone_ms_p50: rank(0.5).unwrap_or_default(),
        alone_ms_p99: rank(0.99).unwrap_or_default(),
        steady_batches: steady_batches as u64,
        steady_core_share: spent / (steady_batches as f64 * STEADY_SECONDS).max(STEADY_SECONDS),
    })
}
