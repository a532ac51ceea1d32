//! JSON texts of single values: ordinary ones that any kind of field accepts, and extreme ones that may be refused.

use chrono::{DateTime, FixedOffset};
use pipeline::{Field, FieldKind};

use super::dice::Dice;
use super::hints::Hints;
use super::stream::Stream;

/// Ordinary numbers lie this many units around zero, as far as their bounds allow.
const ORDINARY_UNITS: i64 = 3000;
/// Minutes east of Greenwich.
const OFFSETS: [i32; 5] = [0, 60, -480, 345, 840];
/// Texts that trip careless code.
const ODD_TEXTS: [&str; 8] = ["", " ", "naïve ß", "東京", "🛵🛵", "quote\" back\\slash", "tab\tline\nunit\u{1f}", "null"];

/// An ordinary value for the field at this index. `event_time` is what other times are drawn around.
pub(crate) fn ordinary(field: &Field, index: usize, hints: &Hints, knobs: &Stream, event_time: i64, dice: &mut Dice) -> String {
    let key = hints.keys.contains(&index).then(|| dice.place(knobs.keys.max(1)));
    match &field.kind {
        FieldKind::Text => {
            let literals = hints.texts.get(&index).map(|texts| texts.iter().collect::<Vec<_>>()).unwrap_or_default();
            match key {
                Some(key) if literals.is_empty() || dice.chance(0.8) => text(&format!("k{key}"), dice),
                None if literals.is_empty() || dice.chance(0.1) => text(&format!("w{}", dice.place(knobs.variety.max(1))), dice),
                _ => text(dice.pick::<&String>(&literals), dice),
            }
        }
        FieldKind::Integer { min, max } => match key {
            Some(key) => (key as i64).clamp(*min, *max).to_string(),
            None => near_hints(index, 1.0, *min, *max, hints, dice).to_string(),
        },
        FieldKind::Decimal { digits, min, max, .. } => {
            let scale = 10f64.powi(i32::from(*digits));
            let around = |low: f64, high: f64, dice: &mut Dice| dice.between((low * scale) as i64, (high * scale) as i64);
            let units = match key {
                Some(key) => key as i64,
                None if hints.latitudes.contains(&index) => around(52.50, 52.54, dice),
                None if hints.longitudes.contains(&index) => around(13.38, 13.44, dice),
                None => near_hints(index, scale, *min, *max, hints, dice),
            };
            decimal(units.clamp(*min, *max), *digits, dice)
        }
        FieldKind::Boolean => dice.chance(0.5).to_string(),
        FieldKind::Time => time(event_time + dice.between(-3_600_000, 3_600_000), dice),
        FieldKind::Category(labels) => text(dice.pick::<String>(labels), dice),
        FieldKind::Cell { .. } => "null".into(),
    }
}

/// A value at or beyond the edge of what the field takes, or of another type.
pub(crate) fn extreme(field: &Field, dice: &mut Dice) -> String {
    if dice.chance(0.25) {
        return (*dice.pick(&["null", "true", "0", "\"\"", "[]", "{\"a\":[1]}", "\"1\"", "NaN", "-0"])).into();
    }
    match &field.kind {
        FieldKind::Text | FieldKind::Category(_) | FieldKind::Cell { .. } => text(dice.pick::<&str>(&ODD_TEXTS), dice),
        FieldKind::Integer { min, max } => {
            let edges = [*min, *max, min.saturating_sub(1), max.saturating_add(1), 1 << 48, (1 << 48) + 1, -(1 << 48), 0];
            let odd = ["1.5", "123456789012345678901234567890", "-99999999999999999999"];
            if dice.chance(0.2) { (*dice.pick(&odd)).into() } else { dice.pick(&edges).to_string() }
        }
        FieldKind::Decimal { digits, min, max, .. } => {
            let edges = [*min, *max, min.saturating_sub(1), max.saturating_add(1), 1, -1, 0];
            let odd =
                ["1e300", "-1e400", "1e-30", "0.0000000000001", "0.12345678901234567890", "5e-1", "2.5", "91", "180.5", "-0.0"];
            if dice.chance(0.4) { (*dice.pick(&odd)).into() } else { decimal(*dice.pick(&edges), *digits, dice) }
        }
        FieldKind::Boolean => (*dice.pick(&["1", "0", "\"true\""])).into(),
        FieldKind::Time => (*dice.pick(&[
            "0",
            "946684799999",
            "946684800000",
            "4102444799999",
            "4102444800000",
            "99999999999999999999",
            "\"1999-12-31T23:59:59.999Z\"",
            "\"2026-02-29T00:00:00Z\"",
            "\"2026-03-01T00:00:00\"",
            "\"2026-03-01\"",
            "\"yesterday\"",
            "1.5",
        ]))
        .into(),
    }
}

/// An instant as a number of milliseconds or as RFC 3339 text, in some zone and with some digits too many.
///
/// # Panics
/// When the instant is outside what the calendar can say, which no generated time is.
pub(crate) fn time(millis: i64, dice: &mut Dice) -> String {
    let instant = DateTime::from_timestamp_millis(millis);
    let zone = FixedOffset::east_opt(dice.pick(&OFFSETS) * 60);
    let (Some(instant), Some(zone)) = (instant, zone) else {
        panic!("{millis} ms is no time of the calendar: keep generated times near the present");
    };
    match dice.place(4) {
        0 | 1 => millis.to_string(),
        2 => format!("\"{}Z\"", instant.format("%Y-%m-%dT%H:%M:%S%.3f")),
        _ => {
            let local = instant.with_timezone(&zone);
            format!("\"{}{}{}\"", local.format("%Y-%m-%dT%H:%M:%S%.3f"), dice.pick(&["", "000", "999999"]), local.format("%:z"))
        }
    }
}

/// A JSON string, now and then with escapes where none are needed.
pub(crate) fn text(text: &str, dice: &mut Dice) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '\0'..='\u{1f}') || dice.chance(0.02) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                json.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            json.push(character);
        }
    }
    json + "\""
}

/// Units for a number field: often at or beside a number that an expression compares with, else ordinary, seldom any.
fn near_hints(index: usize, scale: f64, min: i64, max: i64, hints: &Hints, dice: &mut Dice) -> i64 {
    let literals = hints.numbers.get(&index).map(Vec::as_slice).unwrap_or_default();
    let units = if !literals.is_empty() && dice.chance(0.4) {
        (dice.pick(literals) * scale) as i64 + dice.between(-1, 1)
    } else if dice.chance(0.1) {
        dice.between(min, max)
    } else {
        dice.between((-ORDINARY_UNITS).clamp(min, max), ORDINARY_UNITS.clamp(min, max))
    };
    units.clamp(min, max)
}

/// A number of units in one of the ways in which JSON can write it.
fn decimal(units: i64, digits: u8, dice: &mut Dice) -> String {
    if dice.chance(0.1) {
        return format!("{units}e-{digits}");
    }
    let sign = if units < 0 { "-" } else { "" };
    let figures = format!("{:0width$}", units.unsigned_abs(), width = usize::from(digits) + 1);
    let (whole, fraction) = figures.split_at(figures.len() - usize::from(digits));
    let fraction = match dice.place(3) {
        0 => fraction.trim_end_matches('0').to_owned(),
        1 => format!("{fraction}000"),
        _ => fraction.to_owned(),
    };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
