//! Whether readers get what they should: each partition of what is served has taken everything that was in the log when the
//! process began, and the online store had all of it. Once true it stays true; how far behind it is later is what the lag tells.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dataplane::features::Plan;
use ports::{Deployment, Log};

use super::{Host, Hosted, lag::position};
use crate::failure::Failure;

/// Short enough that nobody waits for the look, and rare enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Partitions that have caught up once.
    pub(crate) ready: usize,
    /// None before it was looked for the first time.
    pub(crate) wanted: Option<usize>,
    /// Records of the start that are still to be taken.
    pub(crate) behind: u64,
}

impl Readiness {
    pub(crate) fn is_ready(self) -> bool {
        self.wanted.is_some_and(|wanted| self.ready >= wanted)
    }

    /// For a person who wonders.
    pub(crate) fn words(self) -> String {
        match self.wanted {
            Some(_) if self.is_ready() => "everything that was in the log at the start is taken and can be read".to_owned(),
            Some(wanted) => format!(
                "{} of {wanted} partitions have caught up since the start, {} records of the log are still to be taken",
                self.ready, self.behind
            ),
            None => "the workers are starting".to_owned(),
        }
    }
}

/// What is known of it, for everybody who asks.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<Readiness>);

impl Shown {
    pub(super) fn get(&self) -> Readiness {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, readiness: Readiness) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = readiness;
    }
}

/// One partition of one generation, and how far each of its topics went at the start.
struct Target {
    hosted: Arc<Hosted>,
    plan: Arc<Plan>,
    partition: u32,
    until: Vec<(Arc<str>, u64)>,
}

/// Looks until it is ready.
pub(super) fn follow(host: &Arc<Host>) {
    let host = host.clone();
    tokio::spawn(async move {
        // A log that can never be read ends the process by way of a worker that needs it.
        let targets = loop {
            match targets(&host).await {
                Ok(targets) => break targets,
                Err(failure) if failure.is_transient() => tokio::time::sleep(LOOK_EVERY).await,
                Err(_) => return,
            }
        };
        let mut reached = BTreeSet::new();
        loop {
            let behind = match look(&host, &targets, &mut reached).await {
                Ok(behind) => behind,
                Err(failure) if failure.is_transient() => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    continue;
                }
                Err(_) => return,
            };
            let readiness = Readiness { ready: reached.len(), wanted: Some(targets.len()), behind };
            host.readiness.set(readiness);
            if readiness.is_ready() {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
}

async fn targets(host: &Host) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for hosted in host.hosted() {
        let deployment = hosted.deployment();
        for plan in hosted.plans().into_iter().filter(|plan| serves(&deployment, plan.generation)).map(Arc::new) {
            for partition in 0..plan.partitions {
                let mut until = Vec::new();
                for topic in plan.reads() {
                    let next = host.parts.log.bounds(&topic, partition).await?.next;
                    until.push((topic, next));
                }
                targets.push(Target { hosted: hosted.clone(), plan: plan.clone(), partition, until });
            }
        }
    }
    Ok(targets)
}

/// Whether readers read any group of this generation; one that is being built keeps nobody waiting.
fn serves(deployment: &Deployment, generation: u32) -> bool {
    dataplane::deploy::serving(deployment).iter().any(|serving| serving.generation == generation)
}

/// Notes which targets are reached, and counts what is left of the others.
async fn look(host: &Host, targets: &[Target], reached: &mut BTreeSet<usize>) -> Result<u64, Failure> {
    let mut behind = 0;
    for (place, target) in targets.iter().enumerate() {
        if reached.contains(&place) {
            continue;
        }
        let committed = target.plan.committed(&host.parts.log).await?;
        let left = target.until.iter().map(|(topic, next)| next.saturating_sub(position(&committed, topic, target.partition)));
        let left: u64 = left.sum();
        behind += left;
        if left == 0 && target.hosted.has_written(target.plan.generation, target.partition).await? {
            reached.insert(place);
        }
    }
    Ok(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_when_every_partition_was() {
        let at = |ready, wanted| Readiness { ready, wanted, behind: 12 };
        assert!(!at(0, None).is_ready() && !at(3, Some(4)).is_ready() && at(4, Some(4)).is_ready());
        assert!(at(3, Some(4)).words().contains("3 of 4 partitions") && at(3, Some(4)).words().contains("12 records"));
    }
}
