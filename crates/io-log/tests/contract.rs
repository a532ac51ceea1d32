//! The contract of the log port, on the embedded log. A crash copies the bytes of the folder as they are at that instant, which is
//! what a killed process leaves, and opens the copy.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{Span, Timestamp};
use io_log::{EmbeddedLog, Settings, Sync};
use ports::{Clock, clock_fn};
use tempfile::TempDir;
use testkit::contract::log::{Clocked, Harness};

const START_MS: i64 = 1_760_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// A folder for each life of the log, and a clock.
struct Folders {
    root: TempDir,
    lives: usize,
    now_ms: Arc<AtomicI64>,
    sync: Sync,
    segment_bytes: u64,
}

fn folders(sync: Sync, segment_bytes: u64) -> Folders {
    let root = tempfile::tempdir().expect("a folder");
    Folders { root, lives: 0, now_ms: Arc::new(AtomicI64::new(START_MS)), sync, segment_bytes }
}

impl Folders {
    fn path(&self) -> PathBuf {
        self.root.path().join(self.lives.to_string())
    }

    fn clock(&self) -> Clock {
        let now_ms = self.now_ms.clone();
        clock_fn(1.0, move || Timestamp(now_ms.load(Ordering::SeqCst)))
    }

    fn open_here(&self) -> EmbeddedLog {
        let settings = Settings {
            sync: self.sync,
            segment_bytes: self.segment_bytes,
            // So small that readers often have to go to the disk.
            tail_bytes_max: 2000,
            ..Settings::new(self.path())
        };
        EmbeddedLog::open(settings, self.clock()).expect("the log opens")
    }
}

impl Harness for Folders {
    type Log = EmbeddedLog;

    async fn open(&mut self) -> EmbeddedLog {
        self.open_here()
    }

    async fn crash(&mut self, log: EmbeddedLog) -> EmbeddedLog {
        let before = self.path();
        self.lives += 1;
        copy(&before, &self.path());
        drop(log);
        self.open_here()
    }
}

impl Clocked for Folders {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }

    fn set_clock(&mut self, now: Timestamp) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }

    async fn pass(&mut self, log: &EmbeddedLog, span: Span) {
        for _ in 0..span.0 / MINUTE_MS {
            self.now_ms.fetch_add(MINUTE_MS, Ordering::SeqCst);
            log.retain().await.expect("retention works");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

fn in_the_background() -> Folders {
    folders(Sync::Every(Duration::from_millis(5)), 1 << 20)
}

/// Segments so small that most frames begin a new one.
fn always_and_small_segments() -> Folders {
    folders(Sync::Always, 1000)
}

mod background {
    use super::*;

    testkit::log_contract!(in_the_background, runtime);
    testkit::clocked_log_contract!(in_the_background, runtime);
}

mod always {
    use super::*;

    testkit::log_contract!(always_and_small_segments, runtime);
    testkit::clocked_log_contract!(always_and_small_segments, runtime);
}
