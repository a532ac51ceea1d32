//! The command line as a person or a program uses it: the real binary, real files, every command, and what goes wrong.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{self, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("headway-journey-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file in the folder");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn headway(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headway")).args(arguments).output().expect("the binary starts")
}

/// Runs a command, checks how it ends, and returns standard output and standard error.
fn check(arguments: &[&str], code: i32) -> (String, String) {
    let output = headway(arguments);
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

/// Runs a command with `--json`: one object on standard output and nothing else.
fn object(arguments: &[&str], code: i32) -> Value {
    let (out, _) = check(&[arguments, &["--json"]].concat(), code);
    let object: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}"));
    assert!(object.is_object() && out.ends_with('\n') && out.trim_end().lines().count() == 1, "{out}");
    object
}

fn shipped(name: &str) -> String {
    Path::new(ROOT).join("pipelines").join(name).display().to_string()
}

#[test]
fn the_shipped_pipelines_are_in_order_and_pass_their_tests() {
    let (flagship, scooters) = (shipped("delivery-eta"), shipped("scooter-fleet"));
    let (out, _) = check(&["check", &flagship, &scooters], 0);
    assert!(out.contains("ok delivery-eta") && out.contains("store_preparation") && out.contains("Memory at most"), "{out}");
    assert_eq!(out.matches("at most 200,000 of them in a partition").count(), 1, "scooters are no cases: {out}");
    let case = &object(&["check", &flagship], 0)["pipelines"][0]["case"];
    assert!(case["case_bytes"].as_u64().is_some_and(|each| each > 200) && case["cases_max_of_partition"] == 200_000, "{case}");
    let checked = object(&["check", &scooters], 0);
    assert_eq!((&checked["pipelines"][0]["ok"], &checked["pipelines"][0]["groups"]), (&true.into(), &5.into()));
    let tested = object(&["test", &flagship, &scooters], 0);
    assert_eq!((&tested["passed"], &tested["failed"]), (&10.into(), &0.into()));
    let (out, _) = check(&["test", &scooters], 0);
    assert!(out.contains("ok scooter-fleet: a ride of two legs") && out.contains("6 passed, 0 failed"), "{out}");
}

#[test]
fn all_faults_of_a_spec_are_told_with_their_lines() {
    let folder = Folder::new();
    let text = fs::read_to_string(Path::new(ROOT).join("pipelines/scooter-fleet/pipeline.toml")).expect("a spec");
    folder.write(
        "broken/pipeline.toml",
        text.replace("lateness = \"2h\"", "lateness = \"soon\"").replace("hop = \"1m\"", "hop = 7"),
    );
    let (out, _) = check(&["check", &folder.path("broken")], 1);
    assert!(out.contains("error[") && out.matches("--> ").count() >= 2, "{out}");
    let faults = object(&["check", &folder.path("broken")], 1);
    assert!(faults["pipelines"][0]["faults"].as_array().is_some_and(|faults| faults.len() >= 2), "{faults}");
    // Other commands cannot go on with it.
    let (_, err) = check(&["test", &folder.path("broken")], 78);
    assert!(err.contains("pipeline.toml:"), "{err}");
    let failed = object(&["test", &folder.path("nowhere")], 78);
    assert!(failed["error"]["message"].as_str().is_some_and(|message| message.contains("nowhere")), "{failed}");
}

#[test]
fn a_case_that_does_not_hold_is_told_with_both_values() {
    let folder = Folder::new();
    let source = Path::new(ROOT).join("pipelines/scooter-fleet");
    let spec = fs::read_to_string(source.join("pipeline.toml")).expect("a spec");
    folder.write("scooters/pipeline.toml", spec.replace("speed_max_1h = 5.5", "speed_max_1h = 6.5"));
    for file in fs::read_dir(source.join("tests")).expect("its tests") {
        let file = file.expect("a file");
        folder.write(&format!("scooters/tests/{}", file.file_name().display()), fs::read(file.path()).expect("events"));
    }
    let (out, _) = check(&["test", &folder.path("scooters")], 1);
    assert!(out.contains("scooter:d1 speed_max_1h: expected 6.5, found 5.5") && out.contains("5 passed, 1 failed"), "{out}");
    let tested = object(&["test", &folder.path("scooters")], 1);
    assert_eq!(tested["pipelines"][0]["tests"][0]["differences"][0]["expected"], 6.5);
}

