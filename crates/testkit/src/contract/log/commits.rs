//! Positions, notes and outputs: together or not at all.

use ports::{Commit, ErrorKind, Log, Member};

use super::{
    Harness,
    consumer::Consumer,
    scene::{
        GROUP, IN, OUT, append, commit, committed, committing, consumer, create, join, open, outgoing, position, refused, values,
    },
};

async fn owner<H: Harness>(make: &impl Fn() -> H) -> (H, H::Log, Consumer<<H::Log as Log>::Member>) {
    let (harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 0, &["a", "b", "c"]).await;
    let mut member = consumer(&log, "a").await;
    member.until("it is the owner", |member| member.owned.len() == 2).await;
    (harness, log, member)
}

/// The outputs can be read, and the next owner begins where the commit says, with its note.
pub async fn positions_note_and_outputs_come_together<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log, mut member) = owner(make).await;
    assert_eq!(committed(&log, 0).await, None);
    let two = Commit { outputs: vec![outgoing(OUT, 1, "x"), outgoing(OUT, 0, "y")], ..commit(0, 2, "note", "") };
    committing(&mut member, two).await;
    assert_eq!((values(&log, OUT, 0, 0).await, values(&log, OUT, 1, 0).await), (vec!["y".into()], vec!["x".into()]));
    assert_eq!(committed(&log, 0).await, Some((2, "note".into())));
    assert_eq!(committed(&log, 1).await, None);
    member.member.leave().await.expect("it leaves");
    let mut next = consumer(&log, "b").await;
    next.until("it goes on", |next| next.values(IN, 0) == ["c"]).await;
    let assignment = next.assigned.iter().find(|found| found.partition == 0).expect("told");
    assert_eq!((&assignment.positions[..], &assignment.note[..]), (&[position(IN, 2)][..], &b"note"[..]));
}

/// Positions that a commit does not name stay; the note is replaced, be it by nothing.
pub async fn a_topic_without_an_entry_keeps_its_position<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let mut member = Consumer::new(join(&log, GROUP, "a", &[IN, OUT]).await.expect("joins"));
    member.until("it is the owner", |member| member.owned.contains(&0)).await;
    let at = |positions| Commit { positions, ..Commit::default() };
    committing(&mut member, Commit { note: "n".into(), ..at(vec![position(IN, 3), position(OUT, 4)]) }).await;
    committing(&mut member, at(vec![position(OUT, 5)])).await;
    let mut found = log.committed(GROUP, &[IN.into(), OUT.into()]).await.expect("read").pop().expect("there is one");
    found.positions.sort_by(|one, other| one.topic.cmp(&other.topic));
    assert_eq!(found.positions, [position(IN, 3), position(OUT, 5)]);
    assert!(found.note.is_empty());
}

/// The longest note fits, one byte more does not, and leaves nothing.
pub async fn a_note_that_is_too_long_is_invalid<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log, mut member) = owner(make).await;
    let longest = "n".repeat(Commit::NOTE_BYTES_MAX);
    committing(&mut member, commit(0, 1, &longest, "x")).await;
    refused(member.member.commit(vec![commit(0, 2, &(longest.clone() + "n"), "y")]).await, ErrorKind::Invalid);
    assert_eq!(committed(&log, 0).await, Some((1, longest)));
    assert_eq!(values(&log, OUT, 0, 0).await, ["x"]);
}

/// Neither its positions nor its other outputs.
pub async fn nothing_of_a_refused_commit_is_seen<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log, mut member) = owner(make).await;
    committing(&mut member, commit(0, 1, "first", "x")).await;
    let nowhere = |topic: &str, partition| vec![outgoing(OUT, 0, "y"), outgoing(topic, partition, "y")];
    for outputs in [nowhere("nowhere", 0), nowhere(OUT, 9)] {
        refused(member.member.commit(vec![Commit { outputs, ..commit(0, 2, "second", "") }]).await, ErrorKind::Invalid);
    }
    let elsewhere = Commit { positions: vec![position("nowhere", 2)], ..commit(0, 2, "second", "y") };
    refused(member.member.commit(vec![elsewhere]).await, ErrorKind::Invalid);
    assert_eq!(committed(&log, 0).await, Some((1, "first".into())));
    assert_eq!(values(&log, OUT, 0, 0).await, ["x"]);
    committing(&mut member, commit(0, 3, "third", "z")).await;
    assert_eq!(values(&log, OUT, 0, 0).await, ["x", "z"]);
}

/// Whoever has given it back cannot commit it any more.
pub async fn a_partition_of_somebody_else_is_fenced<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log, mut old) = owner(make).await;
    let mut new = consumer(&log, "b").await;
    super::consumer::until_all(&mut [&mut old, &mut new], "both have one", |members| {
        members.iter().all(|member| member.owned.len() == 1)
    })
    .await;
    let others = *new.owned.first().expect("it has one");
    refused(old.member.commit(vec![commit(others, 1, "mine", "x")]).await, ErrorKind::Fenced);
    assert_eq!(committed(&log, others).await, None);
    committing(&mut new, commit(others, 1, "mine", "x")).await;
    assert_eq!(values(&log, OUT, others, 0).await, ["x"]);
}

/// What was delivered and not committed is delivered to the next owner.
pub async fn what_was_not_committed_comes_again<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log, mut member) = owner(make).await;
    member.until("all is delivered", |member| member.values(IN, 0) == ["a", "b", "c"]).await;
    committing(&mut member, commit(0, 1, "", "x")).await;
    member.member.leave().await.expect("it leaves");
    let mut next = consumer(&log, "b").await;
    next.until("the rest comes again", |next| next.values(IN, 0) == ["b", "c"]).await;
}
