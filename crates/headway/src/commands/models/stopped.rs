//! Models in a folder that no process holds, or that several share: without a worker and without a record that is read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use io_folder::Folder;
use io_log::EmbeddedLog;
use pipeline::Pipeline;
use ports::{Catalog, Clock, clock_fn};

use crate::{
    arguments::ModelsOf,
    failure::Failure,
    host::{
        Held,
        control::{Answer, Request},
        wall_clock,
    },
    models::{Registry, told, trust::Trust},
};

/// A folder for as long as this takes.
pub(super) struct Stopped {
    registry: Registry,
    pipelines: Vec<Arc<Pipeline>>,
    folder: String,
    _holds: Holds,
}

/// What keeps a process from starting meanwhile.
enum Holds {
    Log(#[expect(dead_code, reason = "is held, not used")] EmbeddedLog),
    Folder(#[expect(dead_code, reason = "is held, not used")] Held),
    /// Each waits for its turn; here is what is not finished.
    Shared(PathBuf),
}

impl Drop for Holds {
    fn drop(&mut self) {
        if let Self::Shared(unfinished) = self {
            // An empty folder is in nobody's way.
            let _ = std::fs::remove_dir(unfinished);
        }
    }
}

impl Stopped {
    pub(super) async fn open(of: &ModelsOf, trust: &[String]) -> Result<Self, Failure> {
        let clock = clock_fn(1.0, wall_clock);
        let (path, (folder, holds)) = match &of.shared {
            Some(shared) => (shared, among_others(shared)?),
            None => (&of.folder, hold(of, &clock)?),
        };
        let (catalog, artifacts) = (folder.catalog(), folder.artifacts());
        let mut pipelines = Vec::new();
        for id in catalog.pipelines().await? {
            if let Some(deployment) = catalog.deployment(&id).await? {
                pipelines.push(Arc::new(pipeline::parse(&id, &deployment.spec)?));
            }
        }
        let registry = Registry { catalog, artifacts, trust: Trust::new(trust, path), clock };
        Ok(Self { registry, pipelines, folder: path.display().to_string(), _holds: holds })
    }

    pub(super) async fn answer(&self, request: Request) -> Result<Answer, Failure> {
        match request {
            Request::Models { pipeline } => {
                let models = self.registry.models(&self.one(pipeline.as_deref())?.id).await?;
                Ok(Answer::Told { object: told::list_object(&models, None), text: told::list_text(&models, None) })
            }
            Request::UseModel { pipeline, wanted, by } => {
                let chosen = self.registry.choose(self.one(pipeline.as_deref())?, &wanted, &by).await?;
                Ok(Answer::Told { object: chosen.object(None), text: chosen.text(None) })
            }
            _ => Err(Failure::failed("a stopped folder is only asked about its models here")),
        }
    }

    /// The pipeline of this id, or the only one that predicts anything.
    fn one(&self, id: Option<&str>) -> Result<&Arc<Pipeline>, Failure> {
        let fits = |pipeline: &&Arc<Pipeline>| id.map_or(pipeline.case.is_some(), |id| pipeline.id == id);
        let mut found = self.pipelines.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(pipeline), None) => Ok(pipeline),
            (Some(_), Some(_)) => Err(Failure::failed("several pipelines here predict something: say which with --pipeline")),
            (None, _) => Err(Failure::failed(format!(
                "{} holds no such pipeline: start `headway run` with one that has a [case] first, or name another --folder",
                self.folder
            ))),
        }
    }
}

/// Takes a folder as a process would that runs in it.
fn hold(of: &ModelsOf, clock: &Clock) -> Result<(Folder, Holds), Failure> {
    let path = &of.folder;
    if Folder::look(path).map_err(ports::Error::from)?.is_none() {
        return Err(Failure::failed(format!(
            "{} holds nothing yet: start `headway run` first, or name another --folder",
            path.display()
        )));
    }
    let log = path.join("log");
    let holds = if log.is_dir() {
        Holds::Log(EmbeddedLog::open(io_log::Settings::new(log), clock.clone())?)
    } else {
        Holds::Folder(Held::take(path)?)
    };
    Ok((opened(Folder::open(path))?, holds))
}

/// Joins those that share a folder, under a name that none of them has: theirs are names of pods and machines.
fn among_others(path: &Path) -> Result<(Folder, Holds), Failure> {
    if Folder::look(path).map_err(ports::Error::from)?.is_none() || path.join("log").is_dir() || Held::named(path).is_some() {
        return Err(Failure::failed(format!(
            "{} is not a folder that processes share: name the one of `headway run --shared`, or one of a single process by --folder",
            path.display()
        )));
    }
    let name = format!("models.{}", std::process::id());
    Ok((opened(Folder::open_among(path, &name))?, Holds::Shared(path.join("unfinished").join(name))))
}

fn opened(folder: Result<Folder, io_folder::Error>) -> Result<Folder, Failure> {
    Ok(folder.map_err(ports::Error::from)?)
}
