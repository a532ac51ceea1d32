//! Who owns which partition, and what members hear of it.

use std::{collections::BTreeSet, time::Duration};

use ports::{ErrorKind, Event, Log, Member};

use super::{
    Harness,
    consumer::{Consumer, until_all},
    scene::{GROUP, IN, OUT, append, commit, committed, committing, consumer, create, join, open, refused, topic},
};

fn all(partitions: u32) -> BTreeSet<u32> {
    (0..partitions).collect()
}

/// Alone, that is everything, with nothing committed.
pub async fn the_first_event_tells_what_is_assigned<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 3).await;
    let mut alone = consumer(&log, "a").await;
    alone.until("it has everything", |alone| alone.owned == all(3)).await;
    for assignment in &alone.assigned {
        assert!(assignment.positions.is_empty() && assignment.note.is_empty(), "{assignment:?}");
    }
    // One more than there are partitions: somebody hears of nothing, and hears it.
    let mut others = [consumer(&log, "b").await, consumer(&log, "c").await, consumer(&log, "d").await];
    let [b, c, d] = &mut others;
    until_all(&mut [&mut alone, b, c, d], "all were told", |members| {
        members.iter().all(|member| member.is_greeted()) && members.iter().map(|member| member.owned.len()).sum::<usize>() == 3
    })
    .await;
}

/// No member has two more than another, and no partition has two owners at any time.
pub async fn partitions_are_shared_evenly<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 8).await;
    let mut members: Vec<Consumer<_>> = Vec::new();
    for name in ["a", "b", "c"] {
        members.push(consumer(&log, name).await);
        let count = members.len();
        let (least, most) = (8 / count, 8_usize.div_ceil(count));
        let mut looking: Vec<&mut Consumer<_>> = members.iter_mut().collect();
        until_all(&mut looking, "the shares are even", |members| {
            let owned: Vec<u32> = members.iter().flat_map(|member| member.owned.iter().copied()).collect();
            assert_eq!(owned.len(), owned.iter().collect::<BTreeSet<_>>().len(), "a partition has two owners");
            owned.len() == 8 && members.iter().all(|member| (least..=most).contains(&member.owned.len()))
        })
        .await;
    }
}

/// A revoked partition still is the member's until it asks for the next event, and its commit is what the next owner sees.
pub async fn what_is_revoked_may_be_committed_before_it_goes<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 0, &["a", "b"]).await;
    append(&log, IN, 1, &["c", "d"]).await;
    let mut old = consumer(&log, "a").await;
    old.until("it has everything", |old| old.values(IN, 0).len() == 2 && old.values(IN, 1).len() == 2).await;
    let mut new = consumer(&log, "b").await;
    // The new one first in each round, so that the old one's last event is the revocation.
    until_all(&mut [&mut new, &mut old], "one goes", |members| !members[1].revoked.is_empty()).await;
    let gone = old.revoked[0];
    assert!(!new.owned.contains(&gone), "it went before it was let go");
    committing(&mut old, commit(gone, 2, "last", "out")).await;
    until_all(&mut [&mut old, &mut new], "it arrives", |members| members[1].owned.contains(&gone)).await;
    let assignment = new.assigned.iter().find(|found| found.partition == gone).expect("it was told");
    assert_eq!((assignment.positions[0].next, &assignment.note[..]), (2, &b"last"[..]));
    refused(old.member.commit(vec![commit(gone, 2, "late", "out")]).await, ErrorKind::Fenced);
}

/// Others need not wait for a time-out.
pub async fn who_leaves_gives_everything_back<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 4).await;
    let (mut stays, mut leaves) = (consumer(&log, "a").await, consumer(&log, "b").await);
    until_all(&mut [&mut stays, &mut leaves], "both have two", |members| members.iter().all(|member| member.owned.len() == 2))
        .await;
    leaves.member.leave().await.expect("it leaves");
    stays.until("it has everything", |stays| stays.owned == all(4)).await;
}

/// The one before can commit nothing any more, hears `Lost`, and then that it has no place.
pub async fn who_joins_under_the_same_name_fences_the_one_before<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 0, &["a", "b"]).await;
    let mut zombie = consumer(&log, "a").await;
    zombie.until("it has everything", |zombie| zombie.owned == all(2)).await;
    committing(&mut zombie, commit(0, 1, "first", "out")).await;
    let mut living = consumer(&log, "a").await;
    living.until("it has everything", |living| living.owned == all(2)).await;
    refused(zombie.member.commit(vec![commit(0, 2, "zombie", "never")]).await, ErrorKind::Fenced);
    match zombie.member.next(Duration::from_secs(5)).await {
        Ok(Event::Lost(partitions)) => assert_eq!(partitions.into_iter().collect::<BTreeSet<_>>(), all(2)),
        other => panic!("a fenced member hears {other:?}"),
    }
    refused(zombie.member.next(Duration::from_secs(5)).await, ErrorKind::Fenced);
    drop(zombie);
    committing(&mut living, commit(0, 2, "second", "out")).await;
    assert_eq!(committed(&log, 0).await, Some((2, "second".into())));
}

/// What a group reads has to exist and to be cut alike.
pub async fn joining_for_unknown_or_unequal_topics_is_invalid<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    log.create(&[topic("wide", 3)]).await.expect("created");
    refused(join(&log, GROUP, "a", &["nowhere"]).await, ErrorKind::Invalid);
    refused(join(&log, GROUP, "a", &[IN, "wide"]).await, ErrorKind::Invalid);
    refused(join(&log, GROUP, "a", &[]).await, ErrorKind::Invalid);
}

/// Two groups read everything each, and commit each for itself.
pub async fn groups_do_not_know_of_each_other<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 0, &["a"]).await;
    let mut one = consumer(&log, "a").await;
    let mut other = Consumer::new(join(&log, "another", "a", &[IN, OUT]).await.expect("joins"));
    until_all(&mut [&mut one, &mut other], "both have read", |members| {
        members.iter().all(|member| member.values(IN, 0) == ["a"])
    })
    .await;
    committing(&mut one, commit(0, 1, "one", "out")).await;
    assert!(
        log.committed("another", &[IN.into(), OUT.into()]).await.expect("read").iter().all(|found| found.positions.is_empty())
    );
    other.until("the output arrives", |other| other.values(OUT, 0) == ["out"]).await;
}
