//! Attributes of a node by their names, with the types that they should have. Knows nothing of trees.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

/// The attributes of one node.
pub(super) struct Declared<'a>(&'a [AttributeProto]);

impl<'a> Declared<'a> {
    pub(super) fn new(node: &'a NodeProto) -> Result<Self, String> {
        let mut names: Vec<&str> = node.attribute.iter().map(|attribute| attribute.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("the attribute {} is there twice", pair[0])),
            None => Ok(Self(&node.attribute)),
        }
    }

    fn get(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// Empty where the attribute is not there.
    pub(super) fn wholes(&self, name: &str) -> &'a [i64] {
        self.get(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub(super) fn floats(&self, name: &str) -> &'a [f32] {
        self.get(name).map_or(&[], |attribute| &attribute.floats)
    }

    pub(super) fn texts(&self, name: &str) -> &'a [Vec<u8>] {
        self.get(name).map_or(&[], |attribute| &attribute.strings)
    }

    /// A single number. One that was not said is none, though the format writes it as 0.
    pub(super) fn whole(&self, name: &str) -> Result<Option<i64>, String> {
        const INT: i32 = 2;
        Ok(self.get(name).filter(|attribute| attribute.r#type == INT).map(|attribute| attribute.i))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.get(name).filter(|attribute| !attribute.s.is_empty()) {
            None => Ok(None),
            Some(attribute) => std::str::from_utf8(&attribute.s).map(Some).map_err(|_| format!("{name} is no text")),
        }
    }

    /// As many numbers as there are nodes or leaves.
    pub(super) fn wholes_of(&self, name: &str, count: usize) -> Result<&'a [i64], String> {
        exactly(name, self.wholes(name), count)
    }

    /// As many numbers as there are nodes, or none at all: then each is 0.
    pub(super) fn flags(&self, name: &str, count: usize) -> Result<Vec<bool>, String> {
        match self.wholes(name) {
            [] => Ok(vec![false; count]),
            flags => Ok(exactly(name, flags, count)?.iter().map(|flag| *flag != 0).collect()),
        }
    }

    /// The numbers of a tensor, or nothing where there is none.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<Vec<f64>>, String> {
        let Some(tensor) = self.get(name).and_then(|attribute| attribute.t.as_ref()) else { return Ok(None) };
        numbers(tensor).map(Some).map_err(|reason| format!("{name} {reason}"))
    }

    /// Single bytes of a tensor.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let Some(tensor) = self.get(name).and_then(|attribute| attribute.t.as_ref()) else { return Ok(Vec::new()) };
        if tensor.data_type != DataType::Uint8 as i32 {
            return Err(format!("{name} is not of type uint8"));
        }
        if tensor.raw_data.is_empty() {
            let bytes = tensor.int32_data.iter().map(|byte| u8::try_from(*byte));
            return bytes.collect::<Result<_, _>>().map_err(|_| format!("{name} holds more than bytes"));
        }
        Ok(tensor.raw_data.clone())
    }
}

/// As many as there should be.
pub(super) fn exactly<'a, T>(name: &str, values: &'a [T], count: usize) -> Result<&'a [T], String> {
    if values.len() == count {
        return Ok(values);
    }
    Err(format!("{name} has {} values where there should be {count}", values.len()))
}

fn numbers(tensor: &TensorProto) -> Result<Vec<f64>, String> {
    let raw = &tensor.raw_data;
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) if raw.is_empty() => Ok(tensor.float_data.iter().map(|value| f64::from(*value)).collect()),
        Ok(DataType::Double) if raw.is_empty() => Ok(tensor.double_data.clone()),
        Ok(DataType::Float) => split(raw, |bytes| f64::from(f32::from_le_bytes(bytes))),
        Ok(DataType::Double) => split(raw, f64::from_le_bytes),
        _ => Err("is neither of type float nor of type double".into()),
    }
}

fn split<const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> f64) -> Result<Vec<f64>, String> {
    let (chunks, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err("ends in the middle of a number".into());
    }
    Ok(chunks.iter().map(|bytes| number(*bytes)).collect())
}
