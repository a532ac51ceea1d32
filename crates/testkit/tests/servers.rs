//! The script that tests get their servers from, and its Rust face: what they promise about restarts, kills and the end.
//!
//! Asks servers in their own words over a socket, since no client library may be in this crate.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};
use testkit::servers::{self, Own};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/servers/servers");
/// Long enough for a busy machine; whoever waits in vain has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// What answers takes well under a millisecond.
const SILENCE: Duration = Duration::from_millis(200);

#[test]
fn shared_servers_are_there() {
    for name in ["kafka", "redis", "registry"] {
        let address = servers::shared(name);
        assert!(connect(&address).is_ok(), "{name} does not listen at {address}");
        assert!(servers::shared_folder(name).join("log").is_file());
    }
}

#[test]
fn what_runs_already_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let started = |_| {
        check(&script(&["start", "--for", &std::process::id().to_string()], folder.path(), &["redis"]), "");
        ["address", "pid"].map(|file| fs::read_to_string(folder.path().join("redis").join(file)).expect("it was started"))
    };
    let [first, second] = [1, 2].map(started);
    assert_eq!(first, second);
    assert_eq!(ask(&first[0], "PING"), "+PONG");
    check(&script(&["stop"], folder.path(), &[]), "");
    assert!(connect(&first[0]).is_err());
    check(&script(&["status"], folder.path(), &[]), "redis: stopped");
}

#[test]
fn a_killed_server_comes_back_where_it_was_and_empty() {
    let own = Own::start(&["redis"]);
    let address = own.address("redis");
    assert_eq!(ask(&address, "SET a 1"), "+OK");
    own.kill("redis");
    assert!(connect(&address).is_err());
    own.restart("redis");
    assert_eq!(own.address("redis"), address);
    assert_eq!(ask(&address, "GET a"), "$-1");
}

#[test]
fn one_process_of_several_is_killed_and_revived() {
    let own = Own::start(&["redis-cluster"]);
    let addresses = own.address("redis-cluster");
    let nodes: Vec<&str> = addresses.split(',').collect();
    own.kill("redis-cluster/node-2");
    assert_eq!(nodes.iter().map(|node| connect(node).is_ok()).collect::<Vec<_>>(), [true, false, true]);
    own.revive("redis-cluster");
    assert!(nodes.iter().all(|node| ask(node, "PING") == "+PONG"));
}

