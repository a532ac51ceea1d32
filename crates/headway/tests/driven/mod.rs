//! A real `headway run`, fed and asked by its socket, killed, and compared with the oracle afterwards.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]
// Every test file uses a part of it.
#![allow(dead_code)]

pub(crate) mod orders;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    ops::{Deref, DerefMut},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use domain::{NEVER, Timestamp, Value};
use io_log::EmbeddedLog;
use orders::{Audited, Orders};
use pipeline::Pipeline;
use ports::{Log, clock_fn};
use serde_json::json;
use testkit::{Mode, Oracle, OracleVector};

/// Scooters: enough that each partition has some, few enough for the oracle.
pub(crate) const DEVICES: u64 = 24;
pub(crate) const PARTITIONS: u32 = 4;
/// Where the load goes.
pub(crate) const TOPIC: &str = "headway.scooter-fleet.positions";
/// Whose events the load is made of.
pub(crate) const SPEC: &str = "../../pipelines/scooter-fleet";

/// For what should happen at once, on a machine that may be busy with something else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A number from the environment.
pub(crate) fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A process that ends with the test at the latest: one that is left over would keep the output of the whole run open.
pub(crate) struct Running(Child);

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already when the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends a process as an operator would, in time.
pub(crate) fn stop(mut child: Running) {
    let stopping = Instant::now();
    assert!(Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().expect("kill").success());
    assert!(child.wait().expect("it ends").success());
    assert!(stopping.elapsed() < Duration::from_secs(2), "it took {:?} to stop", stopping.elapsed());
}

/// Ends a process as a power cut would.
pub(crate) fn kill(mut child: Running) {
    child.kill().expect("it was alive");
    child.wait().expect("it is gone");
}

/// What a program on the other side of the socket sees.
pub(crate) struct Asking {
    read: BufReader<UnixStream>,
    write: UnixStream,
}

