//! Which model speaks: chosen in a folder that stands still and beside a process that runs, followed, refused, taken back.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use domain::Span;
use serde_json::{Value, json};

use crate::{
    driven::{kill, stop},
    eta,
    package::key,
    scene::{Scene, instant, now, predicted, predictions},
};

/// From the request to its answer, the package read, checked and kept; the rest is the binary that starts and ends.
const SWITCH_MAX: Duration = Duration::from_secs(1);

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
    let (child, mut asking) = scene.start(&["--city", "calm", "--at", "12:00", "--speed", "30"]);
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
    let (child, mut asking) = scene.start(&["--city", "calm", "--at", "12:00", "--speed", &SPEED.to_string()]);
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
    explains(&scene, &digest);
}

/// Why a prediction is what it is, by the row that was served and the model that was asked: the one input that this model looks at, and none
/// of the others.
fn explains(scene: &Scene, digest: &str) {
    assert_eq!(scene.object(&["use", digest])["model"]["digest"], json!(digest));
    let (child, mut asking) = scene.start(&["--speed", &SPEED.to_string()]);
    predicted(&mut asking, 1);
    stop(child);
    // Whatever time says of an order while the folder is opened for this is said by the same model.
    let all = predictions(scene.folder.path()).concat();
    let last = |order: &Value| all.iter().rfind(|said| said["order"] == *order);
    let spoke = |said: &&Value| last(&said["order"]).is_some_and(|last| !last["digest"].is_null());
    let last = all.iter().rfind(spoke).expect("time made the model speak");
    let order = format!("order:{}", last["order"].as_str().expect("a key"));
    let headway = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
        command.arg("explain").args(words).arg("--folder").arg(scene.folder.path()).output().expect("the binary")
    };
    let output = headway(&[&order, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let said = &told["prediction"];
    assert_eq!((&said["order"], &said["digest"], &told["missing"]), (&last["order"], &json!(digest), &Value::Null), "{told:#}");
    let inputs = told["inputs"].as_array().expect("inputs");
    let items = inputs[0]["value"].as_f64().expect("a number");
    assert_eq!((inputs.len(), &inputs[0]["name"]), (34, &json!("items")));
    assert_eq!(inputs[0]["matters_seconds"].as_f64(), Some(10.0 * items));
    assert!(inputs[1..].iter().all(|input| input["matters_seconds"].as_f64() == Some(0.0)), "{told:#}");
    assert_eq!(said["said"][1].as_f64(), Some(900.0 + 10.0 * items));
    let columns = told["columns"].as_array().expect("columns");
    let of = |name: &str| columns.iter().find(|column| column["name"] == name).map(|column| &column["value"]);
    assert_eq!(of("items").and_then(Value::as_f64), Some(items));
    assert!(columns.len() > inputs.len() && told["read"]["missing"].is_u64(), "{told:#}");
    let text = String::from_utf8(headway(&[&order]).stdout).expect("text");
    assert!(text.contains(digest) && text.contains("input") && text.contains("moves p50 by"), "{text}");
    let unknown = headway(&["order:nobody"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nothing was predicted of order nobody lately"), "{unknown:?}");
    assert_eq!(headway(&["store:1"]).status.code(), Some(2), "a store is no case");
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
