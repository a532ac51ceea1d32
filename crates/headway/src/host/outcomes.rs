//! The outcomes role of one pipeline: whoever joins predictions with what became of their cases, whoever learns from that, and the way
//! of what was learned to those that predict.

use std::sync::{Arc, Mutex, PoisonError};

use dataplane::{
    outcomes::{Counts, Follow, Learned, Learner, Parts, Worker},
    scorer::Plan,
};
use pipeline::{Case, Pipeline};

use super::{
    Host,
    crew::Crew,
    lag::{Followed, Follower},
    predictors::Predictors,
};
use crate::failure::Failure;

/// What is there for the outcomes of a pipeline, whether its workers run or not.
pub(crate) struct Outcomes {
    plan: Plan,
    case: Case,
    /// What its workers count, once they run.
    counts: Mutex<Counting>,
}

#[derive(Default)]
struct Counting {
    joined: Arc<Mutex<Counts>>,
    learned: Arc<Mutex<Learned>>,
}

impl Outcomes {
    /// None where nothing is predicted.
    pub(super) fn new(pipeline: &Pipeline) -> Option<Self> {
        let plan = Plan::new(pipeline)?;
        let case = plan.pipeline.case.clone()?;
        Some(Self { plan, case, counts: Mutex::default() })
    }

    /// Whether anything is learned here.
    pub(crate) fn learns(&self) -> bool {
        self.case.learns()
    }

    /// The name of a stage; empty where a case had reached none.
    pub(crate) fn stage(&self, stage: Option<usize>) -> String {
        stage.map_or(String::new(), |stage| self.case.stages[stage].name.clone())
    }

    /// What was counted since the start.
    pub(crate) fn counts(&self) -> Counts {
        let counting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counting.joined.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the learner of this process has done; nothing while another process learns.
    pub(crate) fn learned(&self) -> Learned {
        let counting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counting.learned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When this returns, what was learned last is applied; what is learned from then on is as soon as it is told.
    pub(super) async fn tune(&self, host: &Arc<Host>, predictors: &Predictors) -> Result<Option<Crew>, Failure> {
        if !self.learns() {
            return Ok(None);
        }
        let (log, topic) = (host.parts.log.clone(), self.plan.topics.adjustments());
        let (follow, last) = Follow::begin(log, topic, self.case.clone()).await?;
        last.into_iter().for_each(|tuning| predictors.tune(tuning));
        let predictors = predictors.clone();
        let tell = move |tuning| predictors.tune(tuning);
        Ok(Some(Crew::of_one(host, host.options.member("tuning", 0), |_, stopped| follow.run(tell, stopped))))
    }

    /// One worker, since joining costs some microseconds for each prediction; and one who learns when it is its turn.
    pub(super) fn start(&self, host: &Arc<Host>) -> Vec<Crew> {
        let mut counting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let joins = Crew::of_one(host, host.options.member("outcomes", 0), |name, stopped| {
            let worker = Worker::new(self.plan.clone(), host.parts.log.clone(), name.to_owned()).unwrap_or_else(no_case);
            counting.joined = worker.counts();
            worker.run(stopped)
        });
        let mut crews = vec![joins];
        if self.learns() {
            crews.push(Crew::of_one(host, host.options.member("tuner", 0), |name, stopped| {
                let (log, artifacts) = (host.parts.log.clone(), host.parts.artifacts.clone());
                let parts = Parts { log, artifacts, clock: host.clock().clone() };
                let learner = Learner::new(self.plan.clone(), parts, name.to_owned()).unwrap_or_else(no_case);
                counting.learned = learner.learned();
                learner.run(stopped)
            }));
        }
        crews
    }

    /// The groups that they are, for whoever wants to know how far they are.
    pub(super) fn followed(&self, host: &Host) -> Vec<(Follower, Followed)> {
        let topics = &self.plan.topics;
        let (group, read) = (topics.outcomes_group(), vec![topics.predictions(), topics.cases()]);
        let mut followed = vec![(Follower::Outcomes, Followed { group, topics: read, partitions: host.partitions })];
        if self.learns() {
            let (group, read) = (topics.tuner_group(), vec![topics.lessons()]);
            followed.push((Follower::Learner, Followed { group, topics: read, partitions: 1 }));
        }
        followed
    }
}

fn no_case<T>() -> T {
    panic!("a pipeline with a plan to predict has a case")
}

impl Host {
    /// What became of predictions, of all pipelines; none where nothing is predicted.
    pub(crate) fn outcomes(&self) -> Option<Counts> {
        let counts = self.hosted().into_iter().filter_map(|hosted| Some(hosted.outcomes.as_ref()?.counts()));
        counts.reduce(|mut counts, other| {
            counts.add(&other);
            counts
        })
    }
}
