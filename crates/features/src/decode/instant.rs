//! Instants as text. Those of one stream lie close together: what was found out about a minute serves for the next of its texts.

use domain::Timestamp;

/// Reads RFC 3339 texts, the same as [`Timestamp::parse`] and often faster.
#[derive(Debug)]
pub(super) struct Instants {
    /// A date, an hour and a minute of UTC as they were written.
    minute: [u8; 16],
    /// When that minute begins.
    begins_at: i64,
}

impl Instants {
    pub(super) fn new() -> Self {
        Self { minute: *b"1970-01-01T00:00", begins_at: 0 }
    }

    /// Milliseconds since 1970, none when the text is not an instant.
    pub(super) fn parse(&mut self, text: &str) -> Option<i64> {
        let bytes = text.as_bytes();
        let (minute, of_minute) = bytes.split_first_chunk::<16>().map(|(minute, rest)| (*minute, of_minute(rest))).unzip();
        let of_minute = of_minute.flatten();
        if let Some(ms) = of_minute
            && minute == Some(self.minute)
        {
            return Some(self.begins_at + ms);
        }
        let instant = Timestamp::parse(text)?.0;
        if let Some((minute, ms)) = minute.zip(of_minute) {
            *self = Self { minute, begins_at: instant - ms };
        }
        Some(instant)
    }
}

/// Milliseconds of a text such as `:59.250Z`; none when it is written in any other way.
fn of_minute(rest: &[u8]) -> Option<i64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let [b':', tens, ones, b'.', rest @ .., b'Z'] = rest else { return None };
    let [hundredths, hundreds, thousandths] = rest else { return None };
    let seconds = digit(tens)? * 10 + digit(ones)?;
    let ms = (digit(hundredths)? * 10 + digit(hundreds)?) * 10 + digit(thousandths)?;
    (seconds < 60).then_some(seconds * 1000 + ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_changes_nothing() {
        let minutes = ["2026-03-01T18:30", "1970-01-01T00:00", "2024-02-29t23:59", "2026-02-29T00:00", "2026-03-01 18:30"];
        let rests =
            [":00.000Z", ":59.999Z", ":60.000Z", ":07.25Z", ":07Z", ":07.250+01:00", ":07.250z", ":0a.000Z", ".07.000Z", ""];
        let texts: Vec<String> = minutes.iter().flat_map(|minute| rests.map(|rest| format!("{minute}{rest}"))).collect();
        let mut instants = Instants::new();
        for one in &texts {
            for next in &texts {
                instants.parse(one);
                assert_eq!(instants.parse(next), Timestamp::parse(next).map(|time| time.0), "{next} after {one}");
            }
        }
    }
}
