//! A running Headway with servers of its own, and the clients that others wrote.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::Timestamp;
use io_kafka::KafkaLog;
use io_registry::{Definition, Format, Registry, SchemaId};
use ports::{Log, Outgoing, clock_fn};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::servers::{self, Own};
use tokio::runtime::Runtime;

use crate::driven::{self, Asking, Running};

pub(crate) const ID: &str = "written-thrice";
pub(crate) const PARTITIONS: u32 = 4;
/// For what takes a moment, on a machine that may be busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) servers: Own,
    pub(crate) log: KafkaLog,
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
    runtime: Runtime,
    headway: Option<(Running, Asking)>,
}

/// What a client says of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) value: Vec<u8>,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Told {
    /// What they should say.
    pub(crate) fn of(record: &ports::Record) -> Self {
        let header = |header: &ports::Header| (header.name.clone(), String::from_utf8_lossy(&header.value).into_owned());
        Self { value: record.value.to_vec(), headers: record.headers.iter().map(header).collect() }
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}

/// The full name of a topic of the pipeline.
pub(crate) fn topic(name: &str) -> String {
    format!("headway.{ID}.{name}")
}

pub(crate) fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

impl Scene {
    pub(crate) fn new() -> Self {
        let servers = Own::start(&["kafka", "redis", "registry"]);
        let log = KafkaLog::open(io_kafka::Settings::new(servers.address("kafka")), clock_fn(1.0, now)).expect("settings");
        let registry = Registry::open(&io_registry::Settings::new(servers.address("registry")), clock_fn(1.0, now));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        Self { servers, log, registry: registry.expect("settings"), folder, runtime, headway: None }
    }

    /// Makes a schema the latest one of a topic.
    pub(crate) fn register(&self, name: &str, format: Format, text: &str) -> SchemaId {
        let subject = format!("{}-value", topic(name));
        let registered = self.runtime.block_on(self.registry.register(&subject, &Definition::new(format, text)));
        registered.expect("the registry takes it")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.arg("run").arg(here(ID)).args(["--headless", "--listen", "127.0.0.1:0", "--partitions", &PARTITIONS.to_string()]);
        command.arg("--folder").arg(self.folder.path().join("headway"));
        command.arg("--kafka").arg(self.servers.address("kafka")).arg("--redis").arg(self.servers.address("redis"));
        command.stdout(Stdio::null());
        command
    }

    /// How a start ends that cannot go well: the code, and what is said.
    pub(crate) fn refused(&self, registry: bool) -> (Option<i32>, String) {
        let mut command = self.command();
        if registry {
            command.arg("--registry").arg(self.servers.address("registry"));
        }
        let output = command.output().expect("the binary");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts Headway, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let folder = self.folder.path().join("headway");
        let _ = std::fs::remove_file(folder.join("control.sock"));
        let begun = Instant::now();
        let child = self.command().arg("--registry").arg(self.servers.address("registry")).spawn().expect("the binary");
        self.headway = Some(driven::answered(&folder, child, begun));
    }

    pub(crate) fn kill(&mut self) {
        let (child, _) = self.headway.take().expect("it runs");
        driven::kill(child);
    }

    pub(crate) fn stop(&mut self) {
        let (child, _) = self.headway.take().expect("it runs");
        driven::stop(child);
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.headway.as_mut().expect("it runs").1.ask(request)
    }

    pub(crate) fn settle(&mut self) {
        driven::settle(&mut self.headway.as_mut().expect("it runs").1);
    }

    /// The features of a store by group, as numbers.
    pub(crate) fn features(&mut self, store: &str) -> BTreeMap<String, Vec<f64>> {
        let answer = self.ask(&json!({ "read": { "entity": "store", "key": store, "pipeline": null } }));
        let groups = answer["reading"]["groups"].as_array().unwrap_or_else(|| panic!("{store}: {answer}"));
        let number = |feature: &Value| feature[1].as_f64().unwrap_or_else(|| panic!("{store}: {feature}"));
        let values = |group: &Value| group["features"].as_array().expect("values").iter().map(number).collect();
        groups.iter().map(|group| (group["group"].as_str().expect("a name").to_owned(), values(group))).collect()
    }

    /// Appends payloads to a partition as they are.
    pub(crate) fn append(&self, name: &str, partition: u32, payloads: &[Vec<u8>]) {
        let outgoing = |payload: &Vec<u8>| Outgoing {
            topic: topic(name).into(),
            partition,
            key: Bytes::from_static(b"s1"),
            value: Bytes::copy_from_slice(payload),
            headers: Vec::new(),
        };
        self.runtime.block_on(self.log.append(payloads.iter().map(outgoing).collect())).expect("they are appended");
    }

    /// All records of a topic by partition, read by us: transactions leave gaps between offsets, so offsets do not count them.
    pub(crate) fn records_by_partition(&self, name: &str) -> Vec<Vec<ports::Record>> {
        let of_partition = |partition| {
            let (mut records, mut next) = (Vec::new(), 0);
            loop {
                let read = self.runtime.block_on(self.log.read(&topic(name), partition, next, 1 << 20)).expect("a topic");
                let Some(last) = read.last() else { return records };
                next = last.offset + 1;
                records.extend(read);
            }
        };
        (0..PARTITIONS).map(of_partition).collect()
    }

    pub(crate) fn records(&self, name: &str) -> Vec<ports::Record> {
        self.records_by_partition(name).into_iter().flatten().collect()
    }

    pub(crate) fn confluent(&self, arguments: &[&str]) -> String {
        run(Command::new(servers::python()).arg(here("confluent.py")).args(arguments))
    }

    pub(crate) fn kafka_python(&self, arguments: &[&str]) -> String {
        run(Command::new(servers::python()).arg(here("kafka_python.py")).args(arguments))
    }

    pub(crate) fn kcat(&self, arguments: &[&str]) -> String {
        run(Command::new("kcat").arg("-b").arg(self.servers.address("kafka")).args(arguments))
    }

    pub(crate) fn java(&self, arguments: &[&str]) -> String {
        let libraries = format!("{}/*", servers::kafka_libraries().display());
        run(Command::new("java").args(["-XX:TieredStopAtLevel=1", "-cp", &libraries]).arg(here("Skewed.java")).args(arguments))
    }

    pub(crate) fn redis_cli(&self, arguments: &[&str]) -> String {
        run(Command::new("redis-cli").args(["-u", &self.servers.address("redis")]).args(arguments))
    }
}

/// What a program prints, if it ends well.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// A line that the Python clients print for each record.
pub(crate) fn told(lines: &str) -> Vec<Told> {
    let one = |line: &str| {
        let told: Value = serde_json::from_str(line).expect("JSON");
        let headers = told["headers"].as_object().expect("headers").iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        Told { value: STANDARD.decode(told["value"].as_str().expect("a text")).expect("base64"), headers }
    };
    lines.lines().map(one).collect()
}

/// Waits for something that comes by itself.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
}
