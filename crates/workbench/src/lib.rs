//! What people run by hand: backfill over files, a pipeline's own tests, samples, measurements.
//!
//! Reads and writes the files that it is given and nothing else; never prints, and reads a clock only to measure.

mod backfill;
mod bench;
mod cases;
mod dice;
mod draft;
mod error;
mod feed;
mod history;
mod parquet_value;
mod progress;
mod sample;
#[cfg(test)]
mod scratch;
mod unfinished;

pub use backfill::{Mode, Preview, Report, Request, backfill};
pub use bench::peak_memory_bytes;
pub use bench::{
    EngineBench, LatencyBench, LatencyMeasured, Measured, Orders, StateMeasured, bench_engine, bench_latency, bench_state,
    orders_pipeline, write_orders,
};
pub use cases::{Difference, Outcome, run_cases};
pub use draft::{Draft, FoundField, draft};
pub use error::Error;
pub use feed::Counts;
pub use history::{Event, History};
pub use progress::{Progress, Unseen};
pub use sample::{SampleRequest, Sampled, sample};
