//! A model package: a model with what has to be known about it, signed. Described in docs/reference/model-package.md.
//!
//! Loading goes from cheap to costly, and nothing of a file is interpreted before its signature was found to be good: sizes, digest,
//! signature, manifest, graph, golden rows. What is returned has passed all of it.

mod folder;
mod manifest;
mod seal;

use std::collections::BTreeMap;

pub use folder::{read_folder, write_folder};
pub use manifest::{Calibration, Golden, Manifest, Metric, Training};
pub use seal::{Digest, Signer, TrustedKey, digest, key_of, sign};

use crate::{Error, Limits, Scratch, Session};

/// The model itself.
pub const MODEL: &str = "model.onnx";
/// What is known about it.
pub const MANIFEST: &str = "model.toml";
/// Digest, key and signature.
pub const SIGNATURE: &str = "model.sig";
/// What a package is made of.
const FILES: [&str; 3] = [MODEL, MANIFEST, SIGNATURE];
/// A signature's file has three lines.
const SIGNATURE_BYTES_MAX: u64 = 4 << 10;
/// Models are computed in single precision, in an order that differs between runtimes: a sum of hundreds of trees is off by 1e-6.
pub const GOLDEN_TOLERANCE: f32 = 1e-4;

/// The files of a package by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A package that was found to be what it says.
#[derive(Debug)]
pub struct Package {
    manifest: Manifest,
    digest: Digest,
    key: TrustedKey,
    session: Session,
}

impl Package {
    /// Checks a package, and makes its model ready.
    pub fn load(files: &Files, trusted: &[TrustedKey], limits: &Limits) -> Result<Self, Error> {
        check_files(files, limits)?;
        let (digest, key) = seal::verify(files, trusted)?;
        let manifest = Manifest::parse(&files[MANIFEST])?;
        let session = Session::open(&files[MODEL], manifest.signature(), limits)?;
        check_golden(&manifest, &session)?;
        Ok(Self { manifest, digest, key, session })
    }

    /// What is known about the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What names this very package, in predictions and in Git.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Who signed it.
    pub fn key(&self) -> &TrustedKey {
        &self.key
    }

    /// The model.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

/// How large a file of a package may be.
fn bytes_max(file: &str, limits: &Limits) -> u64 {
    match file {
        MODEL => limits.model_bytes_max,
        MANIFEST => limits.manifest_bytes_max,
        _ => SIGNATURE_BYTES_MAX,
    }
}

fn check_files(files: &Files, limits: &Limits) -> Result<(), Error> {
    if let Some(file) = FILES.into_iter().find(|file| !files.contains_key(*file)) {
        return Err(Error::Missing { file, expected: FILES.join(", ") });
    }
    if let Some(file) = files.keys().find(|file| !FILES.contains(&file.as_str())) {
        return Err(Error::Unexpected { file: file.clone() });
    }
    for (file, content) in files {
        let (bytes, bytes_max) = (content.len() as u64, bytes_max(file, limits));
        if bytes > bytes_max {
            return Err(Error::TooLarge { file: file.clone(), bytes, bytes_max });
        }
    }
    Ok(())
}

/// Alone and together: a model that mixes the rows of a batch is none for single rows.
fn check_golden(manifest: &Manifest, session: &Session) -> Result<(), Error> {
    let outputs = manifest.outputs.len();
    let mut scratch = Scratch::default();
    let rows: Vec<f32> = manifest.golden.iter().flat_map(|golden| golden.row.iter().copied()).collect();
    let mut together = vec![0.0; manifest.golden.len() * outputs];
    session.predict(&rows, &mut together, &mut scratch)?;
    for (at, (golden, together)) in manifest.golden.iter().zip(together.chunks(outputs)).enumerate() {
        let mut alone = vec![0.0; outputs];
        session.predict(&golden.row, &mut alone, &mut scratch)?;
        for (found, output) in [&alone[..], together].into_iter().flat_map(|found| found.iter().zip(0..)) {
            let expected = golden.expected[output];
            if (found - expected).abs() > GOLDEN_TOLERANCE * expected.abs().max(1.0) {
                return Err(Error::Golden { row: at, output: manifest.outputs[output].clone(), found: *found, expected });
            }
        }
    }
    Ok(())
}
