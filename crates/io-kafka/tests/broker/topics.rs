//! Topics that others have made, that two installations share a cluster, and that retention cuts.

use std::time::Duration;

use domain::{Span, Timestamp};
use io_kafka::{Owner, Settings, TopicChange};
use ports::{Bounds, ErrorKind, Log, Member, Position, TopicSpec};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
};

use crate::scene::{IN, OUT, Reader, created, now, open, outgoing, refused, run, shared, topic, values};

fn admin(settings: &Settings) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().expect("an admin client")
}

async fn make(settings: &Settings, name: &str, options: &[(&str, &str)]) {
    let name = format!("{}{name}", settings.prefix);
    let new = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
    let new = options.iter().fold(new, |new, (name, value)| new.set(name, value));
    let made = admin(settings).create_topics([&new], &AdminOptions::new()).await.expect("an answer");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

/// Their settings are told, changed, and kept where Headway asks for nothing.
#[test]
fn what_others_have_made_is_shown_and_put_right() {
    run(async {
        let settings = shared();
        let log = open(&settings);
        make(
            &settings,
            IN,
            &[("message.timestamp.type", "CreateTime"), ("retention.ms", "3600000"), ("segment.bytes", "1048576")],
        )
        .await;
        let wanted = [TopicSpec { retention: Some(Span(60_000)), ..topic(IN, 1) }, topic(OUT, 3)];
        let plan = log.plan(&wanted).await.expect("a plan");
        let [first, second] = &plan.topics[..] else { panic!("{plan:?}") };
        assert_eq!((&*first.topic, &*second.topic), (IN, OUT));
        assert_eq!(first.there.as_ref().and_then(|there| there.retention), Some(Span(3_600_000)));
        assert!(plan.refusals().is_empty() && second.there.is_none(), "{plan:?}");
        let setting = |name: &str, there: &str, wanted: &str| TopicChange::Setting {
            name: name.into(),
            there: there.into(),
            wanted: wanted.into(),
        };
        for expected in [
            setting("message.timestamp.type", "CreateTime", "LogAppendTime"),
            setting("retention.ms", "3600000", "60000"),
            setting("max.message.bytes", "1048588", "8388608"),
        ] {
            assert!(first.changes.contains(&expected), "{expected:?} is not in {first:?}");
        }
        assert_eq!(second.changes[..], [TopicChange::Missing { partitions: 3 }]);
        log.create(&wanted).await.expect("put right");
        assert!(log.plan(&wanted).await.expect("a plan").is_done());
        let kept = admin(&settings);
        let name = format!("{}{IN}", settings.prefix);
        let described = kept.describe_configs([&ResourceSpecifier::Topic(&name)], &AdminOptions::new()).await.expect("an answer");
        let segment = described[0].as_ref().expect("described").get("segment.bytes").and_then(|entry| entry.value.as_deref());
        assert_eq!(segment, Some("1048576"));
        let other = log.plan(&[topic(OUT, 4)]).await.expect("a plan");
        assert_eq!(other.topics[0].changes, [TopicChange::Partitions { there: 3, wanted: 4 }]);
        let told = refused(log.create(&[topic(OUT, 4)]).await, ErrorKind::Invalid);
        assert!(told.contains("has 3 partitions"), "{told}");
    });
}

/// It is read under its own name, and whatever is wrong with it is for its owner to change.
#[test]
fn a_topic_of_others_is_read_and_never_changed() {
    run(async {
        let (theirs, ours) = (shared(), shared());
        let name = format!("{}orders", theirs.prefix);
        let settings = Settings { foreign: [(IN.to_owned(), name.clone())].into(), ..ours };
        let log = open(&settings);
        let wanted = [topic(IN, 1), topic(OUT, 1)];
        let told = refused(log.create(&wanted).await, ErrorKind::Invalid);
        assert!(told.contains(&format!("topic {name} is not there and belongs to somebody else")), "{told}");
        make(&theirs, "orders", &[("message.timestamp.type", "CreateTime"), ("retention.ms", "3600000")]).await;
        let told = refused(log.create(&wanted).await, ErrorKind::Invalid);
        assert!(told.contains("CreateTime") && told.contains("decides what is late"), "{told}");
        let told = refused(log.create(&[topic(IN, 4), topic(OUT, 4)]).await, ErrorKind::Invalid);
        assert!(told.contains("--partitions 1"), "{told}");
        let plan = log.plan(&wanted).await.expect("a plan");
        assert_eq!((plan.topics[0].owner, plan.topics[1].owner), (Owner::Others, Owner::Headway));
        assert!(plan.topics[1].there.is_none(), "nothing was made when something is refused: {plan:?}");
        let change = AlterConfig::new(ResourceSpecifier::Topic(&name)).set("message.timestamp.type", "LogAppendTime");
        admin(&theirs).alter_configs([&change], &AdminOptions::new()).await.expect("changed");
        log.create(&wanted).await.expect("nothing is wrong any more");
        assert!(log.plan(&wanted).await.expect("a plan").is_done(), "what else its owner has chosen is nobody's business");
        let owner = open(&theirs);
        owner.append(vec![outgoing("orders", 0, "one")]).await.expect("appended");
        let mut reader = Reader::owner(&log, "a", 1).await;
        reader.until("it came", |reader| reader.got == ["one"]).await;
        reader.member.commit(vec![crate::scene::commit(0, 1, "x")]).await.expect("committed");
        assert_eq!(values(&log, OUT, 0).await, ["x"]);
        assert_eq!(log.committed(crate::scene::GROUP, &[IN.into()]).await.expect("read")[0].next(IN), Some(1));
        assert_eq!(log.bounds(IN, 0).await.expect("bounds"), Bounds { first: 0, next: 1 });
    });
}

/// With what to do about it.
#[test]
fn a_record_that_is_larger_than_its_topic_takes_is_told() {
    run(async {
        let settings = shared();
        make(&settings, IN, &[("message.timestamp.type", "LogAppendTime"), ("max.message.bytes", "1000")]).await;
        let log = open(&settings);
        let told = refused(log.append(vec![outgoing(IN, 0, vec![7; 5000])]).await, ErrorKind::Invalid);
        assert!(told.contains("headway topics apply"), "{told}");
        log.create(&[topic(IN, 1)]).await.expect("put right");
        log.append(vec![outgoing(IN, 0, vec![7; 5000])]).await.expect("it fits now");
    });
}

#[test]
fn a_cluster_is_looked_at() {
    run(async {
        let settings = shared();
        let seen = open(&settings).inspect().await.expect("an inspection");
        assert_eq!(seen.brokers, [settings.brokers]);
        assert_eq!((seen.session_min_ms(), seen.lonely().len()), (Some(1000), 0));
        assert!(seen.settings.iter().any(|(name, value)| name == "default.replication.factor" && value == "1"), "{seen:?}");
    });
}

/// They see nothing of each other.
#[test]
fn a_prefix_keeps_two_installations_apart() {
    run(async {
        let (one, other) = (created(&shared(), 1).await, created(&shared(), 1).await);
        one.append(vec![outgoing(IN, 0, "one")]).await.expect("appended");
        other.append(vec![outgoing(IN, 0, "other")]).await.expect("appended");
        let (mut here, mut there) = (Reader::owner(&one, "a", 1).await, Reader::owner(&other, "a", 1).await);
        here.until("it came", |reader| !reader.got.is_empty()).await;
        there.until("it came", |reader| !reader.got.is_empty()).await;
        assert_eq!((&here.got[..], &there.got[..]), (&["one".to_owned()][..], &["other".to_owned()][..]));
        here.member.commit(vec![crate::scene::commit(0, 1, "x")]).await.expect("committed");
        assert!(values(&other, OUT, 0).await.is_empty());
        assert!(other.committed(crate::scene::GROUP, &[IN.into()]).await.expect("read").is_empty());
    });
}

async fn until_cut(log: &io_kafka::KafkaLog, what: &str, holds: impl Fn(Bounds) -> bool) -> Bounds {
    let begun = now();
    loop {
        let bounds = log.bounds(IN, 0).await.expect("bounds");
        if holds(bounds) {
            return bounds;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {bounds:?}");
    }
}

/// Whoever is behind what retention took goes on with the oldest that is left; nothing is left of what is too old.
#[test]
fn retention_cuts_and_readers_go_on() {
    run(async {
        let settings = shared();
        make(&settings, IN, &[("message.timestamp.type", "LogAppendTime"), ("segment.bytes", "1048576")]).await;
        let log = open(&settings);
        let spec = TopicSpec { retention_bytes: Some(1 << 20), ..topic(IN, 1) };
        log.create(&[spec.clone(), topic(OUT, 1)]).await.expect("created");
        let mut reader = Reader::owner(&log, "a", 1).await;
        for number in 0..40_u32 {
            let mut value = format!("{number:02}").into_bytes();
            value.resize(100_000, b'x');
            log.append(vec![outgoing(IN, 0, value)]).await.expect("appended");
        }
        let cut = until_cut(&log, "by bytes", |bounds| bounds.first >= 10).await;
        assert_eq!(cut.next, 40);
        reader.until("all came", |reader| reader.next[&0] == 40).await;
        reader.got.clear();
        reader.member.start(0, &[Position { topic: IN.into(), next: 1 }]).expect("started");
        reader.until("it goes on", |reader| !reader.got.is_empty()).await;
        let first: u64 = reader.got[0][..2].parse().expect("a number");
        // It may have gone on cutting meanwhile.
        let later = log.bounds(IN, 0).await.expect("bounds").first;
        assert!((cut.first..=later).contains(&first), "{first}");
        assert!(log.read(IN, 0, 0, 1).await.expect("read")[0].offset >= first);
        assert!(log.offset_at(IN, 0, Timestamp(0)).await.expect("found") >= first);
        log.create(&[TopicSpec { retention: Some(Span(1000)), ..spec }]).await.expect("changed");
        let empty = until_cut(&log, "by time", |bounds| bounds.first == bounds.next).await;
        assert_eq!(empty, Bounds { first: 40, next: 40 });
        log.append(vec![outgoing(IN, 0, "fresh")]).await.expect("appended");
        assert_eq!(log.read(IN, 0, 3, 1).await.expect("read")[0].offset, 40);
    });
}

/// The last record goes by retention, the end of its transaction with it, and what the partition holds is told alike before and after.
#[test]
fn an_end_that_is_only_the_end_of_a_transaction_is_behind_what_is_left() {
    run(async {
        let settings = shared();
        let log = created(&settings, 1).await;
        let mut member = Reader::owner(&log, "a", 1).await.member;
        for next in 1..4 {
            member.commit(vec![crate::scene::commit(0, next, "x")]).await.expect("committed");
        }
        // A commit is a promise of the broker's, which it keeps a moment later.
        let begun = now();
        while log.bounds(OUT, 0).await.expect("bounds") != (Bounds { first: 0, next: 5 }) {
            assert!(begun.elapsed() < Duration::from_secs(30), "its outputs are not seen");
        }
        assert_eq!(log.offset_at(OUT, 0, crate::scene::wall()).await.expect("found"), 5);
        let name = format!("{}{OUT}", settings.prefix);
        let change = AlterConfig::new(ResourceSpecifier::Topic(&name)).set("retention.ms", "1");
        admin(&settings).alter_configs([&change], &AdminOptions::new()).await.expect("changed");
        let begun = now();
        loop {
            let bounds = log.bounds(OUT, 0).await.expect("bounds");
            assert!(bounds.first <= bounds.next, "{bounds:?}");
            if bounds.first > 4 {
                let fresh = open(&settings).bounds(OUT, 0).await.expect("bounds");
                assert_eq!(bounds, fresh);
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{bounds:?}");
        }
    });
}
