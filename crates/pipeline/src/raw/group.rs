//! Groups, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawFeature, SpanText, Sql};

/// A group: features of one entity type from one source, with one hop, stored as one vector.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Group")]
pub(crate) struct RawGroup {
    /// The entity type: the `store` of `store:42`.
    #[schemars(required)]
    pub(crate) entity: Option<String>,
    /// Which entity an event belongs to: a SQL expression that gives a text or a number.
    #[schemars(required)]
    pub(crate) key: Option<Sql>,
    /// The source of the events.
    #[schemars(required)]
    pub(crate) source: Option<String>,
    /// The grain of the windows' tails, 1s to 1d; needed as soon as a feature has windows.
    pub(crate) hop: Option<SpanText>,
    /// Condition that all events of the group meet.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Sql>,
    /// How long an outdated vector may wait to be rewritten; one hop when left out.
    pub(crate) tolerance: Option<SpanText>,
    /// What a reader does with a vector that is outdated by more than the tolerance; "serve" when left out.
    pub(crate) when_outdated: Option<RawWhenOutdated>,
    /// How long vectors and values without a window outlive the last event; 7d or the widest window when left out.
    pub(crate) keep: Option<SpanText>,
    /// The most entities that are held at once; 100000 when left out.
    #[schemars(range(min = 1))]
    pub(crate) entities: Option<u64>,
    /// The features, by name.
    #[schemars(required)]
    #[serde(default)]
    pub(crate) features: BTreeMap<String, RawFeature>,
}

/// What a reader does with an outdated vector.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WhenOutdated")]
pub(crate) enum RawWhenOutdated {
    /// Use it, flagged.
    Serve,
    /// Use the defaults of the model signature.
    Default,
    /// Use the last value that was right.
    LastGood,
    /// Answer with an error.
    Refuse,
}
