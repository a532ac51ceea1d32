//! How scorers hear of what was learned. Each record says all of it, so the last one is enough: nothing has to be compacted, and a
//! start reads one record.

use std::{sync::Arc, time::Duration};

use pipeline::Case;
use ports::{Error, ErrorKind, Log};
use scoring::Tuning;
use tokio::sync::watch::Receiver;
use tracing::warn;

use super::learner::PARTITION;
use crate::retry::insist;

/// How often it is looked for something new: learners tell every ten seconds at most.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// One record, whatever its size.
const READ_BYTES: usize = 1;

/// Follows a topic of what was learned.
pub struct Follow<L> {
    log: L,
    topic: Arc<str>,
    case: Case,
    /// The first record that was not seen.
    next: u64,
}

impl<L: Log> Follow<L> {
    /// For a case whose tuning is told on this topic, with what was learned last; none when nothing was, or when there is no such
    /// topic yet.
    pub async fn begin(log: L, topic: Arc<str>, case: Case) -> Result<(Self, Option<Arc<Tuning>>), Error> {
        let (last, next) = last(&log, &topic, &case).await?;
        Ok((Self { log, topic, case, next }, last.map(Arc::new)))
    }

    /// Tells whatever is new until it is told to stop. A log that cannot be asked is asked again.
    pub async fn run(mut self, mut tell: impl FnMut(Arc<Tuning>) + Send, mut stop: Receiver<bool>) -> Result<(), crate::Error> {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Some(tuning) = self.look().await? {
                tell(Arc::new(tuning));
            }
        }
    }

    /// The newest that was not seen.
    async fn look(&mut self) -> Result<Option<Tuning>, Error> {
        let mut newest = None;
        loop {
            let records = match self.log.read(&self.topic, PARTITION, self.next, READ_BYTES).await {
                Err(error) if matches!(error.kind(), ErrorKind::Transient | ErrorKind::Invalid) => Vec::new(),
                other => other?,
            };
            let Some(last) = records.last() else { break };
            self.next = last.offset + 1;
            newest = read(&self.case, &self.topic, &last.value).or(newest);
        }
        Ok(newest)
    }
}

/// What was learned last, and the first record after it.
async fn last<L: Log>(log: &L, topic: &str, case: &Case) -> Result<(Option<Tuning>, u64), Error> {
    let bounds = match insist(|| log.bounds(topic, PARTITION)).await {
        Err(error) if error.kind() == ErrorKind::Invalid => return Ok((None, 0)),
        other => other?,
    };
    // Not every offset has a record.
    let mut back = 2;
    loop {
        let mut from = bounds.next.saturating_sub(back).max(bounds.first);
        let (begun, mut last) = (from, None);
        while from < bounds.next {
            let records = insist(|| log.read(topic, PARTITION, from, READ_BYTES)).await?;
            let Some(newest) = records.into_iter().next_back() else { break };
            from = newest.offset + 1;
            last = Some(newest);
        }
        match last {
            Some(last) => return Ok((read(case, topic, &last.value), from)),
            None if begun <= bounds.first => return Ok((None, bounds.next)),
            None => back *= 2,
        }
    }
}

fn read(case: &Case, topic: &str, value: &[u8]) -> Option<Tuning> {
    Tuning::decode(case, value).inspect_err(|fault| warn!(topic, %fault, "passes over what was learned")).ok()
}
