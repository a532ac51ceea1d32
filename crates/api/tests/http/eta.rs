//! The latest prediction of a case: what the scorer wrote, and nothing else.

use std::{sync::Arc, time::Duration};

use api::{Followed, follow};
use bytes::Bytes;
use domain::Span;
use ports::{Log, Outgoing, TopicSpec};
use testkit::fake::{Hook, MemoryLog};
use tokio::sync::watch;

use crate::scene::Scene;

const PREDICTIONS: &str = "headway.parking.eta";
const CASES: &str = "headway.parking.cases";
const PARTITIONS: u32 = 3;

/// Somebody who follows what a scorer writes.
struct Following {
    scene: Scene,
    log: MemoryLog,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), ports::Error>>,
}

impl Following {
    /// What is written before anybody reads is there, too.
    async fn after(written: &[(&str, &str, &str)]) -> Self {
        let scene = Scene::filled(Hook::default()).await;
        let log = MemoryLog::new(scene.clock.clone());
        let spec = |name: &str| TopicSpec { name: name.into(), partitions: PARTITIONS, retention: None, retention_bytes: None };
        log.create(&[spec(PREDICTIONS), spec(CASES)]).await.expect("topics");
        for (topic, key, value) in written {
            write(&log, topic, key, value).await;
        }
        let followed = Followed {
            group: "headway.parking.api".into(),
            predictions: PREDICTIONS.into(),
            cases: CASES.into(),
            is_over: Arc::new(|written| written == b"over"),
            longest: Span(7_200_000),
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(follow(log.clone(), followed, scene.clock.clone(), scene.latest.clone(), stopped));
        while scene.latest.behind() != Some(0) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { scene, log, stop, task }
    }

    async fn check(&self, key: &str, status: u16, body: &str) {
        let answered = self.scene.get(&format!("/v1/parkings/{key}/eta")).await;
        assert_eq!(answered.status, status, "{answered:?}");
        match status {
            200 => assert_eq!(answered.body.to_string(), body),
            status => {
                assert!(answered.problem(status)["detail"].as_str().is_some_and(|detail| detail.contains(body)), "{answered:?}")
            }
        }
    }

    /// Writes, and waits until it was read.
    async fn write(&self, topic: &str, key: &str, value: &str) {
        write(&self.log, topic, key, value).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn write(log: &MemoryLog, topic: &str, key: &str, value: &str) {
    let [key, value] = [key, value].map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let partition = domain::partition_of(&key, PARTITIONS);
    log.append(vec![Outgoing { topic: topic.into(), partition, key, value, headers: Vec::new() }]).await.expect("written");
}

#[tokio::test(start_paused = true)]
async fn the_last_word_of_the_scorer_is_answered_as_it_was_written() {
    let before = [(PREDICTIONS, "c 1", r#"{"p50":12.5}"#), (PREDICTIONS, "c 1", r#"{"p50":300.10}"#), (CASES, "c 1", "open")];
    let following = Following::after(&before).await;
    following.check("c%201", 200, r#"{"p50":300.1}"#).await;
    following.check("c2", 404, "has not begun").await;
    following.write(PREDICTIONS, "c 1", r#"{"p50":1.0}"#).await;
    following.check("c%201", 200, r#"{"p50":1.0}"#).await;
    following.write(CASES, "c 1", "over").await;
    following.check("c%201", 410, "This parking is over").await;
    following.write(CASES, "c 1", "").await;
    following.check("c%201", 410, "over").await;
    following.scene.pass(7_201);
    following.check("c%201", 404, "ended long ago").await;
    assert_eq!(following.scene.get("/readyz").await.body, "ready\n");
    following.stop.send_replace(true);
    following.task.await.expect("no panic").expect("it stops when it is told to");
}

#[tokio::test(start_paused = true)]
async fn an_empty_log_is_read_at_once() {
    let following = Following::after(&[]).await;
    following.check("c1", 404, "has not begun").await;
    assert_eq!(following.scene.get("/readyz").await.status, 200);
}
