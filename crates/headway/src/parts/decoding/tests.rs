//! Records come as they went, with their JSON beside them; what cannot be read is marked, and a registry that is away keeps records
//! waiting and loses none. Over the fake log, which passes the same contract without a registry.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use domain::Timestamp;
use ports::{Clock, Event, Log, Member, Membership, Outgoing, Record, TopicSpec, clock_fn};
use testkit::{contract::log::Harness, fake::MemoryLog};
use tokio::runtime::Runtime;

use super::{Decoding, piece::SCHEMAS_MAX};
use crate::{arguments, settings::Servers};

const TOPIC: &str = "in";
/// The only schema that the registry of these tests has.
const KNOWN: u32 = 7;
const SCHEMA: &str = r#"{"schema":"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#;
const UNKNOWN: &str = r#"{"error_code":40403,"message":"Schema not found"}"#;
/// For what should happen at once, on a machine that may be busy with something else.
const LOOKS_MAX: usize = 2000;
const LOOK: Duration = Duration::from_millis(10);

/// A registry with one schema.
#[derive(Default)]
struct Stub {
    away: AtomicBool,
    asked: AtomicUsize,
}

impl Stub {
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stub = Arc::new(Self::default());
        let answering = stub.clone();
        // Ends with the process of the tests.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answering.answer(&stream)));
        (stub, url)
    }

    fn answer(&self, mut stream: &std::net::TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).is_ok_and(|read| read > 0) {}
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (status, body) = match self.away.load(Ordering::SeqCst) {
            true => ("503 Busy", "later"),
            false if request.starts_with(&format!("GET /schemas/ids/{KNOWN} ")) => ("200 OK", SCHEMA),
            false => ("404 No", UNKNOWN),
        };
        // Whoever does not wait for the answer has given up, which is its own affair.
        let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    }
}

fn still() -> Clock {
    clock_fn(1.0, || Timestamp(1_760_000_000_000))
}

fn decoding(url: &str) -> Decoding<MemoryLog> {
    let servers = Servers::resolve(&arguments::Servers { registry: Some(url.to_owned()), ..arguments::Servers::default() });
    let servers = servers.expect("sound settings");
    let log = Decoding::new(MemoryLog::new(still()), &servers, &still()).expect("sound settings");
    log.decode_only([TOPIC.into()].into());
    log
}

fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), payload].concat()
}

async fn append(log: &impl Log, values: &[Vec<u8>]) {
    let outgoing = |value: &Vec<u8>| Outgoing {
        topic: TOPIC.into(),
        partition: 0,
        key: Bytes::from_static(b"key"),
        value: Bytes::copy_from_slice(value),
        headers: Vec::new(),
    };
    log.append(values.iter().map(outgoing).collect()).await.expect("they are appended");
}

async fn prepared(url: &str) -> Decoding<MemoryLog> {
    let log = decoding(url);
    log.create(&[TopicSpec { name: TOPIC.into(), partitions: 1, retention: None, retention_bytes: None }])
        .await
        .expect("a topic");
    log
}

/// A member that has begun.
async fn member<L: Log>(log: &L) -> L::Member {
    let membership = Membership::new("g", "m", vec![TOPIC.into()]);
    let mut member = log.join(membership).await.expect("it joins");
    for _ in 0..LOOKS_MAX {
        if let Event::Assigned(assigned) = member.next(LOOK).await.expect("an event")
            && !assigned.is_empty()
        {
            member.start(0, &[]).expect("it is owned");
            return member;
        }
    }
    panic!("nothing was assigned")
}

/// The next records, and whether more were announced.
async fn records(member: &mut impl Member) -> (Vec<Record>, bool) {
    for _ in 0..LOOKS_MAX {
        if let Event::Records { records, more, .. } = member.next(LOOK).await.expect("an event") {
            return (records, more);
        }
    }
    panic!("nothing came")
}

/// What each says, or why not.
fn said(records: &[Record]) -> Vec<String> {
    let one = |record: &Record| match record.unreadable() {
        Some(unreadable) => format!("{:?}", unreadable.reason),
        None => String::from_utf8_lossy(record.json()).into_owned(),
    };
    records.iter().map(one).collect()
}

fn on_threads<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

#[test]
fn a_record_keeps_its_bytes_and_says_what_they_mean() {
    on_threads(async {
        let (_, url) = Stub::start();
        let log = prepared(&url).await;
        let values = [framed(KNOWN, &[2]), b"{\"a\":1}".to_vec(), framed(8, &[2]), framed(KNOWN, &[0x80]), framed(KNOWN, &[4])];
        append(&log, &values).await;
        let expected = ["{\"a\":1}", "NotFramed", "UnknownSchema", "Undecodable", "{\"a\":2}"];
        let (delivered, _) = records(&mut member(&log).await).await;
        let read = log.read(TOPIC, 0, 0, 1 << 20).await.expect("they are read");
        assert_eq!((said(&delivered), said(&read)), (expected.map(String::from).to_vec(), expected.map(String::from).to_vec()));
        let beneath = log.beneath().read(TOPIC, 0, 0, 1 << 20).await.expect("they are read");
        let undecoded = |record: Record| Record { decoded: None, ..record };
        assert_eq!(delivered.into_iter().map(undecoded).collect::<Vec<_>>(), beneath);
        let why = read[2].unreadable().map(|unreadable| unreadable.why.clone()).unwrap_or_default();
        assert!(why.contains("schema 8: the registry does not have it"), "{why}");
    });
}

