//! What may go, and how readers go on without it.

use ports::{Bounds, Log, Member, TopicSpec};

use super::{
    Clocked,
    scene::{IN, OUT, append, consumer, create, minutes, open, position, text, topic, values},
};

async fn bounds(log: &impl Log) -> Bounds {
    log.bounds(IN, 0).await.expect("bounds")
}

/// A day later they are gone, the younger ones and other topics are not, and offsets go on.
pub async fn old_records_go<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    let kept = TopicSpec { retention: Some(minutes(60)), ..topic(IN, 1) };
    log.create(&[kept, topic(OUT, 1)]).await.expect("created");
    append(&log, IN, 0, &["a", "b"]).await;
    append(&log, OUT, 0, &["x"]).await;
    harness.pass(&log, minutes(40)).await;
    append(&log, IN, 0, &["c"]).await;
    assert_eq!(values(&log, IN, 0, 0).await, ["a", "b", "c"]);
    harness.pass(&log, minutes(40)).await;
    assert_eq!(values(&log, IN, 0, 0).await, ["c"]);
    assert_eq!(bounds(&log).await, Bounds { first: 2, next: 3 });
    append(&log, IN, 0, &["d"]).await;
    assert_eq!(values(&log, IN, 0, 3).await, ["d"]);
    assert_eq!(values(&log, OUT, 0, 0).await, ["x"]);
}

/// The newest stay, in about the declared size.
pub async fn the_oldest_go_when_there_are_too_many_bytes<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    log.create(&[TopicSpec { retention_bytes: Some(100_000), ..topic(IN, 1) }]).await.expect("created");
    let long = "x".repeat(10_000);
    for _ in 0..50 {
        append(&log, IN, 0, &[&long]).await;
    }
    harness.pass(&log, minutes(5)).await;
    let Bounds { first, next } = bounds(&log).await;
    assert_eq!(next, 50);
    assert!((35..=44).contains(&first), "{first}");
    assert_eq!(values(&log, IN, 0, 0).await.len() as u64, next - first);
}

/// A reader, a member and an instant below the oldest record begin there.
pub async fn who_is_too_far_behind_goes_on_with_the_oldest<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    log.create(&[TopicSpec { retention: Some(minutes(10)), ..topic(IN, 1) }]).await.expect("created");
    let start = harness.now();
    append(&log, IN, 0, &["a", "b"]).await;
    let mut member = consumer(&log, "a").await;
    member.until("the first are there", |member| member.values(IN, 0).len() == 2).await;
    harness.pass(&log, minutes(20)).await;
    append(&log, IN, 0, &["c", "d"]).await;
    harness.pass(&log, minutes(5)).await;
    assert_eq!(bounds(&log).await.first, 2);
    let read = log.read(IN, 0, 0, 1).await.expect("read");
    assert_eq!(read.iter().map(text).collect::<Vec<_>>(), ["c"]);
    assert_eq!(log.offset_at(IN, 0, start).await.expect("found"), 2);
    member.forget();
    member.member.start(0, &[position(IN, 1)]).expect("started");
    member.until("it goes on", |member| member.values(IN, 0) == ["c", "d"]).await;
}

/// Creating a topic again changes how long it keeps.
pub async fn another_retention_is_taken_over<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 1).await;
    append(&log, IN, 0, &["a"]).await;
    harness.pass(&log, minutes(30)).await;
    append(&log, IN, 0, &["b"]).await;
    assert_eq!(bounds(&log).await.first, 0);
    log.create(&[TopicSpec { retention: Some(minutes(10)), ..topic(IN, 1) }]).await.expect("changed");
    harness.pass(&log, minutes(5)).await;
    assert_eq!(values(&log, IN, 0, 0).await, ["b"]);
}

/// What went may come back with a crash only as long as it was not really gone; what stays, stays.
pub async fn retention_survives<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    log.create(&[TopicSpec { retention: Some(minutes(10)), ..topic(IN, 1) }]).await.expect("created");
    append(&log, IN, 0, &["a", "b"]).await;
    harness.pass(&log, minutes(20)).await;
    append(&log, IN, 0, &["c"]).await;
    harness.pass(&log, minutes(2)).await;
    let log = harness.crash(log).await;
    harness.pass(&log, minutes(2)).await;
    assert_eq!(values(&log, IN, 0, 0).await, ["c"]);
    assert_eq!(log.bounds(IN, 0).await.expect("bounds"), Bounds { first: 2, next: 3 });
}
