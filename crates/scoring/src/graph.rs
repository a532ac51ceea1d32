//! Looks at an ONNX graph before tract does: what is in it, whether it holds together, how much memory its numbers take. What passes
//! is plain: known operators in order, numbers within the file, no graphs within graphs. Never evaluates anything.

mod allowed;
mod numbers;
mod wire;

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::tract_hir::internal::Framework;

use crate::{Limits, Signature};

/// An input of the graph: one value of each row, or several neighbours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Intake {
    pub(crate) kind: IntakeKind,
    /// How many values of a row it takes.
    pub(crate) width: usize,
    /// A list of rows, and not a table with one column.
    pub(crate) flat: bool,
}

/// Of which type an input's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntakeKind {
    Single,
    Double,
    Whole,
    ShortWhole,
}

/// A model that was looked at.
pub(crate) struct Checked {
    pub(crate) model: ModelProto,
    pub(crate) intakes: Vec<Intake>,
}

/// Reads and checks a model; a refusal says what is wrong with it.
pub(crate) fn check(bytes: &[u8], signature: &Signature, limits: &Limits) -> Result<Checked, String> {
    wire::check(bytes, limits.memory_bytes_max)?;
    let decoded = tract_onnx::onnx().proto_model_for_read(&mut &*bytes);
    let mut model = decoded.map_err(|error| format!("it is not an ONNX file, or a part of one ({error})"))?;
    if !model.functions.is_empty() || !model.training_info.is_empty() {
        return Err("it brings functions of its own, or what is needed to train on".into());
    }
    let graph = model.graph.as_mut().ok_or("it has no graph")?;
    if graph.node.len() > limits.operators_max {
        return Err(format!("it has {} operators, and {} is the most", graph.node.len(), limits.operators_max));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err("it holds sparse tensors: export it with dense ones".into());
    }
    numbers::check(graph)?;
    graph.node.iter().try_for_each(allowed::check)?;
    check_names(graph)?;
    let intakes = intakes(graph, signature)?;
    simplify(graph);
    Ok(Checked { model, intakes })
}

/// What a graph takes that it does not hold itself.
fn asked(graph: &GraphProto) -> impl Iterator<Item = &ValueInfoProto> {
    let held: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.iter().filter(move |input| !held.contains(input.name.as_str()))
}

/// Every name means one thing, and is known before it is used. Then there are no circles, and nothing is computed from constants but
/// what leaves their number as it is: else a small file could make a large tensor while it is loaded.
fn check_names(graph: &GraphProto) -> Result<(), String> {
    let mut known: HashSet<&str> = HashSet::new();
    let mut varies: HashSet<&str> = HashSet::new();
    for name in graph.initializer.iter().map(|tensor| tensor.name.as_str()).chain(asked(graph).map(|input| input.name.as_str())) {
        if name.is_empty() || !known.insert(name) {
            return Err(format!("two of its values are called {name:?}, or one has no name"));
        }
    }
    varies.extend(asked(graph).map(|input| input.name.as_str()));
    for node in &graph.node {
        let mut follows = false;
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name.as_str()) {
                return Err(format!("{} takes {name:?}, which nothing before it makes", label(node)));
            }
            follows |= varies.contains(name.as_str());
        }
        if !follows && !allowed::keeps_size(node) {
            return Err(format!("{} computes with constants only: export the model with constants folded", label(node)));
        }
        let made = node.output.iter().filter(|name| !name.is_empty());
        for name in made.clone() {
            if !known.insert(name) {
                return Err(format!("{} makes {name:?}, which is there already", label(node)));
            }
        }
        if follows {
            varies.extend(made.map(String::as_str));
        }
        if node.output.first().is_none_or(String::is_empty) {
            return Err(format!("{} makes nothing", label(node)));
        }
    }
    match graph.output.iter().find(|output| !varies.contains(output.name.as_str())) {
        Some(output) => Err(format!("its output {:?} does not depend on what comes in", output.name)),
        None if graph.output.is_empty() => Err("it has no output".into()),
        None => Ok(()),
    }
}

fn label(node: &NodeProto) -> String {
    format!("{} {:?}", node.op_type, node.output.first().map_or("", String::as_str))
}

/// How the inputs of the signature are handed to the inputs of the graph: in their order.
fn intakes(graph: &GraphProto, signature: &Signature) -> Result<Vec<Intake>, String> {
    let asked: Vec<&ValueInfoProto> = asked(graph).collect();
    let whole = signature.inputs.len();
    let mut intakes = Vec::with_capacity(asked.len());
    for input in &asked {
        // A table of any width takes what the signature has, if it is the only input.
        intakes.push(intake(input, (asked.len() == 1).then_some(whole))?);
    }
    let width: usize = intakes.iter().map(|intake: &Intake| intake.width).sum();
    if width != whole {
        return Err(format!("it takes {width} values in each row, and the signature has {whole} inputs"));
    }
    let mut inputs = signature.inputs.iter();
    for intake in &intakes {
        let taken = inputs.by_ref().take(intake.width);
        let whole = matches!(intake.kind, IntakeKind::Whole | IntakeKind::ShortWhole);
        for input in taken.filter(|_| whole) {
            if input.default.is_none() || input.categories.is_none() {
                let name = &input.name;
                return Err(format!(
                    "it takes whole numbers for {name:?}: declare a category with a default, for what is missing"
                ));
            }
        }
    }
    Ok(intakes)
}

fn intake(input: &ValueInfoProto, width_if_open: Option<usize>) -> Result<Intake, String> {
    let name = &input.name;
    let Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), .. }) = &input.r#type else {
        return Err(format!("its input {name:?} is no tensor"));
    };
    let kind = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => IntakeKind::Single,
        Ok(DataType::Double) => IntakeKind::Double,
        Ok(DataType::Int64) => IntakeKind::Whole,
        Ok(DataType::Int32) => IntakeKind::ShortWhole,
        _ => return Err(format!("its input {name:?} takes neither numbers nor whole numbers")),
    };
    let dimensions = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let (flat, width) = match dimensions {
        [_] => (true, Some(1)),
        [_, columns] => (false, declared_width(columns)?.or(width_if_open)),
        [] => (false, width_if_open),
        _ => return Err(format!("its input {name:?} has {} dimensions, and rows have two", dimensions.len())),
    };
    let width = width.ok_or_else(|| format!("its input {name:?} does not say how many values it takes"))?;
    if width == 0 {
        return Err(format!("its input {name:?} takes no values"));
    }
    Ok(Intake { kind, width, flat })
}

fn declared_width(columns: &tensor_shape_proto::Dimension) -> Result<Option<usize>, String> {
    match columns.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(width)) if width > 0 => {
            usize::try_from(width).map(Some).map_err(|_| format!("one of its inputs takes {width} values"))
        }
        _ => Ok(None),
    }
}

/// Leaves out what tract would read and nobody needs.
fn simplify(graph: &mut GraphProto) {
    let held: HashSet<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
    graph.input.retain(|input| !held.contains(&input.name));
    graph.value_info.clear();
    graph.quantization_annotation.clear();
    graph.output.iter_mut().for_each(|output| output.r#type = None);
    for input in &mut graph.input {
        if let Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), .. }) = &mut input.r#type {
            tensor.shape = None;
        }
    }
}
