//! `model.toml`: names, signature, where the model comes from, how good it was, and rows whose predictions are known. Checked when it
//! is read; what others make of it (profiles, calibration) is carried and not interpreted here.

use serde::{Deserialize, Serialize};

use crate::signature::{Input, Signature};
use crate::{Error, Limits};

/// The version of the format that is written and read.
const FORMAT: u32 = 1;
/// Each is computed twice at every start.
const GOLDEN_MAX: usize = 1_000;
/// A name stands in predictions, paths and metrics.
const NAME_BYTES_MAX: usize = 100;

/// What is known about a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format: 1.
    pub format: u32,
    /// What the model is called, the same for all of its versions.
    pub name: String,
    /// Which version this is.
    pub version: String,
    /// The names of what is predicted.
    pub outputs: Vec<String>,
    /// The values of a row, in order.
    pub inputs: Vec<Input>,
    /// What it learned from.
    pub training: Training,
    /// How good it was, by slice.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// What is added to predictions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How the inputs were distributed: for whoever watches for drift.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub profiles: toml::Table,
    /// Rows whose predictions are known. Every start computes them.
    pub golden: Vec<Golden>,
}

/// What a model learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Where the window begins, in RFC 3339.
    pub from: String,
    /// Where it ends.
    pub until: String,
    /// How many rows there were.
    pub rows: u64,
    /// SHA-256 of the rows, in hexadecimal digits.
    pub data_sha256: String,
}

/// One figure of one slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Which rows: `all`, or a name that the pipeline gives.
    pub slice: String,
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// On how many rows.
    pub rows: u64,
}

/// What is added to each prediction, by the name of the output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// In the unit of the output.
    pub offsets: std::collections::BTreeMap<String, f64>,
}

/// A row and what the model says of it, before calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// One value for each input; `nan` where one is missing.
    pub row: Vec<f32>,
    /// One value for each output.
    pub expected: Vec<f32>,
}

impl Manifest {
    /// Reads and checks the text of `model.toml`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| fault(format!("is no text ({error}): write it in UTF-8.")))?;
        let manifest: Self = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What the model takes and says.
    pub fn signature(&self) -> Signature {
        Signature { inputs: self.inputs.clone(), outputs: self.outputs.clone() }
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(fault(reason));
        if self.format != FORMAT {
            return refuse(format!(
                "format is {}, and {FORMAT} is read here: write format = {FORMAT}, or update Headway.",
                self.format
            ));
        }
        for (what, text) in [("name", &self.name), ("version", &self.version)] {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
            if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.chars().all(plain) {
                return refuse(format!(
                    "{what} is {text:?}: use 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores."
                ));
            }
        }
        self.signature().check(&Limits { inputs_max: usize::MAX, outputs_max: usize::MAX, ..Limits::default() })?;
        let hash = &self.training.data_sha256;
        if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return refuse(format!("data_sha256 is {hash:?}: write the 64 hexadecimal digits that sha256sum prints."));
        }
        if self.metrics.iter().any(|metric| !metric.value.is_finite()) {
            return refuse("a metric is not a finite number: leave it out.".into());
        }
        self.check_calibration()?;
        self.check_golden()
    }

    fn check_calibration(&self) -> Result<(), Error> {
        for (output, offset) in self.calibration.iter().flat_map(|calibration| &calibration.offsets) {
            if !self.outputs.contains(output) {
                return Err(fault(format!(
                    "calibration has an offset for {output:?}, which is no output: take its name from `outputs`."
                )));
            }
            if !offset.is_finite() {
                return Err(fault(format!("the offset of {output:?} is {offset}: write a finite number.")));
            }
        }
        Ok(())
    }

    fn check_golden(&self) -> Result<(), Error> {
        if self.golden.is_empty() || self.golden.len() > GOLDEN_MAX {
            return Err(fault(format!("has {} golden rows: write 1 to {GOLDEN_MAX} of them.", self.golden.len())));
        }
        for (at, Golden { row, expected }) in self.golden.iter().enumerate() {
            if row.len() != self.inputs.len() || expected.len() != self.outputs.len() {
                return Err(fault(format!(
                    "golden row {at} has {} values and {} expected ones: write {} and {}, as there are inputs and outputs.",
                    row.len(),
                    expected.len(),
                    self.inputs.len(),
                    self.outputs.len()
                )));
            }
            if expected.iter().any(|value| !value.is_finite()) {
                return Err(fault(format!("golden row {at} expects what is no finite number: write what the model says of it.")));
            }
        }
        Ok(())
    }
}

fn fault(reason: String) -> Error {
    Error::Manifest { reason }
}
