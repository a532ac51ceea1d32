//! `headway doctor` on folders in every state: what it finds, how it ends, and that it never changes a byte.

mod driven;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use driven::{Load, SPEC, kill, settle, start, start_with, stop};
use serde_json::Value;
use tempfile::TempDir;

/// Each takes some 20 ms: half a minute on a machine that is busy with something else.
const LOOKS_MAX: usize = 1500;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("headway");
    (folder, path)
}

/// Examines a folder, checks how that ends, and returns the object.
fn examine(folder: &Path, code: i32) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_headway"))
        .args(["doctor", "--json", "--folder"])
        .arg(folder)
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .output()
        .expect("the binary");
    let words = String::from_utf8(output.stdout).expect("text");
    let object: Value = serde_json::from_str(&words).unwrap_or_else(|error| panic!("{error}: {words}"));
    assert_eq!(output.status.code(), Some(code), "{object:#}");
    assert_eq!(object["fit"], code == 0, "{object:#}");
    object
}

/// Looks until it is ready, which it finds out a moment after it is.
fn examine_when_ready(folder: &Path) -> Value {
    let mut looks = std::iter::repeat_with(|| examine(folder, 0)).take(LOOKS_MAX);
    looks.find(|object| about(object, "metrics")["level"] != "warning").expect("it was never ready")
}

/// What was found about a subject that was looked at once.
fn about<'a>(object: &'a Value, subject: &str) -> &'a Value {
    let findings = object["findings"].as_array().expect("findings");
    let found: Vec<&Value> = findings.iter().filter(|finding| finding["subject"] == subject).collect();
    assert_eq!(found.len(), 1, "{subject}: {object:#}");
    found[0]
}

fn check(object: &Value, subject: &str, level: &str, word: &str) {
    let finding = about(object, subject);
    assert_eq!(finding["level"], level, "{finding:#}");
    assert!(finding["says"].as_str().is_some_and(|says| says.contains(word)), "{finding:#}");
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match fs::metadata(&path).expect("it is there") {
            kind if kind.is_dir() => files.extend(self::files(&path)),
            kind if kind.is_file() => files.extend([(path.clone(), fs::read(&path).expect("a file"))]),
            // A socket.
            _ => files.extend([(path, Vec::new())]),
        }
    }
    files
}

#[test]
fn a_folder_that_is_not_there_is_fit_and_stays_away() {
    let (kept, folder) = folder();
    let object = examine(&folder, 0);
    check(&object, "folder", "ok", "not there yet");
    check(&object, "log", "ok", "none yet");
    check(&object, "pipeline", "ok", "none is deployed yet");
    check(&object, "collector", "ok", "nothing is sent");
    assert_eq!(fs::read_dir(kept.path()).expect("a folder").count(), 0);
}

#[test]
fn a_file_in_its_place_is_a_fault() {
    let (_kept, folder) = folder();
    fs::write(&folder, "no folder").expect("written");
    let object = examine(&folder, 1);
    check(&object, "folder", "fault", "is a file");
    assert!(about(&object, "folder")["todo"].is_string(), "{object:#}");
    let output =
        Command::new(env!("CARGO_BIN_EXE_headway")).args(["doctor", "--folder"]).arg(&folder).output().expect("the binary");
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(words.contains("fault    folder") && words.contains("Not fit: 1 fault, 0 warnings."), "{words}");
}

#[test]
fn a_running_folder_is_examined_by_the_process_that_holds_it() {
    let (_kept, folder) = folder();
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", collector.local_addr().expect("an address"));
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_TRACES_EXPORTER", "none")];
    let (child, mut asking, _) = start_with(&folder, Path::new(SPEC), &[], &environment);
    let mut load = Load::new(11);
    while load.sent < 200 {
        load.send(&mut asking);
    }
    settle(&mut asking);
    let object = examine_when_ready(&folder);
    check(&object, "process", "ok", &format!("process {} holds", child.id()));
    check(&object, "pipeline", "ok", "scooter-fleet: revision 1");
    check(&object, "snapshots", "ok", "4 partitions");
    check(&object, "metrics", "ok", "/metrics answers, ready");
    check(&object, "clock", "ok", "newest record");
    check(&object, "memory", about(&object, "memory")["level"].as_str().expect("a level"), "needed");
    // Whose environment names it is the one that asks.
    check(&object, "collector", "ok", "can be reached");
    let topics = about(&object, "log")["lines"].as_array().expect("topics");
    let positions = topics.iter().filter_map(Value::as_str).find(|line| line.starts_with("headway.scooter-fleet.positions: "));
    assert!(positions.is_some_and(|line| line.contains("in 4 partitions")), "{topics:?}");
    stop(child);
}

#[test]
fn a_stopped_folder_and_a_killed_one_are_examined_and_stay_as_they_are() {
    let (_kept, folder) = folder();
    let mut load = Load::new(13);
    for end in [stop, kill] {
        let (child, mut asking, _) = start(&folder, Path::new(SPEC));
        while load.sent < 200 {
            load.send(&mut asking);
        }
        settle(&mut asking);
        end(child);
        let before = files(&folder);
        let object = examine(&folder, 0);
        check(&object, "process", "ok", "nobody holds");
        check(&object, "pipeline", "ok", "revision 1");
        check(&object, "snapshots", "ok", "records again");
        assert_eq!(files(&folder), before);
    }
    let segment = folder.join("log/000000000000.segment");
    let mut bytes = fs::read(&segment).expect("the log");
    bytes.extend([7; 9]);
    fs::write(&segment, bytes).expect("torn");
    let object = examine(&folder, 0);
    let torn = object["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["subject"] == "log" && finding["level"] == "warning");
    assert!(torn.is_some_and(|finding| finding["says"].as_str().is_some_and(|says| says.contains("9 bytes"))), "{object:#}");
}

#[test]
fn a_process_that_does_not_answer_is_a_fault() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start(&folder, Path::new(SPEC));
    settle(&mut asking);
    fs::remove_file(folder.join("control.sock")).expect("the socket");
    let object = examine(&folder, 1);
    check(&object, "process", "fault", "does not answer");
    stop(child);
}

#[test]
fn a_damaged_log_is_a_fault_with_its_place() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start(&folder, Path::new(SPEC));
    settle(&mut asking);
    stop(child);
    fs::remove_file(folder.join("log/index.redb")).expect("the index");
    let segment = folder.join("log/000000000000.segment");
    let mut bytes = fs::read(&segment).expect("the log");
    bytes[40] ^= 0xFF;
    fs::write(&segment, bytes).expect("damaged");
    let before = files(&folder);
    let object = examine(&folder, 1);
    check(&object, "log", "fault", "damaged");
    assert_eq!(files(&folder), before);
}
