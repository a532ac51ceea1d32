//! What the cases here need: a folder with a servers file, commands that run in it, and a log beside them.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::Timestamp;
use io_kafka::KafkaLog;
use ports::{Log, clock_fn};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const FLEET: &str = "../../pipelines/scooter-fleet";
pub(crate) const CITY: &str = "../../pipelines/delivery-eta";
/// Longer than anything here may take, a busy machine included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A place with names in the cluster that no other case has.
pub(crate) struct Scene {
    pub(crate) brokers: String,
    pub(crate) prefix: String,
    folder: TempDir,
    runtime: Runtime,
}

/// How a command ended and what it said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// One object, of a command with `--json`.
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Ended like this, with these words about it.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, words: &[&str]) {
        let told = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{told}");
        words.iter().for_each(|word| assert!(told.contains(word), "no {word:?} in {told}"));
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Scene {
    /// On these brokers, with more for the file of servers: lines of `[kafka]`, then whole tables.
    pub(crate) fn new(brokers: &str, more: &str) -> Self {
        static CASES: AtomicU32 = AtomicU32::new(0);
        let (process, case) = (std::process::id(), CASES.fetch_add(1, Ordering::Relaxed));
        let prefix = format!("ops-{}-{process}-{case}.", wall().0);
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let scene = Self { brokers: brokers.to_owned(), prefix, folder, runtime };
        scene.write(more);
        scene
    }

    /// On the brokers that all tests share.
    pub(crate) fn shared(more: &str) -> Self {
        Self::new(&testkit::servers::shared("kafka"), more)
    }

    /// Another file of servers; `PREFIX` in it is the one of this scene.
    pub(crate) fn write(&self, more: &str) {
        let more = more.replace("PREFIX", &self.prefix);
        let text = format!("[kafka]\nbrokers = \"{}\"\nprefix = \"{}\"\n{more}", self.brokers, self.prefix);
        fs::write(self.servers(), text).expect("written");
    }

    pub(crate) fn servers(&self) -> PathBuf {
        self.folder.path().join("servers.toml")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("headway")
    }

    /// A command in this scene, by its words.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.args(words.split_whitespace()).arg("--servers").arg(self.servers());
        command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT").stdin(Stdio::null());
        if !words.contains("simulate") {
            command.arg("--folder").arg(self.folder());
        }
        command
    }

    pub(crate) fn ask(&self, words: &str) -> Said {
        self.command(words).output().expect("the binary").into()
    }

    /// Runs until everything in the log was taken.
    pub(crate) fn run(&self, pipeline: &str, more: &str) -> Said {
        self.ask(&format!("run {pipeline} --headless --until-caught-up --workers 1 --listen 127.0.0.1:0 {more}"))
    }

    /// A log of somebody else in the same cluster, whose names begin with the prefix alone.
    pub(crate) fn log(&self) -> KafkaLog {
        let settings = io_kafka::Settings { prefix: self.prefix.clone(), ..io_kafka::Settings::new(&self.brokers) };
        KafkaLog::open(settings, clock_fn(1.0, wall)).expect("settings")
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// How many records readers see of a topic.
    pub(crate) fn count(&self, log: &KafkaLog, topic: &str, partitions: u32) -> u64 {
        let one = |partition| {
            let (mut count, mut next) = (0, 0);
            loop {
                let records = self.block_on(log.read(topic, partition, next, 1 << 20)).expect("records");
                let Some(last) = records.last() else { return count };
                next = last.offset + 1;
                count += records.len() as u64;
            }
        };
        (0..partitions).map(one).sum()
    }
}

pub(crate) fn wall() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}

/// Looks until it holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
    }
}
