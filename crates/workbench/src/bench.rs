//! The benchmark of the engine: orders by the million, features of their stores, no broker in between.
//!
//! A batch is made or read before the clock goes on, so that the engine is measured and nothing else.

mod forest;
mod latency;
mod orders;
mod pings;
mod scorer;
mod state;
mod usage;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, sync::OnceLock, time::Instant};

use domain::{Span, Timestamp};
use features::{Config, Engine, Record};
use pipeline::Pipeline;
use xxhash_rust::xxh3::Xxh3;

pub use self::usage::{cpu_seconds, peak_memory_bytes, peak_memory_bytes_of};
pub use self::{
    forest::{Forest, ForestShape},
    latency::{LatencyBench, LatencyMeasured, bench_latency},
    orders::{Orders, orders_pipeline, orders_spec},
    pings::{Pings, pings_spec},
    scorer::ScorerBench,
    state::{StateMeasured, bench_state},
};
use crate::{
    Error, Progress,
    feed::{BATCH_RECORDS_MAX, Counts},
    history::{Event, History},
    unfinished::Unfinished,
};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct EngineBench {
    /// The features.
    pub pipeline: Arc<Pipeline>,
    /// Events to read; without any they are generated.
    pub input: Option<PathBuf>,
    /// How many are generated.
    pub events: u64,
    /// How much time the generated events cover.
    pub minutes: u64,
    /// Of the generator.
    pub seed: u64,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Records that the engine took.
    pub events: u64,
    /// Elapsed while it did.
    pub seconds: f64,
    /// Of all threads of this process, while it did.
    pub cpu_seconds: f64,
    /// The most memory that this process ever held.
    pub peak_rss_bytes: u64,
    /// Vectors that came out.
    pub vectors: u64,
    /// Sum of the XXH3 of group, key and bytes of each vector: two runs agree or did not do the same.
    pub checksum: u64,
    /// Refused records by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Share of the engine's time by step.
    pub steps: Vec<(&'static str, f64)>,
}

/// One batch of payloads end to end, made or read between the timed parts.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// End of the payload, append time, source.
    events: Vec<(usize, Timestamp, usize)>,
}

/// Where batches come from.
enum Supply {
    File(Box<History>),
    Orders { orders: Orders, payload: Vec<u8>, clock: Timestamp },
}

/// Runs the engine over the input once. Only the engine is timed.
pub fn bench_engine(bench: &EngineBench, progress: &dyn Progress) -> Result<Measured, Error> {
    let mut supply = match &bench.input {
        Some(path) => Supply::File(Box::new(History::open(&bench.pipeline, std::slice::from_ref(path))?)),
        None => Supply::Orders {
            orders: Orders::new(bench.events, bench.minutes, bench.seed),
            payload: Vec::new(),
            clock: Timestamp(i64::MIN),
        },
    };
    let mut engine = Engine::new(Arc::clone(&bench.pipeline), Config { stopwatch: Some(stopwatch), ..Config::default() })?;
    let (mut digest, mut batch) = (Xxh3::new(), Batch::default());
    let (mut counts, mut vectors, mut checksum) = (Counts::default(), 0, 0u64);
    let (mut nanoseconds, mut cpu_seconds) = (0, 0.0);
    progress.begin("engine", bench.events);
    while supply.fill(&mut batch)? {
        let records = batch.records();
        let now = records.last().map_or(Timestamp(0), |record| record.append_at.plus(Span(1)));
        let (began, cpu_began) = (stopwatch(), usage::cpu_seconds());
        let out = engine.ingest(&records, now);
        cpu_seconds += usage::cpu_seconds() - cpu_began;
        nanoseconds += stopwatch() - began;
        counts.note(&out);
        counts.records += records.len() as u64;
        vectors += out.vectors.len() as u64;
        for vector in out.vectors.iter() {
            digest.reset();
            digest.update(&(vector.group as u64).to_le_bytes());
            digest.update(vector.key.as_bytes());
            digest.update(vector.packed);
            // A sum, since vectors of one step come in any order.
            checksum = checksum.wrapping_add(digest.digest());
        }
        progress.at(counts.records);
    }
    progress.end();
    Ok(Measured {
        events: counts.records,
        seconds: nanoseconds as f64 / 1e9,
        cpu_seconds,
        peak_rss_bytes: usage::peak_memory_bytes(),
        vectors,
        checksum,
        refused: counts.refused,
        steps: shares(&engine),
    })
}

impl Supply {
    /// Replaces the batch by the next one; false at the end.
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        batch.bytes.clear();
        batch.events.clear();
        while batch.events.len() < BATCH_RECORDS_MAX {
            match self {
                Self::File(history) => {
                    let Some(event) = history.next() else { break };
                    let Event { source, append_at, payload, .. } = event?;
                    batch.push(source, append_at, &payload);
                }
                Self::Orders { orders, payload, clock } => {
                    let Some(time) = orders.next_into(payload) else { break };
                    *clock = (*clock).max(time);
                    batch.push(0, *clock, payload);
                }
            }
        }
        Ok(!batch.events.is_empty())
    }
}

impl Batch {
    fn push(&mut self, source: usize, append_at: Timestamp, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.events.push((self.bytes.len(), append_at, source));
    }

    fn records(&self) -> Vec<Record<'_>> {
        let begins = std::iter::once(0).chain(self.events.iter().map(|(end, ..)| *end));
        let record = |(begin, (end, append_at, source)): (usize, &(usize, Timestamp, usize))| Record {
            source: *source,
            offset: 0,
            append_at: *append_at,
            payload: &self.bytes[begin..*end],
        };
        begins.zip(&self.events).map(record).collect()
    }
}

impl Measured {
    /// Events in a second of elapsed time.
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    /// Events in a second of one core.
    pub fn events_per_cpu_second(&self) -> f64 {
        self.events as f64 / self.cpu_seconds
    }
}

/// Writes generated orders to a file, one a line.
pub fn write_orders(path: &std::path::Path, events: u64, minutes: u64, seed: u64, progress: &dyn Progress) -> Result<(), Error> {
    use std::io::Write;
    let written = Error::writing(path);
    let (unfinished, file) = Unfinished::create(path)?;
    let mut file = std::io::BufWriter::new(file);
    progress.begin("generating orders", events);
    let mut orders = Orders::new(events, minutes, seed);
    let mut line = Vec::new();
    let mut count = 0u64;
    while orders.next_into(&mut line).is_some() {
        line.push(b'\n');
        file.write_all(&line).map_err(&written)?;
        count += 1;
        if count.is_multiple_of(BATCH_RECORDS_MAX as u64) {
            progress.at(count);
        }
    }
    progress.end();
    unfinished.finish(&file.into_inner().map_err(|error| written(error.into_error()))?)
}

fn shares(engine: &Engine) -> Vec<(&'static str, f64)> {
    let total: u64 = engine.steps().map(|(_, nanoseconds)| nanoseconds).sum();
    engine.steps().map(|(name, nanoseconds)| (name, nanoseconds as f64 / total.max(1) as f64)).collect()
}

/// Nanoseconds since the first call.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures; nothing that is computed depends on it")]
fn stopwatch() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let elapsed = BEGAN.get_or_init(Instant::now).elapsed().as_nanos();
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
