//! What `headway doctor` is asked.

use std::path::PathBuf;

use clap::Args;

use super::Servers;

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Where Headway keeps everything, or will
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) servers: Servers,
}
