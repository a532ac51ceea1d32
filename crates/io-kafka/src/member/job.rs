//! One transaction of a member, on a thread of its own. Keeps neither the member nor its consumer alive: there are calls of the client
//! that never come back, and whoever is in one is left behind.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use ports::Outgoing;
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::{sync::oneshot, time::timeout};

use super::{outbox::Outbox, rebalances::Rebalances};
use crate::{
    Error,
    deadline::Deadline,
    names::Names,
    transactions::{Failed, Transactions},
};

/// How long a commit waits before it is tried again while the group is changing: a rebalance takes a few of these.
const CHANGING: Duration = Duration::from_millis(20);
/// How often it is looked whether the client still comes back.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The consumer has been closed meanwhile.
const CLOSED: Error = Error::Ended("the consumer is closed");

/// One transaction.
pub(super) struct Job {
    pub(super) transactions: Arc<Transactions>,
    pub(super) consumer: Weak<BaseConsumer<Rebalances>>,
    pub(super) names: Names,
    pub(super) outbox: Arc<Outbox>,
    pub(super) partitions: BTreeSet<u32>,
    pub(super) outputs: Vec<Outgoing>,
    pub(super) positions: TopicPartitionList,
    /// How long the group may be changing.
    pub(super) patience: Duration,
}

impl Job {
    /// Does it, and gives it up when the client does not come back.
    pub(super) async fn done(self) -> Result<(), Error> {
        let transactions = self.transactions.clone();
        let (tell, mut told) = oneshot::channel();
        // Who has given it up does not hear how it went.
        let work = move || drop(tell.send(self.run()));
        let begun = thread::Builder::new().name("kafka-commit".into()).spawn(work);
        begun.map_err(|error| Error::Request(format!("a thread for a transaction cannot be started: {error}")))?;
        loop {
            match timeout(LOOK_EVERY, &mut told).await {
                Ok(told) => return told.unwrap_or(Err(Error::Ended("the thread of a transaction has died: join again."))),
                Err(_) if transactions.is_stuck() => {
                    return Err(Error::Ended("the client does not come back from a transaction: join again."));
                }
                Err(_) => {}
            }
        }
    }

    /// Tries again while the group is changing, with what the group is then. A group refuses whoever belongs to an older one, but asks
    /// nobody who belongs to the latest whether a partition is theirs: that is known here, and looked up after the group. Who has lost
    /// something comes back into the group only behind that.
    fn run(self) -> Result<(), Error> {
        let deadline = Deadline::after(self.patience);
        let outputs: Vec<&Outgoing> = self.outputs.iter().collect();
        loop {
            let group = self.consumer.upgrade().and_then(|consumer| consumer.group_metadata()).ok_or(CLOSED)?;
            if self.outbox.has_lost(&self.partitions) {
                return Err(Error::Fenced(format!(
                    "partitions {:?} have gone to somebody else: drop what is not committed and join again.",
                    self.partitions
                )));
            }
            match self.transactions.run(&outputs, &self.names, &self.positions, &group) {
                Ok(()) => return Ok(()),
                Err(Failed::Changing(source)) if deadline.is_over() || self.has_lost_all() => {
                    return Err(Error::Kafka { what: "a transaction was not committed".into(), source });
                }
                Err(Failed::Changing(_)) => thread::park_timeout(CHANGING),
                Err(Failed::Error(error)) => return Err(error),
            }
        }
    }

    fn has_lost_all(&self) -> bool {
        self.consumer.upgrade().is_none_or(|consumer| consumer.assignment_lost())
    }
}
