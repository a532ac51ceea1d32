//! A spec as it is written, before anything is looked up. The doc comments are the descriptions of the JSON Schema.
//!
//! Everything is optional here: what is missing is reported by the structure check (which reads the schema) or by the
//! resolver, both of which know the line.

mod absence;
mod case;
mod computed;
mod example;
mod feature;
mod group;
mod rules;
mod source;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use absence::{ClockText, RawAbsence, RawZone};
pub(crate) use case::{RawAttribute, RawCase, RawFallback, RawModel, RawMove, RawTriggers};
pub(crate) use computed::{RawComputed, RawEvidence, RawShrunk};
pub(crate) use example::{RawExample, RawExpected, RawTold};
pub(crate) use feature::{AGGREGATORS, RawFeature};
pub(crate) use group::{RawGroup, RawWhenOutdated};
pub(crate) use rules::{RawCalibration, RawCorrector, RawPromise};
pub(crate) use source::{FieldType, NumberText, RawEncoding, RawField, RawFieldTable, RawPair, RawSource, RawTable};

/// A length of time: a whole number and one of ms, s, m, h, d, such as "30s".
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Span", extend("pattern" = "^[0-9]+(ms|s|m|h|d)$"))]
pub(crate) struct SpanText(pub(crate) String);

/// A size: a whole number and one of KiB, MiB, GiB, TiB, such as "2GiB".
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Size", extend("pattern" = "^[0-9]+(KiB|MiB|GiB|TiB)$"))]
pub(crate) struct SizeText(pub(crate) String);

/// A step: "1", "0.1", "0.01" and so on to "0.000000001".
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Step", extend("pattern" = "^(1|0\\.0{0,8}1)$"))]
pub(crate) struct StepText(pub(crate) String);

/// A SQL expression.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Sql(pub(crate) String);

/// A pipeline: what a business declares about its events and the features made of them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Headway pipeline")]
pub(crate) struct RawPipeline {
    /// A short name for people.
    #[serde(rename = "title")]
    pub(crate) _title: Option<String>,
    /// A few sentences for people.
    #[serde(rename = "description")]
    pub(crate) _description: Option<String>,
    /// What the pipeline may use.
    pub(crate) limits: RawLimits,
    /// Where events, durations and rows come from, by name.
    pub(crate) source: BTreeMap<String, RawSource>,
    /// Groups of features that share entity, source and hop, by name.
    pub(crate) group: BTreeMap<String, RawGroup>,
    /// Values computed from features, by name: a SQL expression over feature columns and other transforms, or what `shrink` says.
    pub(crate) transform: BTreeMap<String, RawComputed>,
    /// What is predicted, if anything is.
    pub(crate) case: Option<RawCase>,
    /// Events in, expected features out.
    pub(crate) test: Vec<RawExample>,
}

/// What a pipeline may use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Limits")]
pub(crate) struct RawLimits {
    /// The most memory that live state may take; 1GiB when left out.
    pub(crate) memory: Option<SizeText>,
}
