//! Which field tells the time, which identify an event, which name things: by what fields hold first, by their names second.

use std::path::Path;

use super::{
    profile::{Field, Profile},
    words::snake,
};
use crate::Error;

/// More entity types than these make a draft that nobody reads.
const ENTITIES_MAX: usize = 4;
/// Names of the field with the time, the likeliest first.
const TIMES: [&str; 12] = [
    "occurred_at",
    "event_time",
    "occurred",
    "event_at",
    "happened_at",
    "timestamp",
    "event_timestamp",
    "time",
    "ts",
    "datetime",
    "created_at",
    "date",
];
/// Parts of names of times at which something else happens than the event.
const OTHER_TIMES: [&str; 14] = [
    "expected",
    "planned",
    "due",
    "eta",
    "birth",
    "expir",
    "updated",
    "received",
    "ingest",
    "processed",
    "deadline",
    "until",
    "promised",
    "scheduled",
];
/// Names of the field that tells events apart.
const IDS: [&str; 10] =
    ["id", "event_id", "uuid", "guid", "event_uuid", "message_id", "msg_id", "record_id", "eventid", "message_uuid"];
/// Names of the field that says who sent an event.
const SENDERS: [&str; 8] = ["source", "producer", "service", "origin", "sender", "system", "app", "publisher"];
/// Names of the field that says what happened.
const TYPES: [&str; 10] = ["type", "event_type", "kind", "event", "event_name", "eventtype", "action", "status", "state", "name"];
/// Last words of names that name a thing.
const NAMING: [&str; 14] =
    ["id", "uuid", "guid", "key", "ref", "code", "number", "no", "nr", "sku", "vin", "imei", "serial", "plate"];
/// Names of the two halves of a position.
const LATITUDES: [&str; 2] = ["lat", "latitude"];
const LONGITUDES: [&str; 4] = ["lon", "lng", "long", "longitude"];
/// Fewer values than these are a category rather than things.
const THINGS_MIN: usize = 13;
/// Longer texts name nothing.
const THING_BYTES_MAX: usize = 64;

/// The roles of one stream's fields.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) time: String,
    /// Sender and id.
    pub(super) identity: [String; 2],
    /// The field that says what happened, when it has few values.
    pub(super) kind: Option<String>,
    /// Fields that name things, the most useful first; at least one.
    pub(super) entities: Vec<String>,
    /// Whether the entities are things, or whatever there was.
    pub(super) has_things: bool,
    pub(super) positions: Vec<Position>,
}

/// Two fields that are a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) latitude: String,
    pub(super) longitude: String,
    /// What stands before the halves: the `pickup` of `pickup_lat`.
    pub(super) of: String,
}

/// Finds the roles, or says which field is missing and how to go on.
pub(super) fn roles(profile: &Profile, shown: &Path) -> Result<Roles, Error> {
    let time = time(profile, shown)?;
    let id = id(profile, &time, shown)?;
    let kind = kind(profile, &[&time, &id]);
    let things = entities(profile, &[&time, &id], kind.as_deref());
    let sender = sender(profile, &[&time, &id], kind.as_deref(), &things, shown)?;
    let has_things = !things.is_empty();
    let entities = if has_things { things } else { vec![kind.clone().unwrap_or_else(|| sender.clone())] };
    Ok(Roles { positions: positions(profile), identity: [sender, id], time, kind, entities, has_things })
}

fn time(profile: &Profile, shown: &Path) -> Result<String, Error> {
    let candidates = profile.fields.iter().filter(|field| profile.is_mostly(field.instants));
    let rank = |field: &&Field| {
        let name = snake(&field.name);
        let known = TIMES.iter().position(|known| *known == name).unwrap_or(TIMES.len());
        let is_other = OTHER_TIMES.iter().any(|other| name.contains(other));
        // A whole number of this size without a word about time is more likely a time than an id, but only just.
        (is_other, field.numbers > 0 && !speaks_of_time(&name), known, !speaks_of_time(&name))
    };
    if let Some(field) = candidates.min_by_key(rank) {
        return Ok(field.name.clone());
    }
    let (message, help) = no_time(profile);
    Err(Error::content(shown, profile.first_line, message, help))
}