#[test]
fn a_sample_is_backfilled_in_both_modes_and_shown() {
    let folder = Folder::new();
    let (pipeline, events, spine) = (shipped("delivery-eta"), folder.path("events.jsonl"), folder.path("spine.jsonl"));
    let sample = ["sample", "--pipeline", &pipeline, "--events", "5000", "--out", &events, "--spine", &spine, "--rows", "20"];
    let made = object(&sample, 0);
    assert_eq!((&made["events"], &made["rows"]), (&5000.into(), &20.into()));
    let out = folder.path("features.csv");
    let backfill = ["backfill", "--pipeline", &pipeline, "--events", &events, "--spine", &spine, "--out", &out];
    let (shown, err) = check(&backfill, 0);
    assert!(shown.starts_with("row") && shown.contains("… 10 more rows") && shown.contains("20 rows of"), "{shown}");
    assert!(!err.contains("error"), "{err}");
    assert_eq!(fs::read_to_string(&out).expect("the output").lines().count(), 21);
    let complete = object(&[&backfill[..], &["--mode", "complete"]].concat(), 0);
    assert_eq!((&complete["rows"], &complete["dropped"]), (&20.into(), &serde_json::json!({})));
}

#[test]
fn hostile_events_are_counted_and_stop_nothing() {
    let folder = Folder::new();
    let good = r#"{"id":"e1","source":"g","device_id":"d1","kind":"position","occurred_at":"2026-11-20T08:00:00Z","lat":52.5,"lon":13.4}"#;
    let mut events = Vec::new();
    events.extend(good.as_bytes());
    events.extend(b"\n\xff\xfe\n{\"a\":\n");
    events.extend(vec![b'['; 200_000]);
    events.extend(b"\n{\"pad\":\"");
    events.extend(vec![b'x'; 2 << 20]);
    events.extend(format!("\"}}\nnull\n{{}}\n{good}\n").as_bytes());
    let events = folder.write("positions.jsonl", events);
    let spine = folder.write("spine.csv", "scooter,at\nd1,2026-11-20T08:01:00Z\n");
    let (pipeline, out) = (shipped("scooter-fleet"), folder.path("features.jsonl"));
    let report =
        object(&["backfill", "--pipeline", &pipeline, "--events", &events, "--spine", &spine, "--out", &out, "--quiet"], 0);
    let refused = serde_json::json!({ "duplicate": 1, "malformed": 3, "missing_field": 1, "not_utf8": 1, "too_large": 1 });
    assert_eq!((&report["records"], &report["refused"]), (&8.into(), &refused));
    let row: Value = serde_json::from_str(&fs::read_to_string(&out).expect("the output")).expect("one row");
    assert_eq!((&row["scooter"], &row["last_seen"]), (&"d1".into(), &"2026-11-20T08:00:00.000Z".into()));
}

#[test]
fn what_is_missing_or_unknown_is_told_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let (pipeline, out) = (shipped("scooter-fleet"), folder.path("features.csv"));
    let spine = folder.write("spine.csv", "scooter,at\nd1,2026-11-20T08:01:00Z\n");
    let backfill = |events: &str, spine: &str, out: &str, expected: &str| {
        let arguments = ["backfill", "--pipeline", &pipeline, "--events", events, "--spine", spine, "--out", out];
        let (shown, err) = check(&arguments, 1);
        assert!(shown.is_empty() && err.contains(expected), "{err}");
        let failed = object(&arguments, 1);
        assert!(failed["error"]["message"].as_str().is_some_and(|message| message.contains(expected)), "{failed}");
    };
    let nowhere = folder.path("nowhere.jsonl");
    backfill(&nowhere, &spine, &out, "cannot read ");
    let damaged = folder.write("damaged.parquet", "PAR1 not really");
    backfill(&damaged, &spine, &out, "damaged.parquet");
    let events = folder.write("positions.jsonl", "");
    backfill(&events, &spine, &folder.path("features.xlsx"), "the ending `xlsx` is not known");
    backfill(&events, &spine, &folder.path("no/such/features.csv"), "cannot write ");
    let stranger = folder.write("stranger.jsonl", "{\"_source\":\"bikes\"}\n");
    backfill(&stranger, &spine, &out, "stranger.jsonl:1: `_source` is `bikes`");
    let left = fs::read_dir(&folder.0).expect("the folder").filter_map(Result::ok);
    assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with("features")));
}

