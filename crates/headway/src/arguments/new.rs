//! What `headway new` may be asked.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `new`.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// The pipeline's name: lower-case letters, digits and `-`, beginning with a letter
    pub(crate) name: String,
    /// Events as JSON lines, or `-` for standard input; the first 100,000 are looked at
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Where the pipeline's own folder goes; nothing there is overwritten
    #[arg(long, default_value = "pipelines", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}