/// What is wrong with the fields that come nearest to a time.
fn no_time(profile: &Profile) -> (String, String) {
    let near = |count: fn(&Field) -> u64| profile.fields.iter().find(|field| profile.is_nearly_all(count(field)));
    if let Some(field) = near(|field| if speaks_of_time(&snake(&field.name)) { field.seconds } else { 0 }) {
        let (name, example) = (&field.name, field.min);
        let message = format!("`{name}` seems to hold seconds since 1970, such as {example}, and times are milliseconds");
        let help = format!("multiply it by 1000 and cut off what is behind the point: jq -c '.{name} |= (. * 1000 | floor)'");
        return (message, help);
    }
    if let Some(field) = near(|field| field.local_times) {
        let message = format!("`{}` holds times without an offset, such as `{}`", field.name, field.example);
        return (message, "say which clock it is: append `Z` for UTC, or an offset such as `+02:00`".to_owned());
    }
    let some = profile.fields.iter().filter(|field| field.instants > 0).max_by_key(|field| field.instants);
    if let Some(field) = some {
        let (name, count, all) = (&field.name, field.instants, profile.events);
        let message = format!("no field holds a time in all events; `{name}` does in {count} of {all}");
        return (message, format!("give each event the time at which it happened, or take those without `{name}` out"));
    }
    let names = listed(profile);
    let message = format!("no field holds the time at which the event happened; there are {names}");
    (message, "add one, such as \"occurred_at\": \"2026-03-01T18:30:00Z\", or milliseconds since 1970".to_owned())
}

fn id(profile: &Profile, time: &str, shown: &Path) -> Result<String, Error> {
    let rank = |field: &&Field| {
        let name = snake(&field.name);
        (IDS.iter().position(|known| *known == name).unwrap_or(IDS.len()), field.nested)
    };
    // What is sent twice has its id twice.
    let tells_apart = |field: &&Field| {
        let (different, filled) = (field.distinct.len() as u64, field.filled_texts());
        let is_known = rank(field).0 < IDS.len();
        let names = last_word_names(&field.name);
        profile.is_mostly(filled) && (is_known && different * 2 > filled || names && different == filled)
    };
    let texts = profile.fields.iter().filter(|field| field.name != time && field.instants == 0);
    if let Some(field) = texts.filter(tells_apart).min_by_key(rank) {
        return Ok(field.name.clone());
    }
    let mut numbers = profile.fields.iter().filter(|field| rank(field).0 < IDS.len() && profile.is_nearly_all(field.whole));
    let (message, help) = match numbers.next() {
        Some(field) => {
            let name = &field.name;
            let message = format!("`{name}` is a number, and what identifies an event has to be a text");
            (message, format!("write it between quotes: jq -c '.{name} |= tostring'"))
        }
        None => (
            format!(
                "no text is different in each event, so that nothing would tell an event from its repetition; there are {}",
                listed(profile)
            ),
            "let producers add an \"id\", or number the lines of this file: jq -c '.id = \"\\(input_line_number)\"'".to_owned(),
        ),
    };
    Err(Error::content(shown, profile.first_line, message, help))
}

fn sender(profile: &Profile, taken: &[&str], kind: Option<&str>, things: &[String], shown: &Path) -> Result<String, Error> {
    let is_free =
        |field: &&Field| !taken.contains(&field.name.as_str()) && field.instants == 0 && profile.is_mostly(field.filled_texts());
    let rank = |field: &&Field| {
        let name = snake(&field.name);
        let known = SENDERS.iter().position(|known| *known == name).unwrap_or(SENDERS.len());
        let is_kind = kind == Some(field.name.as_str());
        (field.filled_texts() < profile.events, known, !is_kind, !things.contains(&field.name), field.distinct.len())
    };
    profile.fields.iter().filter(is_free).min_by_key(rank).map(|field| field.name.clone()).ok_or_else(|| {
        let message = "beside its id nothing in an event is a text that is always there, and an identity is made of two";
        let help = "let producers add a \"source\", such as the name of their service: jq -c '.source = \"shop\"'";
        Error::content(shown, profile.first_line, message, help)
    })
}

