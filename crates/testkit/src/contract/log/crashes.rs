//! What a process that dies leaves behind. The random scripts crash everywhere; these say what must not be forgotten.

use ports::{Bounds, Log};

use super::{
    Harness,
    scene::{GROUP, IN, OUT, append, commit, committed, committing, consumer, create, open, refused, topic, values},
};

/// Acknowledged is acknowledged, and what comes later goes behind it.
pub async fn what_was_appended_survives<H: Harness>(make: &impl Fn() -> H) {
    let (mut harness, mut log) = open(make).await;
    create(&log, 2).await;
    for (round, expected) in [(0, "a"), (1, "aa"), (2, "aaa")] {
        append(&log, IN, round % 2, &["b"]).await;
        append(&log, IN, 0, &["a"]).await;
        log = harness.crash(log).await;
        let read = values(&log, IN, 0, 0).await;
        assert_eq!(read.iter().filter(|value| *value == "a").count(), expected.len());
    }
    assert_eq!(values(&log, IN, 0, 0).await, ["b", "a", "a", "b", "a"]);
    assert_eq!(log.bounds(IN, 1).await.expect("bounds"), Bounds { first: 0, next: 1 });
}

/// Positions, notes and outputs, of several groups' partitions; the next owner goes on behind them.
pub async fn what_was_committed_survives<H: Harness>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 0, &["a", "b"]).await;
    let mut member = consumer(&log, "a").await;
    member.until("it has all", |member| member.values(IN, 0).len() == 2).await;
    committing(&mut member, commit(0, 1, "first", "x")).await;
    committing(&mut member, commit(1, 0, "", "y")).await;
    let log = harness.crash(log).await;
    drop(member);
    assert_eq!(committed(&log, 0).await, Some((1, "first".into())));
    assert_eq!(committed(&log, 1).await, Some((0, String::new())));
    assert_eq!(log.committed(GROUP, &[IN.into()]).await.expect("read").len(), 2);
    assert_eq!((values(&log, OUT, 0, 0).await, values(&log, OUT, 1, 0).await), (vec!["x".into()], vec!["y".into()]));
    let mut next = consumer(&log, "a").await;
    next.until("it goes on", |next| next.values(IN, 0) == ["b"]).await;
}

/// With their number of partitions.
pub async fn topics_survive<H: Harness>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 2).await;
    let log = harness.crash(log).await;
    refused(log.create(&[topic(IN, 3)]).await, ports::ErrorKind::Invalid);
    create(&log, 2).await;
    append(&log, OUT, 1, &["a"]).await;
    assert_eq!(values(&log, OUT, 1, 0).await, ["a"]);
}
