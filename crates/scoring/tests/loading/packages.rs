//! Packages: one that loads, and every reason why one does not.

use scoring::package::{Files, MANIFEST, MODEL, SIGNATURE, Signer, TrustedKey, digest, read_folder, sign, write_folder};
use scoring::{Error, Limits, Package};

use crate::models::{bytes, trees};

const SOUND: &str = r#"
format = 1
name = "eta"
version = "2026-11-20.1"
outputs = ["p50"]

[[inputs]]
name = "prep_mean_15m"

[[inputs]]
name = "distance"
default = 1.0

[training]
from = "2026-10-01T00:00:00Z"
until = "2026-11-01T00:00:00Z"
rows = 120000
data_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[[metrics]]
slice = "all"
name = "mae"
value = 211.5
rows = 20000

[calibration.offsets]
p50 = -3.5

[profiles.distance]
edges = [0.5, 1.0, 2.0]

[[golden]]
row = [nan, 1.0]
expected = [101.0]

[[golden]]
row = [10.5, nan]
expected = [103.0]
"#;

#[test]
fn a_sound_package_loads() {
    let files = signed(SOUND);
    let package = Package::load(&files, &[signer(2).key(), signer(1).key()], &Limits::default()).unwrap();
    assert_eq!(package.manifest().name, "eta");
    assert_eq!(package.manifest().profiles["distance"]["edges"].as_array().unwrap().len(), 3);
    assert_eq!(package.digest(), &digest(&files));
    assert_eq!(package.key(), &signer(1).key());
    assert_eq!(package.session().signature().inputs[1].default, Some(1.0));
}

#[test]
fn a_package_goes_through_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = signed(SOUND);
    write_folder(folder.path(), &files).unwrap();
    assert_eq!(read_folder(folder.path(), &Limits::default()).unwrap(), files);
    let small = Limits { model_bytes_max: 10, ..Limits::default() };
    let error = read_folder(folder.path(), &small).unwrap_err();
    assert!(matches!(&error, Error::TooLarge { file, bytes_max: 10, .. } if file == MODEL), "{error}");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    assert!(matches!(read_folder(folder.path(), &Limits::default()).unwrap_err(), Error::Unexpected { file } if file == "more"));
    let error = read_folder(&folder.path().join("nowhere"), &Limits::default()).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[test]
fn what_is_not_whole_is_refused() {
    refuse(
        |files| drop(files.remove(SIGNATURE)),
        "has no model.sig: pack it again, with all of model.onnx, model.toml, model.sig",
    );
    refuse(|files| drop(files.remove(MODEL)), "has no model.onnx");
    refuse(|files| drop(files.insert("run.py".into(), vec![])), "holds run.py, which belongs to no package");
    refuse(|files| files.get_mut(SIGNATURE).unwrap().resize(5_000, b' '), "model.sig has 5000 bytes, and 4096 is the most");
}

#[test]
fn what_is_not_signed_is_refused() {
    refuse(|files| files.get_mut(MODEL).unwrap().push(0), "a file was changed after it was signed");
    refuse(|files| files.get_mut(MANIFEST).unwrap().push(b' '), "a file was changed after it was signed");
    refuse(|files| drop(sign(files, &signer(9))), "which is none of the 1 that are trusted");
    refuse(|files| replace(files, &signature_of(files), &"00".repeat(64)), "is not one of the key");
    refuse(|files| replace(files, "signature ", "signature 0"), "the signature is not 128 hexadecimal digits");
    refuse(|files| replace(files, "key ", "clef "), "its lines have to begin with digest, key and signature");
    refuse(|files| files.get_mut(SIGNATURE).unwrap().extend(b"more\n"), "more than three lines");
    refuse(|files| files.get_mut(SIGNATURE).unwrap()[0] = 0xff, "it is no text");
    let key = signer(1).key().to_string();
    refuse(|files| replace(files, &key, "abc"), "the key in model.sig is not a key: it has to be 64 hexadecimal digits");
    // Somebody else's signature under the name of a trusted key.
    let other = signer(9).key().to_string();
    refuse(
        |files| {
            sign(files, &signer(9));
            replace(files, &other, &signer(1).key().to_string());
        },
        "is not one of the key",
    );
}

