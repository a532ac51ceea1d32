//! Models of other people's libraries: what LightGBM, XGBoost and scikit-learn train and export runs here as it does in ONNX Runtime,
//! on thousands of rows with missing, infinite and extreme values; and as in the library itself, but for rows on a threshold.
//!
//! `./dev servers install models` makes the Python that this needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use scoring::package::{Signer, read_folder, sign};
use scoring::{Estimator, Input, Kind, Limits, Package, Scratch, Session, Signature};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.headway/servers/models/bin/python3");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/models.py");
const PIPELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines/delivery-eta");
const GUIDE: &str = include_str!("../../../docs/guides/a-model-of-your-own.md");
/// What the guide leaves to its reader: rows, some values missing, of which the first input says something.
const ROWS: &str = r#"
import numpy

def training_rows(inputs):
    random = numpy.random.default_rng(3)
    rows = random.normal(600, 200, size=(3_000, len(inputs))).astype(numpy.float32)
    rows[random.random(rows.shape) < 0.05] = numpy.nan
    return rows, 900 + 0.5 * numpy.nan_to_num(rows[:, 0]) + random.normal(0, 60, len(rows))
"#;
const PAGE: &str = include_str!("../../../docs/reference/model-package.md");
/// What the page takes for granted: a model that LightGBM trained, what is known about it, and a secret.
const BEFORE: &str = r#"
import lightgbm, numpy, pathlib, sys
random = numpy.random.default_rng(3)
rows = random.normal(size=(2_000, 40)).astype(numpy.float32)
booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(rows, 600 + 60 * rows[:, 0]), num_boost_round=20)
inputs = "".join(f'[[inputs]]\nname = "x{at}"\n' for at in range(40))
manifest = f"""format = 1
name = "eta"
version = "1"
outputs = ["p50"]
{inputs}
[training]
from = "2026-10-01T00:00:00Z"
until = "2026-11-01T00:00:00Z"
rows = 2000
data_sha256 = "{'0' * 64}"
[[golden]]
row = {[float(value) for value in rows[0]]}
expected = {[float(booster.predict(rows[:1])[0])]}
"""
secret = bytes([7] * 32)
"#;
const AFTER: &str = r#"
for name, content in files.items():
    (pathlib.Path(sys.argv[1]) / name).write_bytes(content)
"#;
/// Sums of float32 in another order.
const TOLERANCE: f32 = 1e-5;

#[test]
fn models_of_other_libraries_say_here_what_they_say_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(PYTHON).arg(SCRIPT).arg(folder.path()).output();
    let output = output.unwrap_or_else(|error| panic!("{PYTHON}: {error}. Run `./dev servers install models`."));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let mut models: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    models.sort();
    assert_eq!(models.len(), 9);
    for model in models {
        check(&model);
    }
}

/// The page's own words, run as they stand there: what they make loads.
#[test]
fn the_package_that_the_page_makes_loads() {
    let code = PAGE.split_once("```python\n").and_then(|(_, rest)| rest.split_once("```")).expect("Python on the page").0;
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(PYTHON).arg("-c").arg([BEFORE, code, AFTER].concat()).arg(folder.path()).output();
    let output = output.unwrap_or_else(|error| panic!("{PYTHON}: {error}. Run `./dev servers install models`."));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = read_folder(folder.path(), &Limits::default()).unwrap();
    let package = Package::load(&files, &[Signer::from_secret(&[7; 32]).key()], &Limits::default()).unwrap();
    assert_eq!(package.manifest().name, "eta");
}

