//! How predictions are promised, corrected and calibrated, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SpanText;

/// How one time is promised out of a prediction.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Promise")]
pub(crate) struct RawPromise {
    /// The share of promises that shall be kept, 0.5 to 0.9; what the two costs give when left out.
    pub(crate) quantile: Option<f64>,
    /// What a minute costs by which somebody waits longer than promised; 4 when left out.
    pub(crate) later_cost: Option<f64>,
    /// What a minute costs by which it comes earlier than promised; 1 when left out.
    pub(crate) earlier_cost: Option<f64>,
    /// Promises are whole multiples of this; "5m" when left out.
    pub(crate) round_to: Option<SpanText>,
    /// A promise moves by at least this; "5m" when left out.
    pub(crate) change_min: Option<SpanText>,
}

/// How predictions follow what is going on at present.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Corrector")]
pub(crate) struct RawCorrector {
    /// After this an error weighs half; "2h" when left out.
    pub(crate) half_life: Option<SpanText>,
    /// With so many cases what an area says and what all say weigh the same; 20 when left out.
    pub(crate) strength: Option<f64>,
    /// No prediction is moved by more than this; "20m" when left out.
    pub(crate) adjustment_max: Option<SpanText>,
}

/// How the quantiles of predictions come to hold what they say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Calibration")]
pub(crate) struct RawCalibration {
    /// The first step of an offset; "2m" when left out.
    pub(crate) step_first: Option<SpanText>,
    /// The shortest step of an offset; "10s" when left out.
    pub(crate) step_last: Option<SpanText>,
    /// No offset is larger; "1h" when left out.
    pub(crate) offset_max: Option<SpanText>,
    /// With so many cases the offsets of an area and those of all weigh the same; 50 when left out.
    pub(crate) strength: Option<f64>,
}
