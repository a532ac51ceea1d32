//! Appending, reading and topics.

use std::time::Duration;

use bytes::Bytes;
use domain::{Span, Timestamp};
use ports::{Bounds, ErrorKind, Header, Log, Outgoing};

use super::{
    Harness,
    scene::{ALL, IN, OUT, append, create, open, outgoing, refused, topic, values},
};

/// Keys, values, headers and their order come back to the byte, with offsets from 0.
pub async fn records_come_back_as_they_were_written<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    let header = |name: &str, value: &[u8]| Header { name: name.into(), value: Bytes::copy_from_slice(value) };
    let written = [
        Outgoing {
            key: Bytes::from_static(b"k\0\xff"),
            headers: vec![header("ce_id", b"1"), header("b", b""), header("ce_id", b"2")],
            ..outgoing(IN, 1, "a")
        },
        outgoing(IN, 1, ""),
        outgoing(IN, 1, &"x".repeat(100_000)),
    ];
    log.append(written.to_vec()).await.expect("appended");
    let read = log.read(IN, 1, 0, ALL).await.expect("read");
    assert_eq!(read.iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 1, 2]);
    for (record, outgoing) in read.iter().zip(&written) {
        assert_eq!((&record.key, &record.value, &record.headers), (&outgoing.key, &outgoing.value, &outgoing.headers));
    }
    assert!(read.is_sorted_by_key(|record| record.append_at), "{read:?}");
    assert_eq!(log.bounds(IN, 1).await.expect("bounds"), Bounds { first: 0, next: 3 });
    assert_eq!(log.bounds(IN, 0).await.expect("bounds"), Bounds { first: 0, next: 0 });
}

/// One append for several partitions keeps each partition's records in the order given, behind what was there.
pub async fn each_partition_keeps_its_order<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 3).await;
    for round in 0..20 {
        let record =
            |number: u32| outgoing(if number.is_multiple_of(2) { IN } else { OUT }, number % 3, &format!("{round}-{number}"));
        log.append((0..30).map(record).collect()).await.expect("appended");
    }
    for partition in 0..3 {
        let expected = |odd: u32| -> Vec<String> {
            let numbers = (0..30).filter(|number| number % 3 == partition && number % 2 == odd);
            let numbers: Vec<u32> = numbers.collect();
            (0..20).flat_map(|round| numbers.iter().map(move |number| format!("{round}-{number}"))).collect()
        };
        assert_eq!(values(&log, IN, partition, 0).await, expected(0));
        assert_eq!(values(&log, OUT, partition, 0).await, expected(1));
    }
}

/// Whatever is asked of a topic or partition that does not exist, an operator has to hear of it.
pub async fn an_unknown_topic_or_partition_is_invalid<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    for (topic, partition) in [("nowhere", 0), (IN, 2)] {
        refused(log.append(vec![outgoing(topic, partition, "a")]).await, ErrorKind::Invalid);
        refused(log.read(topic, partition, 0, ALL).await, ErrorKind::Invalid);
        refused(log.bounds(topic, partition).await, ErrorKind::Invalid);
        refused(log.offset_at(topic, partition, Timestamp(0)).await, ErrorKind::Invalid);
    }
}

/// Where a partition ended when somebody asked last is nobody's end any more once something was appended behind it.
pub async fn an_end_that_was_seen_before_hides_nothing<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    for round in 0..10 {
        let end = log.bounds(IN, 0).await.expect("bounds").next;
        // Long enough for whoever still listens there to hear that nothing follows.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let next = round.to_string();
        append(&log, IN, 0, &[&next]).await;
        assert_eq!(values(&log, IN, 0, end).await, [next]);
        assert_eq!(log.bounds(IN, 0).await.expect("bounds").next, end + 1);
    }
}

/// An append with one record that cannot be taken leaves nothing of the others.
pub async fn nothing_of_a_refused_append_is_seen<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    refused(log.append(vec![outgoing(IN, 0, "a"), outgoing(IN, 7, "b")]).await, ErrorKind::Invalid);
    append(&log, IN, 0, &["c"]).await;
    assert_eq!(values(&log, IN, 0, 0).await, ["c"]);
}

/// However small the bound is, a reader gets on; with a larger one it gets about that much.
pub async fn reading_gives_at_least_one_and_stops_at_the_bound<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    let long = "x".repeat(1000);
    append(&log, IN, 0, &vec![long.as_str(); 100]).await;
    assert_eq!(log.read(IN, 0, 3, 1).await.expect("read").len(), 1);
    let some = log.read(IN, 0, 3, 10_000).await.expect("read");
    assert!((2..20).contains(&some.len()), "{}", some.len());
    assert_eq!(some[0].offset, 3);
}

/// The end is not an error.
pub async fn reading_behind_the_end_gives_nothing<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    assert!(log.read(IN, 0, 0, ALL).await.expect("read").is_empty());
    append(&log, IN, 0, &["a"]).await;
    assert!(log.read(IN, 0, 1, ALL).await.expect("read").is_empty());
    assert!(log.read(IN, 0, 100, ALL).await.expect("read").is_empty());
}

/// Every offset is a place to begin, however the records were appended.
pub async fn reading_begins_inside_of_what_was_appended_together<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    append(&log, IN, 0, &["a", "b", "c"]).await;
    append(&log, IN, 0, &["d"]).await;
    append(&log, IN, 0, &["e", "f"]).await;
    for (from, expected) in ["abcdef", "bcdef", "cdef", "def", "ef", "f"].iter().enumerate() {
        assert_eq!(values(&log, IN, 0, from as u64).await.concat(), *expected);
    }
}

/// The first record that was appended at an instant or after it.
pub async fn every_append_time_is_found<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 1).await;
    for value in ["a", "b", "c", "d"] {
        append(&log, IN, 0, &[value]).await;
    }
    let read = log.read(IN, 0, 0, ALL).await.expect("read");
    for record in &read {
        let expected = read.iter().find(|other| other.append_at >= record.append_at).expect("it is there").offset;
        assert_eq!(log.offset_at(IN, 0, record.append_at).await.expect("found"), expected, "{read:?}");
    }
    assert_eq!(log.offset_at(IN, 0, Timestamp(0)).await.expect("found"), 0);
    assert_eq!(log.offset_at(IN, 0, read[3].append_at.plus(Span(1))).await.expect("found"), 4);
}

/// Creating what is there changes nothing of what it holds.
pub async fn topics_are_created_once<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    append(&log, IN, 1, &["a"]).await;
    log.create(&[topic(IN, 2), topic("new", 5), topic(OUT, 2)]).await.expect("created");
    assert_eq!(values(&log, IN, 1, 0).await, ["a"]);
    append(&log, "new", 4, &["b"]).await;
    assert_eq!(values(&log, "new", 4, 0).await, ["b"]);
}

/// The number of partitions never changes; a list with such a topic creates none of the others.
pub async fn another_number_of_partitions_is_invalid<H: Harness>(make: &impl Fn() -> H) {
    let (_harness, log) = open(make).await;
    create(&log, 2).await;
    refused(log.create(&[topic(IN, 3)]).await, ErrorKind::Invalid);
    refused(log.create(&[topic(IN, 1)]).await, ErrorKind::Invalid);
    append(&log, IN, 1, &["a"]).await;
    assert_eq!(values(&log, IN, 1, 0).await, ["a"]);
}
