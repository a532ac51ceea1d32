//! What `headway sample` may be asked.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `sample`.
#[derive(Args, Debug)]
pub(crate) struct Sample {
    /// Folder with a pipeline.toml and, if there is one, a sample.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// How many records
    #[arg(long, default_value_t = 200_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) events: u64,
    /// Where the events go, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Where instants to ask about go, as JSON lines for `backfill --spine`
    #[arg(long, value_name = "FILE")]
    pub(crate) spine: Option<PathBuf>,
    /// How many instants
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub(crate) rows: usize,
    /// Another seed gives another day
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
}
