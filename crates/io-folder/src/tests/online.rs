//! What is particular to the online store in memory: expiry by the clock that was lent, and many threads at once.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{Header, NEVER, Timestamp, pack};
use ports::{OnlineStore, Serving, Share, VectorKey, VectorWrite, clock_fn};

use super::block_on;
use crate::MemoryOnline;

fn vector(position: u64) -> Vec<u8> {
    let (as_of, valid_until) = (Timestamp(0), NEVER);
    let header = Header { schema: 1, generation: 1, position, as_of, valid_until, source_seen_at: None, source_silent: false };
    let mut packed = Vec::new();
    pack(&mut packed, &header, &[Some(position); 10]);
    packed
}

fn at(key: &str) -> VectorKey<'_> {
    VectorKey { entity: "store", key, group: "orders", generation: 1 }
}

/// A store, and its clock in the hand of the test.
fn store() -> (MemoryOnline, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&now);
    (MemoryOnline::new(clock_fn(1.0, move || Timestamp(read.load(Ordering::SeqCst)))), now)
}

async fn write(store: &MemoryOnline, key: &str, position: u64, expires_at: i64) -> usize {
    let write = VectorWrite { at: at(key), packed: &vector(position), expires_at: Timestamp(expires_at) };
    store.write(Share { generation: 1, partition: 0 }, &[write]).await.expect("a write").refused
}

#[tokio::test]
async fn a_vector_is_there_until_it_expires() {
    let (store, now) = store();
    write(&store, "42", 5, 100).await;
    now.store(99, Ordering::SeqCst);
    assert_eq!(store.read(&[at("42")]).await.expect("a read"), [Some(vector(5))]);
    assert_eq!(write(&store, "42", 4, 200).await, 1, "an older vector while the other one lives");
    now.store(100, Ordering::SeqCst);
    assert_eq!(store.read(&[at("42")]).await.expect("a read"), [None]);
    assert_eq!(write(&store, "42", 4, 200).await, 0, "an older vector after the other one expired");
    assert_eq!(store.read(&[at("42")]).await.expect("a read"), [Some(vector(4))]);
}

#[tokio::test]
async fn a_sample_has_what_lives_of_its_group_and_no_more_than_wanted() {
    let (store, now) = store();
    for (key, expires_at) in [("1", 100), ("2", 200), ("3", 200), ("4", 200)] {
        write(&store, key, 5, expires_at).await;
    }
    now.store(150, Ordering::SeqCst);
    let keys = |group: &str, generation: u32, most: usize| {
        let mut found = store.sample("store", &Serving { group: group.into(), generation }, most);
        assert!(found.iter().all(|(_, packed)| *packed == vector(5)), "{found:?}");
        found.sort();
        found.into_iter().map(|(key, _)| key).collect::<Vec<String>>()
    };
    assert_eq!(keys("orders", 1, 10), ["2", "3", "4"]);
    assert_eq!(keys("orders", 1, 2).len(), 2);
    assert_eq!(keys("orders", 2, 10), [""; 0], "another generation");
    assert_eq!(keys("riders", 1, 10), [""; 0], "a group that was never written");
}

#[tokio::test]
async fn a_rewritten_vector_lives_on() {
    let (store, now) = store();
    write(&store, "42", 5, 100).await;
    write(&store, "42", 5, 300).await;
    now.store(200, Ordering::SeqCst);
    assert_eq!(store.read(&[at("42")]).await.expect("a read"), [Some(vector(5))]);
}

#[tokio::test]
async fn what_has_expired_makes_room_by_and_by() {
    let (store, now) = store();
    for round in 0..20 {
        now.store(round * 100, Ordering::SeqCst);
        for key in 0..2000 {
            // Keys that never come again, each for one round.
            write(&store, &format!("{round}/{key}"), 1, round * 100 + 100).await;
        }
    }
    let kept = store.vectors();
    assert!((2000..8000).contains(&kept), "{kept} vectors are kept where 2000 live");
}

#[test]
fn writers_and_readers_on_many_threads_see_only_whole_vectors() {
    let (store, _) = store();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let store = store.clone();
            scope.spawn(move || {
                block_on(async {
                    for position in 0..2000 {
                        let key = (position % 7).to_string();
                        write(&store, &key, position * 4 + thread, 1000).await;
                        for found in store.read(&[at(&key)]).await.expect("a read").into_iter().flatten() {
                            let (header, _) = domain::unpack_header(&found).expect("a header");
                            assert_eq!(found, vector(header.position));
                            assert!(header.position >= position * 4 + thread, "an older vector took its place");
                        }
                    }
                });
            });
        }
    });
    assert_eq!(store.vectors(), 7);
}
