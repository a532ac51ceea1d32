//! Which model speaks: chosen in a folder that stands still and beside a process that runs, followed, refused, taken back.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use domain::{Span, Timestamp};
use io_log::EmbeddedLog;
use ports::{Log, clock_fn};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    driven::{Asking, PARTITIONS, Running, kill, start_with, stop},
    eta,
    package::key,
};

/// From the request to its answer, the package read, checked and kept; the rest is the binary that starts and ends.
const SWITCH_MAX: Duration = Duration::from_secs(1);

/// A folder of Headway and one for packages.
struct Scene {
    folder: TempDir,
    packages: TempDir,
}

impl Scene {
    /// In which a process has run once, and the first key is trusted if so.
    fn new(trusts: bool) -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a folder"), packages: tempfile::tempdir().expect("a folder") };
        let (child, _) = scene.start(&[]);
        stop(child);
        if trusts {
            scene.trust(1);
        }
        scene
    }

    fn start(&self, arguments: &[&str]) -> (Running, Asking) {
        let (child, asking, _) = start_with(self.folder.path(), Path::new(eta::PIPELINE), arguments, &[]);
        (child, asking)
    }

    fn trust(&self, number: u8) {
        fs::write(self.folder.path().join("trusted-keys"), format!("{}\n", key(number))).expect("written");
    }

    /// A package that says so many seconds, signed by the first key.
    fn package(&self, version: &str, seconds: f32) -> (PathBuf, String) {
        let folder = self.packages.path().join(version);
        let digest = eta::write(&folder, version, seconds, 1);
        (folder, digest)
    }

    fn ask(&self, words: &[&str], code: i32) -> (String, String) {
        self.ask_as("--folder", words, code)
    }

    fn ask_as(&self, folder: &str, words: &[&str], code: i32) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.args(["models"]).args(words).arg(folder).arg(self.folder.path()).env("USER", "anna");
        let output = command.output().expect("the binary");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
        (out, err)
    }

    fn object(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[words, &["--json"]].concat(), 0).0).expect("JSON")
    }

    fn list(&self) -> Value {
        self.object(&["list"])
    }

    /// Lets a package speak; the answer, and how long the process took for it.
    fn used(&self, package: &Path) -> Value {
        self.object(&["use", &package.display().to_string()])
    }

    /// That a package is refused in these words, and that nothing is changed by it.
    fn refuses(&self, package: &Path, words: &str) {
        let before = self.list();
        let (_, err) = self.ask(&["use", &package.display().to_string()], 78);
        assert!(err.contains(words), "{err:?} does not say {words:?}");
        assert_eq!(self.list(), before, "a refusal changed something");
    }
}

#[test]
fn a_model_is_chosen_in_a_folder_that_stands_still() {
    let scene = Scene::new(false);
    let (first, digest) = scene.package("1", 900.0);
    let nothing = scene.list();
    assert_eq!((&nothing["champion"], &nothing["models"], &nothing["process"]), (&Value::Null, &json!([]), &Value::Null));
    scene.refuses(&first, &format!("no key is trusted here yet. If you know whose it is, trust it by\n  echo {} >>", key(1)));
    scene.trust(1);
    let used = scene.used(&first);
    assert_eq!((&used["model"]["digest"], &used["before"], &used["changed"]), (&json!(digest), &Value::Null, &json!(true)));
    assert_eq!((&used["model"]["added_by"], &used["model"]["key"]), (&json!("anna"), &json!(key(1))));
    // Again is no change; the first digits of a digest are enough; and there is a way back for each step.
    assert_eq!(scene.used(&first)["changed"], json!(false));
    let (second, other) = scene.package("2", 950.0);
    let (text, _) = scene.ask(&["use", &second.display().to_string()], 0);
    assert!(
        text.starts_with(&format!("eta 2 ({}) speaks for delivery-eta\n  before  eta 1 ({})\n", &other[..12], &digest[..12])),
        "{text}"
    );
    assert!(text.contains("no process runs in this folder: it is so from the next start on"), "{text}");
    assert_eq!(scene.object(&["use", &digest[..8]])["model"]["version"], "1");
    assert_eq!(scene.object(&["use", "none"])["model"], Value::Null);
    let back: Vec<Value> = (0..4).map(|_| scene.object(&["use", "--back"])["model"]["version"].clone()).collect();
    assert_eq!(back, [json!("1"), json!("2"), json!("1"), Value::Null]);
    let (_, err) = scene.ask(&["use", "--back"], 1);
    assert!(err.contains("there is no way back"), "{err}");
    let (text, _) = scene.ask(&["list"], 0);
    assert!(text.contains("delivery-eta: no model speaks, since ") && text.contains("\n  eta          2  "), "{text}");
    assert_eq!(scene.list()["models"].as_array().map(Vec::len), Some(2), "what was used is kept");
}

