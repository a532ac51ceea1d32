//! What an owner of partitions is delivered, and when.

use std::{
    future::Future,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ports::{Event, Member};

use super::{
    Harness,
    consumer::Consumer,
    scene::{GROUP, IN, OUT, append, consumer, create, join, open, position},
};

/// An owner says where to begin before it gets anything.
pub async fn nothing_is_delivered_before_start<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    append(&log, IN, 0, &["a"]).await;
    let mut waits = Consumer::that_waits(join(&log, GROUP, "a", &[IN]).await.expect("joins"));
    waits.until_idle().await;
    assert!(waits.values(IN, 0).is_empty());
    waits.member.start(0, &[]).expect("started");
    waits.until("it has the record", |waits| waits.values(IN, 0) == ["a"]).await;
}

/// Also inside of what was appended together; without a position, at the oldest record.
pub async fn delivery_begins_where_start_says<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    append(&log, IN, 0, &["a", "b", "c"]).await;
    append(&log, IN, 0, &["d", "e"]).await;
    let mut member = Consumer::that_waits(join(&log, GROUP, "a", &[IN]).await.expect("joins"));
    member.until("it is the owner", |member| member.owned.contains(&0)).await;
    for (next, expected) in ["abcde", "bcde", "cde", "de", "e", ""].iter().enumerate() {
        member.forget();
        member.member.start(0, &[position(IN, next as u64)]).expect("started");
        member.until("everything came", |member| member.values(IN, 0).concat() == *expected).await;
        member.until_idle().await;
        assert_eq!(member.values(IN, 0).concat(), *expected);
    }
    member.forget();
    member.member.start(0, &[]).expect("started");
    member.until("everything came", |member| member.values(IN, 0).concat() == "abcde").await;
    member.until_idle().await;
    assert_eq!(member.values(IN, 0).concat(), "abcde");
}

/// A second start decides, whatever was on its way for the first.
pub async fn starting_again_drops_what_was_not_taken<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    for value in ["a", "b", "c", "d"] {
        append(&log, IN, 0, &[value]).await;
    }
    let mut member = Consumer::that_waits(join(&log, GROUP, "a", &[IN]).await.expect("joins"));
    member.until("it is the owner", |member| member.owned.contains(&0)).await;
    member.member.start(0, &[]).expect("started");
    member.until("something came", |member| !member.values(IN, 0).is_empty()).await;
    member.member.start(0, &[position(IN, 3)]).expect("started again");
    member.forget();
    member.until("the last came", |member| !member.values(IN, 0).is_empty()).await;
    member.until_idle().await;
    assert_eq!(member.values(IN, 0), ["d"]);
}

/// A member hears whether the log had more than it delivered, until it has everything.
pub async fn more_is_told_until_there_is_none<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let large = "x".repeat(700_000);
    for _ in 0..5 {
        append(&log, IN, 0, &[&large]).await;
    }
    let mut member = consumer(&log, "a").await;
    member.until("something came", |member| !member.values(IN, 0).is_empty()).await;
    if H::TELLS_OF_YOUNG {
        assert_eq!(member.more(IN, 0), Some(member.values(IN, 0).len() < 5), "not all of it fits into one event");
    }
    member.until("everything came", |member| member.values(IN, 0).len() == 5).await;
    member.until_idle().await;
    assert_eq!(member.more(IN, 0), Some(false));
}

/// A topic that is paused is silent in this partition, and the others are not.
pub async fn a_paused_topic_is_silent<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let mut member = Consumer::new(join(&log, GROUP, "a", &[IN, OUT]).await.expect("joins"));
    member.until("it is the owner", |member| member.owned.len() == 1).await;
    member.member.pause(IN, 0);
    append(&log, IN, 0, &["a"]).await;
    append(&log, OUT, 0, &["x"]).await;
    member.until("the other topic goes on", |member| member.values(OUT, 0) == ["x"]).await;
    member.until_idle().await;
    assert!(member.values(IN, 0).is_empty());
    member.member.resume(IN, 0);
    member.until("it goes on", |member| member.values(IN, 0) == ["a"]).await;
}

/// Paused, nothing comes; resumed, everything does, in order.
pub async fn a_paused_partition_is_silent<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    let mut member = consumer(&log, "a").await;
    member.until("it is the owner", |member| member.owned.len() == 2).await;
    append(&log, IN, 0, &["a"]).await;
    member.until("the first is there", |member| member.values(IN, 0) == ["a"]).await;
    member.member.pause(IN, 0);
    append(&log, IN, 0, &["b"]).await;
    append(&log, IN, 1, &["x"]).await;
    member.until("the other partition goes on", |member| member.values(IN, 1) == ["x"]).await;
    member.until_idle().await;
    assert_eq!(member.values(IN, 0), ["a"]);
    append(&log, IN, 0, &["c"]).await;
    member.member.resume(IN, 0);
    member.until("all are there", |member| member.values(IN, 0) == ["a", "b", "c"]).await;
}

/// Waiting ends when the time is over, and before that when something comes.
pub async fn nothing_new_is_idle<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let mut member = consumer(&log, "a").await;
    member.until_idle().await;
    assert_eq!(member.member.next(Duration::ZERO).await.expect("next"), Event::Idle);
    let (event, ()) = tokio::join!(member.member.next(Duration::from_secs(3600)), append(&log, IN, 0, &["a"]));
    assert!(matches!(event.expect("next"), Event::Records { .. }));
}

/// A wait that is given up at any point takes no event with it.
pub async fn a_cancelled_wait_loses_nothing<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let mut member = consumer(&log, "a").await;
    for polls in 1..5 {
        append(&log, IN, 0, &["a", "b"]).await;
        let event = {
            let mut next = std::pin::pin!(member.member.next(Duration::from_millis(1)));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).find_map(|_| match next.as_mut().poll(&mut context) {
                Poll::Ready(event) => Some(event.expect("next")),
                Poll::Pending => None,
            })
        };
        if let Some(event) = event {
            member.keep(event);
        }
    }
    member.until("everything is there", |member| member.values(IN, 0).concat() == "ab".repeat(4)).await;
}

/// Partition `p` of every topic of the membership, and none of them starves.
pub async fn all_topics_of_a_partition_are_delivered<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    let mut member = Consumer::new(join(&log, GROUP, "a", &[IN, OUT]).await.expect("joins"));
    for (topic, partition, value) in [(IN, 0, "a"), (OUT, 0, "b"), (IN, 1, "c"), (OUT, 1, "d")] {
        append(&log, topic, partition, &[value]).await;
    }
    member
        .until("all are there", |member| {
            [(IN, 0, "a"), (OUT, 0, "b"), (IN, 1, "c"), (OUT, 1, "d")]
                .iter()
                .all(|(topic, partition, value)| member.values(topic, *partition) == [*value])
        })
        .await;
}
