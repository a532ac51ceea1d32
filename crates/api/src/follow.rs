//! Follows the topics that a scorer writes, and keeps the latest prediction of each case. A member of a group of its own that never
//! commits: after a restart it reads again from as long ago as a case may take.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::Span;
use ports::{Assignment, Clock, Error, ErrorKind, Event, Log, Member, Membership, Position, Record};
use tokio::sync::watch::Receiver;
use tracing::warn;

use crate::Latest;

/// The longest wait for records, so that a stop is heard soon.
const IDLE: Duration = Duration::from_millis(500);
/// Whoever asks when an order arrives has asked a moment ago, too.
const PATIENCE: Duration = Duration::from_millis(100);
/// Until it is tried again, when the log cannot be read.
const BREATH: Duration = Duration::from_secs(1);

/// Reads what was written of a case, which is nobody's business here.
pub type IsOver = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What is followed.
#[derive(Clone)]
pub struct Followed {
    /// The group, which is this process's alone.
    pub group: String,
    /// Where predictions are.
    pub predictions: Arc<str>,
    /// Where it is written how cases change; nothing is written of one that was forgotten.
    pub cases: Arc<str>,
    /// Whether what was written of a case says that it is over.
    pub is_over: IsOver,
    /// For so long a case may be under way.
    pub longest: Span,
}

/// Follows until it is told to stop. An error that no second attempt mends ends it.
pub async fn follow<L: Log>(
    log: L,
    followed: Followed,
    clock: Clock,
    latest: Arc<Latest>,
    mut stop: Receiver<bool>,
) -> Result<(), Error> {
    loop {
        let mut following =
            Following { log: log.clone(), followed: &followed, clock: &clock, latest: &latest, behind: BTreeSet::new() };
        let ended = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            ended = following.run() => ended,
        };
        match ended {
            Err(error) if matches!(error.kind(), ErrorKind::Transient | ErrorKind::Fenced) => {
                warn!(%error, group = followed.group, "reads the latest predictions again");
            }
            other => return other,
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            () = tokio::time::sleep(BREATH) => {}
        }
    }
}

/// One membership.
struct Following<'f, L> {
    log: L,
    followed: &'f Followed,
    clock: &'f Clock,
    latest: &'f Latest,
    /// Topics and partitions of which records of the past were not delivered yet.
    behind: BTreeSet<(Arc<str>, u32)>,
}

impl<L: Log> Following<'_, L> {
    async fn run(&mut self) -> Result<(), Error> {
        let Followed { group, predictions, cases, .. } = self.followed;
        let topics = vec![predictions.clone(), cases.clone()];
        let membership = Membership::new(group, group, topics).patient(PATIENCE);
        let mut member = self.log.join(membership).await?;
        loop {
            match member.next(IDLE).await? {
                Event::Assigned(assignments) => self.begin(&mut member, &assignments).await?,
                Event::Records { topic, partition, records, more } => {
                    records.iter().for_each(|record| self.take(&topic, record));
                    if !more && self.behind.remove(&(topic, partition)) {
                        self.latest.set_behind(self.behind.len());
                    }
                }
                // Nobody else is in the group: what was taken away is assigned again, and begins anew.
                Event::Revoked(_) | Event::Lost(_) | Event::Idle => {}
            }
        }
    }

    async fn begin(&mut self, member: &mut L::Member, assignments: &[Assignment]) -> Result<(), Error> {
        let from = self.clock.now().minus(self.followed.longest);
        for Assignment { partition, .. } in assignments {
            let mut positions = Vec::new();
            for topic in [&self.followed.predictions, &self.followed.cases] {
                let next = self.log.offset_at(topic, *partition, from).await?;
                if self.log.bounds(topic, *partition).await?.next > next {
                    self.behind.insert((topic.clone(), *partition));
                }
                positions.push(Position { topic: topic.clone(), next });
            }
            member.start(*partition, &positions)?;
        }
        self.latest.set_behind(self.behind.len());
        Ok(())
    }

    fn take(&self, topic: &Arc<str>, record: &Record) {
        let Record { key, value, append_at, .. } = record;
        if *topic == self.followed.predictions {
            // Not the bytes of the whole fetch, see `Latest`.
            self.latest.predicted(key, bytes::Bytes::copy_from_slice(value), *append_at);
        } else if value.is_empty() || (self.followed.is_over)(value) {
            self.latest.over(key, *append_at);
        }
    }
}

/// For those who wonder from when on predictions are read.
impl std::fmt::Debug for Followed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { group, predictions, cases, longest, .. } = self;
        formatter
            .debug_struct("Followed")
            .field("group", group)
            .field("topics", &[predictions, cases])
            .field("longest", longest)
            .finish()
    }
}
