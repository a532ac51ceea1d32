//! Small ONNX models, built from their messages as exporters would write them.

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::*;

/// A graph of these operators, from one table of numbers `x` to `y`.
pub(crate) fn model(width: i64, nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let (input, output) = (vec![port("x", DataType::Float, &[-1, width])], vec![port("y", DataType::Float, &[-1, 1])]);
    let graph = GraphProto { node: nodes, input, output, initializer, name: "test".into(), ..Default::default() };
    let sets = [("", 18), ("ai.onnx.ml", 3)];
    let opset_import = sets.map(|(domain, version)| OperatorSetIdProto { domain: domain.into(), version }).to_vec();
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }
}

/// An input or output; a negative side is one that is not known.
pub(crate) fn port(name: &str, kind: DataType, sides: &[i64]) -> ValueInfoProto {
    let side = |side: &i64| Dimension { value: (*side >= 0).then_some(dimension::Value::DimValue(*side)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: sides.iter().map(side).collect() });
    let tensor = type_proto::Tensor { elem_type: kind as i32, shape };
    let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

pub(crate) fn node(name: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    let domain = if name.starts_with("Tree") { "ai.onnx.ml" } else { "" };
    let input = inputs.iter().map(|name| (*name).into()).collect();
    NodeProto { op_type: name.into(), domain: domain.into(), input, output: vec![output.into()], attribute, ..Default::default() }
}

pub(crate) fn floats(name: &str, values: &[f32]) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 6, floats: values.to_vec(), ..Default::default() }
}

pub(crate) fn wholes(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 7, ints: values.to_vec(), ..Default::default() }
}

pub(crate) fn whole(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 2, i: value, ..Default::default() }
}

pub(crate) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 3, s: value.into(), ..Default::default() }
}

pub(crate) fn texts(name: &str, values: &[&str]) -> AttributeProto {
    let strings = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    AttributeProto { name: name.into(), r#type: 8, strings, ..Default::default() }
}

pub(crate) fn in_tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 4, t: Some(tensor), ..Default::default() }
}

pub(crate) fn tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (dims, float_data) = (dims.to_vec(), values.to_vec());
    TensorProto { name: name.into(), dims, data_type: DataType::Float as i32, float_data, ..Default::default() }
}

/// Two trees over two values: x0 <= 10 ? (x1 <= 2 ? 1 : 2) : 3, and the leaf 100.
pub(crate) fn two_trees() -> Vec<AttributeProto> {
    vec![
        wholes("nodes_treeids", &[0, 0, 0, 0, 0, 1]),
        wholes("nodes_nodeids", &[0, 1, 2, 3, 4, 0]),
        wholes("nodes_featureids", &[0, 1, 0, 0, 0, 0]),
        texts("nodes_modes", &["BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF", "LEAF"]),
        floats("nodes_values", &[10.0, 2.0, 0.0, 0.0, 0.0, 0.0]),
        wholes("nodes_truenodeids", &[1, 3, 0, 0, 0, 0]),
        wholes("nodes_falsenodeids", &[2, 4, 0, 0, 0, 0]),
        wholes("nodes_missing_value_tracks_true", &[1, 0, 0, 0, 0, 0]),
        wholes("target_treeids", &[0, 0, 0, 1]),
        wholes("target_nodeids", &[2, 3, 4, 0]),
        wholes("target_ids", &[0, 0, 0, 0]),
        floats("target_weights", &[3.0, 1.0, 2.0, 100.0]),
        whole("n_targets", 1),
    ]
}

/// The trees above as a model.
pub(crate) fn trees() -> ModelProto {
    model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", two_trees())], vec![])
}

/// A dense network of two values: relu(x W + b) summed.
pub(crate) fn dense() -> ModelProto {
    let weights =
        vec![tensor("w", &[2, 2], &[1.0, -1.0, 0.5, 2.0]), tensor("b", &[2], &[0.0, 1.0]), tensor("s", &[2, 1], &[1.0, 1.0])];
    let nodes = vec![
        node("MatMul", &["x", "w"], "xw", vec![]),
        node("Add", &["xw", "b"], "z", vec![]),
        node("Relu", &["z"], "r", vec![]),
        node("MatMul", &["r", "s"], "y", vec![]),
    ];
    model(2, nodes, weights)
}

pub(crate) fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// Another attribute in place of the one with its name.
pub(crate) fn with(mut attributes: Vec<AttributeProto>, other: AttributeProto) -> Vec<AttributeProto> {
    attributes.retain(|attribute| attribute.name != other.name);
    attributes.push(other);
    attributes
}
