//! Losing one of several servers: a master whose replica takes over, a node of a cluster, slots that move. Marks have to fall
//! whenever something may be lost, and writers and readers have to find their way by themselves.

mod servers;

use std::time::Duration;

use io_redis::{RedisOnline, Settings};
use ports::{ErrorKind, OnlineStore, VectorKey, VectorWrite, Written};
use servers::{KEY, SHARE, Server, Watched, cluster, cluster_url, settings, store, until, vector, write};

const KEYS: usize = 300;

fn keys() -> Vec<String> {
    (0..KEYS).map(|key| key.to_string()).collect()
}

fn batch<'a>(keys: &'a [String], packed: &'a [u8]) -> Vec<VectorWrite<'a>> {
    keys.iter().map(|key| write(VectorKey { key, ..KEY }, packed)).collect()
}

fn patient(url: &str) -> RedisOnline {
    let quick = Duration::from_millis(500);
    RedisOnline::new(&Settings { connect_within: quick, respond_within: quick, ..settings(url) }).expect("sound settings")
}

/// Writes until it works; everything before has to be transient.
async fn insist(store: &RedisOnline, batch: &[VectorWrite<'_>]) -> Written {
    let mut written = None;
    until("a write works again", async || match store.write(SHARE, batch).await {
        Ok(done) => {
            written = Some(done);
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
            false
        }
    })
    .await;
    written.expect("until it is there")
}

/// What is found of the keys, all of it.
async fn read(store: &RedisOnline, keys: &[String]) -> Vec<Option<Vec<u8>>> {
    let keys: Vec<VectorKey<'_>> = keys.iter().map(|key| VectorKey { key, ..KEY }).collect();
    let mut found = Vec::new();
    until("a read works again", async || match store.read(&keys).await {
        Ok(read) => {
            found = read;
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
            false
        }
    })
    .await;
    found
}

/// Writes everything anew and marks it.
async fn fill(store: &RedisOnline, keys: &[String], position: u64) -> Vec<u8> {
    let packed = vector(position, 0, 3);
    insist(store, &batch(keys, &packed)).await;
    store.mark(SHARE).await.expect("a mark");
    assert!(insist(store, &[]).await.marked, "nothing happened in between");
    packed
}

#[tokio::test]
async fn a_replica_that_takes_over_has_no_marks_whatever_it_has() {
    let (watched, keys) = (Watched::start(), keys());
    let store = patient(&watched.url());
    let old = fill(&store, &keys, 1).await;
    watched.first.ask(&["WAIT", "1", "5000"]);
    // From here on the replica hears nothing, not even later.
    watched.second.freeze();
    watched.first.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
    let new = vector(2, 0, 3);
    assert!(insist(&store, &batch(&keys, &new)).await.marked, "acknowledged by the master alone");
    watched.first.kill();
    watched.second.thaw();

    let older = vector(1, 0, 3);
    assert_eq!(insist(&store, &batch(&keys[..1], &older)).await, Written { refused: 0, marked: false });
    let found = read(&store, &keys).await;
    assert!(found.iter().all(|found| found.as_ref() == Some(&old)), "what the replica missed is lost");
    let packed = fill(&store, &keys, 3).await;
    assert!(read(&store, &keys).await.iter().all(|found| found.as_ref() == Some(&packed)));
}

#[tokio::test]
async fn writers_survive_a_failover_under_load() {
    let (watched, keys) = (Watched::start(), keys());
    let store = patient(&watched.url());
    fill(&store, &keys, 1).await;
    let mut unmarked = 0;
    for position in 2..200 {
        if position == 50 {
            watched.first.kill();
        }
        let packed = vector(position, 0, 3);
        let written = insist(&store, &batch(&keys, &packed)).await;
        if !written.marked {
            unmarked += 1;
            store.mark(SHARE).await.expect("everything was just written");
        }
    }
    assert_eq!(unmarked, 1, "told once, at the failover");
    assert!(read(&store, &keys).await.iter().all(|found| *found == Some(vector(199, 0, 3))));
}

#[tokio::test]
async fn a_master_that_was_a_replica_meanwhile_has_no_marks() {
    let (watched, keys) = (Watched::start(), keys());
    let store = patient(&watched.url());
    fill(&store, &keys, 1).await;
    // There and back by hand, so that the old mark reaches both.
    watched.first.ask(&["WAIT", "1", "5000"]);
    for (master, other) in [(&watched.second, &watched.first), (&watched.first, &watched.second)] {
        let changed = async || {
            let (role, of_other) = (master.text(&["INFO", "replication"]), other.text(&["INFO", "replication"]));
            if !role.contains("role:master") {
                // Refused as long as one is under way.
                let _ = watched.sentinels[0].try_ask(&["SENTINEL", "FAILOVER", &watched.name]);
            }
            role.contains("role:master") && of_other.contains("master_link_status:up")
        };
        until("a failover", changed).await;
    }
    assert!(!insist(&store, &[]).await.marked);
}

#[tokio::test]
async fn one_emptied_node_of_three_is_noticed() {
    let (nodes, keys) = (cluster(), keys());
    let store = store(&cluster_url(&nodes));
    for (node, position) in nodes.iter().zip(1..) {
        fill(&store, &keys, position).await;
        node.ask(&["FLUSHALL"]);
        assert!(!insist(&store, &[]).await.marked, "by a writer that has nothing to write");
        let found = read(&store, &keys).await;
        assert!(found.iter().any(Option::is_none) && found.iter().any(Option::is_some), "a third is gone");
    }
    fill(&store, &keys, 9).await;
}

#[tokio::test]
async fn a_node_that_starts_again_empty_is_noticed() {
    let (nodes, keys) = (cluster(), keys());
    let store = patient(&cluster_url(&nodes));
    fill(&store, &keys, 1).await;
    nodes[1].kill();
    let error = store.write(SHARE, &[]).await.expect_err("a node is missing");
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    nodes[1].revive();
    assert!(!insist(&store, &[]).await.marked);
    let packed = fill(&store, &keys, 2).await;
    assert!(read(&store, &keys).await.iter().all(|found| found.as_ref() == Some(&packed)));
}

/// Moves the slots of these keys from one node to another, one after the other, calling back in the middle of each.
async fn move_slots(from: &Server, to: &Server, slots: &[String], others: &[&Server], mut halfway: impl AsyncFnMut(&str)) {
    let (from_id, to_id) = (from.text(&["CLUSTER", "MYID"]), to.text(&["CLUSTER", "MYID"]));
    for slot in slots {
        to.ask(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &from_id]);
        from.ask(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &to_id]);
        let found: Vec<String> = redis::from_redis_value(from.ask(&["CLUSTER", "GETKEYSINSLOT", slot, "1000"])).expect("keys");
        for key in &found {
            from.ask(&["MIGRATE", "127.0.0.1", &to.port.to_string(), key, "0", "5000"]);
        }
        halfway(slot).await;
        for node in [to, from].iter().chain(others) {
            node.ask(&["CLUSTER", "SETSLOT", slot, "NODE", &to_id]);
        }
    }
}