fn kind(profile: &Profile, taken: &[&str]) -> Option<String> {
    let rank = |field: &Field| TYPES.iter().position(|known| *known == snake(&field.name));
    let fields = profile.fields.iter().filter(|field| !taken.contains(&field.name.as_str()));
    let few = fields.filter(|field| field.labels.is_some() && profile.is_nearly_all(field.filled_texts()));
    few.filter(|field| rank(field).is_some()).min_by_key(|field| rank(field)).map(|field| field.name.clone())
}

fn entities(profile: &Profile, taken: &[&str], kind: Option<&str>) -> Vec<String> {
    let named = |field: &Field| last_word_names(&field.name);
    let is_thing = |field: &&Field| {
        let (different, filled) = (field.distinct.len(), field.filled_texts() + field.whole);
        let repeats = different as u64 * if named(field) { 1 } else { 2 } < filled;
        // A number is an id only by its name; a text also when there are many, and each comes again.
        let names = named(field) || field.whole == 0 && different >= THINGS_MIN && field.example.len() <= THING_BYTES_MAX;
        let is_free = !taken.contains(&field.name.as_str()) && kind != Some(field.name.as_str());
        let is_sender = SENDERS.contains(&snake(&field.name).as_str());
        let is_one_type = field.is_nearly_all(field.filled_texts()) || field.is_nearly_all(field.whole);
        is_free && !is_sender && is_one_type && repeats && names && field.instants == 0 && fits_a_spec(&field.name)
    };
    let mut things: Vec<&Field> = profile.fields.iter().filter(is_thing).collect();
    // What is in all events says most; among those, what there are many of.
    things.sort_by_key(|field| (!named(field), !profile.is_nearly_all(field.present)));
    things.truncate(ENTITIES_MAX);
    things.into_iter().map(|field| field.name.clone()).collect()
}

fn positions(profile: &Profile) -> Vec<Position> {
    let half = |names: &[&str], limit: f64| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        profile
            .fields
            .iter()
            .filter(move |field| field.is_nearly_all(field.numbers) && field.min >= -limit && field.max <= limit)
            .filter_map(move |field| {
                let words = snake(&field.name);
                let before = names.iter().find_map(|name| words.strip_suffix(name.as_str()))?;
                let of = before.strip_suffix('_').unwrap_or(before);
                (before.is_empty() || before.ends_with('_')).then(|| (of.to_owned(), field.name.clone()))
            })
    };
    let longitudes: Vec<(String, String)> = half(&LONGITUDES, 180.0).collect();
    let both = half(&LATITUDES, 90.0).filter_map(|(of, latitude)| {
        let (_, longitude) = longitudes.iter().find(|(other, _)| *other == of)?;
        Some(Position { latitude, longitude: longitude.clone(), of })
    });
    both.filter(|position| fits_a_spec(&position.latitude) && fits_a_spec(&position.longitude)).collect()
}

/// Whether a field can stand in a spec without making it unreadable.
pub(super) fn fits_a_spec(name: &str) -> bool {
    !name.is_empty() && name.len() <= THING_BYTES_MAX && !name.chars().any(char::is_control) && !snake(name).is_empty()
}

fn last_word_names(name: &str) -> bool {
    let name = snake(name);
    let last = name.rsplit('_').next().unwrap_or_default();
    NAMING.contains(&last)
}

/// Whether a word of a name is about time.
pub(super) fn speaks_of_time(name: &str) -> bool {
    let mut words = name.split('_');
    words.any(|word| {
        ["at", "time", "ts", "date", "datetime", "timestamp", "when", "on", "epoch", "ms", "occurred"].contains(&word)
    })
}

/// The names of the fields, for messages.
fn listed(profile: &Profile) -> String {
    const SHOWN_MAX: usize = 12;
    let names: Vec<String> = profile.fields.iter().take(SHOWN_MAX).map(|field| format!("`{}`", field.name)).collect();
    match profile.fields.len() {
        0 => "no fields at all".to_owned(),
        all if all > SHOWN_MAX => format!("{} and {} more", names.join(", "), all - SHOWN_MAX),
        _ => names.join(", "),
    }
}
