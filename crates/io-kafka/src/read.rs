//! Reading outside any group: consumers that are told where to read, kept for the next call that goes on where one has stopped.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ports::Record;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Message},
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, Settings,
    client::{self, Telling, millis},
    deadline::Deadline,
    records::Batch,
};

/// Consumers that are kept: a recovery reads a few topics side by side.
const KEPT_MAX: usize = 6;
/// What a consumer fetches ahead of what was asked for: two answers to a recovery that reads a mebibyte at a time.
const AHEAD_KIB: &str = "2048";
/// How long a broker waits for news before it says that there is none.
const NOTHING_AFTER: Duration = Duration::from_millis(10);
/// How long it is waited for the leaders of a topic.
const MEETING_MAX: Duration = Duration::from_secs(1);

/// Consumers for whoever wants to read.
pub(crate) struct Readers {
    settings: Arc<Settings>,
    kept: Mutex<Vec<Reader>>,
}

/// One consumer, and where it stands.
pub(crate) struct Reader {
    consumer: BaseConsumer<Telling>,
    at: Option<(String, u32, u64)>,
    /// Topics whose leaders the client has asked for.
    known: HashSet<String>,
}

impl Readers {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// Records from an offset on, at least one if there is any. `topic` is its name in the cluster. Waits for brokers.
    pub(crate) fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
        let place = Place { topic, partition, from };
        let at = Some((place.topic.to_owned(), place.partition, place.from));
        let mut reader = self.take(&at)?;
        let stands_there = reader.at == at;
        if !stands_there {
            reader.go(&place, from)?;
        }
        let records = reader.records(&self.settings, &place, bytes_max, 0, stands_there)?;
        self.keep(reader);
        Ok(records)
    }

    /// One that stands there, or any other.
    fn take(&self, at: &Option<(String, u32, u64)>) -> Result<Reader, Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.iter().position(|reader| reader.at == *at) {
            return Ok(kept.remove(place));
        }
        if let Some(place) = kept.iter().position(|reader| reader.at.is_none() || kept.len() == KEPT_MAX) {
            return Ok(kept.remove(place));
        }
        drop(kept);
        Reader::new(&self.settings, NOTHING_AFTER)
    }

    fn keep(&self, reader: Reader) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(reader);
        }
    }
}

impl Reader {
    /// For which a broker waits so long for news.
    pub(crate) fn new(settings: &Arc<Settings>, wait: Duration) -> Result<Self, Error> {
        let mut config = client::config(settings);
        config
            // A consumer has to name a group; this one never joins it and never commits. Its name is one that rights are given for.
            .set("group.id", format!("{}headway.readers", settings.prefix))
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", millis(wait))
            .set("fetch.queue.backoff.ms", "1")
            .set("queued.max.messages.kbytes", AHEAD_KIB);
        let context = Telling::new(settings.clone());
        let consumer = config.create_with_context(context).map_err(Error::kafka("the log cannot be read"))?;
        Ok(Self { consumer, at: None, known: HashSet::new() })
    }

    pub(crate) fn go(&mut self, place: &Place<'_>, next: u64) -> Result<(), Error> {
        self.meet(place.topic);
        let mut list = TopicPartitionList::new();
        let offset = Offset::Offset(next.cast_signed());
        let there = list.add_partition_offset(place.topic, place.partition.cast_signed(), offset);
        there.and_then(|()| self.consumer.assign(&list)).map_err(|source| place.failed(source))
    }

    /// Asks for the leaders of a topic that is new to the client, which by itself looks for them once a second. Where nobody answers it is
    /// left to that.
    fn meet(&mut self, topic: &str) {
        if !self.known.contains(topic) && self.consumer.fetch_metadata(Some(topic), MEETING_MAX).is_ok() {
            self.known.insert(topic.to_owned());
        }
    }

    /// Asks the brokers for nothing until it is sent somewhere.
    pub(crate) fn rest(&mut self) -> Result<(), KafkaError> {
        self.at = None;
        self.consumer.assign(&TopicPartitionList::new())
    }

    /// All records up to `until`, however long they take to come, and then what has come with them, but not much more than `bytes_max`.
    /// Whoever stood there before this call may have heard of an end that is none any more: he looks again before he believes it.
    pub(crate) fn records(
        &mut self,
        settings: &Settings,
        place: &Place<'_>,
        bytes_max: usize,
        until: u64,
        mut stood_there: bool,
    ) -> Result<Vec<Record>, Error> {
        let deadline = Deadline::after(settings.answer_max);
        let mut batch = Batch::default();
        let mut next = place.from;
        // Only what ended well stands where it seems to stand. Whoever has heard of the end hears of it only once.
        self.at = None;
        loop {
            let enough = next >= until && !batch.is_empty();
            match self.consumer.poll(if enough { Duration::ZERO } else { deadline.left() }) {
                Some(Ok(message)) if !place.is_of(&message) => {}
                Some(Ok(message)) => {
                    batch.push(&message);
                    next = message.offset().unsigned_abs() + 1;
                    if batch.bytes() >= bytes_max {
                        break;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(ended))) if ended != place.partition.cast_signed() => {}
                Some(Err(KafkaError::PartitionEOF(_))) if std::mem::take(&mut stood_there) => self.go(place, next)?,
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(batch.finish()),
                // It looks for brokers by itself as long as there is time.
                Some(Err(source)) if Telling::is_silence(&source) && !deadline.is_over() => {}
                Some(Err(source)) => return Err(place.failed(source)),
                None if enough => break,
                None if deadline.is_over() => return Err(place.failed(KafkaError::MessageConsumption(Code::OperationTimedOut))),
                None => {}
            }
        }
        self.at = Some((place.topic.to_owned(), place.partition, next));
        Ok(batch.finish())
    }
}

/// Where to read.
pub(crate) struct Place<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: u32,
    pub(crate) from: u64,
}

impl Place<'_> {
    /// What was fetched for the call before may still come.
    fn is_of(&self, message: &BorrowedMessage<'_>) -> bool {
        message.partition() == self.partition.cast_signed()
            && message.topic() == self.topic
            && message.offset().unsigned_abs() >= self.from
    }

    pub(crate) fn failed(&self, source: KafkaError) -> Error {
        Error::Kafka { what: format!("partition {} of {} was not read", self.partition, self.topic), source }
    }
}
