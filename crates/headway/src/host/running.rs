//! The workers of one generation: started together, stopped together. What they do is the data plane's.

use std::{sync::Arc, time::Duration};

use dataplane::{
    Topics, deploy,
    features::{Plan, Settings, Watch, Worker},
};
use ports::{Built, Deployment, ErrorKind};
use tokio::{
    sync::{
        Barrier,
        watch::{Sender, channel},
    },
    task::JoinHandle,
};

use super::{Failed, Host, files::kept_files};
use crate::{failure::Failure, parts::AnyOnline};

/// Running workers.
pub(super) struct Running {
    pub(super) plan: Plan,
    stop: Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(host: &Arc<Host>, watch: &Watch, online: &AnyOnline, plan: Plan) -> Self {
        let (stop, stopped) = channel(false);
        let hurried = |span: Duration| span.mul_f64(host.options.pace.hurry().max(1.0));
        let settings = Settings::default();
        let settings = Settings {
            snapshot_every: hurried(host.options.snapshot_every.unwrap_or(settings.snapshot_every)),
            probe_every: hurried(settings.probe_every),
            ..settings
        };
        let together = Arc::new(Barrier::new(host.options.workers));
        let worker = |number: usize| {
            let (host, stopped) = (host.clone(), stopped.clone());
            let name = host.options.member(number);
            let life = (host.clock().now().0.unsigned_abs() << 16) | number as u64;
            let worker = Worker::new(plan.clone(), settings.clone(), host.parts.with(online), watch.clone(), name.clone(), life);
            let worker = worker.linked_by(crate::telemetry::linker()).joining_with(together.clone());
            tokio::spawn(async move {
                // In a task of its own, so that a panic is heard of as well.
                match tokio::spawn(worker.run(stopped)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => host.fail(Failed {
                        is_setting: matches!(&error, dataplane::Error::Port(error) if error.kind() == ErrorKind::Invalid),
                        why: format!("worker {name} had to stop: {error}"),
                    }),
                    Err(panic) => host.fail(Failed {
                        is_setting: false,
                        why: format!("worker {name} broke down, which is a fault of Headway: {panic}"),
                    }),
                }
            })
        };
        let workers = (0..host.options.workers).map(worker).collect();
        Self { plan, stop, workers }
    }

    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        for worker in self.workers {
            worker.await.map_err(|error| Failure::failed(format!("a worker broke down while stopping: {error}")))?;
        }
        Ok(())
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
