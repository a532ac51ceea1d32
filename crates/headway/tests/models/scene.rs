//! A folder of `headway run` with packages beside it, commands about its models, and what was predicted in it.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use domain::Timestamp;
use io_log::EmbeddedLog;
use ports::{Log, clock_fn};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    driven::{Asking, PARTITIONS, Running, start_with, stop},
    eta,
    package::key,
};

/// A folder of Headway and one for packages.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) packages: TempDir,
}

impl Scene {
    /// In which a process has run once, and the first key is trusted if so.
    pub(crate) fn new(trusts: bool) -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a folder"), packages: tempfile::tempdir().expect("a folder") };
        let (child, _) = scene.start(&[]);
        stop(child);
        if trusts {
            scene.trust(1);
        }
        scene
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> (Running, Asking) {
        let (child, asking, _) = start_with(self.folder.path(), Path::new(eta::PIPELINE), arguments, &[]);
        (child, asking)
    }

    pub(crate) fn trust(&self, number: u8) {
        fs::write(self.folder.path().join("trusted-keys"), format!("{}\n", key(number))).expect("written");
    }

    /// A package that says so many seconds, signed by the first key.
    pub(crate) fn package(&self, version: &str, seconds: f32) -> (PathBuf, String) {
        let folder = self.packages.path().join(version);
        let digest = eta::write(&folder, version, seconds, 1);
        (folder, digest)
    }

    pub(crate) fn ask(&self, words: &[&str], code: i32) -> (String, String) {
        self.ask_as("--folder", words, code)
    }

    pub(crate) fn ask_as(&self, folder: &str, words: &[&str], code: i32) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.args(["models"]).args(words).arg(folder).arg(self.folder.path()).env("USER", "anna");
        let output = command.output().expect("the binary");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
        (out, err)
    }

    pub(crate) fn object(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[words, &["--json"]].concat(), 0).0).expect("JSON")
    }

    pub(crate) fn list(&self) -> Value {
        self.object(&["list"])
    }

    /// Lets a package speak; the answer, and how long the process took for it.
    pub(crate) fn used(&self, package: &Path) -> Value {
        self.object(&["use", &package.display().to_string()])
    }

    /// Lets a new package challenge: its digest, and the answer.
    pub(crate) fn challenge(&self, version: &str, seconds: f32) -> (String, Value) {
        let (package, digest) = self.package(version, seconds);
        (digest, self.object(&["challenge", &package.display().to_string()]))
    }

    /// That a package is refused in these words, and that nothing is changed by it; a process that runs counts it.
    pub(crate) fn refuses(&self, package: &Path, words: &str) {
        let failed = |list: &Value| list["process"]["failed"].as_u64();
        let (before, (_, err)) = (self.list(), self.ask(&["use", &package.display().to_string()], 78));
        assert!(err.contains(words), "{err:?} does not say {words:?}");
        let mut after = self.list();
        assert_eq!(failed(&after), failed(&before).map(|count| count + 1));
        if let Some(count) = failed(&before) {
            after["process"]["failed"] = count.into();
        }
        assert_eq!(after, before, "a refusal changed something");
    }
}

/// Waits until so many more predictions were committed.
pub(crate) fn predicted(asking: &mut Asking, count: u64) {
    let predictions = |asking: &mut Asking| {
        let status = asking.ask(&json!("status"));
        status["status"]["predictions"].as_u64().unwrap_or_else(|| panic!("nobody predicts: {status}"))
    };
    let (begun, until) = (Instant::now(), predictions(asking) + count);
    while predictions(asking) < until {
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing is predicted any longer");
        // Whoever asks all the time takes the time of those who predict.
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn now(asking: &mut Asking) -> Timestamp {
    instant(&asking.ask(&json!("status"))["status"]["now"])
}

pub(crate) fn instant(text: &Value) -> Timestamp {
    text.as_str().and_then(Timestamp::parse).unwrap_or_else(|| panic!("{text} is no instant"))
}

/// All that was predicted, by partition and in order.
pub(crate) fn predictions(folder: &Path) -> Vec<Vec<Value>> {
    records(folder, "headway.delivery-eta.eta")
}

/// All of a topic in a folder that nobody holds, by partition and in order.
pub(crate) fn records(folder: &Path, topic: &str) -> Vec<Vec<Value>> {
    let settings = io_log::Settings::new(folder.join("log"));
    let log = EmbeddedLog::open(settings, clock_fn(1.0, || Timestamp(0))).expect("nobody holds it");
    let all = async {
        let mut all = Vec::new();
        for partition in 0..PARTITIONS {
            let (mut predictions, mut next) = (Vec::new(), 0);
            loop {
                let records = log.read(topic, partition, next, 1 << 20).await.expect("a whole log");
                let Some(last) = records.last() else { break };
                next = last.offset + 1;
                predictions.extend(records.iter().map(|record| serde_json::from_slice(&record.value).expect("JSON")));
            }
            all.push(predictions);
        }
        all
    };
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(all)
}