impl Asking {
    pub(crate) fn ask(&mut self, request: &serde_json::Value) -> serde_json::Value {
        self.say(request);
        let mut line = String::new();
        self.read.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    pub(crate) fn say(&mut self, request: &serde_json::Value) {
        writeln!(self.write, "{request}").expect("it listens");
    }
}

pub(crate) fn start(folder: &Path, spec: &Path) -> (Running, Asking, Duration) {
    start_with(folder, spec, &[], &[])
}

/// The same with more arguments and an environment. Metrics are answered at an address of its own unless an argument says where.
pub(crate) fn start_with(
    folder: &Path,
    spec: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (Running, Asking, Duration) {
    let begun = Instant::now();
    let mut command = run_with(folder, spec, Stdio::null(), arguments);
    let child = command.envs(environment.iter().copied()).spawn().expect("the binary");
    let (child, asking) = answered(folder, child, begun);
    (child, asking, begun.elapsed())
}

/// Starts it, and listens to what it says.
pub(crate) fn start_heard(folder: &Path, spec: &Path) -> (Running, Asking, Heard) {
    start_heard_with(folder, spec, &[])
}

/// The same with more arguments.
pub(crate) fn start_heard_with(folder: &Path, spec: &Path, arguments: &[&str]) -> (Running, Asking, Heard) {
    let mut child = run_with(folder, spec, Stdio::piped(), arguments).spawn().expect("the binary");
    let said = BufReader::new(child.stdout.take().expect("its output"));
    let (tell, lines) = mpsc::channel();
    // Ends with the process, whose output ends then.
    std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let (child, asking) = answered(folder, child, Instant::now());
    (child, asking, Heard(lines))
}

/// The lines that a process prints.
pub(crate) struct Heard(mpsc::Receiver<String>);

impl Heard {
    /// The next line with these words in it.
    pub(crate) fn until(&self, words: &str) -> String {
        let begun = Instant::now();
        let mut others = Vec::new();
        while let Ok(line) = self.0.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if line.contains(words) {
                return line;
            }
            others.push(line);
        }
        panic!("nobody said {words:?}, but {others:#?}");
    }
}

/// Lets it end by itself: its code, and what it says of the reason.
pub(crate) fn refused(folder: &Path, spec: &Path) -> (Option<i32>, String) {
    let output = run(folder, spec, Stdio::null()).output().expect("the binary");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

pub(crate) fn run(folder: &Path, spec: &Path, stdout: Stdio) -> Command {
    run_with(folder, spec, stdout, &[])
}

fn run_with(folder: &Path, spec: &Path, stdout: Stdio, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
    command.arg("run").arg(spec).args(["--headless", "--partitions", &PARTITIONS.to_string(), "--folder"]).arg(folder);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.args(arguments).stdout(stdout);
    command
}

/// Waits until a process answers.
pub(crate) fn answered(folder: &Path, child: Child, begun: Instant) -> (Running, Asking) {
    let mut child = Running(child);
    let socket = folder.join("control.sock");
    loop {
        if let Ok(stream) = UnixStream::connect(&socket) {
            let read = BufReader::new(stream.try_clone().expect("a second handle"));
            return (child, Asking { read, write: stream });
        }
        if let Some(ended) = child.try_wait().expect("it is a child") {
            panic!("it ended with {ended} instead of listening on {}", socket.display());
        }
        if begun.elapsed() > PATIENCE {
            panic!("nobody listens on {}", socket.display());
        }
        std::thread::yield_now();
    }
}

/// Where a process answers over HTTP.
pub(crate) fn address(asking: &mut Asking) -> String {
    let status = asking.ask(&json!("status"));
    status["status"]["listens_on"].as_str().unwrap_or_else(|| panic!("it listens nowhere: {status}")).to_owned()
}

/// One event that is sent.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) topic: &'static str,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) payload: String,
}

/// Produces events, and remembers which of them were acknowledged.
pub(crate) struct Load {
    chance: u64,
    pub(crate) sent: u64,
    pub(crate) acknowledged: BTreeSet<String>,
    /// Orders that are predicted beside the scooters, if there is somebody who does.
    orders: Option<Orders>,
}

impl Load {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, sent: 0, acknowledged: BTreeSet::new(), orders: None }
    }

    /// The same, with orders beside the scooters.
    pub(crate) fn with_orders(self) -> Self {
        Self { orders: Some(Orders::default()), ..self }
    }

    /// Sends for so long.
    pub(crate) fn send_for(&mut self, asking: &mut Asking, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.send(asking);
        }
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        low + self.chance % (high - low + 1)
    }

    pub(crate) fn batch(&mut self) -> (serde_json::Value, Vec<String>) {
        let (mut events, mut ids) = (Vec::new(), Vec::new());
        for Sent { topic, id, key, payload } in self.events() {
            ids.push(id);
            events.push(json!({ "topic": topic, "key": key, "payload": payload }));
        }
        (json!({ "append": { "events": events } }), ids)
    }

    /// The next few events, for whoever appends them himself.
    pub(crate) fn events(&mut self) -> Vec<Sent> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
        let mut events = Vec::new();
        for _ in 0..self.between(1, 40) {
            self.sent += 1;
            // One in ten comes a second time.
            let number = if self.between(0, 9) == 0 { self.sent / 2 } else { self.sent };
            let (device, id) = (number * 7919 % DEVICES, format!("e{number}"));
            let payload = json!({
                "id": id, "source": "test", "occurred_at": Timestamp(now - (number % 40) as i64 * 500).to_string(),
                "device_id": format!("d{device}"), "kind": if number % 11 == 0 { "check_in" } else { "position" },
                "lat": 48.2 + (number % 100) as f64 / 10_000.0, "lon": 16.3, "battery": number % 100, "speed": (number % 90) as f64 / 10.0,
            });
            events.push(Sent { topic: TOPIC, id, key: format!("d{device}"), payload: payload.to_string() });
        }
        if let Some(mut orders) = self.orders.take() {
            events.extend(orders.events(now, |low, high| self.between(low, high)));
            self.orders = Some(orders);
        }
        events
    }

    /// These were taken.
    pub(crate) fn acknowledge(&mut self, ids: impl IntoIterator<Item = String>) {
        self.acknowledged.extend(ids);
    }

    pub(crate) fn send(&mut self, asking: &mut Asking) {
        let (request, ids) = self.batch();
        let answer = asking.ask(&request);
        assert!(answer["appended"].is_u64(), "{answer}");
        self.acknowledged.extend(ids);
    }

    /// Sends until it is told why not.
    pub(crate) fn send_until_refused(&mut self, asking: &mut Asking) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let (request, ids) = self.batch();
            let answer = asking.ask(&request);
            match answer["failed"].as_str() {
                Some(why) => return why.to_owned(),
                None => self.acknowledged.extend(ids),
            }
        }
        panic!("everything was taken for {PATIENCE:?}");
    }

    pub(crate) fn send_unheard(&mut self, asking: &mut Asking) {
        let (request, _) = self.batch();
        asking.say(&request);
    }
}

pub(crate) fn settle(asking: &mut Asking) {
    let begun = Instant::now();
    while asking.ask(&json!("status"))["status"]["settled"] != true {
        assert!(begun.elapsed() < Duration::from_secs(60), "not settled: {}", asking.ask(&json!("status")));
    }
}

/// All vectors of all scooters with the instant at which they were read.
pub(crate) fn read_all(asking: &mut Asking) -> Vec<(String, serde_json::Value)> {
    let read = |device| {
        let key = format!("d{device}");
        (key.clone(), asking.ask(&json!({ "read": { "entity": "scooter", "key": key, "pipeline": "scooter-fleet" } })))
    };
    (0..DEVICES).map(read).collect()
}

pub(crate) fn audit(folder: &Path, spec: &Path, load: &Load, read: &[(String, serde_json::Value)], seed: u64) -> usize {
    let pipeline = pipeline::load(spec).expect("a pipeline");
    let compared = compare(&pipeline, &history(folder, &pipeline), load, read, seed);
    compared.unwrap_or_else(|wrong| panic!("seed {seed}, left in {}: {wrong:#?}", folder.display()))
}

