//! How far everything in this process is, in one answer.

use std::{sync::PoisonError, time::Duration};

use dataplane::{features::Counts, outcomes, scorer};

use super::Host;
use crate::failure::Failure;

/// How far behind the log the workers are, and what they hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) counts: Counts,
    /// Of whoever predicts; none where nothing is predicted.
    pub(crate) predictions: Option<scorer::Counts>,
    /// Of whoever joins them with what became of their cases.
    pub(crate) outcomes: Option<outcomes::Counts>,
    pub(crate) partitions: usize,
    pub(crate) lag_records: u64,
    pub(crate) builds: bool,
    /// Whether everything in the log was taken and the online store has all of it.
    pub(crate) settled: bool,
}

impl Host {
    /// What the workers of all pipelines have counted since the start.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.hosted().iter().for_each(|hosted| counts.add(&hosted.watch.total()));
        counts
    }

    /// While a server is away: how it was, and not settled.
    pub(crate) async fn status(&self) -> Result<Status, Failure> {
        let known = || self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match self.ask_status().await {
            Ok(status) => {
                known().clone_from(&status);
                Ok(status)
            }
            Err(failure) if failure.is_transient() => {
                let (counts, predictions, outcomes) = (self.counts(), self.predictions(), self.outcomes());
                Ok(Status { counts, predictions, outcomes, settled: false, ..known().clone() })
            }
            Err(failure) => Err(failure),
        }
    }

    async fn ask_status(&self) -> Result<Status, Failure> {
        let mut status = Status::default();
        for hosted in self.hosted() {
            status.lag_records += hosted.lag(self).await?;
            status.partitions += hosted.watch.counts().len();
            status.builds |= hosted.builds();
        }
        // A commit that is not yet written says so before it is made, so this is asked after it.
        status.settled = status.lag_records == 0 && self.has_written_all().await?;
        // Last: whoever hears that everything was taken hears how much that was.
        (status.counts, status.predictions, status.outcomes) = (self.counts(), self.predictions(), self.outcomes());
        Ok(status)
    }

    async fn has_written_all(&self) -> Result<bool, Failure> {
        for hosted in self.hosted() {
            for plan in hosted.plans() {
                if !hosted.is_written(&plan).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Waits until the workers have taken what is in the log and the online store has everything of it.
    pub(crate) async fn settled(&self, patience: Duration) -> Result<(), Failure> {
        let settled = async {
            loop {
                if self.status().await?.settled {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(patience, settled).await.unwrap_or_else(|_| {
            Err(Failure::failed(format!(
                "the workers did not catch up within {patience:?}; `headway run` shows how far they are."
            )))
        })
    }
}