#[test]
fn other_topics_are_left_alone() {
    on_threads(async {
        let (stub, url) = Stub::start();
        let log = prepared(&url).await;
        log.decode_only([].into());
        append(&log, &[framed(KNOWN, &[2])]).await;
        let (delivered, _) = records(&mut member(&log).await).await;
        let read = log.read(TOPIC, 0, 0, 1 << 20).await.expect("they are read");
        assert!(delivered[0].decoded.is_none() && read[0].decoded.is_none());
        assert_eq!(stub.asked.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn records_wait_for_a_registry_that_is_away() {
    on_threads(async {
        let (stub, url) = Stub::start();
        let log = prepared(&url).await;
        append(&log, &[framed(KNOWN, &[2])]).await;
        stub.away.store(true, Ordering::SeqCst);
        let mut member = member(&log).await;
        let asked = |times: usize| stub.asked.load(Ordering::SeqCst) >= times;
        let mut looks = 0;
        while !asked(3) && looks < LOOKS_MAX {
            assert_eq!(member.next(LOOK).await.expect("no error"), Event::Idle);
            looks += 1;
        }
        assert!(asked(3), "it is tried again by itself");
        let error = log.read(TOPIC, 0, 0, 1 << 20).await.expect_err("nobody knows the schema");
        assert_eq!(error.kind(), ports::ErrorKind::Transient, "{error}");
        append(&log, &[framed(KNOWN, &[4])]).await;
        // Whoever has a topic paused hears nothing of it, however long it has waited.
        member.pause(TOPIC, 0);
        stub.away.store(false, Ordering::SeqCst);
        assert_eq!(log.read(TOPIC, 0, 0, 1 << 20).await.expect("it is back").len(), 2);
        assert_eq!(member.next(LOOK).await.expect("no error"), Event::Idle);
        member.resume(TOPIC, 0);
        let mut all = said(&records(&mut member).await.0);
        if all.len() < 2 {
            all.extend(said(&records(&mut member).await.0));
        }
        assert_eq!(all, ["{\"a\":1}", "{\"a\":2}"]);
    });
}

/// Two records wait for a registry that was away when they were asked for, and is back now.
async fn waiting(url: &str, stub: &Stub) -> (Decoding<MemoryLog>, impl Member) {
    let log = prepared(url).await;
    append(&log, &[framed(KNOWN, &[2]), framed(KNOWN, &[4])]).await;
    stub.away.store(true, Ordering::SeqCst);
    let mut member = member(&log).await;
    assert_eq!(member.next(LOOK).await.expect("no error"), Event::Idle);
    stub.away.store(false, Ordering::SeqCst);
    (log, member)
}

#[test]
fn what_waits_is_forgotten_when_the_partition_begins_anew() {
    on_threads(async {
        let (stub, url) = Stub::start();
        let (_log, mut member) = waiting(&url, &stub).await;
        member.start(0, &[ports::Position { topic: TOPIC.into(), next: 1 }]).expect("it is owned");
        assert_eq!(said(&records(&mut member).await.0), ["{\"a\":2}"]);
    });
}

#[test]
fn what_somebody_else_has_asked_for_is_not_taken_for_what_is_asked_next() {
    on_threads(async {
        let (stub, url) = Stub::start();
        let (log, mut member) = waiting(&url, &stub).await;
        assert_eq!(log.read(TOPIC, 0, 0, 1 << 20).await.expect("it is back").len(), 2);
        assert_eq!(said(&records(&mut member).await.0), ["{\"a\":1}", "{\"a\":2}"]);
        append(&log, &[framed(8, &[2])]).await;
        assert_eq!(said(&records(&mut member).await.0), ["UnknownSchema"]);
    });
}

#[test]
fn a_batch_asks_for_no_more_schemas_than_it_may() {
    on_threads(async {
        let (stub, url) = Stub::start();
        let log = prepared(&url).await;
        let strange = (0..SCHEMAS_MAX as u32 + 3).map(|number| framed(1000 + number, &[2]));
        append(&log, &strange.chain([framed(KNOWN, &[2])]).collect::<Vec<_>>()).await;
        let mut member = member(&log).await;
        let (first, more) = records(&mut member).await;
        assert_eq!((first.len(), more, stub.asked.load(Ordering::SeqCst)), (SCHEMAS_MAX, true, SCHEMAS_MAX));
        let (second, _) = records(&mut member).await;
        assert_eq!(said(&second), ["UnknownSchema", "UnknownSchema", "UnknownSchema", "{\"a\":1}"]);
        assert_eq!(log.read(TOPIC, 0, 0, 1 << 20).await.expect("they are read").len(), SCHEMAS_MAX + 4);
        assert_eq!(stub.asked.load(Ordering::SeqCst), SCHEMAS_MAX + 4, "what is missing is remembered for a while");
    });
}

/// The fake log with a decoder that never has to ask: nothing that the contract writes is framed.
struct Decoded;

impl Harness for Decoded {
    type Log = Decoding<MemoryLog>;

    async fn open(&mut self) -> Self::Log {
        let log = decoding("http://127.0.0.1:9");
        log.decode_only(["in", "out", "a", "b", "t"].map(Arc::from).into());
        log
    }

    /// The broker lives on when a client dies.
    async fn crash(&mut self, log: Self::Log) -> Self::Log {
        log
    }
}

fn decoded() -> Decoded {
    Decoded
}

fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime starts")
}

mod contract {
    use super::*;

    testkit::log_contract!(decoded, paused);
}