#[test]
fn a_manifest_that_says_too_little_or_nonsense_is_refused() {
    manifest("format = 1", "format = 2", "format is 2, and 1 is read here");
    manifest("format = 1", "form = 1", "unknown field `form`");
    manifest("name = \"eta\"", "name = \"../eta\"", "name is \"../eta\": use 1 to 100 letters");
    manifest("rows = 120000", "", "missing field `rows`");
    manifest("e3b0c442", "hello", "write the 64 hexadecimal digits that sha256sum prints");
    manifest("value = 211.5", "value = nan", "a metric is not a finite number");
    manifest("p50 = -3.5", "p51 = -3.5", "has an offset for \"p51\", which is no output");
    manifest("p50 = -3.5", "p50 = inf", "the offset of \"p50\" is inf");
    manifest("\"distance\"\n", "\"prep_mean_15m\"\n", "two inputs are called \"prep_mean_15m\"");
    manifest("[\"p50\"]", "[]", "1 to 18446744073709551615 outputs, and this one declares 0");
    manifest("default = 1.0", "default = nan", "has the default NaN: write a finite number");
    manifest("default = 1.0", "categories = 3", "has categories and is a number");
    manifest("default = 1.0", "kind = \"category\"", "is a category: say how many there are");
    manifest("default = 1.0", "kind = \"category\"\ncategories = 3\ndefault = 3.0", "which is none of its categories");
    manifest("[nan, 1.0]", "[1.0]", "golden row 0 has 1 values and 1 expected ones: write 2 and 1");
    manifest("[103.0]", "[inf]", "golden row 1 expects what is no finite number");
}

#[test]
fn a_model_without_golden_rows_is_refused() {
    let without = SOUND.split("[[golden]]").next().unwrap().replace("format = 1", "golden = []\nformat = 1");
    let error = load(&signed(&without)).unwrap_err();
    assert!(error.to_string().contains("has 0 golden rows"), "{error}");
}

#[test]
fn a_model_that_says_something_else_is_refused() {
    manifest("[103.0]", "[103.5]", "golden row 1 gives 103 for p50 where model.toml expects 103.5");
    manifest("[103.0]", "[103.005]", "");
}

#[test]
fn keys_are_read_and_never_shown() {
    let secret = "07".repeat(32);
    let signer = Signer::parse(&secret, "the setting models.signer").unwrap();
    assert!(!format!("{signer:?}").contains(&secret));
    assert_eq!(TrustedKey::parse(&signer.key().to_string(), "key 1").unwrap(), signer.key());
    let error = Signer::parse("07070", "the setting models.signer").unwrap_err().to_string();
    assert!(error.starts_with("the setting models.signer is not a key") && !error.contains("07070"), "{error}");
    // A key of low order would take any signature.
    assert!(TrustedKey::parse(&format!("01{}", "00".repeat(31)), "key 2").is_err());
}

/// A package with another text in its manifest, signed as it is; an empty expectation means that it loads.
fn manifest(before: &str, after: &str, expected: &str) {
    assert!(SOUND.contains(before), "{before:?} is not in the manifest");
    match (load(&signed(&SOUND.replacen(before, after, 1))), expected) {
        (Ok(_), "") => {}
        (Err(error), expected) if !expected.is_empty() => assert!(error.to_string().contains(expected), "{error}"),
        (result, _) => panic!("{before:?} as {after:?}: {result:?}"),
    }
}

/// A sound package after this.
fn refuse(change: impl FnOnce(&mut Files), expected: &str) {
    let mut files = signed(SOUND);
    change(&mut files);
    let error = load(&files).expect_err("it should be refused").to_string();
    assert!(error.contains(expected), "{error:?} does not say {expected:?}");
}

fn load(files: &Files) -> Result<Package, Error> {
    Package::load(files, &[signer(1).key()], &Limits::default())
}

fn signed(manifest: &str) -> Files {
    let mut files = Files::from([(MODEL.into(), bytes(&trees())), (MANIFEST.into(), manifest.into())]);
    sign(&mut files, &signer(1));
    files
}

fn signer(number: u8) -> Signer {
    Signer::from_secret(&[number; 32])
}

fn signature_of(files: &Files) -> String {
    let text = String::from_utf8(files[SIGNATURE].clone()).expect("what this file made");
    text.lines().last().expect("what this file made").strip_prefix("signature ").expect("what this file made").into()
}

fn replace(files: &mut Files, before: &str, after: &str) {
    let text = String::from_utf8(files[SIGNATURE].clone()).expect("what this file made");
    files.insert(SIGNATURE.into(), text.replace(before, after).into_bytes());
}
