//! `headway models` and `headway bench scorer` by the real binary: packages that are signed, shown and checked, and every reason why one
//! is refused.

#[cfg(feature = "servers")]
mod away;
mod challengers;
#[path = "../driven/mod.rs"]
mod driven;
mod eta;
mod package;
mod scene;
mod speaking;

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use package::{MANIFEST_TEXT, Scene, key, model, signer};
use scoring::package::{MANIFEST, MODEL, SIGNATURE};
use serde_json::{Value, json};
use workbench::{Forest, ForestShape};

#[test]
fn a_package_is_signed_with_a_new_key_checked_and_shown() {
    let scene = Scene::unsigned();
    let file = scene.beside("secret");
    let signed = scene.object("sign", &["--new-key", &file], 0);
    assert_eq!(signed["new_key"].as_str(), Some(&*file));
    let secret = fs::read_to_string(&file).expect("the key");
    assert!(secret.len() == 65 && secret.trim().bytes().all(|digit| digit.is_ascii_hexdigit()), "32 bytes and a line feed");
    assert_eq!(fs::metadata(&file).expect("the key").permissions().mode() & 0o777, 0o600);
    let public = signed["key"].as_str().expect("a key");
    assert!(!signed.to_string().contains(secret.trim()));

    let verified = scene.object("verify", &["--trust", public], 0);
    assert_eq!((&verified["digest"], &verified["key"], &verified["name"]), (&signed["digest"], &signed["key"], &json!("eta")));
    let checked: Vec<&str> =
        verified["checked"].as_array().expect("a list").iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(checked, ["files", "digest", "signature", "inputs and outputs", "operators", "memory", "golden rows"]);
    let text = scene.ask("verify", &["--trust", public], 0).out;
    assert!(text.starts_with("ok eta 2026-11-20.1: a scorer that trusts the key loads it\n"), "{text}");
    assert!(text.contains("a network of 3 operators; all of them run here"), "{text}");

    // The same key signs again, and the digest stays that of the files.
    let again = scene.object("sign", &["--key", &file], 0);
    assert_eq!((&again["digest"], &again["key"]), (&signed["digest"], &signed["key"]));
    assert!(again.get("new_key").is_none());
    // What is told is what `sha256sum model.onnx model.toml | sha256sum` says.
    let sums =
        Command::new("sh").args(["-c", "sha256sum model.onnx model.toml | sha256sum"]).current_dir(scene.folder()).output();
    let sums = String::from_utf8(sums.expect("sha256sum").stdout).expect("text");
    assert_eq!(sums.split(' ').next(), signed["digest"].as_str());
}