#[test]
fn a_pipeline_is_drafted_from_events_and_passes() {
    let folder = Folder::new();
    let pipelines = folder.path("pipelines");
    let event = |number: u64| {
        let (at, shop) = (1_780_000_000_000 + number * 60_000, number % 3);
        format!("{{\"id\":\"e{number}\",\"source\":\"till\",\"at\":{at},\"shop_id\":\"s{shop}\",\"amount\":{}.5}}\n", number % 9)
    };
    let events = folder.write("sales.jsonl", (0..60).map(event).collect::<String>());
    let new = ["new", "sales", "--from", &events, "--folder", &pipelines];
    let (out, _) = check(&new, 0);
    assert!(out.contains("ok sales: drafted from 60 events") && out.contains("headway test") && out.contains("amount"), "{out}");
    let drafted = folder.path("pipelines/sales");
    check(&["check", &drafted], 0);
    assert_eq!(object(&["test", &drafted], 0)["passed"], 1);
    // What is there already is left alone.
    let (_, err) = check(&new, 1);
    assert!(err.contains("is there already"), "{err}");
    let made = object(&["new", "sales-again", "--from", &events, "--folder", &pipelines], 0);
    assert_eq!((&made["events"], &made["refused"]), (&60.into(), &serde_json::json!({})));
    let csv = folder.write("sales.csv", "id,at\n1,2\n");
    let (_, err) = check(&["new", "other", "--from", &csv, "--folder", &pipelines], 1);
    assert!(err.contains("this looks like CSV") && !Path::new(&folder.path("pipelines/other")).exists(), "{err}");
    let (_, err) = check(&["new", "Other", "--from", &events, "--folder", &pipelines], 78);
    assert!(err.contains("no name of a pipeline"), "{err}");
}

#[test]
fn the_engine_is_measured() {
    let bench = ["bench", "engine", "--events", "20000"];
    let measured = object(&bench, 0);
    assert_eq!((&measured["events"], &measured["refused"]), (&20000.into(), &serde_json::json!({})));
    assert!(measured["events_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{measured}");
    assert!(measured["steps"]["decode"].is_number() && measured["peak_rss_bytes"].as_u64() > Some(1 << 20), "{measured}");
    assert_eq!(object(&bench, 0)["checksum"], measured["checksum"]);
    let folder = Folder::new();
    let file = folder.path("orders.jsonl");
    object(&["bench", "engine", "--events", "20000", "--write", &file], 0);
    assert_eq!(object(&["bench", "engine", "--input", &file], 0)["checksum"], measured["checksum"]);
    let (_, err) = check(&["bench", "engine", "--windows", "5 minutes", "--events", "10"], 78);
    assert!(err.contains("5 minutes"), "{err}");
}

#[test]
fn the_pages_of_the_documentation_are_current() {
    let folder = Folder::new();
    let written = object(&["docs", "--out", &folder.0.display().to_string()], 0);
    assert_eq!(written["written"].as_array().map(Vec::len), Some(3));
    for name in ["command-line.md", "pipeline.schema.json", "metrics.md"] {
        let kept = fs::read_to_string(Path::new(ROOT).join("docs/reference").join(name)).unwrap_or_default();
        let fresh = fs::read_to_string(folder.path(name)).expect("a page");
        assert!(kept == fresh, "docs/reference/{name} is not what the program says: run `./dev docs`");
    }
    let (_, err) = check(&["docs", "--out", &folder.path("nowhere")], 1);
    assert!(err.contains("cannot write "), "{err}");
}

#[test]
fn texts_for_machines_are_printed() {
    let schema: Value = serde_json::from_str(&check(&["schema"], 0).0).expect("JSON");
    assert_eq!(object(&["schema"], 0), schema);
    assert!(check(&["completions", "bash"], 0).0.contains("_headway"));
    assert!(object(&["completions", "zsh"], 0)["script"].is_string());
    assert!(check(&["man"], 0).0.contains(".TH headway"));
}

#[test]
fn help_is_an_answer_and_wrong_usage_is_not() {
    let (out, _) = check(&["--help"], 0);
    for command in ["new", "check", "test", "backfill", "sample", "bench", "doctor", "schema", "completions", "man", "docs"] {
        assert!(out.contains(command), "{command} is missing in\n{out}");
        assert!(check(&[command, "--help"], 0).0.contains("Usage: headway"), "{command}");
    }
    assert!(check(&["--version"], 0).0.starts_with("headway "));
    let (out, err) = check(&["backfil"], 2);
    assert!(out.is_empty() && err.contains("backfill"), "{err}");
    let failed = object(&["sample", "--events", "many"], 2);
    assert_eq!(failed["error"]["exit_code"], 2);
    check(&[], 2);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headway"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn colours_are_used_when_asked_for() {
    let scooters = shipped("scooter-fleet");
    assert!(check(&["check", &scooters, "--color", "always"], 0).0.contains("\x1b[1;32mok\x1b[0m"));
    assert!(!check(&["check", &scooters], 0).0.contains('\x1b'));
}
