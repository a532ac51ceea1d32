//! Transactions of one member: outputs and positions that become visible as one.
//!
//! Whoever opens them under the same name fences the one before and takes back what it had not committed.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ports::Outgoing;
use rdkafka::{
    ClientContext, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::ConsumerGroupMetadata,
    error::KafkaError,
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext},
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, Settings,
    client::{self, EVENTS_MAX, Telling, millis},
    deadline::Deadline,
    error::code,
    names::Names,
};

/// What one record may have in it: a block of partials of a large step, with room for what it may grow to.
pub(crate) const RECORD_BYTES_MAX: usize = 8 << 20;
/// What waits for the brokers: the outputs of one commit, or of everybody who appends.
pub(crate) const WAITING_BYTES_MAX: usize = 64 << 20;
/// How often it is looked what became of records. A commit takes some milliseconds in any case. The client's own wait turns in a circle
/// for the last millisecond of its time, whatever that is, and those of one process took a third of a core by that.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// Records are handed over one by one, and each request has those of one partition: this makes it one request for each.
const LINGER_MS: &str = "2";
/// How long one attempt to take a transaction back waits before it is looked what became of the records.
const ABORT_STEP: Duration = Duration::from_millis(20);
/// A transaction that follows another at once is asked to come again until the brokers have written down that one, which takes some
/// milliseconds, or some tens on a busy broker.
const RETRY_AFTER_MAX: Duration = Duration::from_millis(20);

/// How much longer than its time a call of the client may take on a busy machine.
const GRACE: Duration = Duration::from_secs(2);

/// A producer with a name.
pub(crate) struct Transactions {
    producer: BaseProducer<Deliveries>,
    settings: Arc<Settings>,
    /// While positions are written: by when the client says that it will have answered. It is known not to when the coordinator of a
    /// group went away and came back in between.
    answers_by: Mutex<Option<Deadline>>,
}

/// Why a transaction was not committed.
pub(crate) enum Failed {
    /// The group is changing: the same transaction may work in a moment, if the partitions are still the member's.
    Changing(KafkaError),
    /// It was not committed, or nobody knows.
    Error(Error),
}

impl Transactions {
    /// Ends what the one before left open. Waits for brokers.
    pub(crate) fn open(settings: &Arc<Settings>, name: &str) -> Result<Self, Error> {
        let what = || format!("transactions of {name} cannot be opened");
        let mut config = client::config(settings);
        config
            .set("transactional.id", name)
            .set("transaction.timeout.ms", millis(settings.transaction_max))
            // The client takes nothing longer.
            .set("socket.timeout.ms", millis(settings.answer_max.min(settings.transaction_max)))
            // A record is given up before its transaction is.
            .set("message.timeout.ms", millis(settings.transaction_max.mul_f64(0.8)))
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            .set("queue.buffering.max.kbytes", (WAITING_BYTES_MAX >> 10).to_string())
            .set("linger.ms", LINGER_MS)
            .set("retry.backoff.max.ms", millis(RETRY_AFTER_MAX));
        let context = Deliveries { telling: Telling::new(settings.clone()), done: AtomicUsize::new(0), failed: Mutex::default() };
        let producer: BaseProducer<Deliveries> = config.create_with_context(context).map_err(Error::kafka(what()))?;
        let opened = Self { producer, settings: settings.clone(), answers_by: Mutex::default() };
        opened.hear();
        let begun = opened.producer.init_transactions(settings.answer_max);
        begun.map_err(|source| {
            opened.hear();
            opened.producer.context().telling.explain(what(), source)
        })?;
        Ok(opened)
    }

    /// Writes, positions included, and commits. Whatever fails is taken back.
    pub(crate) fn run(
        &self,
        outputs: &[&Outgoing],
        names: &Names,
        positions: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), Failed> {
        self.hear();
        self.producer.begin_transaction().map_err(|error| self.failed(error))?;
        let written = self.write(outputs, names, positions, group);
        let committed = written.and_then(|()| self.producer.commit_transaction(self.settings.answer_max));
        committed.map_err(|error| {
            let aborted = self.abort();
            match (code(&error), aborted) {
                (Some(Code::IllegalGeneration | Code::RebalanceInProgress), Ok(())) => Failed::Changing(error),
                _ => self.failed(error),
            }
        })
    }

