//! The pipelines of a process that predict, as they are asked over HTTP: each with its predictor, its vectors, and what its scorers said
//! last, here or in another process.

use std::{sync::Arc, time::Duration};

use api::{Followed, Latest, Predicted};
use dataplane::scorer::Life;
use domain::Span;
use tokio::sync::watch::Receiver;
use tracing::error;

use crate::{
    host::{Host, Hosted},
    parts::AnyOnline,
};

/// Until it is tried again to follow what is predicted, when that cannot be read: an operator has something to put right.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// What a record may wait between the clock of the scorer and the log.
const ON_THE_WAY: Span = Span(60_000);

/// What can be asked.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) predicted: Vec<Predicted<AnyOnline>>,
    /// The ids of those pipelines.
    pub(super) ids: Vec<String>,
}

impl Asked {
    /// Every pipeline that predicts. What is predicted is followed until it is told to stop.
    pub(super) fn of(host: &Arc<Host>, stopped: &Receiver<bool>) -> Self {
        let mut asked = Self::default();
        for hosted in host.hosted() {
            asked.add(host, &hosted, stopped);
        }
        asked
    }

    fn add(&mut self, host: &Arc<Host>, hosted: &Hosted, stopped: &Receiver<bool>) {
        let (Some(scorers), Some(case)) = (&hosted.scorers, &hosted.pipeline().case) else { return };
        let topics = hosted.topics();
        let (longest, form) = (Span(case.longest.0 + ON_THE_WAY.0), case.clone());
        let followed = Followed {
            group: topics.api_group(host.options.replica.as_deref().unwrap_or("one")),
            predictions: topics.predictions(),
            cases: topics.cases(),
            is_over: Arc::new(move |written| Life::decode(&form, written).is_ok_and(|life| life.ending().is_some())),
            longest,
        };
        let latest = Arc::new(Latest::new(longest));
        tokio::spawn(follow(host.clone(), followed, latest.clone(), stopped.clone()));
        let predictor = scorers.predictors().follow();
        let predicted = Predicted::new(hosted.pipeline().clone(), predictor, hosted.online.clone(), host.clock().clone());
        self.predicted.push(predicted.following(latest).remembering(scorers.remembered.clone()));
        self.ids.push(hosted.id.clone());
    }
}

/// What was said last goes on being answered while nothing new can be read.
async fn follow(host: Arc<Host>, followed: Followed, latest: Arc<Latest>, mut stopped: Receiver<bool>) {
    let (log, clock) = (&host.parts.log, host.clock());
    while let Err(fault) = api::follow(log.clone(), followed.clone(), clock.clone(), latest.clone(), stopped.clone()).await {
        error!(error = %fault, group = followed.group, "what is predicted cannot be followed");
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(AGAIN_AFTER) => {}
        }
    }
}
