//! From what a field held to how a spec declares it, with room for what it has not held yet.

use super::{
    profile::{Field, Profile},
    roles::{Roles, fits_a_spec, speaks_of_time},
    words::{grouped, key, quoted, snake, usual_number},
};

/// More values than these read better as a text.
const CATEGORY_LABELS_MAX: usize = 12;
/// A value that comes this often, on average, is one of a list.
const CATEGORY_REPEATS_MIN: u64 = 5;
/// A millionth: ten centimetres on a map, and finer than most sensors.
const DIGITS_MAX: usize = 6;
/// The largest number of steps that a spec takes.
const UNITS_MAX: f64 = (1u64 << 48) as f64;
/// What was seen is a part of what there is.
const ROOM: f64 = 5.0;
/// Words for numbers that end at a hundred.
const PERCENT: [&str; 8] = ["percent", "pct", "battery", "humidity", "soc", "charge", "progress", "fill"];

/// What a field is declared as.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    /// A number that names something.
    Id,
    Number,
    /// Half of a position.
    Degrees,
    Boolean,
    Time,
    Category(usize),
}

/// One line below `[source.NAME.fields]`.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// As TOML.
    pub(super) written: String,
    /// Why it is so, for people; may be empty.
    pub(super) because: String,
}

/// The fields that can be declared, and why others cannot: name and reason.
pub(super) fn declare(profile: &Profile, roles: &Roles) -> (Vec<Declared>, Vec<(String, String)>) {
    let (mut declared, mut skipped) = (Vec::new(), Vec::new());
    for field in &profile.fields {
        let is_told = field.name == roles.time || roles.identity.contains(&field.name) && !is_needed(field, roles);
        match kind(field, roles) {
            // The time and the identity need no line of their own.
            _ if is_told => {}
            Ok((kind, written, because)) => {
                let because = [because, gaps(field, profile)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
                declared.push(Declared { name: field.name.clone(), kind, written, because: because.join("; ") });
            }
            Err(why) => skipped.push((field.name.clone(), why)),
        }
    }
    (declared, skipped)
}

impl Declared {
    /// The line in a spec, without its comment.
    pub(super) fn line(&self) -> String {
        format!("{} = {}", key(&self.name), self.written)
    }
}

/// Whether an expression names a field of the identity.
fn is_needed(field: &Field, roles: &Roles) -> bool {
    roles.kind.as_ref() == Some(&field.name) || roles.entities.contains(&field.name)
}

type Told = (Kind, String, String);

fn kind(field: &Field, roles: &Roles) -> Result<Told, String> {
    let is_thing = roles.entities.contains(&field.name);
    let is_key = is_thing || roles.kind.as_ref() == Some(&field.name) || roles.identity.contains(&field.name);
    let is_latitude = roles.positions.iter().any(|position| position.latitude == field.name);
    let is_longitude = roles.positions.iter().any(|position| position.longitude == field.name);
    if !fits_a_spec(&field.name) && !is_key && field.name != roles.time {
        return Err("its name has no letters that a spec could show".to_owned());
    }
    if field.present == 0 {
        return Err("it never holds anything".to_owned());
    }
    if field.is_nearly_all(field.nested) {
        return Err("only fields at the top of an event are read; lift what is useful in it to the top".to_owned());
    }
    if is_latitude || is_longitude {
        let max = if is_latitude { 90 } else { 180 };
        return Ok((Kind::Degrees, format!("{{ decimal = \"0.000001\", max = {max}, round = true }}"), String::new()));
    }
    if field.is_nearly_all(field.instants) && (field.texts > 0 || speaks_of_time(&snake(&field.name))) {
        return Ok((Kind::Time, "\"time\"".to_owned(), String::new()));
    }
    if field.is_nearly_all(field.booleans) {
        return Ok((Kind::Boolean, "\"boolean\"".to_owned(), deviants(field, field.booleans, "true or false")));
    }
    if field.is_nearly_all(field.texts) {
        return Ok(text(field, is_key));
    }
    if field.is_nearly_all(field.numbers) {
        return number(field, is_thing);
    }
    Err("it holds one type of value here and another there".to_owned())
}

fn text(field: &Field, is_key: bool) -> Told {
    let because = deviants(field, field.texts, "a text");
    let plain = (Kind::Text, "\"string\"".to_owned(), because);
    let Some(labels) = field.labels.as_ref().filter(|_| !is_key) else { return plain };
    let is_list = (2..=CATEGORY_LABELS_MAX).contains(&labels.len()) && field.texts >= labels.len() as u64 * CATEGORY_REPEATS_MIN;
    // A list that still grew in the second half of the file is not known yet.
    let is_known = field.newest_label_at * 2 <= field.present;
    let is_allowed = labels.keys().all(|label| !label.is_empty() && label != "null");
    if !(is_list && is_known && is_allowed) {
        return plain;
    }
    let list: Vec<String> = labels.keys().map(|label| quoted(label)).collect();
    let because = "all values that were seen; another one is refused, \"string\" takes any".to_owned();
    (Kind::Category(labels.len()), format!("{{ category = [{}] }}", list.join(", ")), because)
}

fn number(field: &Field, is_thing: bool) -> Result<Told, String> {
    let largest = field.min.abs().max(field.max.abs());
    if !largest.is_finite() || largest > UNITS_MAX {
        return Err("its numbers are too large to be counted exactly; write them as texts if they are ids".to_owned());
    }
    let is_whole = field.whole == field.numbers;
    if is_thing && is_whole {
        return Ok((Kind::Id, "\"integer\"".to_owned(), String::new()));
    }
    let mut digits = if is_whole { 0 } else { field.usual_digits().min(DIGITS_MAX) };
    let (min, max) = bounds(field);
    // Fewer digits leave more room above.
    while digits > 0 && max.max(-min) * 10f64.powi(i32::try_from(digits).unwrap_or(0)) > UNITS_MAX {
        digits -= 1;
    }
    if max.max(-min) > UNITS_MAX {
        return Err("its numbers are too large to be counted exactly; write them as texts if they are ids".to_owned());
    }
    // The other bound is the same on the other side of zero.
    let bounds = if min == -max { format!("max = {max}") } else { format!("min = {min}, max = {max}") };
    let seen = format!("{} to {} seen", field.min, field.max);
    if is_whole {
        return Ok((Kind::Number, format!("{{ type = \"integer\", {bounds} }}"), seen));
    }
    let step = if digits == 0 { "1".to_owned() } else { format!("0.{:0>digits$}", 1) };
    let round = if field.most_digits() > digits { ", round = true" } else { "" };
    Ok((Kind::Number, format!("{{ decimal = \"{step}\", {bounds}{round} }}"), seen))
}

/// What a number may be, with room beyond what was seen.
fn bounds(field: &Field) -> (f64, f64) {
    let name = snake(&field.name);
    if field.min >= 0.0 && field.max <= 100.0 && field.max >= 20.0 && PERCENT.iter().any(|word| name.contains(word)) {
        return (0.0, 100.0);
    }
    let max = usual_number(ROOM * field.max.abs().max(field.min.abs()));
    (if field.min >= 0.0 { 0.0 } else { -max }, max)
}

fn deviants(field: &Field, good: u64, what: &str) -> String {
    match field.present - good {
        0 => String::new(),
        bad => format!("{} of {} values are not {what}, and their events are refused", grouped(bad), grouped(field.present)),
    }
}

fn gaps(field: &Field, profile: &Profile) -> String {
    match profile.events - field.present {
        0 => String::new(),
        gaps => format!("{} of {} events have none", grouped(gaps), grouped(profile.events)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::value::members;

    /// Declares the field `x` of events with these values.
    fn check(name: &str, values: &[&str], expected: &str) {
        let mut profile = Profile::default();
        for (line, value) in (1..).zip(values) {
            let event = format!("{{\"id\":\"e{line}\",\"{name}\":{value}}}");
            profile.note(line, &members(event.as_bytes()).expect("an event"));
        }
        let roles = Roles {
            time: "occurred_at".into(),
            identity: ["source".into(), "id".into()],
            kind: None,
            entities: vec!["shop_id".into()],
            has_things: true,
            positions: Vec::new(),
        };
        let (declared, skipped) = declare(&profile, &roles);
        let line = |field: &Declared| format!("{}   # {}", field.line(), field.because);
        let shown = declared.iter().map(line).chain(skipped.into_iter().map(|(name, why)| format!("{name}: {why}")));
        assert_eq!(shown.collect::<Vec<String>>().join("\n"), expected, "{values:?}");
    }

    #[test]
    fn numbers_get_a_step_and_room() {
        check("price", &["12.5", "0.99", "3"], "price = { decimal = \"0.01\", min = 0, max = 100 }   # 0.99 to 12.5 seen");
        check("count", &["3", "12"], "count = { type = \"integer\", min = 0, max = 100 }   # 3 to 12 seen");
        check("celsius", &["-3.5", "12.0"], "celsius = { decimal = \"0.1\", max = 100 }   # -3.5 to 12 seen");
        check(
            "battery",
            &["91", "null"],
            "battery = { type = \"integer\", min = 0, max = 100 }   # 91 to 91 seen; 1 of 2 events have none",
        );
        check(
            "share",
            &["0.12345678"],
            "share = { decimal = \"0.000001\", min = 0, max = 1, round = true }   # 0.12345678 to 0.12345678 seen",
        );
        check("shop_id", &["17", "18"], "shop_id = \"integer\"   # ");
    }

    #[test]
    fn what_is_nested_mixed_or_too_large_is_left_out() {
        check(
            "customer",
            &["{\"id\":1}"],
            "customer: only fields at the top of an event are read; lift what is useful in it to the top",
        );
        check("mixed", &["1", "\"a\""], "mixed: it holds one type of value here and another there");
        let large = "its numbers are too large to be counted exactly; write them as texts if they are ids";
        check("big", &["1e15"], &format!("big: {large}"));
        check("huge", &["1e999"], &format!("huge: {large}"));
        check("none", &["null"], "none: it never holds anything");
    }

    #[test]
    fn few_texts_that_come_again_are_a_category() {
        let because = "all values that were seen; another one is refused, \"string\" takes any";
        let colours = ["\"red\"", "\"blue\""].repeat(6);
        check("colour", &colours, &format!("colour = {{ category = [\"blue\", \"red\"] }}   # {because}"));
        check("colour", &["\"red\"", "\"blue\""], "colour = \"string\"   # ");
        let nulls = ["\"null\"", "\"blue\""].repeat(6);
        check("colour", &nulls, "colour = \"string\"   # ");
    }
}
