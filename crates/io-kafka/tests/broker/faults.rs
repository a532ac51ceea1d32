//! A broker that dies or hangs in the middle of the work.

use std::time::Duration;

use ports::Log;
use testkit::servers::Own;

use crate::{
    audit::{Worker, check, fill, is_done},
    scene::{IN, SESSION, created, now, outgoing, run, settings},
};

const PARTITIONS: u32 = 2;
const INPUTS: u64 = 600;
/// Longer than anything here may take, a busy machine included.
const AT_LAST: Duration = Duration::from_secs(120);

/// Two members at work, and what happens to the broker once each of them has committed.
fn work(happens: impl FnOnce(&Own)) {
    let own = Own::start(&["kafka"]);
    run(async {
        let log = created(&settings(&own.address("kafka")), PARTITIONS).await;
        fill(&log, PARTITIONS, INPUTS).await;
        let mut workers = ["a", "b"].map(Worker::new);
        let (begun, mut happens) = (now(), Some(happens));
        while !is_done(&log, INPUTS).await {
            for worker in &mut workers {
                worker.step(&log).await;
            }
            if workers.iter().map(|worker| worker.commits).sum::<usize>() >= 10
                && let Some(happens) = happens.take()
            {
                happens(&own);
            }
            assert!(begun.elapsed() < AT_LAST, "it does not get on");
        }
        assert!(happens.is_none(), "all was done before anything happened");
        check(&log, PARTITIONS, INPUTS).await;
        log.append(vec![outgoing(IN, 0, "afterwards")]).await.expect("appended");
    });
}

#[test]
fn a_broker_that_dies_and_comes_back_costs_nothing() {
    work(|own| {
        own.kill("kafka");
        own.revive("kafka");
    });
}

#[test]
fn a_broker_that_dies_in_the_middle_of_a_commit_costs_nothing() {
    let own = Own::start(&["kafka"]);
    run(async {
        let log = created(&settings(&own.address("kafka")), PARTITIONS).await;
        fill(&log, PARTITIONS, INPUTS).await;
        let (dies, work) = (tokio::sync::Notify::new(), now());
        let mut worker = Worker::new("a");
        let working = async {
            while !is_done(&log, INPUTS).await {
                worker.step(&log).await;
                if worker.commits >= 5 {
                    dies.notify_one();
                }
                assert!(work.elapsed() < AT_LAST, "it does not get on");
            }
        };
        let harm = async {
            dies.notified().await;
            let harmed = tokio::task::spawn_blocking(move || {
                own.kill("kafka");
                own.revive("kafka");
                own
            });
            harmed.await.expect("it was harmed")
        };
        let (_own, ()) = tokio::join!(harm, working);
        check(&log, PARTITIONS, INPUTS).await;
    });
}

#[test]
fn a_broker_that_hangs_past_every_session_costs_nothing() {
    work(|own| {
        own.freeze("kafka");
        // That long is what is tested.
        let begun = now();
        while begun.elapsed() < SESSION * 3 {
            std::thread::park_timeout(SESSION);
        }
        own.thaw("kafka");
    });
}