#[test]
fn what_is_refused_changes_nothing() {
    let scene = Scene::new(true);
    let (sound, _) = scene.package("1", 900.0);
    let within = |name: &str| scene.packages.path().join(name);
    eta::write(&within("strange"), "1", 900.0, 2);
    scene.refuses(&within("strange"), "it is none of the 1 trusted here");
    eta::write_with(&within("other"), "1", 900.0, &[vec!["since_placed".to_owned()], vec!["moon".to_owned(); 33]].concat(), 1);
    scene.refuses(&within("other"), "two inputs");
    let mut inputs = eta::inputs();
    inputs[3] = "moon".to_owned();
    eta::write_with(&within("moon"), "1", 900.0, &inputs, 1);
    scene.refuses(
        &within("moon"),
        "the model does not fit the pipeline: its input 3 is \"moon\", where the pipeline declares \"is_accepted\"",
    );
    scene.used(&sound);
    fs::write(sound.join("model.toml"), "changed").expect("written");
    scene.refuses(&sound, "a file was changed after it was signed");
    let (_, err) = scene.ask(&["use", "abcdef"], 1);
    assert!(err.contains("no model of delivery-eta begins with abcdef"), "{err}");
    let (_, err) = scene.ask(&["use", "nowhere"], 2);
    assert!(err.contains("neither the folder of a package, nor 6 or more digits of a digest, nor none"), "{err}");
    scene.ask(&["use"], 2);
    scene.ask(&["use", "none", "--back"], 2);
}

#[test]
fn a_folder_that_processes_share_is_decided_about_beside_them() {
    let scene = Scene::new(true);
    let (package, digest) = scene.package("1", 900.0);
    let words = ["use", &*package.display().to_string(), "--json"];
    let (_, err) = scene.ask_as("--shared", &words[..2], 1);
    assert!(err.contains("is not a folder that processes share"), "{err}");
    // What they share has no log, and nobody holds it.
    fs::remove_dir_all(scene.folder.path().join("log")).expect("removed");
    let used: Value = serde_json::from_str(&scene.ask_as("--shared", &words, 0).0).expect("JSON");
    assert_eq!(used["model"]["digest"], json!(digest));
    let (text, _) = scene.ask_as("--shared", &["list"], 0);
    assert!(text.starts_with("delivery-eta: eta 1 ("), "{text}");
    let left = fs::read_dir(scene.folder.path().join("unfinished")).expect("a folder").count();
    assert_eq!(left, 0, "what was not finished is left");
}

