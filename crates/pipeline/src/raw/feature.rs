//! Features, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{SpanText, Sql, StepText};

/// The keys of a feature that say how it aggregates.
pub(crate) const AGGREGATORS: [&str; 15] = [
    "count",
    "rate",
    "sum",
    "mean",
    "min",
    "max",
    "std",
    "first",
    "last",
    "ewma",
    "quantile",
    "distinct",
    "top",
    "open_count",
    "travel",
];

/// A feature: exactly one aggregator, over one or more windows. Its columns are named `feature_window`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Feature", transform = one_aggregator)]
pub(crate) struct RawFeature {
    /// Number of events for which the condition holds; "*" for all.
    pub(crate) count: Option<Sql>,
    /// Number of events for which the condition holds, `per` span.
    pub(crate) rate: Option<Sql>,
    /// Sum of a number.
    pub(crate) sum: Option<Sql>,
    /// Mean of a number, or the share of events for which a condition holds.
    pub(crate) mean: Option<Sql>,
    /// Smallest number or earliest time.
    pub(crate) min: Option<Sql>,
    /// Largest number or latest time.
    pub(crate) max: Option<Sql>,
    /// Population standard deviation of a number.
    pub(crate) std: Option<Sql>,
    /// Value of the earliest event.
    pub(crate) first: Option<Sql>,
    /// Value of the latest event.
    pub(crate) last: Option<Sql>,
    /// Mean of a number with weights that halve every `half_life`.
    pub(crate) ewma: Option<Sql>,
    /// Quantile `of` a number: 0.9 is the value that nine of ten stay below.
    pub(crate) quantile: Option<f64>,
    /// Number of different values.
    pub(crate) distinct: Option<Sql>,
    /// The `k` most frequent values and their counts.
    pub(crate) top: Option<Sql>,
    /// Number of rows of a table that are open and for which the condition holds; "*" for all.
    pub(crate) open_count: Option<Sql>,
    /// Metres along the positions, given as latitude and longitude.
    pub(crate) travel: Option<[Sql; 2]>,
    /// With `rate`: the span that the count is divided by.
    pub(crate) per: Option<SpanText>,
    /// With `ewma`: the age at which a weight is one half.
    pub(crate) half_life: Option<SpanText>,
    /// With `quantile`: the number.
    pub(crate) of: Option<Sql>,
    /// With `top`: how many values, 1 to 16.
    #[schemars(range(min = 1, max = 16))]
    pub(crate) k: Option<u8>,
    /// The windows, each a multiple of the group's hop.
    pub(crate) windows: Option<Vec<SpanText>>,
    /// Condition that an event must meet.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Sql>,
    /// The step that a computed number is rounded to; a bare field has its own.
    pub(crate) step: Option<StepText>,
    /// What the feature means, for people.
    #[serde(rename = "about")]
    pub(crate) _about: Option<String>,
}

/// Lets editors know what the resolver checks with a better message.
fn one_aggregator(schema: &mut schemars::Schema) {
    let choices = AGGREGATORS.map(|name| serde_json::json!({ "required": [name] }));
    schema.insert("oneOf".into(), serde_json::Value::from(choices.to_vec()));
}
