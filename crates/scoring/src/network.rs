//! A graph in tract: loaded with shapes of our own, measured before anything is allocated for it, run in batches.
//!
//! tract is made for models that somebody trusts, and a graph that nobody thought of may make it panic. Here that is a refusal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::tract_core::ops::array::TypedConcat;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_hir::internal::*;

use crate::Limits;
use crate::graph::{Checked, Intake, IntakeKind};
use crate::trees::{self, Ensemble, TreesOperator};

/// Rows that are computed together. With more, a dense network gains nothing: its weights are read once for so many already.
pub(crate) const BATCH_ROWS_MAX: usize = 64;

/// A graph that is ready to run. Immutable, so any number of threads may share it.
#[derive(Debug)]
pub(crate) struct Network {
    plan: Arc<TypedSimplePlan>,
    intakes: Vec<Intake>,
    /// How many values each output of the graph has for a row.
    widths: Vec<usize>,
    /// How many the file declares; there may be fewer in the plan.
    operators: usize,
}

/// What a graph turned out to be.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// Trees and nothing that changes what they say: their outputs stand side by side.
    Trees(Vec<Arc<Ensemble>>),
    /// Anything else.
    Network(Network),
}

impl Loaded {
    /// Makes a checked graph ready; a refusal says what tract does not like.
    pub(crate) fn load(checked: Checked, outputs: usize, limits: &Limits) -> Result<Self, String> {
        caught(|| load(checked, outputs, limits))
    }
}

impl Network {
    /// How many operators the file declares.
    pub(crate) fn operators(&self) -> usize {
        self.operators
    }

    /// Predicts up to `BATCH_ROWS_MAX` rows.
    pub(crate) fn predict(&self, rows: &[f32], width: usize, outputs: &mut [f32]) -> Result<(), String> {
        caught(|| self.run(rows, width, outputs))
    }

    fn run(&self, rows: &[f32], width: usize, outputs: &mut [f32]) -> TractResult<()> {
        let count = rows.len() / width;
        let mut inputs = tvec!();
        let mut begin = 0;
        for intake in &self.intakes {
            inputs.push(
                intake_tensor(intake, rows.chunks_exact(width).map(|row| &row[begin..begin + intake.width]), count)?
                    .into_tvalue(),
            );
            begin += intake.width;
        }
        let total: usize = self.widths.iter().sum();
        let mut begin = 0;
        for (tensor, width) in self.plan.run(inputs)?.iter().zip(&self.widths) {
            let tensor = tensor.cast_to::<f32>()?;
            let plain = tensor.try_as_plain_ram()?;
            let values = plain.as_slice::<f32>()?;
            ensure!(values.len() == count * width, "an output has {} values for {count} rows of {width}", values.len());
            for (values, outputs) in values.chunks_exact(*width).zip(outputs.chunks_exact_mut(total)) {
                outputs[begin..begin + width].copy_from_slice(values);
            }
            begin += width;
        }
        Ok(())
    }
}

/// A panic of tract's is a refusal, too. Nothing that is shared was being changed when it came.
fn caught<T>(action: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(result) => result.map_err(|error| format!("{error:#}").replace('\n', " ")),
        Err(_) => Err("tract cannot make sense of it and gave up".into()),
    }
}

fn load(checked: Checked, outputs: usize, limits: &Limits) -> TractResult<Loaded> {
    let mut framework = tract_onnx::onnx();
    framework.ignore_value_info = true;
    trees::register(&mut framework.op_register);
    let mut model = framework.model_for_proto_model(&checked.model)?;
    let rows = model.symbols.sym("rows");
    for (at, intake) in checked.intakes.iter().enumerate() {
        let mut shape = tvec!(rows.to_dim());
        if !intake.flat {
            shape.push(intake.width.to_dim());
        }
        model.set_input_fact(at, InferenceFact::dt_shape(intake_type(intake), shape))?;
    }
    let model = model.into_typed()?;
    check_memory(&model, &rows, limits)?;
    let widths = widths(&model, &rows)?;
    let width: usize = widths.iter().sum();
    ensure!(width == outputs, "it says {width} values for a row, and the signature has {outputs} outputs");
    let model = model.into_decluttered()?;
    if let Some(trees) = only_trees(&model, &rows, &checked.intakes) {
        return Ok(Loaded::Trees(trees));
    }
    let plan = model.into_optimized()?.into_runnable()?;
    let operators = checked.model.graph.map_or(0, |graph| graph.node.len());
    Ok(Loaded::Network(Network { plan, intakes: checked.intakes, widths, operators }))
}

