//! A running Headway in one process: the embedded parts in one folder, and the workers of every pipeline.
//!
//! Opens, announces, starts, watches and stops. What the workers do is the data plane's; what is asked of them from outside comes
//! by way of `control`.

mod clock;
pub(crate) mod control;
mod crew;
mod edit;
mod encodings;
mod explaining;
mod files;
mod generations;
mod hold;
mod lag;
mod models;
mod opening;
mod options;
mod outcomes;
mod predictors;
mod preview;
mod readers;
mod readiness;
pub(crate) mod reading;
mod running;
mod scorers;
mod status;
mod warehouse;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use dataplane::features::Parts;
use domain::{Span, Timestamp};
use futures_util::future::join_all;
use io_folder::{FolderArtifacts, FolderCatalog, FolderWarehouse};
use ports::{Catalog, Clock};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    failure::Failure,
    models::Registry,
    parts::{AnyLog, AnyOnline, Decoding},
};
use clock::Steady;
pub(crate) use clock::wall_clock;
use edit::Edit;
pub(crate) use edit::named_schemas;
pub(crate) use generations::Hosted;
pub(crate) use hold::Held;
pub(crate) use lag::{Follower, Lag};
use opening::Opened;
pub(crate) use opening::{known_partitions, partitions};
pub(crate) use options::{Options, Pace};
pub(crate) use outcomes::Outcomes;
pub(crate) use readiness::Readiness;
pub(crate) use status::Status;

/// For how long topics keep records, which is what a rebuild can reach back to: four weeks of window with a hop of a day, a week for
/// what a row began with, and a day for what came late.
const RETENTION: Span = Span(37 * 86_400_000);

/// Two for each of the workers that run by default, so that one can be busy while the other waits for the disk.
pub(crate) const PARTITIONS_DEFAULT: u32 = 4;
/// Four workers with four each, or one with all of them.
pub(crate) const PARTITIONS_OF_KAFKA: u32 = 16;

/// What all pipelines of a host share; the online store is not among it, since names and generations are a pipeline's own.
pub(crate) struct SharedParts {
    pub(crate) log: Decoding<AnyLog>,
    pub(crate) artifacts: FolderArtifacts,
    pub(crate) clock: Clock,
}

impl SharedParts {
    /// The same for the workers of one pipeline.
    fn with(&self, online: &AnyOnline) -> Parts<Decoding<AnyLog>, AnyOnline, FolderArtifacts> {
        let Self { log, artifacts, clock } = self;
        Parts { log: log.clone(), online: online.clone(), artifacts: artifacts.clone(), clock: clock.clone() }
    }
}

/// A running Headway.
pub(crate) struct Host {
    _held: Option<Held>,
    pub(crate) parts: SharedParts,
    pub(crate) catalog: FolderCatalog,
    pub(crate) warehouse: FolderWarehouse,
    pub(crate) options: Options,
    pub(crate) partitions: u32,
    /// Where metrics and probes are answered, once they are.
    pub(crate) listens_on: OnceLock<SocketAddr>,
    readiness: readiness::Shown,
    /// Those beside the workers: who looks whether it is ready, until it is, and who folds rows.
    beside: Mutex<Vec<JoinHandle<()>>>,
    hosted: Mutex<Vec<Arc<Hosted>>>,
    steady: Arc<Steady>,
    /// What a person should hear about how it began.
    announcements: Mutex<Vec<String>>,
    failed: watch::Sender<Option<Failed>>,
    /// As it was when everything could be asked.
    status: Mutex<Status>,
}

/// Why the process cannot go on.
#[derive(Clone, Debug)]
struct Failed {
    why: String,
    /// Whether an operator has to change something before it can ever work.
    is_setting: bool,
}

impl Host {
    /// Takes the folder, says what is in it, and starts the workers. Waits for the disk.
    pub(crate) async fn open(options: Options) -> Result<Arc<Self>, Failure> {
        // A key that cannot be read is told before anything connects.
        options.trust().keys()?;
        let steady = Arc::new(Steady::new(options.pace.speed()));
        let clock = steady.clock();
        std::fs::create_dir_all(&options.folder).map_err(|error| Failure::writing(&options.folder, &error))?;
        let Opened { log, held, folder, options } = Opened::open(options, &clock).await?;
        let artifacts = folder.artifacts();
        let partitions = partitions(&artifacts, options.partitions, options.servers.partitions_default()).await?;
        let announcements = opening::torn(&log).into_iter().collect();
        let log = Decoding::new(log, &options.servers, &clock)?;
        let parts = SharedParts { log, artifacts, clock };
        let host = Arc::new(Self {
            parts,
            _held: held,
            catalog: folder.catalog(),
            warehouse: folder.warehouse(),
            options,
            partitions,
            listens_on: OnceLock::new(),
            readiness: readiness::Shown::default(),
            beside: Mutex::default(),
            hosted: Mutex::default(),
            steady,
            announcements: Mutex::new(announcements),
            failed: watch::Sender::new(None),
            status: Mutex::default(),
        });
        host.begin().await?;
        Ok(host)
    }

