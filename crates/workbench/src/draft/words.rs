//! Words of a spec: names, texts between quotes, spans and numbers as a person would write them.

use std::collections::BTreeSet;

use domain::Span;

/// Names of a spec have at most 64 letters; this leaves room for a window and a number.
const NAME_LENGTH_MAX: usize = 48;
/// Words that mean something in an expression.
const RESERVED: [&str; 15] =
    ["and", "or", "not", "in", "between", "is", "null", "true", "false", "case", "when", "then", "else", "end", "like"];
const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Spans that people say.
const SPANS_MS: [i64; 20] = [
    30 * SECOND_MS,
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
    30 * DAY_MS,
    90 * DAY_MS,
    365 * DAY_MS,
    3650 * DAY_MS,
];

/// Names that are given once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The first of some wishes that is free, else the last one with a number. Names whose endings are also taken are not free.
    pub(super) fn claim(&mut self, wishes: &[String], endings: &[String]) -> String {
        let last = wishes.last().map(|wish| short(wish)).unwrap_or_default();
        let numbered = (2..).map(|number: u32| format!("{last}_{number}"));
        for name in wishes.iter().map(|wish| short(wish)).chain(numbered) {
            let columns = columns(&name, endings);
            if columns.iter().all(|column| !self.0.contains(column)) {
                self.0.extend(columns);
                return name;
            }
        }
        last
    }
}

fn columns(name: &str, endings: &[String]) -> Vec<String> {
    let windowed = endings.iter().map(|ending| format!("{name}_{ending}"));
    std::iter::once(name.to_owned()).chain(windowed).collect()
}

fn short(name: &str) -> String {
    name.chars().take(NAME_LENGTH_MAX).collect::<String>().trim_end_matches('_').to_owned()
}

/// A field's name in the way of a spec: `storeId` and `Store ID` are `store_id`. Empty when nothing is left.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut previous = ' ';
    for character in name.chars() {
        if character.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
            snake.push('_');
        }
        match character {
            _ if character.is_ascii_alphanumeric() => snake.push(character.to_ascii_lowercase()),
            _ if !snake.ends_with('_') => snake.push('_'),
            _ => {}
        }
        previous = character;
    }
    let begins = snake.find(|first: char| first.is_ascii_lowercase()).unwrap_or(snake.len());
    let mut name = snake[begins..].to_owned();
    name.truncate(NAME_LENGTH_MAX);
    name.trim_end_matches('_').to_owned()
}

/// A text of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if character.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// A key of TOML.
pub(super) fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A field in an expression.
pub(super) fn field(name: &str) -> String {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_word = begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_reserved = RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_word && !is_reserved { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A condition: this field is this text.
pub(super) fn is_text(name: &str, text: &str) -> String {
    format!("{} = '{}'", field(name), text.replace('\'', "''"))
}

/// The shortest usual span that is not shorter.
pub(super) fn usual_span(ms: i64) -> Span {
    let longest = SPANS_MS[SPANS_MS.len() - 1];
    Span(SPANS_MS.into_iter().find(|usual| *usual >= ms).unwrap_or(longest))
}

/// A span for a comment: about as long.
pub(super) fn about(ms: i64) -> String {
    let units = [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s")];
    // Two of a unit say more than one of the next.
    match units.into_iter().find(|(unit, _)| ms >= 2 * unit) {
        Some((unit, name)) => format!("{}{name}", (ms + unit / 2) / unit),
        None => format!("{ms}ms"),
    }
}

/// A whole number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(place, digit): (usize, char)| {
        let apart = place > 0 && (digits.len() - place).is_multiple_of(3);
        [apart.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// The smallest of 1, 2, 5, 10, 20 … that is not smaller.
pub(super) fn usual_number(least: f64) -> f64 {
    let mut power = 1.0;
    while power < 1e15 {
        if let Some(usual) = [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(|usual| *usual >= least) {
            return usual;
        }
        power *= 10.0;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_whatever_people_write() {
        let names = ["storeId", "Store ID", "HTTPStatus", "größe", "42", "order.placed", "a"];
        assert_eq!(names.map(snake), ["store_id", "store_id", "httpstatus", "gr_e", "", "order_placed", "a"]);
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        let endings = ["1h".to_owned()];
        assert_eq!(names.claim(&["a".into()], &endings), "a");
        assert_eq!(names.claim(&["a_1h".into()], &[]), "a_1h_2");
        assert_eq!(names.claim(&["a".into(), "b_a".into()], &endings), "b_a");
    }

    #[test]
    fn texts_survive_their_quotes() {
        assert_eq!(quoted("a\"b\\c\u{1}"), "\"a\\\"b\\\\c\\u0001\"");
        assert_eq!((field("end").as_str(), field("a b").as_str(), field("a").as_str()), ("\"end\"", "\"a b\"", "a"));
        assert_eq!(is_text("type", "it's"), "type = 'it''s'");
    }

    #[test]
    fn spans_and_numbers_are_rounded_up() {
        assert_eq!([0, 61_000, 40 * 60_000].map(|ms| usual_span(ms).to_string()), ["30s", "2m", "1h"]);
        assert_eq!([500, 90_000, 4 * 3_600_000].map(about), ["500ms", "90s", "4h"]);
        assert_eq!([0.2, 27.5, 100.0, 129.5].map(usual_number), [1.0, 50.0, 100.0, 200.0]);
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
