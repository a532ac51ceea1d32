//! One pipeline of a host: its deployment, the workers of each generation, and the change from one to the next.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use dataplane::{
    Topics,
    deploy::{self, Change, Fate},
    features::{Plan, Settings, Watch, Worker},
};
use domain::Schema;
use pipeline::{Pipeline, SourceKind};
use ports::{Artifacts, AuditEntry, Built, Catalog, Deployment, Log, OnlineStore, Serving};
use tokio::{
    sync::watch::{Sender, channel},
    task::JoinHandle,
};

use super::{Host, lag::position};
use crate::failure::Failure;

/// How often it is looked whether a generation that is being built has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A pipeline of a host.
pub(crate) struct Hosted {
    pub(crate) id: String,
    /// What its workers count. Two pipelines number their generations alike, so each has its own.
    pub(crate) watch: Watch,
    state: Mutex<State>,
}

struct State {
    deployment: Deployment,
    running: BTreeMap<u32, Running>,
}

/// The workers of one generation.
struct Running {
    plan: Plan,
    stop: Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Hosted {
    /// The pipeline of a folder: deployed if it is new or has changed.
    pub(super) async fn deploy(host: &Host, folder: &Path) -> Result<Arc<Self>, Failure> {
        let pipeline = pipeline::load(folder)?;
        let spec_file = folder.join("pipeline.toml");
        let spec = std::fs::read_to_string(&spec_file).map_err(|error| Failure::reading(&spec_file, &error))?;
        keep_files(host, folder, &pipeline).await?;
        let current = host.catalog.deployment(&pipeline.id).await?;
        let before = match &current {
            Some(current) => named_schemas(&pipeline::parse(&pipeline.id, &current.spec)?),
            None => Vec::new(),
        };
        let after = named_schemas(&pipeline);
        let changes = deploy::changes(current.as_ref(), &before, &after);
        let at = host.clock().now();
        let next = deploy::next(current.as_ref(), &pipeline.id, &spec, &after, &changes, at);
        let deployment = match (next, current) {
            (None, Some(current)) => {
                host.announce(format!(
                    "{}: resumed at revision {}, {} groups.",
                    pipeline.id,
                    current.revision,
                    current.groups.len()
                ));
                current
            }
            (Some(next), current) => {
                let action = format!("deploy {}", pipeline.id);
                let detail = words(&changes);
                host.catalog.deploy(&next, &AuditEntry { at, actor: "run".into(), action, detail: detail.clone() }).await?;
                let how = if current.is_some() {
                    format!("revision {}: {detail}", next.revision)
                } else {
                    format!("fresh, {} groups", next.groups.len())
                };
                host.announce(format!("{}: {how}.", pipeline.id));
                next
            }
            (None, None) => return Err(Failure::failed(format!("{} has no groups: there is nothing to run.", pipeline.id))),
        };
        Ok(Self::with(pipeline.id, deployment))
    }

    /// A pipeline as the catalog has it.
    pub(super) async fn deployed(host: &Host, id: &str) -> Result<Arc<Self>, Failure> {
        let deployment = host.catalog.deployment(id).await?;
        let deployment =
            deployment.ok_or_else(|| Failure::failed(format!("{id} was never run in this folder: name its folder.")))?;
        let (revision, groups) = (deployment.revision, deployment.groups.len());
        host.announce(format!("{id}: resumed at revision {revision}, {groups} groups."));
        Ok(Self::with(id.to_owned(), deployment))
    }

    fn with(id: String, deployment: Deployment) -> Arc<Self> {
        Arc::new(Self { id, watch: Watch::default(), state: Mutex::new(State { deployment, running: BTreeMap::new() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deployment(&self) -> Deployment {
        self.state().deployment.clone()
    }

    /// The topics of events.
    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        let pipeline = pipeline::parse(&self.id, &self.state().deployment.spec);
        pipeline.map_or(Vec::new(), |pipeline| Topics::new(&pipeline).inputs().iter().map(|(name, _)| name.clone()).collect())
    }

    /// The plan of each generation that runs.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        self.state().running.values().map(|running| running.plan.clone()).collect()
    }

    pub(super) fn builds(&self) -> bool {
        self.state().deployment.groups.iter().any(|deployed| deployed.replaces.is_some())
    }

    pub(super) fn partitions_wanted(&self, host: &Host) -> usize {
        self.state().running.len() * host.partitions as usize
    }

    /// Creates the topics of every generation that is needed.
    pub(super) async fn create_topics(&self, host: &Host) -> Result<(), Failure> {
        let deployment = self.deployment();
        for generation in &deploy::generations(&deployment) {
            let plan = plan(host, &deployment, generation).await?;
            host.parts.log.create(&plan.topics.specs(plan.generation, plan.partitions, Host::retention())).await?;
        }
        Ok(())
    }

    /// Starts the workers of every generation that is needed.
    pub(super) async fn start(self: &Arc<Self>, host: &Arc<Host>) -> Result<(), Failure> {
        self.run_what_is_needed(host).await?;
        host.parts.online.serve(&deploy::serving(&self.deployment())).await?;
        if self.builds() {
            tokio::spawn(promote_when_built(self.clone(), host.clone()));
        }
        Ok(())
    }

    async fn run_what_is_needed(&self, host: &Arc<Host>) -> Result<(), Failure> {
        let deployment = self.deployment();
        let needed = deploy::generations(&deployment);
        for generation in &needed {
            if self.state().running.contains_key(&generation.number) {
                continue;
            }
            let running = Running::start(host, &self.watch, plan(host, &deployment, generation).await?);
            self.state().running.insert(generation.number, running);
        }
        let gone: Vec<u32> = self
            .state()
            .running
            .keys()
            .filter(|number| needed.iter().all(|generation| generation.number != **number))
            .copied()
            .collect();
        for number in gone {
            let running = self.state().running.remove(&number);
            if let Some(running) = running {
                running.stop().await?;
            }
        }
        Ok(())
    }

    /// Whether a generation is nowhere behind those that it will replace.
    async fn has_caught_up(&self, host: &Host, number: u32) -> Result<bool, Failure> {
        let (plans, deployment) = (self.plans(), self.deployment());
        let replaced =
            deployment.groups.iter().filter(|deployed| deployed.generation == number).filter_map(|deployed| deployed.replaces);
        let replaced: Vec<u32> = replaced.filter(|replaced| *replaced > 0).collect();
        let Some(plan) = plans.iter().find(|plan| plan.generation == number) else { return Ok(false) };
        let built = host.parts.log.committed(&plan.topics.features_group(number)).await?;
        let mut others = Vec::new();
        for number in replaced {
            others.push(host.parts.log.committed(&plan.topics.features_group(number)).await?);
        }
        for (topic, _) in plan.topics.inputs() {
            for partition in 0..plan.partitions {
                let next = host.parts.log.bounds(topic, partition).await?.next;
                let wanted = others.iter().map(|other| position(other, topic, partition)).max().unwrap_or(next);
                if position(&built, topic, partition) < wanted {
                    return Ok(false);
                }
            }
        }
        let counts = self.watch.counts();
        let written = (0..plan.partitions).all(|partition| counts.get(&(number, partition)).is_some_and(|counts| counts.written));
        Ok(written)
    }

    /// Makes readers read a generation that has caught up, and ends the one before.
    async fn promote(&self, host: &Arc<Host>, number: u32) -> Result<(), Failure> {
        let before = self.deployment();
        let at = host.clock().now();
        let next = deploy::promoted(&before, number, at);
        let groups: Vec<&str> =
            next.groups.iter().filter(|deployed| deployed.generation == number).map(|deployed| &*deployed.group).collect();
        let detail = format!("generation {number} is built and served: {}", groups.join(", "));
        let entry = AuditEntry { at, actor: "run".into(), action: format!("promote {}", self.id), detail: detail.clone() };
        host.catalog.deploy(&next, &entry).await?;
        host.parts.online.serve(&deploy::serving(&next)).await?;
        self.state().deployment = next;
        self.run_what_is_needed(host).await?;
        for old in before.groups.iter().filter(|deployed| deployed.generation == number) {
            if let Some(generation) = old.replaces.filter(|replaced| *replaced > 0) {
                host.parts.online.forget(&Serving { group: old.group.clone(), generation }).await?;
            }
        }
        host.announce(format!("{}: {detail}.", self.id));
        Ok(())
    }

    pub(super) async fn stop(&self) -> Result<(), Failure> {
        let running = std::mem::take(&mut self.state().running);
        for running in running.into_values() {
            running.stop().await?;
        }
        Ok(())
    }
}

impl Running {
    fn start(host: &Arc<Host>, watch: &Watch, plan: Plan) -> Self {
        let (stop, stopped) = channel(false);
        let hurried = |span: Duration| span.mul_f64(host.options.pace.hurry().max(1.0));
        let settings = Settings::default();
        let settings =
            Settings { snapshot_every: hurried(settings.snapshot_every), probe_every: hurried(settings.probe_every), ..settings };
        let worker = |number: usize| {
            let (host, stopped) = (host.clone(), stopped.clone());
            let name = format!("features-{number}");
            let life = (host.clock().now().0.unsigned_abs() << 16) | number as u64;
            let worker = Worker::new(plan.clone(), settings.clone(), host.parts.clone(), watch.clone(), name.clone(), life);
            let worker = worker.linked_by(crate::telemetry::linker());
            tokio::spawn(async move {
                // In a task of its own, so that a panic is heard of as well.
                match tokio::spawn(worker.run(stopped)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => host.fail(format!("worker {name} had to stop: {error}")),
                    Err(panic) => host.fail(format!("worker {name} broke down, which is a fault of Headway: {panic}")),
                }
            })
        };
        let workers = (0..host.options.workers).map(worker).collect();
        Self { plan, stop, workers }
    }

    async fn stop(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        for worker in self.workers {
            worker.await.map_err(|error| Failure::failed(format!("a worker broke down while stopping: {error}")))?;
        }
        Ok(())
    }
}

async fn promote_when_built(hosted: Arc<Hosted>, host: Arc<Host>) {
    while let Some(number) =
        hosted.deployment().groups.iter().find(|deployed| deployed.replaces.is_some()).map(|deployed| deployed.generation)
    {
        let promoted = match hosted.has_caught_up(&host, number).await {
            Ok(true) => hosted.promote(&host, number).await,
            Ok(false) => Ok(()),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = promoted {
            return host.fail(format!("generation {number} of {} cannot be served: {}", hosted.id, failure.message));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn plan(host: &Host, deployment: &Deployment, generation: &deploy::Generation) -> Result<Plan, Failure> {
    let id = &deployment.pipeline;
    let Some(Built { spec, .. }) = deployment.generations.iter().find(|built| built.generation == generation.number) else {
        return Err(Failure::failed(format!(
            "the catalog lacks the spec of generation {} of {id}: it is damaged",
            generation.number
        )));
    };
    let pipeline = pipeline::parse(id, spec)?.with_groups(|group| generation.groups.contains(group));
    let files = kept_files(host, &pipeline).await?;
    let topics = Topics::new(&pipeline);
    Ok(Plan { pipeline: Arc::new(pipeline), generation: generation.number, partitions: host.partitions, topics, files })
}

/// The file tables of a pipeline, as they were when it was deployed.
pub(super) async fn kept_files(host: &Host, pipeline: &Pipeline) -> Result<Vec<(usize, Arc<str>)>, Failure> {
    let mut files = Vec::new();
    for (place, source) in pipeline.sources.iter().enumerate() {
        if let SourceKind::File { .. } = source.kind {
            let text = host.parts.artifacts.get(&file_name(&pipeline.id, &source.name)).await?.unwrap_or_default();
            files.push((place, String::from_utf8_lossy(&text).into()));
        }
    }
    Ok(files)
}

/// Keeps the file tables of a pipeline where its workers find them.
async fn keep_files(host: &Host, folder: &Path, pipeline: &Pipeline) -> Result<(), Failure> {
    for source in &pipeline.sources {
        if let SourceKind::File { path, .. } = &source.kind {
            let file = folder.join(path);
            let bytes = std::fs::read(&file).map_err(|error| Failure::reading(&file, &error))?;
            host.parts.artifacts.put(&file_name(&pipeline.id, &source.name), Bytes::from(bytes)).await?;
        }
    }
    Ok(())
}

fn file_name(pipeline: &str, source: &str) -> String {
    format!("files/{pipeline}/{source}")
}

pub(super) fn named_schemas(pipeline: &Pipeline) -> Vec<(String, Schema)> {
    pipeline.groups.iter().map(|group| group.name.clone()).zip(features::schemas(pipeline)).collect()
}

pub(super) fn words(changes: &[Change]) -> String {
    let of = |fate: Fate, word: &str| {
        let names: Vec<&str> = changes.iter().filter(|change| change.fate == fate).map(|change| &*change.group).collect();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
    };
    let parts = [of(Fate::Added, "adds"), of(Fate::Rebuilt, "rebuilds"), of(Fate::Removed, "removes")];
    parts.into_iter().flatten().collect::<Vec<String>>().join("; ")
}
