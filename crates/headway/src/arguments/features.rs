//! What `headway features` may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::entity;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Features {
    /// Values of an entity with their age, until when each holds, and when its source was last heard
    Get(FeaturesGet),
}

/// Arguments of `features get`.
#[derive(Args, Debug)]
pub(crate) struct FeaturesGet {
    /// An entity, such as store:42
    #[arg(value_name = "ENTITY:KEY", value_parser = entity)]
    pub(crate) entity: (String, String),
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
    /// Follow it, a line for each value that changes, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
}
