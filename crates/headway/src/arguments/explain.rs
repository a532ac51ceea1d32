//! What `headway explain`, `plan` and `audit` may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::entity;

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// An entity, such as store:42; or a case that is predicted, such as order:o-17
    #[arg(value_name = "ENTITY:KEY", value_parser = entity)]
    pub(crate) entity: (String, String),
    /// One of its features, such as prep_mean_15m; without it the latest prediction of a case is explained
    #[arg(long, value_name = "NAME")]
    pub(crate) feature: Option<String>,
    /// The value at this instant instead of now, such as 2026-11-21T18:30:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant, requires = "feature")]
    pub(crate) at: Option<domain::Timestamp>,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// Folder with the edited pipeline.toml
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: PathBuf,
    /// Compare values at each of so many hours
    #[arg(long, default_value_t = 6, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=168))]
    pub(crate) hours: u32,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// What to audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// How much the events that came too late would have moved each feature
    Late(AuditLate),
}

/// Arguments of `audit late`.
#[derive(Args, Debug)]
pub(crate) struct AuditLate {
    /// How far back from now
    #[arg(long = "for", default_value = "24h", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) back: domain::Span,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
}

fn instant(text: &str) -> Result<domain::Timestamp, String> {
    domain::Timestamp::parse(text).ok_or_else(|| "an instant such as 2026-11-21T18:30:00Z is needed".to_owned())
}
