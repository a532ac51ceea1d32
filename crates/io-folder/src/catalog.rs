//! The catalog: a file for each pipeline, one for its models, and one trail of what was done.
//!
//! A deployment becomes true with one rename, and so does a decision about models. Its audit entry travels in the same file, and a
//! trail that lacks it - a crash, a full disk - is completed from there, so the two never disagree. Never keeps either in memory: the
//! file is the truth.

mod trail;
mod wire;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ports::{AuditEntry, Catalog, Deployment, Models};

use crate::{
    Disk, Error,
    disk::{self, blocking},
    sealed,
};
use trail::Trail;
use wire::{DeploymentFile, Line, ModelsFile, Revised};

const EXTENSION: &str = ".json";
/// The folder of the files about models: a pipeline of that name has a file beside it, not in it.
const MODELS: &str = "models";
const TRAIL: &str = "audit.jsonl";
/// Whoever has locked this file may write.
const TURN: &str = "turn";
/// File systems allow 255 bytes, and the extension needs some.
const PIPELINE_BYTES_MAX: usize = 200;

/// A catalog in a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FolderCatalog {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    root: PathBuf,
    trail: Trail,
    /// Whether a deployment may be in force whose entry the trail lacks.
    behind: bool,
    /// Other processes write here too: each waits for its turn, and looks at what they wrote before.
    among_others: bool,
}

impl FolderCatalog {
    pub(crate) fn open(disk: Disk, root: PathBuf) -> Result<Self, Error> {
        disk.create_folder(&root.join(MODELS))?;
        let trail = Trail::open(&disk, root.join(TRAIL))?;
        let mut shared = Shared { disk, root, trail, behind: true, among_others: false };
        shared.catch_up()?;
        Ok(Self { shared: Arc::new(Mutex::new(shared)) })
    }

    /// One that other processes write to as well, each in its turn.
    pub(crate) fn open_among(disk: Disk, root: PathBuf) -> Result<Self, Error> {
        disk.create_folder(&root)?;
        let _turn = turn(&root)?;
        let catalog = Self::open(disk, root)?;
        catalog.shared.lock().map_err(Error::poisoned)?.among_others = true;
        Ok(catalog)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ports::Error> {
        let shared = Arc::clone(&self.shared);
        blocking(move || work(&mut *shared.lock().map_err(Error::poisoned)?)).await
    }
}

impl Catalog for FolderCatalog {
    async fn pipelines(&self) -> Result<Vec<String>, ports::Error> {
        self.run(|shared| {
            let named = |(name, is_folder): (String, bool)| Some(name.strip_suffix(EXTENSION)?.to_owned()).filter(|_| !is_folder);
            let mut pipelines: Vec<String> = disk::entries(&shared.root)?.into_iter().filter_map(named).collect();
            pipelines.sort();
            Ok(pipelines)
        })
        .await
    }

    async fn deployment(&self, pipeline: &str) -> Result<Option<Deployment>, ports::Error> {
        let pipeline = checked(pipeline)?;
        self.run(move |shared| Ok(read(&path(&shared.root, &pipeline))?.map(DeploymentFile::into_deployment))).await
    }

    async fn deploy(&self, deployment: &Deployment, audit: &AuditEntry) -> Result<(), ports::Error> {
        checked(&deployment.pipeline)?;
        let file = DeploymentFile::new(deployment, audit);
        self.run(move |shared| shared.in_turn(|shared| shared.revise(&shared.root.clone(), &file))).await
    }

    async fn models(&self, pipeline: &str) -> Result<Option<Models>, ports::Error> {
        let pipeline = checked(pipeline)?;
        self.run(move |shared| Ok(read(&path(&shared.models(), &pipeline))?.map(ModelsFile::into_models))).await
    }

    async fn choose(&self, models: &Models, audit: &AuditEntry) -> Result<(), ports::Error> {
        checked(&models.pipeline)?;
        let file = ModelsFile::new(models, audit);
        self.run(move |shared| shared.in_turn(|shared| shared.revise(&shared.models(), &file))).await
    }

    async fn record(&self, entry: &AuditEntry) -> Result<(), ports::Error> {
        let line = Line::of(entry);
        self.run(move |shared| {
            shared.in_turn(|shared| {
                shared.catch_up()?;
                shared.trail.append(&shared.disk, &line)
            })
        })
        .await
    }