fn intake_type(intake: &Intake) -> DatumType {
    match intake.kind {
        IntakeKind::Single => f32::datum_type(),
        IntakeKind::Double => f64::datum_type(),
        IntakeKind::Whole => i64::datum_type(),
        IntakeKind::ShortWhole => i32::datum_type(),
    }
}

fn intake_tensor<'a>(intake: &Intake, rows: impl Iterator<Item = &'a [f32]>, count: usize) -> TractResult<Tensor> {
    fn tensor<T: Datum + Copy>(shape: &[usize], values: impl Iterator<Item = T>) -> TractResult<Tensor> {
        Tensor::from_shape(shape, &values.collect::<Vec<T>>())
    }
    let shape = if intake.flat { vec![count] } else { vec![count, intake.width] };
    let values = rows.flatten().copied();
    match intake.kind {
        IntakeKind::Single => tensor(&shape, values),
        IntakeKind::Double => tensor(&shape, values.map(f64::from)),
        IntakeKind::Whole => tensor(&shape, values.map(|value| value as i64)),
        IntakeKind::ShortWhole => tensor(&shape, values.map(|value| value as i32)),
    }
}

/// Everything that a full batch makes, constants included, has room.
fn check_memory(model: &TypedModel, rows: &Symbol, limits: &Limits) -> TractResult<()> {
    let batch = SymbolValues::default().with(rows, BATCH_ROWS_MAX as i64);
    let mut total = 0_u64;
    for fact in model.nodes().iter().flat_map(|node| &node.outputs).map(|output| &output.fact) {
        let mut bytes = Some(fact.datum_type.size_of() as u64);
        for side in fact.shape.iter() {
            let side = u64::try_from(side.eval_to_i64(&batch)?)?;
            bytes = bytes.and_then(|bytes| bytes.checked_mul(side));
        }
        total = bytes.and_then(|bytes| total.checked_add(bytes)).unwrap_or(u64::MAX);
    }
    ensure!(
        total <= limits.memory_bytes_max,
        "a batch of {BATCH_ROWS_MAX} rows takes {total} bytes of memory, and {} is the most",
        limits.memory_bytes_max
    );
    Ok(())
}

/// How many values each output has for a row: outputs are lists or tables of rows.
fn widths(model: &TypedModel, rows: &Symbol) -> TractResult<Vec<usize>> {
    let rows = rows.to_dim();
    let width = |outlet: &OutletId| {
        let shape = &model.outlet_fact(*outlet)?.shape;
        match shape.dims() {
            [first] if *first == rows => Ok(1),
            [first, width] if *first == rows => Ok(width.to_usize()?),
            _ => bail!("an output has the shape {shape:?}, where one row of values for each row of inputs should be"),
        }
    };
    model.output_outlets()?.iter().map(width).collect()
}

/// The ensembles whose outputs side by side are the model's outputs, if it is no more than that.
fn only_trees(model: &TypedModel, rows: &Symbol, intakes: &[Intake]) -> Option<Vec<Arc<Ensemble>>> {
    let [Intake { kind: IntakeKind::Single, flat: false, .. }] = intakes else { return None };
    let mut trees = Vec::new();
    for outlet in model.output_outlets().ok()? {
        trees.extend(trees_behind(model, *outlet, &rows.to_dim())?);
    }
    Some(trees)
}

/// Follows what keeps each row's values together and in order.
fn trees_behind(model: &TypedModel, outlet: OutletId, rows: &TDim) -> Option<Vec<Arc<Ensemble>>> {
    let node = model.node(outlet.node);
    if model.outlet_fact(outlet).ok()?.shape.first() != Some(rows) {
        return None;
    }
    let op = &node.op;
    if let Some(TreesOperator(ensemble)) = op.downcast_ref::<TreesOperator>() {
        let source = model.input_outlets().ok()?.first().copied();
        return (node.inputs.first().copied() == source).then(|| vec![ensemble.clone()]);
    }
    if let Some(TypedConcat { axis: 1 }) = op.downcast_ref::<TypedConcat>() {
        let parts = node.inputs.iter().map(|input| trees_behind(model, *input, rows));
        return parts.collect::<Option<Vec<_>>>().map(|parts| parts.concat());
    }
    let moves = matches!(op.downcast_ref::<AxisOp>(), Some(AxisOp::Move(..)));
    let keeps = op.is::<Identity>() || (op.is::<AxisOp>() && !moves);
    match node.inputs.as_slice() {
        [input] if keeps => trees_behind(model, *input, rows),
        _ => None,
    }
}
