//! What can go wrong when a person runs something by hand. Faults of single events are not errors: they are refused and counted.

use std::path::{Path, PathBuf};

/// Why a task could not be done. Each message says what happened, where, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("cannot {verb} {}: {source}", path.display())]
    File {
        /// What was tried: `read`, `write`.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{}{}: {message}; {help}", path.display(), place(*line))]
    Content {
        /// Which file.
        path: PathBuf,
        /// Line or row from 1; 0 for the whole file.
        line: u64,
        /// What is wrong.
        message: String,
        /// What to do next.
        help: String,
    },
    /// A file ends in a way that no format does.
    #[error("{}: the ending `{ending}` is not known; use one of {known}", path.display())]
    Ending {
        /// Which file.
        path: PathBuf,
        /// Its ending.
        ending: String,
        /// The endings that are.
        known: &'static str,
    },
    /// A setting cannot be met.
    #[error("{message}; {help}")]
    Setting {
        /// What is wrong.
        message: String,
        /// What to do next.
        help: String,
    },
    /// The pipeline is not one that an engine can run.
    #[error(transparent)]
    Engine(#[from] features::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ports::Error),
    /// The pipeline's spec has faults.
    #[error(transparent)]
    Faults(#[from] pipeline::Faults),
}

impl Error {
    /// For `map_err` at whatever reads a file.
    pub(crate) fn reading(path: &Path) -> impl Fn(std::io::Error) -> Self {
        Self::file("read", path)
    }

    /// For `map_err` at whatever writes a file.
    pub(crate) fn writing(path: &Path) -> impl Fn(std::io::Error) -> Self {
        Self::file("write", path)
    }

    /// For `map_err` at the Parquet reader.
    pub(crate) fn parquet(path: &Path) -> impl Fn(parquet::errors::ParquetError) -> Self {
        move |error| Self::content(path, 0, error.to_string(), "write the file again, uncompressed or with Snappy")
    }

    pub(crate) fn content(path: &Path, line: u64, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Content { path: path.into(), line, message: message.into(), help: help.into() }
    }

    pub(crate) fn setting(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Setting { message: message.into(), help: help.into() }
    }

    fn file(verb: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File { verb, path: path.into(), source }
    }
}

fn place(line: u64) -> String {
    if line == 0 { String::new() } else { format!(":{line}") }
}
