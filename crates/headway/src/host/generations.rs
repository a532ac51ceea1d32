//! One pipeline of a host: its deployment, the workers of each generation, and the change from one to the next.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dataplane::{
    Topics, deploy,
    features::{Plan, Watch},
    past::{self, Incomplete},
};
use futures_util::future::join_all;
use pipeline::Pipeline;
use ports::{AuditEntry, Catalog, Deployment, Log, OnlineStore, Serving, Share};

use super::{
    Failed, Host,
    crew::Crew,
    lag::{all_bounds, position},
    models::{self, Speaker},
    outcomes::Outcomes,
    readers,
    running::{Running, plan},
    scorers::Scorers,
    warehouse::Rows,
};
use crate::{failure::Failure, parts::AnyOnline};

/// How often it is looked whether a generation that is being built has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After how long a promotion that a server refused for now is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Groups that one announcement names: what fits two lines of a terminal.
const INCOMPLETE_NAMED: usize = 4;

/// A pipeline of a host.
pub(crate) struct Hosted {
    pub(crate) id: String,
    /// The spec in force.
    pipeline: Arc<Pipeline>,
    topics: Topics,
    /// What its workers count. Two pipelines number their generations alike, so each has its own.
    pub(crate) watch: Watch,
    /// Where its vectors are read.
    pub(crate) online: AnyOnline,
    /// Whoever predicts its cases; none where nothing is predicted.
    pub(crate) scorers: Option<Scorers>,
    /// Which model they ask.
    pub(crate) speaker: Option<Speaker>,
    /// What becomes of what they say.
    pub(crate) outcomes: Option<Outcomes>,
    /// Both as rows.
    pub(crate) rows: Option<Rows>,
    state: Mutex<State>,
}

struct State {
    deployment: Deployment,
    running: BTreeMap<u32, Running>,
    /// Those that predict, and those of the roles after them.
    crews: Vec<Crew>,
}

impl Hosted {
    /// A pipeline as the catalog has it.
    pub(super) async fn deployed(host: &Host, id: &str) -> Result<Arc<Self>, Failure> {
        let deployment = host.catalog.deployment(id).await?;
        let deployment =
            deployment.ok_or_else(|| Failure::failed(format!("{id} was never run in this folder: name its folder.")))?;
        Self::resumed(host, pipeline::parse(id, &deployment.spec)?, deployment)
    }

    /// A pipeline that goes on as it was.
    pub(super) fn resumed(host: &Host, pipeline: Pipeline, deployment: Deployment) -> Result<Arc<Self>, Failure> {
        let (id, revision, groups) = (&pipeline.id, deployment.revision, deployment.groups.len());
        host.announce(format!("{id}: resumed at revision {revision}, {groups} groups."));
        Self::new(host, pipeline, deployment)
    }

