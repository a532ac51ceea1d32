//! What `headway backfill` may be asked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `backfill`.
#[derive(Args, Debug)]
pub(crate) struct Backfill {
    /// Folder with a pipeline.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// Events as JSON lines or Parquet; repeat for several files, they are merged by arrival
    ///
    /// An event says its stream in `_source`, or its file is called after the stream, or the pipeline has one stream only. It says
    /// when it arrived in `_at`; otherwise the order of the file is the order of arrival, each event arriving when it happened.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// What is asked for, as JSON lines, CSV or Parquet: a column `at`, one for each entity type such as `store`, and any others
    #[arg(long, value_name = "FILE")]
    pub(crate) spine: PathBuf,
    /// Which events an instant may know of
    #[arg(long, default_value = "available")]
    pub(crate) mode: Mode,
    /// Where the rows go, in the order of the spine: .jsonl, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How many rows to show at the end
    #[arg(long, default_value_t = 10, value_name = "ROWS")]
    pub(crate) show: usize,
}

/// Which events an instant may know of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// Those that had arrived before it: what was served
    Available,
    /// All that were not too late, whenever they arrived
    Complete,
}
