//! What the cases here need: logs with names of their own, and members that are looked at until something holds.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use domain::Timestamp;
use io_kafka::{KafkaLog, KafkaMember, Settings};
use ports::{Commit, Error, ErrorKind, Event, Log, Member, Membership, Outgoing, Position, Record, TopicSpec, clock_fn};

pub(crate) const IN: &str = "in";
pub(crate) const OUT: &str = "out";
pub(crate) const GROUP: &str = "group";
/// As short as the brokers of the tests allow.
pub(crate) const SESSION: Duration = Duration::from_secs(1);
/// Longer than anything here may take, a busy machine included.
const AT_LAST: Duration = Duration::from_secs(60);

/// Settings with names that no other case, and no run before, has used.
pub(crate) fn settings(brokers: &str) -> Settings {
    static CASES: AtomicU32 = AtomicU32::new(0);
    let (process, case) = (std::process::id(), CASES.fetch_add(1, Ordering::Relaxed));
    Settings {
        prefix: format!("broker-{}-{process}-{case}.", wall().0),
        session_max: SESSION,
        transaction_max: Duration::from_secs(2),
        ..Settings::new(brokers)
    }
}

pub(crate) fn shared() -> Settings {
    settings(&testkit::servers::shared("kafka"))
}

pub(crate) fn open(settings: &Settings) -> KafkaLog {
    KafkaLog::open(settings.clone(), clock_fn(1.0, wall)).expect("the log opens")
}

pub(crate) fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the broker's clock is real, and so is the one beside it")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    Timestamp(since.as_millis() as i64)
}

/// Tells how long something takes.
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "what is measured is how long a broker may take")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is how long a broker may take")]
pub(crate) fn now() -> Watch {
    Watch(Instant::now())
}

pub(crate) fn run<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime starts").block_on(case)
}

pub(crate) fn topic(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec { name: name.into(), partitions, retention: None, retention_bytes: None }
}

/// A log with the two topics that most cases need.
pub(crate) async fn created(settings: &Settings, partitions: u32) -> KafkaLog {
    let log = open(settings);
    log.create(&[topic(IN, partitions), topic(OUT, partitions)]).await.expect("topics are created");
    log
}

pub(crate) fn outgoing(topic: &str, partition: u32, value: impl Into<Vec<u8>>) -> Outgoing {
    let value = Bytes::from(value.into());
    Outgoing { topic: topic.into(), partition, key: Bytes::new(), value, headers: Vec::new() }
}

pub(crate) fn commit(partition: u32, next: u64, output: &str) -> Commit {
    let (positions, outputs) = (vec![Position { topic: IN.into(), next }], vec![outgoing(OUT, partition, output)]);
    Commit { partition, positions, note: Bytes::from(output.to_owned()), outputs }
}

pub(crate) async fn join(log: &KafkaLog, member: &str) -> Result<KafkaMember, Error> {
    log.join(Membership::new(GROUP, member, vec![IN.into()])).await
}

pub(crate) fn text(record: &Record) -> String {
    String::from_utf8(record.value.to_vec()).expect("a text")
}

/// Everything in a partition that readers may see.
pub(crate) async fn values(log: &KafkaLog, topic: &str, partition: u32) -> Vec<String> {
    let (mut all, mut next) = (Vec::new(), 0);
    loop {
        let records = log.read(topic, partition, next, 1 << 20).await.expect("records are read");
        let Some(last) = records.last() else { return all };
        next = last.offset + 1;
        all.extend(records.iter().map(text));
    }
}

#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, kind: ErrorKind) -> String {
    match result {
        Ok(_) => panic!("it went well and should have been {kind:?}"),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{error}");
            error.to_string()
        }
    }
}

/// A member, where it is in what it owns, and the values that it has got since.
pub(crate) struct Reader {
    pub(crate) member: KafkaMember,
    pub(crate) next: BTreeMap<u32, u64>,
    pub(crate) got: Vec<String>,
    pub(crate) heard: Vec<Event>,
}

impl Reader {
    pub(crate) fn new(member: KafkaMember) -> Self {
        Self { member, next: BTreeMap::new(), got: Vec::new(), heard: Vec::new() }
    }

    pub(crate) async fn join(log: &KafkaLog, member: &str) -> Self {
        Self::new(join(log, member).await.expect("a member joins"))
    }

    /// One that owns all partitions.
    pub(crate) async fn owner(log: &KafkaLog, member: &str, partitions: usize) -> Self {
        let mut reader = Self::join(log, member).await;
        reader.until("it owns everything", |reader| reader.next.len() == partitions).await;
        reader
    }

    /// Takes one event, and begins where it was committed.
    pub(crate) async fn look(&mut self) -> Result<(), Error> {
        let event = self.member.next(Duration::from_millis(10)).await?;
        match &event {
            Event::Assigned(come) => {
                for assignment in come {
                    self.next.insert(assignment.partition, assignment.next(IN).unwrap_or(0));
                    self.member.start(assignment.partition, &assignment.positions)?;
                }
            }
            Event::Revoked(gone) | Event::Lost(gone) => self.next.retain(|partition, _| !gone.contains(partition)),
            Event::Records { records, partition, .. } => {
                self.got.extend(records.iter().map(text));
                if let Some(last) = records.last() {
                    self.next.insert(*partition, last.offset + 1);
                }
            }
            Event::Idle => return Ok(()),
        }
        self.heard.push(event);
        Ok(())
    }

    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = now();
        while !holds(self) {
            self.look().await.expect("a member goes on");
            assert!(begun.elapsed() < AT_LAST, "waited in vain until {what}");
        }
    }

    pub(crate) fn has_heard(&self, is_it: impl Fn(&Event) -> bool) -> bool {
        self.heard.iter().any(is_it)
    }
}
