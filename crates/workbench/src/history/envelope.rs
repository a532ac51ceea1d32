//! The three members of an event that say where it belongs and when: read without looking at the others.

use std::{borrow::Cow, fmt};

use domain::Timestamp;
use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Which stream an event belongs to.
const SOURCE: &str = "_source";
/// When it arrived.
const AT: &str = "_at";

/// What is written around an event.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    /// `_source`.
    pub(super) source: Option<String>,
    /// `_at`, as written.
    pub(super) at: Option<&'a RawValue>,
    /// The member with the event's time, as written.
    pub(super) time: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// None when the bytes are no JSON object.
    pub(super) fn read(payload: &'a [u8], time_field: &str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(payload);
        let envelope = reader.deserialize_map(Members(time_field)).ok()?;
        reader.end().ok()?;
        Some(envelope)
    }
}

/// An instant as RFC 3339 text or as whole milliseconds.
pub(super) fn instant(written: &RawValue) -> Option<Timestamp> {
    if let Ok(ms) = written.get().parse::<i64>() {
        return Some(Timestamp(ms));
    }
    serde_json::from_str::<Cow<'_, str>>(written.get()).ok().and_then(|text| Timestamp::parse(&text))
}

struct Members<'f>(&'f str);

enum Member {
    Source,
    At,
    Time,
    Other,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Envelope<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(member) = members.next_key_seed(MemberSeed(self.0))? {
            match member {
                // Not text: nothing is said.
                Member::Source => envelope.source = serde_json::from_str(members.next_value::<&RawValue>()?.get()).ok(),
                Member::At => envelope.at = Some(members.next_value()?),
                Member::Time => envelope.time = Some(members.next_value()?),
                Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

struct MemberSeed<'f>(&'f str);

impl<'de> DeserializeSeed<'de> for MemberSeed<'_> {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberSeed<'_> {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Member, E> {
        Ok(match name {
            SOURCE => Member::Source,
            AT => Member::At,
            _ if name == self.0 => Member::Time,
            _ => Member::Other,
        })
    }
}
