//! What did not come in time: for each event whether anything is missed after it, looked up among all the others.

use std::collections::BTreeMap;

use domain::LATEST;
use jiff::{Timestamp as Instant, civil::Date, tz::TimeZone};
use pipeline::{Absence, AbsenceRule, LocalTime, Pipeline, Zone, time_zone};

use super::super::event::{Content, Row};
use super::super::expression::holds;
use super::{by_key, place_of};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A month of days, each twice as long as it should be.
const ACTIVE_WALK_MS: i64 = 62 * 24 * HOUR_MS;

/// The rows that are due before an instant, each with its key.
pub(crate) fn absence_rows(pipeline: &Pipeline, own: usize, absence: &Absence, events: Vec<Row>, at: i64) -> Vec<(String, Row)> {
    let (own, base) = (&pipeline.sources[own], &pipeline.sources[absence.from]);
    let mut clocks: BTreeMap<String, Clock> = BTreeMap::new();
    let mut rows = Vec::new();
    for (key, events) in by_key(base, absence.key, events) {
        let came = |event: &Row| holds(absence.filter.as_ref(), &base.fields, event);
        let is_by = matches!(absence.rule, AbsenceRule::By { .. });
        let heard = events.iter().filter(|event| is_by || came(event)).collect::<Vec<_>>();
        for event in &heard {
            let is_last_of_its_time = heard.iter().all(|other| other.from != event.from || other.identity <= event.identity);
            let name = zone_of(&absence.zone, event);
            let clock = clocks.entry(name.clone()).or_insert_with(|| Clock::new(&name));
            for (from, due) in clock.due_after(event.from, absence.rule, at.min(LATEST.0)) {
                // An absence of a gap is over with an event at its very end; at a deadline it would be too late.
                let ends_gap =
                    |other: &&&Row| event.from < other.from && if is_by { other.from < due } else { other.from <= due };
                let in_time = heard.iter().any(|other| is_by && came(other) && from <= other.from && other.from < due);
                if is_last_of_its_time && !heard.iter().any(|other| ends_gap(&other)) && !in_time {
                    let contents = own.fields.iter().enumerate().map(|(index, field)| match index == absence.since {
                        true => Some(Content::Units(event.from)),
                        false => event.contents[place_of(base, &field.name)].clone(),
                    });
                    let row = Row { from: due, end: None, identity: event.identity, contents: contents.collect() };
                    rows.push((key.clone(), row));
                }
            }
        }
    }
    rows
}

fn zone_of(zone: &Zone, event: &Row) -> String {
    match zone {
        Zone::Named(name) => name.clone(),
        Zone::Field(field) => match &event.contents[*field] {
            Some(Content::Text(name)) => name.clone(),
            _ => "UTC".into(),
        },
    }
}

/// A wall clock, and the local times that were looked for on it already.
struct Clock {
    zone: TimeZone,
    known: BTreeMap<(Date, LocalTime), i64>,
}

impl Clock {
    fn new(name: &str) -> Self {
        Self { zone: time_zone(name).unwrap_or(TimeZone::UTC), known: BTreeMap::new() }
    }

    /// What would be due after an event at `time` if no other came: from when on an event counts, and when it has to be there.
    fn due_after(&mut self, time: i64, rule: AbsenceRule, before: i64) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        match rule {
            AbsenceRule::Within { span, active, longest } => {
                let due = match active {
                    None => Some(time + span.0),
                    Some(active) => self.walk(time, span.0, active, before),
                };
                found.extend(due.filter(|due| longest.is_none_or(|longest| *due <= time + longest.0)).map(|due| (due, due)));
            }
            AbsenceRule::By { begin, deadline, longest } => {
                let mut day = self.day(time).yesterday().expect("a day of this century");
                while self.first(day, LocalTime { minute: 0 }) < before.min(time + longest.0 + 1) {
                    let begins_on = if begin < deadline { day } else { day.yesterday().expect("a day of this century") };
                    let (from, due) = (self.first(begins_on, begin), self.first(day, deadline));
                    if from < due && time < due && due <= time + longest.0 {
                        found.push((from, due));
                    }
                    day = day.tomorrow().expect("a day of this century");
                }
            }
        }
        found.retain(|(_, due)| *due < before);
        found
    }

    /// Minute after minute, until enough of them were active.
    fn walk(&mut self, time: i64, span: i64, active: [LocalTime; 2], before: i64) -> Option<i64> {
        let (mut now, mut passed) = (time, 0);
        while now < before.min(time + ACTIVE_WALK_MS) {
            let next = now - now.rem_euclid(MINUTE_MS) + MINUTE_MS;
            if self.is_active(now, active) {
                if passed + (next - now) >= span {
                    return Some(now + span - passed);
                }
                passed += next - now;
            }
            now = next;
        }
        None
    }

    fn is_active(&mut self, at: i64, [from, to]: [LocalTime; 2]) -> bool {
        let today = self.day(at);
        let yesterday = today.yesterday().expect("a day of this century");
        [yesterday, today].into_iter().any(|day| {
            let ends_on = if from < to { day } else { day.tomorrow().expect("a day of this century") };
            self.first(day, from) <= at && at < self.first(ends_on, to)
        })
    }

    fn day(&self, at: i64) -> Date {
        self.show(at).0
    }

    /// What the clock shows.
    fn show(&self, at: i64) -> (Date, LocalTime) {
        let local = self.zone.to_datetime(Instant::from_millisecond(at).expect("an instant of this century"));
        (local.date(), LocalTime { minute: 60 * local.hour() as u16 + local.minute() as u16 })
    }

    /// The first minute at which the clock shows this or a later time.
    fn first(&mut self, day: Date, time: LocalTime) -> i64 {
        if let Some(known) = self.known.get(&(day, time)) {
            return *known;
        }
        let as_utc = day.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a day of this century").timestamp().as_millisecond();
        // No clock is further than 14 hours ahead of UTC.
        let mut now = as_utc + i64::from(time.minute) * MINUTE_MS - 15 * HOUR_MS;
        while self.show(now) < (day, time) {
            now += MINUTE_MS;
        }
        self.known.insert((day, time), now);
        now
    }
}
