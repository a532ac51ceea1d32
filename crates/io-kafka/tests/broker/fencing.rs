//! Who may commit, after members were dropped, frozen or replaced, and how long others wait for that.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write, stdin},
    process::{Child, Command, Stdio},
    time::Duration,
};

use ports::{ErrorKind, Event, Log, Member};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::scene::{GROUP, IN, OUT, Reader, SESSION, commit, created, now, open, outgoing, refused, run, shared, values};

/// Its consumer has a question of the group to answer, and nobody who would.
#[test]
fn who_dies_while_it_gives_back_holds_up_others_for_its_session() {
    run(async {
        let log = created(&shared(), 2).await;
        let mut old = Reader::owner(&log, "old", 2).await;
        let mut new = Reader::join(&log, "new").await;
        while !old.has_heard(|event| matches!(event, Event::Revoked(_))) {
            new.look().await.expect("it goes on");
            old.look().await.expect("it goes on");
        }
        let died = now();
        drop(old);
        new.until("it owns everything", |new| new.next.len() == 2).await;
        assert!(died.elapsed() < SESSION + Duration::from_secs(12), "{:?}", died.elapsed());
    });
}

/// The group has had it back under its old name, and asks nobody whether a partition is theirs.
#[test]
fn who_was_frozen_past_its_session_commits_nothing() {
    const NAMES: &str = "HEADWAY_FROZEN";
    if let Ok(prefix) = env::var(NAMES) {
        return frozen(prefix);
    }
    run(async {
        let settings = shared();
        let log = created(&settings, 2).await;
        log.append((0..2).map(|partition| outgoing(IN, partition, "a")).collect()).await.expect("appended");
        let name = "fencing::who_was_frozen_past_its_session_commits_nothing";
        let child = Command::new(env::current_exe().expect("this one"))
            .args(["--exact", name, "--nocapture"])
            .env(NAMES, &settings.prefix)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = Frozen::new(child.expect("a process"));
        child.heard("owner");
        child.signal("-STOP");
        let mut living = Reader::owner(&log, "living", 2).await;
        child.signal("-CONT");
        // The group is cut anew when the frozen one is back in it.
        living.until("it gives one back", |living| living.has_heard(|event| matches!(event, Event::Revoked(_)))).await;
        let kept = *living.next.keys().next().expect("one is left");
        living.member.commit(vec![commit(kept, 1, "living")]).await.expect("committed");
        child.tell(kept);
        child.heard("Fenced");
        assert_eq!(values(&log, OUT, kept).await, ["living"]);
    });
}

/// A member in a process of its own, which commits when it is told to and has not heard a thing since it became the owner.
#[expect(clippy::print_stdout, reason = "this is how it speaks to the other process")]
fn frozen(prefix: String) {
    run(async {
        let log = open(&io_kafka::Settings { prefix, ..shared() });
        let mut member = Reader::owner(&log, "frozen", 2).await.member;
        println!("\nowner");
        let mut line = String::new();
        stdin().read_line(&mut line).expect("a partition");
        let partition = line.trim().parse().expect("a number");
        match member.commit(vec![commit(partition, 1, "zombie")]).await {
            Ok(()) => println!("\ncommitted"),
            Err(error) => println!("\n{:?}", error.kind()),
        }
    });
}