#[test]
fn a_process_that_runs_switches_at_once() {
    let scene = Scene::new(true);
    let (child, mut asking) = scene.start(&["--city", "calm", "--speed", "30"]);
    let mut digests = Vec::new();
    for version in ["1", "2", "3"] {
        let (package, digest) = scene.package(version, 900.0);
        let request = json!({ "use_model": { "pipeline": null, "wanted": { "package": package }, "by": "anna" } });
        let begun = Instant::now();
        let answer = asking.ask(&request);
        let took = begun.elapsed();
        println!("version {version} spoke after {took:?}");
        assert!(took < SWITCH_MAX, "it took {took:?}");
        assert_eq!(answer["told"]["object"]["process"]["digest"], json!(digest), "{answer:#}");
        digests.push(digest);
    }
    // A refusal leaves the one that speaks alone, in the process and in the catalog.
    eta::write(&scene.packages.path().join("strange"), "4", 1.0, 2);
    scene.refuses(&scene.packages.path().join("strange"), "it is none of the 1 trusted here");
    let back = scene.object(&["use", "--back"]);
    assert_eq!((&back["process"]["digest"], &back["process"]["switched"]), (&json!(digests[1]), &json!(4)));
    kill(child);
    // Whoever starts again asks the one that was decided for.
    let (child, _) = scene.start(&[]);
    assert_eq!(scene.list()["process"]["digest"], json!(digests[1]));
    stop(child);
}

/// Predictions made before somebody looks again: of each of the workers, and of several steps.
const MANY: u64 = 200;
const SPEED: i64 = 60;

#[test]
fn predictions_name_the_model_that_was_chosen_and_none_is_lost() {
    let scene = Scene::new(true);
    let (package, digest) = scene.package("1", 900.0);
    let (child, mut asking) = scene.start(&["--city", "calm", "--speed", &SPEED.to_string()]);
    predicted(&mut asking, MANY);
    assert_eq!(scene.used(&package)["process"]["digest"], json!(digest));
    let chosen_by = now(&mut asking);
    predicted(&mut asking, MANY);
    let back_asked = now(&mut asking);
    assert_eq!(scene.object(&["use", "--back"])["process"]["digest"], Value::Null);
    let back_by = now(&mut asking);
    predicted(&mut asking, MANY);
    stop(child);

    let all = predictions(scene.folder.path());
    let model = |prediction: &Value| prediction["digest"].as_str().map(str::to_owned);
    let mut ids: Vec<&str> = all.iter().flatten().filter_map(|prediction| prediction["id"].as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "a prediction is there twice");
    assert!(count as u64 >= 3 * MANY, "{count} predictions");
    let mut named = 0;
    for partition in &all {
        // None, then the model, then none again.
        let mut changes: Vec<Option<String>> = partition.iter().map(model).collect();
        changes.dedup();
        assert!([vec![None], vec![None, Some(digest.clone()), None]].contains(&changes), "{changes:?}");
        for prediction in partition {
            let at = instant(&prediction["at"]);
            assert!(at <= back_by || model(prediction).is_none(), "{prediction}");
            // From the answer on, until a second before it is taken back: what fell due then may be said a moment later.
            let speaks = at > chosen_by && at < back_asked.minus(Span(1000 * SPEED));
            assert!(!speaks || model(prediction).is_some(), "{prediction}");
            if model(prediction).is_some() {
                named += 1;
                // So many seconds, and ten for each item of an order.
                let said = prediction["said"][1].as_f64().expect("a number");
                assert!(said >= 900.0 && said % 10.0 == 0.0 && prediction["version"] == json!("1"), "{prediction}");
            }
        }
    }
    assert!(named > 0, "the model never spoke");
    explains(&scene, &digest, &all);
}