/// How many vectors are as the oracle has them, or which are not. Nothing that was acknowledged may be missing in the log.
pub(crate) fn compare(
    pipeline: &Pipeline,
    partitions: &[Vec<testkit::Record>],
    load: &Load,
    read: &[(String, serde_json::Value)],
    seed: u64,
) -> Result<usize, Vec<String>> {
    let ids: BTreeSet<String> = partitions.iter().flatten().filter_map(|record| id_of(&record.payload)).collect();
    let lost: Vec<&String> = load.acknowledged.difference(&ids).filter(|id| id.starts_with('e')).collect();
    assert!(lost.is_empty(), "seed {seed}: acknowledged and lost: {lost:?}");
    let oracle = Oracle::new(pipeline);
    let history = oracle.history(partitions);
    let mut expected: BTreeMap<i64, BTreeMap<(usize, String), OracleVector>> = BTreeMap::new();
    let (mut compared, mut wrong) = (0, Vec::new());
    for (key, answer) in read {
        for group in answer["reading"]["groups"].as_array().unwrap_or(&Vec::new()) {
            let name = group["group"].as_str().expect("a name");
            let place = pipeline.groups.iter().position(|group| group.name == name).expect("a group");
            let instant = |name: &str| Timestamp::parse(group[name].as_str().expect("an instant")).expect("an instant");
            let as_of = instant("as_of");
            let vectors = expected.entry(as_of.0).or_insert_with(|| history.vectors(as_of, Mode::Available));
            let vector = vectors.get(&(place, key.clone())).unwrap_or_else(|| panic!("seed {seed}: {name} {key} should not be"));
            let columns = pipeline.groups[place].columns();
            let found = group["features"].as_array().expect("values");
            assert_eq!(columns.len(), found.len());
            for ((column, wanted), found) in columns.iter().zip(&vector.values).zip(found) {
                assert_eq!(found[0], column.name);
                if !same(*wanted, &found[1]) {
                    wrong.push(format!("{key} {} at {as_of}: oracle {wanted:?}, read {}", column.name, found[1]));
                }
            }
            let until = group["valid_until"].as_str().map_or(NEVER, |_| instant("valid_until"));
            assert_eq!(until, vector.valid_until, "seed {seed}, {key} {name}");
            compared += 1;
        }
    }
    assert!(compared >= DEVICES as usize, "only {compared} vectors were there");
    if wrong.is_empty() { Ok(compared) } else { Err(wrong) }
}

pub(crate) fn same(wanted: Option<Value>, found: &serde_json::Value) -> bool {
    match wanted {
        None => found.is_null(),
        Some(Value::Integer(wanted)) => found.as_i64() == Some(wanted),
        Some(Value::Float(wanted)) => found.as_f64().map(f64::to_bits) == Some(wanted.to_bits()),
    }
}

/// None of what the test sends to be refused.
pub(crate) fn id_of(payload: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(payload).ok()?;
    event["id"].as_str().map(str::to_owned)
}

/// What was predicted of the orders, in a folder that nobody holds.
pub(crate) fn audit_orders(folder: &Path, load: &Load) -> Audited {
    let (log, runtime) = opened(folder);
    runtime.block_on(orders::audit(&log, &load.acknowledged))
}

/// How many rows of them the warehouse of such a folder has, each as it should be.
pub(crate) fn audit_rows(folder: &Path) -> usize {
    let (log, runtime) = opened(folder);
    let warehouse = io_folder::Folder::open(folder).expect("a folder").warehouse();
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let today = i32::try_from(since_1970.as_secs() / 86_400).expect("a day");
    runtime.block_on(orders::audit_rows(&log, &warehouse, [today - 1, today].map(ports::Day)))
}

/// Everything in the log, as the oracle wants it.
pub(crate) fn history(folder: &Path, pipeline: &Pipeline) -> Vec<Vec<testkit::Record>> {
    let (log, runtime) = opened(folder);
    runtime.block_on(history_of(&log, pipeline))
}

fn opened(folder: &Path) -> (EmbeddedLog, tokio::runtime::Runtime) {
    let settings = io_log::Settings::new(folder.join("log"));
    let log = EmbeddedLog::open(settings, clock_fn(1.0, || Timestamp(0))).expect("nobody holds it");
    (log, tokio::runtime::Builder::new_current_thread().build().expect("a runtime"))
}

/// The same of a log that is open.
pub(crate) async fn history_of(log: &impl Log, pipeline: &Pipeline) -> Vec<Vec<testkit::Record>> {
    let source = pipeline.sources.iter().position(|source| source.name == "positions").expect("the stream");
    let mut partitions = Vec::new();
    for partition in 0..PARTITIONS {
        let (mut records, mut next): (Vec<testkit::Record>, _) = (Vec::new(), 0);
        loop {
            let more = log.read(TOPIC, partition, next, 1 << 20).await.expect("a whole log");
            let Some(last) = more.last() else { break };
            next = last.offset + 1;
            records.extend(more.into_iter().map(|record| testkit::Record {
                source,
                append_at: record.append_at,
                payload: record.value.to_vec(),
            }));
        }
        partitions.push(records);
    }
    partitions
}
