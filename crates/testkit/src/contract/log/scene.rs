//! Short ways to say what the cases of the log contract need. The only place here that builds what the port takes.

use std::sync::Arc;

use bytes::Bytes;
use domain::Span;
use ports::{Commit, Error, ErrorKind, Log, Member, Membership, Outgoing, Position, Record, TopicSpec};

use super::{Harness, consumer::Consumer};

pub(crate) const IN: &str = "in";
pub(crate) const OUT: &str = "out";
pub(crate) const GROUP: &str = "group";
/// More than any case reads at once.
pub(crate) const ALL: usize = 1 << 30;

/// A harness and its log.
pub(crate) async fn open<H: Harness>(make: &impl Fn() -> H) -> (H, H::Log) {
    let mut harness = make();
    let log = harness.open().await;
    (harness, log)
}

pub(crate) fn topic(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec { name: name.into(), partitions, retention: None, retention_bytes: None }
}

/// The two topics that most cases need.
pub(crate) async fn create(log: &impl Log, partitions: u32) {
    log.create(&[topic(IN, partitions), topic(OUT, partitions)]).await.expect("topics are created");
}

pub(crate) fn outgoing(topic: &str, partition: u32, value: &str) -> Outgoing {
    let value = Bytes::copy_from_slice(value.as_bytes());
    Outgoing { topic: topic.into(), partition, key: Bytes::new(), value, headers: Vec::new() }
}

/// Appends these values together.
pub(crate) async fn append(log: &impl Log, topic: &str, partition: u32, values: &[&str]) {
    let records = values.iter().map(|value| outgoing(topic, partition, value)).collect();
    log.append(records).await.expect("records are appended");
}

/// All values of a partition from an offset on.
pub(crate) async fn values(log: &impl Log, topic: &str, partition: u32, from: u64) -> Vec<String> {
    all(log, topic, partition, from).await.iter().map(text).collect()
}

/// All records of a partition from an offset on, with the offsets checked.
pub(crate) async fn all(log: &impl Log, topic: &str, partition: u32, from: u64) -> Vec<Record> {
    let mut all = Vec::new();
    let mut next = from;
    loop {
        let records = log.read(topic, partition, next, ALL).await.expect("records are read");
        let Some(last) = records.last() else { return all };
        assert!(records.windows(2).all(|pair| pair[0].offset < pair[1].offset), "out of order: {records:?}");
        assert!(records[0].offset >= next, "read again: {records:?}");
        next = last.offset + 1;
        all.extend(records);
    }
}

pub(crate) fn text(record: &Record) -> String {
    String::from_utf8(record.value.to_vec()).expect("a text")
}

pub(crate) async fn join<L: Log>(log: &L, group: &str, member: &str, topics: &[&str]) -> Result<L::Member, Error> {
    let topics: Vec<Arc<str>> = topics.iter().map(|topic| (*topic).into()).collect();
    log.join(Membership::new(group, member, topics)).await
}

pub(crate) async fn consumer<L: Log>(log: &L, member: &str) -> Consumer<L::Member> {
    Consumer::new(join(log, GROUP, member, &[IN]).await.expect("a member joins"))
}

pub(crate) fn position(topic: &str, next: u64) -> Position {
    Position { topic: topic.into(), next }
}

/// A commit of the topic `in` up to an offset, with one output.
pub(crate) fn commit(partition: u32, next: u64, note: &str, output: &str) -> Commit {
    let outputs = vec![outgoing(OUT, partition, output)];
    Commit { partition, positions: vec![position(IN, next)], note: Bytes::copy_from_slice(note.as_bytes()), outputs }
}

/// What a group has committed for a partition: the position in `in`, and the note.
pub(crate) async fn committed(log: &impl Log, partition: u32) -> Option<(u64, String)> {
    let all = log.committed(GROUP, &[IN.into()]).await.expect("what was committed is read");
    let found = all.into_iter().find(|found| found.partition == partition)?;
    let next = found.positions.iter().find(|position| &*position.topic == IN)?.next;
    Some((next, String::from_utf8(found.note.to_vec()).expect("a text")))
}

#[track_caller]
pub(crate) fn refused<T>(result: Result<T, Error>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("it went well and should have been {kind:?}"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}

pub(crate) fn minutes(minutes: i64) -> Span {
    Span(minutes * 60_000)
}

/// Commits through a member whatever kind it is.
pub(crate) async fn committing<M: Member>(consumer: &mut Consumer<M>, commit: Commit) {
    consumer.member.commit(vec![commit]).await.expect("it is committed");
}
