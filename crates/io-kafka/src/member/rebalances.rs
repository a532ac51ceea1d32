//! The consumer of a member, and what the group tells it. Decides nothing: the poller asks what has changed and answers.
//!
//! The group hands out the partitions of the first topic alone; those of the others go with them, which no strategy of the client
//! would promise for several topics.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    types::RDKafkaRespErr,
};

use crate::{
    Error, Settings,
    client::{self, Telling, millis},
};

/// How long a broker waits for news before it says that there is none, which is how long it takes to know an end.
const NOTHING_AFTER: Duration = Duration::from_millis(20);
/// Less than this is waited with as long, and by whoever has time longer: each answer is work for both sides, whatever it has in it. It has to
/// be less than one answer has of a partition, since at the end of a backlog there is one left.
const LITTLE_BYTES: &str = "65536";
/// How soon a partition is fetched again that had enough waiting.
const ROOM_AGAIN_AFTER: &str = "5";
/// A member hears with the answer to its heartbeat that the others have changed, so this is what each round of handing out takes.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(500);
/// The longest that a worker may take to let go of a partition.
const LET_GO_MAX: &str = "60000";
/// Whatever the number of partitions, less is no use: answers of the brokers are larger.
const AHEAD_KIB_MIN: usize = 128;
/// What one answer has of a partition comes on top of what waits already.
const ANSWER_BYTES_MAX: &str = "131072";

/// What has become of partitions.
pub(super) enum Change {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
    Lost(Vec<u32>),
}

/// Keeps what the group tells until the poller asks for it.
pub(crate) struct Rebalances {
    telling: Telling,
    changes: Mutex<Vec<Change>>,
    closes: AtomicBool,
}

impl Rebalances {
    pub(super) fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on partitions are let go of at once.
    pub(super) fn close(&self) {
        self.closes.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for Rebalances {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.telling.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.telling.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.telling.generate_oauth_token(config)
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.closes.load(Ordering::Relaxed) {
            // The client takes any answer for the last one.
            let _ = consumer.unassign();
            return;
        }
        let partitions = list.elements().iter().map(|element| element.partition().cast_unsigned()).collect();
        let change = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions),
            _ if consumer.assignment_lost() => Change::Lost(partitions),
            _ => Change::Revoked(partitions),
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }
}

/// A consumer that has yet to subscribe, for so many partitions of topics at most. Whoever has patience waits for more records.
pub(super) fn consumer(
    settings: &Arc<Settings>,
    (group, member): (&str, &str),
    places: usize,
    patience: Duration,
) -> Result<BaseConsumer<Rebalances>, Error> {
    let ahead_kib = (settings.ahead_bytes_max / places.max(1) / 1024).max(AHEAD_KIB_MIN);
    let mut config = client::config(settings);
    config
        .set("group.id", group)
        .set("group.instance.id", member)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", millis(settings.session_max))
        .set("heartbeat.interval.ms", millis(HEARTBEAT_EVERY.min(settings.session_max / 3)))
        .set("max.poll.interval.ms", LET_GO_MAX)
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        // The other half of it is spent between two transactions.
        .set("fetch.wait.max.ms", millis((patience / 2).max(NOTHING_AFTER)))
        .set("fetch.min.bytes", LITTLE_BYTES)
        .set("fetch.queue.backoff.ms", ROOM_AGAIN_AFTER)
        .set("max.partition.fetch.bytes", ANSWER_BYTES_MAX)
        .set("queued.max.messages.kbytes", ahead_kib.to_string());
    let context =
        Rebalances { telling: Telling::new(settings.clone()), changes: Mutex::default(), closes: AtomicBool::new(false) };
    config.create_with_context(context).map_err(Error::kafka(format!("group {group} cannot be joined")))
}
