//! An Avro schema as a table of types that refer to each other by place: names are resolved, and a type may contain itself.

use serde_json::Value;

/// Place of a type in [`Schema::types`].
pub(super) type TypeId = usize;

/// A schema that records can be read with.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(super) types: Vec<Type>,
    pub(super) root: TypeId,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    /// Two's complement in a fixed number of bytes, or in as many as it takes.
    Decimal {
        size: Option<usize>,
        scale: u32,
    },
    /// Sixteen bytes.
    Uuid,
    /// Days since 1970.
    Date,
    /// An instant, in parts of a second since 1970.
    Instant(Part),
    /// A date and a time of day that belong to no zone, in parts of a second.
    Local(Part),
    Enum(Vec<Symbol>),
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Vec<Field>),
    /// A name that is declared and whose type is not read to its end yet; none is left in a schema.
    Open,
}

/// In how small parts a second is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Milli,
    Micro,
    Nano,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symbol {
    pub(super) name: String,
    /// As it stands in JSON.
    pub(super) json: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    /// The name as it stands in JSON, with its colon.
    pub(super) lead: Vec<u8>,
    pub(super) kind: TypeId,
    /// What a writer puts in for a member that is not there.
    pub(super) default: Option<Value>,
}

impl Part {
    pub(super) fn per_second(self) -> i64 {
        match self {
            Self::Milli => 1_000,
            Self::Micro => 1_000_000,
            Self::Nano => 1_000_000_000,
        }
    }
}