    /// Whether the client has not come back long after it should have: it never will.
    pub(crate) fn is_stuck(&self) -> bool {
        self.answers_by().is_some_and(|deadline| deadline.is_over())
    }

    fn answers_by(&self) -> MutexGuard<'_, Option<Deadline>> {
        self.answers_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the client has to tell, be it that it needs a new token.
    fn hear(&self) {
        for _ in 0..EVENTS_MAX {
            self.producer.poll(Duration::ZERO);
        }
    }

    /// Waits a moment for more of it.
    fn hear_later(&self) {
        std::thread::park_timeout(LOOK_EVERY);
        self.hear();
    }

    /// Takes back what was written. The client waits for what became of each record, which is heard of only between its waits.
    fn abort(&self) -> Result<(), KafkaError> {
        let deadline = Deadline::after(self.settings.answer_max);
        loop {
            self.hear();
            match self.producer.abort_transaction(ABORT_STEP) {
                Err(error) if code(&error) == Some(Code::OperationTimedOut) && !deadline.is_over() => {}
                other => return other,
            }
        }
    }

    fn write(
        &self,
        outputs: &[&Outgoing],
        names: &Names,
        positions: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), KafkaError> {
        let context = self.producer.context();
        context.done.store(0, Ordering::Relaxed);
        context.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        for output in outputs {
            self.send(output, &names.outside(&output.topic))?;
        }
        *self.answers_by() = Some(Deadline::after(self.settings.answer_max.min(self.settings.transaction_max) + GRACE));
        let placed = self.producer.send_offsets_to_transaction(positions, group, self.settings.answer_max);
        *self.answers_by() = None;
        placed?;
        self.delivered(outputs.len())
    }

    fn send(&self, output: &Outgoing, topic: &str) -> Result<(), KafkaError> {
        loop {
            match self.producer.send(record(output, topic, ())) {
                Ok(()) => return Ok(()),
                // More than may wait: those before have to go first.
                Err((error, _)) if code(&error) == Some(Code::QueueFull) => self.hear_later(),
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until the brokers have that many. They answer, or the client gives up each record after its own time.
    fn delivered(&self, count: usize) -> Result<(), KafkaError> {
        let context = self.producer.context();
        let deadline = Deadline::after(self.settings.transaction_max);
        self.hear();
        while context.done.load(Ordering::Relaxed) < count {
            if deadline.is_over() {
                return Err(KafkaError::MessageProduction(Code::MessageTimedOut));
            }
            self.hear_later();
        }
        let failed = context.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), Err)
    }

    fn failed(&self, error: KafkaError) -> Failed {
        // Of a producer that can never be used again the first reason tells more than what followed from it.
        let fatal = self.producer.client().fatal_error().map(|(code, _)| KafkaError::Global(code));
        Failed::Error(Error::Kafka { what: "a transaction was not committed".into(), source: fatal.unwrap_or(error) })
    }
}

/// A record as the client takes it.
pub(crate) fn record<'a, O: rdkafka::util::IntoOpaque>(
    output: &'a Outgoing,
    topic: &'a str,
    opaque: O,
) -> BaseRecord<'a, [u8], [u8], O> {
    let mut record = BaseRecord::with_opaque_to(topic, opaque).partition(output.partition.cast_signed()).payload(&*output.value);
    if !output.key.is_empty() {
        record = record.key(&*output.key);
    }
    if output.headers.is_empty() {
        return record;
    }
    let headers = OwnedHeaders::new_with_capacity(output.headers.len());
    let headers = output
        .headers
        .iter()
        .fold(headers, |headers, header| headers.insert(Header { key: &header.name, value: Some(&*header.value) }));
    record.headers(headers)
}

/// What became of the records of the transaction at hand.
struct Deliveries {
    telling: Telling,
    done: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
}

impl ClientContext for Deliveries {
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

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, _opaque: ()) {
        if let Err((error, _)) = delivered {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}
