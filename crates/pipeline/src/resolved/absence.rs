//! Absences as they are meant: what has to come, when, and by which clock. Never computes an instant.

use domain::Span;

use crate::expression::Expr;

/// Rows for what did not come in time.
#[derive(Clone, Debug)]
pub struct Absence {
    /// Index of the stream source.
    pub from: usize,
    /// Field of the base that says of whom something is missing; the one by which the topic is partitioned.
    pub key: usize,
    /// Only events for which it holds are what has to come; all are when there is none.
    pub filter: Option<Expr>,
    /// What has to come when.
    pub rule: AbsenceRule,
    /// By which local time.
    pub zone: Zone,
    /// Keys at most; used for memory arithmetic only.
    pub entities_max: u64,
    /// The topic that is told, without the pipeline's prefix.
    pub topic: Option<String>,
    /// Place of `since` in the absence's own fields.
    pub since: usize,
}

/// What has to come when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsenceRule {
    /// The next event, before this much time has passed since the one before.
    Within {
        /// How much.
        span: Span,
        /// The only hours of a day that count; all do when there are none. They end on the next day when the end is not after the begin.
        active: Option<[LocalTime; 2]>,
        /// What is due later than this after an event is not missed.
        longest: Option<Span>,
    },
    /// An event on every local day, for as long as anything is heard of the key.
    By {
        /// When the day begins: on the day before when it is not before the deadline.
        begin: LocalTime,
        /// When it has to be there.
        deadline: LocalTime,
        /// Deadlines later than this after the last event of a key are not missed.
        longest: Span,
    },
}

impl AbsenceRule {
    /// No event is missed longer than this after the one before, whatever a wall clock does: a day more for each night in which no time
    /// passes, and two hours for clocks that are set.
    pub fn longest(&self) -> Span {
        const DAY_MS: i64 = 86_400_000;
        match *self {
            Self::By { longest, .. } => longest,
            Self::Within { span, active: None, longest } => longest.map_or(span, |longest| longest.min(span)),
            Self::Within { span, active: Some([from, to]), longest } => {
                let minutes = (i64::from(to.minute) - i64::from(from.minute)).rem_euclid(1440).max(1);
                let days = (span.0 + minutes * 60_000 - 1) / (minutes * 60_000) + 1;
                let bound = Span(days * DAY_MS + DAY_MS / 12);
                longest.map_or(bound, |longest| longest.min(bound))
            }
        }
    }
}

/// A time of day on a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// Whole minutes since 00:00, below 1,440.
    pub minute: u16,
}

/// Which wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// One for all keys; [`time_zone`](crate::time_zone) knows its name.
    Named(String),
    /// The one that a text field of the event names; UTC where it names none.
    Field(usize),
}
