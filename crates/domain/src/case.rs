//! What a case carries, whoever tells of it. Which attributes there are the pipeline declares.

use crate::Value;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Carried {
    /// A key.
    Text(Box<str>),
    /// A value of the row.
    Value(Value),
}