#[test]
fn a_package_shows_what_is_known_about_it() {
    let scene = Scene::signed();
    let shown = scene.object("show", &[], 0);
    let inputs = json!([
        { "name": "distance", "kind": "number", "default": 1500.0 },
        { "name": "weekday", "kind": "category", "categories": 7, "default": 0.0 },
    ]);
    assert_eq!(shown["inputs"], inputs);
    assert_eq!(shown["outputs"], json!(["p50"]));
    assert_eq!(shown["key"].as_str(), Some(&*key(1)));
    assert_eq!(shown["model"], json!({ "kind": "network", "operators": 3 }));
    assert_eq!(shown["metrics"][0], json!({ "slice": "all", "name": "mae", "value": 211.5, "rows": 20_000 }));
    assert_eq!(shown["calibration"]["offsets"], json!({ "p50": -3.5 }));
    assert_eq!(shown["training"]["rows"], 120_000);
    let text = scene.ask("show", &[], 0).out;
    for word in [
        "distance  number                     1500\nweekday   one of 7 categories           0\n",
        "\np50            -3.5\n",
        "211.5  20,000",
        "120,000 rows",
    ] {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
    scene.edit(MANIFEST, "[calibration.offsets]\np50 = -3.5\n", "");
    scene.sign();
    assert!(scene.object("show", &[], 0).get("calibration").is_none());
}

#[test]
fn trees_are_told_by_their_number() {
    let scene = Scene::unsigned();
    scene.write(MODEL, Forest::grow(ForestShape { trees: 5, leaves: 4, features: 2, seed: 1 }).onnx());
    let session = scoring::Session::open(
        &fs::read(scene.folder().join(MODEL)).expect("written"),
        scoring::Signature::of_numbers(&["distance", "weekday"], &["p50"]),
        &scoring::Limits::default(),
    );
    let mut says = [0.0];
    session.expect("it loads").predict(&[-600.0, 3.0], &mut says, &mut scoring::Scratch::default()).expect("a prediction");
    scene.edit(MANIFEST, "expected = [603.0]", &format!("expected = [{:?}]", says[0]));
    scene.sign();
    assert_eq!(scene.object("show", &[], 0)["model"], json!({ "kind": "trees", "trees": 5, "nodes": 35 }));
}

#[test]
fn words_of_a_package_do_not_reach_the_terminal_as_they_are() {
    let scene = Scene::unsigned();
    scene.edit(MANIFEST, "slice = \"all\"", "slice = \"\\u001b[2J\\u202eall\"");
    scene.sign();
    let text = scene.ask("show", &[], 0).out;
    assert!(text.contains("\\u{1b}[2J\\u{202e}all") && !text.contains('\u{1b}'), "{text:?}");
    scene.write("\u{1b}[31mred", "");
    scene.refused("holds \\u{1b}[31mred, which belongs to no package");
}

#[test]
fn trusted_keys_come_from_files_as_well() {
    let scene = Scene::signed();
    let (file, one) = (scene.beside("trusted"), key(1));
    fs::write(&file, format!("# ours\n{}\n\n{one} # the trainer's\n", key(2))).expect("written");
    scene.ask("verify", &["--trust", &file], 0);
    scene.ask("verify", &["--trust", &key(2), "--trust", &one], 0);
    fs::write(&file, format!("{one}\nnot a key\n")).expect("written");
    let said = scene.ask("verify", &["--trust", &file], 78).err;
    assert!(said.contains("line 2 of the file in value 1 of --trust is not a key"), "{said}");
    // A secret key that somebody gives by mistake is not told again.
    let secret = "07".repeat(31);
    let said = scene.ask("verify", &["--trust", &one, "--trust", &secret], 2).err;
    assert!(said.contains("value 2 of --trust is neither 64 hexadecimal digits nor a file") && !said.contains("0707"), "{said}");
}

#[test]
fn packages_that_are_not_whole_are_refused() {
    let scene = Scene::signed();
    scene.write("run.py", "");
    scene.refused("holds run.py, which belongs to no package");
    let scene = Scene::signed();
    fs::create_dir(scene.folder().join("more")).expect("made");
    scene.refused("holds more, which belongs to no package");
    for name in [MODEL, MANIFEST, SIGNATURE] {
        let scene = Scene::signed();
        fs::remove_file(scene.folder().join(name)).expect("removed");
        scene.refused(&format!("has no {name}: pack it again"));
    }
    let scene = Scene::signed();
    scene.write(SIGNATURE, vec![b' '; 5_000]);
    scene.refused("model.sig has 5000 bytes, and 4096 is the most that loads");
    let scene = Scene::signed();
    fs::remove_dir_all(scene.folder()).expect("removed");
    scene.refused("name the folder of a model package that this process may read. The system says: No such file");
}

#[test]
fn packages_that_nobody_trusted_signed_are_refused() {
    let scene = Scene::signed();
    scene.edit(MANIFEST, "rows = 120000", "rows = 120001");
    scene.refused("a file was changed after it was signed");
    let scene = Scene::signed();
    let said = scene.ask("verify", &["--trust", &key(2)], 78).err;
    assert!(said.contains("which is none of the 1 that are trusted"), "{said}");
    let said = scene.ask("verify", &[], 78).err;
    assert!(said.contains(&format!("no key is trusted here: add --trust {}", key(1))), "{said}");
    scene.edit(SIGNATURE, &key(1), "abc");
    scene.refused("the key in model.sig is not a key: it has to be 64 hexadecimal digits");
    // Somebody else's signature under the name of a key that is trusted.
    let scene = Scene::signed();
    let own = fs::read_to_string(scene.folder().join(SIGNATURE)).expect("text");
    let signature = own.lines().last().expect("three lines").to_owned();
    scene.edit(SIGNATURE, &signature, &format!("signature {}", "00".repeat(64)));
    scene.refused("somebody else made it. Do not load it");
    // To show it anyhow, it would have to be what its key signed.
    scene.ask("show", &[], 78);
    scene.edit(SIGNATURE, "digest ", "digestion ");
    scene.refused("its lines have to begin with digest, key and signature");
    scene.ask("show", &[], 78);
}

#[test]
fn packages_that_say_nonsense_are_refused() {
    let scene = Scene::unsigned();
    scene.write(MANIFEST, MANIFEST_TEXT.replace("format = 1", "format = 1\nformula = 1"));
    scene.sign();
    scene.refused("unknown field `formula`");
    let unsigned = Scene::unsigned();
    unsigned.write(MANIFEST, MANIFEST_TEXT.replace("603.0", "604.0"));
    unsigned.sign();
    unsigned.refused("golden row 0 gives 603 for p50 where model.toml expects 604");
    let model_of = |bytes: &[u8]| {
        let scene = Scene::unsigned();
        scene.write(MODEL, bytes);
        scene.sign();
        scene
    };
    model_of(b"no model").refused("model.onnx is refused: it is not an ONNX file, or a part of one");
    model_of(&model("Loop")).refused("it uses the operator Loop of ai.onnx, which is none of those that run here");
    model_of(&[8 << 3 | 2, 0].repeat(6 << 20)).refused("it would take more than 268435456 bytes of memory to read");
    model_of(&model("Log")).refused("the model says NaN for p50 of row 0");
}

#[test]
fn what_does_not_load_is_not_signed() {
    let scene = Scene::unsigned();
    let file = scene.beside("secret");
    scene.write(MODEL, model("Loop"));
    let said = scene.ask("sign", &["--new-key", &file], 78).err;
    assert!(said.contains("the operator Loop"), "{said}");
    assert!(!fs::exists(&file).expect("looked") && !scene.folder().join(SIGNATURE).exists(), "nothing was written");
}

#[test]
fn secret_keys_are_kept_apart_and_never_overwritten() {
    let scene = Scene::unsigned();
    let file = scene.beside("secret");
    fs::write(&file, "mine").expect("written");
    let said = scene.ask("sign", &["--new-key", &file], 1).err;
    assert!(said.contains("is there already and is not overwritten"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("text"), "mine");
    let within = scene.folder().join("secret").display().to_string();
    let said = scene.ask("sign", &["--new-key", &within], 1).err;
    assert!(said.contains("would be in the package"), "{said}");
    assert!(!scene.folder().join("secret").exists() && !scene.folder().join(SIGNATURE).exists());
    let said = scene.ask("sign", &["--key", &file], 78).err;
    assert!(said.contains("is not a key: it has to be 64 hexadecimal digits") && !said.contains("mine"), "{said}");
    let said = scene.ask("sign", &["--key", &scene.beside("nowhere")], 1).err;
    assert!(said.contains("cannot read"), "{said}");
    scene.ask("sign", &[], 2);
    scene.ask("sign", &["--key", &file, "--new-key", &file], 2);
    fs::write(&file, format!("{}\n", "01".repeat(32))).expect("written");
    let signed = scene.object("sign", &["--key", &file], 0);
    assert_eq!(signed["key"].as_str(), Some(&*signer(1).key().to_string()));
    scene.ask("verify", &["--trust", &key(1)], 0);
}

#[test]
fn rows_are_measured_and_only_what_was_measured_is_told() {
    let bench = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_headway")).args(["bench", "scorer", "--json", "--quiet"]).args(arguments).output()
    };
    let output = bench(&[]).expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let names: Vec<&String> = told.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["batch_row_us", "single_row_p50_us"]);
    assert!(names.iter().all(|name| told[name.as_str()].as_f64().is_some_and(|figure| figure > 0.0)), "{told:#}");
    let output = bench(&["--python", "/nowhere/python"]).expect("the binary");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}
