//! Whether readers get what they should: each partition of what is served has taken everything that was in the log when the
//! process began, and the online store had all of it; where something is predicted, whoever does that has, too. Once true it stays true; how far behind it is later is what the lag tells.
//!
//! Nobody is kept waiting for the outcomes role: what was learned last is applied before anything is predicted.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ports::{Bounds, Deployment};
use tokio::task::JoinHandle;

use super::{
    Host, Hosted,
    lag::{Followed, all_bounds, position},
};
use crate::{failure::Failure, parts::AnyLog};

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

/// One group of the log, and how far each partition of its topics went at the start.
struct Target {
    hosted: Arc<Hosted>,
    followed: Followed,
    /// Whose vectors have to be written as well; none of those who predict.
    generation: Option<u32>,
    partitions: u32,
    until: Vec<(Arc<str>, u32, Bounds)>,
    /// Partitions that have yet to get there.
    left: BTreeSet<u32>,
}

/// Looks until it is ready, or is told to stop.
pub(super) fn follow(host: &Arc<Host>) -> JoinHandle<()> {
    let host = host.clone();
    tokio::spawn(async move {
        let mut known = None;
        loop {
            match look(&host, &mut known).await {
                Ok(readiness) => {
                    host.readiness.set(readiness);
                    if readiness.is_ready() {
                        return;
                    }
                }
                Err(failure) if failure.is_transient() => {}
                // A log that can never be read ends the process by way of a worker that needs it.
                Err(_) => return,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })
}

async fn targets(host: &Host) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for hosted in host.hosted() {
        let deployment = hosted.deployment();
        for plan in hosted.plans().into_iter().filter(|plan| serves(&deployment, plan.generation)) {
            targets.push(Target::new(host, &hosted, Followed::of(&plan), Some(plan.generation)).await?);
        }
        if let Some(scorers) = &hosted.scorers {
            targets.push(Target::new(host, &hosted, scorers.followed(host.partitions), None).await?);
        }
    }
    Ok(targets)
}

/// Whether readers read any group of this generation; one that is being built keeps nobody waiting.
fn serves(deployment: &Deployment, generation: u32) -> bool {
    dataplane::deploy::serving(deployment).iter().any(|serving| serving.generation == generation)
}

/// Notes which partitions got there, and counts what is left of the others.
async fn look(host: &Host, known: &mut Option<Vec<Target>>) -> Result<Readiness, Failure> {
    let targets = match known {
        Some(targets) => targets,
        None => known.insert(targets(host).await?),
    };
    let mut readiness = Readiness { wanted: Some(0), ..Readiness::default() };
    for target in targets {
        readiness.behind += target.look(host.parts.log.beneath()).await?;
        let partitions = target.partitions as usize;
        readiness.wanted = readiness.wanted.map(|wanted| wanted + partitions);
        readiness.ready += partitions - target.left.len();
    }
    Ok(readiness)
}

impl Target {
    async fn new(host: &Host, hosted: &Arc<Hosted>, followed: Followed, generation: Option<u32>) -> Result<Self, Failure> {
        let partitions = host.partitions;
        let until = all_bounds(host.parts.log.beneath(), followed.topics.clone(), partitions).await?;
        Ok(Self { hosted: hosted.clone(), followed, generation, partitions, until, left: (0..partitions).collect() })
    }

    async fn look(&mut self, log: &AnyLog) -> Result<u64, Failure> {
        if self.left.is_empty() {
            return Ok(0);
        }
        let committed = self.followed.progress(log).await?;
        let mut all = 0;
        for partition in self.left.clone() {
            let until = self.until.iter().filter(|(_, of, _)| *of == partition);
            let behind = until.map(|(topic, _, bounds)| bounds.next.saturating_sub(position(&committed, topic, partition)));
            let behind: u64 = behind.sum();
            all += behind;
            let is_written = match self.generation {
                Some(generation) if behind == 0 => self.hosted.has_written(generation, partition).await?,
                _ => behind == 0,
            };
            if is_written {
                self.left.remove(&partition);
            }
        }
        Ok(all)
    }
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