/// The guide's own words, run as they stand there: what they train fits the case, and learned what there was to learn.
#[test]
fn the_model_that_the_guide_trains_fits_the_pipeline() {
    let code = GUIDE.split_once("```python\n").and_then(|(_, rest)| rest.split_once("```")).expect("Python in the guide").0;
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(PYTHON).arg("-c").arg([ROWS, code].concat()).arg(PIPELINE).arg(folder.path()).arg("1").output();
    let output = output.unwrap_or_else(|error| panic!("{PYTHON}: {error}. Run `./dev servers install models`."));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut files, signer) = (read_folder(folder.path(), &Limits::default()).unwrap(), Signer::from_secret(&[7; 32]));
    sign(&mut files, &signer);
    let package = Arc::new(Package::load(&files, &[signer.key()], &Limits::default()).unwrap());
    let pipeline = pipeline::load(Path::new(PIPELINE)).unwrap();
    let case = pipeline.case.as_ref().unwrap();
    Estimator::new(case, pipeline.case_columns()).with_model(case, package.clone()).unwrap();
    // Half a second more for each second of the first input, and four levels in their order.
    let said = [300.0, 900.0].map(|first| {
        let row: Vec<f32> =
            std::iter::once(first).chain(std::iter::repeat_n(600.0, package.manifest().inputs.len() - 1)).collect();
        let mut said = [0.0; 4];
        package.session().predict(&row, &mut said, &mut Scratch::default()).unwrap();
        assert!(said.is_sorted(), "{said:?}");
        said[1]
    });
    assert!((said[1] - said[0] - 300.0).abs() < 60.0, "{said:?}");
}

/// One model: equal to ONNX Runtime everywhere, and to its library where no value is on a threshold.
#[expect(clippy::print_stdout, reason = "how many rows were on a threshold is what somebody who runs this wants to know")]
fn check(folder: &Path) {
    let name = folder.file_name().expect("what this file made").to_string_lossy().into_owned();
    let signature = signature(&std::fs::read_to_string(folder.join("signature.txt")).expect("what this file made"));
    let (inputs, outputs) = (signature.inputs.len(), signature.outputs.len());
    let model = std::fs::read(folder.join("model.onnx")).expect("what this file made");
    let session = Session::open(&model, signature, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let rows = floats(&folder.join("rows.f32"));
    let mut found = vec![0.0; rows.len() / inputs * outputs];
    session.predict(&rows, &mut found, &mut Scratch::default()).unwrap_or_else(|error| panic!("{name}: {error}"));

    let runtime = floats(&folder.join("onnxruntime.f32"));
    assert_eq!(runtime.len(), found.len(), "{name}");
    for (at, (found, expected)) in found.iter().zip(&runtime).enumerate() {
        let row = &rows[at / outputs * inputs..][..inputs];
        assert!(agree(*found, *expected), "{name}: {found} is not {expected}, which ONNX Runtime says of {row:?}");
    }
    let native = floats(&folder.join("native.f32"));
    let near = std::fs::read(folder.join("near.u8")).expect("what this file made");
    assert_eq!((native.len(), near.len() * outputs), (found.len(), found.len()), "{name}");
    let (mut compared, mut differ) = (0, 0);
    for (at, (found, expected)) in found.iter().zip(&native).enumerate().filter(|(_, (_, expected))| !expected.is_nan()) {
        compared += 1;
        if !agree(*found, *expected) {
            let row = &rows[at / outputs * inputs..][..inputs];
            assert_eq!(near[at / outputs], 1, "{name}: {found} is not {expected}, which the library says of {row:?}");
            differ += 1;
        }
    }
    let on_threshold = near.iter().filter(|near| **near == 1).count();
    println!(
        "{name}: {} predictions equal ONNX Runtime's; {compared} compared with the library's, {differ} differ, all of {on_threshold} rows \
         on a threshold",
        found.len()
    );
}

fn agree(found: f32, expected: f32) -> bool {
    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0)
}

/// Inputs, each with its number of categories if it is one; an empty line; outputs.
fn signature(text: &str) -> Signature {
    let (inputs, outputs) = text.split_once("\n\n").expect("what this file made");
    let input = |line: &str| match line.split_once(' ') {
        None => Input { name: line.into(), kind: Kind::Number, default: None, categories: None },
        Some((name, count)) => Input {
            name: name.into(),
            kind: Kind::Category,
            default: Some(0.0),
            categories: Some(count.parse().expect("what this file made")),
        },
    };
    Signature { inputs: inputs.lines().map(input).collect(), outputs: outputs.lines().map(String::from).collect() }
}

fn floats(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("what this file made");
    bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()
}