    async fn begin(self: &Arc<Self>) -> Result<(), Failure> {
        let mut hosted = Vec::new();
        if self.options.pipelines.is_empty() {
            for id in self.catalog.pipelines().await? {
                hosted.push(Hosted::deployed(self, &id).await?);
            }
        }
        // Each is looked at before any of them changes something.
        let mut edits = Vec::new();
        for folder in &self.options.pipelines {
            edits.push((folder, Edit::read(self, folder).await?));
        }
        let deployed = hosted.iter().map(|hosted| &**hosted.pipeline());
        encodings::agree(self, deployed.chain(edits.iter().map(|(_, edit)| edit.pipeline()))).await?;
        for (folder, edit) in edits {
            hosted.push(match edit.put_in_force(self).await {
                // Another process of the same start was faster, and has most likely deployed the same.
                Err(failure) if failure.is_overtaken() => Edit::read(self, folder).await?.put_in_force(self).await?,
                other => other?,
            });
        }
        if hosted.is_empty() {
            return Err(Failure::failed(format!(
                "{} holds no pipeline yet: name one, as in `headway run pipelines/delivery-eta`.",
                self.options.folder.display()
            )));
        }
        for hosted in &hosted {
            hosted.create_topics(self).await?;
        }
        self.catch_up_clock(&hosted).await?;
        for hosted in &hosted {
            hosted.start(self).await?;
        }
        *self.hosted.lock().unwrap_or_else(PoisonError::into_inner) = hosted;
        let beside = vec![readiness::follow(self), tokio::spawn(warehouse::fold_now_and_then(self.clone()))];
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = beside;
        Ok(())
    }

    /// A log that was written by a hurried clock may end in the future: time goes on from there.
    async fn catch_up_clock(&self, hosted: &[Arc<Hosted>]) -> Result<(), Failure> {
        let (log, mut newest) = (self.parts.log.beneath(), Timestamp(i64::MIN));
        for hosted in hosted {
            let inputs = hosted.topics().inputs().iter().map(|(topic, _)| topic.clone()).collect();
            let last = lag::newest(log, inputs, self.partitions).await?;
            newest = last.unwrap_or(newest).max(newest);
        }
        if let Some(ahead) = self.steady.not_before(newest) {
            self.announce(format!("The newest record is {ahead} ahead of this machine's clock; time goes on from there."));
        }
        Ok(())
    }

    /// Where the models of this folder are kept.
    pub(crate) fn registry(&self) -> Registry {
        let (catalog, artifacts) = (self.catalog.clone(), self.parts.artifacts.clone());
        let trust = self.options.trust();
        Registry { catalog, artifacts, trust, clock: self.clock().clone() }
    }

    pub(crate) fn announce(&self, words: String) {
        self.announcements.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }

    /// What has been announced since this was last asked.
    pub(crate) fn take_announcements(&self) -> Vec<String> {
        let mut told = std::mem::take(&mut *self.announcements.lock().unwrap_or_else(PoisonError::into_inner));
        told.extend(self.hosted().iter().flat_map(|hosted| hosted.watch.take_rebuilds()).map(|rebuild| rebuild.to_string()));
        told.extend(self.hosted().iter().filter_map(|hosted| hosted.speaker.as_ref()).flat_map(models::Speaker::take_words));
        told.extend(self.hosted().iter().filter_map(|hosted| hosted.rows.as_ref()?.take_words()));
        told
    }

    /// Lets time pass until an instant, if it has not come yet.
    pub(crate) fn pass_until(&self, at: Timestamp) {
        self.steady.not_before(at);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    pub(crate) fn hosted(&self) -> Vec<Arc<Hosted>> {
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A worker has ended by itself: the process cannot go on.
    fn fail(&self, failed: Failed) {
        self.failed.send_replace(Some(failed));
    }

    /// Why a worker has ended by itself, if one has.
    pub(crate) fn has_failed(&self) -> Option<String> {
        self.failed.borrow().as_ref().map(|failed| failed.why.clone())
    }

    pub(crate) fn readiness(&self) -> Readiness {
        self.readiness.get()
    }

    /// Waits until a worker has ended by itself.
    pub(crate) async fn failure(&self) -> Failure {
        let mut failed = self.failed.subscribe();
        match failed.wait_for(Option::is_some).await.ok().and_then(|failed| failed.clone()) {
            Some(Failed { why, is_setting: true }) => Failure::configuration(why),
            Some(Failed { why, is_setting: false }) => Failure::failed(why),
            None => Failure::failed("the workers are gone"),
        }
    }

    /// What the machine's clock has done that a person should know.
    pub(crate) fn clock_jump(&self) -> Option<String> {
        self.steady.jump()
    }

    /// Commits and publishes what was taken, and ends the workers.
    pub(crate) async fn stop(&self) -> Result<(), Failure> {
        let beside = std::mem::take(&mut *self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        for task in beside {
            task.abort();
            // However it ended, it holds the host no longer.
            let _ = task.await;
        }
        // Side by side, since whoever stops a process does not wait long.
        let hosted = self.hosted();
        join_all(hosted.iter().map(|hosted| hosted.stop())).await.into_iter().collect()
    }

    pub(crate) fn socket(folder: &Path) -> PathBuf {
        folder.join("control.sock")
    }

    pub(crate) fn retention() -> Span {
        RETENTION
    }
}
