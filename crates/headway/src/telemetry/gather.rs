//! From what the workers count to families of metrics. Reads counts and the log's own bounds, and never waits for a worker.

mod outcomes;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use dataplane::{
    features::{Counts, Freshness},
    scorer,
};
use domain::Timestamp;
use tokio::{sync::Mutex, time::Instant};

use super::{
    declared,
    family::{Declared, Family, Value},
    process,
};
use crate::{
    host::{Follower, Host, Hosted, Lag},
    models::told::Voice,
};

/// Whoever asks more often gets the same again, so that no number of askers costs more than this.
const GATHER_EVERY: Duration = Duration::from_millis(500);
/// With more partitions than this, points are told for all of them together: 64 of each metric and topic are some thousand series.
const PARTITIONS_TOLD_MAX: u32 = 64;

/// Gathers for everybody who asks.
pub(crate) struct Gatherer {
    host: Arc<Host>,
    begun: Instant,
    /// Whoever counts what is asked over HTTP, once somebody answers there.
    asked: OnceLock<Box<dyn Fn() -> api::Counts + Send + Sync>>,
    last: Mutex<Option<(Instant, Arc<Vec<Family>>)>>,
}

/// Points by metric and labels. Where labels are the same, numbers are summed up, and of times the longest one is told.
#[derive(Default)]
struct Points(BTreeMap<&'static str, BTreeMap<Vec<String>, Value>>);

impl Gatherer {
    pub(crate) fn new(host: Arc<Host>) -> Arc<Self> {
        Arc::new(Self { host, begun: Instant::now(), asked: OnceLock::new(), last: Mutex::default() })
    }

    /// Tells from now on what is asked over HTTP.
    pub(crate) fn count_also(&self, counts: impl Fn() -> api::Counts + Send + Sync + 'static) {
        // Only the first is kept, and there is no second.
        let _ = self.asked.set(Box::new(counts));
    }

    /// Everything, not older than half a second.
    pub(crate) async fn families(&self) -> Arc<Vec<Family>> {
        let mut last = self.last.lock().await;
        if let Some((at, families)) = &*last
            && at.elapsed() < GATHER_EVERY
        {
            return families.clone();
        }
        let families = Arc::new(self.gather().await);
        *last = Some((Instant::now(), families.clone()));
        families
    }

    async fn gather(&self) -> Vec<Family> {
        let mut points = Points::default();
        for hosted in self.host.hosted() {
            self.counts(&mut points, &hosted);
            if let Some(scorers) = &hosted.scorers {
                predictions(&mut points, &hosted.id, &scorers.watch.counts());
            }
            models(&mut points, &hosted);
            self.outcomes(&mut points, &hosted);
            // A log that cannot be read is told by the worker that needs it; here it is a gap in a curve.
            let lags = hosted.lags(&self.host).await.unwrap_or_default();
            lags.iter().for_each(|lag| self.lag(&mut points, &hosted.id, lag));
        }
        if let Some(asked) = self.asked.get() {
            requests(&mut points, &asked());
        }
        points.add(&declared::READY, vec![], Value::Integer(u64::from(self.host.readiness().is_ready())));
        points.add(&declared::BUILD, vec![env!("CARGO_PKG_VERSION").to_owned()], Value::Integer(1));
        if let Some(bytes) = process::resident_bytes() {
            points.add(&declared::MEMORY, vec![], Value::Integer(bytes));
        }
        points.add(&declared::CPU, vec![], Value::Float(process::cpu_seconds()));
        points.add(&declared::UPTIME, vec![], Value::Float(self.begun.elapsed().as_secs_f64()));
        points.into_families()
    }

    fn counts(&self, points: &mut Points, hosted: &Hosted) {
        let now = self.host.clock().now();
        for ((generation, partition), counts) in hosted.watch.since_start() {
            let generation = vec![hosted.id.clone(), generation.to_string()];
            let with = |last: &str| [&generation[..], &[last.to_owned()]].concat();
            let shard = with(&self.told(partition));
            let whole = [
                (&declared::BROKEN_BLOCKS, counts.broken_blocks),
                (&declared::SUPERSEDED, counts.superseded),
                (&declared::REFILLS, counts.refills),
            ];
            let by_shard = [
                (&declared::TAKEN, counts.records),
                (&declared::REPLAYED, counts.replayed),
                (&declared::MADE, counts.vectors),
                (&declared::COMMITS, counts.commits),
                (&declared::ENTITIES, counts.entities),
            ];
            whole.into_iter().for_each(|(declared, count)| points.add(declared, generation.clone(), Value::Integer(count)));
            by_shard.into_iter().for_each(|(declared, count)| points.add(declared, shard.clone(), Value::Integer(count)));
            for (reason, count) in &counts.refused {
                points.add(&declared::REFUSED, with(reason), Value::Integer(*count));
            }
            points.add(&declared::SNAPSHOTS, with("stored"), Value::Integer(counts.snapshots));
            points.add(&declared::SNAPSHOTS, with("failed"), Value::Integer(counts.snapshots_failed));
            points.add(&declared::FRESHNESS, generation.clone(), self.freshness(&counts.freshness));
            if let Some(age) = clock_age_ms(&counts, now) {
                points.add(&declared::CLOCK_AGE, shard, Value::Float(self.seconds(age)));
            }
        }
    }

    fn lag(&self, points: &mut Points, pipeline: &str, lag: &Lag) {
        let (mut labels, place) = (vec![pipeline.to_owned()], [lag.topic.to_string(), self.told(lag.partition)]);
        if let Follower::Features(generation) = lag.follower {
            labels.push(generation.to_string());
        }
        labels.extend(place);
        let (records, time) = match lag.follower {
            Follower::Features(_) => (&declared::LAG_RECORDS, &declared::LAG_TIME),
            Follower::Scorer => (&declared::SCORER_LAG_RECORDS, &declared::SCORER_LAG_TIME),
            Follower::Outcomes | Follower::Learner => (&declared::outcomes::LAG_RECORDS, &declared::outcomes::LAG_TIME),
            Follower::Warehouse => (&declared::outcomes::WAREHOUSE_LAG_RECORDS, &declared::outcomes::WAREHOUSE_LAG_TIME),
        };
        points.add(records, labels.clone(), Value::Integer(lag.records));
        points.add(time, labels, Value::Float(self.seconds(lag.waited_ms)));
    }

    fn freshness(&self, freshness: &Freshness) -> Value {
        let cumulative: Vec<(u64, u64)> = freshness.cumulative().collect();
        let before = [0].into_iter().chain(cumulative.iter().map(|(_, count)| *count));
        let counts = cumulative.iter().zip(before).map(|((_, count), before)| count - before).collect();
        // The last bucket takes everything that is longer.
        let bounds = cumulative[..cumulative.len() - 1].iter().map(|(bound, _)| self.seconds(*bound)).collect();
        Value::Buckets { bounds, counts, sum: self.seconds(freshness.sum_ms()) }
    }

    /// Of a clock on the wall, from milliseconds of the host's, which may be hurried.
    fn seconds(&self, ms: u64) -> f64 {
        ms as f64 / 1000.0 / self.host.options.pace.hurry()
    }

    fn told(&self, partition: u32) -> String {
        if self.host.partitions > PARTITIONS_TOLD_MAX { String::new() } else { partition.to_string() }
    }
}

/// What was asked over HTTP. These times are of a clock on the wall.
fn requests(points: &mut Points, counts: &api::Counts) {
    for ((route, status), count) in &counts.requests {
        points.add(&declared::HTTP_REQUESTS, vec![route.to_string(), status.to_string()], Value::Integer(*count));
    }
    for (route, latency) in &counts.latency {
        let bounds = api::LATENCY_BOUNDS_MS.map(|ms| ms / 1000.0).to_vec();
        let value = Value::Buckets { bounds, counts: latency.counts.to_vec(), sum: latency.sum };
        points.add(&declared::HTTP_DURATION, vec![route.to_string()], value);
    }
    for ((pipeline, vectors), count) in &counts.candidates {
        points.add(&declared::QUOTES, vec![pipeline.to_string(), (*vectors).to_owned()], Value::Integer(*count));
    }
    for ((pipeline, entity), count) in &counts.unknown {
        points.add(&declared::QUOTES_UNKNOWN, vec![pipeline.to_string(), entity.clone()], Value::Integer(*count));
    }
    for ((pipeline, reason), count) in &counts.degraded {
        points.add(&declared::QUOTES_DEGRADED, vec![pipeline.to_string(), reason.clone()], Value::Integer(*count));
    }
}

/// What was predicted of the cases of a pipeline.
fn predictions(points: &mut Points, pipeline: &str, counts: &scorer::Counts) {
    let of = |label: &str| vec![pipeline.to_owned(), label.to_owned()];
    let whole = [
        (&declared::PREDICTIONS, counts.predictions),
        (&declared::CASES_OPEN, counts.open),
        (&declared::CASES_RESTORED, counts.restored),
        (&declared::CASES_FORGOTTEN, counts.forgotten),
    ];
    whole.into_iter().for_each(|(declared, count)| points.add(declared, vec![pipeline.to_owned()], Value::Integer(count)));
    let moved = Value::Float(counts.moved_ms as f64 / 1000.0);
    points.add(&declared::outcomes::MOVED, vec![pipeline.to_owned()], moved);
    for (reason, count) in &counts.degraded {
        points.add(&declared::DEGRADED, of(reason), Value::Integer(*count));
    }
    for (origin, count) in &counts.origins {
        points.add(&declared::PREDICTION_VECTORS, of(origin.name()), Value::Integer(*count));
    }
    for ((digest, became), count) in &counts.challenged {
        let labels = vec![pipeline.to_owned(), digest.to_string(), became.name().to_owned()];
        points.add(&declared::CHALLENGED, labels, Value::Integer(*count));
    }
    for (flaw, count) in &counts.flaws {
        points.add(&declared::FLAWS, of(flaw), Value::Integer(*count));
    }
    for (how, count) in &counts.ended {
        points.add(&declared::CASES_ENDED, of(how), Value::Integer(*count));
    }
    for (heard, count) in &counts.heard {
        points.add(&declared::CASES_HEARD, of(heard.code()), Value::Integer(*count));
    }
}

/// Which model is asked, and what became of others.
fn models(points: &mut Points, hosted: &Hosted) {
    let Some(speaker) = &hosted.speaker else { return };
    let Voice { digest, challengers, switched, failed, .. } = speaker.voice();
    let (pipeline, digest) = (hosted.id.clone(), digest.unwrap_or_else(|| "none".to_owned()));
    points.add(&declared::MODEL, vec![pipeline.clone(), digest], Value::Integer(1));
    for challenger in challengers {
        points.add(&declared::CHALLENGER, vec![pipeline.clone(), challenger], Value::Integer(1));
    }
    points.add(&declared::MODEL_SWITCHES, vec![pipeline.clone()], Value::Integer(switched));
    for (reason, count) in failed {
        points.add(&declared::MODEL_FAILURES, vec![pipeline.clone(), reason.to_owned()], Value::Integer(count));
    }
}

/// How far an engine's clock is behind. None for a partition that this process has given away, or that has not begun.
fn clock_age_ms(counts: &Counts, now: Timestamp) -> Option<u64> {
    (counts.clock.0 > 0).then(|| now.0.saturating_sub(counts.clock.0).max(0).unsigned_abs())
}

impl Points {
    fn add(&mut self, declared: &'static Declared, labels: Vec<String>, value: Value) {
        let labels = self.0.entry(declared.name).or_default().entry(labels);
        labels.and_modify(|there| there.merge(&value)).or_insert(value);
    }

    fn into_families(mut self) -> Vec<Family> {
        let family = |declared: &'static Declared| {
            let mut family = Family::of(declared);
            let points = self.0.remove(declared.name).unwrap_or_default();
            points.into_iter().for_each(|(labels, value)| family.push(labels, value));
            family
        };
        declared::all().map(family).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_same_labels_become_one() {
        let mut points = Points::default();
        let labels = || vec!["a".to_owned(), "1".to_owned(), String::new()];
        points.add(&declared::TAKEN, labels(), Value::Integer(3));
        points.add(&declared::TAKEN, labels(), Value::Integer(4));
        points.add(&declared::CLOCK_AGE, labels(), Value::Float(2.5));
        points.add(&declared::CLOCK_AGE, labels(), Value::Float(1.5));
        let families = points.into_families();
        let of =
            |declared: &Declared| &families.iter().find(|family| family.declared.name == declared.name).expect("there").points;
        assert_eq!(of(&declared::TAKEN)[0].value, Value::Integer(7));
        assert_eq!(of(&declared::CLOCK_AGE)[0].value, Value::Float(2.5));
        assert_eq!(families.len(), declared::all().count());
    }
}
