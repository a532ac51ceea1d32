//! When something is due: from instants to a wall clock and back.
//!
//! A local time is the first instant at which the clock shows it or a later one. So a time that is skipped when clocks go forward
//! is the instant at which they do, and one that comes twice when they go back is the first of the two.

use domain::{LATEST, Span};
use jiff::{
    Timestamp as Instant,
    civil::Date,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use pipeline::{AbsenceRule, LocalTime, Zone, time_zone};

use crate::columns::Scalar;

/// Active hours are added up over at most this many days: twice what the resolver allows for, as some days have fewer hours.
const ACTIVE_DAYS_MAX: usize = 62;

/// The rule of an absence and its wall clock.
#[derive(Debug)]
pub(super) struct Schedule {
    rule: AbsenceRule,
    zone: Zone,
    /// The zone of all keys, and of those whose events name none.
    fallback: TimeZone,
}

/// Something that is missed at an instant, unless an event came from the other one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: i64,
    pub(super) from: i64,
}

impl Schedule {
    pub(super) fn new(rule: AbsenceRule, zone: &Zone) -> Self {
        let fallback = match zone {
            Zone::Named(name) => time_zone(name),
            Zone::Field(_) => None,
        };
        Self { rule, zone: zone.clone(), fallback: fallback.unwrap_or(TimeZone::UTC) }
    }

    /// Whether any event makes a key known, beside those that have to come.
    pub(super) fn knows_by_any(&self) -> bool {
        matches!(self.rule, AbsenceRule::By { .. })
    }

    /// What is due after an event, as long as it is the last one: from `least` on and up to `most`, in order.
    pub(super) fn due(&self, time: i64, row: &[Scalar], least: i64, most: i64) -> Vec<Due> {
        // Instants of rows lie in the same years as those of events.
        let most = most.min(LATEST.0 - 1);
        let mut found = Vec::new();
        match self.rule {
            AbsenceRule::Within { span, active, longest } => {
                let reach = longest.map_or(i64::MAX, |longest| time.saturating_add(longest.0)).min(most);
                let at = match active {
                    None => Some(time.saturating_add(span.0)),
                    Some(active) => self.active_due(time, span, active, row),
                };
                found.extend(at.filter(|at| (least..=reach).contains(at)).map(|at| Due { at, from: at }));
            }
            AbsenceRule::By { longest, .. } => {
                let reach = time.saturating_add(longest.0).min(most);
                let least = least.max(time.saturating_add(1));
                self.deadlines(row, least, |due| {
                    found.extend(Some(due).filter(|due| due.at <= reach));
                    due.at <= reach
                });
            }
        }
        found
    }

    /// The first thing that is due after an event from `least` on, as long as it is the last one.
    pub(super) fn next_due(&self, time: i64, row: &[Scalar], least: i64) -> Option<i64> {
        let most = match self.rule {
            AbsenceRule::Within { .. } => i64::MAX,
            // Two days have a deadline, whatever the clocks do.
            AbsenceRule::By { .. } => least.max(time).saturating_add(3 * DAY_MS),
        };
        self.due(time, row, least, most).first().map(|due| due.at)
    }

    /// The last instant at which something can be missed before an event of this time.
    pub(super) fn before(&self, next: i64) -> i64 {
        match self.rule {
            // It comes in time when it comes as it is due.
            AbsenceRule::Within { .. } => next - 1,
            AbsenceRule::By { .. } => next,
        }
    }

    /// Up to which instant an event of this time has anything to do with what is due.
    pub(super) fn matters_until(&self, time: i64, row: &[Scalar]) -> i64 {
        match self.rule {
            AbsenceRule::Within { .. } => self.next_due(time, row, i64::MIN).unwrap_or(time),
            // An event of a day counts until the deadline of that day, even when the key is not known for so long.
            AbsenceRule::By { longest, .. } => time.saturating_add(longest.0.max(2 * DAY_MS)),
        }
    }

    /// Whether no event could make a difference between two events of a key: neither by itself nor by what is due after it.
    pub(super) fn is_quiet(&self, after: i64, until: i64) -> bool {
        match self.rule {
            // No time that is active is longer than the time itself, in any zone.
            AbsenceRule::Within { span, .. } => until - after <= span.0,
            AbsenceRule::By { .. } if matches!(self.zone, Zone::Field(_)) => false,
            AbsenceRule::By { .. } => {
                let mut quiet = true;
                self.deadlines(&[], after.saturating_add(1), |due| {
                    quiet &= due.at > until && !(after < due.from && due.from <= until);
                    // A day begins at most two days before its deadline.
                    quiet && due.at <= until.saturating_add(2 * DAY_MS)
                });
                quiet
            }
        }
    }

    /// Deadlines from an instant on, in order, until the caller has enough.
    fn deadlines(&self, row: &[Scalar], least: i64, mut take: impl FnMut(Due) -> bool) {
        let AbsenceRule::By { begin, deadline, .. } = self.rule else { return };
        let zone = self.zone_of(row);
        let Some(mut day) = day_of(&zone, least).and_then(|day| day.yesterday().ok()) else { return };
        loop {
            let begins_on = if begin < deadline { Some(day) } else { day.yesterday().ok() };
            let begins = begins_on.and_then(|day| instant(&zone, day, begin));
            let (Some(from), Some(at)) = (begins, instant(&zone, day, deadline)) else { return };
            // A day that the clocks skip has no deadline.
            if from < at && at >= least && !take(Due { at, from }) {
                return;
            }
            let Ok(next) = day.tomorrow() else { return };
            day = next;
        }
    }

    /// The instant at which this much active time has passed.
    fn active_due(&self, time: i64, span: Span, [from, to]: [LocalTime; 2], row: &[Scalar]) -> Option<i64> {
        let zone = self.zone_of(row);
        let mut day = day_of(&zone, time)?.yesterday().ok()?;
        let mut left = span.0;
        for _ in 0..ACTIVE_DAYS_MAX + 2 {
            let next = day.tomorrow().ok()?;
            let begins = instant(&zone, day, from)?.max(time);
            let ends = instant(&zone, if from < to { day } else { next }, to)?;
            if ends - begins >= left {
                return Some(begins + left);
            }
            left -= (ends - begins).max(0);
            day = next;
        }
        None
    }

    fn zone_of(&self, row: &[Scalar]) -> TimeZone {
        let named = match &self.zone {
            Zone::Named(_) => None,
            Zone::Field(field) => row.get(*field),
        };
        match named {
            Some(Scalar::Text(name)) => time_zone(name).unwrap_or_else(|| self.fallback.clone()),
            _ => self.fallback.clone(),
        }
    }
}

const DAY_MS: i64 = 86_400_000;

/// The day that the clock shows.
fn day_of(zone: &TimeZone, ms: i64) -> Option<Date> {
    Instant::from_millisecond(ms).ok().map(|at| zone.to_datetime(at).date())
}

/// The first instant at which the clock shows this or a later time.
fn instant(zone: &TimeZone, day: Date, time: LocalTime) -> Option<i64> {
    let minute = i8::try_from(time.minute % 60).ok()?;
    let local = day.at(i8::try_from(time.minute / 60).ok()?, minute, 0, 0);
    let with = |offset: Offset| offset.to_timestamp(local).ok();
    let found = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => with(offset)?,
        // Read by the offset that holds after the gap it lies before the clocks go forward, which they do next.
        AmbiguousOffset::Gap { after, .. } => zone.following(with(after)?).next()?.timestamp(),
    };
    Some(found.as_millisecond())
}

#[cfg(test)]
mod tests;
