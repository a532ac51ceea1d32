//! The trees as an operator of tract: read from a node of the graph, wired like every other, evaluated by the walk.

use std::sync::Arc;

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core;
use tract_onnx::tract_hir::internal::*;

use super::attributes::{self, ENSEMBLE, REGRESSOR};
use super::{Ensemble, Scratch};

/// Makes tract know both operators.
pub(crate) fn register(known: &mut OnnxOpRegister) {
    known.insert(REGRESSOR, read);
    known.insert(ENSEMBLE, read);
}

fn read(_context: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let planted = attributes::read(node).and_then(|definition| Ensemble::plant(&definition));
    let ensemble = planted.map_err(|reason| format_err!("{}: {reason}", node.op_type))?;
    Ok((expand(TreesOperator(Arc::new(ensemble))), Vec::new()))
}

/// Trees in a graph.
#[derive(Clone, Debug)]
pub(crate) struct TreesOperator(pub(crate) Arc<Ensemble>);

impl PartialEq for TreesOperator {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TreesOperator {}

impl Expansion for TreesOperator {
    fn name(&self) -> StaticName {
        "Trees".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&inputs[0].rank, 2)?;
        solver.equals(&outputs[0].rank, 2)?;
        solver.equals(&outputs[0].datum_type, f32::datum_type())?;
        solver.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
        solver.equals(&outputs[0].shape[1], self.0.targets().to_dim())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let fact = model.outlet_fact(inputs[0])?;
        let width = fact.shape.get(1).map(|width| width.to_usize()).transpose()?;
        ensure!(
            width.is_some_and(|width| width >= self.0.features()),
            "the trees look at {} values, and their input has {width:?}",
            self.0.features()
        );
        let mut input = inputs[0];
        if fact.datum_type != f32::datum_type() {
            input = model.wire_node(format!("{prefix}.single"), tract_core::ops::cast::cast(f32::datum_type()), &[input])?[0];
        }
        model.wire_node(prefix, self.clone(), &[input])
    }
}

impl Op for TreesOperator {
    fn name(&self) -> StaticName {
        "Trees".into()
    }

    op_as_typed_op!();
}

impl EvalOp for TreesOperator {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let (rows, width) = (input.shape()[0], input.shape()[1]);
        let mut outputs = vec![0.0; rows * self.0.targets()];
        let plain = input.try_as_plain_ram()?;
        self.0.predict(plain.as_slice::<f32>()?, width, &mut outputs, &mut Scratch::default());
        Ok(tvec!(Tensor::from_shape(&[rows, self.0.targets()], &outputs)?.into_tvalue()))
    }
}

impl TypedOp for TreesOperator {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact([inputs[0].shape[0].clone(), self.0.targets().to_dim()])))
    }

    as_op!();
}
