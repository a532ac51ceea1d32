//! The events of one key, as far as another could still come between them and make a difference.
//!
//! What an absence needs of the past is little: the last event before everything that may still come, and of what is younger only
//! the edges of long gaps. An event between two others that are close to each other changes nothing, whatever comes, and goes.

use super::schedule::Schedule;
use crate::{
    codec::{Broken, Reader, Writer},
    columns::Scalar,
    derive::scalars,
    slab::Stored,
};

/// One key.
#[derive(Debug)]
pub(in crate::derive) struct Events {
    /// When the last of the events came that are gone and were what has to come.
    came_at: Option<i64>,
    /// In order. At most the first is older than everything that may still come.
    pub(super) kept: Vec<Event>,
    /// When the key is looked at because something is due; not part of a save.
    pub(super) look_at: i64,
    /// Whether the key is looked at when it may be forgotten; not part of a save.
    pub(super) watched: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) identity: u128,
    /// Whether it is what has to come.
    pub(super) came: bool,
    /// None when nothing can be due after it, as the next one came early enough.
    pub(super) row: Option<Box<[Scalar]>>,
}

/// An absence: when it is due, and the place of the event since which nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) due: i64,
    pub(super) order: (i64, u128),
}

impl Default for Events {
    fn default() -> Self {
        Self { came_at: None, kept: Vec::new(), look_at: i64::MAX, watched: false }
    }
}

impl Event {
    pub(super) fn order(&self) -> (i64, u128) {
        (self.time, self.identity)
    }
}

impl Events {
    /// Lets go of what lies before the last event that is older than everything that may still come.
    pub(super) fn settle(&mut self, oldest: i64) {
        let older = self.kept.partition_point(|event| event.time < oldest);
        for event in self.kept.drain(..older.saturating_sub(1)).filter(|event| event.came) {
            self.came_at = self.came_at.max(Some(event.time));
        }
    }

    /// Puts an event into its place, and says what is no longer missed and what is now, of what is due before `told`.
    pub(super) fn put(&mut self, event: Event, schedule: &Schedule, told: i64) -> (Vec<Missed>, Vec<Missed>) {
        let place = self.kept.partition_point(|other| other.order() < event.order());
        if self.kept.get(place).is_some_and(|other| other.order() == event.order()) {
            return (Vec::new(), Vec::new());
        }
        let first = place.saturating_sub(1);
        let before = self.missed(schedule, first, i64::MIN, told);
        self.kept.insert(place, event);
        let after = self.missed(schedule, first, i64::MIN, told);
        let gone = before.iter().filter(|missed| !after.contains(missed)).copied().collect();
        let new = after.iter().filter(|missed| !before.contains(missed)).copied().collect();
        (gone, new)
    }

    /// Lets go of what can make no difference around an event.
    pub(super) fn thin(&mut self, order: (i64, u128), schedule: &Schedule) {
        let place = self.kept.partition_point(|other| other.order() < order);
        for at in (place.saturating_sub(1)..=place + 1).rev() {
            let [before, event, next] = match self.kept.get_mut(at.saturating_sub(1)..at + 2) {
                Some([before, event, next]) if at > 0 => [before, event, next],
                _ => continue,
            };
            if schedule.is_quiet(before.time, next.time) {
                // Nothing begins or is due between the two, so it makes no difference at which of them it came.
                before.came |= event.came;
                self.kept.remove(at);
            }
        }
        for at in place.saturating_sub(1)..=place {
            let Some(next) = self.kept.get(at + 1).map(|next| schedule.before(next.time)) else { break };
            let event = &mut self.kept[at];
            // Those that come later only shorten the time in which something could be due.
            if event.row.as_ref().is_some_and(|row| schedule.due(event.time, row, i64::MIN, next).is_empty()) {
                event.row = None;
            }
        }
    }

    /// What is missed after the events from `first` on, due from `least` on and before `end`.
    pub(super) fn missed(&self, schedule: &Schedule, first: usize, least: i64, end: i64) -> Vec<Missed> {
        let mut found = Vec::new();
        for (place, event) in self.kept.iter().enumerate().skip(first) {
            let Some(row) = &event.row else { continue };
            let next = self.kept.get(place + 1).map_or(i64::MAX, |next| schedule.before(next.time));
            let most = next.min(end.saturating_sub(1));
            if event.time >= most {
                continue;
            }
            let due = schedule.due(event.time, row, least, most).into_iter().filter(|due| !self.came(due.from, due.at));
            found.extend(due.map(|due| Missed { due: due.at, order: event.order() }));
        }
        found
    }

    /// The first instant from `least` on at which something may be missed after this event.
    pub(super) fn next_due(&self, order: (i64, u128), schedule: &Schedule, least: i64) -> Option<i64> {
        let place = self.kept.iter().position(|event| event.order() == order)?;
        let (event, next) = (&self.kept[place], self.kept.get(place + 1));
        let row = event.row.as_ref()?;
        schedule.next_due(event.time, row, least).filter(|due| next.is_none_or(|next| *due <= schedule.before(next.time)))
    }

    /// Whether what has to come came in `[from, until)`.
    fn came(&self, from: i64, until: i64) -> bool {
        // What is gone lies before everything that is still due.
        let is_within = |time: i64| from <= time && time < until;
        self.came_at.is_some_and(|time| from <= time && from < until)
            || self.kept.iter().any(|event| event.came && is_within(event.time))
    }
}

impl Stored for Events {
    /// Number of the base's fields.
    type Plan = usize;

    fn write(&self, _: &usize, out: &mut Writer<'_>) {
        out.count(usize::from(self.came_at.is_some()));
        self.came_at.iter().for_each(|time| out.signed(*time));
        out.count(self.kept.len());
        for event in &self.kept {
            out.signed(event.time);
            out.identity(event.identity);
            out.0.push(u8::from(event.came) | u8::from(event.row.is_some()) << 1);
            event.row.iter().for_each(|row| scalars::write(row, out));
        }
    }

    fn read(fields: &usize, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let came_at = if reader.count(8)? == 0 { None } else { Some(reader.time()?) };
        let event = |reader: &mut Reader<'_>| -> Result<Event, Broken> {
            let (time, identity, flags) = (reader.time()?, reader.identity()?, reader.byte()?);
            let row = if flags & 2 != 0 { Some(scalars::read(*fields, reader)?) } else { None };
            Ok(Event { time, identity, came: flags & 1 != 0, row })
        };
        // Time, identity and flags.
        let kept = (0..reader.count(25)?).map(|_| event(reader)).collect::<Result<Vec<Event>, Broken>>()?;
        if !kept.is_empty() && kept.is_sorted_by(|one, other| one.order() < other.order()) {
            Ok(Self { came_at, kept, look_at: i64::MAX, watched: true })
        } else {
            Err(Broken("events out of order"))
        }
    }
}
