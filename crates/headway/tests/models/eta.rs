//! Packages for the case of `pipelines/delivery-eta`: a table of weights over its inputs, written as bytes.

use std::{fs, path::Path};

use scoring::package::{Files, MANIFEST, MODEL, sign, write_folder};

use crate::package::{field, port_of, signer};

pub(crate) const PIPELINE: &str = "../../pipelines/delivery-eta";
const OUTPUTS: [&str; 4] = ["p10", "p50", "p80", "p90"];
/// What each output says of a row of zeros, beside what the caller wants.
const LEVELS: [f32; 4] = [-120.0, 0.0, 120.0, 180.0];

/// The inputs that the pipeline declares.
pub(crate) fn inputs() -> Vec<String> {
    let pipeline = pipeline::load(Path::new(PIPELINE)).expect("a pipeline");
    let case = pipeline.case.as_ref().expect("a case");
    let columns = pipeline.case_columns();
    case.model.as_ref().expect("a model").inputs.iter().map(|column| columns[*column].0.clone()).collect()
}

/// Writes a package: so many seconds, and ten more for each item of an order. Signed by the key of this number, and its digest.
pub(crate) fn write(folder: &Path, version: &str, seconds: f32, signed_by: u8) -> String {
    write_with(folder, version, seconds, &inputs(), signed_by)
}

/// The same for a model that takes other inputs.
pub(crate) fn write_with(folder: &Path, version: &str, seconds: f32, inputs: &[String], signed_by: u8) -> String {
    let items = inputs.iter().position(|input| input == "items");
    let mut files = Files::from([
        (MODEL.to_owned(), model(inputs.len(), items, seconds)),
        (MANIFEST.to_owned(), manifest(version, seconds, inputs).into_bytes()),
    ]);
    let digest = sign(&mut files, &signer(signed_by));
    write_folder(folder, &files).expect("written");
    digest.to_string()
}

/// What was kept is another model now, as a disk might make of it.
pub(crate) fn damage(folder: &Path, digest: &str) {
    let kept = folder.join("artifacts/models/delivery-eta").join(digest).join(format!("{MODEL}@1"));
    let mut bytes = fs::read(&kept).expect("what was kept");
    bytes[40] ^= 1;
    fs::write(&kept, bytes).expect("written");
}

fn manifest(version: &str, seconds: f32, inputs: &[String]) -> String {
    let mut text = format!("format = 1\nname = \"eta\"\nversion = \"{version}\"\noutputs = {OUTPUTS:?}\n");
    for input in inputs {
        text.push_str(&format!("[[inputs]]\nname = \"{input}\"\ndefault = 0\n"));
    }
    text.push_str(&format!(
        "[training]\nfrom = \"2026-10-01T00:00:00Z\"\nuntil = \"2026-11-01T00:00:00Z\"\nrows = 1000\ndata_sha256 = \"{}\"\n",
        "0".repeat(64)
    ));
    let golden: Vec<f32> = LEVELS.iter().map(|level| level + seconds).collect();
    text + &format!("[[golden]]\nrow = {:?}\nexpected = {golden:?}\n", vec![0.0_f32; inputs.len()])
}

/// The row times a table, and a constant for each output.
fn model(inputs: usize, items: Option<usize>, seconds: f32) -> Vec<u8> {
    let node = |operator: &str, first: &str, second: &str, made: &str| {
        let ends = [field(1, first.as_bytes()), field(1, second.as_bytes()), field(2, made.as_bytes())].concat();
        field(1, &[ends, field(4, operator.as_bytes())].concat())
    };
    let mut weights = vec![0.0; inputs * OUTPUTS.len()];
    if let Some(items) = items {
        weights[items * OUTPUTS.len()..][..OUTPUTS.len()].fill(10.0);
    }
    let constants = LEVELS.map(|level| level + seconds);
    let graph = [
        node("MatMul", "x", "weights", "weighted"),
        node("Add", "weighted", "constants", "y"),
        table("weights", &[inputs, OUTPUTS.len()], &weights),
        table("constants", &[OUTPUTS.len()], &constants),
        port_of(11, "x", inputs),
        port_of(12, "y", OUTPUTS.len()),
    ];
    [vec![1 << 3, 8], field(8, &[2 << 3, 13]), field(7, &graph.concat())].concat()
}

/// Numbers that the graph brings along.
fn table(name: &str, sides: &[usize], numbers: &[f32]) -> Vec<u8> {
    let sides: Vec<u8> = sides.iter().flat_map(|side| [1 << 3, *side as u8]).collect();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    field(5, &[sides, vec![2 << 3, 1], field(8, name.as_bytes()), field(9, &bytes)].concat())
}
