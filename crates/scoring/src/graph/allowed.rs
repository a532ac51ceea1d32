//! The operators that a model may use: those of trees, of dense networks and of embeddings. None of them loops, draws random numbers,
//! reads files, or makes more numbers than its inputs and weights account for.

use tract_onnx::pb::NodeProto;

const ML_DOMAIN: &str = "ai.onnx.ml";
const ML: [&str; 3] = ["LinearRegressor", "TreeEnsemble", "TreeEnsembleRegressor"];

const GENERAL: [&str; 58] = [
    "Abs",
    "Add",
    "And",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "Div",
    "Dropout",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Flatten",
    "Floor",
    "Gather",
    "Gelu",
    "Gemm",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "IsNaN",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "MatMul",
    "Max",
    "Mean",
    "Min",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "PRelu",
    "Pow",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Selu",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
];
/// Beside those above; kept apart because they only move numbers.
const MOVING: [&str; 3] = ["Transpose", "Unsqueeze", "Where"];
/// What may be computed from constants: as many numbers come out as go in.
const KEEPS_SIZE: [&str; 8] = ["Cast", "Constant", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

/// Refuses what is on no list, and graphs within a node.
pub(super) fn check(node: &NodeProto) -> Result<(), String> {
    let name = node.op_type.as_str();
    let known = match node.domain.as_str() {
        "" | "ai.onnx" => GENERAL.contains(&name) || MOVING.contains(&name),
        ML_DOMAIN => ML.contains(&name),
        _ => false,
    };
    if !known {
        let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
        return Err(format!("it uses the operator {name} of {domain}, which is none of those that run here"));
    }
    let nested = |attribute: &tract_onnx::pb::AttributeProto| {
        attribute.g.is_some() || !attribute.graphs.is_empty() || !attribute.ref_attr_name.is_empty()
    };
    match node.attribute.iter().find(|attribute| nested(attribute)) {
        Some(attribute) => Err(format!("{} of the operator {name} is a graph within the graph", attribute.name)),
        None => Ok(()),
    }
}

/// Whether it may be computed while the model is loaded.
pub(super) fn keeps_size(node: &NodeProto) -> bool {
    KEEPS_SIZE.contains(&node.op_type.as_str())
}
