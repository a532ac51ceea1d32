//! Packages for the case of `pipelines/delivery-eta`: so many seconds, and ten more for each item of an order.

use std::{fs, path::Path};

use scoring::package::{Files, MANIFEST, MODEL, sign, write_folder};
use testkit::model::Linear;

use crate::package::signer;

pub(crate) const PIPELINE: &str = "../../pipelines/delivery-eta";

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
    let model = Linear { version, inputs, seconds, weight: Some(("items", 10.0)) };
    let mut files = Files::from([(MODEL.to_owned(), model.onnx()), (MANIFEST.to_owned(), model.manifest().into_bytes())]);
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
