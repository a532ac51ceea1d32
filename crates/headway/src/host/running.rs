//! The workers of one generation: started together, stopped together. What they do is the data plane's.

use std::{sync::Arc, time::Duration};

use dataplane::{
    Topics, deploy,
    features::{Plan, Settings, Watch, Worker},
};
use ports::{Built, Deployment};
use tokio::sync::Barrier;

use super::{Host, crew::Crew, files::kept_files};
use crate::{failure::Failure, parts::AnyOnline};

/// Running workers.
pub(super) struct Running {
    pub(super) plan: Plan,
    crew: Crew,
}

impl Running {
    pub(super) fn start(host: &Arc<Host>, watch: &Watch, online: &AnyOnline, plan: Plan) -> Self {
        let hurried = |span: Duration| span.mul_f64(host.options.pace.hurry().max(1.0));
        let settings = Settings::default();
        let settings = Settings {
            snapshot_every: hurried(host.options.snapshot_every.unwrap_or(settings.snapshot_every)),
            probe_every: hurried(settings.probe_every),
            ..settings
        };
        let together = Arc::new(Barrier::new(host.options.workers));
        let began = host.clock().now().0.unsigned_abs() << 16;
        let mut number = 0;
        let names = (0..host.options.workers).map(|number| host.options.member("features", number));
        let crew = Crew::start(host, names, |name, stopped| {
            let life = began | number;
            number += 1;
            let (parts, watch) = (host.parts.with(online), watch.clone());
            let worker = Worker::new(plan.clone(), settings.clone(), parts, watch, name.to_owned(), life);
            worker.linked_by(crate::telemetry::linker()).joining_with(together.clone()).run(stopped)
        });
        Self { plan, crew }
    }

    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.crew.stop().await
    }

    /// Those who do the work, to be stopped beside others.
    pub(super) fn into_crew(self) -> Crew {
        self.crew
    }
}

/// What the workers of a generation are there for.
pub(super) async fn plan(host: &Host, deployment: &Deployment, generation: &deploy::Generation) -> Result<Plan, Failure> {
    let id = &deployment.pipeline;
    let Some(Built { spec, at, .. }) = deployment.generations.iter().find(|built| built.generation == generation.number) else {
        return Err(Failure::failed(format!(
            "the catalog lacks the spec of generation {} of {id}: it is damaged",
            generation.number
        )));
    };
    let pipeline = pipeline::parse(id, spec)?.with_groups(|group| generation.groups.contains(group));
    let files = kept_files(host, &pipeline).await?;
    let topics = Topics::new(&pipeline);
    Ok(Plan {
        pipeline: Arc::new(pipeline),
        generation: generation.number,
        partitions: host.partitions,
        topics,
        files,
        quiet_until: generation.builds.then_some(*at),
    })
}
