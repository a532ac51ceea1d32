//! A model that is ready: rows in the order of its signature go in, predictions come out.
//!
//! Shared by any number of threads; what a call writes to is the caller's, one `Scratch` for each thread. Never knows where a row or a
//! model came from.

use std::sync::Arc;

use crate::network::{BATCH_ROWS_MAX, Loaded, Network};
use crate::signature::{Input, Kind};
use crate::trees::{self, Ensemble};
use crate::{Error, Limits, Signature, graph};

/// A loaded model.
#[derive(Debug)]
pub struct Session {
    signature: Signature,
    model: Loaded,
    /// Whether any input has something that stands in for a missing value.
    replaces: bool,
}

/// What a model is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makeup {
    /// Decision trees alone.
    Trees {
        /// How many there are, of all outputs together.
        trees: usize,
        /// Splits and leaves of all of them.
        nodes: usize,
    },
    /// A graph of operators, trees among them or not.
    Network {
        /// How many the file declares.
        operators: usize,
    },
}

/// What a thread keeps from one call to the next, so that none allocates for a row.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: Vec<f32>,
    part: Vec<f32>,
    trees: trees::Scratch,
}

impl Session {
    /// Loads a model. Bytes of a package come here only after its signature was looked at.
    pub fn open(model: &[u8], signature: Signature, limits: &Limits) -> Result<Self, Error> {
        signature.check(limits)?;
        let refused = |reason| Error::Model { reason };
        let bytes = model.len() as u64;
        if bytes > limits.model_bytes_max {
            return Err(Error::TooLarge { file: "model.onnx".into(), bytes, bytes_max: limits.model_bytes_max });
        }
        let checked = graph::check(model, &signature, limits).map_err(refused)?;
        let model = Loaded::load(checked, signature.outputs.len(), limits).map_err(refused)?;
        let replaces = signature.inputs.iter().any(|input| input.default.is_some());
        let session = Self { signature, model, replaces };
        session.try_it().map_err(|error| refused(format!("it loads and does not run: {error}")))?;
        Ok(session)
    }

    /// What goes in and comes out.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What the model is made of.
    pub fn makeup(&self) -> Makeup {
        match &self.model {
            Loaded::Trees(ensembles) => Makeup::Trees {
                trees: ensembles.iter().map(|ensemble| ensemble.trees()).sum(),
                nodes: ensembles.iter().map(|ensemble| ensemble.nodes()).sum(),
            },
            Loaded::Network(network) => Makeup::Network { operators: network.operators() },
        }
    }

    /// Predicts rows that stand one after the other; a missing value is NaN. `predictions` has as many places as there are rows
    /// times outputs. A row's predictions have the same bits whatever it comes together with, where the model is made of trees.
    ///
    /// # Errors
    ///
    /// When a prediction is not a number; the others are in place then.
    pub fn predict(&self, rows: &[f32], predictions: &mut [f32], scratch: &mut Scratch) -> Result<(), Error> {
        let (inputs, outputs) = (self.signature.inputs.len(), self.signature.outputs.len());
        if !rows.len().is_multiple_of(inputs) || predictions.len() != rows.len() / inputs * outputs {
            return Err(Error::Rows { values: rows.len(), places: predictions.len(), inputs, outputs });
        }
        let batches = rows.chunks(BATCH_ROWS_MAX * inputs).zip(predictions.chunks_mut(BATCH_ROWS_MAX * outputs));
        for (rows, predictions) in batches {
            let Scratch { rows: seen, part, trees } = scratch;
            let rows = if self.replaces { replaced(&self.signature.inputs, rows, seen) } else { rows };
            match &self.model {
                Loaded::Trees(ensembles) => predict_by_trees(ensembles, rows, inputs, predictions, part, trees),
                Loaded::Network(network) => predict_by(network, rows, inputs, predictions)?,
            }
        }
        match predictions.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let output = self.signature.outputs[at % outputs].clone();
                Err(Error::NotFinite { row: at / outputs, output, value: predictions[at] })
            }
        }
    }

    /// A network with a table that is too short for a category, or with a number of rows in it, says so now and not on an order's way.
    fn try_it(&self) -> Result<(), Error> {
        let last = |input: &Input| match input.kind {
            Kind::Category => input.categories.map_or(0.0, |count| (count - 1) as f32),
            Kind::Number => input.default.unwrap_or(0.0),
        };
        let row: Vec<f32> = self.signature.inputs.iter().map(last).collect();
        for count in [1, BATCH_ROWS_MAX] {
            let mut predictions = vec![0.0; count * self.signature.outputs.len()];
            match self.predict(&row.repeat(count), &mut predictions, &mut Scratch::default()) {
                // A row of zeros need not mean anything to it.
                Ok(()) | Err(Error::NotFinite { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn replaced<'a>(inputs: &[Input], rows: &[f32], seen: &'a mut Vec<f32>) -> &'a [f32] {
    seen.clear();
    for row in rows.chunks_exact(inputs.len()) {
        seen.extend(row.iter().zip(inputs).map(|(value, input)| input.seen(*value)));
    }
    seen
}

fn predict_by(network: &Network, rows: &[f32], width: usize, predictions: &mut [f32]) -> Result<(), Error> {
    network.predict(rows, width, predictions).map_err(|reason| Error::Run { reason })
}

fn predict_by_trees(
    ensembles: &[Arc<Ensemble>],
    rows: &[f32],
    width: usize,
    predictions: &mut [f32],
    part: &mut Vec<f32>,
    scratch: &mut trees::Scratch,
) {
    if let [ensemble] = ensembles {
        return ensemble.predict(rows, width, predictions, scratch);
    }
    let outputs: usize = ensembles.iter().map(|ensemble| ensemble.targets()).sum();
    let mut begin = 0;
    for ensemble in ensembles {
        let targets = ensemble.targets();
        part.clear();
        part.resize(rows.len() / width * targets, 0.0);
        ensemble.predict(rows, width, part, scratch);
        for (part, predictions) in part.chunks_exact(targets).zip(predictions.chunks_exact_mut(outputs)) {
            predictions[begin..begin + targets].copy_from_slice(part);
        }
        begin += targets;
    }
}