/// Why the latest prediction is what it is: the one input that this model looks at, and none of the others.
fn explains(scene: &Scene, digest: &str, predictions: &[Vec<Value>]) {
    assert_eq!(scene.object(&["use", digest])["model"]["digest"], json!(digest));
    let last = predictions[0].last().expect("a prediction");
    let order = format!("order:{}", last["order"].as_str().expect("a key"));
    let headway = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.arg("explain").args(words).arg("--folder").arg(scene.folder.path()).output().expect("the binary")
    };
    let output = headway(&[&order, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // While the folder was opened for this, time may have made another prediction of the order.
    assert_eq!(told["prediction"]["order"], last["order"], "{told:#}");
    assert_eq!((&told["model"], &told["fallback"]), (&json!(digest), &Value::Null), "{told:#}");
    let inputs = told["inputs"].as_array().expect("inputs");
    let items = inputs[0]["value"].as_f64().expect("a number");
    assert_eq!((inputs.len(), &inputs[0]["name"]), (34, &json!("items")));
    assert_eq!(inputs[0]["matters_seconds"].as_f64(), Some(10.0 * items));
    assert!(inputs[1..].iter().all(|input| input["matters_seconds"].as_f64() == Some(0.0)), "{told:#}");
    assert_eq!(told["seconds"][1].as_f64(), Some(900.0 + 10.0 * items));
    assert!(told["vectors"].as_array().is_some_and(|vectors| !vectors.is_empty()), "{told:#}");
    let text = String::from_utf8(headway(&[&order]).stdout).expect("text");
    assert!(
        text.contains(&format!("by the model {digest}")) && text.contains("input") && text.contains("moves p50 by"),
        "{text}"
    );
    let unknown = headway(&["order:nobody"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nothing was predicted of order nobody lately"), "{unknown:?}");
    assert_eq!(headway(&["store:1"]).status.code(), Some(2), "a store is no case");
}

/// Waits until so many more predictions were committed.
fn predicted(asking: &mut Asking, count: u64) {
    let predictions = |asking: &mut Asking| {
        let status = asking.ask(&json!("status"));
        status["status"]["predictions"].as_u64().unwrap_or_else(|| panic!("nobody predicts: {status}"))
    };
    let (begun, until) = (Instant::now(), predictions(asking) + count);
    while predictions(asking) < until {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is predicted any longer");
    }
}

fn now(asking: &mut Asking) -> Timestamp {
    instant(&asking.ask(&json!("status"))["status"]["now"])
}

fn instant(text: &Value) -> Timestamp {
    text.as_str().and_then(Timestamp::parse).unwrap_or_else(|| panic!("{text} is no instant"))
}

/// All that was predicted, by partition and in order.
fn predictions(folder: &Path) -> Vec<Vec<Value>> {
    let settings = io_log::Settings::new(folder.join("log"));
    let log = EmbeddedLog::open(settings, clock_fn(1.0, || Timestamp(0))).expect("nobody holds it");
    let all = async {
        let mut all = Vec::new();
        for partition in 0..PARTITIONS {
            let (mut predictions, mut next) = (Vec::new(), 0);
            loop {
                let records = log.read("headway.delivery-eta.eta", partition, next, 1 << 20).await.expect("a whole log");
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

#[test]
fn a_model_that_cannot_be_loaded_at_the_start_is_told_and_others_speak() {
    let scene = Scene::new(true);
    let (package, digest) = scene.package("1", 900.0);
    scene.used(&package);
    eta::damage(scene.folder.path(), &digest);
    let (child, _) = scene.start(&[]);
    let list = scene.list();
    assert_eq!((&list["champion"], &list["process"]["digest"]), (&json!(digest), &Value::Null));
    let fault = list["process"]["fault"].as_str().expect("a fault");
    assert!(fault.contains("eta 1 (") && fault.contains("its checksum does not match"), "{fault}");
    assert_eq!(list["process"]["failed"], json!(1));
    // Its package brings it back; and a key that is not trusted any longer is no reason to stop.
    let used = scene.used(&package);
    assert_eq!((&used["changed"], &used["process"]["digest"]), (&json!(false), &json!(digest)));
    stop(child);
    scene.trust(2);
    let (child, _) = scene.start(&[]);
    let fault = scene.list()["process"]["fault"].as_str().expect("a fault").to_owned();
    assert!(fault.contains("it is none of the 1 trusted here"), "{fault}");
    stop(child);
}
