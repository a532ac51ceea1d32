//! A forest as an ONNX file with one `TreeEnsembleRegressor`, attribute by attribute as exporters write it.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};

use super::{Forest, Node};

pub(super) fn write(forest: &Forest) -> Vec<u8> {
    let node = NodeProto {
        op_type: "TreeEnsembleRegressor".into(),
        domain: "ai.onnx.ml".into(),
        input: vec!["x".into()],
        output: vec!["y".into()],
        attribute: attributes(forest),
        ..Default::default()
    };
    let graph = GraphProto {
        name: "forest".into(),
        node: vec![node],
        input: vec![port("x", forest.features)],
        output: vec![port("y", 1)],
        ..Default::default()
    };
    let sets = [("", 18), ("ai.onnx.ml", 3)];
    let opset_import = sets.map(|(domain, version)| OperatorSetIdProto { domain: domain.into(), version }).to_vec();
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }.encode_to_vec()
}

fn attributes(forest: &Forest) -> Vec<AttributeProto> {
    let nodes =
        || forest.trees.iter().enumerate().flat_map(|(tree, nodes)| nodes.iter().enumerate().map(move |node| (tree, node)));
    let each = |number: fn(&Node) -> usize| nodes().map(|(_, (_, node))| number(node) as i64).collect::<Vec<i64>>();
    let bound = |node: &Node| if let Node::Split { bound, .. } = node { *bound } else { 0.0 };
    let mode = |node: &Node| if matches!(node, Node::Leaf(_)) { b"LEAF".to_vec() } else { b"BRANCH_LEQ".to_vec() };
    let leaves = || {
        nodes().filter_map(|(tree, (at, node))| match node {
            Node::Leaf(value) => Some((tree as i64, at as i64, *value)),
            Node::Split { .. } => None,
        })
    };
    let modes = nodes().map(|(_, (_, node))| mode(node)).collect();
    vec![
        wholes("nodes_treeids", nodes().map(|(tree, _)| tree as i64).collect()),
        wholes("nodes_nodeids", nodes().map(|(_, (at, _))| at as i64).collect()),
        wholes("nodes_featureids", each(|node| if let Node::Split { feature, .. } = node { *feature } else { 0 })),
        wholes("nodes_truenodeids", each(|node| if let Node::Split { left, .. } = node { *left } else { 0 })),
        wholes("nodes_falsenodeids", each(|node| if let Node::Split { right, .. } = node { *right } else { 0 })),
        wholes("nodes_missing_value_tracks_true", each(|_| 0)),
        floats("nodes_values", nodes().map(|(_, (_, node))| bound(node)).collect()),
        AttributeProto { strings: modes, ..attribute("nodes_modes", AttributeType::Strings) },
        wholes("target_treeids", leaves().map(|(tree, _, _)| tree).collect()),
        wholes("target_nodeids", leaves().map(|(_, at, _)| at).collect()),
        wholes("target_ids", leaves().map(|_| 0).collect()),
        floats("target_weights", leaves().map(|(_, _, value)| value).collect()),
        AttributeProto { i: 1, ..attribute("n_targets", AttributeType::Int) },
        AttributeProto { s: b"NONE".to_vec(), ..attribute("post_transform", AttributeType::String) },
    ]
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind as i32, ..Default::default() }
}

fn wholes(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { ints, ..attribute(name, AttributeType::Ints) }
}

fn floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    AttributeProto { floats, ..attribute(name, AttributeType::Floats) }
}

/// A table of any number of rows.
fn port(name: &str, width: usize) -> ValueInfoProto {
    let columns = Dimension { value: Some(dimension::Value::DimValue(width as i64)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: vec![Dimension::default(), columns] });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}