#[tokio::test]
async fn slots_that_move_are_followed_and_cost_the_marks() {
    let (nodes, keys) = (cluster(), keys());
    let store = store(&cluster_url(&nodes));
    let packed = fill(&store, &keys, 1).await;
    let slots: Vec<String> = keys
        .iter()
        .map(|key| {
            redis::from_redis_value::<u16>(nodes[0].ask(&["CLUSTER", "KEYSLOT", &format!("eta:{{store:{key}}}")]))
                .expect("a slot")
        })
        .filter(|slot| *slot < 16384 / 3)
        .take(5)
        .map(|slot| slot.to_string())
        .collect();
    let halfway = async |_: &str| {
        // The keys are with the new node already, which is not yet the owner.
        assert!(read(&store, &keys).await.iter().all(|found| found.as_ref() == Some(&packed)));
    };
    move_slots(&nodes[0], &nodes[1], &slots, &[&nodes[2]], halfway).await;
    assert!(read(&store, &keys).await.iter().all(|found| found.as_ref() == Some(&packed)));
    let newer = vector(2, 0, 3);
    assert!(!insist(&store, &batch(&keys, &newer)).await.marked, "nobody knows what was lost on the way");
    assert!(read(&store, &keys).await.iter().all(|found| found.as_ref() == Some(&newer)));
    fill(&store, &keys, 3).await;
}
