//! What `headway run` may be asked.

use std::path::PathBuf;

use clap::Args;

use super::{Servers, Telling};

/// Arguments of `run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Folders with a pipeline.toml; without one, the pipelines that ran in the folder before
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<PathBuf>,
    /// Where everything is kept; deleting it is the whole uninstall
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Simulate what produces the events: calm, rain, rider-shortage, slow-kitchens, new-area; quiet, roll-call for scooters
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) city: Option<String>,
    /// When it begins, by its own clocks, such as 11:30: time goes ahead to then; without it, now, and at night next to nothing happens
    #[arg(long, value_name = "TIME", value_parser = pipeline::time_of_day, requires = "city")]
    pub(crate) at: Option<pipeline::LocalTime>,
    /// How fast time passes; 60 makes a minute of an hour
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub(crate) speed: f64,
    /// Of the simulation
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Stop after this, such as 90s, 1m or 2h
    #[arg(long = "for", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) lasting: Option<domain::Span>,
    /// Stop when everything in the log was taken
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Print a line now and then, even on a terminal
    #[arg(long)]
    pub(crate) headless: bool,
    /// Into how many parts topics are divided: 4, or 16 in Kafka, and fixed once they exist
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) partitions: Option<u32>,
    /// How many workers share them
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// How often each partition writes down its state, so that less is taken again after a crash
    #[arg(long, default_value = "30s", value_name = "SPAN", value_parser = snapshot_every)]
    pub(crate) snapshot_every: domain::Span,
    /// The name of this process among those that share the work, the same after a restart; a pod's name, for example
    #[arg(long, env = "HEADWAY_REPLICA", value_name = "NAME")]
    pub(crate) replica: Option<String>,
    /// Where snapshots and deployments are that several processes share; without it, in the folder of this one
    #[arg(long, value_name = "FOLDER", requires = "replica")]
    pub(crate) shared: Option<PathBuf>,
    /// Whose models are trusted, beside those of the file `trusted-keys` in the folder: a public key as `models sign` tells it, or a file
    /// with one on each line; again, or with a comma between two, for more
    #[arg(long, env = "HEADWAY_TRUST", value_name = "KEY-OR-FILE", value_delimiter = ',')]
    pub(crate) trust: Vec<String>,
    #[command(flatten)]
    pub(crate) servers: Servers,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

/// More often than ten times a second nothing else would be done.
fn snapshot_every(text: &str) -> Result<domain::Span, String> {
    let span = pipeline::span(text)?;
    if span.0 >= 100 { Ok(span) } else { Err("100ms or more, please".to_owned()) }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number such as 1 or 60 is needed".to_owned())?;
    if (0.01..=10_000.0).contains(&speed) { Ok(speed) } else { Err("between 0.01 and 10000, please".to_owned()) }
}
