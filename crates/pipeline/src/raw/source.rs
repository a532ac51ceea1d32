//! Sources and their fields, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawAbsence, SpanText, Sql, StepText};

/// A source: a stream has a `topic`, the derived ones a `pair`, a `table` or an `absence`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Source", extend("oneOf" = [{"required": ["topic", "key", "time", "skew", "lateness"]}, {"required": ["pair"]}, {"required": ["table"]}, {"required": ["absence"]}]))]
pub(crate) struct RawSource {
    /// Stream: the topic's name, without the pipeline's prefix.
    pub(crate) topic: Option<String>,
    /// Stream: how its records are written; "json" when left out. The others come with the schemas of a registry.
    pub(crate) encoding: Option<RawEncoding>,
    /// Stream: the field by which producers partition the topic.
    pub(crate) key: Option<String>,
    /// Stream: the field that says when the event happened.
    pub(crate) time: Option<String>,
    /// Stream: how far in the future an event may be stamped.
    pub(crate) skew: Option<SpanText>,
    /// Stream: how long after its time an event is still taken.
    pub(crate) lateness: Option<SpanText>,
    /// Stream: the longest silence that is still healthy; never silent when left out.
    pub(crate) silent_after: Option<SpanText>,
    /// Stream: how long identities are remembered, at least lateness + skew; that sum in whole minutes when left out.
    pub(crate) dedup: Option<SpanText>,
    /// Stream: events in a second at the peak, for the memory arithmetic; 1000 when left out.
    #[schemars(range(min = 1))]
    pub(crate) peak_per_second: Option<u64>,
    /// Stream: the two fields that identify an event; ["source", "id"] when left out.
    pub(crate) identity: Option<[String; 2]>,
    /// Stream or file: the fields that are read, by name.
    pub(crate) fields: BTreeMap<String, RawField>,
    /// Durations between two events that share a key.
    pub(crate) pair: Option<RawPair>,
    /// The last row for each key, from a stream or a file.
    pub(crate) table: Option<RawTable>,
    /// What did not come in time.
    pub(crate) absence: Option<RawAbsence>,
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Encoding")]
pub(crate) enum RawEncoding {
    /// JSON objects.
    Json,
    /// Avro in the framing of a schema registry.
    Avro,
    /// Protobuf in the framing of a schema registry.
    Protobuf,
}

/// A pair: emits one row with `seconds` for each start that is followed by an end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pair")]
pub(crate) struct RawPair {
    /// The stream with the events.
    #[schemars(required)]
    pub(crate) from: Option<String>,
    /// Condition that a starting event meets.
    #[schemars(required)]
    pub(crate) start: Option<Sql>,
    /// Condition that an ending event meets.
    #[schemars(required)]
    pub(crate) end: Option<Sql>,
    /// The field that both events share.
    #[schemars(required)]
    pub(crate) key: Option<String>,
    /// Longer durations are not emitted.
    #[schemars(required)]
    pub(crate) longest: Option<SpanText>,
}

/// A table: the last row for each key, `from` a stream or from a `file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Table", extend("oneOf" = [{"required": ["from", "longest"]}, {"required": ["file"]}]))]
pub(crate) struct RawTable {
    /// The stream with the rows.
    pub(crate) from: Option<String>,
    /// A file of JSON lines in the pipeline's folder.
    pub(crate) file: Option<String>,
    /// The field that identifies a row.
    #[schemars(required)]
    pub(crate) key: Option<String>,
    /// Condition of events that end a row without beginning one.
    pub(crate) gone: Option<Sql>,
    /// A row without a successor ends after this.
    pub(crate) longest: Option<SpanText>,
    /// Condition that events of the table meet.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Sql>,
}

/// A field's type: "string", "integer", "boolean", "time", or a table that says more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Field")]
pub(crate) enum RawField {
    /// A type by name.
    Name(FieldType),
    /// A type with bounds, a step, a list of values or a computation.
    Table(Box<RawFieldTable>),
}

/// A type by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldType {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// RFC 3339 text or milliseconds since 1970.
    Time,
}

/// A field's type in full: exactly one of `type`, `decimal`, `category` and `cell`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "FieldTable", extend("oneOf" = [{"required": ["type"]}, {"required": ["decimal"]}, {"required": ["category"]}, {"required": ["cell", "resolution"]}]))]
pub(crate) struct RawFieldTable {
    /// A type by name.
    #[serde(rename = "type")]
    pub(crate) named: Option<FieldType>,
    /// A number read exactly as a multiple of this step.
    pub(crate) decimal: Option<StepText>,
    /// A text out of this list.
    pub(crate) category: Option<Vec<String>>,
    /// The H3 cell of a position, given as the fields with latitude and longitude.
    pub(crate) cell: Option<[String; 2]>,
    /// Cell: the H3 resolution, 0 (continents) to 15 (a square metre).
    #[schemars(range(max = 15))]
    pub(crate) resolution: Option<u8>,
    /// Number: the smallest value that is taken.
    pub(crate) min: Option<NumberText>,
    /// Number: the largest value that is taken.
    pub(crate) max: Option<NumberText>,
    /// Decimal: whether a number between two steps is rounded instead of refused.
    pub(crate) round: Option<bool>,
    /// Whether an event without the field is refused.
    pub(crate) required: Option<bool>,
}

/// A number, or its exact text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Number")]
pub(crate) enum NumberText {
    /// A number.
    Number(f64),
    /// The text of a number.
    Text(String),
}
