//! How to open a host: what was said on the command line, and how time passes. Opens nothing.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{models::trust::Trust, settings::Servers};

/// How to open a host.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) folder: PathBuf,
    /// Folders of pipelines; empty for those that are deployed already.
    pub(crate) pipelines: Vec<PathBuf>,
    /// None for as many as there are.
    pub(crate) partitions: Option<u32>,
    pub(crate) workers: usize,
    pub(crate) pace: Pace,
    /// How often a state is written down; none for what is usual.
    pub(crate) snapshot_every: Option<Duration>,
    pub(crate) servers: Servers,
    /// The name of this process among several, and the folder that they share.
    pub(crate) replica: Option<String>,
    pub(crate) shared: Option<PathBuf>,
    /// Whose models are trusted, beside those of the folder.
    pub(crate) trust: Vec<String>,
}

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// So many times as fast as on the wall.
    Runs(f64),
    /// Only when somebody says so, and then about so many times as fast as on the wall.
    Driven(f64),
}

impl Pace {
    /// How much time passes while a second passes on the wall, about.
    pub(crate) fn hurry(self) -> f64 {
        let (Self::Runs(speed) | Self::Driven(speed)) = self;
        speed
    }

    pub(super) fn speed(self) -> f64 {
        match self {
            Self::Runs(speed) => speed,
            Self::Driven(_) => 0.0,
        }
    }
}

impl Options {
    /// The name of a worker in the groups of the log, the same after a restart.
    pub(super) fn member(&self, role: &str, number: usize) -> String {
        match &self.replica {
            Some(replica) => format!("{replica}.{role}-{number}"),
            None => format!("{role}-{number}"),
        }
    }

    /// Whose models are trusted: those that were named, and those of the folder with the catalog.
    pub(super) fn trust(&self) -> Trust {
        Trust::new(&self.trust, self.shared.as_ref().unwrap_or(&self.folder))
    }

    /// For a folder that no process holds: as it was left, with as many partitions as its topics have.
    pub(crate) fn of_stopped(folder: &Path) -> Self {
        let pace = Pace::Runs(1.0);
        Self {
            folder: folder.to_owned(),
            pipelines: Vec::new(),
            partitions: None,
            workers: 1,
            pace,
            snapshot_every: None,
            servers: Servers::default(),
            replica: None,
            shared: None,
            trust: Vec::new(),
        }
    }
}
