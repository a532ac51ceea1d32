//! A pipeline on servers for somebody who fills its topics and reads its vectors, and runs none of its workers.

use std::{path::Path, time::Duration};

use dataplane::{
    Topics,
    features::{Plan, Restart},
};
use io_kafka::KafkaLog;
use ports::{Log, Outgoing, clock_fn};
use std::sync::Arc;
use workbench::Progress;

use super::{APPEND_EVENTS, LOOK_EVERY, processes};
use crate::{
    failure::Failure,
    host::{Host, PARTITIONS_OF_KAFKA, wall_clock},
    marker::Marker,
    parts::AnyOnline,
    settings::Servers,
};

/// The first deployment of a pipeline is this one.
pub(super) const GENERATION: u32 = 1;
/// What may come after a snapshot when nothing happens any more: signs of life, and the commits of time that passes.
const REPLAYS_MAX: u64 = 1_000;

/// A pipeline on Kafka and Redis.
pub(super) struct Outside {
    pub(super) plan: Plan,
    pub(super) log: KafkaLog,
    pub(super) online: AnyOnline,
    /// How long a member of its group may be silent.
    pub(super) session: Duration,
}

impl Outside {
    /// Makes the topics.
    pub(super) async fn open(servers: &Servers, folder: &Path) -> Result<Self, Failure> {
        let pipeline = pipeline::load(folder)?;
        let servers = servers.clone().reading([&pipeline])?;
        let clock = clock_fn(1.0, wall_clock);
        let online = AnyOnline::open(&servers, &clock, &pipeline.id)?;
        let (Some(kafka), AnyOnline::Redis(_)) = (servers.kafka, &online) else {
            return Err(Failure::usage_of("several processes share servers: name them by --kafka BROKERS and --redis URL"));
        };
        let session = kafka.session_max;
        let log = KafkaLog::open(kafka, clock).map_err(ports::Error::from)?;
        let topics = Topics::new(&pipeline);
        let (generation, partitions) = (GENERATION, PARTITIONS_OF_KAFKA);
        let mut specs = topics.specs(generation, partitions, Host::retention());
        specs.extend(topics.case_specs(&pipeline, partitions, Host::retention()));
        log.create(&specs).await?;
        let plan = Plan { pipeline: Arc::new(pipeline), generation, partitions, topics, files: Vec::new(), quiet_until: None };
        Ok(Self { plan, log, online, session })
    }

    /// Waits until every partition would begin with a snapshot that has everything in it.
    pub(super) async fn snapshots_written(&self) -> Result<(), Failure> {
        let written = async {
            loop {
                let committed = self.plan.committed(&self.log).await?;
                let fault = |fault| Failure::failed(format!("a note of the group cannot be read: {fault}"));
                let restarts = committed.iter().map(|assignment| Restart::of(&self.plan, assignment).map_err(fault));
                let restarts = restarts.collect::<Result<Vec<Restart>, Failure>>()?;
                let whole = |restart: &&Restart| !restart.pieces.is_empty() && restart.replays <= REPLAYS_MAX;
                if restarts.iter().filter(whole).count() == self.plan.partitions as usize {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        processes::in_time(written, "write snapshots of everything").await
    }
}

/// Appends what there is, in batches of a busy producer, and says how many events those were.
pub(super) async fn fill<L: Log>(
    log: &L,
    mut next: impl FnMut() -> Result<Option<Outgoing>, Failure>,
    events: u64,
    progress: &Marker,
) -> Result<u64, Failure> {
    progress.begin("filling the log", events);
    let mut sent = 0;
    loop {
        let batch = std::iter::from_fn(|| next().transpose()).take(APPEND_EVENTS * 8).collect::<Result<Vec<_>, Failure>>()?;
        if batch.is_empty() {
            break;
        }
        sent += batch.len() as u64;
        log.append(batch).await?;
        progress.at(sent);
    }
    progress.end();
    Ok(sent)
}
