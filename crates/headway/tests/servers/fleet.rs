//! A few processes that share the work on servers of their own, and whoever produces for them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use domain::{Timestamp, partition_of};
use io_kafka::KafkaLog;
use ports::{ErrorKind, Log, Outgoing, clock_fn};
use serde_json::json;
use tempfile::TempDir;
use testkit::servers::Own;
use tokio::runtime::Runtime;

use crate::driven::{self, Asking, Load, PARTITIONS, Running, SPEC, TOPIC, orders};

/// For what should happen within a session or two, on a machine that may be busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of each process that are told when something went wrong.
const TOLD_LINES: usize = 30;
const LETTERS: &str = "headway.scooter-fleet.dead-letters";

pub(crate) struct Fleet {
    pub(crate) servers: Own,
    pub(crate) log: KafkaLog,
    pub(crate) load: Load,
    folder: TempDir,
    replicas: Vec<Option<(Running, Asking)>>,
    poisoned: u64,
    runtime: Runtime,
}

impl Fleet {
    pub(crate) fn start(replicas: usize, seed: u64) -> Self {
        let servers = Own::start(&["kafka", "redis"]);
        let log = KafkaLog::open(io_kafka::Settings::new(servers.address("kafka")), clock_fn(1.0, now)).expect("settings");
        let folder = tempfile::tempdir().expect("a folder");
        // As short as the broker of the tests allows, so that the dead are missed soon.
        std::fs::write(folder.path().join("servers.toml"), "[kafka]\nsession = \"1s\"\n").expect("a file");
        orders::write_spec(folder.path());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let empty = (0..replicas).map(|_| None).collect();
        let mut fleet = Self { servers, log, load: Load::new(seed).with_orders(), folder, replicas: empty, poisoned: 0, runtime };
        (0..replicas).for_each(|replica| fleet.run(replica));
        fleet.until_settled();
        fleet
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn own(&self, replica: usize) -> PathBuf {
        self.folder.path().join(replica.to_string())
    }

    /// Starts a process, and waits until it answers.
    pub(crate) fn run(&mut self, replica: usize) {
        let folder = self.own(replica);
        let _ = std::fs::remove_file(folder.join("control.sock"));
        let begun = Instant::now();
        let child = self.command(replica).spawn().expect("the binary");
        self.replicas[replica] = Some(driven::answered(&folder, child, begun));
    }

    fn command(&self, replica: usize) -> Command {
        let shared = self.folder.path().join("shared");
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command
            .args(["run", SPEC])
            .arg(self.folder.path().join("driven-orders"))
            .args(["--headless", "--listen", "127.0.0.1:0", "--workers", "1", "--partitions"])
            .arg(PARTITIONS.to_string());
        command.arg("--folder").arg(self.own(replica)).arg("--shared").arg(shared);
        command.arg("--replica").arg(format!("r{replica}")).arg("--servers").arg(self.folder.path().join("servers.toml"));
        command.arg("--kafka").arg(self.servers.address("kafka")).arg("--redis").arg(self.servers.address("redis"));
        command.args(["--snapshot-every", "1s"]).stdout(Stdio::null()).stderr(self.words(replica));
        command
    }

    /// Where a process tells of what breaks around it, which is more than anybody wants to read whose test passes.
    fn words(&self, replica: usize) -> Stdio {
        let name = self.folder.path().join(format!("r{replica}.log"));
        std::fs::File::options().create(true).append(true).open(name).expect("a file").into()
    }

    /// Something is wrong: whoever looks for the reason finds the words and the state of all processes there.
    pub(crate) fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    pub(crate) fn kill(&mut self, replica: usize) {
        let (child, _) = self.replicas[replica].take().expect("it runs");
        driven::kill(child);
    }

    pub(crate) fn freeze(&mut self, replica: usize) {
        self.signal(replica, "-STOP");
    }

    pub(crate) fn thaw(&mut self, replica: usize) {
        self.signal(replica, "-CONT");
    }

    fn signal(&self, replica: usize, signal: &str) {
        let (child, _) = self.replicas[replica].as_ref().expect("it runs");
        assert!(Command::new("kill").arg(signal).arg(child.id().to_string()).status().expect("kill").success());
    }

    pub(crate) fn restart_broker(&mut self) {
        self.servers.restart("kafka");
    }

    /// Produces for so long, whatever is broken meanwhile.
    pub(crate) fn send_for(&mut self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let events = self.load.events();
            let records = events.iter().map(|sent| outgoing(sent.topic, &sent.key, sent.payload.clone().into_bytes())).collect();
            if self.append(records) {
                self.load.acknowledge(events.into_iter().map(|sent| sent.id));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the broker has taken them.
    fn append(&self, records: Vec<Outgoing>) -> bool {
        match self.block_on(self.log.append(records)) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::Transient => false,
            Err(error) => panic!("the producer was refused: {error}"),
        }
    }

    /// What no one can read, in every partition.
    pub(crate) fn poison(&mut self) {
        for number in 0..10 {
            let key = format!("d{number}");
            let poison: &[u8] = [&b"\xff\x00"[..], b"{\"id\":", b"null", b""][number % 4];
            while !self.append(vec![outgoing(TOPIC, &key, poison.to_vec())]) {}
            self.poisoned += 1;
        }
    }

    fn status(&mut self, replica: usize) -> serde_json::Value {
        let (_, asking) = self.replicas[replica].as_mut().expect("it runs");
        asking.ask(&json!("status"))
    }

    /// Until every process sees that everything in the log was taken and readers have it.
    pub(crate) fn until_settled(&mut self) {
        let begun = Instant::now();
        for replica in 0..self.replicas.len() {
            loop {
                let status = self.status(replica);
                if status["status"]["settled"] == true {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "replica {replica} has not settled: {status}");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    pub(crate) fn read_all(&mut self) -> Vec<(String, serde_json::Value)> {
        let (_, asking) = self.replicas[0].as_mut().expect("it runs");
        driven::read_all(asking)
    }

    /// Each trigger of an order has made one prediction, under `read_committed`.
    pub(crate) fn predictions_are_there_once(&self) -> orders::Audited {
        self.block_on(orders::audit(&self.log, &self.load.acknowledged))
    }

    /// What could not be read was told of once, under `read_committed`. A broker that failed an append may have taken it all the
    /// same, so there may be more poison than was acknowledged; a letter names its record.
    pub(crate) fn letters_are_there_once(&self) {
        let mut of = BTreeSet::new();
        let mut count = 0_u64;
        for partition in 0..PARTITIONS {
            let mut next = 0;
            loop {
                let letters = self.block_on(self.log.read(LETTERS, partition, next, 1 << 20)).expect("letters can be read");
                let Some(last) = letters.last() else { break };
                next = last.offset + 1;
                for letter in &letters {
                    let header = |name: &str| {
                        let header = letter.headers.iter().find(|header| header.name == name);
                        String::from_utf8_lossy(&header.unwrap_or_else(|| panic!("a letter without {name}")).value).into_owned()
                    };
                    let origin = (header("topic"), header("partition"), header("offset"));
                    assert!(of.insert(origin.clone()), "two letters of one record: {origin:?}");
                    count += 1;
                }
            }
        }
        assert!(count >= self.poisoned, "{count} letters of {} poisoned records", self.poisoned);
    }
}

/// What the processes said last is most of what helps to find out why a test failed.
impl Drop for Fleet {
    fn drop(&mut self) {
        for replica in (0..self.replicas.len()).filter(|_| std::thread::panicking()) {
            let said = std::fs::read_to_string(self.folder.path().join(format!("r{replica}.log"))).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            println!("r{replica} said last:\n{}", lines[lines.len().saturating_sub(TOLD_LINES)..].join("\n"));
        }
    }
}

fn outgoing(topic: &str, key: &str, payload: Vec<u8>) -> Outgoing {
    let partition = partition_of(key.as_bytes(), PARTITIONS);
    Outgoing {
        topic: topic.into(),
        partition,
        key: Bytes::from(key.to_owned()),
        value: Bytes::from(payload),
        headers: Vec::new(),
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}

/// Where the specification of the load lies.
pub(crate) fn spec() -> &'static Path {
    Path::new(SPEC)
}
