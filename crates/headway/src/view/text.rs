//! Texts of a known width: numbers, ages, and names that are cut. Widths are those of a terminal, where some letters take two
//! places and some none.

use std::time::Duration;

use domain::{Span, Timestamp};
use ratatui::{style::Style, text::Span as Piece};

use crate::table::grouped;

/// How many places a text takes.
pub(super) fn width(text: &str) -> usize {
    Piece::raw(text).width()
}

/// The text, or as much of it as fits and a sign that there was more. Control characters never reach a terminal.
pub(super) fn cut(text: &str, most: usize) -> String {
    let clean: String = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    if width(&clean) <= most {
        return clean;
    }
    let (mut kept, mut places) = (String::new(), 0);
    for letter in Piece::raw(clean.as_str()).styled_graphemes(Style::new()) {
        let more = width(letter.symbol);
        // One place is for the sign.
        if places + more >= most {
            break;
        }
        kept.push_str(letter.symbol);
        places += more;
    }
    if most > 0 {
        kept.push('…');
    }
    kept
}

/// To the right, in as many places.
pub(super) fn to_the_right(text: &str, places: usize) -> String {
    let text = cut(text, places);
    format!("{}{text}", " ".repeat(places.saturating_sub(width(&text))))
}

/// To the left, in as many places.
pub(super) fn to_the_left(text: &str, places: usize) -> String {
    let text = cut(text, places);
    let space = " ".repeat(places.saturating_sub(width(&text)));
    format!("{text}{space}")
}

/// An age in its largest unit, rounded down.
pub(super) fn age(age: Span) -> String {
    let seconds = age.0.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long it has run, to the second.
pub(super) fn elapsed(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// An instant to the second.
pub(super) fn clock(at: Timestamp) -> String {
    let shown = at.to_string();
    format!("{} UTC", shown.split('.').next().unwrap_or_default().replace('T', " "))
}

/// An instant of today or tomorrow, to the minute.
pub(super) fn time_of_day(at: Timestamp) -> String {
    let shown = at.to_string();
    shown.split('T').nth(1).and_then(|time| time.get(..5)).unwrap_or_default().to_owned()
}

/// A time that is left, in minutes; one that is over is nothing any more.
pub(super) fn minutes(left: Span) -> String {
    format!("{} min", left.0.max(0) / 60_000)
}

/// As many digits as a glance takes in.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return value.to_string();
    }
    match size {
        _ if size >= 999.95 => integer(value.round() as i64),
        _ if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A whole number with its thousands apart.
pub(super) fn integer(value: i64) -> String {
    format!("{}{}", if value < 0 { "-" } else { "" }, grouped(value.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_by_places_and_not_by_letters() {
        let cases = [
            ("store", 5, "store"),
            ("stores", 5, "stor…"),
            ("寿司屋", 6, "寿司屋"),
            ("寿司屋", 5, "寿司…"),
            ("寿司屋", 4, "寿…"),
        ];
        for (text, most, expected) in cases {
            assert_eq!(cut(text, most), expected);
        }
        assert_eq!([cut("ab", 0), cut("ab", 1), cut("e\u{301}e\u{301}e\u{301}", 2)], ["", "…", "e\u{301}…"]);
        assert_eq!(cut("a\u{1b}[2Jb\n", 20), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!([to_the_right("寿", 4), to_the_left("寿", 4)], ["  寿", "寿  "]);
    }

    #[test]
    fn figures_are_short() {
        let shown = [0.0, 0.5, 9.996, 12.345, 999.96, 12_345.6, -3.274, -1500.0].map(number);
        assert_eq!(shown, ["0.00", "0.50", "10.0", "12.3", "1,000", "12,346", "-3.27", "-1,500"]);
        assert_eq!([number(f64::NAN), number(f64::INFINITY)], ["NaN", "inf"]);
        assert_eq!([-5, 12_000, 3_700_000, 200_000_000].map(|ms| age(Span(ms))), ["0 s", "12 s", "1 h", "2 d"]);
        assert_eq!([5, 84, 7_300].map(|seconds| elapsed(Duration::from_secs(seconds))), ["5 s", "1 m 24 s", "2 h 01 m"]);
        assert_eq!(
            (time_of_day(Timestamp(47_100_000)), minutes(Span(-5)), minutes(Span(119_999))),
            ("13:05".into(), "0 min".into(), "1 min".into())
        );
        assert_eq!(clock(Timestamp(1_500)), "1970-01-01 00:00:01 UTC");
    }
}
