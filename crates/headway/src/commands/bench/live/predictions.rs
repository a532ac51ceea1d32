//! How long a prediction takes: from when the log took the event that triggered it until somebody who reads what is committed has it, while
//! a simulated city sends events at a steady rate. All clocks are this machine's.

use std::{path::Path, sync::Arc, time::Duration};

use domain::{Span, Timestamp};
use pipeline::Pipeline;
use ports::{Clock, Event, Log, Member, Membership, Outgoing, Record};
use tokio::{
    sync::watch::{Receiver, channel},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use workbench::Progress;

use super::{ON_THEIR_WAY_MAX, PATIENCE, Scratch, freshness::Waits, load::Load};
use crate::{
    failure::Failure,
    host::{Host, Pace},
    marker::Marker,
    parts::{AnyLog, Decoding},
};

/// The longest that the reader waits before it looks whether it has everything.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Predictions of a pipeline in a folder at a rate; none when it predicts nothing.
pub(super) async fn predictions(
    scratch: &Scratch,
    pipeline: &Pipeline,
    folder: &Path,
    (rate, seconds): (u64, u64),
    progress: &Marker,
) -> Result<Option<Waits>, Failure> {
    let host = scratch.host_of(folder.to_owned(), "predictions", Pace::Runs(1.0)).await?;
    let hosted = host.one(None)?;
    let Some(scorers) = &hosted.scorers else {
        host.stop().await?;
        return Ok(None);
    };
    let mut load = Load::steady(pipeline, hosted.topics(), host.partitions, host.clock().clone())?;
    host.settled(PATIENCE).await?;
    let warm_up = scratch.warm_up();
    let begins = host.clock().now().plus(Span(warm_up.as_millis() as i64));
    let (all, wanted) = channel(None);
    let reader = Reader { begins, clock: host.clock().clone(), wanted, waits: Vec::new(), seen: 0 };
    let reading = tokio::spawn(reader.read(host.parts.log.clone(), scorers.plan.topics.predictions()));
    send(&host, &mut load, (rate, scratch.send_every()), seconds + warm_up.as_secs(), progress).await?;
    host.settled(PATIENCE).await?;
    progress.end();
    all.send_replace(Some(scorers.watch.counts().predictions));
    let waits = tokio::time::timeout(PATIENCE, reading).await;
    let waits = waits.map_err(|_| Failure::failed("predictions that were committed could not be read"))?;
    let waits = waits.map_err(|error| Failure::failed(error.to_string()))??;
    host.stop().await?;
    Ok(Some(waits))
}

/// Sends what is due, whether the log has answered for what was sent before or not.
async fn send(
    host: &Host,
    load: &mut Load,
    (rate, every): (u64, Duration),
    seconds: u64,
    progress: &Marker,
) -> Result<(), Failure> {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = ticks.tick().await;
    progress.begin("a city at a steady rate", seconds);
    let (mut sent, mut on_their_way) = (0, JoinSet::new());
    loop {
        let passed = ticks.tick().await - begun;
        if passed.as_secs() >= seconds {
            break;
        }
        progress.at(passed.as_secs());
        let due = (passed.as_secs_f64() * rate as f64) as u64;
        let mut batch: Vec<Outgoing> = Vec::new();
        while sent < due {
            batch.extend(load.next()?);
            sent += 1;
        }
        while on_their_way.len() >= ON_THEIR_WAY_MAX {
            answered(&mut on_their_way).await?;
        }
        let log = host.parts.log.clone();
        on_their_way.spawn(async move { log.append(batch).await });
    }
    while !on_their_way.is_empty() {
        answered(&mut on_their_way).await?;
    }
    Ok(())
}

async fn answered(on_their_way: &mut JoinSet<Result<(), ports::Error>>) -> Result<(), Failure> {
    match on_their_way.join_next().await {
        Some(answer) => Ok(answer.map_err(|error| Failure::failed(error.to_string()))??),
        None => Ok(()),
    }
}

/// Somebody who reads predictions as soon as they are committed.
struct Reader {
    /// What was triggered before is of the warm-up.
    begins: Timestamp,
    clock: Clock,
    /// How many there are in the end, as soon as that is known.
    wanted: Receiver<Option<u64>>,
    waits: Vec<f64>,
    seen: u64,
}

impl Reader {
    async fn read(mut self, log: Decoding<AnyLog>, topic: Arc<str>) -> Result<Waits, Failure> {
        let membership = Membership::new(format!("{topic}.reader"), "reader", vec![topic]);
        let mut member = log.join(membership).await?;
        while self.wanted.borrow().is_none_or(|wanted| self.seen < wanted) {
            match member.next(LOOK_EVERY).await? {
                Event::Records { records, .. } => self.note(&records)?,
                Event::Assigned(assignments) => {
                    for assignment in assignments {
                        member.start(assignment.partition, &assignment.positions)?;
                    }
                }
                Event::Revoked(_) | Event::Lost(_) | Event::Idle => {}
            }
        }
        member.leave().await?;
        Ok(Waits::new(self.waits))
    }

    fn note(&mut self, records: &[Record]) -> Result<(), Failure> {
        let now = self.clock.now();
        for record in records {
            let told: serde_json::Value = serde_json::from_slice(&record.value)
                .map_err(|error| Failure::failed(format!("a prediction cannot be read: {error}")))?;
            let at = told["at"].as_str().and_then(Timestamp::parse).filter(|at| *at >= self.begins);
            // That of a timer was not triggered by an event.
            if let Some(at) = at.filter(|_| told["trigger"] != "time") {
                self.waits.push(now.0.saturating_sub(at.0).max(0) as f64);
            }
        }
        self.seen += records.len() as u64;
        Ok(())
    }
}
