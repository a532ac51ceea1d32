//! Transforms of one joined row: the expressions of a pipeline as a flat program that runs row by row.
//!
//! `features::transforms` computes the same values for whole columns with polars, and a test there holds the two equal to the last
//! bit. This side is for scoring, where a handful of rows must be ready in microseconds: expressions are compiled once, what they
//! have in common is computed once, and a row costs a walk over an array of steps. Nothing here allocates for a row.
//! This file never looks at names, and never repairs a value: a NaN is the number that it is for polars.

mod compile;
mod step;
mod texts;

use domain::{Value, ValueKind};
use pipeline::{Pipeline, Transform};

use self::step::{Register, Step, Word};

/// The transforms of a pipeline, compiled.
#[derive(Clone, Debug)]
pub struct Transforms {
    /// Number of values that a row has before its transforms.
    inputs: usize,
    /// The registers before the first step: constants, and nulls where a step will write.
    registers: Vec<Word>,
    /// What to compute in this order, and the register that it is written to.
    steps: Vec<(Register, Step)>,
    tables: Vec<Vec<Word>>,
    outputs: Vec<Output>,
}

/// Where the value of a transform stands when all steps are done.
#[derive(Clone, Copy, Debug)]
struct Output {
    register: Register,
    is_number: bool,
}

/// Computes the transforms of one row after the other.
#[derive(Clone, Debug)]
pub struct Evaluator<'t> {
    transforms: &'t Transforms,
    registers: Vec<Word>,
}

impl Transforms {
    /// The transforms of a pipeline, over the columns of its groups.
    pub fn of(pipeline: &Pipeline) -> Self {
        let columns = pipeline.groups.iter().flat_map(|group| group.columns());
        Self::new(&columns.map(|column| column.kind).collect::<Vec<_>>(), &pipeline.transforms)
    }

    /// Transforms over a row with inputs of these kinds. `Expr::Field` counts the inputs first, and then the transforms before it.
    ///
    /// # Panics
    ///
    /// When an expression is not well typed or names a field that is not there: the resolver lets neither pass.
    pub fn new(inputs: &[ValueKind], transforms: &[Transform]) -> Self {
        compile::compile(inputs, transforms)
    }

    /// Something that runs them; one for each thread.
    pub fn evaluator(&self) -> Evaluator<'_> {
        Evaluator { transforms: self, registers: self.registers.clone() }
    }
}

impl Evaluator<'_> {
    /// Computes the transforms of one row of inputs and appends one value for each to `results`.
    ///
    /// # Panics
    ///
    /// When the row has another number of values than the transforms were compiled for.
    pub fn append(&mut self, row: &[Option<Value>], results: &mut Vec<Option<Value>>) {
        let Transforms { inputs, steps, tables, outputs, .. } = self.transforms;
        assert_eq!(row.len(), *inputs, "the row has other columns than the transforms were compiled for");
        for (register, step) in steps {
            self.registers[*register] = step.value(row, &self.registers, tables);
        }
        results.extend(outputs.iter().map(|output| {
            let word = self.registers[output.register]?;
            Some(if output.is_number { Value::Float(f64::from_bits(word)) } else { Value::Integer(word as i64) })
        }));
    }
}

#[cfg(test)]
mod tests;
