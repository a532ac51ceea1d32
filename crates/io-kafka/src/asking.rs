//! A client that only asks: how topics are cut, where partitions end, what groups have committed. Waits for brokers.
//!
//! What a client has to tell - why it cannot connect, that it needs a token - waits until somebody asks it something.

use std::{sync::Arc, thread, time::Duration};

use ports::ErrorKind;
use rdkafka::{
    consumer::{BaseConsumer, ConsumerContext},
    error::KafkaError,
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, Settings,
    client::{self, EVENTS_MAX, Telling},
    deadline::Deadline,
    error::code,
};

/// Brokers that want nothing to do with us say so at once, and the client goes on trying: after this it is looked what they said.
const LOOK: Duration = Duration::from_secs(2);

/// How long it is waited for a partition that is between two leaders.
const MOVING: Duration = Duration::from_millis(20);

/// What an answer does with transactions that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transactions {
    /// Waits until they are closed, if they may change it.
    Awaited,
    /// Is what was so before them.
    Overlooked,
}

impl Transactions {
    /// What a client calls it.
    fn isolation(self) -> &'static str {
        match self {
            Self::Awaited => "read_committed",
            Self::Overlooked => "read_uncommitted",
        }
    }
}

/// A client that belongs to no group.
pub(crate) struct Asking {
    consumer: BaseConsumer<Telling>,
    telling: Telling,
    answer_max: Duration,
}

impl Asking {
    /// With the name of a group it can be asked what that has committed.
    pub(crate) fn new(settings: &Arc<Settings>, group: Option<&str>, open: Transactions) -> Result<Self, Error> {
        let mut config = client::config(settings);
        config.set("enable.auto.commit", "false").set("isolation.level", open.isolation());
        if let Some(group) = group {
            config.set("group.id", group);
        }
        let telling = Telling::new(settings.clone());
        let consumer = config.create_with_context(telling.clone());
        let consumer = consumer.map_err(Error::kafka("the settings of Kafka are not accepted"))?;
        Ok(Self { consumer, telling, answer_max: settings.answer_max })
    }

    /// An answer, or why there is none.
    pub(crate) fn ask<T>(
        &self,
        what: impl Into<String>,
        question: impl Fn(&BaseConsumer<Telling>, Duration) -> Result<T, KafkaError>,
    ) -> Result<T, Error> {
        let deadline = Deadline::after(self.answer_max);
        let answer = loop {
            hear(&self.consumer);
            let answer = question(&self.consumer, LOOK.min(deadline.left()));
            match &answer {
                Err(error) if Telling::is_silence(error) && !deadline.is_over() && !self.is_refused() => {}
                // Its successor is known in a moment.
                Err(error) if is_moving(error) && !deadline.is_over() => thread::park_timeout(MOVING),
                _ => break answer,
            }
        };
        answer.map_err(|source| {
            hear(&self.consumer);
            self.telling.explain(what, source)
        })
    }

    fn is_refused(&self) -> bool {
        hear(&self.consumer);
        self.telling.reason().is_some_and(|reason| reason.kind() == ErrorKind::Invalid)
    }
}

/// Whether the broker that was asked does not lead the partition any more, or not yet, or has just been started and knows of nothing.
fn is_moving(error: &KafkaError) -> bool {
    matches!(
        code(error),
        Some(
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::UnknownLeaderEpoch
                | Code::FencedLeaderEpoch
                | Code::UnknownPartition
                | Code::UnknownTopicOrPartition
        )
    )
}

/// Takes what a client has to tell.
pub(crate) fn hear<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    for _ in 0..EVENTS_MAX {
        // It fetches nothing: what comes are errors that its context has noted.
        let _ = consumer.poll(Duration::ZERO);
    }
}
