//! The contract of the log port on a real broker, whose clock nobody holds. Each case has names of its own in the one cluster; a
//! crash drops clients without a goodbye.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::Timestamp;
use io_kafka::{KafkaLog, Settings};
use ports::{Clock, clock_fn};
use testkit::contract::log::{Harness, Scripts};

/// Names that no other case, and no run before, has used.
struct Cluster {
    settings: Settings,
}

fn cluster() -> Cluster {
    static CASES: AtomicU32 = AtomicU32::new(0);
    let (process, case) = (std::process::id(), CASES.fetch_add(1, Ordering::Relaxed));
    let settings = Settings {
        prefix: format!("contract-{}-{process}-{case}.", wall().0),
        // As short as the broker of the tests allows, so that the dead are missed soon.
        session_max: Duration::from_secs(1),
        ..Settings::new(testkit::servers::shared("kafka"))
    };
    Cluster { settings }
}

fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the broker's clock is real, and so is the one beside it")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    Timestamp(since.as_millis() as i64)
}

fn clock() -> Clock {
    clock_fn(1.0, wall)
}

impl Harness for Cluster {
    type Log = KafkaLog;

    const TELLS_OF_YOUNG: bool = false;

    const SCRIPTS: Scripts = Scripts { short: 2, long: 1 };

    async fn open(&mut self) -> KafkaLog {
        KafkaLog::open(self.settings.clone(), clock()).expect("the log opens")
    }

    async fn crash(&mut self, log: KafkaLog) -> KafkaLog {
        drop(log);
        self.open().await
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime starts")
}

mod kafka {
    use super::*;

    testkit::log_contract!(cluster, runtime);
}
