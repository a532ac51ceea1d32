//! What `headway topics` may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Servers;

/// What to do with topics.
#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Show each topic, what is there of it and what would change; changes nothing. Exit code 0: nothing to do, 3: something would
    /// change, 78: it cannot be done, for the reasons that are told
    Plan(TopicsOf),
    /// Make the topics that are missing and change the settings that differ, as `headway run` does when it starts. Exit code 78:
    /// something cannot be done, and nothing was changed
    Apply(TopicsOf),
}

/// Whose topics.
#[derive(Args, Debug)]
pub(crate) struct TopicsOf {
    /// Folders with a pipeline.toml
    #[arg(required = true, value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<PathBuf>,
    /// Where deployments are kept, or will be: the folder of `headway run`, or the one that is shared
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Into how many parts topics are divided: 16, and fixed once they exist
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) partitions: Option<u32>,
    #[command(flatten)]
    pub(crate) servers: Servers,
}