#[test]
fn what_a_registry_was_told_outlives_a_kill_and_a_stop() {
    let own = Own::start(&["registry"]);
    let address = own.address("registry");
    let schema = r#"{"schema":"{\"type\":\"string\"}"}"#;
    let told = http(&address, "POST", "/subjects/kept/versions", schema);
    assert!(told.contains(r#"{"id":"#), "{told}");
    own.kill("registry");
    for _ in 0..2 {
        own.restart("registry");
        assert_eq!(own.address("registry"), address);
        let kept = http(&address, "GET", "/subjects/kept/versions/1", "");
        assert!(kept.contains(r#""subject":"kept""#), "{kept}");
    }
}

#[test]
fn a_killed_broker_comes_back_where_it_was() {
    let own = Own::start(&["kafka"]);
    let address = own.address("kafka");
    own.kill("kafka");
    assert!(connect(&address).is_err());
    own.restart("kafka");
    assert_eq!(own.address("kafka"), address);
    assert!(connect(&address).is_ok());
}

#[test]
fn a_frozen_server_is_silent_until_it_is_thawed() {
    let own = Own::start(&["redis"]);
    let mut connection = connect(&own.address("redis")).expect("it answers");
    own.freeze("redis");
    connection.write_all(b"PING\r\n").expect("the kernel takes it");
    connection.set_read_timeout(Some(SILENCE)).expect("a socket");
    let silent = connection.read(&mut [0; 1]).expect_err("nothing answers");
    assert_eq!(silent.kind(), ErrorKind::WouldBlock);
    own.thaw("redis");
    assert_eq!(first_line(connection), "+PONG");
}

#[test]
fn folders_do_not_meet() {
    let [one, other] = [(); 2].map(|()| Own::start(&["redis"]));
    assert_eq!(ask(&one.address("redis"), "SET a 1"), "+OK");
    assert_eq!(ask(&other.address("redis"), "GET a"), "$-1");
    let address = one.address("redis");
    drop(one);
    assert!(connect(&address).is_err());
    assert_eq!(ask(&other.address("redis"), "PING"), "+PONG");
}

#[test]
fn nothing_is_left_when_the_owner_has_died() {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let mut owner = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a process that waits");
    let started = script(&["start", "--for", &owner.id().to_string(), "--temporary"], &folder, &["redis"]);
    check(&started, "redis answers at");
    let left: Vec<_> = ["redis", "watcher"].map(|name| process(&folder.join(name))).into();
    owner.kill().and_then(|()| owner.wait()).expect("it was ours");
    for process in left {
        let patience = Timespec::try_from(PATIENCE).expect("seconds");
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).expect("a process");
        assert_eq!(ended, 1, "a process outlives the owner");
    }
    assert!(!folder.exists(), "{} outlives the owner", folder.display());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut start = Command::new(SCRIPT);
    start.arg("start").arg(folder.path()).arg("kafka").env("HEADWAY_JAVA_OPTIONS", "-XX:+ThereIsNoSuchOption");
    let output = start.output().expect("the script");
    assert!(!output.status.success());
    assert!(text(&output).contains("Unrecognized VM option 'ThereIsNoSuchOption'"), "{}", text(&output));
    assert!(!folder.path().join("kafka/address").exists());
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (command, names, reason) in [
        (&["start"][..], &["oracle"][..], "There is no server called oracle; there are: kafka"),
        (&["start", "--for", "0"], &["redis"], "There is no process 0"),
        (&["start", "--never"], &["redis"], "There is no option --never"),
        (&["restart"], &[], "There is no command called restart"),
    ] {
        let output = script(command, folder.path(), names);
        assert!(!output.status.success(), "{command:?}");
        assert!(text(&output).contains(reason), "{}", text(&output));
    }
}

fn script(command: &[&str], folder: &Path, names: &[&str]) -> Output {
    Command::new(SCRIPT).args(command).arg(folder).args(names).output().expect("the script")
}

fn check(output: &Output, expected: &str) {
    assert!(output.status.success() && text(output).contains(expected), "{}", text(output));
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

fn process(folder: &Path) -> std::os::fd::OwnedFd {
    let pid = fs::read_to_string(folder.join("pid")).expect("it was started");
    let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("not zero");
    pidfd_open(pid, PidfdFlags::empty()).expect("it runs")
}

/// `redis://127.0.0.1:1` and `http://127.0.0.1:1/path` as well as `127.0.0.1:1`.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    let address = address.trim_end().split("://").last().expect("a last part");
    let connection = TcpStream::connect(address.split('/').next().expect("a first part"))?;
    connection.set_read_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// The first line of what Redis answers.
fn ask(address: &str, command: &str) -> String {
    let mut connection = connect(address).expect("it answers");
    connection.write_all(format!("{command}\r\n").as_bytes()).expect("a connection");
    first_line(connection)
}

fn first_line(connection: TcpStream) -> String {
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).expect("an answer");
    line.trim_end().into()
}

fn http(address: &str, method: &str, path: &str, body: &str) -> String {
    let (_, place) = address.split_once("://").expect("a URL");
    let (_, base) = place.split_once('/').expect("a path");
    let head = "Content-Type: application/vnd.schemaregistry.v1+json";
    let request = format!("{method} /{base}{path} HTTP/1.0\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut connection = connect(address).expect("it answers");
    connection.write_all(request.as_bytes()).expect("a connection");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}
