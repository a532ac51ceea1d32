//! Windows that fit how long the file is and how often a thing has events.

/// Events of a thing that a long window should hold, about, to say something.
const EVENTS_MIN: i64 = 5;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A hop, two windows, and what a rate counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rhythm {
    pub(super) hop: &'static str,
    pub(super) short: &'static str,
    pub(super) long: &'static str,
    pub(super) long_ms: i64,
    pub(super) per: &'static str,
    pub(super) per_name: &'static str,
}

/// From minutes to months. A window has a few hundred hops at most, so that a vector costs little.
const RHYTHMS: [Rhythm; 6] = [
    Rhythm { hop: "10s", short: "1m", long: "5m", long_ms: 5 * MINUTE_MS, per: "1m", per_name: "minute" },
    Rhythm { hop: "1m", short: "5m", long: "15m", long_ms: 15 * MINUTE_MS, per: "1m", per_name: "minute" },
    Rhythm { hop: "1m", short: "15m", long: "1h", long_ms: HOUR_MS, per: "1m", per_name: "minute" },
    Rhythm { hop: "5m", short: "1h", long: "6h", long_ms: 6 * HOUR_MS, per: "1h", per_name: "hour" },
    Rhythm { hop: "1h", short: "6h", long: "1d", long_ms: DAY_MS, per: "1h", per_name: "hour" },
    Rhythm { hop: "1d", short: "7d", long: "28d", long_ms: 28 * DAY_MS, per: "1d", per_name: "day" },
];

impl Rhythm {
    /// The shortest windows in which things with so many events in so long a time have some, no longer than the file.
    pub(super) fn fitting(span_ms: i64, events: u64, things: usize) -> Self {
        let per_thing = i64::try_from(events / (things.max(1) as u64)).unwrap_or(i64::MAX).max(1);
        let wanted_ms = (span_ms / per_thing).saturating_mul(EVENTS_MIN);
        let fits = |rhythm: &&Self| rhythm.long_ms <= span_ms;
        let enough = RHYTHMS.iter().filter(fits).find(|rhythm| rhythm.long_ms >= wanted_ms);
        *enough.or(RHYTHMS.iter().rfind(fits)).unwrap_or(&RHYTHMS[1])
    }

    /// The two windows as TOML.
    pub(super) fn both(&self) -> String {
        format!("[\"{}\", \"{}\"]", self.short, self.long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_fit_the_file_and_the_events() {
        let check = |span_ms, events, things, expected| assert_eq!(Rhythm::fitting(span_ms, events, things).long, expected);
        check(0, 3, 3, "15m");
        check(40 * MINUTE_MS, 20, 4, "15m");
        check(3 * HOUR_MS, 100_000, 100, "5m");
        check(3 * HOUR_MS, 600, 40, "1h");
        check(3 * DAY_MS, 900, 30, "1d");
        check(90 * DAY_MS, 2_000, 1_000, "28d");
    }
}
