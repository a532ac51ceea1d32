//! Records outside any transaction: what producers do. Written once whatever the client has to repeat, and in their order.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ports::Outgoing;
use rdkafka::{
    ClientContext,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::DeliveryResult,
    producer::{ProducerContext, ThreadedProducer},
    types::RDKafkaErrorCode as Code,
};
use tokio::sync::oneshot;

use crate::{
    Error, Settings,
    client::{self, Telling, millis},
    names::Names,
    transactions::{RECORD_BYTES_MAX, WAITING_BYTES_MAX, record},
};

/// So that records which come at once go together.
const LINGER_MS: &str = "2";
/// How long somebody waits who brings more than may wait for the brokers.
const LOOK: Duration = Duration::from_millis(2);

/// A producer that is shared by all who append.
pub(crate) struct Appender {
    producer: ThreadedProducer<Appends>,
}

impl Appender {
    pub(crate) fn new(settings: &Arc<Settings>) -> Result<Self, Error> {
        let mut config = client::config(settings);
        config
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", millis(settings.answer_max))
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            .set("queue.buffering.max.kbytes", (WAITING_BYTES_MAX >> 10).to_string())
            .set("linger.ms", LINGER_MS);
        let context = Appends { telling: Telling::new(settings.clone()) };
        let producer = config.create_with_context(context).map_err(Error::kafka("records cannot be appended"))?;
        Ok(Self { producer })
    }

    /// When it returns, the brokers have all of them.
    pub(crate) async fn append(&self, records: &[Outgoing], names: &Names) -> Result<(), Error> {
        let Some(number) = NonZeroUsize::new(records.len()) else { return Ok(()) };
        let (done, all) = oneshot::channel();
        let (left, failed) = (AtomicUsize::new(number.get()), Mutex::default());
        let pending = Arc::new(Pending { left, failed, done: Mutex::new(Some(done)) });
        for outgoing in records {
            let topic = names.outside(&outgoing.topic);
            loop {
                match self.producer.send(record(outgoing, &topic, pending.clone())) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(Code::QueueFull), _)) => tokio::time::sleep(LOOK).await,
                    Err((error, _)) => {
                        pending.one(Some(error));
                        break;
                    }
                }
            }
        }
        let _ = all.await;
        let failed = pending.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), |source| Err(Error::Kafka { what: "records were not appended, or not all".into(), source }))
    }
}

/// Records of one call that were not heard of yet.
struct Pending {
    left: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Pending {
    fn one(&self, error: Option<KafkaError>) {
        if let Some(error) = error {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Whoever has stopped waiting wants to know nothing.
            let _ = done.map(|done| done.send(()));
        }
    }
}

struct Appends {
    telling: Telling,
}

impl ClientContext for Appends {
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

impl ProducerContext for Appends {
    type DeliveryOpaque = Arc<Pending>;

    fn delivery(&self, delivered: &DeliveryResult<'_>, pending: Arc<Pending>) {
        pending.one(delivered.as_ref().err().map(|(error, _)| error.clone()));
    }
}
