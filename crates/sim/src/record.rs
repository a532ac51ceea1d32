//! What leaves the simulation: one record for each event, shaped as the pipelines declare it. The truth is never in here.

use domain::Timestamp;
use serde::Serialize;

/// Events of a city come on these topics.
pub const CITY_TOPICS: [&str; 4] = [ORDERS, RIDERS, STORES, AREAS];
/// Events of a fleet come on this one.
pub const FLEET_TOPIC: &str = "positions";

pub(crate) const ORDERS: &str = "orders";
pub(crate) const RIDERS: &str = "riders";
pub(crate) const STORES: &str = "stores";
pub(crate) const AREAS: &str = "areas";

/// Where the time of an event stands in a payload: it is always the first member, and always as long.
const TIME_FROM: usize = r#"{"occurred_at":""#.len();
const TIME_NAME: &str = "occurred_at";
const TIME_TO: usize = TIME_FROM + "2026-03-01T18:30:00.250Z".len();

/// One event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic, which is also the source's name in the pipeline.
    pub topic: &'static str,
    /// The key of the record.
    pub key: String,
    /// When it happened, as its producer believes.
    pub occurred_at: Timestamp,
    /// When it arrives: the append time of a log.
    pub at: Timestamp,
    /// A JSON object, unless it was broken on the way.
    pub payload: Vec<u8>,
}

impl Record {
    /// The record as a line of a history file, which says its source and arrival beside the event.
    pub fn line(&self) -> Vec<u8> {
        let mut line = format!("{{\"_source\":\"{}\",\"_at\":\"{}\",", self.topic, self.at).into_bytes();
        line.extend(self.payload.iter().skip(1));
        line.push(b'\n');
        line
    }

    pub(crate) fn new(topic: &'static str, key: String, at: Timestamp, payload: Vec<u8>) -> Self {
        Self { topic, key, occurred_at: at, at, payload }
    }

    /// The same event with another time: what a device with a wrong clock would have written, or a world that lives faster.
    pub fn stamp(&mut self, occurred_at: Timestamp) {
        self.occurred_at = occurred_at;
        // Years have four digits until 9999, so the text is as long as the one before.
        if let Ok(text) = occurred_at.to_string().as_bytes().try_into() {
            self.write_time(text);
        }
    }

    /// Writes over the time of the event.
    pub(crate) fn write_time(&mut self, text: &[u8; TIME_TO - TIME_FROM]) {
        self.payload[TIME_FROM..TIME_TO].copy_from_slice(text);
    }

    /// Writes over the name of the time.
    pub(crate) fn rename_time(&mut self) {
        let name = TIME_NAME.len();
        self.payload[2..2 + name].copy_from_slice(&[b'x'; TIME_NAME.len()]);
    }
}

/// The members of an event of any kind; absent ones are not written.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Body<'a> {
    /// Has to stay first. Written by `write`, as are the next two.
    pub(crate) occurred_at: String,
    pub(crate) id: String,
    pub(crate) source: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) store_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rider_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) station: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lon: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basket: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weather: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) battery: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<f64>,
}

impl Body<'_> {
    /// The payload of this event. Label and number make its id, and have to be new.
    pub(crate) fn write(mut self, at: Timestamp, (label, number): (&str, u64), source: &'static str) -> Vec<u8> {
        self.occurred_at = at.to_string();
        self.id = format!("{label}e{number}");
        self.source = source;
        // Texts and finite numbers only, so there is nothing that cannot be written.
        serde_json::to_vec(&self).unwrap_or_else(|error| panic!("an event of plain members became no JSON: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_772_366_400_000);

    fn check(record: &Record, expected: &str) {
        assert_eq!(String::from_utf8(record.line()).unwrap(), expected);
    }

    #[test]
    fn a_line_says_where_it_belongs_and_a_clock_can_be_wrong() {
        let body = Body { kind: Some("store.settings_changed"), store_id: Some("42"), capacity: Some(3), ..Body::default() };
        let mut record = Record::new(STORES, "42".to_owned(), NOON, body.write(NOON, ("", 7), "store-pos"));
        let told = |_at: &str, occurred_at: &str| {
            format!(
                "{{\"_source\":\"stores\",\"_at\":\"{_at}\",\"occurred_at\":\"{occurred_at}\",\"id\":\"e7\",\"source\":\"store-pos\",\
                 \"type\":\"store.settings_changed\",\"store_id\":\"42\",\"capacity\":3}}\n"
            )
        };
        check(&record, &told("2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000Z"));
        record.stamp(Timestamp(NOON.0 - 1500));
        check(&record, &told("2026-03-01T12:00:00.000Z", "2026-03-01T11:59:58.500Z"));
    }
}