    async fn audit(&self, entries_max: usize) -> Result<Vec<AuditEntry>, ports::Error> {
        self.run(move |shared| {
            let mut lines = shared.trail.lines()?;
            if shared.behind {
                lines.extend(shared.missing(&lines)?);
            }
            Ok(lines.into_iter().rev().take(entries_max).map(Line::into_entry).collect())
        })
        .await
    }
}

impl Shared {
    /// Does something while no other process writes.
    fn in_turn<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if !self.among_others {
            return work(self);
        }
        let _turn = turn(&self.root)?;
        self.trail = Trail::open(&self.disk, self.root.join(TRAIL))?;
        self.behind = true;
        work(self)
    }

    fn models(&self) -> PathBuf {
        self.root.join(MODELS)
    }

    /// Puts the next revision of a file in force.
    fn revise<F: Revised>(&mut self, folder: &Path, file: &F) -> Result<(), Error> {
        // The entry of the revision before is in its file alone until the trail has it, and that file goes now.
        self.catch_up()?;
        let path = path(folder, file.pipeline());
        let in_force = read::<F>(&path)?.map_or(0, |file| file.revision());
        if in_force.checked_add(1) != Some(file.revision()) {
            return Err(Error::Overtaken(format!(
                "revision {} of the {} of `{}` cannot follow revision {in_force}, which is in force: read it again and decide anew",
                file.revision(),
                F::KIND,
                file.pipeline()
            )));
        }
        self.behind = true;
        sealed::write(&self.disk, &path, F::KIND, file)?;
        // It is in force and its entry is safe. If the trail cannot take it now, it will before anything else.
        let _ = self.catch_up();
        Ok(())
    }

    /// Gives the trail what it lacks.
    fn catch_up(&mut self) -> Result<(), Error> {
        if self.behind {
            for line in self.missing(&self.trail.lines()?)? {
                self.trail.append(&self.disk, &line)?;
            }
            self.behind = false;
        }
        Ok(())
    }

    /// The entries of revisions in force that are not among these lines.
    fn missing(&self, lines: &[Line]) -> Result<Vec<Line>, Error> {
        let mut in_force: Vec<Line> = all::<DeploymentFile>(&self.root)?.iter().map(Revised::line).collect();
        in_force.extend(all::<ModelsFile>(&self.models())?.iter().map(Revised::line));
        let is_there = |line: &Line| {
            let same = |other: &Line| (&other.deployed, &other.chosen) == (&line.deployed, &line.chosen);
            lines.iter().rev().any(same)
        };
        in_force.retain(|line| !is_there(line));
        Ok(in_force)
    }
}

fn path(folder: &Path, pipeline: &str) -> PathBuf {
    folder.join(format!("{pipeline}{EXTENSION}"))
}

fn read<F: Revised>(path: &Path) -> Result<Option<F>, Error> {
    sealed::read(path, F::KIND, F::ADVICE)
}

/// All files of a kind in a folder, in order of their pipelines.
fn all<F: Revised>(folder: &Path) -> Result<Vec<F>, Error> {
    let mut files = Vec::new();
    for (name, is_folder) in disk::entries(folder)? {
        if !is_folder && name.ends_with(EXTENSION) {
            files.extend(read(&folder.join(name))?);
        }
    }
    Ok(files)
}

/// Waits until no other process writes, and keeps it so until the file is dropped.
fn turn(root: &Path) -> Result<File, Error> {
    let path = root.join(TURN);
    let failed = |error| Error::file("lock", &path, error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// The deployments in a folder that is looked at and not held, in order of their pipelines.
pub(crate) fn deployments(root: &Path) -> Result<Vec<Deployment>, Error> {
    Ok(all(root)?.into_iter().map(DeploymentFile::into_deployment).collect())
}

fn checked(pipeline: &str) -> Result<String, Error> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = !pipeline.is_empty() && pipeline.len() <= PIPELINE_BYTES_MAX && !pipeline.starts_with('.');
    if fits && pipeline.bytes().all(known) {
        return Ok(pipeline.to_owned());
    }
    let name = pipeline.escape_debug();
    Err(Error::Refused(format!("`{name}` is no id of a pipeline: take letters, digits, `-`, `_` and `.`, at most 200 of them")))
}
