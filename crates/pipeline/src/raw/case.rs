//! What is predicted, as written: a case, the events that move it, its row, its model and what is said without one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawCalibration, RawComputed, RawCorrector, RawPromise, SpanText, Sql};

/// A case: something that begins, moves through stages and ends. What is predicted is when its last stage comes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Case")]
pub(crate) struct RawCase {
    /// What predictions are about: the `order` of `order:o1`.
    #[schemars(required)]
    pub(crate) entity: Option<String>,
    /// A case that has not ended after this never will; at most 30d.
    #[schemars(required)]
    pub(crate) longest: Option<SpanText>,
    /// The attribute by which errors are corrected and calibrated; all cases together when left out.
    pub(crate) area: Option<String>,
    /// Entities whose columns are part of the row, by type: the attribute that has the key of each.
    #[serde(default)]
    pub(crate) entities: BTreeMap<String, String>,
    /// Shorter and longer times are mistakes and teach nothing; from nothing to `longest` when left out.
    pub(crate) label: Option<[SpanText; 2]>,
    /// The time zone of local time: an IANA name such as "Europe/Vienna", or an offset such as "+05:30"; "UTC" when left out.
    pub(crate) zone: Option<String>,
    /// The days on which `is_holiday` holds, such as "2026-12-25".
    #[serde(default)]
    pub(crate) holidays: Vec<String>,
    /// The stages, at least two, in the order in which they are written: the first opens a case, the last closes it.
    #[schemars(required)]
    #[serde(default)]
    pub(crate) stages: BTreeMap<String, RawMove>,
    /// What ends a case without its last stage, by name.
    #[serde(default)]
    pub(crate) ends: BTreeMap<String, RawMove>,
    /// What a case carries, by name.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, RawAttribute>,
    /// When a prediction is made; at every stage but the last when left out.
    pub(crate) triggers: Option<RawTriggers>,
    /// Values computed for a case, by name: a SQL expression over the columns of its row and other inputs, or what `shrink` says.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, RawComputed>,
    /// What the model is called and takes; without it every prediction is a fallback.
    pub(crate) model: Option<RawModel>,
    /// What is said when no model can be asked: the first whose value is known. The last needs no column.
    #[schemars(required)]
    pub(crate) fallback: Option<Vec<RawFallback>>,
    /// How one time is promised out of a prediction.
    pub(crate) promise: Option<RawPromise>,
    /// How predictions follow what is going on at present.
    pub(crate) corrector: Option<RawCorrector>,
    /// How the quantiles of predictions come to hold what they say.
    pub(crate) calibration: Option<RawCalibration>,
}

/// An event that moves a case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Move")]
pub(crate) struct RawMove {
    /// The stream with the events; its key is the key of the case.
    #[schemars(required)]
    pub(crate) source: Option<String>,
    /// Condition that the event meets; every event does when left out.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Sql>,
    /// The field with the key of the case, which is the stream's key; only needed where its name is not that of the first stage.
    pub(crate) key: Option<String>,
}

/// What a case carries: a field, told by every stream of a stage or end that has it, or the fields by stream where their names differ.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Attribute")]
pub(crate) enum RawAttribute {
    /// One name in all streams.
    Field(String),
    /// The field of each stream.
    Fields(BTreeMap<String, String>),
}

/// When a prediction is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Triggers")]
pub(crate) struct RawTriggers {
    /// The stages that make one when a case reaches them; every stage but the last when left out.
    pub(crate) stages: Option<Vec<String>>,
    /// And so often while a case is open, at least 10s; never when left out.
    pub(crate) every: Option<SpanText>,
}

/// What the model is called and takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Model")]
pub(crate) struct RawModel {
    /// Its name, the same for all versions.
    #[schemars(required)]
    pub(crate) name: Option<String>,
    /// The columns of the row that it takes, in its order.
    #[schemars(required)]
    pub(crate) inputs: Option<Vec<String>>,
}

/// What is said without a model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fallback")]
pub(crate) struct RawFallback {
    /// What a prediction says of why it is one.
    #[schemars(required)]
    pub(crate) name: Option<String>,
    /// The median of the seconds that are left until the last stage: a SQL expression over the columns of the row.
    #[schemars(required)]
    pub(crate) seconds: Option<Sql>,
    /// What stays below 10, 50, 80 and 90 in a hundred as multiples of the median, such as [0.7, 1.0, 1.3, 1.6].
    #[schemars(required)]
    pub(crate) spread: Option<[f64; 4]>,
}
