//! The fake log keeps the contract of the port, and its faults are the ones that were asked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{Span, Timestamp};
use ports::{Clock, Commit, ErrorKind, Event, Log, Member, Membership, Outgoing, TopicSpec, clock_fn};
use testkit::{
    contract::log::{Clocked, Harness},
    fake::{LogFault as Fault, MemoryLog, Operation},
};

const START_MS: i64 = 1_760_000_000_000;

struct Broker {
    now_ms: Arc<AtomicI64>,
}

fn broker() -> Broker {
    Broker { now_ms: Arc::new(AtomicI64::new(START_MS)) }
}

impl Broker {
    fn clock(&self) -> Clock {
        let now_ms = self.now_ms.clone();
        clock_fn(1.0, move || Timestamp(now_ms.load(Ordering::SeqCst)))
    }
}

impl Harness for Broker {
    type Log = MemoryLog;

    async fn open(&mut self) -> MemoryLog {
        MemoryLog::new(self.clock())
    }

    /// The broker lives on when a client dies.
    async fn crash(&mut self, log: MemoryLog) -> MemoryLog {
        log
    }
}

impl Clocked for Broker {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }

    fn set_clock(&mut self, now: Timestamp) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }

    async fn pass(&mut self, log: &MemoryLog, span: Span) {
        self.now_ms.fetch_add(span.0, Ordering::SeqCst);
        log.retain();
    }
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime starts")
}

mod contract {
    use super::*;

    testkit::log_contract!(broker, paused);
    testkit::clocked_log_contract!(broker, paused);
}

#[test]
fn an_error_before_leaves_nothing_and_one_after_leaves_everything() {
    check_commit(Fault::ErrorBefore, ErrorKind::Transient, 0);
    check_commit(Fault::ErrorAfter, ErrorKind::Transient, 1);
    check_commit(Fault::Lose, ErrorKind::Fenced, 0);
}

#[test]
fn who_is_lost_hears_it_and_is_a_member_again() {
    paused().block_on(async {
        let (_log, mut member) = owner(move |operation| lose(operation, 3)).await;
        assert_eq!(member.next(Duration::ZERO).await.expect("next"), Event::Idle);
        assert_eq!(member.next(Duration::ZERO).await.expect("next"), Event::Lost(vec![0, 1]));
        let Event::Assigned(again) = member.next(Duration::ZERO).await.expect("next") else { panic!("not assigned again") };
        assert_eq!(again.len(), 2);
    });
}

#[test]
fn who_dies_without_a_word_is_missed_after_its_session() {
    paused().block_on(async {
        let (log, member) = owner(|_| Fault::None).await;
        drop(member);
        let mut next = join(&log, "b").await;
        let before = tokio::time::Instant::now();
        assert_eq!(next.next(Duration::from_secs(1)).await.expect("next"), Event::Assigned(Vec::new()));
        let Event::Assigned(all) = next.next(Duration::from_secs(60)).await.expect("next") else { panic!("not assigned") };
        assert_eq!((all.len(), before.elapsed().as_secs()), (2, 10));
    });
}

#[test]
fn a_rebalance_moves_everything_by_way_of_a_revocation() {
    paused().block_on(async {
        let mut asked = false;
        let once = move |operation: &Operation<'_>| {
            let first = matches!(operation, Operation::Next { member: "c", .. }) && !std::mem::replace(&mut asked, true);
            if first { Fault::Rebalance } else { Fault::None }
        };
        let (log, mut one) = owner(once).await;
        let mut other = join(&log, "c").await;
        assert_eq!(other.next(Duration::ZERO).await.expect("next"), Event::Assigned(Vec::new()));
        assert!(matches!(one.next(Duration::ZERO).await.expect("next"), Event::Revoked(gone) if gone.len() == 1));
        assert_eq!(one.next(Duration::ZERO).await.expect("next"), Event::Idle);
        assert!(matches!(other.next(Duration::ZERO).await.expect("next"), Event::Assigned(_)));
    });
}

/// Fails the `nth` call of `next`, counted from one, as a lost session.
fn lose(operation: &Operation<'_>, nth: usize) -> Fault {
    use std::cell::Cell;
    thread_local!(static CALLS: Cell<usize> = const { Cell::new(0) });
    if !matches!(operation, Operation::Next { .. }) {
        return Fault::None;
    }
    CALLS.set(CALLS.get() + 1);
    if CALLS.get() == nth { Fault::Lose } else { Fault::None }
}

fn check_commit(fault: Fault, kind: ErrorKind, outputs: u64) {
    paused().block_on(async {
        let plan =
            move |operation: &Operation<'_>| if matches!(operation, Operation::Commit { .. }) { fault } else { Fault::None };
        let (log, mut member) = owner(plan).await;
        let output = Outgoing { topic: "t".into(), partition: 1, key: "k".into(), value: "v".into(), headers: Vec::new() };
        let failed = member.commit(vec![Commit { outputs: vec![output], ..Commit::default() }]).await.expect_err("a fault");
        assert_eq!(failed.kind(), kind);
        assert_eq!(log.bounds("t", 1).await.expect("bounds").next, outputs);
        assert_eq!(log.committed("g", &["t".into()]).await.expect("read").len() as u64, outputs);
    });
}

async fn join(log: &MemoryLog, member: &str) -> <MemoryLog as Log>::Member {
    log.join(Membership::new("g", member, vec!["t".into()])).await.expect("joins")
}

/// A log with such faults, and a member that owns both partitions of its topic.
async fn owner(plan: impl FnMut(&Operation<'_>) -> Fault + Send + 'static) -> (MemoryLog, <MemoryLog as Log>::Member) {
    let log = MemoryLog::with_faults(broker().clock(), plan);
    let topic = TopicSpec { name: "t".into(), partitions: 2, retention: None, retention_bytes: None };
    log.create(&[topic]).await.expect("created");
    let mut member = join(&log, "a").await;
    assert!(matches!(member.next(Duration::ZERO).await.expect("next"), Event::Assigned(all) if all.len() == 2));
    (log, member)
}
