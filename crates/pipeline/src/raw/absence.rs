//! Absences, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{SpanText, Sql};

/// A time of day on a wall clock: hours and minutes, such as "06:30".
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TimeOfDay", extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
pub(crate) struct ClockText(pub(crate) String);

/// An absence: emits one row when an event that has to come does not, and takes it back when it comes late.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Absence", extend("oneOf" = [{"required": ["within"]}, {"required": ["by", "longest"]}]))]
pub(crate) struct RawAbsence {
    /// The stream with the events.
    #[schemars(required)]
    pub(crate) from: Option<String>,
    /// The field that says of whom something is missing; the topic's key.
    #[schemars(required)]
    pub(crate) key: Option<String>,
    /// Condition of the events that have to come; any will do when left out.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Sql>,
    /// How much time may pass between two events.
    pub(crate) within: Option<SpanText>,
    /// Within: the only hours of a day that count, from and to; the whole day when left out.
    pub(crate) active: Option<[ClockText; 2]>,
    /// The time of day at which an event has to be there.
    pub(crate) by: Option<ClockText>,
    /// By: when the day begins; "00:00" when left out.
    pub(crate) begin: Option<ClockText>,
    /// By which local time; "UTC" when left out.
    pub(crate) zone: Option<RawZone>,
    /// How long after the last event of a key its absence is still news.
    pub(crate) longest: Option<SpanText>,
    /// How many keys there are at most, for the memory arithmetic; 100000 when left out.
    #[schemars(range(min = 1))]
    pub(crate) entities: Option<u64>,
    /// The topic that is told, without the pipeline's prefix; none when left out.
    pub(crate) topic: Option<String>,
}

/// A time zone: an IANA name such as "Europe/Vienna", an offset such as "+05:30", or the field that names one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Zone")]
pub(crate) enum RawZone {
    /// One for all keys.
    Name(String),
    /// Another for each key.
    Field(RawZoneField),
}

/// The field of the event that names the zone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ZoneField")]
pub(crate) struct RawZoneField {
    /// A string field with a name or an offset; UTC where it is null or neither.
    #[schemars(required)]
    pub(crate) field: Option<String>,
}