    pub(super) fn new(host: &Host, pipeline: Pipeline, deployment: Deployment) -> Result<Arc<Self>, Failure> {
        let state = Mutex::new(State { deployment, running: BTreeMap::new(), crews: Vec::new() });
        let (id, topics, watch) = (pipeline.id.clone(), Topics::new(&pipeline), Watch::default());
        let online = AnyOnline::open(&host.options.servers, host.clock(), &id)?;
        let scorers = Scorers::new(&pipeline)?;
        let speaker = scorers.as_ref().map(Speaker::new);
        let (outcomes, rows) = (Outcomes::new(&pipeline), Rows::new(&pipeline));
        let pipeline = Arc::new(pipeline);
        Ok(Arc::new(Self { id, topics, pipeline, watch, online, scorers, speaker, outcomes, rows, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deployment(&self) -> Deployment {
        self.state().deployment.clone()
    }

    /// The spec in force.
    pub(crate) fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }

    /// The topics of the spec in force.
    pub(crate) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The plan of each generation that runs.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        self.state().running.values().map(|running| running.plan.clone()).collect()
    }

    pub(super) fn builds(&self) -> bool {
        self.state().deployment.groups.iter().any(|deployed| deployed.replaces.is_some())
    }

    /// Creates the topics of every generation that is needed.
    pub(super) async fn create_topics(&self, host: &Host) -> Result<(), Failure> {
        let deployment = self.deployment();
        for generation in &deploy::generations(&deployment) {
            let plan = plan(host, &deployment, generation).await?;
            let specs = plan.topics.specs(plan.generation, plan.partitions, Host::retention());
            host.parts.log.create(&specs).await?;
            for remark in host.parts.log.beneath().remarks(&specs, &plan.pipeline).await? {
                host.announce(format!("{}: {remark}.", self.id));
            }
        }
        let specs = self.topics.case_specs(&self.pipeline, host.partitions, Host::retention());
        if !specs.is_empty() {
            host.parts.log.create(&specs).await?;
        }
        Ok(())
    }

    /// Starts the workers of every generation that is needed.
    pub(super) async fn start(self: &Arc<Self>, host: &Arc<Host>) -> Result<(), Failure> {
        self.announce_incomplete(host).await?;
        if let Some(speaker) = &self.speaker {
            // Before anything is predicted: the first word is the champion's.
            speaker.look(&host.registry(), &self.pipeline, true).await;
            tokio::spawn(models::follow(self.clone(), host.registry()));
        }
        self.run_what_is_needed(host).await?;
        if let (Some(scorers), Some(outcomes), Some(rows)) = (&self.scorers, &self.outcomes, &self.rows) {
            // Before the first word as well: it says what outcomes have taught by now.
            let tuning = outcomes.tune(host, scorers.predictors()).await?;
            let first = tuning.into_iter().chain([scorers.start(host, &self.online)]);
            self.state().crews = first.chain(outcomes.start(host)).chain([rows.start(host)]).collect();
        }
        // Whoever asks as soon as it answers finds what is there; a store that is away is told later.
        let _ = self.tell_readers().await;
        tokio::spawn(readers::keep_told(self.clone()));
        if self.builds() {
            tokio::spawn(promote_when_built(self.clone(), host.clone()));
        }
        Ok(())
    }

    /// Windows that begin before the log does are not full yet: those of a log that is young, and of one that retention has cut
    /// for a group that is being built. Groups that are served have seen more than the log still has.
    async fn announce_incomplete(&self, host: &Host) -> Result<(), Failure> {
        let begins = past::beginnings(host.parts.log.beneath(), &self.topics, host.partitions).await?;
        let mut groups = past::incomplete(&self.pipeline, &self.topics, |topic| begins[topic], host.clock().now());
        let deployment = self.deployment();
        let builds = |name: &str| deployment.groups.iter().any(|deployed| deployed.group == name && deployed.replaces.is_some());
        groups.retain(|group| !group.begins.cut || builds(&group.group));
        groups.sort_by_key(|group| group.until);
        let Some(last) = groups.last() else { return Ok(()) };
        let named = |group: &Incomplete| format!("{} until {}", group.group, group.until);
        let mut names: Vec<String> = groups.iter().take(INCOMPLETE_NAMED).map(named).collect();
        if groups.len() > names.len() {
            names.push(format!("{} more, the last until {}", groups.len() - names.len(), last.until));
        }
        let (id, begins) = (&self.id, last.begins.at);
        host.announce(format!(
            "{id}: the log begins at {begins}, so the windows of some groups are not full yet: {}.",
            names.join("; ")
        ));
        Ok(())
    }

    async fn run_what_is_needed(&self, host: &Arc<Host>) -> Result<(), Failure> {
        let deployment = self.deployment();
        let needed = deploy::generations(&deployment);
        for generation in &needed {
            if self.state().running.contains_key(&generation.number) {
                continue;
            }
            let running = Running::start(host, &self.watch, &self.online, plan(host, &deployment, generation).await?);
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

    /// Whether a generation is nowhere behind those that it will replace, but for what its partitions have still to hear of each other.
    async fn has_caught_up(&self, host: &Host, number: u32) -> Result<bool, Failure> {
        let (plans, deployment) = (self.plans(), self.deployment());
        let replaced =
            deployment.groups.iter().filter(|deployed| deployed.generation == number).filter_map(|deployed| deployed.replaces);
        let replaced: Vec<u32> = replaced.filter(|replaced| *replaced > 0).collect();
        let Some(plan) = plans.iter().find(|plan| plan.generation == number) else { return Ok(false) };
        let built = plan.committed(&host.parts.log).await?;
        let mut others = Vec::new();
        for other in plans.iter().filter(|plan| replaced.contains(&plan.generation)) {
            others.push(other.committed(&host.parts.log).await?);
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
        self.is_written(plan).await
    }

    /// Whether readers have all that was committed of a generation.
    pub(super) async fn is_written(&self, plan: &Plan) -> Result<bool, Failure> {
        for partition in 0..plan.partitions {
            if !self.has_written(plan.generation, partition).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same of one partition: by what was counted if it is this process's, and otherwise by what the online store knows.
    pub(super) async fn has_written(&self, generation: u32, partition: u32) -> Result<bool, Failure> {
        match self.watch.counts().get(&(generation, partition)) {
            Some(counts) => Ok(counts.written),
            None => Ok(self.online.write(Share { generation, partition }, &[]).await?.marked),
        }
    }

    /// Up to where the partitions of a generation have sent each other what they know.
    async fn sent(&self, host: &Host, plan: &Plan) -> Result<Vec<u64>, Failure> {
        let topic = plan.topics.partials(plan.generation);
        let all = all_bounds(host.parts.log.beneath(), vec![topic], plan.partitions).await?;
        Ok(all.into_iter().map(|(_, _, bounds)| bounds.next).collect())
    }

    /// Whether everything up to there has come, and is written.
    async fn has_heard(&self, host: &Host, plan: &Plan, sent: &[u64]) -> Result<bool, Failure> {
        let committed = plan.committed(&host.parts.log).await?;
        let topic = plan.topics.partials(plan.generation);
        let heard = (0..plan.partitions).zip(sent).all(|(partition, end)| position(&committed, &topic, partition) >= *end);
        // A commit that is not yet written says so before it is made, so this is asked last.
        Ok(heard && self.is_written(plan).await?)
    }

    /// Waits until readers may read a generation.
    async fn built(&self, host: &Host, number: u32) -> Result<(), Failure> {
        while !self.has_caught_up(host, number).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let plans = self.plans();
        let Some(plan) = plans.iter().find(|plan| plan.generation == number) else { return Ok(()) };
        let sent = self.sent(host, plan).await?;
        while !self.has_heard(host, plan, &sent).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
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
        self.online.serve(&deploy::serving(&next)).await?;
        self.state().deployment = next;
        self.run_what_is_needed(host).await?;
        for old in before.groups.iter().filter(|deployed| deployed.generation == number) {
            if let Some(generation) = old.replaces.filter(|replaced| *replaced > 0) {
                self.online.forget(&Serving { group: old.group.clone(), generation }).await?;
            }
        }
        host.announce(format!("{}: {detail}.", self.id));
        Ok(())
    }

    pub(super) async fn stop(&self) -> Result<(), Failure> {
        let (crews, running) = {
            let mut state = self.state();
            (std::mem::take(&mut state.crews), std::mem::take(&mut state.running))
        };
        let crews = crews.into_iter().chain(running.into_values().map(Running::into_crew));
        // All of them are told first, and what one could not do keeps no other from what it has to.
        join_all(crews.map(Crew::stop)).await.into_iter().collect()
    }
}

async fn promote_when_built(hosted: Arc<Hosted>, host: Arc<Host>) {
    while let Some(number) =
        hosted.deployment().groups.iter().find(|deployed| deployed.replaces.is_some()).map(|deployed| deployed.generation)
    {
        let promoted = match hosted.built(&host, number).await {
            Ok(()) => hosted.promote(&host, number).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = promoted {
            if failure.is_transient() {
                tokio::time::sleep(TRY_AGAIN).await;
                continue;
            }
            return host.fail(Failed {
                why: format!("generation {number} of {} cannot be served: {}", hosted.id, failure.message),
                is_setting: failure.is_setting(),
            });
        }
    }
}
