//! A pipeline's own tests, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// One of a pipeline's own tests: events in, expected features out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Test")]
pub(crate) struct RawExample {
    /// What the test shows.
    #[schemars(required)]
    pub(crate) name: Option<String>,
    /// A file of JSON lines in the pipeline's folder; `_source` and `_at` may stand beside the event's own fields.
    #[schemars(required)]
    pub(crate) events: Option<String>,
    /// The instant of the features, RFC 3339; one millisecond after the last event when left out.
    pub(crate) at: Option<String>,
    /// Expected values: entity, then column or transform; "null" for none.
    #[serde(default)]
    pub(crate) expect: BTreeMap<String, BTreeMap<String, RawExpected>>,
    /// Number of refused records by reason; when given, all reasons must be.
    pub(crate) refused: Option<BTreeMap<String, u64>>,
    /// What is told of absences; when given, all of it must be. In any order.
    pub(crate) absences: Option<Vec<RawTold>>,
}

/// An absence that is told, or taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Told")]
pub(crate) struct RawTold {
    /// The absence, a source.
    #[schemars(required)]
    pub(crate) source: Option<String>,
    /// Of whom something is missing.
    #[schemars(required)]
    pub(crate) key: Option<String>,
    /// When it should have come, RFC 3339.
    #[schemars(required)]
    pub(crate) due: Option<String>,
    /// Whether a late event shows that it had; false when left out.
    #[serde(default)]
    pub(crate) taken_back: bool,
}

/// An expected value: a number, true or false, a category, a time, or "null".
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Expected")]
pub(crate) enum RawExpected {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A category, a time, or "null".
    Text(String),
}
