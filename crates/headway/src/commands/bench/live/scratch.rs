//! The folders in which a measurement works, removed afterwards, and hosts in them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{SEND_EVERY, SEND_TO_SERVERS_EVERY, WARM_UP, WARM_UP_OF_SERVERS, WORKERS};
use crate::{
    failure::Failure,
    host::{Host, Options, Pace},
    settings::Servers,
};

/// Where the folders of the parts are.
pub(super) struct Scratch {
    pub(super) root: PathBuf,
    keep: bool,
    /// The id of the pipeline that is measured.
    id: String,
    pub(super) servers: Servers,
}

impl Scratch {
    pub(super) fn create(root: &Path, keep: bool, id: String, servers: Servers) -> Result<Self, Failure> {
        if root.exists() {
            let root = root.display();
            return Err(Failure::failed(format!("{root} exists: name a folder that does not, as in --folder {root}-2")));
        }
        std::fs::create_dir_all(root).map_err(|error| Failure::writing(root, &error))?;
        Ok(Self { root: root.to_owned(), keep, id, servers })
    }

    /// How long a steady load runs before it is measured.
    pub(super) fn warm_up(&self) -> Duration {
        if self.servers.kafka.is_some() { WARM_UP_OF_SERVERS } else { WARM_UP }
    }

    /// How often a steady load sends what is due.
    pub(super) fn send_every(&self) -> Duration {
        if self.servers.kafka.is_some() { SEND_TO_SERVERS_EVERY } else { SEND_EVERY }
    }

    pub(super) fn folder(&self, part: &str) -> PathBuf {
        self.root.join(part)
    }

    /// The folder of a pipeline of this text.
    pub(super) fn pipeline(&self, part: &str, spec: &str) -> Result<PathBuf, Failure> {
        // The name of the folder is the pipeline's id.
        let folder = self.root.join(format!("{part}-spec")).join(format!("{}-{part}", self.id));
        let file = folder.join("pipeline.toml");
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, spec));
        written.map_err(|error| Failure::writing(&file, &error))?;
        Ok(folder)
    }

    pub(super) async fn host(&self, part: &str, spec: &str, pace: Pace) -> Result<Arc<Host>, Failure> {
        self.host_of(self.pipeline(part, spec)?, part, pace).await
    }

    /// The same with a pipeline that is in a folder.
    pub(super) async fn host_of(&self, pipeline: PathBuf, part: &str, pace: Pace) -> Result<Arc<Host>, Failure> {
        let pipelines = vec![pipeline];
        let (folder, workers) = (self.folder(part), WORKERS);
        let servers = self.servers.clone();
        Host::open(Options { pipelines, workers, pace, servers, ..Options::of_stopped(&folder) }).await
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}
