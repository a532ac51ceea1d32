//! Many writers at once, of both forms of the library, beside a model that keeps the newest of everything that was written.

mod servers;

use std::collections::BTreeMap;

use io_redis::{RedisOnline, Settings};
use ports::{OnlineStore, Share, VectorKey};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use servers::{KEY, Server, cluster, cluster_url, settings, vector, write};

const WRITERS: u64 = 4;
const BATCHES: usize = 60;
const GROUPS: [&str; 3] = ["orders", "riders", "r"];

/// Position and instant; large ones too, which a double of Lua cannot hold.
type Order = (u64, i64);

const POSITIONS: [u64; 10] = [0, 1, 2, 255, 256, u32::MAX as u64, 1 << 53, (1 << 53) + 1, u64::MAX - 1, u64::MAX];
const INSTANTS: [i64; 8] = [i64::MIN, -1, 0, 1, 1 << 32, (1 << 53) + 1, 1 << 60, i64::MAX];

/// Equal orders are equal bytes.
fn packed((position, as_of): Order) -> Vec<u8> {
    vector(position, as_of, (position % 5) as usize)
}

/// Writes random batches and returns the newest order of each key and group among them.
async fn writer(store: RedisOnline, seed: u64) -> BTreeMap<(String, &'static str), Order> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut newest = BTreeMap::new();
    let mut refused = 0;
    for _ in 0..BATCHES {
        let mut place = |length: usize| dice.random_range(0..length);
        let count = place(30);
        let draw = |_| {
            let key = (format!("k{}", place(40)), GROUPS[place(GROUPS.len())]);
            (key, (POSITIONS[place(POSITIONS.len())], INSTANTS[place(INSTANTS.len())]))
        };
        let drawn: Vec<_> = (0..count).map(draw).collect();
        let vectors: Vec<Vec<u8>> = drawn.iter().map(|(_, order)| packed(*order)).collect();
        let batch = drawn.iter().zip(&vectors).map(|(((key, group), _), packed)| write(VectorKey { key, group, ..KEY }, packed));
        let share = Share { generation: 1, partition: seed as u32 };
        refused += store.write(share, &batch.collect::<Vec<_>>()).await.expect("a write").refused;
        for (key, order) in drawn {
            let there = newest.entry(key).or_insert(order);
            *there = order.max(*there);
        }
    }
    assert!(refused > 0, "seed {seed}: nothing was ever older");
    newest
}

async fn check(url: &str, seed: u64) {
    let store = |scripts_only| RedisOnline::new(&Settings { scripts_only, ..settings(url) }).expect("sound settings");
    let writers = (0..WRITERS).map(|number| tokio::spawn(writer(store(number % 2 == 1), seed * WRITERS + number)));
    let mut model: BTreeMap<(String, &str), Order> = BTreeMap::new();
    for writer in futures_util::future::join_all(writers).await {
        for (key, order) in writer.expect("a writer") {
            let there = model.entry(key).or_insert(order);
            *there = order.max(*there);
        }
    }
    let keys: Vec<VectorKey<'_>> = model.keys().map(|(key, group)| VectorKey { key, group, ..KEY }).collect();
    let found = store(false).read(&keys).await.expect("a read");
    for ((key, order), found) in model.iter().zip(found) {
        assert_eq!(found, Some(packed(*order)), "seed {seed}, {key:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_stays_whoever_wrote_it() {
    let server = Server::start();
    for seed in 0..10 {
        server.ask(&["FLUSHALL"]);
        check(&server.url(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_stays_on_every_node() {
    let nodes = cluster();
    for seed in 10..15 {
        nodes.iter().for_each(|node| drop(node.ask(&["FLUSHALL"])));
        check(&cluster_url(&nodes), seed).await;
    }
}
