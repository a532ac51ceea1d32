//! What a file takes in memory once it is decoded, known before it is: an empty message is two bytes in the file and some hundred in
//! memory, so a file within its limit could take gigabytes. Reads the wire format of Protocol Buffers alone, keeps nothing of it, and
//! never recurses. What a number or a text says is not looked at.

use tract_onnx::pb;

/// Beside its letters, a text takes its place in a list and what the allocator adds.
const TEXT_BYTES: u64 = 40;
/// As wide as the widest: a list of whole numbers has one byte for each in the file.
const NUMBER_BYTES: u64 = 8;
/// Exporters nest six messages: model, graph, node, attribute, tensor, segment. The decoder itself gives up at a hundred.
const DEPTH_MAX: usize = 12;

/// Messages of the format, as far as there are fields in them that take memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    Value,
    Type,
    TensorType,
    Shape,
    Annotation,
    Training,
    Function,
    /// A dimension, an entry, a segment, a set of operators: numbers and texts alone.
    Plain,
}

/// What a field of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Message(Message),
    /// Letters or bytes.
    Text,
    /// Whole numbers of one to ten bytes each.
    Wholes,
    /// Numbers that take as many bytes in memory.
    Fixed,
    /// Skipped by whoever decodes.
    Unknown,
}

/// A message that is being read.
#[derive(Clone, Copy)]
struct Open {
    message: Message,
    end: usize,
}

/// Refuses a file that would take more memory than this, or that is none of the format. Lists are twice as large for a moment while
/// they grow.
pub(super) fn check(bytes: &[u8], memory_bytes_max: u64) -> Result<(), String> {
    weigh(bytes, memory_bytes_max).map(drop)
}

fn weigh(bytes: &[u8], memory_bytes_max: u64) -> Result<u64, String> {
    let mut wire = Wire { bytes, at: 0 };
    let mut taken = 0_u64;
    let mut open = vec![Open { message: Message::Model, end: bytes.len() }];
    while let Some(Open { message, end }) = open.last().copied() {
        if wire.at >= end {
            open.pop();
            continue;
        }
        let (field, kind) = wire.tag(end)?;
        match kind {
            0 => {
                wire.number(end)?;
                taken += NUMBER_BYTES;
            }
            1 | 5 => {
                wire.skip(if kind == 1 { 8 } else { 4 }, end)?;
                taken += NUMBER_BYTES;
            }
            2 => {
                let content = wire.content(end)?;
                let field = field_of(message, field);
                taken += weight(field, content);
                match field {
                    Field::Message(_) if open.len() == DEPTH_MAX => {
                        return Err(format!("its messages are nested more than {DEPTH_MAX} deep"));
                    }
                    Field::Message(message) => open.push(Open { message, end: wire.at + content.len() }),
                    _ => wire.at += content.len(),
                }
            }
            _ => return Err(damaged()),
        }
        if taken > memory_bytes_max {
            return Err(format!("it would take more than {memory_bytes_max} bytes of memory to read, which is the most"));
        }
    }
    Ok(taken)
}

fn damaged() -> String {
    "it is not an ONNX file, or a part of one".into()
}

/// How much memory a field with this content takes at most, without the fields within it.
fn weight(field: Field, content: &[u8]) -> u64 {
    let bytes = content.len() as u64;
    match field {
        Field::Message(message) => size(message) as u64,
        Field::Text => TEXT_BYTES + bytes,
        Field::Wholes => NUMBER_BYTES * content.iter().filter(|byte| **byte < 0x80).count() as u64,
        Field::Fixed => bytes,
        Field::Unknown => 0,
    }
}

/// What a message takes in a list.
fn size(message: Message) -> usize {
    match message {
        Message::Model => size_of::<pb::ModelProto>(),
        Message::Graph => size_of::<pb::GraphProto>(),
        Message::Node => size_of::<pb::NodeProto>(),
        Message::Attribute => size_of::<pb::AttributeProto>(),
        Message::Tensor => size_of::<pb::TensorProto>(),
        Message::SparseTensor => size_of::<pb::SparseTensorProto>(),
        Message::Value => size_of::<pb::ValueInfoProto>(),
        Message::Type | Message::TensorType | Message::Shape => size_of::<pb::TypeProto>(),
        Message::Annotation => size_of::<pb::TensorAnnotation>(),
        Message::Training => size_of::<pb::TrainingInfoProto>(),
        Message::Function => size_of::<pb::FunctionProto>(),
        Message::Plain => size_of::<pb::StringStringEntryProto>().max(size_of::<pb::tensor_shape_proto::Dimension>()),
    }
}

/// The fields of the format that have a length, by their numbers.
fn field_of(message: Message, number: u64) -> Field {
    use Message::*;
    let nested = |message| Field::Message(message);
    match (message, number) {
        (Model, 7) => nested(Graph),
        (Model, 8 | 14) => nested(Plain),
        (Model, 20) => nested(Training),
        (Model, 25) => nested(Function),
        (Graph, 1) => nested(Node),
        (Graph, 5) => nested(Tensor),
        (Graph, 11..=13) => nested(Value),
        (Graph, 14) => nested(Annotation),
        (Graph, 15) => nested(SparseTensor),
        (Node, 5) => nested(Attribute),
        (Attribute, 5 | 10) => nested(Tensor),
        (Attribute, 6 | 11) => nested(Graph),
        (Attribute, 15) => nested(Type),
        (Attribute, 22 | 23) => nested(SparseTensor),
        (Attribute, 8) => Field::Wholes,
        (Attribute, 7) => Field::Fixed,
        (Tensor, 3 | 13) => nested(Plain),
        (Tensor, 1 | 5 | 7 | 11) => Field::Wholes,
        (Tensor, 4 | 10) => Field::Fixed,
        (SparseTensor, 1 | 2) => nested(Tensor),
        (SparseTensor, 3) => Field::Wholes,
        (Value, 2) => nested(Type),
        (Type, 1) => nested(TensorType),
        (TensorType, 2) => nested(Shape),
        (Shape, 1) => nested(Plain),
        (Annotation, 2) => nested(Plain),
        (Training, 1 | 2) => nested(Graph),
        (Training, 3 | 4) => nested(Plain),
        (Function, 7) => nested(Node),
        (Function, 9) => nested(Plain),
        // What is unknown to the decoder counts as well: nothing is lost by that.
        (_, 1..=30) => Field::Text,
        _ => Field::Unknown,
    }
}

/// Where the reading is.
struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Wire<'a> {
    /// The number of a field, and how it is written.
    fn tag(&mut self, end: usize) -> Result<(u64, u64), String> {
        let tag = self.number(end)?;
        Ok((tag >> 3, tag & 7))
    }

    fn number(&mut self, end: usize) -> Result<u64, String> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes[..end].get(self.at).ok_or_else(damaged)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    fn skip(&mut self, count: usize, end: usize) -> Result<(), String> {
        self.at += count;
        if self.at <= end { Ok(()) } else { Err(damaged()) }
    }

    /// What a length stands before; the reading stays at its beginning.
    fn content(&mut self, end: usize) -> Result<&'a [u8], String> {
        let length = usize::try_from(self.number(end)?).map_err(|_| damaged())?;
        let content = self.bytes[self.at..end].get(..length);
        content.ok_or_else(damaged)
    }
}

#[cfg(test)]
mod tests;
