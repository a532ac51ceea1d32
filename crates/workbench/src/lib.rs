//! What people run by hand: backfill over files, a pipeline's own tests, samples, measurements; explanations, audits and
//! comparisons over the log.
//!
//! Reads and writes the files that it is given, reads the log that it is lent, and touches nothing else; never prints, and reads
//! a clock only to measure.

mod audit;
mod backfill;
mod bench;
mod cases;
mod compare;
mod dice;
mod draft;
mod error;
mod explain;
mod feed;
mod history;
mod members;
mod movement;
mod parquet_value;
mod past;
mod progress;
mod replay;
mod said;
mod sample;
#[cfg(test)]
mod scratch;
#[cfg(test)]
mod scripted;
mod unfinished;

pub use audit::{AGE_MAX, COMPARED_MAX, LateReport, Lateness, late};
pub use backfill::{Mode, Preview, Report, Request, backfill};
pub use bench::{
    EngineBench, Forest, ForestShape, LatencyBench, LatencyMeasured, Measured, Orders, Pings, ScorerBench, StateMeasured,
    bench_engine, bench_latency, bench_state, cpu_seconds, orders_pipeline, orders_spec, peak_memory_bytes, peak_memory_bytes_of,
    pings_spec, write_orders,
};
pub use cases::{Difference, Outcome, run_cases};
pub use compare::{Engines, GroupCost, Movement, Moving, Presence, Shortfall, compare};
pub use draft::{Draft, FoundField, draft};
pub use error::Error;
pub use explain::{Entry, Explanation, Missed, Part, Place, Question, Tile, Window, explain};
pub use feed::Counts;
pub use history::{Event, History};
pub use movement::ColumnMovement;
pub use progress::{Progress, Unseen};
pub use said::{LastSaid, columns_of, last_said};
pub use sample::{SampleRequest, Sampled, sample};
