//! The numbers that a model brings, in initializers and attributes: as many as their shape says, of a known type, in the file itself.
//! How much memory they take is known by then, see `wire`.

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, TensorProto};

/// Weights of a layer have two dimensions; the fused ones of some exporters a few more.
const DIMENSIONS_MAX: usize = 8;

/// Checks all numbers of a graph.
pub(super) fn check(graph: &GraphProto) -> Result<(), String> {
    graph.initializer.iter().try_for_each(|tensor| check_tensor(tensor, false))?;
    for attribute in graph.node.iter().flat_map(|node| &node.attribute) {
        if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() || !attribute.tensors.is_empty() {
            return Err(format!("the attribute {} holds tensors of a kind that is not read here", attribute.name));
        }
        attribute.t.iter().try_for_each(|tensor| check_tensor(tensor, true))?;
    }
    Ok(())
}

/// Whether a tensor is whole. In attributes of trees some exporters leave the shape out: then it is a list.
fn check_tensor(tensor: &TensorProto, shape_is_optional: bool) -> Result<(), String> {
    let fault = |reason: String| Err(format!("the tensor {:?} {reason}", tensor.name));
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return fault("lies in a file of its own: export the model as one file".into());
    }
    let kind = DataType::try_from(tensor.data_type);
    let (size, listed) = match kind {
        Ok(DataType::Float) => (4, tensor.float_data.len()),
        Ok(DataType::Double) => (8, tensor.double_data.len()),
        Ok(DataType::Int64) => (8, tensor.int64_data.len()),
        Ok(DataType::Int32) => (4, tensor.int32_data.len()),
        Ok(DataType::Uint8 | DataType::Bool) => (1, tensor.int32_data.len()),
        _ => return fault(format!("has the type {}, which is not read here", tensor.data_type)),
    };
    let raw = tensor.raw_data.len();
    if !raw.is_multiple_of(size) || (raw > 0 && listed > 0) {
        return fault("has numbers twice, or ends in the middle of one".into());
    }
    let there = if raw > 0 { raw / size } else { listed };
    if tensor.dims.len() > DIMENSIONS_MAX {
        return fault(format!("has {} dimensions, and {DIMENSIONS_MAX} is the most", tensor.dims.len()));
    }
    let declared = tensor.dims.iter().try_fold(1_u64, |count, side| count.checked_mul(u64::try_from(*side).ok()?));
    let is_list = shape_is_optional && tensor.dims.is_empty();
    if declared != Some(there as u64) && !is_list {
        return fault(format!("has {there} numbers, and its shape {:?} says otherwise", tensor.dims));
    }
    // A product of sides with a zero in it says nothing about the others, and memory is taken by them.
    if there == 0 && !is_list {
        return fault("is empty".into());
    }
    Ok(())
}
