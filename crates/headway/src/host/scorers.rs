//! The scorer role of one pipeline: whoever predicts its cases, what they count, and how far behind the log they are.

use std::sync::Arc;

use dataplane::scorer::{Counts, Parts, Plan, Watch, Worker};
use pipeline::Pipeline;
use scoring::Remembered;

use super::{Host, crew::Crew, lag::Followed, predictors::Predictors};
use crate::{failure::Failure, parts::AnyOnline};

/// Workers of a process at most: on a server, half of the partitions are a shorter commit, and two commits go side by side.
const SIDE_BY_SIDE: usize = 2;

/// What is there for the cases of a pipeline, whether its workers run or not.
pub(crate) struct Scorers {
    pub(crate) plan: Plan,
    /// What its workers count.
    pub(crate) watch: Watch,
    /// What was read last of the online store, by them and for quotes.
    pub(crate) remembered: Arc<Remembered>,
    predictors: Predictors,
}

impl Scorers {
    /// None where nothing is predicted.
    pub(super) fn new(pipeline: &Pipeline) -> Result<Option<Self>, Failure> {
        let (Some(plan), Some(predictors)) = (Plan::new(pipeline), Predictors::new(pipeline)?) else { return Ok(None) };
        let remembered = Arc::new(Remembered::new(pipeline));
        Ok(Some(Self { plan, watch: Watch::default(), remembered, predictors }))
    }

    /// Who speaks of the cases.
    pub(crate) fn predictors(&self) -> &Predictors {
        &self.predictors
    }

    /// A prediction costs some microseconds, and its commit milliseconds, so more than a few workers have nothing to do.
    pub(super) fn start(&self, host: &Arc<Host>, online: &AnyOnline) -> Crew {
        let names = (0..host.options.workers.min(SIDE_BY_SIDE)).map(|number| host.options.member("scorer", number));
        Crew::start(host, names, |name, stopped| {
            let parts = Parts { log: host.parts.log.clone(), online: online.clone(), clock: host.clock().clone() };
            let (plan, watch) = (self.plan.clone(), self.watch.clone());
            let worker = Worker::new(plan, parts, self.predictors.follow(), watch, name.to_owned());
            let worker = worker.unwrap_or_else(|| panic!("a pipeline with a plan to predict has a case"));
            worker.remembering(self.remembered.clone()).run(stopped)
        })
    }

    /// The group that they are, for whoever wants to know how far it is.
    pub(super) fn followed(&self, partitions: u32) -> Followed {
        Followed { group: self.plan.topics.scorer_group(), topics: self.plan.reads(), partitions }
    }
}

impl Host {
    /// What those have counted who predict; none where nothing is predicted.
    pub(crate) fn predictions(&self) -> Option<Counts> {
        let counts = self.hosted().into_iter().filter_map(|hosted| Some(hosted.scorers.as_ref()?.watch.counts()));
        counts.reduce(|mut counts, other| {
            counts.add(&other);
            counts
        })
    }
}
