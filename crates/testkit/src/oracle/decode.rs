//! From a payload to the fields of an event, or the reason why not. Knows nothing of clocks and duplicates.

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::{EARLIEST, LATEST};
use h3o::{LatLng, Resolution};
use pipeline::{Field, FieldKind, Source, SourceKind};

use super::decimal::{Units, units};
use super::event::Content;
use super::json::{Json, members};

/// 1 MiB.
const PAYLOAD_BYTES_MAX: usize = 1_048_576;
/// 2^48.
pub(crate) const UNITS_MAX: i64 = 1 << 48;

/// The contents of all fields, cells included, or the first reason for a refusal.
pub(crate) fn decode(source: &Source, payload: &[u8]) -> Result<Vec<Option<Content>>, &'static str> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err("too_large");
    }
    let text = std::str::from_utf8(payload).map_err(|_| "not_utf8")?;
    let declared = declared_members(source, text).ok_or("malformed")?;
    let mut contents = Vec::new();
    for (index, field) in source.fields.iter().enumerate() {
        let role = Role::of(source, index);
        contents.push(read(field, role, declared.get(field.name.as_str()).unwrap_or(&Json::Null))?);
    }
    for (index, field) in source.fields.iter().enumerate() {
        if let FieldKind::Cell { latitude, longitude, resolution } = &field.kind {
            contents[index] = cell(source, &contents, *latitude, *longitude, *resolution);
        }
    }
    Ok(contents)
}

/// What a field is needed for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Identity,
    Needed,
    Optional,
}

impl Role {
    fn of(source: &Source, field: usize) -> Self {
        let needed = match &source.kind {
            SourceKind::Stream(stream) if [stream.identity_source, stream.identity_id].contains(&field) => return Self::Identity,
            SourceKind::Stream(stream) => [stream.key, stream.time].contains(&field),
            SourceKind::File { key, .. } => *key == field,
            SourceKind::Pair(_) | SourceKind::Table(_) | SourceKind::Absence(_) => false,
        };
        if needed || source.fields[field].required { Self::Needed } else { Self::Optional }
    }
}

/// The members with declared names; none when the text is malformed. A cell is not read, so its name is not declared here.
fn declared_members(source: &Source, text: &str) -> Option<BTreeMap<String, Json>> {
    let mut declared = BTreeMap::new();
    for (name, value) in members(text)? {
        let Some(name) = name else { continue };
        let is_declared = source.fields.iter().any(|field| field.name == name && !matches!(field.kind, FieldKind::Cell { .. }));
        if is_declared && (value == Json::Text(None) || declared.insert(name, value).is_some()) {
            return None;
        }
    }
    Some(declared)
}

fn read(field: &Field, role: Role, value: &Json) -> Result<Option<Content>, &'static str> {
    if matches!(field.kind, FieldKind::Cell { .. }) {
        return Ok(None);
    }
    let absent = *value == Json::Null || (role == Role::Identity && *value == Json::Text(Some(String::new())));
    if absent {
        return if role == Role::Optional { Ok(None) } else { Err("missing_field") };
    }
    let units = match (&field.kind, value) {
        (FieldKind::Text, Json::Text(Some(text))) => return Ok(Some(Content::Text(text.clone()))),
        (FieldKind::Boolean, Json::Boolean(truth)) => i64::from(*truth),
        (FieldKind::Integer { min, max }, Json::Number(number)) => in_range(integer(number)?, *min, *max)?,
        (FieldKind::Decimal { digits, min, max, round }, Json::Number(number)) => match units(number, *digits, *round) {
            Units::Whole(units) => in_range(units, *min, *max)?,
            Units::OffStep => return Err("off_step"),
        },
        (FieldKind::Time, Json::Number(number)) => in_time(integer(number)?)?,
        (FieldKind::Time, Json::Text(Some(text))) => {
            let time = DateTime::parse_from_rfc3339(text).map_err(|_| "wrong_type")?;
            // Chrono also reads the minus of mathematics in an offset, and the 61st second of a minute, which has no
            // milliseconds since 1970.
            if !text.is_ascii() || time.timestamp_subsec_nanos() >= 1_000_000_000 {
                return Err("wrong_type");
            }
            in_time(i128::from(time.timestamp_millis()))?
        }
        (FieldKind::Category(labels), Json::Text(Some(text))) => {
            let place = labels.iter().position(|label| label == text);
            place.ok_or("wrong_type")? as i64
        }
        _ => return Err("wrong_type"),
    };
    Ok(Some(Content::Units(units)))
}

/// A number written without a point and without an exponent.
fn integer(number: &str) -> Result<i128, &'static str> {
    if number.contains(['.', 'e', 'E']) {
        return Err("wrong_type");
    }
    match units(number, 0, false) {
        Units::Whole(units) => Ok(units),
        Units::OffStep => Err("wrong_type"),
    }
}

fn in_range(units: i128, min: i64, max: i64) -> Result<i64, &'static str> {
    let (min, max) = (min.max(-UNITS_MAX), max.min(UNITS_MAX));
    if units < i128::from(min) || units > i128::from(max) { Err("out_of_range") } else { Ok(units as i64) }
}

fn in_time(millis: i128) -> Result<i64, &'static str> {
    if millis < i128::from(EARLIEST.0) || millis >= i128::from(LATEST.0) { Err("out_of_range") } else { Ok(millis as i64) }
}

fn cell(source: &Source, contents: &[Option<Content>], latitude: usize, longitude: usize, resolution: u8) -> Option<Content> {
    let (latitude, longitude) = (degrees(source, contents, latitude)?, degrees(source, contents, longitude)?);
    if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        return None;
    }
    let position = LatLng::new(latitude, longitude).ok()?;
    let cell = position.to_cell(Resolution::try_from(resolution).ok()?);
    Some(Content::Text(format!("{:015x}", u64::from(cell))))
}

fn degrees(source: &Source, contents: &[Option<Content>], field: usize) -> Option<f64> {
    match (&source.fields[field].kind, &contents[field]) {
        (FieldKind::Decimal { digits, .. }, Some(Content::Units(units))) => Some(*units as f64 / 10f64.powi(i32::from(*digits))),
        _ => None,
    }
}