struct Frozen {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Frozen {
    fn new(mut process: Child) -> Self {
        let said = BufReader::new(process.stdout.take().expect("it speaks"));
        Self { process, said }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    fn tell(&mut self, partition: u32) {
        writeln!(self.process.stdin.as_mut().expect("it listens"), "{partition}").expect("told");
    }

    fn heard(&mut self, expected: &str) {
        let words = ["owner", "committed", "Fenced", "Transient", "Invalid", "Bug"];
        let mut lines = self.said.by_ref().lines().map(|line| line.expect("a line"));
        let said = lines.find(|line| words.contains(&line.as_str()));
        assert_eq!(said.as_deref(), Some(expected));
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A transaction of somebody who died in the middle of it, with an output and a position.
fn left_open(settings: &io_kafka::Settings, member: &str) -> BaseProducer {
    let prefix = &settings.prefix;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("transaction.timeout.ms", "2000");
    let producer: BaseProducer =
        config.set("transactional.id", format!("{prefix}{GROUP}.{member}")).create().expect("a producer");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("group.id", format!("{prefix}{GROUP}"));
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let wait = Duration::from_secs(10);
    producer.init_transactions(wait).expect("begun");
    producer.begin_transaction().expect("begun");
    let topic = format!("{prefix}{OUT}");
    producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("never")).expect("sent");
    producer.flush(wait).expect("written");
    let mut positions = TopicPartitionList::new();
    positions.add_partition_offset(&format!("{prefix}{IN}"), 0, Offset::Offset(7)).expect("a position");
    let group = consumer.group_metadata().expect("a group");
    producer.send_offsets_to_transaction(&positions, &group, wait).expect("told");
    producer
}

/// Whoever has its name ends it.
#[test]
fn what_was_left_open_does_not_hold_up_the_next_of_that_name() {
    run(async {
        let settings = shared();
        let log = created(&settings, 1).await;
        let _gone = left_open(&settings, "a");
        let begun = now();
        let mut next = Reader::owner(&log, "a", 1).await;
        assert_eq!(next.next[&0], 0, "what was left open was not committed");
        next.member.commit(vec![commit(0, 1, "mine")]).await.expect("committed");
        assert_eq!(values(&log, OUT, 0).await, ["mine"]);
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    });
}

/// The broker ends it when its time is over, which it looks after every ten seconds.
#[test]
fn what_was_left_open_holds_up_others_until_its_time_is_over() {
    run(async {
        let settings = shared();
        let log = created(&settings, 1).await;
        let _gone = left_open(&settings, "a");
        let begun = now();
        let seen = log.progress(GROUP, &[IN.into()]).await.expect("whoever looks on waits for nobody");
        assert!(seen.is_empty() && begun.elapsed() < Duration::from_secs(1), "{seen:?} after {:?}", begun.elapsed());
        let mut other = Reader::owner(&log, "b", 1).await;
        assert_eq!(other.next[&0], 0, "what was left open was not committed");
        other.member.commit(vec![commit(0, 1, "mine")]).await.expect("committed");
        assert_eq!(values(&log, OUT, 0).await, ["mine"]);
        let took = begun.elapsed();
        assert!((Duration::from_secs(1)..Duration::from_secs(20)).contains(&took), "{took:?}");
    });
}

/// The first record would still be on its way, and who gives up has to hear what became of it.
#[test]
fn a_commit_that_is_refused_in_the_middle_is_taken_back_at_once() {
    run(async {
        let log = created(&shared(), 1).await;
        let mut member = Reader::owner(&log, "a", 1).await.member;
        let mut large = commit(0, 1, "never");
        large.outputs.push(outgoing(OUT, 0, vec![b'x'; 9 << 20]));
        let begun = now();
        let told = refused(member.commit(vec![large]).await, ErrorKind::Invalid);
        assert!(told.contains("too large"), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        member.commit(vec![commit(0, 1, "mine")]).await.expect("committed");
        assert_eq!(values(&log, OUT, 0).await, ["mine"]);
    });
}

/// Nobody has asked the first one anything, and it goes while the group is being cut.
#[test]
fn who_is_replaced_before_it_has_heard_anything_holds_up_nobody() {
    run(async {
        for _ in 0..3 {
            let log = created(&shared(), 3).await;
            let first = crate::scene::join(&log, "c").await.expect("it joins");
            let mut other = Reader::join(&log, "b").await;
            let mut second = Reader::join(&log, "c").await;
            drop(first);
            let begun = now();
            while other.next.len() + second.next.len() < 3 {
                other.look().await.expect("it goes on");
                second.look().await.expect("it goes on");
                assert!(begun.elapsed() < Duration::from_secs(20), "{:?} {:?}", other.heard, second.heard);
            }
        }
    });
}
