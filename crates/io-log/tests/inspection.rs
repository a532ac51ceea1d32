//! A log that is looked at: open, closed, after a kill, torn and damaged. Whatever is found, no byte of the folder changes.

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use domain::Timestamp;
use io_log::{EmbeddedLog, Inspection, Settings, inspect};
use ports::{Bounds, ErrorKind, Event, Log, Member, Membership, Outgoing, Position, TopicSpec, clock_fn};

/// A log with ten records in one of two partitions, eight of which a group has taken.
async fn filled(path: &Path) -> EmbeddedLog {
    let log = EmbeddedLog::open(Settings::new(path), clock_fn(1.0, || Timestamp(7_000))).expect("a free folder");
    let spec = TopicSpec { name: "t".into(), partitions: 2, retention: None, retention_bytes: None };
    log.create(&[spec]).await.expect("created");
    let record = |number: u8| Outgoing {
        topic: "t".into(),
        partition: 1,
        key: Bytes::new(),
        value: Bytes::from(vec![number; 100]),
        headers: Vec::new(),
    };
    log.append((0..10).map(record).collect()).await.expect("appended");
    let membership = Membership::new("g", "m", vec!["t".into()]);
    let mut member = log.join(membership).await.expect("joined");
    let event = member.next(std::time::Duration::from_secs(10)).await.expect("an event");
    assert!(matches!(event, Event::Assigned(_)));
    let positions = vec![Position { topic: "t".into(), next: 8 }];
    let commit = ports::Commit { partition: 1, positions, note: Bytes::from_static(b"note"), outputs: Vec::new() };
    member.commit(vec![commit]).await.expect("committed");
    member.leave().await.expect("left");
    log
}

fn check(inspection: &Inspection) {
    let [topic] = &inspection.topics[..] else { panic!("one topic: {inspection:?}") };
    assert_eq!((&*topic.spec.name, topic.partitions.len()), ("t", 2));
    assert_eq!(topic.partitions[0].bounds, Bounds { first: 0, next: 0 });
    assert_eq!((topic.partitions[0].oldest_at, topic.partitions[0].newest_at), (None, None));
    let full = topic.partitions[1];
    assert_eq!((full.bounds, full.oldest_at), (Bounds { first: 0, next: 10 }, Some(Timestamp(7_000))));
    assert_eq!(full.newest_at, Some(Timestamp(7_000)));
    assert!(full.bytes >= 1000 && inspection.bytes >= full.bytes, "{inspection:?}");
    let [(group, assignment)] = &inspection.committed[..] else { panic!("one commit: {inspection:?}") };
    assert_eq!((&**group, assignment.partition, &*assignment.note), ("g", 1, &b"note"[..]));
    assert_eq!(assignment.positions, [Position { topic: "t".into(), next: 8 }]);
}

/// Every file with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.map(|entry| (entry.file_name().display().to_string(), fs::read(entry.path()).expect("a file"))).collect()
}

#[tokio::test]
async fn an_open_log_and_a_closed_one_tell_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = filled(folder.path()).await;
    check(&log.inspect().expect("told"));
    let held = inspect(&Settings::new(folder.path())).expect_err("it is open");
    assert!(held.kind() == ErrorKind::Invalid && held.to_string().contains(&std::process::id().to_string()), "{held}");
    drop(log);
    let before = files(folder.path());
    check(&inspect(&Settings::new(folder.path())).expect("free").expect("a log"));
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn a_copy_taken_from_a_running_log_is_looked_at_as_after_a_kill() {
    let (folder, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let log = filled(folder.path()).await;
    for (name, bytes) in files(folder.path()) {
        fs::write(copy.path().join(name), bytes).expect("copied");
    }
    drop(log);
    let before = files(copy.path());
    check(&inspect(&Settings::new(copy.path())).expect("free").expect("a log"));
    assert_eq!(files(copy.path()), before);
}

#[tokio::test]
async fn a_torn_end_is_told_and_left_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(filled(folder.path()).await);
    let segment = folder.path().join("000000000000.segment");
    let mut bytes = fs::read(&segment).expect("the segment");
    let whole = bytes.len() as u64;
    bytes.extend([7; 13]);
    fs::write(&segment, bytes).expect("torn");
    let before = files(folder.path());
    let inspection = inspect(&Settings::new(folder.path())).expect("free").expect("a log");
    check(&inspection);
    let torn = inspection.torn.expect("a torn end");
    assert_eq!((torn.segment, torn.at, torn.length), (segment, whole, 13));
    assert_eq!(files(folder.path()), before);
    // The next start puts it aside, which is told from then on.
    let log = EmbeddedLog::open(Settings::new(folder.path()), clock_fn(1.0, || Timestamp(7_000))).expect("opened");
    assert_eq!(log.inspect().expect("told").put_aside, [torn.kept_in]);
}

#[test]
fn a_folder_without_a_log_is_no_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(inspect(&Settings::new(folder.path())).expect("free"), None);
    assert_eq!(inspect(&Settings::new(folder.path().join("nowhere"))).expect("free"), None);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
