//! Rows through one model of 300 trees, alone and in batches, on one thread. Whoever measures another runtime beside it asks in turns, so
//! that a busy machine is busy for both.

use std::time::Instant;

use scoring::{Limits, Scratch, Session, Signature};

use super::forest::{Forest, ForestShape};
use crate::dice::Dice;

/// The size of model that budgets are written for.
const SHAPE: ForestShape = ForestShape { trees: 300, leaves: 31, features: 40, seed: 1 };
const ROWS: usize = 4_096;
const ROWS_SEED: u64 = 2;

/// A model with rows for it.
#[derive(Debug)]
pub struct ScorerBench {
    forest: Forest,
    session: Session,
    rows: Vec<f32>,
}

impl ScorerBench {
    /// Values of a row.
    pub const FEATURES: usize = SHAPE.features;
    /// Rows that are predicted together.
    pub const BATCH: usize = 64;
    /// Rows that are predicted one by one in a round.
    pub const SINGLES: usize = 1_000;

    /// Grows the model, and draws the rows.
    pub fn new() -> Result<Self, scoring::Error> {
        let forest = Forest::grow(SHAPE);
        let names: Vec<String> = (0..SHAPE.features).map(|at| format!("x{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let session = Session::open(&forest.onnx(), Signature::of_numbers(&names, &["eta"]), &Limits::default())?;
        let mut dice = Dice::new(ROWS_SEED);
        let rows = (0..ROWS * SHAPE.features).map(|_| dice.share() as f32).collect();
        Ok(Self { forest, session, rows })
    }

    /// The model.
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// All rows, one after the other.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// What the model says of the rows of one batch.
    pub fn predictions(&self) -> Result<Vec<f32>, scoring::Error> {
        let mut predictions = vec![0.0; Self::BATCH];
        self.session.predict(&self.rows[..Self::BATCH * Self::FEATURES], &mut predictions, &mut Scratch::default())?;
        Ok(predictions)
    }

    /// Microseconds that each row took by itself.
    pub fn singles_us(&self) -> Result<Vec<f64>, scoring::Error> {
        self.calls_us(&self.rows[..Self::SINGLES * Self::FEATURES], 1)
    }

    /// Microseconds that each batch took.
    pub fn batches_us(&self) -> Result<Vec<f64>, scoring::Error> {
        self.calls_us(&self.rows, Self::BATCH)
    }

    #[expect(clippy::disallowed_methods, reason = "measures for a person")]
    fn calls_us(&self, rows: &[f32], size: usize) -> Result<Vec<f64>, scoring::Error> {
        let mut scratch = Scratch::default();
        let mut predictions = vec![0.0; size];
        let mut took = Vec::with_capacity(rows.len() / size / Self::FEATURES);
        for rows in rows.chunks_exact(size * Self::FEATURES) {
            let before = Instant::now();
            self.session.predict(rows, &mut predictions, &mut scratch)?;
            took.push(before.elapsed().as_nanos() as f64 / 1000.0);
        }
        Ok(took)
    }
}
