//! One server on its bad days: cut connections, a server that hangs, restarts empty, is full, flushed, or the wrong one.

mod servers;

use std::time::Duration;

use domain::{EARLIEST, Timestamp};
use io_redis::{Login, RedisOnline, Secret, Settings};
use ports::{Error, ErrorKind, OnlineStore, Serving, Share, VectorKey, VectorWrite, Written};
use servers::{KEY, SHARE, Server, settings, store, until, vector, write};

/// Bounds that a test can wait for.
fn impatient(url: &str) -> Settings {
    Settings { connect_within: Duration::from_millis(400), respond_within: Duration::from_millis(300), ..settings(url) }
}

/// Checks that it failed in this way, with these words in the message.
fn failed<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, words: &str) {
    let error = result.expect_err("this cannot work");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

/// Writes until it works, as the feature role does; everything before has to be transient.
async fn insist(store: &RedisOnline, share: Share, batch: &[VectorWrite<'_>]) -> Written {
    let mut written = None;
    until("a write works again", async || match store.write(share, batch).await {
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

#[tokio::test]
async fn connections_that_are_cut_in_the_middle_lose_nothing() {
    let server = Server::start();
    let store = store(&server.url());
    let keys: Vec<String> = (0..3000).map(|key| key.to_string()).collect();
    store.write(SHARE, &[]).await.expect("a write");
    let mut cut: i64 = 0;
    for position in 1..=20 {
        let packed = vector(position, 0, 10);
        let batch: Vec<_> = keys.iter().map(|key| write(VectorKey { key, ..KEY }, &packed)).collect();
        let (first, _) = tokio::join!(store.write(SHARE, &batch), async {
            // The write is under way by the time this blocks.
            tokio::task::yield_now().await;
            cut += redis::from_redis_value::<i64>(server.ask(&["CLIENT", "KILL", "TYPE", "normal"])).expect("a number");
        });
        // Sent once more by itself; unless it met the cut before with its first attempt, and this one with its second.
        if first.is_err_and(|error| error.kind() == ErrorKind::Transient) {
            insist(&store, SHARE, &batch).await;
        }
        let read: Vec<_> = keys.iter().map(|key| VectorKey { key, ..KEY }).collect();
        assert!(store.read(&read).await.expect("a read").iter().all(|found| found.as_ref() == Some(&packed)));
    }
    assert!(cut >= 20, "{cut} connections were cut");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_found_again() {
    let server = Server::start();
    let store = RedisOnline::new(&impatient(&server.url())).expect("sound settings");
    let packed = vector(1, 0, 3);
    store.write(SHARE, &[write(KEY, &packed)]).await.expect("a write");
    server.freeze();
    let patience = Duration::from_secs(2);
    for _ in 0..3 {
        let written = tokio::time::timeout(patience, store.write(SHARE, &[write(KEY, &packed)])).await;
        failed(written.expect("within the bounds"), ErrorKind::Transient, "overloaded, paused or cut off");
        let many = (0..50).map(|_| store.read(&[KEY]));
        let read = tokio::time::timeout(patience, futures_util::future::join_all(many)).await.expect("within the bounds");
        read.into_iter().for_each(|read| failed(read, ErrorKind::Transient, "within"));
    }
    server.thaw();
    assert_eq!(insist(&store, SHARE, &[write(KEY, &packed)]).await.refused, 0);
    assert_eq!(store.read(&[KEY]).await.expect("a read"), [Some(packed)]);
}

#[tokio::test]
async fn a_server_that_starts_again_empty_says_so() {
    let server = Server::start();
    let store = store(&server.url());
    let packed = vector(1, 0, 3);
    store.write(SHARE, &[write(KEY, &packed)]).await.expect("a write");
    store.mark(SHARE).await.expect("a mark");
    assert!(store.write(SHARE, &[]).await.expect("a write").marked);
    server.kill();
    failed(store.write(SHARE, &[]).await, ErrorKind::Transient, "cannot be reached");
    server.revive();
    assert_eq!(insist(&store, SHARE, &[]).await, Written { refused: 0, marked: false });
    assert_eq!(store.read(&[KEY]).await.expect("a read"), [None]);
}

#[tokio::test]
async fn a_server_that_comes_back_with_an_old_copy_says_so() {
    let server = Server::start();
    let store = store(&server.url());
    let (old, new) = (vector(1, 0, 3), vector(2, 0, 3));
    store.write(SHARE, &[write(KEY, &old)]).await.expect("a write");
    store.mark(SHARE).await.expect("a mark");
    server.ask(&["SAVE"]);
    store.write(SHARE, &[write(KEY, &new)]).await.expect("a write");
    server.kill();
    server.revive();
    assert!(!insist(&store, SHARE, &[]).await.marked, "the mark is there, and not worth anything");
    assert_eq!(store.read(&[KEY]).await.expect("a read"), [Some(old)]);
}

#[tokio::test]
async fn what_is_emptied_while_it_is_being_filled_is_not_marked() {
    let server = Server::start();
    let store = store(&server.url());
    let packed = vector(1, 0, 3);
    assert!(!store.write(SHARE, &[write(KEY, &packed)]).await.expect("a write").marked);
    server.ask(&["FLUSHALL"]);
    store.mark(SHARE).await.expect("a mark that does nothing");
    assert!(!store.write(SHARE, &[]).await.expect("a write").marked, "what was written first is gone");
    store.mark(SHARE).await.expect("a mark");
    assert!(store.write(SHARE, &[]).await.expect("a write").marked, "nothing was lost since it was heard again");
}

#[tokio::test]
async fn what_an_operator_has_to_change_is_invalid() {
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "requirepass", "right"]);
    let login = |password: &str| Some(Login { user: None, password: Secret::new(password) });
    let with = |login| RedisOnline::new(&Settings { login, ..settings(&server.url()) }).expect("sound settings");
    with(login("right")).write(SHARE, &[]).await.expect("a write");
    failed(with(None).write(SHARE, &[]).await, ErrorKind::Invalid, "check user and password");
    let wrong = with(login("hush-hush")).serving().await;
    let shown = format!("{wrong:?} {:?}", with(login("hush-hush")));
    failed(wrong, ErrorKind::Invalid, "check user and password");
    assert!(!shown.contains("hush-hush"), "{shown}");
    let elsewhere = Settings { database: 99, login: login("right"), ..settings(&server.url()) };
    failed(RedisOnline::new(&elsewhere).expect("sound settings").serving().await, ErrorKind::Invalid, "check its version");
    let cluster = Settings { database: 1, ..settings("redis+cluster://h") };
    failed(RedisOnline::new(&cluster), ErrorKind::Invalid, "only database 0");
    failed(RedisOnline::new(&Settings { pipeline: "a:b".into(), ..settings("redis://h") }), ErrorKind::Invalid, "use letters");
}

#[tokio::test]
async fn keys_that_somebody_else_wrote_are_told() {
    let server = Server::start();
    server.ask(&["SET", "eta:{store:42}", "something else"]);
    let packed = vector(1, 0, 3);
    failed(store(&server.url()).write(SHARE, &[write(KEY, &packed)]).await, ErrorKind::Invalid, "who else writes to it");
}

#[tokio::test]
async fn nobody_there_is_transient() {
    let server = Server::start();
    server.kill();
    failed(store(&server.url()).read(&[KEY]).await, ErrorKind::Transient, "look whether the server runs");
}

#[tokio::test]
async fn a_replica_is_told_from_a_master() {
    let (master, replica) = (Server::start(), Server::start());
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    until("a replica follows", async || replica.text(&["INFO", "replication"]).contains("master_link_status:up")).await;
    let packed = vector(1, 0, 3);
    store(&master.url()).write(SHARE, &[write(KEY, &packed)]).await.expect("a write");
    let other = store(&replica.url());
    failed(other.write(SHARE, &[write(KEY, &packed)]).await, ErrorKind::Transient, "read-only replica");
}

#[tokio::test]
async fn a_library_that_is_flushed_under_way_is_loaded_again() {
    let server = Server::start();
    let other = "#!lua name=headway_0\nredis.register_function('headway_0_write', function() return 1 end)";
    server.ask(&["FUNCTION", "LOAD", other]);
    let packed = vector(1, 0, 3);
    for (scripts_only, flush) in [(false, "FUNCTION"), (true, "SCRIPT")] {
        let store = RedisOnline::new(&Settings { scripts_only, ..settings(&server.url()) }).expect("sound settings");
        for round in 0..50 {
            let batch = [write(KEY, &packed)];
            let (written, _) = tokio::join!(store.write(SHARE, &batch), async {
                if round % 2 == 1 {
                    server.ask(&[flush, "FLUSH"]);
                }
            });
            written.expect("a write that loads what is missing");
            if round == 0 && !scripts_only {
                assert!(server.text(&["FCALL", "headway_0_write", "0"]).contains('1'), "another version's library is left alone");
            }
        }
    }
}

#[tokio::test]
async fn a_huge_batch_with_any_bytes_is_written_and_read() {
    let server = Server::start();
    let store = store(&server.url());
    let keys: Vec<String> = (0..60_000).map(|key| format!("\0{key}\r\n\0")).collect();
    let packed = vector(0, 0, 512);
    let batch: Vec<_> = keys.iter().map(|key| write(VectorKey { key, ..KEY }, &packed[..])).collect();
    assert_eq!(store.write(SHARE, &batch).await.expect("a write").refused, 0);
    let read: Vec<_> = keys.iter().rev().step_by(7).map(|key| VectorKey { key, ..KEY }).collect();
    assert!(store.read(&read).await.expect("a read").iter().all(|found| found.as_ref() == Some(&packed)));
}

#[tokio::test]
async fn a_full_server_is_told_and_can_still_forget() {
    let server = Server::start();
    let store = store(&server.url());
    let packed = vector(1, 0, 100);
    store.write(SHARE, &[write(KEY, &packed)]).await.expect("a write");
    server.ask(&["CONFIG", "SET", "maxmemory", "1000"]);
    failed(store.write(SHARE, &[write(KEY, &packed)]).await, ErrorKind::Transient, "raise `maxmemory`");
    store.forget(&Serving { group: KEY.group.into(), generation: 1 }).await.expect("room is made");
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store.read(&[KEY]).await.expect("a read"), [None]);
}

#[tokio::test]
async fn a_key_lives_as_long_as_its_longest_vector() {
    let server = Server::start();
    let store = store(&server.url());
    let seconds: i64 = redis::from_redis_value::<(i64, i64)>(server.ask(&["TIME"])).expect("a time").0;
    let (now, hour) = (seconds * 1000, 3_600_000);
    let other = VectorKey { group: "riders", ..KEY };
    let left = || redis::from_redis_value::<i64>(server.ask(&["PTTL", "eta:{store:42}"])).expect("a number");
    let expiring = |at, packed, expires_at| VectorWrite { at, packed, expires_at: Timestamp(expires_at) };
    let packed = vector(1, now, 3);
    store.write(SHARE, &[expiring(KEY, &packed, now + hour)]).await.expect("a write");
    assert!((hour - 5_000..hour + hour / 32).contains(&left()), "{} of {hour} ms are left", left());
    store.write(SHARE, &[expiring(other, &packed, now + 2 * hour)]).await.expect("a write");
    assert!((2 * hour - 5_000..2 * hour + hour / 16).contains(&left()), "{} ms are left", left());
    // Neither one that ends earlier nor one that has ended takes the others with it.
    let later = vector(2, now, 3);
    store.write(SHARE, &[expiring(KEY, &later, now + hour), expiring(other, &later, EARLIEST.0)]).await.expect("a write");
    let third = VectorKey { group: "third", ..KEY };
    store.write(SHARE, &[expiring(third, &packed, EARLIEST.0)]).await.expect("a write");
    assert!((2 * hour - 5_000..2 * hour + hour / 16).contains(&left()), "{} ms are left", left());
    assert_eq!(store.read(&[KEY]).await.expect("a read"), [Some(later)]);
}

#[tokio::test]
async fn an_inspection_says_what_should_be_changed() {
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"]);
    let store = store(&server.url());
    let seen = store.inspect().await.expect("an inspection");
    assert_eq!(seen.nodes.len(), 1);
    let node = &seen.nodes[0];
    assert!(node.functions && !node.library_loaded, "{node:?}");
    assert_eq!(
        (node.eviction.as_str(), node.memory_bytes_max, node.hash_max_listpack_value),
        ("allkeys-lru", 100 << 20, Some(64))
    );
    assert!(node.version.starts_with(|first: char| first.is_ascii_digit()) && node.memory_bytes > 0, "{node:?}");
    let told = seen.warnings().join("\n");
    assert!(told.contains("set `noeviction`") && told.contains("set it to 512"), "{told}");
    assert_eq!(server.text(&["FUNCTION", "LIST"]), "", "nothing was loaded");

    store.write(SHARE, &[]).await.expect("a write");
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction", "hash-max-listpack-value", "512"]);
    let seen = store.inspect().await.expect("an inspection");
    assert!(seen.nodes[0].library_loaded);
    let told: Vec<String> = seen.warnings().into_iter().filter(|warning| !warning.contains("round trip")).collect();
    assert_eq!(told, [""; 0]);
}

/// The rights that the documentation names are enough, and each that is taken away is named.
#[tokio::test]
async fn rights_that_a_user_lacks_are_named_and_nothing_is_changed_by_asking() {
    let server = Server::start();
    let rights = "~eta:* -@all +fcall +function|load +evalsha +script|load +hget +hset +hdel +hmget +hgetall +pttl +expireat +scan \
                  +time +info";
    let user = |rights: &str| {
        let words: Vec<&str> =
            ["ACL", "SETUSER", "narrow", "reset", "on", ">right"].into_iter().chain(rights.split(' ')).collect();
        server.ask(&words);
        let login = Some(Login { user: Some("narrow".into()), password: Secret::new("right") });
        RedisOnline::new(&Settings { login, ..settings(&server.url()) }).expect("sound settings")
    };
    let missing = async |rights: &str| user(rights).inspect().await.expect("an inspection").nodes[0].rights_missing.clone();
    assert_eq!(missing(rights).await, [""; 0]);
    assert_eq!(server.text(&["DBSIZE"]), "0");
    assert_eq!(missing(&rights.replace(" +hset", "").replace(" +scan", "")).await, ["hset", "scan"]);
    assert_eq!(missing(&rights.replace(" +fcall", "")).await, [""; 0], "scripts are as good");
    assert_eq!(missing(&rights.replace(" +fcall", "").replace(" +evalsha", "")).await, ["fcall"]);
    assert!(missing(&rights.replace("~eta:*", "~other:*")).await.contains(&"hset".to_owned()));
    // What an operator reads when it is tried all the same.
    let packed = vector(1, 0, 3);
    let without = user(&rights.replace(" +hset", ""));
    failed(
        without.write(SHARE, &[write(KEY, &packed)]).await,
        ErrorKind::Invalid,
        "the rights in docs/reference/packed-vector.md",
    );
    let allowed = user(rights);
    allowed.write(SHARE, &[write(KEY, &packed)]).await.expect("a write");
    assert!(allowed.inspect().await.expect("an inspection").nodes[0].epoch.is_some(), "something was written");
    server.ask(&["CONFIG", "SET", "maxmemory", "1000"]);
    let told = store(&server.url()).inspect().await.expect("an inspection").warnings().join("\n");
    assert!(told.contains("of 1000 bytes") && told.contains("raise `maxmemory`"), "{told}");
}
