//! The warehouse role of one pipeline: whoever writes what was predicted and what became of it as rows, and the folds that make files
//! of them which other programs read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dataplane::{
    Topics,
    warehouse::{Parts, Watch, Worker},
};
use pipeline::Pipeline;

use super::{
    Host,
    crew::Crew,
    lag::{Followed, Follower},
};

/// The writer's name where no other process shares the work.
const ALONE: &str = "one";
/// How often rows are folded into files although they are few: a file for each hour, partition and table is not too many for anybody.
const FOLD_EVERY: Duration = Duration::from_secs(3600);

/// What is there for the rows of a pipeline, whether its worker runs or not.
pub(crate) struct Rows {
    pipeline: String,
    topics: Topics,
    /// What its worker counts.
    pub(crate) watch: Watch,
}

impl Rows {
    /// None where nothing is predicted.
    pub(super) fn new(pipeline: &Pipeline) -> Option<Self> {
        pipeline.case.as_ref()?;
        Some(Self { pipeline: pipeline.id.clone(), topics: Topics::new(pipeline), watch: Watch::default() })
    }

    /// One worker, since it waits for a disk or a server most of the time.
    pub(super) fn start(&self, host: &Arc<Host>) -> Crew {
        Crew::of_one(host, host.options.member("warehouse", 0), |name, stopped| {
            let writer = host.options.replica.clone().unwrap_or_else(|| ALONE.to_owned());
            let parts = Parts { log: host.parts.log.clone(), warehouse: host.warehouse.clone(), writer };
            Worker::new(&self.pipeline, &self.topics, parts, self.watch.clone(), name.to_owned()).run(stopped)
        })
    }

    /// The group that it is, for whoever wants to know how far it is.
    pub(super) fn followed(&self, partitions: u32) -> (Follower, Followed) {
        let topics = vec![self.topics.predictions(), self.topics.outcomes()];
        (Follower::Warehouse, Followed { group: self.topics.warehouse_group(), topics, partitions })
    }

    /// What a person should hear since this was last asked.
    pub(super) fn take_words(&self) -> Option<String> {
        Some(format!("{}: {}", self.pipeline, self.watch.take_words()?))
    }
}

/// Folds now and then, for as long as the process lives.
pub(super) async fn fold_now_and_then(host: Arc<Host>) {
    loop {
        tokio::time::sleep(FOLD_EVERY).await;
        host.fold(FOLD_EVERY).await;
    }
}

impl Host {
    /// Makes files of all rows, as far as it gets in this time. They are safe without it, so that it does not matter here whether it works.
    pub(crate) async fn fold(&self, time: Duration) {
        let is_time = Arc::new(AtomicBool::new(true));
        let asked = is_time.clone();
        let folding = self.warehouse.fold_while(move || asked.load(Ordering::Relaxed));
        let folded = tokio::time::timeout(time, folding).await;
        // What has been begun goes on to its end in any case.
        is_time.store(false, Ordering::Relaxed);
        if let Ok(Err(error)) = folded {
            tracing::warn!(%error, "rows of the warehouse are not folded into files");
        }
    }
}
