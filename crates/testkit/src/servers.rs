//! Real servers for tests: shared ones, started once for a whole run, and own ones that a test may harm.
//!
//! The Rust face of the script `crates/testkit/servers/servers`, which alone knows how a server is had, started and asked whether it
//! is there. Whatever goes wrong here is a panic that says what to run. Nobody but the script starts a server, and nothing here
//! touches one that it did not ask for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/servers");
/// Where the script puts what it installs for Python.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.headway/servers/python/bin/python3");
/// Where it puts the jars of Kafka.
const KAFKA_LIBRARIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.headway/servers/kafka/libs");
/// Names the folder of the shared servers.
const FOLDER_VARIABLE: &str = "HEADWAY_SERVERS";
/// A killed process is gone at once, and a broker with half a gigabyte on a busy machine a moment later.
const GONE_WITHIN: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// The address of a server that all tests of a run share: use names of your own in it, and do not harm it.
///
/// # Panics
///
/// If there is none, with the command that starts it.
pub fn shared(name: &str) -> String {
    found(address_in(&shared_servers(), name), name)
}

/// The folder of a shared server, with what secure ones have beside the address: `ca.pem`, `user`, `password`.
///
/// # Panics
///
/// If there is none, with the command that starts it.
pub fn shared_folder(name: &str) -> PathBuf {
    shared(name);
    shared_servers().join(name)
}

/// A Python that has clients of Kafka, and the serializers which other producers write with.
///
/// # Panics
///
/// If there is none, with the command that installs it.
pub fn python() -> PathBuf {
    let python = PathBuf::from(PYTHON);
    assert!(python.exists(), "There is no Python with clients of Kafka. Install it: `./dev servers install python`.");
    python
}

/// The folder with the jars of Kafka, its client among them.
///
/// # Panics
///
/// If there is none, with the command that installs it.
pub fn kafka_libraries() -> PathBuf {
    let libraries = PathBuf::from(KAFKA_LIBRARIES);
    assert!(libraries.exists(), "There are no jars of Kafka. Install them: `./dev servers install kafka`.");
    libraries
}

/// Servers for one test, in a folder that goes with them. They end when this is dropped, and when the test's process ends however
/// that happens.
pub struct Own {
    folder: TempDir,
}

impl Own {
    /// Starts servers and returns when they answer.
    ///
    /// # Panics
    ///
    /// If one cannot be had, with the reason and the last lines of its log.
    pub fn start(names: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("headway-servers-").tempdir();
        let own = Self { folder: folder.unwrap_or_else(|error| panic!("no temporary folder for servers: {error}")) };
        own.start_again(names);
        own
    }

    /// Where a server answers. It stays there, whatever happens to the server.
    pub fn address(&self, name: &str) -> String {
        found(address_in(self.folder.path(), name), name)
    }

    /// The folder of a server, with what secure ones have beside the address: `ca.pem`, `user`, `password`.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Kills a server, or one process of it (`redis-sentinel/first`), and returns when it is gone.
    pub fn kill(&self, process: &str) {
        for pid in self.pids(process) {
            send(pid, Signal::KILL);
            assert!(is_gone(pid), "{process} (pid {pid:?}) was killed and is still there");
        }
    }

    /// Freezes a server, or one process of it: its connections stay open and nothing is answered.
    pub fn freeze(&self, process: &str) {
        self.pids(process).into_iter().for_each(|pid| send(pid, Signal::STOP));
    }

    /// Lets a frozen server, or one process of it, go on.
    pub fn thaw(&self, process: &str) {
        self.pids(process).into_iter().for_each(|pid| send(pid, Signal::CONT));
    }

    /// Stops a server as an operator would, and returns when it is gone.
    pub fn stop(&self, name: &str) {
        run(Command::new(SCRIPT).arg("stop").arg(self.folder.path()).arg(name));
    }

    /// Stops a server if it runs, starts what is not there of it, and returns when it answers: at its old address, with the data
    /// that it keeps.
    pub fn restart(&self, name: &str) {
        self.stop(name);
        self.start_again(&[name]);
    }

    /// Starts again what was killed of a server, leaves the rest of it alone, and returns when it answers.
    pub fn revive(&self, name: &str) {
        self.start_again(&[name]);
    }

    fn start_again(&self, names: &[&str]) {
        let owner = process::id().to_string();
        run(Command::new(SCRIPT).args(["start", "--for", &owner, "--temporary"]).arg(self.folder.path()).args(names));
    }

    fn pids(&self, process: &str) -> Vec<Pid> {
        let folder = self.folder.path().join(process);
        let pids: Vec<Pid> = pid_in(&folder).map_or_else(|| pids_below(&folder), |pid| vec![pid]);
        assert!(!pids.is_empty(), "nothing called {process} was started in {}", self.folder.path().display());
        pids
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let stopped = attempt(Command::new(SCRIPT).args(["stop", "--now"]).arg(self.folder.path()));
        // A test that fails already has its own reason to tell.
        if !thread::panicking() {
            stopped.unwrap_or_else(|reason| panic!("{reason}"));
        }
    }
}

fn shared_servers() -> PathBuf {
    let folder = env::var_os(FOLDER_VARIABLE);
    folder.map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "This test needs real servers. `./dev test` starts them; by hand: `./dev servers start`, then \
             `{FOLDER_VARIABLE}=$PWD/.headway/servers/run cargo test ...`. Without servers: `./dev test --embedded`."
        )
    })
}

fn address_in(servers: &Path, name: &str) -> Result<String, String> {
    let file = servers.join(name).join("address");
    match fs::read_to_string(&file) {
        Ok(address) => Ok(address.trim_end().into()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn found(address: Result<String, String>, name: &str) -> String {
    address.unwrap_or_else(|reason| panic!("The server {name} does not run ({reason}). Start it: `./dev servers start {name}`."))
}

fn pid_in(folder: &Path) -> Option<Pid> {
    fs::read_to_string(folder.join("pid")).ok()?.trim_end().parse().ok().and_then(Pid::from_raw)
}

fn pids_below(folder: &Path) -> Vec<Pid> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| pid_in(&entry.ok()?.path())).collect()
}

/// To a process that is gone already nothing can be said, which is as well.
fn send(pid: Pid, signal: Signal) {
    match pidfd_open(pid, PidfdFlags::empty()).and_then(|process| pidfd_send_signal(process, signal)) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => panic!("cannot send {signal:?} to the process {pid:?}: {error}"),
    }
}

/// Waits for the end of a process, which is not a child of this one.
fn is_gone(pid: Pid) -> bool {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&GONE_WITHIN)).is_ok_and(|ended| ended > 0),
        Err(error) => error == Errno::SRCH,
    }
}

fn run(command: &mut Command) {
    attempt(command).unwrap_or_else(|reason| panic!("{reason}"));
}

fn attempt(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run {SCRIPT}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err([output.stdout, output.stderr].iter().map(|text| String::from_utf8_lossy(text)).collect())
}
