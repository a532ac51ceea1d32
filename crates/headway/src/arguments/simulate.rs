//! What `headway simulate` may be asked.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Servers;

/// Arguments of `simulate`.
#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// calm, rain, rider-shortage, slow-kitchens, new-area; quiet, roll-call for scooters. Without one it is calm, or quiet for scooters
    pub(crate) scenario: Option<String>,
    /// With --kafka: the folder of the pipeline whose topics take the events; it may stand in the place of a scenario
    #[arg(value_name = "PIPELINE")]
    pub(crate) fed: Option<PathBuf>,
    /// How much time passes in the simulation; with --kafka and in a folder that is held it is real time
    #[arg(long = "for", default_value = "24h", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) lasting: domain::Span,
    /// Where the events go, as JSON lines
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    pub(crate) out: Option<PathBuf>,
    /// Into the log of this folder: live when `headway run` holds it, else all at once for it to find
    #[arg(long, value_name = "FOLDER", requires = "pipeline")]
    pub(crate) folder: Option<PathBuf>,
    /// The id of the pipeline whose topics take the events
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
    /// Where the truth about orders goes, as JSON lines; it is never in the events
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Nothing is sent twice, out of order, late or broken
    #[arg(long)]
    pub(crate) flawless: bool,
    /// How well could anybody predict? Takes a minute or two, and no events are written
    #[arg(long, conflicts_with_all = ["folder", "truth"])]
    pub(crate) skill: bool,
    /// Another seed gives another day
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Into how many parts topics are divided: 4, and fixed once they exist
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) partitions: Option<u32>,
    #[command(flatten)]
    pub(crate) servers: Servers,
}

impl Simulate {
    /// The scenario and the pipeline, whichever of them was left out.
    pub(crate) fn named(&self) -> (Option<&str>, Option<&Path>) {
        let scenario = self.scenario.as_deref();
        match (scenario, &self.fed) {
            (Some(first), None) if Path::new(first).join("pipeline.toml").exists() => (None, Some(Path::new(first))),
            (scenario, fed) => (scenario, fed.as_deref()),
        }
    }
}
