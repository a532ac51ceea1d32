//! Values computed from a row, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Sql;

/// A SQL expression, or a value that is shrunk towards broader ones.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Computed")]
pub(crate) enum RawComputed {
    /// A SQL expression.
    Sql(Sql),
    /// A value that is shrunk towards broader ones.
    Shrunk(RawShrunk),
}

/// A value that is shrunk towards broader ones: the less it is made of, the more it is held back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Shrunk")]
pub(crate) struct RawShrunk {
    /// Values from narrow to broad, such as those of a store, of its area and of everybody: each is shrunk towards the next one.
    #[schemars(required)]
    pub(crate) shrink: Option<Vec<RawEvidence>>,
}

/// One of the values: `{ value = "prep_mean_28d", count = "preps_28d", strength = 20 }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Evidence")]
pub(crate) struct RawEvidence {
    /// A number: a SQL expression like any other.
    #[schemars(required)]
    pub(crate) value: Option<Sql>,
    /// How many observations it is made of: a SQL expression. Only the broadest value may do without; it counts wherever it is known.
    pub(crate) count: Option<Sql>,
    /// With so many observations the value and what is broader weigh the same; above 0. The broadest value has none.
    pub(crate) strength: Option<f64>,
}
