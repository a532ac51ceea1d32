//! What goes wrong between a world and a log: records come twice, out of order, late, broken, stamped by wrong clocks, or not at
//! all. Settings only; `gateway.rs` does it. Faults draw from a seed of their own, so the truth stays what it is.

use domain::{Span, Timestamp};

use crate::{Error, error::Faults as Found};

/// What is held back by a silent gateway is kept in memory: six hours of the default city are 150,000 records, 60 MB.
const SILENCE_MAX: Span = Span(6 * HOUR_MS);
/// Longer than any pipeline waits.
const LATE_MAX: Span = Span(24 * HOUR_MS);
const HOUR_MS: i64 = 3_600_000;

/// Which faults, and how many. Shares are from 0 to 1, of all records unless it says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// A network that works needs up to so long.
    pub delay_up_to: Span,
    /// How many come a second time …
    pub duplicates: f64,
    /// … up to so much later.
    pub duplicates_within: Span,
    /// How many are overtaken by others …
    pub disorder: f64,
    /// … that happened up to so much later.
    pub disorder_up_to: Span,
    /// How many come after all those …
    pub late: f64,
    /// … up to so late.
    pub late_up_to: Span,
    /// How many are broken. The event itself is lost.
    pub malformed: f64,
    /// How many of the riders, stores and scooters have a wrong clock …
    pub skewed: f64,
    /// … that is ahead or behind by up to so much.
    pub skew_up_to: Span,
    /// A time in which a gateway lets nothing pass.
    pub silence: Option<Silence>,
}

/// A gateway that is silent for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Which topic does not get anything.
    pub topic: String,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// What is not let through is lost; otherwise all of it comes when the silence ends.
    pub is_lossy: bool,
}

/// What was really done, so that somebody can compare it with what was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Records that the world sent.
    pub taken: u64,
    /// Records that arrived, duplicates and broken ones included.
    pub arrived: u64,
    /// Second copies that were sent: what arrived and what is still under way is `taken` and these, less `lost`.
    pub duplicates: u64,
    /// Delayed by up to `disorder_up_to`.
    pub disordered: u64,
    /// Delayed by more than that.
    pub late: u64,
    /// Cut off half-way: no JSON.
    pub cut: u64,
    /// The time of the event has another name.
    pub unnamed: u64,
    /// The time of the event is no time.
    pub undated: u64,
    /// Stamped by a wrong clock.
    pub skewed: u64,
    /// Held back until a silence ended.
    pub held: u64,
    /// Lost in a silence, second copies included.
    pub lost: u64,
}

impl Faults {
    /// A network that delivers everything at once, in order, once.
    pub const NONE: Self = Self {
        delay_up_to: Span(0),
        duplicates: 0.0,
        duplicates_within: Span(20_000),
        disorder: 0.0,
        disorder_up_to: Span(30_000),
        late: 0.0,
        late_up_to: Span(HOUR_MS),
        malformed: 0.0,
        skewed: 0.0,
        skew_up_to: Span(20_000),
        silence: None,
    };

    /// What a network with telephones in it does on a good day.
    pub const EVERYDAY: Self = Self {
        delay_up_to: Span(1500),
        duplicates: 0.002,
        disorder: 0.01,
        late: 0.0005,
        malformed: 0.0001,
        skewed: 0.02,
        ..Self::NONE
    };

    /// All faults of the settings at once, or nothing.
    pub fn check(&self) -> Result<(), Error> {
        let mut found = Found::default();
        for (name, share) in [
            ("duplicates", self.duplicates),
            ("disorder", self.disorder),
            ("late", self.late),
            ("malformed", self.malformed),
            ("skewed", self.skewed),
        ] {
            found.within(name, share, 0.0, 1.0);
        }
        found.unless(self.disorder + self.late <= 1.0, "`disorder` and `late` together are more than 1");
        found.within("delay_up_to", self.delay_up_to, Span(0), Span(HOUR_MS));
        found.within("duplicates_within", self.duplicates_within, Span(1), LATE_MAX);
        found.within("disorder_up_to", self.disorder_up_to, Span(1), LATE_MAX);
        found.within("late_up_to", self.late_up_to, self.disorder_up_to, LATE_MAX);
        found.within("skew_up_to", self.skew_up_to, Span(0), LATE_MAX);
        if let Some(silence) = &self.silence {
            let length = Span(silence.until.0.saturating_sub(silence.from.0));
            found.within("silence", length, Span(1), SILENCE_MAX);
        }
        found.finish()
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::NONE
    }
}

impl FaultCounts {
    /// Broken records of any kind.
    pub fn malformed(&self) -> u64 {
        self.cut + self.unnamed + self.undated
    }
}
